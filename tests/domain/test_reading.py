"""A canvas read from JSON: the API's spelling, what is passed over, and what is refused where."""

from typing import Any

import pytest

from app.domain.canvas import Canvas
from app.domain.errors import Invalid
from app.domain.node import WorkflowNode
from app.domain.nodes.networkpolicy import PeerType
from app.domain.nodes.service import ServiceType, TrafficPolicy
from app.domain.pod import Protocol
from app.domain.reading import read_canvas

FRONT = {"id": "front", "type": "SERVICE", "data": {"name": "front", "port": 80}}
WEB = {"id": "web", "type": "DEPLOYMENT", "data": {"name": "web", "image": "nginx"}}


def only_node(**node: Any) -> WorkflowNode:
    (found,) = read_canvas({"nodes": [node]}).nodes.values()
    return found


def refused(value: object) -> dict[str, str]:
    with pytest.raises(Invalid) as failure:
        read_canvas(value)
    return {".".join(problem.path): problem.message for problem in failure.value.problems}


def test_names_and_enum_values_as_the_api_has_them() -> None:
    node = only_node(
        type="SERVICE",
        data={
            "name": "front",
            "serviceType": "LOAD_BALANCER",
            "loadBalancerIP": "192.0.2.1",
            "externalTrafficPolicy": "LOCAL",
            "ports": [{"port": 53, "protocol": "UDP", "targetPort": "dns"}],
        },
    )
    data = node.data
    assert (data.service_type, data.external_traffic_policy) == (
        ServiceType.LOAD_BALANCER,
        TrafficPolicy.LOCAL,
    )
    assert data.load_balancer_ip == "192.0.2.1"
    assert data.ports[0].protocol is Protocol.UDP


def test_deep_values_and_irregular_names() -> None:
    node = only_node(
        type="NETWORKPOLICY",
        data={
            "name": "guard",
            "ingressRules": [
                {"peers": [{"type": "IP_BLOCK", "ipBlock": {"cidr": "10.0.0.0/8", "except": []}}]}
            ],
        },
    )
    assert node.data.ingress_rules[0].peers[0].type is PeerType.IP_BLOCK
    hpa = only_node(type="HPA", data={"name": "h", "maxReplicas": 2, "targetCPUUtilization": 5})
    assert hpa.data.target_cpu_utilization == 5


def test_the_words_of_kubernetes_are_understood_too() -> None:
    node = only_node(type="service", data={"name": "a", "port": 1, "service_type": "NodePort"})
    assert node.data.service_type is ServiceType.NODE_PORT


def test_the_keys_of_maps_stay_as_they_are() -> None:
    data = {"name": "a", "data": {"snake_case": "1", "__typename": "x", "linkedService": "y"}}
    assert only_node(type="CONFIGMAP", data=data).data.data == data["data"]


def test_what_clients_cannot_write_is_passed_over() -> None:
    node = only_node(
        id="front",
        type="SERVICE",
        __typename="ServiceNode",
        status={"state": "healthy"},
        position={"__typename": "Position", "x": 1, "y": 2},
        data={"__typename": "ServiceNodeData", "name": "f", "port": 1, "linkedDeployment": "web"},
    )
    assert (node.position.x, node.status, node.data.linked_deployment) == (1, None, None)


def test_what_edges_supply_is_not_kept() -> None:
    front = {**FRONT, "data": {**FRONT["data"], "targetApp": "web", "selector": {"app": "web"}}}
    edge = {"id": "e", "source": "front", "target": "web", "sourceHandle": None, "type": "smooth"}
    canvas = read_canvas({"nodes": [front, WEB], "edges": [edge]})
    assert canvas.nodes["front"].data.target_app is None
    assert canvas.edges["e"].type == "smooth"


def test_ids_are_made_for_what_has_none() -> None:
    nameless = {key: value for key, value in FRONT.items() if key != "id"}
    canvas = read_canvas({"nodes": [nameless, {**WEB, "id": "node-1"}]})
    assert sorted(canvas.nodes) == ["node-1", "node-2"]


def test_nothing_is_an_empty_canvas() -> None:
    assert read_canvas({}) == Canvas()
    assert read_canvas({"nodes": None, "edges": []}) == Canvas()


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        ([], "", "an object with nodes"),
        ({"nodes": {}}, "nodes", "a list"),
        ({"nodes": [1]}, "nodes.0", "an object"),
        ({"nodes": [{"type": "POD"}]}, "nodes.0.type", "CONFIGMAP, CRONJOB"),
        ({"nodes": [{"type": None}]}, "nodes.0.type", "CONFIGMAP, CRONJOB"),
        ({"nodes": [{**WEB, "id": 1}]}, "nodes.0.id", "a text"),
        ({"nodes": [{**WEB, "colour": 1}]}, "nodes.0.colour", "no such field"),
        ({"nodes": [{**WEB, "data": 1}]}, "nodes.0.data", "dictionary"),
        ({"nodes": [{**WEB, "position": 1}]}, "nodes.0.position", "dictionary"),
        ({"nodes": [{**WEB, "position": {"x": "a"}}]}, "nodes.0.position.x", "number"),
        ({"nodes": [{"type": "JOB", "data": {"name": "a"}}]}, "nodes.0.data.image", "required"),
        ({"nodes": [WEB, WEB]}, "nodes.1.id", "already a node"),
        ({"edges": [{"source": "a"}]}, "edges.0.target", "required"),
        ({"edges": [{"source": "a", "target": "b", "id": 5}]}, "edges.0.id", "string"),
        ({"edges": [{"source": "a", "target": "b"}]}, "edges.0.source", "no node 'a'"),
        ({"nodes": [WEB, FRONT], "edges": [{"source": "web", "target": "front"}]},
         "edges.0.target", "the other way round"),
    ],
)  # fmt: skip
def test_refused(value: object, path: str, says: str) -> None:
    found = refused(value)
    assert path in found
    assert says in found[path]


def test_every_problem_is_named() -> None:
    nodes = [{"type": "SERVICE", "data": {"name": "A", "serviceType": "x", "extra": 1}}, WEB, 3]
    assert set(refused({"nodes": nodes, "edges": [{}]})) == {
        *("nodes.0.data.name", "nodes.0.data.serviceType", "nodes.0.data.extra", "nodes.2"),
        *("edges.0.source", "edges.0.target"),
    }
