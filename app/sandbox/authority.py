"""Who a bearer token is, and what it may do: whole tokens that can be taken away while running.

No roles: a token may do everything, or what a short list of (verb, resource) says.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from app.sandbox.errors import ApiError
from app.sandbox.resources import Resource

ADMIN = "sandbox-admin"

Rule = tuple[str, str]
"""A verb and a plural (`pods`, `pods/log`, `deployments`); `*` is any."""


@dataclass(frozen=True)
class Identity:
    """Somebody who came in. `allowed` None is everything."""

    user: str
    groups: tuple[str, ...] = ("system:authenticated",)
    allowed: frozenset[Rule] | None = None

    def may(self, verb: str, plural: str) -> bool:
        """Whether a rule allows it; `plural` is with its subresource."""
        if self.allowed is None:
            return True
        return any((v, p) in self.allowed for v in (verb, "*") for p in (plural, "*"))


class Authority:
    """The tokens that are good at this moment; only their digests are kept."""

    def __init__(self, token: str) -> None:
        self._known: dict[bytes, Identity] = {}
        self.grant(token, ADMIN, groups=("system:masters", "system:authenticated"))

    def grant(
        self,
        token: str,
        user: str,
        allowed: Iterable[Rule] | None = None,
        *,
        groups: tuple[str, ...] = ("system:authenticated",),
    ) -> None:
        """Let a token in, or change what it may do."""
        rules = None if allowed is None else frozenset(allowed)
        self._known[_digest(token)] = Identity(user, groups, rules)

    def revoke(self, token: str) -> None:
        """Refuse a token from now on."""
        self._known.pop(_digest(token), None)

    def known(self, token: str) -> Identity | None:
        """Whose token it is."""
        return self._known.get(_digest(token))

    def identify(self, header: str | None) -> Identity:
        """Who sent this `Authorization` header; 401 when nobody that is known."""
        scheme, _, token = (header or "").partition(" ")
        found = self.known(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return found


def denied(
    identity: Identity,
    verb: str,
    resource: Resource,
    *,
    subresource: str,
    namespace: str,
    name: str,
) -> ApiError:
    """403, in the words of the API server's authorizer."""
    plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
    named = f'{resource.qualified} "{name}"' if name else resource.qualified
    scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{named} is forbidden: User "{identity.user}" cannot {verb} resource "{plural}" '
        f'in API group "{resource.group}" {scope}'
    )
    return ApiError(403, "Forbidden", message, resource=resource, name=name)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
