"""What the API refuses, as the `Status` objects that Kubernetes answers, in its words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.sandbox.resources import Resource


@dataclass(frozen=True)
class Cause:
    """One field that is wrong: `FieldValueInvalid`, `spec.ports[0].port`, what the server says."""

    reason: str
    field: str
    message: str

    def text(self) -> str:
        """As the sentence of the whole error quotes it."""
        return f"{self.field}: {self.message}" if self.field else self.message


class ApiError(Exception):
    """An answer that is no success; `status()` is its body. `reason` "" is left out of it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        resource: Resource | None = None,
        kind: str = "",
        name: str = "",
        causes: Iterable[Cause] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.resource = resource
        self.kind = kind
        self.name = name
        self.causes = tuple(causes)
        self.retry_after = retry_after

    def status(self) -> dict[str, Any]:
        """The `Status` object."""
        details: dict[str, Any] = {}
        if self.name:
            details["name"] = self.name
        if self.resource is not None and self.resource.group:
            details["group"] = self.resource.group
        kind = self.kind or (self.resource.plural if self.resource else "")
        if kind:
            details["kind"] = kind
        if self.causes:
            details["causes"] = [
                {"reason": c.reason, "message": c.message, "field": c.field} for c in self.causes
            ]
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if details:
            body["details"] = details
        body["code"] = self.code
        return body


def not_found(resource: Resource, name: str) -> ApiError:
    """404: no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, resource=resource, name=name)


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, resource=resource, name=name)


MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> ApiError:
    """409: a lost race or a precondition."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, resource=resource, name=name)


def invalid(resource: Resource, name: str, causes: Iterable[Cause]) -> ApiError:
    """422: one sentence of all causes, and each for itself."""
    causes = tuple(causes)
    texts = list(dict.fromkeys(cause.text() for cause in causes))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{resource.qualified_kind} "{name}" is invalid: {listed}'
    return ApiError(
        422, "Invalid", message, resource=resource, kind=resource.kind, name=name, causes=causes
    )


def bad_option(kind: str, cause: Cause) -> ApiError:
    """422: an option of the request that means nothing; `kind` is such as `ListOptions`."""
    message = f'{kind}.meta.k8s.io "" is invalid: {cause.text()}'
    return ApiError(422, "Invalid", message, kind=kind, causes=[cause])


def forbidden(resource: Resource, name: str, why: str, causes: Iterable[Cause] = ()) -> ApiError:
    """403: understood, and refused."""
    named = f'{resource.qualified} "{name}"' if name else resource.qualified
    message = f"{named} is forbidden: {why}"
    return ApiError(403, "Forbidden", message, resource=resource, name=name, causes=causes)


def bad_request(message: str) -> ApiError:
    """400: not to be understood."""
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    """410: the version asked for is no longer (or, after a restart, not) in memory."""
    return ApiError(410, "Expired", message)
