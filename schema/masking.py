"""What a client is told of an error, and what the log keeps.

Expected failures keep their words and get their code. Everything else is our own mistake: the
client gets a request id, and the log everything that happened, under the same id.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import structlog
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult, StreamExecutionResult

from schema.errors import (
    ClusterUnreachable,
    LimitExceeded,
    RateLimited,
    RevisionConflict,
    UserError,
    ValidationError,
    as_user_error,
)
from schema.validation import shortened, without_value

MASK: Final = "Something went wrong on our side. Report it with the request id."

MAX_ERRORS: Final = 50
"""Errors in one answer."""

MAX_LOGGED: Final = 5
"""Tracebacks of one answer: a list may fail in the same way for every item."""

log = structlog.get_logger("kubeorch.graphql")


def presentable(errors: Sequence[GraphQLError], request_id: str) -> list[GraphQLError]:
    """The errors as a client may see them, each with a code; those that have one stay as they are.

    At most MAX_ERRORS; a last one says how many more there were.
    """
    shown = [_present(error, request_id) for error in errors[:MAX_ERRORS]]
    if len(errors) > MAX_ERRORS:
        shown.append(
            GraphQLError(
                f"There are {len(errors) - MAX_ERRORS} more errors.",
                extensions={"code": "TOO_MANY_ERRORS"},
            )
        )
    return shown


def internal(request_id: str) -> GraphQLError:
    """What a client is told of an error that is ours."""
    return GraphQLError(MASK, extensions={"code": "INTERNAL", "requestId": request_id})


def log_unexpected(errors: Sequence[GraphQLError], request_id: str, operation: str | None) -> None:
    """Log in full what nobody expected."""
    unexpected = [error for error in errors if _expected(error) is None]
    for error in unexpected[:MAX_LOGGED]:
        log.error(
            "unexpected error",
            request_id=request_id,
            operation=operation,
            path=error.path,
            # Never the GraphQLError itself: its text is the client's whole document.
            exc_info=error.original_error or RuntimeError(error.message),
        )
    if len(unexpected) > MAX_LOGGED:
        log.error(
            "more unexpected errors", request_id=request_id, number=len(unexpected) - MAX_LOGGED
        )


class Masking(SchemaExtension):
    """Makes errors presentable, in results and in every event of a stream.

    The context has a `request_id`. All hooks are synchronous: an asynchronous one costs a task
    switch for each, and a hook per field many times that.
    """

    def on_operation(self) -> Iterator[None]:
        """A result, when it is complete."""
        yield
        self._mask(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """An event, before it is sent."""
        self._mask(result)
        yield

    def _mask(self, result: object) -> None:
        if isinstance(result, ExecutionResult | CoreResult) and result.errors:
            result.errors = presentable(result.errors, request_id(self.execution_context.context))


def request_id(context: object) -> str:
    """The id that a client and the log know the operation by."""
    return str(getattr(context, "request_id", ""))


def _present(error: GraphQLError, request_id: str) -> GraphQLError:
    if error.original_error is None and _coded(error):
        return error
    message, extensions = _expected(error) or (MASK, {"code": "INTERNAL", "requestId": request_id})
    return GraphQLError(
        shortened(message),
        error.nodes,
        error.source,
        error.positions,
        error.path,
        extensions=extensions,
    )


def _coded(error: GraphQLError) -> dict[str, Any] | None:
    extensions: dict[str, Any] = error.extensions or {}
    return extensions if "code" in extensions else None


def _expected(error: GraphQLError) -> tuple[str, dict[str, Any]] | None:
    """What to say of an error that is the client's to understand; None when it is ours."""
    if extensions := _coded(error):
        return error.message, extensions
    cause = error.original_error
    told = as_user_error(cause)
    if told is not None:
        return told.message, _details(told)
    if isinstance(error, GraphQLSyntaxError):
        return error.message, {"code": "GRAPHQL_PARSE_FAILED"}
    before_execution = error.path is None and (cause is None or error.nodes is not None)
    # The library points at the argument of a field; an error of our own points at nothing.
    in_an_argument = isinstance(cause, GraphQLError) and cause.nodes is not None
    if before_execution or in_an_argument:
        return _without_value(error.message)
    return None


_AT: Final = re.compile(r"^Variable '\$\w+' has invalid value at (?P<path>[\w.\[\]]+):")


def _without_value(message: str) -> tuple[str, dict[str, Any]]:
    """What is wrong with a variable, and where, but not its value: it may hold a password."""
    extensions: dict[str, Any] = {"code": "BAD_USER_INPUT"}
    if at := _AT.match(message):
        extensions["path"] = re.findall(r"\w+", at["path"])
    return without_value(message), extensions


def _details(told: UserError) -> dict[str, Any]:
    details: dict[str, Any] = {"code": told.code.value}
    if told.path is not None:
        details["path"] = told.path
    match told:
        case ValidationError(errors=problems):
            details["errors"] = [
                {"path": each.path, "code": each.code, "message": shortened(each.message)}
                for each in problems[:MAX_ERRORS]
            ]
        case RevisionConflict(expected=expected):
            details["expected"] = expected
        case RateLimited(retry_after=seconds):
            details["retryAfter"] = seconds
        case LimitExceeded(limit=limit):
            details["limit"] = limit
        case ClusterUnreachable(fault=fault, retry_after=seconds):
            details["fault"] = fault.name
            if seconds is not None:
                details["retryAfter"] = seconds
    return details
