"""Expected failures, as nouns with data. Each border translates them once.

DomainError
├── Unauthenticated      nobody is signed in
├── InvalidCredentials   the e-mail, password or token is wrong
├── NotFound             no such object, or not for this caller
├── Forbidden            seen, but not allowed; says why
├── Invalid              input that breaks rules; one FieldProblem per rule broken
├── Conflict             the state of things does not admit this
│   └── RevisionConflict somebody else changed the workflow first
├── RateLimited          too often; says when to try again
├── LimitExceeded        too many or too large; says the limit
└── ClusterError         a cluster could not be asked, or refused; says which fault
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.workflow import Workflow


class DomainError(Exception):
    """A failure that the caller can understand and act on.

    `message` is a sentence for people; `path` names the input field at fault, from the input down.
    """

    def __init__(self, message: str, *, path: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = list(path) if path is not None else None


class Unauthenticated(DomainError):
    """Nobody is signed in."""

    def __init__(self, message: str = "Sign in first: send a valid access token.") -> None:
        super().__init__(message)


class InvalidCredentials(DomainError):
    """The e-mail, password or token is wrong; which of them is not said."""


class NotFound(DomainError):
    """There is no such object, or the caller may not know of it."""

    def __init__(self, kind: str, *, path: Sequence[str] | None = None) -> None:
        super().__init__(f"There is no such {kind}.", path=path)
        self.kind = kind


class Forbidden(DomainError):
    """The caller sees the object but may not do this to it."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One broken rule. `path` leads from the input to the field, list indexes as text."""

    path: tuple[str, ...]
    message: str
    code: str = "INVALID"


class Invalid(DomainError):
    """Input that breaks rules; all of them, not only the first."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        first, more = problems[0], len(problems) - 1
        where = ".".join(first.path)
        text = f"{where}: {first.message}" if where else first.message
        super().__init__(f"{text} (and {more} more)" if more else text, path=first.path)
        self.problems = list(problems)

    @classmethod
    def field(cls, path: Sequence[str], message: str, code: str = "INVALID") -> Invalid:
        """One broken rule at one field."""
        return cls([FieldProblem(tuple(path), message, code)])


class Conflict(DomainError):
    """The state of things does not admit this."""


class RevisionConflict(Conflict):
    """Somebody else changed the workflow first; carries it as it is now, to merge with."""

    def __init__(self, *, expected: int, current: Workflow) -> None:
        super().__init__(
            f"The workflow is at revision {current.revision}, the change was made for revision "
            f"{expected}. Merge it with the current workflow and send it again.",
            path=["expectedRevision"],
        )
        self.expected = expected
        self.current = current


class RateLimited(DomainError):
    """Too often. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LimitExceeded(DomainError):
    """Too many or too large. `limit` is the number that was exceeded."""

    def __init__(self, message: str, *, limit: int, path: Sequence[str] | None = None) -> None:
        super().__init__(message, path=path)
        self.limit = limit


class ClusterFault(enum.StrEnum):
    """What went wrong between us and a cluster."""

    ADDRESS_FORBIDDEN = "address_forbidden"
    """The policy of this server does not let it dial the address."""
    NAME_NOT_FOUND = "name_not_found"
    """The host's name does not resolve."""
    UNREACHABLE = "unreachable"
    """Nobody answers there, or the connection was cut."""
    TIMED_OUT = "timed_out"
    TLS_FAILED = "tls_failed"
    """The server's certificate is not trusted, has expired, or is for another host."""
    NOT_KUBERNETES = "not_kubernetes"
    """Something answers, and it is no Kubernetes API."""
    UNAUTHORIZED = "unauthorized"
    """The cluster does not accept the credentials."""
    SIGN_IN_AGAIN = "sign_in_again"
    """The identity provider does not renew the session any more."""
    UNREADABLE = "unreadable"
    """The stored credentials cannot be opened with the keys that this server has."""
    FORBIDDEN = "forbidden"
    """The credentials are good, but RBAC does not allow it."""
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """Somebody else owns or has changed the object."""
    INVALID = "invalid"
    """The cluster refuses the object."""
    GONE = "gone"
    """The version asked for is older than what the cluster remembers: list again."""
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    """The cluster answers that it cannot answer now."""


@dataclass(frozen=True, slots=True)
class StatusCause:
    """One cause of a refusal, as Kubernetes words it. `field` is a path in the object."""

    reason: str
    message: str
    field: str | None = None


class ClusterError(DomainError):
    """A cluster could not be asked, or it refused.

    `message` tells people what to do and holds no secret. `status` is the HTTP status, when there
    was an answer; `retry_after` is in seconds, when the cluster said so.
    """

    def __init__(
        self,
        fault: ClusterFault,
        message: str,
        *,
        status: int | None = None,
        causes: Sequence[StatusCause] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.status = status
        self.causes = list(causes)
        self.retry_after = retry_after
