"""Ingress: brings HTTP requests from outside to Services, by host and path."""

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.domain.fields import DnsSubdomain, EntryId, Flag, HttpPath, IngressHost, PortOrName
from app.domain.fields import ServiceName as BackendName
from app.domain.lists import distinct, identified
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import (
    DERIVED,
    Connection,
    Link,
    NodeData,
    NodeKind,
    NodeType,
    Value,
    WorkflowNode,
)
from app.domain.nodes.service import ServiceNodeData, ServiceType
from app.domain.place import Place
from app.domain.text import refuse_at

_UNCLEAN = re.compile(r"//|/\.(?:/|$)|/\.\.(?:/|$)|%2[fF]")
_CLASS = "kubernetes.io/ingress.class"


class PathType(enum.StrEnum):
    """How a request's path is compared: by its parts, exactly, or as the controller likes."""

    PREFIX = "Prefix"
    EXACT = "Exact"
    IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"


def _empty_is_left_out(value: Any) -> Any:
    """A new Ingress on the canvas starts with an empty host."""
    return None if value == "" else value


class IngressPath(Value):
    """Which requests go to which Service."""

    id: EntryId = Field(
        default="", description="The handle where the path's edge starts; the path when left out."
    )
    host: IngressHost | None = Field(
        default=None, description="Host of this path alone; left out: the Ingress' own host."
    )
    path: HttpPath = Field(default="/", description="Path of the request, such as `/api`.")
    path_type: PathType = Field(default=PathType.PREFIX, description="How paths are compared.")
    service_name: BackendName | None = Field(
        default=None, description="The Service that answers. An edge supplies it."
    )
    service_port: PortOrName | None = Field(
        default=None, description="Number or name of the Service's port. An edge supplies it."
    )
    linked_service: str | None = Field(
        default=None,
        json_schema_extra=DERIVED,
        description="Id of the Service node that an edge leads to.",
    )

    @model_validator(mode="after")
    def _clean(self) -> Self:
        if self.path_type is not PathType.IMPLEMENTATION_SPECIFIC and _UNCLEAN.search(self.path):
            refuse_at([(("path",), "Write a path without '//', '/./', '/../' and '%2f'.")])
        return self


class IngressNodeData(NodeData):
    """Brings HTTP requests from outside to Services, by host and path."""

    one_edge: ClassVar[bool] = True

    name: DnsSubdomain = Field(description="Name of the Ingress.")
    host: Annotated[IngressHost | None, BeforeValidator(_empty_is_left_out)] = Field(
        default=None, description="Host name, such as `app.example.com`; left out: every host."
    )
    paths: Annotated[list[IngressPath], AfterValidator(identified("path", "path"))] = Field(
        default_factory=lambda: [IngressPath(id="path-1")],
        min_length=1,
        max_length=100,
        description="Which requests go to which Service; left out: one path `/` with the id "
        "`path-1`.",
    )
    ingress_class_name: DnsSubdomain | None = Field(
        default=None, description="Class of the controller; left out: the cluster's default class."
    )
    tls_enabled: Flag = Field(default=False, description="Serve HTTPS.")
    tls_secret_name: DnsSubdomain | None = Field(
        default=None,
        description="The TLS Secret with the certificate; left out: the controller's own.",
    )
    tls_hosts: Annotated[list[IngressHost], AfterValidator(distinct)] = Field(
        default_factory=list,
        max_length=100,
        description="Hosts that the certificate is for; left out: all hosts of the Ingress.",
    )

    @model_validator(mode="after")
    def _one_class(self) -> Self:
        if self.ingress_class_name is not None and _CLASS in (self.annotations or {}):
            says = "Leave this annotation out: ingressClassName says the class."
            refuse_at([(("annotations", _CLASS), says)])
        return self

    def anchor(self, handle: str | None) -> str:
        """The id of a path. With one path only, the handle may be left out."""
        if handle is None and len(self.paths) == 1:
            return self.paths[0].id
        if any(path.id == handle for path in self.paths):
            return handle or ""
        listed = ", ".join(repr(path.id) for path in self.paths[:10])
        raise ValueError(f"An edge of an Ingress starts at the id of one of its paths: {listed}.")

    def out_label(self, link: Link) -> str:
        for path in self.paths:
            if path.id == link.anchor:
                return f"{path.host or self.host or ''}{path.path}"
        return ""

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        links = {link.anchor: link for link in outgoing}
        return self.having(paths=[_wired(path, links) for path in self.paths])

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        links = {link.anchor: link for link in outgoing}
        return self.having(paths=[_unwired(path, links) for path in self.paths])


