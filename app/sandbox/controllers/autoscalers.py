"""HorizontalPodAutoscalers: they keep their target within its limits.

Nothing runs, so there is no load: what is measured is always just what is wanted.
"""

from app.sandbox import schemas
from app.sandbox.objects import Object, annotations_of, at, is_leaving, with_at
from app.sandbox.ownership import record_update
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.conditions import with_condition
from app.sandbox.world.telling import tell

SOURCE = "horizontal-pod-autoscaler"
_MANAGER = "kube-controller-manager"
NO_METRICS = "sandbox/no-metrics"
"""An annotation of an autoscaler that cannot measure: as in a cluster without a metrics server."""
_UNMEASURED = (
    "the HPA was unable to compute the replica count: failed to get {name} utilization: unable to "
    "get metrics for resource {name}: no metrics returned from resource metrics API"
)


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Bring the target within the limits, and say what can be said."""
    if is_leaving(obj):
        return
    spec, before = obj["spec"], obj.get("status", {})
    conditions = list(before.get("conditions") or ())
    target = _target(world, obj)
    if target is None:
        asked = spec["scaleTargetRef"]
        message = (
            f"the HPA controller was unable to get the target's current scale: "
            f'{asked["kind"].lower()}s "{asked["name"]}" not found'
        )
        conditions = with_condition(
            world, conditions, "AbleToScale", "False", "FailedGetScale", message
        )
        tell(world, resource, obj, "FailedGetScale", message, source=SOURCE, warning=True)
        _write(world, resource, obj, conditions, current=0, wanted=0)
        return
    kind, scaled = target
    wanted_path, running_path, _ = kind.scale_paths
    current = int(at(scaled, wanted_path, 1))
    running = int(at(scaled, running_path, 0))
    wanted, conditions = _decide(world, resource, obj, conditions, current)
    if wanted != current:
        _rescale(world, kind, scaled, wanted)
        way = "below Spec.MinReplicas" if wanted > current else "above Spec.MaxReplicas"
        message = f"New size: {wanted}; reason: Current number of replicas {way}"
        tell(world, resource, obj, "SuccessfulRescale", message, source=SOURCE)
    _write(world, resource, obj, conditions, current=running, wanted=wanted)


def _rescale(world: World, kind: Resource, scaled: Object, wanted: int) -> None:
    """Set the number, and own it: whoever applies another one later is told of a conflict."""
    recorded = record_update(
        scaled,
        with_at(scaled, kind.scale_paths[0], wanted),
        manager=_MANAGER,
        schema=schemas.builtin(kind.api_version, kind.kind) or schemas.ANY,
        now=world.stamp(),
        subresource="scale",
    )
    world.store.update(kind, recorded)


def _decide(
    world: World, resource: Resource, obj: Object, conditions: list[Object], current: int
) -> tuple[int, list[Object]]:
    spec = obj["spec"]
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]

    def say(type_: str, status: str, reason: str, message: str) -> None:
        nonlocal conditions
        conditions = with_condition(world, conditions, type_, status, reason, message)

    if current == 0:
        found = "the HPA controller was able to get the target's current scale"
        say("AbleToScale", "True", "SucceededGetScale", found)
        why = "scaling is disabled since the replica count of the target is zero"
        say("ScalingActive", "False", "ScalingDisabled", why)
        return 0, conditions
    wanted = min(max(current, least), most)
    if wanted != current:
        updated = f"the HPA controller was able to update the target scale to {wanted}"
        say("AbleToScale", "True", "SucceededRescale", updated)
    else:
        found = "the HPA controller was able to get the target's current scale"
        say("AbleToScale", "True", "SucceededGetScale", found)
    name = _measured(obj)
    if NO_METRICS in annotations_of(obj):
        message = _UNMEASURED.format(name=name)
        reason = "FailedGetResourceMetric"
        say("ScalingActive", "False", reason, message)
        text = message.partition(": ")[2]
        tell(world, resource, obj, reason, text, source=SOURCE, warning=True)
        return wanted, conditions
    calculated = (
        f"the HPA was able to successfully calculate a replica count from {name} resource "
        "utilization (percentage of request)"
    )
    say("ScalingActive", "True", "ValidMetricFound", calculated)
    within = "the desired count is within the acceptable range"
    say("ScalingLimited", "False", "DesiredWithinRange", within)
    return wanted, conditions


def _measured(obj: Object) -> str:
    for metric in obj["spec"].get("metrics") or ():
        if metric.get("resource"):
            return str(metric["resource"]["name"])
    return "cpu"


def _target(world: World, obj: Object) -> tuple[Resource, Object] | None:
    asked = obj["spec"]["scaleTargetRef"]
    kind = world.registry.by_kind(asked.get("apiVersion", ""), asked["kind"])
    if kind is None or "scale" not in kind.subresources:
        return None
    found = world.store.get(kind, obj["metadata"]["namespace"], asked["name"])
    return (kind, found) if found is not None else None


def _write(
    world: World,
    resource: Resource,
    obj: Object,
    conditions: list[Object],
    *,
    current: int,
    wanted: int,
) -> None:
    active = {each["type"]: each["status"] for each in conditions}.get("ScalingActive")
    status = {
        "currentReplicas": current,
        "desiredReplicas": wanted,
        "currentMetrics": _metrics(obj) if active == "True" else None,
        "conditions": conditions,
    }
    if status != obj.get("status"):
        world.store.update(resource, {**obj, "status": status}, subresource="status")


def _metrics(obj: Object) -> list[Object] | None:
    """Every resource, used just as much as is wanted."""
    found = []
    for metric in obj["spec"].get("metrics") or ():
        wanted = (metric.get("resource") or {}).get("target") or {}
        used = {name: value for name, value in wanted.items() if name.startswith("average")}
        if used:
            used.setdefault("averageValue", "0")
            found.append(
                {
                    "type": "Resource",
                    "resource": {"name": metric["resource"]["name"], "current": used},
                }
            )
    return found or None


def targeting(world: World, event: Event) -> list[Key]:
    """The autoscalers of what has changed."""
    if "scale" not in event.resource.subresources:
        return []
    kind, name = world.of("HorizontalPodAutoscaler"), event.object["metadata"]["name"]
    return [
        key_of(kind, each)
        for each in world.store.list(kind, event.object["metadata"].get("namespace"))
        if each["spec"]["scaleTargetRef"]["name"] == name
        and each["spec"]["scaleTargetRef"]["kind"] == event.resource.kind
    ]
