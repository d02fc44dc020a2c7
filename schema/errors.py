"""Expected failures as GraphQL data. `HANDLERS` is the only translation.

A mutation's result union names the failures that can happen to it. Anything else that the domain
raises, and every failure of a query, becomes a top-level error with the same code.
"""

import enum
import math
from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from strawberry.pydantic import InputValidationError
from strawberry.schema.exception_handlers import ExceptionHandler

from app.domain import deploying
from app.domain import errors as domain
from app.domain.node import NodeType
from app.domain.workflow import Workflow
from schema.deployment.plans import MissingKeysType
from schema.workflow.types import ProblemType, WorkflowType


@strawberry.enum(description="What went wrong, in one word that programs can rely on.")
class ErrorCode(enum.StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    CONFLICT = "CONFLICT"
    REVISION_CONFLICT = "REVISION_CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    CLUSTER_UNREACHABLE = "CLUSTER_UNREACHABLE"
    DEPLOY_REFUSED = "DEPLOY_REFUSED"


@strawberry.interface(description="A failure that the caller can understand and act on.")
class UserError:
    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people: what is wrong and what to do.")
    path: list[str] | None = strawberry.field(
        default=None, description="The input field at fault, from the input down."
    )


@strawberry.type(description="Nobody is signed in, or the token is no longer good.")
class Unauthenticated(UserError):
    pass


@strawberry.type(description="The e-mail, password or token is wrong.")
class InvalidCredentials(UserError):
    pass


@strawberry.type(description="The caller sees the object but may not do this to it.")
class Forbidden(UserError):
    pass


@strawberry.type(description="There is no such object, or the caller may not know of it.")
class NotFound(UserError):
    pass


@strawberry.type(description="One rule that the input breaks.")
class FieldError:
    path: list[str] = strawberry.field(description="From the input down; list indexes as text.")
    code: str = strawberry.field(description="Which kind of rule, such as `EDGE_DANGLING`.")
    message: str = strawberry.field(description="What is wrong, and what is allowed.")


@strawberry.type(description="The input breaks rules. Nothing was saved.")
class ValidationError(UserError):
    errors: list[FieldError] = strawberry.field(
        default_factory=list, description="Every broken rule; `path` above is the first one's."
    )


@strawberry.type(description="The state of things does not admit this.")
class Conflict(UserError):
    pass


@strawberry.type(description="Somebody else changed the workflow first. Nothing was saved.")
class RevisionConflict(UserError):
    expected: int = strawberry.field(description="The revision that the change was made for.")
    workflow: Workflow = strawberry.field(
        graphql_type=WorkflowType, description="The workflow as it is now, to merge with."
    )


@strawberry.type(description="Too often.")
class RateLimited(UserError):
    retry_after: int = strawberry.field(description="Seconds until it is worth trying again.")


@strawberry.type(description="Too many or too large.")
class LimitExceeded(UserError):
    limit: int = strawberry.field(description="The limit that was exceeded.")


strawberry.enum(domain.ClusterFault, description=domain.ClusterFault.__doc__)


@strawberry.type(description="The cluster could not be asked, or it refused.")
class ClusterUnreachable(UserError):
    fault: domain.ClusterFault = strawberry.field(description="Which failure it was.")
    retry_after: int | None = strawberry.field(
        description="Seconds until it is worth trying again, when the cluster said so."
    )


@strawberry.type(
    description="The canvas or the cluster does not admit the deploy. Nothing was changed."
)
class DeployRefused(UserError):
    problems: list[ProblemType] = strawberry.field(
        description="Everything that stands in the way, each with what to do about it."
    )
    missing_secret_keys: list[MissingKeysType] = strawberry.field(
        description="Secret values to send along."
    )


def _path(location: Sequence[str]) -> list[str]:
    """Where the client finds the field: without the argument, and without the kind of `data`.

    `input.nodes.2.data.deployment.image` is read back as `nodes.2.data.image`.
    """
    path = list(location)
    if path[:1] == ["input"]:
        path = path[1:]
    if "data" in path:
        kind = path.index("data") + 1
        if path[kind : kind + 1] and path[kind] in _KINDS:
            del path[kind]
    return path


_MOST_PROBLEMS = 100
"""Problems that are told at once: nobody reads more."""
_KINDS = frozenset(kind.value for kind in NodeType)


def _invalid_input(error: InputValidationError) -> ValidationError:
    """A broken rule of an input type itself, found before the service was called."""
    return _validation(
        domain.Invalid(
            [
                domain.FieldProblem(tuple(_path(e.location)), e.message, e.type.upper())
                for e in error.errors[:_MOST_PROBLEMS]
            ]
        )
    )


def _validation(error: domain.Invalid) -> ValidationError:
    return ValidationError(
        code=ErrorCode.VALIDATION_FAILED,
        message=error.message,
        path=error.path,
        errors=[
            FieldError(path=list(p.path), code=p.code, message=p.message) for p in error.problems
        ],
    )


def _plain(
    type_: type[UserError], code: ErrorCode, **more: Callable[[Any], Any]
) -> Callable[[Any], UserError]:
    """A translation that copies message and path, and the fields that `more` reads."""

    def build(error: domain.DomainError) -> UserError:
        extra = {name: read(error) for name, read in more.items()}
        return type_(code=code, message=error.message, path=error.path, **extra)

    return build


_TABLE: dict[type[Exception], tuple[type[UserError], Callable[[Any], UserError]]] = {
    domain.Unauthenticated: (Unauthenticated, _plain(Unauthenticated, ErrorCode.UNAUTHENTICATED)),
    domain.InvalidCredentials: (
        InvalidCredentials,
        _plain(InvalidCredentials, ErrorCode.INVALID_CREDENTIALS),
    ),
    domain.NotFound: (NotFound, _plain(NotFound, ErrorCode.NOT_FOUND)),
    domain.Forbidden: (Forbidden, _plain(Forbidden, ErrorCode.FORBIDDEN)),
    domain.Invalid: (ValidationError, _validation),
    InputValidationError: (ValidationError, _invalid_input),
    domain.RevisionConflict: (
        RevisionConflict,
        _plain(
            RevisionConflict,
            ErrorCode.REVISION_CONFLICT,
            expected=lambda e: e.expected,
            workflow=lambda e: e.current,
        ),
    ),
    domain.Conflict: (Conflict, _plain(Conflict, ErrorCode.CONFLICT)),
    domain.RateLimited: (
        RateLimited,
        _plain(RateLimited, ErrorCode.RATE_LIMITED, retry_after=lambda e: e.retry_after),
    ),
    domain.LimitExceeded: (
        LimitExceeded,
        _plain(LimitExceeded, ErrorCode.LIMIT_EXCEEDED, limit=lambda e: e.limit),
    ),
    domain.ClusterError: (
        ClusterUnreachable,
        _plain(
            ClusterUnreachable,
            ErrorCode.CLUSTER_UNREACHABLE,
            fault=lambda e: e.fault,
            retry_after=lambda e: None if e.retry_after is None else math.ceil(e.retry_after),
        ),
    ),
    deploying.DeployRefused: (
        DeployRefused,
        _plain(
            DeployRefused,
            ErrorCode.DEPLOY_REFUSED,
            problems=lambda e: [ProblemType.of(problem) for problem in e.problems],
            missing_secret_keys=lambda e: [MissingKeysType.of(missing) for missing in e.missing],
        ),
    ),
}
"""Exception -> GraphQL type. The first that fits wins, so a subclass stands before its base."""


class _Handler(ExceptionHandler):  # type: ignore[type-arg]
    def __init__(self, exception: type[Exception]) -> None:
        self.exception_type = exception
        self.error_type, self._build = _TABLE[exception]

    def handle(self, exception: Exception, **_: Any) -> UserError:
        return self._build(exception)


HANDLERS = tuple(_Handler(exception) for exception in _TABLE)
"""For `strawberry.Schema`: each applies to the fields whose union names its error type."""


def as_user_error(error: BaseException | None) -> UserError | None:
    """The GraphQL view of an expected failure; None when it is not one."""
    for exception, (_, build) in _TABLE.items():
        if isinstance(error, exception):
            return build(error)
    return None
