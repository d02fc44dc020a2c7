"""What a client is told of an error, and what the log keeps."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from pydantic import BaseModel, Field
from strawberry.scalars import JSON
from strawberry.types import ExecutionResult
from structlog.testing import capture_logs

from app.domain import errors as domain
from schema.execution import Schema
from schema.masking import MASK, MAX_ERRORS, MAX_LOGGED
from schema.subscribing import Subscription as Begun
from schema.validation import MAX_MESSAGE

SECRET = "the secret of the house"


@dataclass
class Context:
    request_id: str = "r-1"


@strawberry.pydantic.input
class Strict(BaseModel):
    name: str = Field(max_length=3)


@strawberry.input
class Loose:
    number: int = 0
    value: JSON | None = None


@strawberry.input(one_of=True)
class Choice:
    number: strawberry.Maybe[int]
    text: strawberry.Maybe[str]


RAISED: dict[str, Exception] = {
    "unexpected": RuntimeError(SECRET),
    "coded": GraphQLError("As written.", extensions={"code": "OWN", "more": 1}),
    "uncoded": GraphQLError(SECRET),
    "unauthenticated": domain.Unauthenticated(),
    "forbidden": domain.Forbidden("Only the owner may."),
    "missing": domain.NotFound("workflow", path=["id"]),
    "invalid": domain.Invalid.field(["nodes", "2", "data", "image"], "No image.", "IMAGE"),
    "conflict": domain.Conflict("It runs already."),
    "often": domain.RateLimited("Too often.", retry_after=7),
    "large": domain.LimitExceeded("Too large.", limit=9),
    "away": domain.ClusterError(domain.ClusterFault.UNREACHABLE, "Nobody listens."),
    "busy": domain.ClusterError(domain.ClusterFault.THROTTLED, "Too busy.", retry_after=1.2),
}


@strawberry.type
class Item:
    @strawberry.field
    def fails(self) -> str | None:
        raise RuntimeError(SECRET)


@strawberry.type
class Query:
    @strawberry.field
    def fails(self, how: str) -> str | None:
        raise RAISED[how]

    @strawberry.field
    def nothing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def huge(self) -> int | None:
        return 2**40

    @strawberry.field
    def items(self, number: int) -> list[Item]:
        return [Item()] * number

    @strawberry.field
    def strict(self, input: Strict) -> str:
        return input.name

    @strawberry.field
    def loose(self, input: Loose | None = None, number: int = 1) -> int:
        return input.number if input else number

    @strawberry.field
    def choose(self, choice: Choice) -> str:
        return "number" if choice.number else "text"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def refused(self, how: str) -> AsyncGenerator[str, None]:
        raise RAISED[how]

    @strawberry.subscription
    async def items(self) -> AsyncGenerator[Item, None]:
        yield Item()


SCHEMA = Schema(Query, subscription=Subscription)


async def ask(query: str, **variables: Any) -> tuple[Any, list[Any]]:
    """Data, and errors as a client gets them."""
    result = await SCHEMA.execute(query, variable_values=variables, context_value=Context())
    return result.data, [error.formatted for error in result.errors or []]


async def failure(query: str, **variables: Any) -> Any:
    _, (error,) = await ask(query, **variables)
    return error


@pytest.mark.parametrize(
    "query",
    [
        '{ fails(how: "unexpected") }',
        '{ fails(how: "uncoded") }',
        "{ nothing }",
        "{ huge }",
        "{ items(number: 1) { fails } }",
    ],
)
async def test_our_own_mistakes_are_masked_and_logged_under_the_same_id(query: str) -> None:
    with capture_logs() as logs:
        error = await failure(query)
    assert error["message"] == MASK
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "r-1"}
    assert SECRET not in json.dumps(error)
    (line,) = logs
    assert (line["log_level"], line["event"]) == ("error", "unexpected error")
    assert (line["request_id"], line["path"]) == ("r-1", error["path"])
    assert isinstance(line["exc_info"], Exception)


@pytest.mark.parametrize(
    ("how", "message", "extensions"),
    [
        ("coded", "As written.", {"code": "OWN", "more": 1}),
        ("unauthenticated", "Sign in first: send a valid access token.",
         {"code": "UNAUTHENTICATED"}),
        ("forbidden", "Only the owner may.", {"code": "FORBIDDEN"}),
        ("missing", "There is no such workflow.", {"code": "NOT_FOUND", "path": ["id"]}),
        ("invalid", "nodes.2.data.image: No image.",
         {"code": "VALIDATION_FAILED", "path": ["nodes", "2", "data", "image"],
          "errors": [{"path": ["nodes", "2", "data", "image"], "code": "IMAGE",
                      "message": "No image."}]}),
        ("conflict", "It runs already.", {"code": "CONFLICT"}),
        ("often", "Too often.", {"code": "RATE_LIMITED", "retryAfter": 7}),
        ("large", "Too large.", {"code": "LIMIT_EXCEEDED", "limit": 9}),
        ("away", "Nobody listens.", {"code": "CLUSTER_UNREACHABLE", "fault": "UNREACHABLE"}),
        ("busy", "Too busy.",
         {"code": "CLUSTER_UNREACHABLE", "fault": "THROTTLED", "retryAfter": 2}),
    ],
)  # fmt: skip
async def test_expected_failures_keep_their_words(
    how: str, message: str, extensions: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        error = await failure("query ($how: String!) { fails(how: $how) }", how=how)
    assert (error["message"], error["extensions"]) == (message, extensions)
    assert error["path"] == ["fails"]
    assert logs == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ fails", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ unknown }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { loose(number: $n) }", {}, "BAD_USER_INPUT"),
        ("query ($n: Int!) { loose(number: $n) }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query ($n: Int!) { loose(number: $n) }", {"n": 2**40}, "BAD_USER_INPUT"),
        ("query ($n: Int) { loose(number: $n) }", {"n": None}, "BAD_USER_INPUT"),
        ("query ($c: Choice!) { choose(choice: $c) }", {"c": {}}, "BAD_USER_INPUT"),
        ("query ($c: Choice!) { choose(choice: $c) }", {"c": {"number": None}}, "BAD_USER_INPUT"),
        ("query ($c: Choice!) { choose(choice: $c) }", {"c": {"number": 1, "text": "a"}},
         "BAD_USER_INPUT"),
        ("{ choose(choice: {number: 1, text: \"a\"}) }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int) { choose(choice: {number: $n}) }", {}, "BAD_USER_INPUT"),
        ("query ($n: Int) { choose(choice: {number: $n}) }", {"n": None}, "BAD_USER_INPUT"),
        ("{ choose(choice: {number: $n}) }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ strict(input: {name: \"long\"}) }", {}, "VALIDATION_FAILED"),
    ],
)  # fmt: skip
async def test_a_clients_mistakes_are_told_and_not_logged(
    query: str, variables: dict[str, Any], code: str
) -> None:
    with capture_logs() as logs:
        error = await failure(query, **variables)
    assert error["extensions"]["code"] == code
    assert error["message"] != MASK
    assert logs == []


@pytest.mark.parametrize("first", ["fragment", "query"])
async def test_a_one_of_in_a_fragment_takes_the_operations_variable(first: str) -> None:
    parts = {
        "fragment": "fragment F on Query { choose(choice: {number: $n}) }",
        "query": "query ($n: Int!) { ...F }",
    }
    query = f"{parts.pop(first)} {' '.join(parts.values())}"
    assert await ask(query, n=1) == ({"choose": "number"}, [])


async def test_a_value_is_not_sent_back_at_length() -> None:
    long = "x" * 1_000_000
    for variables in ({"i": long}, {"i": {"number": long}}, {"i": {long: 1}}):
        _, errors = await ask("query ($i: Loose) { loose(input: $i) }", **variables)
        assert errors
        assert all(len(error["message"]) <= MAX_MESSAGE for error in errors)


async def test_the_number_of_errors_is_bounded() -> None:
    with capture_logs() as logs:
        _, errors = await ask("{ items(number: 200) { fails } }")
    assert len(errors) == MAX_ERRORS + 1
    assert errors[-1]["message"] == "There are 150 more errors."
    assert [line["event"] for line in logs] == ["unexpected error"] * MAX_LOGGED + [
        "more unexpected errors"
    ]
    unknown = {f"k{number}": 1 for number in range(10_000)}
    _, errors = await ask("query ($i: Loose) { loose(input: $i) }", i=unknown)
    assert len(errors) < 20


async def test_suggestions_do_not_tell_what_is_hidden() -> None:
    error = await failure("query ($i: Loose) { loose(input: $i) }", i={"nunber": 1})
    assert "number" not in error["message"].replace("nunber", "")


async def test_what_keeps_a_stream_from_beginning_is_masked() -> None:
    for how in ("unexpected", "forbidden"):
        with capture_logs() as logs:
            begun = await SCHEMA.begin(
                "subscription ($how: String!) { refused(how: $how) }",
                variables={"how": how},
                context=Context(),
                operation_name=None,
            )
        assert isinstance(begun, ExecutionResult)
        (error,) = [each.formatted for each in begun.errors or []]
        assert SECRET not in json.dumps(error)
        expected = how == "forbidden"
        assert error["extensions"]["code"] == ("FORBIDDEN" if expected else "INTERNAL")
        assert len(logs) == (0 if expected else 1)


async def test_what_goes_wrong_in_an_event_is_masked() -> None:
    context = Context()
    begun = await SCHEMA.begin(
        "subscription { items { fails } }", variables=None, context=context, operation_name=None
    )
    assert isinstance(begun, Begun)
    async with aclosing(begun.source) as events:
        result = await begun.execute(await anext(events), context)
    with capture_logs() as logs:
        told = SCHEMA.told(ExecutionResult(result.data, result.errors), context, None)
    (error,) = [each.formatted for each in told.errors or []]
    assert (error["message"], error["path"]) == (MASK, ["items", "fails"])
    assert len(logs) == 1


async def test_a_stream_of_a_broken_document_is_one_error() -> None:
    begun = await SCHEMA.begin(
        "subscription {", variables=None, context=Context(), operation_name=None
    )
    assert isinstance(begun, ExecutionResult)
    codes = [error.extensions for error in begun.errors or []]
    assert codes == [{"code": "GRAPHQL_PARSE_FAILED"}]


def test_synchronous_execution_is_under_the_same_rules() -> None:
    assert SCHEMA.execute_sync("{ loose }").data == {"loose": 1}
    (error,) = SCHEMA.execute_sync("{ unknown }").errors or []
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
