"""Names for the ports of Services."""

from app.domain.compile import compile
from app.domain.pod import ContainerPort, Protocol
from app.domain.ports import named
from tests.domain import apiserver
from tests.domain.sketch import box, sketch


def test_a_port_without_a_name_gets_one_that_no_other_has() -> None:
    ports = [
        ContainerPort(port=80),
        ContainerPort(port=80, protocol=Protocol.UDP),
        ContainerPort(name="port-80-tcp", port=81),
        ContainerPort(name="dns", port=53),
    ]
    assert [name for _, name in named(ports)] == [
        "port-80-tcp-x",
        "port-80-udp",
        "port-80-tcp",
        "dns",
    ]


def test_the_service_of_a_statefulset_has_no_name_twice() -> None:
    ports = [{"port": 80}, {"port": 81, "name": "port-80-tcp"}]
    canvas = sketch(box("statefulset", "db", container_ports=ports))
    made = compile(canvas, workflow_id="w", workflow_name="W", namespace="default")
    service = next(manifest.object for manifest in made if manifest.kind == "Service")
    assert [port["name"] for port in service["spec"]["ports"]] == ["port-80-tcp-x", "port-80-tcp"]
    assert apiserver.refusals(service, apiserver.NEWEST) == []
