"""GraphQL over HTTP: which media type, which status, which bytes.

`STATUS` is the only place that decides numbers. AUDIT is what the `graphql-http` audit expects;
DRAFT is the specification's draft of 2026, where a request that was understood but cannot be
processed is 422 and an answer beside errors 294.
"""

import enum
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from graphql import GraphQLError
from starlette.responses import Response
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.settings import SpecMode
from schema.masking import internal


class Media(enum.StrEnum):
    """What we can answer with. A client that does not choose gets JSON."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENTS = "text/event-stream"


class Outcome(enum.Enum):
    """How a request ended."""

    DONE = enum.auto()
    PARTIAL = enum.auto()
    """Executed, and something went wrong on the way."""
    REFUSED = enum.auto()
    """Understood, but not executed: validation, limits, operation name, variables."""
    UNPARSABLE = enum.auto()
    """The document is not GraphQL."""
    MALFORMED = enum.auto()
    """JSON, but not a GraphQL request."""
    UNREADABLE = enum.auto()
    """Not JSON."""
    WRONG_METHOD = enum.auto()
    WRONG_TYPE = enum.auto()
    NOT_ACCEPTABLE = enum.auto()
    TOO_MANY = enum.auto()
    FORBIDDEN = enum.auto()
    TIMEOUT = enum.auto()
    STOPPING = enum.auto()
    BROKEN = enum.auto()
    """Our own mistake, outside of any field."""


_ALWAYS: Final = {
    Outcome.DONE: 200,
    Outcome.UNPARSABLE: 400,
    Outcome.UNREADABLE: 400,
    Outcome.WRONG_METHOD: 405,
    Outcome.WRONG_TYPE: 415,
    Outcome.NOT_ACCEPTABLE: 406,
    Outcome.TOO_MANY: 429,
    Outcome.FORBIDDEN: 403,
    Outcome.TIMEOUT: 504,
    Outcome.BROKEN: 500,
    Outcome.STOPPING: 503,
}

STATUS: Final[Mapping[SpecMode, Mapping[Outcome, int]]] = {
    SpecMode.AUDIT: {
        **_ALWAYS,
        Outcome.PARTIAL: 200,
        Outcome.REFUSED: 400,
        Outcome.MALFORMED: 400,
    },
    SpecMode.DRAFT: {
        **_ALWAYS,
        Outcome.PARTIAL: 294,
        Outcome.REFUSED: 422,
        Outcome.MALFORMED: 422,
    },
}

_BY_CODE: Final = {
    "GRAPHQL_PARSE_FAILED": Outcome.UNPARSABLE,
    "TIMEOUT": Outcome.TIMEOUT,
    "INTERNAL": Outcome.BROKEN,
}

_GRAPHQL_FAILURES: Final = {Outcome.REFUSED, Outcome.UNPARSABLE, Outcome.TIMEOUT}
"""What clients that only know `application/json` are told with status 200, as they always were."""


def outcome_of(result: ExecutionResult) -> Outcome:
    """How the execution ended."""
    if not result.errors:
        return Outcome.DONE
    codes = {(error.extensions or {}).get("code") for error in result.errors}
    if result.data is not None or any(error.path for error in result.errors):
        return Outcome.PARTIAL
    return next((_BY_CODE[code] for code in codes if code in _BY_CODE), Outcome.REFUSED)


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """The response as the specification writes it: no `data` when nothing was executed."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if outcome_of(result) in {Outcome.DONE, Outcome.PARTIAL}:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


class Reply:
    """A result as it is sent, to any number of clients. `told_at` is when its event was written."""

    __slots__ = ("_text", "body", "errors", "outcome", "told_at")

    def __init__(self, result: ExecutionResult, told_at: datetime | None = None) -> None:
        body = body_of(result)
        self.outcome = outcome_of(result)
        self.body = encode(body)
        self.errors: list[Any] = body.get("errors", [])
        self.told_at = told_at
        self._text: str | None = None

    @property
    def ran(self) -> bool:
        """Whether it came as far as its data."""
        return self.outcome in {Outcome.DONE, Outcome.PARTIAL}

    @property
    def text(self) -> str:
        """The body, for text frames."""
        if self._text is None:
            self._text = self.body.decode()
        return self._text


def respond(result: ExecutionResult, media: Media, mode: SpecMode) -> Response:
    """The answer to a request that came as far as its document."""
    outcome = outcome_of(result)
    status = STATUS[mode][outcome]
    if media is Media.JSON:
        if mode is SpecMode.AUDIT and outcome in _GRAPHQL_FAILURES:
            status = 200
        elif mode is SpecMode.DRAFT and status >= 300:
            media = Media.GRAPHQL
    return _response(encode(body_of(result)), status, media)


class Refusal(Exception):
    """A request that does not come as far as being executed; answered in GraphQL's shape."""

    def __init__(self, outcome: Outcome, code: str, message: str, *, allow: str = "") -> None:
        super().__init__(code, message)
        self.message = message
        self._outcome = outcome
        self._code = code
        self._headers = {"allow": allow} if allow else {}

    def response(self, mode: SpecMode) -> Response:
        """The answer."""
        body = encode(body_of(refused(self.message, self._code)))
        return _response(body, STATUS[mode][self._outcome], Media.JSON, self._headers)


def failure(*errors: GraphQLError) -> ExecutionResult:
    """A result that was never executed."""
    return PreExecutionError(data=None, errors=list(errors))


def refused(message: str, code: str) -> ExecutionResult:
    """A result that was never executed, for one reason."""
    return failure(GraphQLError(message, extensions={"code": code}))


def masked(request_id: str) -> ExecutionResult:
    """A result that failed for a reason of ours, which the log has."""
    return failure(internal(request_id))


def encode(value: object) -> bytes:
    """JSON in one line. What orjson does not take (integers of more than 64 bits) takes longer."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=str, separators=(",", ":")).encode()


class Accepted(NamedTuple):
    """What an Accept header admits of ours: the best of it, and whether event streams."""

    media: Media | None
    events: bool


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Accepted:
    """What the client wants; event streams only when it names them."""
    weights: dict[str, float] = {}
    for item in accept.lower().split(",")[:32]:
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = _weight(parameters)
    anything = max(weights.get(name, 0.0) for name in ("*/*", "application/*", ""))
    wishes = {
        Media.GRAPHQL: weights.get(Media.GRAPHQL, 0.0),
        Media.JSON: weights.get(Media.JSON, anything),
        Media.EVENTS: weights.get(Media.EVENTS, 0.0),
    }
    best = max(wishes, key=lambda media: wishes[media])
    return Accepted(best if wishes[best] > 0 else None, wishes[Media.EVENTS] > 0)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(float(parameter[2:]), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _response(
    body: bytes, status: int, media: Media, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        body,
        status,
        {
            "content-type": f"{media}; charset=utf-8",
            "cache-control": "no-store",
            "vary": "accept",
            **(headers or {}),
        },
    )
