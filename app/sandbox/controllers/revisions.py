"""The ReplicaSets of a Deployment: which is the new one, and what each is called."""

from app.sandbox.objects import Object, annotations_of, copied
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.references import claimed, hashed, reference
from app.sandbox.world.telling import tell

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_OWN = frozenset(
    {
        REVISION,
        DESIRED,
        MOST,
        "deployment.kubernetes.io/revision-history",
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
    }
)
SOURCE = "deployment-controller"


def sets_of(world: World, resource: Resource, obj: Object) -> tuple[Object | None, list[Object]]:
    """The ReplicaSet of the template as it is, and the others, the oldest first."""
    sets = claimed(world, resource, obj, "ReplicaSet")
    sets.sort(key=lambda each: (revision(each), str(each["metadata"]["creationTimestamp"])))
    template = _plain(obj["spec"]["template"])
    new = next((each for each in sets if _plain(each["spec"]["template"]) == template), None)
    return new, [each for each in sets if each is not new]


def revision(obj: Object) -> int:
    """The number that an object carries; 0 is none."""
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if str(text).isdigit() else 0


def made(world: World, resource: Resource, obj: Object, old: list[Object], most: int) -> Object:
    """A ReplicaSet for the template as it is, with no pods yet."""
    spec, name = obj["spec"], obj["metadata"]["name"]
    template = copied(spec["template"])
    hash_ = hashed(_plain(template))
    labels = {**(template.get("metadata", {}).get("labels") or {}), HASH: hash_}
    template.setdefault("metadata", {})["labels"] = labels
    selector = copied(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: hash_}
    kept = {"minReadySeconds": spec.get("minReadySeconds")}
    created = world.create(
        world.of("ReplicaSet"),
        {
            "metadata": {
                "name": f"{name}-{hash_}",
                "namespace": obj["metadata"]["namespace"],
                "labels": labels,
                "annotations": {
                    **inherited(obj),
                    REVISION: str(max((revision(each) for each in old), default=0) + 1),
                    DESIRED: str(spec["replicas"]),
                    MOST: str(most),
                },
                "ownerReferences": [reference(resource, obj)],
            },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "template": template,
                **{field: value for field, value in kept.items() if value},
            },
            "status": {"replicas": 0},
        },
    )
    assert created is not None, "nobody syncs a Deployment of a namespace that goes"  # noqa: S101
    return created


def renewed(world: World, obj: Object, new: Object, old: list[Object]) -> Object:
    """The new set with the highest number: going back to an old template makes it the newest."""
    newest = max((revision(each) for each in old), default=0)
    annotations = dict(annotations_of(new))
    wanted = {**annotations, **inherited(obj), DESIRED: str(obj["spec"]["replicas"])}
    if revision(new) <= newest:
        history = [annotations.get("deployment.kubernetes.io/revision-history", "")]
        history.append(str(revision(new)))
        wanted["deployment.kubernetes.io/revision-history"] = ",".join(filter(None, history))
        wanted[REVISION] = str(newest + 1)
    kind, spec = world.of("ReplicaSet"), new["spec"]
    seconds = obj["spec"].get("minReadySeconds", 0)
    if wanted != annotations:
        new = world.annotate(kind, new, annotations=wanted)
    if spec.get("minReadySeconds", 0) != seconds:
        new = world.update(kind, new, spec={**spec, "minReadySeconds": seconds})
    return new


def inherited(obj: Object) -> dict[str, str]:
    """The annotations that a Deployment's sets carry too."""
    annotations = annotations_of(obj)
    return {name: value for name, value in annotations.items() if name not in _OWN}


def scaled(world: World, resource: Resource, obj: Object, set_: Object, replicas: int) -> Object:
    """A set with another number of pods."""
    before, name = set_["spec"]["replicas"], set_["metadata"]["name"]
    if before == replicas:
        return set_
    changed = world.update(
        world.of("ReplicaSet"), set_, spec={**set_["spec"], "replicas": replicas}
    )
    way = "up" if replicas > before else "down"
    message = f"Scaled {way} replica set {name} from {before} to {replicas}"
    tell(world, resource, obj, "ScalingReplicaSet", message, source=SOURCE)
    return changed


def forget_old(world: World, obj: Object, old: list[Object]) -> None:
    """Delete the oldest sets without pods, beyond those that history keeps."""
    empty = [s for s in old if not s["spec"]["replicas"] and not s["status"].get("replicas")]
    extra = len(empty) - obj["spec"].get("revisionHistoryLimit", 10)
    for set_ in empty[: max(extra, 0)]:
        world.delete(world.of("ReplicaSet"), set_)


def _plain(template: Object) -> Object:
    """A template without its hash."""
    metadata = {**(template.get("metadata") or {})}
    metadata.pop("creationTimestamp", None)
    labels = {**(metadata.get("labels") or {})}
    labels.pop(HASH, None)
    return {**template, "metadata": {**metadata, "labels": labels}}
