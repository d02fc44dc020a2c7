"""Plugin: a custom resource of an operator that the cluster has installed."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from app.domain import plugins
from app.domain.fields import DnsSubdomain, Line
from app.domain.manifest import Manifest, Wave
from app.domain.maps import Json
from app.domain.node import NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.text import Text

PluginId = Annotated[
    str,
    Text(
        "Write the plugin's id, such as certmanager: lower-case letters, digits and '-'.",
        63,
        r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?",
    ),
]


class PluginNodeData(NodeData):
    """A custom resource, with the fields that its plugin defines."""

    name: DnsSubdomain = Field(description="Name of the object.")
    plugin_id: PluginId = Field(
        examples=["rabbitmq"], description="Its id in the catalogue, such as `certmanager`."
    )
    plugin_category: Line | None = Field(default=None, description="The plugin's category.")
    display_name: Line | None = Field(
        default=None, description="What the node is called on the canvas."
    )
    fields: Json = Field(
        default_factory=dict,
        description="Values of the plugin's fields, by their id: any JSON, at most 20 levels and "
        "64 KiB. Under `spec`, or under a path such as `spec.http[0].match`, any other field of "
        "the object.",
    )

    @property
    def scales(self) -> tuple[str, str] | None:
        kind = plugins.find(self.plugin_id, self.template_id)
        if kind is None or kind.scales is None:
            return None
        values = {field.id: self.fields.get(field.id, field.default) for field in kind.fields}
        workload, name = (values.get(field) for field in kind.scales)
        return (str(workload).lower(), str(name)) if workload and name else None


class PluginNode(WorkflowNode):
    """A custom resource on the canvas."""

    type: NodeType = Field(default=NodeType("plugin"), description="The kind.")
    data: PluginNodeData = Field(description="What it is made of.")


def manifests(data: PluginNodeData, place: Place) -> Iterator[Manifest]:
    """The custom resource; none when the catalogue doesn't know it, or a value keeps it away."""
    kind = plugins.find(data.plugin_id, data.template_id)
    if kind is None:
        return
    body, faults = plugins.body_of(kind, data.fields)
    if any(fault.fatal for fault in faults):
        return
    own = body.pop("metadata", {})
    made = place.manifest(
        kind.api_version,
        kind.kind,
        body,
        wave=Wave.CUSTOM_RESOURCES,
        namespaced=kind.scope is plugins.Scope.NAMESPACED,
    )
    metadata = made.object["metadata"]
    for part in ("labels", "annotations"):
        if own.get(part):
            metadata[part] = dict(sorted({**own[part], **metadata.get(part, {})}.items()))
    yield made


KIND = NodeKind(
    type=NodeType("plugin"),
    label="Plugin",
    description="A custom resource of an operator that the cluster has installed.",
    category="plugin",
    data=PluginNodeData,
    node=PluginNode,
    manifests=manifests,
    defaults={"fields": {}},
)
