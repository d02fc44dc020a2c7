"""What a document may ask for: just below each limit, just above it, and what is built to hurt."""

import time
from dataclasses import replace

import pytest
import strawberry
from graphql import get_introspection_query

from schema.execution import Schema
from schema.limits import Limits
from schema.pricing import Cost
from schema.validation import CACHE_TOKENS, CACHED_CHARACTERS, Documents


@strawberry.type
class Tree:
    name: str = ""

    @strawberry.field
    def tree(self) -> "Tree":
        return Tree()

    @strawberry.field
    def page(self, first: int = 20, after: str | None = None) -> list["Tree"]:  # noqa: ARG002
        return []

    @strawberry.field(directives=[Cost(length=30)])
    def leaves(self) -> list["Tree"]:
        return []


@strawberry.type
class Rock:
    weight: int = 0
    name: str = ""


@strawberry.input
class Deep:
    inner: "Deep | None" = None
    number: int = 0


@strawberry.type
class Query:
    name: str = ""

    @strawberry.field
    def tree(self) -> Tree:
        return Tree()

    @strawberry.field
    def found(self) -> Tree | Rock:
        return Tree()

    @strawberry.field
    def deep(self, deep: Deep | None = None) -> str:  # noqa: ARG002
        return ""


@strawberry.type
class Mutation:
    @strawberry.mutation
    def grow(self) -> int:
        return 1


LIMITS = Limits(
    tokens=1_000,
    depth=4,
    aliases=3,
    root_fields=3,
    mutations=2,
    cost=200,
    operations=2,
    directives=4,
    directives_per_node=2,
    alias_length=10,
)
SKIP = "@skip(if: false) @include(if: true)"


def documents(limits: Limits = LIMITS) -> Documents:
    return Schema(Query, Mutation, limits=limits).documents


def codes(text: str, limits: Limits = LIMITS) -> list[str]:
    return [error.extensions["code"] for error in documents(limits).prepare(text).errors]


@pytest.mark.parametrize(
    ("below", "above", "code"),
    [
        (
            "{ tree { tree { tree { name } } } }",
            "{ tree { tree { tree { tree { name } } } } }",
            "QUERY_TOO_DEEP",
        ),
        (
            "{ tree { ...F } } fragment F on Tree { tree { ... { tree { name } } } }",
            "{ tree { ...F } } fragment F on Tree { tree { ... { tree { tree { name } } } } }",
            "QUERY_TOO_DEEP",
        ),
        (
            "{ tree { a: name b: name c: name } }",
            "{ tree { a: name b: name c: name d: name } }",
            "TOO_MANY_ALIASES",
        ),
        (
            "{ tree { ...F tree { ...F } } } fragment F on Tree { a: name }",
            "{ tree { ...F tree { ...F } } } fragment F on Tree { a: name b: name }",
            "TOO_MANY_ALIASES",
        ),
        ("{ name name name }", "{ name name name name }", "TOO_MANY_ROOT_FIELDS"),
        ("mutation { grow grow }", "mutation { grow grow ...F } fragment F on Mutation { grow }",
         "TOO_MANY_ROOT_FIELDS"),
        (
            "{ tree { page(first: 99) { name tree { __typename } } } }",
            "{ tree { page(first: 100) { name tree { __typename } } } }",
            "QUERY_TOO_COSTLY",
        ),
        (
            "{ tree { page { page(first: 8) { name } } } }",
            "{ tree { page { page(first: 9) { name } } } }",
            "QUERY_TOO_COSTLY",
        ),
        ("query A { name } query B { name }", "query A { name } query B { name } query C { name }",
         "TOO_MANY_OPERATIONS"),
        (f"{{ name {SKIP} tree {{ name {SKIP} }} }}",
         f"{{ name {SKIP} tree {{ name {SKIP} tree @skip(if: true) {{ name }} }} }}",
         "TOO_MANY_DIRECTIVES"),
        (f"{{ name {SKIP} }}", f"{{ name {SKIP} @skip(if: true) }}", "TOO_MANY_DIRECTIVES"),
        ("{ aaaaaaaaaa: name }", "{ aaaaaaaaaab: name }", "ALIAS_TOO_LONG"),
        ("{ tree { " + "name " * 195 + "} }", "{ tree { " + "name " * 996 + "} }",
         "TOO_MANY_TOKENS"),
        ("{ name }" + "\n" * 10_000, "{ name }" + "\n" * 10_001, "TOO_MANY_LINES"),
    ],
)  # fmt: skip
def test_each_limit(below: str, above: str, code: str) -> None:
    assert codes(below) == []
    assert codes(above) == [code]


