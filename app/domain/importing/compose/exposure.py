"""Ports of the container, and the Services by whose names others reach it.

A Service leads to every port that the container has, under the container's own number, because
that is how the others address it, and under the published one. None is open to the outside: what
is published for one machine would be open to the world. A name that is used without any port that
is known leads to the pods themselves, which answer on every port.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.importing.compose.board import Board, Fields
from app.domain.importing.compose.hosts import Reached
from app.domain.importing.compose.images import known
from app.domain.importing.compose.naming import dns_label
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.ports import PublishedPort
from app.domain.importing.compose.service import Service
from app.domain.pod import Protocol

_MOST = 64


def complete_ports(service: Service, reached: Iterable[Reached]) -> None:
    """Adds the ports that nobody declares: those that others use, or that the image is known for.

    `reached` is how others reach the service, by each of its names.
    """
    if service.kind == "job":
        return
    there = {port.target for port in service.ports if port.protocol is Protocol.TCP}
    published = {port.published for port in service.ports}
    for found in reached:
        for number in found.ports:
            if number not in there and number not in published:
                there.add(number)
                port = PublishedPort(number, service.part, is_exposed_only=True)
                service.ports.append(port)
    image = known(service.image)
    if image is not None and not there:
        service.ports.append(PublishedPort(image.port, service.part, is_exposed_only=True))
        says = f"No port is declared: {image.port} is drawn, where such an image listens."
        service.part.changed(says)


def put_ports(service: Service, fields: Fields) -> None:
    """The ports of the container, each once."""
    seen: set[tuple[int, Protocol]] = set()
    names: set[str] = set()
    network = service.part.get("network_mode")
    on_nodes = service.kind == "daemonset" and (network is None or network.value != "host")
    for port in service.ports:
        if (port.target, port.protocol) in seen:
            continue
        seen.add((port.target, port.protocol))
        on_node = on_nodes and port.on_each_node
        is_main = port.protocol is Protocol.TCP and service.kind != "job" and not on_node
        if is_main and not fields.has("port"):
            fields.put("port", port.target, port.part)
            continue
        said: dict[str, object] = {"port": port.target, "protocol": port.protocol}
        name = dns_label(port.name, fallback="port", limit=15) if port.name else None
        if name and name not in names and "--" not in name:
            said["name"] = name
            names.add(name)
        if on_node:
            said["host_port"] = port.published or port.target
        fields.add("container_ports", said, port.part)


@dataclass(slots=True)
class _Entry:
    port: int
    target: int
    said: PublishedPort


def put_services(
    service: Service, names: Mapping[str, Part], board: Board, *, is_reached: bool
) -> None:
    """A Service for each of the names, connected to the workload."""
    entries = _entries(service)
    said = service.part.get("ports")
    if service.kind == "job":
        if said is not None:
            said.ignored("A Job is no server: no Service is drawn for its ports.")
        return
    if not entries and not is_reached:
        return
    published = [e for e in entries if e.said.published is not None]
    if published and said is not None:
        says = "They are reached inside the cluster only: draw an Ingress, or make the Service a "
        said.changed(f"{says}LoadBalancer, to open them to the outside.")
    mode = service.deploy.get("endpoint_mode") if service.deploy is not None else None
    word = mode.text() if mode is not None else None
    if mode is not None and word not in {"vip", "dnsrr"}:
        mode.ignored("Write vip or dnsrr: it is taken as vip.")
    for name, part in names.items():
        fields = Fields("service", part)
        fields.put("name", name)
        if not entries or word == "dnsrr":
            fields.put("headless", value=True)
        if not entries:
            says = "No port of it is known, so its name leads to the pods themselves: write ports."
            part.changed(says)
        _put_entries(service, entries, fields)
        id_ = board.new_id()
        if board.put(id_, fields):
            board.link(id_, service.id)


def _put_entries(service: Service, entries: list[_Entry], fields: Fields) -> None:
    main = next((p.target for p in service.ports if p.protocol is Protocol.TCP), None)
    if len(entries) == 1 and entries[0].said.protocol is Protocol.TCP:
        [entry] = entries
        if entry.said.name is None and entry.said.app_protocol is None:
            fields.put("port", entry.port, entry.said.part)
            if entry.target != main:
                fields.put("target_port", entry.target, entry.said.part)
            return
    names: set[str] = set()
    for entry in entries:
        name = dns_label(entry.said.name, fallback="port") if entry.said.name else None
        said: dict[str, object] = {
            "port": entry.port,
            "target_port": entry.target,
            "protocol": entry.said.protocol,
            "app_protocol": entry.said.app_protocol,
        }
        if name is not None and name not in names:
            names.add(name)
            said["name"] = name
        fields.add("ports", said, entry.said.part)


def _entries(service: Service) -> list[_Entry]:
    """The ports of a Service: the container's own numbers, then published ones that are free."""
    entries: dict[tuple[int, Protocol], _Entry] = {}
    for port in service.ports:
        entries.setdefault((port.target, port.protocol), _Entry(port.target, port.target, port))
    for port in service.ports:
        if port.published is None:
            continue
        key = (port.published, port.protocol)
        entries.setdefault(key, _Entry(port.published, port.target, port))
    return list(entries.values())
