"""The page about the kinds: as committed, true to the contract, and sound as a document."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema, parse, validate

from app.domain.node import NodeKind
from app.domain.nodes import NODE_KINDS
from app.domain.problems import Severity
from app.handbook import page
from app.handbook.example import Example
from app.handbook.literals import literal
from app.handbook.tables import Row, escaped, rows, shapes

PROJECT = Path(__file__).parents[2]
SCHEMA = build_schema((PROJECT / "schema" / "schema.graphql").read_text())
KINDS = list(NODE_KINDS.values())
MODELS = {model.__name__: model for kind in KINDS for model in (kind.data, *shapes(kind.data))}


def test_the_committed_page_is_what_the_code_makes() -> None:
    committed = (PROJECT / "docs" / "kinds.md").read_text()
    assert committed == page(), "docs/kinds.md is stale: run `make docs` and commit the difference."


@pytest.mark.parametrize("name", MODELS)
def test_the_fields_are_those_of_the_contract(name: str) -> None:
    given = SCHEMA.type_map[f"{name}Input"]
    assert isinstance(given, GraphQLInputObjectType)
    listed = [row for row in rows(MODELS[name]) if not row.derived]
    assert {row.name: _contract(row) for row in listed} == {
        field: re.sub("!", "", str(value.type)) for field, value in given.fields.items()
    }
    required = {row.name for row in listed if row.required}
    assert required == {
        field
        for field, value in given.fields.items()
        if str(value.type).endswith("!") and value.ast_node.default_value is None
    }
    known = SCHEMA.type_map[name].fields  # type: ignore[attr-defined]
    assert {row.name for row in rows(MODELS[name])} == set(known)


def _contract(row: Row) -> str:
    """The type of an input field: shapes have inputs of their own."""
    if row.shape is None:
        return row.spelling
    return row.spelling.replace(row.shape.__name__, f"{row.shape.__name__}Input")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type.value)
def test_the_example_is_one_that_the_api_takes(kind: NodeKind) -> None:
    example = Example(kind)
    assert f"```graphql\n{example.operations}\n```" in page()
    document = parse(
        'mutation { editWorkflow(input: { workflowId: "w", expectedRevision: 1, operations: ['
        f"{example.operations}]}}) {{ __typename }} }}"
    )
    assert validate(SCHEMA, document) == []
    assert [p for p in example.problems() if p.severity is Severity.ERROR] == []
    own, _ = example.manifests()
    assert own
    assert {node.type for node in example.nodes[1:]} <= {
        connection.type
        for node in example.nodes
        for connection in NODE_KINDS[node.type].connects_to
    }


def test_every_link_leads_to_one_heading() -> None:
    text = re.sub("```.*?```", "", page(), flags=re.DOTALL)
    headings = Counter(
        heading.lower().replace(" ", "-") for heading in re.findall("^#+ (.+)$", text, re.MULTILINE)
    )
    links = set(re.findall(r"\]\(#([^)]*)\)", text))
    assert {link: headings[link] for link in links} == dict.fromkeys(links, 1)
    assert {kind.label.lower() for kind in KINDS} <= links


def test_every_row_of_a_table_has_its_columns() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page(), re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a|b *c* <d> [e](f) g_h", r"a\|b \*c\* \<d> \[e\](f) g\_h"),
        ("`/data/<name>` and `a|b`", r"`/data/<name>` and `a\|b`"),
    ],
)
def test_text_in_a_table(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, True, None], "b": {}}, "{ a: [1, true, null], b: {} }"),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ({"a": "x" * 90, "b": []}, f'{{\n  a: "{"x" * 90}"\n  b: []\n}}'),
        (["x" * 50, "y" * 50], f'[\n  "{"x" * 50}"\n  "{"y" * 50}"\n]'),
    ],
)
def test_a_value_in_graphql(value: Any, written: str) -> None:
    assert literal(value) == written