def test_an_error_says_the_limit_and_the_number() -> None:
    (error,) = (
        documents().prepare("query Names { tree { a: name b: name c: name d: name } }").errors
    )
    assert error.message == "The operation Names has 4 aliases, more than the limit of 3."
    assert error.extensions == {"code": "TOO_MANY_ALIASES", "limit": 3, "actual": 4}
    assert error.formatted["locations"] == [{"line": 1, "column": 1}]


@pytest.mark.parametrize(
    ("selection", "cost"),
    [
        ("name", 1),
        ("__typename", 0),
        ("tree { name name }", 3),
        ("tree { page { name } }", 22),
        ("tree { page(first: 7) { name } }", 9),
        ("tree { page(first: 0) { name } }", 3),
        ("tree { page(first: 1000000) { name } }", 102),
        ("tree { page(first: " + "9" * 5000 + ") { name } }", 102),
        ("tree { page(first: $n) { name } }", 102),
        ("tree { page(first: null) { name } }", 22),
        ("tree { leaves { name } }", 32),
        ("tree { unknown { name } }", 3),
        ("found { ... on Tree { name tree { name } } ... on Rock { weight name } }", 4),
        ("found { __typename ...T ... on Tree { name } } ", 2),
    ],
)
def test_what_an_operation_costs(selection: str, cost: int) -> None:
    """A list costs as many as it may have; of types that exclude each other, the dearest counts."""
    text = f"query ($n: Int) {{ {selection} }} fragment T on Rock {{ weight }}"
    roomy = replace(LIMITS, cost=cost)
    assert "QUERY_TOO_COSTLY" not in codes(text, roomy)
    if cost:
        assert "QUERY_TOO_COSTLY" in codes(text, replace(roomy, cost=cost - 1))


HONEST = "{ tree { " + "name " * 4_900 + "} }"
"""A document of as many tokens as there may be: what any document may cost."""


def seconds(text: str) -> float:
    """Processor time to prepare a document that was not seen before: the best of three."""

    def once() -> float:
        prepare = documents(Limits()).prepare
        started = time.process_time()
        prepare(text)
        return time.process_time() - started

    return min(once() for _ in range(3))


def bomb(length: int) -> str:
    """Each fragment spreads the next one twice: 2^length fields of a few hundred tokens."""
    chain = "".join(
        f"fragment f{i} on Tree {{ tree {{ ...f{i + 1} }} b: tree {{ ...f{i + 1} }} }} "
        for i in range(length)
    )
    return f"{{ tree {{ ...f0 }} }} {chain} fragment f{length} on Tree {{ name }}"


def test_a_fragment_bomb_costs_less_than_an_honest_document() -> None:
    assert seconds(bomb(60)) < seconds(HONEST)
    errors = documents(replace(LIMITS, tokens=5_000)).prepare(bomb(60)).errors
    assert {error.extensions["code"] for error in errors} == {
        "QUERY_TOO_DEEP",
        "TOO_MANY_ALIASES",
        "QUERY_TOO_COSTLY",
    }
    assert "has at least 1000000000 aliases" in errors[1].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ ...Nowhere }", "Unknown fragment 'Nowhere'."),
        (
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
            "Cannot spread fragment 'A' within itself via 'B'.",
        ),
        ("{ ...A } fragment A on Query { ...A }", "Cannot spread fragment 'A' within itself."),
    ],
)
def test_undefined_and_cyclic_fragments_get_the_standard_errors(text: str, message: str) -> None:
    (error,) = documents().prepare(text).errors
    assert error.message == message
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


