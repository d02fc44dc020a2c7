"""A canvas as Kubernetes objects: pure, and the same for the same canvas in any order.

Every canvas that can be saved compiles. What cannot be made is left out, and `problems` says so:
an Ingress path that leads nowhere, an autoscaler without a target, a second object of one name.

What finds pods is made of the workflow's id and the node's id, so a rename changes no selector.
Objects are made by the files of their kinds; here is only what is true of all of them.
"""

from app.domain import graph
from app.domain.canvas import Canvas
from app.domain.manifest import Identity, Manifest, Wave
from app.domain.nodes import NODE_KINDS
from app.domain.place import Site

__all__ = ["Manifest", "Wave", "compile"]


def compile(
    canvas: Canvas, *, workflow_id: str, workflow_name: str, namespace: str
) -> list[Manifest]:
    """The objects of a canvas, in the order in which they are applied.

    `namespace` is where nodes go that name none. The order is by wave, then kind, group,
    namespace and name.
    """
    ordered = Canvas.model_construct(
        nodes=dict(sorted(canvas.nodes.items())), edges=dict(sorted(canvas.edges.items()))
    )
    outgoing, incoming = graph.links(ordered)
    site = Site(
        graph.wired(ordered, outgoing, incoming),
        outgoing,
        workflow_id=workflow_id,
        workflow_name=workflow_name,
        namespace=namespace,
    )
    made: dict[Identity, Manifest] = {}
    for place in site.places():
        for manifest in NODE_KINDS[place.node.type].manifests(place.node.data, place):
            made.setdefault(manifest.identity, manifest)
    return [made[identity] for _, identity in sorted((made[i].wave, i) for i in made)]
