"""Service, Ingress and NetworkPolicy: what each accepts up to its edge, and refuses beyond."""

from typing import Any

import pytest

from tests.domain.sketch import refusals

RULE = {"peers": [{"type": "podSelector", "pod_selector": {}}], "ports": [{"port": 53}]}

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("service", {"name": "a" * 63, "target_port": "http"}),
    ("service", {"service_type": "NodePort", "port": 10250}),
    ("service", {"port": None, "ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}]}),
    ("service", {"port": 80, "ports": [{"port": 80, "name": "http", "target_port": 8080}]}),
    ("service", {"port": None, "headless": True}),
    ("service", {"port": None, "service_type": "ExternalName", "external_name": "db.example.com"}),
    ("service", {"service_type": "NodePort", "ports": [{"port": 80, "node_port": 30000}]}),
    (
        "service",
        {
            "service_type": "LoadBalancer",
            "load_balancer_ip": "192.0.2.1",
            "load_balancer_source_ranges": ["10.0.0.0/8"],
            "external_traffic_policy": "Local",
        },
    ),
    ("service", {"session_affinity": "ClientIP", "session_affinity_timeout_seconds": 86_400}),
    ("ingress", {"host": "*.example.com", "tls_enabled": True, "tls_secret_name": "cert"}),
    ("ingress", {"paths": [{"path": "/a"}, {"path": "/b", "path_type": "Exact"}]}),
    ("ingress", {"paths": [{"path": "/a//(.*)", "path_type": "ImplementationSpecific"}]}),
    ("ingress", {"paths": [{"service_name": "web", "service_port": "http"}]}),
    ("networkpolicy", {"policy_types": ["Ingress", "Egress"], "ingress_rules": [RULE, RULE]}),
    ("networkpolicy", {"egress_rules": [{"ports": [{"port": 1, "end_port": 1}]}]}),
    (
        "networkpolicy",
        {
            "ingress_rules": [
                {
                    "peers": [
                        {"type": "namespaceSelector", "namespace_selector": {"a": "b"}},
                        {
                            "type": "ipBlock",
                            "ip_block": {"cidr": "10.0.0.0/8", "except_": ["10.1.0.0/16"]},
                        },
                    ]
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("kind", "fields"), ACCEPTED)
def test_accepted(kind: str, fields: dict[str, Any]) -> None:
    assert refusals(kind, **fields) == {}


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("service", {"name": "1a"}, "name", "starting with a letter"),
    ("service", {"service_type": "LoadBalancer", "port": 10250}, "port", "nodes themselves"),
    (
        "service",
        {"service_type": "LoadBalancer", "ports": [{"port": 10250}]},
        "ports.0.port",
        "nodes themselves",
    ),
    ("service", {"name": "a" * 64}, "name", "at most 63"),
    ("service", {"port": None}, "port", "Write the port"),
    ("service", {"port": 65536}, "port", ""),
    ("service", {"target_port": 0}, "target_port", "1 to 65535"),
    ("service", {"ports": [{"port": 1}, {"port": 1}]}, "ports.1.port", "1/TCP"),
    (
        "service",
        {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
        "ports.1.name",
        "used twice",
    ),
    ("service", {"ports": [{"port": 1, "node_port": 30000}]}, "ports.0.node_port", "NODE_PORT"),
    ("service", {"external_name": "a.b"}, "external_name", "Only EXTERNAL_NAME"),
    ("service", {"service_type": "ExternalName"}, "external_name", "Write the host name"),
    (
        "service",
        {"service_type": "ExternalName", "external_name": "a", "selector": {"a": "b"}},
        "selector",
        "no pods",
    ),
    ("service", {"service_type": "NodePort", "headless": True}, "headless", "CLUSTER_IP"),
    ("service", {"load_balancer_ip": "192.0.2.1"}, "load_balancer_ip", "LOAD_BALANCER"),
    ("service", {"external_traffic_policy": "Local"}, "external_traffic_policy", "NODE_PORT"),
    (
        "service",
        {"session_affinity_timeout_seconds": 1},
        "session_affinity_timeout_seconds",
        "CLIENT_IP",
    ),
    (
        "service",
        {"session_affinity": "ClientIP", "session_affinity_timeout_seconds": 86_401},
        "session_affinity_timeout_seconds",
        "86400",
    ),
    ("ingress", {"paths": []}, "paths", "at least 1"),
    ("ingress", {"host": "192.0.2.1"}, "host", "not an IP"),
    ("ingress", {"paths": [{"path": "api"}]}, "paths.0.path", "starts with '/'"),
    ("ingress", {"paths": [{"path": "/a//b"}]}, "paths.0.path", "without '//'"),
    ("ingress", {"paths": [{"path": "/a/../b"}]}, "paths.0.path", "without '//'"),
    ("ingress", {"paths": [{"path": "/a%2Fb", "path_type": "Exact"}]}, "paths.0.path", "%2f"),
    ("ingress", {"paths": [{"id": "a"}, {"id": "a"}]}, "paths.1.id", "used twice"),
    ("ingress", {"paths": [{"service_port": 0}]}, "paths.0.service_port", "1 to 65535"),
    ("ingress", {"tls_hosts": ["a", "a"]}, "tls_hosts.1", "twice"),
    ("networkpolicy", {"policy_types": []}, "policy_types", "at least 1"),
    ("networkpolicy", {"policy_types": ["Ingress", "Ingress"]}, "policy_types.1", "twice"),
    ("networkpolicy", {"ingress_rules": [{"id": "output"}]}, "ingress_rules.0.id", "another id"),
    (
        "networkpolicy",
        {"ingress_rules": [{"id": "a"}], "egress_rules": [{"id": "a"}]},
        "egress_rules.0.id",
        "ingress rule",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "podSelector"}]}]},
        "ingress_rules.0.peers.0.pod_selector",
        "{} for all pods",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "namespaceSelector", "pod_selector": {}}]}]},
        "ingress_rules.0.peers.0.namespace_selector",
        "{} for all namespaces",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "ipBlock"}]}]},
        "ingress_rules.0.peers.0.ip_block",
        "range of addresses",
    ),
    (
        "networkpolicy",
        {
            "ingress_rules": [
                {
                    "peers": [
                        {
                            "type": "ipBlock",
                            "ip_block": {"cidr": "10.0.0.0/8"},
                            "pod_selector": {},
                        }
                    ]
                }
            ]
        },
        "ingress_rules.0.peers.0.pod_selector",
        "don't go together",
    ),
    *(
        (
            "networkpolicy",
            {
                "egress_rules": [
                    {
                        "peers": [
                            {
                                "type": "ipBlock",
                                "ip_block": {
                                    "cidr": "10.0.0.0/8",
                                    "except_": ["10.9.0.0/16", hole],
                                },
                            }
                        ]
                    }
                ]
            },
            "egress_rules.0.peers.0.ip_block.except_.1",
            says,
        )
        for hole, says in (
            ("11.0.0.0/16", "inside 10.0.0.0/8"),
            ("10.0.0.0/8", "smaller range"),
            ("::/64", "inside 10.0.0.0/8"),
        )
    ),
    (
        "networkpolicy",
        {"egress_rules": [{"ports": [{"port": 2, "end_port": 1}]}]},
        "egress_rules.0.ports.0.end_port",
        "ends above",
    ),
    (
        "networkpolicy",
        {"egress_rules": [{"ports": [{"port": "dns", "end_port": 100}]}]},
        "egress_rules.0.ports.0.end_port",
        "begins with a number",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "path", "says"), REFUSED)
def test_refused_at_the_field(kind: str, fields: dict[str, Any], path: str, says: str) -> None:
    found = refusals(kind, **fields)
    assert path in found, found
    assert says in found[path]
