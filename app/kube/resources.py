"""Which kinds a cluster serves and under which names, asked once and remembered.

A custom resource may appear at any moment, so what is not found is looked up again before it is
said to be missing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.errors import ClusterError, ClusterFault
from app.kube import paths

if TYPE_CHECKING:
    from app.kube.client import Answer

_MOST_RESOURCES = 1_000
_MOST_VERSIONS = 500


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of an API version. `plural` is its name in paths."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...]

    def path(self, *, namespace: str | None = None, name: str | None = None) -> str:
        """Where its list is, or one object. The namespace of a kind without is left out."""
        inside = namespace if self.namespaced else None
        return paths.resource(self.api_version, self.plural, namespace=inside, name=name)


class Resources:
    """The kinds of one cluster, by API version."""

    def __init__(self, get: "Callable[[str], Awaitable[Answer]]") -> None:
        self._get = get
        self._known: dict[str, dict[str, Resource]] = {}

    async def find(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind. Raises ClusterError NOT_FOUND if the cluster doesn't serve it."""
        known = self._known.get(api_version, {}).get(kind)
        if known is None:
            known = (await self._read(api_version)).get(kind)
        if known is None:
            raise ClusterError(
                ClusterFault.NOT_FOUND,
                f"The cluster does not serve the kind {kind[:100]} of {api_version}. "
                "Install its custom resource definition, or use another version.",
                status=404,
            )
        return known

    async def _read(self, api_version: str) -> dict[str, Resource]:
        folder = paths.api(api_version)
        try:
            body = (await self._get(folder)).body
        except ClusterError as error:
            self._known.pop(api_version, None)
            if error.fault is ClusterFault.NOT_FOUND:
                return {}
            raise
        listed = body.get("resources")
        found = {}
        for one in (listed if isinstance(listed, list) else [])[:_MOST_RESOURCES]:
            resource = _resource(api_version, one)
            if resource is not None:
                found[resource.kind] = resource
        if len(self._known) >= _MOST_VERSIONS:
            self._known.clear()
        self._known[api_version] = found
        return found


def _resource(api_version: str, one: Any) -> Resource | None:
    """None for what is no resource of its own, as `deployments/scale`."""
    if not isinstance(one, dict):
        return None
    kind, plural, verbs = one.get("kind"), one.get("name"), one.get("verbs")
    if not isinstance(kind, str) or not isinstance(plural, str) or "/" in plural:
        return None
    words = verbs if isinstance(verbs, list) else []
    return Resource(
        api_version=api_version,
        kind=kind,
        plural=plural,
        namespaced=one.get("namespaced") is True,
        verbs=tuple(word for word in words if isinstance(word, str)),
    )
