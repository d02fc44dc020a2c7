"""Plugin nodes: known to the catalogue, and with values that fit their fields."""

from collections.abc import Iterator

from app.domain import plugins
from app.domain.nodes.plugin import PluginNodeData
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at


def resources(scene: Scene) -> Iterator[Problem]:
    """A plugin node is a resource that the catalogue has, filled in, and the only one so called."""
    cluster_wide: dict[tuple[str, str, str], str] = {}
    for node, data in scene.each(PluginNodeData):
        kind = plugins.find(data.plugin_id, data.template_id)
        if kind is None:
            field, says = _unknown(data)
            yield at(
                node, field, code=ProblemCode.PLUGIN_UNKNOWN, severity=Severity.ERROR, says=says
            )
            continue
        if kind.scope is plugins.Scope.CLUSTER:
            key = (kind.group, kind.kind, data.name)
            if cluster_wide.setdefault(key, node.id) != node.id:
                yield at(
                    node,
                    "name",
                    code=ProblemCode.NAME_TAKEN,
                    severity=Severity.ERROR,
                    says=f"Another {kind.kind} is called {data.name} too, and it belongs to no "
                    f"namespace: give one of them another name.",
                )
        for fault in plugins.body_of(kind, data.fields)[1]:
            yield at(
                node,
                "fields",
                fault.field,
                code=ProblemCode.PLUGIN_FIELD,
                severity=Severity.ERROR if fault.fatal else Severity.WARNING,
                says=fault.says,
            )


def _unknown(data: PluginNodeData) -> tuple[str, str]:
    """The field that is wrong, and what to write there."""
    plugin = plugins.plugins().get(data.plugin_id)
    if plugin is None:
        return "plugin_id", f"There is no plugin {data.plugin_id}: choose one of the catalogue."
    listed = ", ".join(kind.id for kind in plugin.types)
    return "template_id", f"{plugin.name} has no such resource: write one of {listed}."
