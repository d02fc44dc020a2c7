"""Paths of the Kubernetes API. Every part is checked, because a name can lead elsewhere.

`x/../../secrets/y` as a name would be another object's path, and `x?force=true` a parameter; URL
libraries undo what quoting hides (`%2e%2e`), so such names are refused instead.
"""

import re

from app.domain.errors import Invalid

_PART = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._:]{0,251}[A-Za-z0-9:])?")
_GROUP_VERSION = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?v[0-9][a-z0-9]{0,20}")


def api(api_version: str) -> str:
    """The folder of an API version: `/api/v1`, `/apis/apps/v1`. Raises Invalid."""
    if not _GROUP_VERSION.fullmatch(api_version) or ".." in api_version:
        raise Invalid.field(("apiVersion",), "This is no API version such as 'apps/v1'.")
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def resource(
    api_version: str,
    plural: str,
    *,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str | None = None,
) -> str:
    """The path of a list, or with `name` of one object. Raises Invalid for a part that is none."""
    parts = [api(api_version)]
    if namespace is not None:
        parts += ["namespaces", _checked("namespace", namespace)]
    parts.append(_checked("resource", plural))
    if name is not None:
        parts.append(_checked("name", name))
        if subresource is not None:
            parts.append(_checked("subresource", subresource))
    return "/".join(parts)


def _checked(what: str, part: str) -> str:
    if not _PART.fullmatch(part):
        raise Invalid.field((what,), f"This cannot be the {what} of a Kubernetes object.")
    return part
