"""The committed SDL is the schema, and the front end's operations are valid in it."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

import schema
from tests.contract import operations

COMMITTED = Path(schema.__file__).with_name("schema.graphql")


def test_the_committed_sdl_is_the_schema() -> None:
    committed = COMMITTED.read_text()
    assert schema.breaking_changes(committed) == []
    assert committed == schema.sdl(), "run `make schema` and review the difference"


def test_a_change_that_breaks_clients_is_named() -> None:
    promised = COMMITTED.read_text().replace("viewer: User", "viewer: User\n  gone: Int", 1)
    assert schema.breaking_changes(promised) == ["Field Query.gone was removed."]


@pytest.mark.parametrize("name", operations())
def test_a_front_end_operation_is_valid(name: str) -> None:
    errors = validate(build_schema(COMMITTED.read_text()), parse(operations()[name]))
    assert [error.message for error in errors] == []


def test_the_schema_package_is_ours() -> None:
    assert Path(schema.__file__).parent == Path(__file__).parents[2] / "schema"


def test_every_field_of_node_data_has_one_type_and_one_nullability() -> None:
    """The canvas reads `data` of every kind in one fragment."""
    built = build_schema(schema.sdl())
    types: dict[str, dict[str, str]] = {}
    for name, type_ in built.type_map.items():
        if name.endswith("NodeData"):
            for field, definition in type_.fields.items():  # type: ignore[attr-defined]
                types.setdefault(field, {})[name] = str(definition.type)
    assert len(types) > 40
    assert {f: t for f, t in types.items() if len(set(t.values())) > 1} == {}


def test_everything_is_described_where_a_name_does_not_say_it() -> None:
    """Every root field has a description."""
    built = build_schema(schema.sdl())
    roots = [built.query_type, built.mutation_type, built.subscription_type]
    silent = [n for t in roots if t for n, f in t.fields.items() if not f.description]
    assert silent == []


def test_what_works_through_a_whole_canvas_is_dear() -> None:
    """The front end's own operations fit; asking for the same work many times over does not."""
    built = schema.build()
    assert [name for name, text in operations().items() if built.prepare(text).errors] == []
    for field in (
        "manifests",
        "diagram",
        "problems { code }",
        "version(number: 1) { edges { id } }",
        "versionDiff(from: 1, to: 2) { layoutOnly }",
    ):
        aliases = " ".join(f"a{i}: {field}" for i in range(10))
        (error,) = built.prepare(f'{{ workflow(id: "x") {{ {aliases} }} }}').errors
        assert error.extensions is not None
        assert error.extensions["code"] == "QUERY_TOO_COSTLY"


@pytest.mark.parametrize(
    "mutation",
    [
        "updateWorkflow",
        "publishWorkflow",
        "archiveWorkflow",
        "deleteWorkflow",
        "restoreWorkflow",
        "createVersion",
        "restoreVersion",
    ],
)
def test_a_change_without_a_revision_can_answer_that_too_many_change_it(mutation: str) -> None:
    built = build_schema(schema.sdl())
    assert built.mutation_type is not None
    result = built.mutation_type.fields[mutation].type
    members = {member.name for member in result.of_type.types}  # type: ignore[union-attr]
    assert {"Conflict", "RevisionConflict", "NotFound", "Unauthenticated"} <= members


def test_restoring_a_version_can_answer_that_it_is_too_large() -> None:
    assert "LimitExceeded" in str(build_schema(schema.sdl()).type_map["RestoreVersionResult"].types)  # type: ignore[attr-defined]
