"""The page itself, in Markdown as code hosts show it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from app.domain import plugins as catalogue
from app.domain.manifest import Manifest
from app.domain.node import NodeData, NodeKind, NodeType
from app.domain.nodes import NODE_KINDS
from app.domain.rendering import to_yaml
from app.handbook.example import Example
from app.handbook.rules import rule_of
from app.handbook.tables import Row, escaped, own_fields, rows, shapes

_INTRODUCTION = """\
# Node kinds

What can be drawn on a canvas, and what it becomes on a cluster. This page is made from the code:
`make docs` writes it anew.

Every example is a list of operations for `editWorkflow`; node data looks the same in
`createWorkflow` and `saveCanvas`:

```graphql
mutation {
  editWorkflow(input: { workflowId: "…", expectedRevision: 1, operations: [
    # the operations go here
  ] }) {
    ... on EditWorkflowPayload { workflow { revision problems { severity message } } }
    ... on UserError { code message path }
  }
}
```

The objects below each example are those of the workflow `Example` in the namespace `default`.
`kubeorch compile` prints those of any workflow.
"""


def page() -> str:
    """The whole page. Raises LookupError when an example cannot be made of a kind."""
    kinds = sorted(NODE_KINDS.values(), key=lambda kind: (kind.category, kind.label))
    parts = [_INTRODUCTION, *_contents(kinds)]
    for kind in kinds:
        parts.extend(_kind(kind))
    parts.append("## Shared fields\n")
    for base in _bases(kinds):
        parts += [
            f"### {_shared(base)}\n",
            f"{_summary(base)}\n",
            _table(rows(base, own_fields(base))),
        ]
    parts.append("## Shapes\n")
    parts.append("The input of a shape has the same name with `Input` behind it.\n")
    for shape in _shapes(kinds):
        parts += [f"### {shape.__name__}\n", f"{_summary(shape)}\n", _table(rows(shape))]
    parts += ["## Values\n", *_values(kinds), "## Plugins\n", *_plugins()]
    return "\n".join(parts).rstrip("\n") + "\n"


def _contents(kinds: Iterable[NodeKind]) -> Iterator[str]:
    lines = ["| Kind | `type` | Category | What it is |", "|---|---|---|---|"]
    lines += [
        f"| {_link(kind)} | `{kind.type.name}` | {kind.category} | {escaped(kind.description)} |"
        for kind in kinds
    ]
    yield "\n".join(lines) + "\n"
    yield (
        "Then [shared fields](#shared-fields), the [shapes](#shapes) that fields hold, the rules "
        "for [values](#values), and the catalogue of [plugins](#plugins).\n"
    )


def _kind(kind: NodeKind) -> Iterator[str]:
    example = Example(kind)
    own, others = example.manifests()
    yield f"## {kind.label}\n"
    given = f"`{kind.type.value}: {kind.data.__name__}Input`"
    yield f"{escaped(kind.description)} As an input: {given}.\n"
    yield from _edges(kind)
    bases = [base for base in kind.data.__mro__[1:] if _is_shared(base)]
    also = ", ".join(f"[{_shared(base)}](#{_anchor(_shared(base))})" for base in bases)
    yield f"**Fields**, and {also}\n"
    yield _table(rows(kind.data, own_fields(kind.data)))
    yield "**Example**\n"
    yield f"```graphql\n{example.operations}\n```\n"
    yield "It becomes:\n"
    yield _yaml(own)
    keys = ", ".join(f"`{key}`" for manifest in own for key in manifest.keys)
    if keys:
        yield f"Values are given at deploy time and go straight to the cluster: {keys}.\n"
    if others:
        yield "<details><summary>And what it is connected to</summary>\n"
        yield _yaml(others)
        yield "</details>\n"
    for problem in example.problems():
        where = ".".join([problem.node_id or "", *problem.path])
        yield f"The server remarks at `{where}`: {escaped(problem.message)}\n"


def _edges(kind: NodeKind) -> Iterator[str]:
    lines = [
        f"- to {_listed(NODE_KINDS[NodeType(name)] for name in names)}: {escaped(meaning)}"
        for meaning, names in _by_meaning(kind).items()
    ]
    for other in NODE_KINDS.values():
        lines += [
            f"- from {_link(other)}: {escaped(meaning)}"
            for meaning, names in _by_meaning(other).items()
            if kind.type in names
        ]
    yield "**Edges**\n"
    yield "\n".join(lines or ["None: nothing connects to it, and it connects to nothing."]) + "\n"


def _by_meaning(kind: NodeKind) -> Mapping[str, list[str]]:
    meanings: dict[str, list[str]] = {}
    for connection in kind.connects_to:
        meanings.setdefault(connection.meaning, []).append(connection.type)
    return meanings


def _table(listed: Iterable[Row]) -> str:
    lines = ["| Field | Type | Default | Limits | What it is |", "|---|---|---|---|---|"]
    for row in listed:
        default = "required" if row.required else f"`{row.default}`" if row.default else ""
        default = "from edges" if row.derived else default
        type_ = f"`{row.spelling}`"
        if row.shape is not None:
            type_ = f"[{type_}](#{_anchor(row.shape.__name__)})"
        limits = row.limits if row.rules else escaped(row.limits)
        lines.append(
            f"| `{row.name}` | {type_} | {default} | {limits} | {escaped(row.description)} |"
        )
    return "\n".join(lines) + "\n"


def _values(kinds: Iterable[NodeKind]) -> Iterator[str]:
    models = [*(kind.data for kind in kinds), *_shapes(kinds)]
    named: dict[str, Any] = {
        name: rule for m in models for row in rows(m) for name, rule in row.rules
    }
    yield "What the API answers to a value that breaks the rule.\n"
    lines = ["| Rule | What is allowed |", "|---|---|"]
    lines += [f"| {name} | {escaped(rule_of(rule))} |" for name, rule in sorted(named.items())]
    yield "\n".join(lines) + "\n"


def _plugins() -> Iterator[str]:
    yield "What a plugin node can be. The operator has to be installed on the cluster.\n"
    lines = ["| `pluginId` | `templateId` | Becomes | What it is |", "|---|---|---|---|"]
    lines += [
        f"| `{plugin.id}` | `{made.id}` | {made.kind}, `{made.api_version}` | "
        f"{escaped(made.description)} |"
        for plugin in catalogue.plugins().values()
        for made in plugin.types
    ]
    yield "\n".join(lines) + "\n"


def _bases(kinds: Iterable[NodeKind]) -> list[type[NodeData]]:
    """The classes whose fields several kinds have, the most general first."""
    found = {
        base: None for kind in kinds for base in reversed(kind.data.__mro__) if _is_shared(base)
    }
    return list(found)


def _is_shared(base: type) -> bool:
    return issubclass(base, NodeData) and base not in {kind.data for kind in NODE_KINDS.values()}


def _shapes(kinds: Iterable[NodeKind]) -> list[type[BaseModel]]:
    found = {shape for kind in kinds for shape in shapes(kind.data)}
    return sorted(found, key=lambda shape: shape.__name__)


def _shared(base: type) -> str:
    """`WorkloadData` has the fields of every workload."""
    return f"{base.__name__.removesuffix('Data')} fields"


def _summary(cls: type) -> str:
    return escaped(" ".join((cls.__doc__ or "").split("\n\n")[0].split()))


def _listed(kinds: Iterable[NodeKind]) -> str:
    return ", ".join(map(_link, kinds))


def _link(kind: NodeKind) -> str:
    return f"[{kind.label}](#{_anchor(kind.label)})"


def _anchor(heading: str) -> str:
    """Where code hosts put a heading of letters and spaces."""
    return heading.lower().replace(" ", "-")


def _yaml(manifests: Iterable[Manifest]) -> str:
    text = to_yaml(manifests).removeprefix("---\n")
    return f"```yaml\n{text}```\n"
