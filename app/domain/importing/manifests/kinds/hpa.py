"""HorizontalPodAutoscalers read back; the edge to the workload that they scale."""

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source, at, items, shown
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Arrow, Reading, Scene
from app.domain.nodes.hpa import HPANodeData, ScaleTargetKind

_TARGET = ("spec", "scaleTargetRef")
_SIDES = {"scale_down": "scaleDown", "scale_up": "scaleUp"}


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.vital = ("scale_target_kind", "scale_target_name")
    form.take("scale_target_kind", *_TARGET, "kind")
    form.take("scale_target_name", *_TARGET, "name")
    form.take("min_replicas", "spec", "minReplicas")
    form.take("max_replicas", "spec", "maxReplicas")
    for i, metric in items(at(form.object, "spec", "metrics")):
        resource = at(metric, "resource", "name")
        percent = at(metric, "resource", "target", "averageUtilization")
        if metric.get("type") == "Resource" and resource in ("cpu", "memory"):
            form.put(f"target_{resource}_utilization", percent, "spec", "metrics", str(i))
    for name, key in _SIDES.items():
        side = ("spec", "behavior", key)
        form.take(f"{name}_stabilization", *side, "stabilizationWindowSeconds")
        form.take(f"{name}_select", *side, "selectPolicy")
        for i, step in items(at(form.object, *side, "policies")):
            made = {
                "type": step.get("type"),
                "value": step.get("value"),
                "period_seconds": step.get("periodSeconds"),
            }
            form.add(f"{name}_policies", made, *side, "policies", str(i))


def link(reading: Reading, scene: Scene) -> list[Arrow]:
    data = reading.data
    if not isinstance(data, HPANodeData):
        return []
    kind = data.scale_target_kind or ScaleTargetKind.DEPLOYMENT
    target = scene.named(kind.value.lower(), reading.source, data.scale_target_name or "")
    if target is not None:
        return [Arrow(reading.node_id, target.node_id)]
    if scene.object(kind.value, reading.source, data.scale_target_name) is None:
        says = f"There is no {kind.value} {shown(data.scale_target_name)} in the source."
        reading.form.firm.append((ImportCode.MISSING, _TARGET, says))
    return []


READER = Reader(frozenset({("autoscaling", "HorizontalPodAutoscaler")}), read, link)
