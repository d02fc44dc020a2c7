"""Ports, in every form."""

from typing import Any

import pytest

from tests.domain.importing.compose.reading import (
    nodes,
    notes,
    read,
    read_service,
    workload,
    written,
)

Ports = list[tuple[int, int, str]]


def service_ports(imported: Any, name: str = "web") -> Ports:
    """Port, target and protocol, as they end up in the object."""
    for node in imported.canvas.nodes.values():
        if node.type.value == "service" and node.data.name == name:
            return [
                (p.port, p.target_port or p.port, p.protocol.value) for p in node.data.all_ports()
            ]
    return []


def container_ports(imported: Any) -> list[tuple[int, str]]:
    [data] = [n.data for n in imported.canvas.nodes.values() if n.type.value != "service"]
    return [(port.port, port.protocol.value) for port in data.listens()]


TCP, UDP = "TCP", "UDP"
CASES: list[tuple[Any, Ports]] = [
    ("3000", [(3000, 3000, TCP)]),
    (3000, [(3000, 3000, TCP)]),
    ("3000-3002", [(3000, 3000, TCP), (3001, 3001, TCP), (3002, 3002, TCP)]),
    ("8000:8000", [(8000, 8000, TCP)]),
    ("8000:80", [(80, 80, TCP), (8000, 80, TCP)]),
    (
        "9090-9091:8080-8081",
        [(8080, 8080, TCP), (8081, 8081, TCP), (9090, 8080, TCP), (9091, 8081, TCP)],
    ),
    ("127.0.0.1:8001:8001", [(8001, 8001, TCP)]),
    ("127.0.0.1::80", [(80, 80, TCP)]),
    ("[::1]:8001:80", [(80, 80, TCP), (8001, 80, TCP)]),
    ("6060:6060/udp", [(6060, 6060, UDP)]),
    ("8000-9000:80", [(80, 80, TCP)]),
    (":80", [(80, 80, TCP)]),
    ({"target": 80}, [(80, 80, TCP)]),
    ({"target": "80", "published": "8080"}, [(80, 80, TCP), (8080, 80, TCP)]),
    ({"target": 53, "published": 53, "protocol": "udp", "host_ip": "127.0.0.1"}, [(53, 53, UDP)]),
    ({"target": 80, "published": "8000-9000"}, [(80, 80, TCP)]),
]


@pytest.mark.parametrize(("entry", "expected"), CASES, ids=str)
def test_an_entry_becomes_ports_of_the_service(entry: Any, expected: Ports) -> None:
    result = read_service(ports=[entry])
    assert service_ports(result) == expected
    targets = list(dict.fromkeys((target, protocol) for _, target, protocol in expected))
    assert container_ports(result) == targets


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http",
        "80:http",
        "0",
        "70000",
        "8000-8001:80-82",
        "9-8",
        "1:2:3:4",
        "80/icmp",
        {"published": 80},
        {"target": 80, "protocol": "icmp"},
        ["80"],
        None,
        True,
    ],
    ids=str,
)
def test_an_entry_that_is_none_has_a_note_at_its_place(entry: Any) -> None:
    result = read_service(ports=[entry])
    assert nodes(result, "service") == {}
    assert [".".join(note.path) for note in result.notes] == (
        ["services.web.ports.0"] if entry is not None else []
    )


def test_ports_are_not_open_to_the_outside() -> None:
    assert notes(read_service(ports=["80"])) == []
    assert notes(read_service(ports=["80:80"])) == [
        "changed services.web.ports: They are reached inside the cluster only: draw an Ingress, or "
        "make the Service a LoadBalancer, to open them to the outside."
    ]


def test_one_port_follows_the_workload_and_several_say_which() -> None:
    assert nodes(read_service(expose=["80"]), "service") == {"web": {"port": 80}}
    assert workload(read_service(expose=["80"])) == {"port": 80}


def test_a_port_is_there_once() -> None:
    result = read_service(ports=["80:80", "8080:80", 80], expose=[80, "81"])
    assert service_ports(result) == [(80, 80, TCP), (81, 81, TCP), (8080, 80, TCP)]
    assert container_ports(result) == [(80, TCP), (81, TCP)]


def test_the_containers_own_number_goes_before_a_published_one() -> None:
    result = read_service(ports=["80:8080", "8080:80"])
    assert service_ports(result) == [(8080, 8080, TCP), (80, 80, TCP)]


def test_a_name_that_no_port_can_have_is_made_one() -> None:
    result = read_service(
        ports=[{"target": 80, "name": "Web_Port"}, {"target": 81, "name": "web-port"}]
    )
    assert nodes(result, "service")["web"]["ports"] == [
        {"name": "web-port", "port": 80, "target_port": 80},
        {"port": 81, "target_port": 81},
    ]


def test_a_container_holds_64_further_ports() -> None:
    result = read_service(ports=["50000-50100/udp"])
    assert len(container_ports(result)) == 64
    assert [".".join(note.path) for note in result.notes] == ["services.web.ports.0"]


def test_a_port_of_the_node_is_kept_where_one_pod_runs_on_each() -> None:
    entry = {"target": 80, "published": 8080, "mode": "host"}
    result = read_service(ports=[entry], deploy={"mode": "global"})
    assert nodes(result, "daemonset")["web"]["container_ports"] == [{"port": 80, "host_port": 8080}]


def test_a_job_has_no_service() -> None:
    result = read_service(ports=["80"], deploy={"mode": "replicated-job"})
    assert nodes(result, "service") == {}
    assert nodes(result, "job")["web"]["container_ports"] == [{"port": 80}]
    assert notes(result) == [
        "ignored services.web.ports: A Job is no server: no Service is drawn for its ports."
    ]


@pytest.mark.parametrize(
    ("value", "ports"),
    [("web:9000", [9000]), ("http://web/x", [80]), ("https://web", [443]), ("u:p@web:1,x", [1])],
)
def test_ports_that_others_use_are_drawn(value: str, ports: list[int]) -> None:
    content = {"web": {"image": "a"}, "other": {"image": "b", "command": ["run", value]}}
    result = read(written({"services": content}))
    assert [port for port, _, _ in service_ports(result)] == ports
    assert nodes(result, "deployment")["web"] == {"port": ports[0]}


def test_a_host_without_a_known_port_leads_to_the_pods_themselves() -> None:
    content = {"web": {"image": "a"}, "other": {"image": "b", "environment": {"API_HOST": "web"}}}
    result = read(written({"services": content}))
    assert nodes(result, "service") == {"web": {"headless": True}}
    assert notes(result) == [
        "changed services.web: No port of it is known, so its name leads to the pods themselves: "
        "write ports."
    ]


def test_a_word_that_is_also_a_services_name_is_no_host() -> None:
    content = {"web": {"image": "a"}, "other": {"image": "b", "environment": {"MODE": "web"}}}
    assert nodes(read(written({"services": content})), "service") == {}
