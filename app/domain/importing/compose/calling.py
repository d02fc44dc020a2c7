"""What services are called: their objects, and the host names by which others reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.importing.compose import hosts
from app.domain.importing.compose.hosts import Reached
from app.domain.importing.compose.naming import Names, dns_label, dns_labels
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.service import Service
from app.domain.nodes.statefulset import own_service

_LIMITS = {"statefulset": 52}
"""Characters of a workload's name, where it is less than those of a Service's."""


@dataclass(slots=True)
class Called:
    """The names of a service's Services, each with the part that says it, and who uses them."""

    names: dict[str, Part]
    reached: list[Reached] = field(default_factory=list)

    @property
    def is_reached(self) -> bool:
        """Whether a Service is needed even if no port is known."""
        return len(self.names) > 1 or any(found.is_sure for found in self.reached)


def call(services: Mapping[str, Service]) -> dict[str, Called]:
    """Names every service, and writes the host names anew that Kubernetes does not take."""
    _name_objects(services)
    everyone = list(services.values())
    owners = _owners(everyone)
    reached = hosts.find_mentions(everyone, set(owners))
    called = {name: Called({service.label: service.part}) for name, service in services.items()}
    taken = Names()
    for service in everyone:
        taken.reserve(service.label)
        if service.kind == "statefulset":
            taken.reserve(own_service(service.workload))
    renamed: dict[str, str] = {}
    for host, service in owners.items():
        if host in reached:
            called[service.name].reached.append(reached[host])
        label = _label(host, service, taken, called[service.name], reached.get(host))
        if label not in {None, host}:
            renamed[host] = label or host
    _note_names(everyone, owners, reached)
    hosts.rename(everyone, renamed)
    return called


def _name_objects(services: Mapping[str, Service]) -> None:
    labels = dns_labels(services, fallback="app")
    names = Names()
    for service in services.values():
        service.label = labels[service.name]
        if len(service.label) <= _LIMITS.get(service.kind, 63):
            names.reserve(service.label)
            service.workload = service.label
    for service in services.values():
        if not service.workload:
            service.workload = names.take(service.label, limit=_LIMITS[service.kind])


def _owners(services: list[Service]) -> dict[str, Service]:
    """The service that each host name leads to.

    A service's own name goes before aliases, and these before `container_name` and `hostname`.
    """
    owners = {service.name: service for service in services}
    for service in services:
        for name in service.aliases:
            owners.setdefault(name, service)
    for service in services:
        for name in service.own_names:
            owners.setdefault(name, service)
    return owners


def _label(
    host: str, service: Service, taken: Names, called: Called, reached: Reached | None
) -> str | None:
    """The Service that a host name leads to; None when there is none of it."""
    if host == service.name:
        return service.label
    part = service.aliases.get(host)
    if part is None:
        part = service.own_names[host]
        if reached is None or not reached.is_sure:
            return None
    label = dns_label(host, fallback="app")
    if taken.reserve(label):
        called.names[label] = part
    elif label not in called.names:
        part.changed(f"Another service is called {label}: this name leads there.")
    return label


def _note_names(
    services: list[Service], owners: Mapping[str, Service], reached: Mapping[str, Reached]
) -> None:
    for service in services:
        if service.label != service.name:
            service.part.changed(
                f"Its objects and its host are called {service.label}: names on a cluster have "
                f"lower-case letters, digits and '-'."
            )
        for name, part in service.aliases.items():
            if owners[name] is not service:
                part.changed(f"Another service is called {name[:64]}: this name leads there.")
        for name, part in service.own_names.items():
            if name not in reached or not reached[name].is_sure:
                part.note_ignored("Pods are called by the cluster: it is left out.")
