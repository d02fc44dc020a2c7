"""What a request asks: the path's meaning, the options in its query, its body."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from app.sandbox import schemas
from app.sandbox.admission.causes import too_long, unsupported
from app.sandbox.authority import Identity
from app.sandbox.cluster import Cluster
from app.sandbox.errors import bad_option, bad_request
from app.sandbox.resources import Registry, Resource
from app.sandbox.web import body

COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
OBJECT_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True)
class Target:
    """What a path names. `namespace` and `name` are "" where it names none."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


def target(path: str, registry: Registry) -> Target | None:
    """The meaning of `/api/v1/…` or `/apis/<group>/<version>/…`; None: no such resource."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, parts = "", *parts[1:2], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    own = len(parts) > 2 and parts[2] in _NAMESPACE_SUBRESOURCES and not group
    if len(parts) > 2 and parts[0] == "namespaces" and not own:
        namespace, parts = parts[1], parts[2:]
    if not parts or len(parts) > 3 or not all(parts):
        return None
    resource = registry.by_path(group, version, parts[0])
    if resource is None or (namespace and not resource.namespaced):
        return None
    name, subresource = (*parts[1:], "", "")[:2]
    if name and resource.namespaced and not namespace:
        return None
    if subresource and subresource not in resource.subresources:
        return None
    return Target(resource, namespace, name, subresource)


@dataclass
class Call:
    """A request to a resource, by somebody who may make it."""

    cluster: Cluster
    identity: Identity
    request: Request
    target: Target
    warnings: list[str] = field(default_factory=list)
    created: bool = False
    """Whether a PATCH made an object that was not there."""

    @property
    def resource(self) -> Resource:
        """The resource that the path names."""
        return self.target.resource

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters."""
        return self.request.query_params

    @property
    def schema(self) -> schemas.TypeSchema:
        """The type of the resource's objects."""
        return schema_of(self.resource)

    def flag(self, name: str) -> bool:
        """A boolean of the query, as Go reads it; `?watch` alone is true."""
        text = self.query.get(name)
        return text is not None and text.lower() not in ("0", "f", "false")

    def number(self, name: str) -> int | None:
        """A whole number of the query, 400 when it is none."""
        text = self.query.get(name)
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise bad_request(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
        return int(text)

    def version(self, text: str | None) -> int:
        """A resourceVersion of the query, 400 when it cannot be one; none is 0."""
        if not text:
            return 0
        if not re.fullmatch(r"[0-9]{1,20}", text):
            shown = text[:40]
            raise bad_request(f'Invalid value: "{shown}": strconv.ParseUint: invalid syntax')
        return int(text)

    @property
    def dry_run(self) -> bool:
        """`dryRun=All`."""
        return dry_run(self.query.get("dryRun"))

    @property
    def validation(self) -> str:
        """`Strict`, `Warn` or `Ignore`: what happens to unknown fields."""
        text = self.query.get("fieldValidation") or "Warn"
        if text not in ("Strict", "Warn", "Ignore"):
            known = ("Ignore", "Strict", "Warn")
            raise bad_option(self._options, unsupported("fieldValidation", text[:40], known))
        return text

    @property
    def agent(self) -> str:
        """Who manages what this request writes: `fieldManager`, or the program that asks."""
        given = self.query.get("fieldManager")
        if given and len(given) > 128:
            raise bad_option(self._options, too_long("fieldManager", 128))
        return given or self.request.headers.get("user-agent", "").split("/")[0][:128] or "unknown"

    @property
    def _options(self) -> str:
        """What the options of such a request are called."""
        kinds = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
        return kinds.get(self.request.method, "DeleteOptions")

    async def body(self) -> Any:
        """The body's JSON or YAML; None when there is none."""
        return await body.read(self.request)


def dry_run(value: object) -> bool:
    """`dryRun` of a query (text) or of DeleteOptions (a list); 422 for anything but `All`."""
    if not value:
        return False
    given = value if isinstance(value, list) else [value]
    if given != ["All"]:
        cause = unsupported("dryRun", str(given[0])[:40], ["All"])
        raise bad_option("DeleteOptions", cause)
    return True


def schema_of(resource: Resource) -> schemas.TypeSchema:
    """The type of a resource's objects: Kubernetes' own, or its CRD's."""
    found = _SCHEMAS.get(resource.qualified)
    if found is None or found[0] is not resource:
        if resource.schema is not None:
            made = schemas.from_crd(dict(resource.schema))
        else:
            built = schemas.builtin(resource.api_version, resource.kind)
            if built is None:
                raise LookupError(resource.kind)
            made = built
        found = _SCHEMAS[resource.qualified] = (resource, made)
    return found[1]


_SCHEMAS: dict[str, tuple[Resource, schemas.TypeSchema]] = {}
