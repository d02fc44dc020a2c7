"""ControllerRevisions: the templates that a StatefulSet or a DaemonSet has had."""

from app.sandbox.objects import Object, copied, uid_of
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.references import controlled, hashed, reference

LABEL = "controller-revision-hash"


def revised(world: World, resource: Resource, obj: Object) -> tuple[Object, list[Object]]:
    """The revision of the template as it is, made where there is none, and all by number."""
    kind, template = world.of("ControllerRevision"), copied(obj["spec"]["template"])
    template.get("metadata", {}).pop("creationTimestamp", None)
    data = {"spec": {"template": {**template, "$patch": "replace"}}}
    known = controlled(world, obj, "ControllerRevision")
    known.sort(key=lambda each: int(each["revision"]))
    number = int(known[-1]["revision"]) if known else 0
    same = next((each for each in known if each["data"] == data), None)
    if same is not None:
        if same is not known[-1]:
            same = world.update(kind, same, revision=number + 1)
            known = [each for each in known if uid_of(each) != uid_of(same)] + [same]
        return same, known
    hash_ = hashed(template)
    name = f"{obj['metadata']['name']}-{hash_}"
    labels = {**(template.get("metadata", {}).get("labels") or {}), LABEL: hash_}
    made = world.create(
        kind,
        {
            "metadata": {
                "name": name,
                "namespace": obj["metadata"]["namespace"],
                "labels": labels,
                "ownerReferences": [reference(resource, obj)],
            },
            "data": data,
            "revision": number + 1,
        },
    )
    assert made is not None, "nobody syncs what is in a namespace that goes"  # noqa: S101
    return made, [*known, made]


def template_of(revision: Object) -> Object:
    """The template that a revision is about."""
    template = copied(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return dict(template)


def forget_old(world: World, obj: Object, known: list[Object], used: set[str]) -> None:
    """Delete revisions that no pod has, beyond those that history keeps."""
    unused = [each for each in known if str(each["metadata"]["name"]) not in used]
    extra = len(unused) - obj["spec"].get("revisionHistoryLimit", 10)
    for each in unused[: max(extra, 0)]:
        world.delete(world.of("ControllerRevision"), each)