def _wired(path: IngressPath, links: Mapping[str, Link]) -> IngressPath:
    link = links.get(path.id)
    if link is None or not isinstance(link.data, ServiceNodeData):
        return path.having(linked_service=None)
    known = link.data.port_keys()
    port = path.service_port if path.service_port in known else _first(link.data)
    return path.having(service_name=link.data.name, service_port=port, linked_service=link.node_id)


def _unwired(path: IngressPath, links: Mapping[str, Link]) -> IngressPath:
    update: dict[str, None] = {"linked_service": None} if path.linked_service else {}
    link = links.get(path.id)
    if link is not None and isinstance(link.data, ServiceNodeData):
        if path.service_name == link.data.name:
            update["service_name"] = None
        if path.service_port == _first(link.data):
            update["service_port"] = None
    return path.having(**update)


def _first(service: ServiceNodeData) -> int | None:
    return next((port.port for port in service.all_ports()), None)


class IngressNode(WorkflowNode):
    """An Ingress on the canvas."""

    type: NodeType = Field(default=NodeType("ingress"), description="The kind.")
    data: IngressNodeData = Field(description="What it is made of.")


def manifests(data: IngressNodeData, place: Place) -> Iterator[Manifest]:
    """The Ingress, with the paths that lead somewhere; none when no path does."""
    rules: dict[str | None, list[dict[str, Any]]] = {}
    for path in data.paths:
        backend = _backend(path, place)
        if backend is not None:
            rules.setdefault(path.host or data.host, []).append(
                {"path": path.path, "pathType": path.path_type.value, "backend": backend}
            )
    if not rules:
        return
    spec = given(
        {
            "ingressClassName": data.ingress_class_name,
            "tls": [_certificate(data, rules)] if data.tls_enabled else None,
            "rules": [
                given({"host": host, "http": {"paths": paths}}) for host, paths in rules.items()
            ],
        }
    )
    yield place.manifest("networking.k8s.io/v1", "Ingress", {"spec": spec}, wave=Wave.ROUTES)


def _backend(path: IngressPath, place: Place) -> dict[str, Any] | None:
    if path.service_name is None:
        return None
    port = path.service_port
    if port is None:
        service = place.named("service", path.service_name)
        external = service is not None and (
            getattr(service.data, "service_type", None) is ServiceType.EXTERNAL_NAME
        )
        if not external:
            return None
        port = 80
    key = "number" if isinstance(port, int) else "name"
    return {"service": {"name": path.service_name, "port": {key: port}}}


def _certificate(data: IngressNodeData, rules: Mapping[str | None, Any]) -> dict[str, Any]:
    hosts = list(data.tls_hosts) or [host for host in rules if host is not None]
    return given({"hosts": hosts or None, "secretName": data.tls_secret_name})


KIND = NodeKind(
    type=NodeType("ingress"),
    label="Ingress",
    description="Brings HTTP requests from outside to Services, by host and path.",
    category="network",
    data=IngressNodeData,
    node=IngressNode,
    manifests=manifests,
    defaults={
        "paths": [{"id": "path-1", "path": "/", "path_type": PathType.PREFIX}],
        "ingress_class_name": "nginx",
    },
    connects_to=(
        Connection("service", "Requests for the path whose id is the handle go to the Service."),
    ),
)