HOSTILE = {
    "the same field": "{ tree { " + "name " * 4_900 + "} }",
    "the same object": "{ tree { " + "tree { name } " * 1_200 + "} }",
    "unknown fields": "{ tree { " + " ".join(f"z{i}" for i in range(4_900)) + " } }",
    "unknown input fields": "{ deep(deep: {" + " ".join(f"z{i}: 1" for i in range(1_600)) + "}) }",
    "repeated input fields": "{ deep(deep: {" + "number: 1 " * 1_600 + "}) }",
    "all fragments at once": "{ tree { "
    + " ".join(f"...f{i}" for i in range(400))
    + " } } "
    + " ".join(f"fragment f{i} on Tree {{ name __typename }}" for i in range(400)),
    "every operation follows every fragment": " ".join(
        f"query q{i} {{ tree {{ ...f0 }} }}" for i in range(50)
    )
    + " ".join(f" fragment f{i} on Tree {{ ...f{i + 1} name }}" for i in range(400))
    + " fragment f400 on Tree { name }",
    "repeated fragments": "{ name } " + "fragment F on Tree { ...F } " * 600,
    "variables": "query(" + " ".join(f"$a{i}: Int" for i in range(1_200)) + ") { name }",
    "introspection": "{ __schema { types { fields { args { " + "name " * 4_000 + "} } } } }",
    "a long name": "{ " + "z" * 1_000_000 + " }",
    "a long number": "{ tree { page(first: " + "9" * 1_000_000 + ") { name } } }",
    "a long string": '{ tree { page(after: "' + "\\u0041" * 160_000 + '") { name } } }',
    "an endless string": '{ tree { page(after: "' + "a" * 1_000_000,
    "a block string": '{ tree { page(after: """' + " a\n" * 9_000 + '""") { name } } }',
    "conflicts far down": "\n" * 9_900 + "{ tree { " + "a: name a: tree { name } " * 50 + "} }",
    "open lists": "{ deep(deep: " + "[" * 5_000,
    "open objects": "{ deep(deep: " + "{inner: " * 1_600,
    "open selections": "{ " + "tree { " * 2_400,
    "open types": "query($a: " + "[" * 5_000,
    "open fragments": "{ " + "... { " * 2_400,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_document_takes_much_longer_than_an_honest_one(name: str) -> None:
    assert seconds(HOSTILE[name]) < 10 * seconds(HONEST)
    prepared = documents(Limits()).prepare(HOSTILE[name])
    assert sum(len(error.message) for error in prepared.errors) < 10_000


def test_the_whole_schema_can_be_asked_for() -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    assert codes(query, Limits()) == []


def test_introspection_has_limits_of_its_own() -> None:
    operation, fragments = get_introspection_query().split("fragment FullType", 1)
    body = operation.split("__schema {", 1)[1].rstrip().removesuffix("}")
    twice = "{ a: __schema { ...All } b: __schema { ...All } } fragment All on __Schema {"
    assert codes(f"{twice} {body} fragment FullType {fragments}", Limits()) == ["QUERY_TOO_COSTLY"]
    deep = "{ __schema { types { ofType" + " { ofType" * 30 + " { name }" + " }" * 30 + " } } }"
    assert codes(deep, Limits()) == ["QUERY_TOO_DEEP"]


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Tree") { name } }',
        "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
    ],
)
def test_introspection_can_be_switched_off(text: str) -> None:
    assert codes(text) == []
    assert codes(text, replace(LIMITS, introspection=False)) == ["INTROSPECTION_DISABLED"]


def test_a_type_name_is_no_introspection() -> None:
    assert codes("{ __typename tree { __typename } }", replace(LIMITS, introspection=False)) == []


def test_suggestions_do_not_tell_what_is_hidden() -> None:
    (error,) = documents().prepare("{ nane }").errors
    assert error.message == "Cannot query field 'nane' on type 'Query'."


def test_a_document_is_prepared_once() -> None:
    prepare, info = (found := documents()).prepare, found.info
    first = prepare("{ name }")
    assert prepare("{ name }") is first
    assert prepare("{ nane }").errors
    assert prepare("{ nane }").errors
    assert info()[:3] == (2, 2, 2)


def test_what_is_remembered_is_bounded() -> None:
    found = documents(Limits())
    for number in range(50):
        found.prepare(f"{{ a{number}: name }}" + "#\n" * 4_000)
    assert CACHE_TOKENS - 5_000 < found.info().tokens <= CACHE_TOKENS
    assert found.info().documents == CACHE_TOKENS // 4_132
    newest = "{ name }" + " " * CACHED_CHARACTERS
    found.prepare(newest)
    found.prepare(newest)
    assert found.info().hits == 0, "what is long is made for one occasion"


async def test_the_cache_is_what_executes() -> None:
    schema = Schema(Query, Mutation)
    for _ in range(3):
        await schema.execute("{ name }", root_value=Query())
    assert schema.documents.info().hits == 5
    assert schema.documents.info().misses == 1
