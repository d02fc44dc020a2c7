"""Problems of Services, probes, policies and Ingresses."""

import pytest

from tests.domain.cases import FRONT, LED, RULE, WEB, Case, Found, Part, found
from tests.domain.sketch import box, line

NODE_PORT = {
    "service_type": "NodePort",
    "ports": [{"port": 80, "target_port": 8080, "node_port": 30080}],
}
CASES: list[Case] = [
    (
        "a Service that leads nowhere",
        (FRONT,),
        [("warning", "REFERENCE_MISSING", "front", "data.targetApp")],
    ),
    (
        "a Service for a name outside",
        (box("service", "s", port=None, service_type="ExternalName", external_name="a.b"),),
        [],
    ),
    (
        "a target that is not on the canvas",
        (box("service", "front", target_app="api"), WEB),
        [("warning", "REFERENCE_DANGLING", "front", "data.targetApp")],
    ),
    (
        "a target by name",
        (box("service", "front", target_app="web", target_port=8080), WEB),
        [],
    ),
    (
        "a selector that matches nothing",
        (box("service", "front", selector={"app": "web", "tier": "x"}), WEB),
        [("warning", "SELECTOR_MATCHES_NOTHING", "front", "data.selector")],
    ),
    (
        "a selector that matches in another namespace only",
        (box("service", "front", namespace="other", selector={"app": "web"}), WEB),
        [("warning", "SELECTOR_MATCHES_NOTHING", "front", "data.selector")],
    ),
    ("a selector that matches", (box("service", "front", selector={"app": "web"}), WEB), []),
    (
        "a target port that the workload has not",
        (box("service", "front", target_port=9090), WEB, line("front", "web")),
        [("warning", "PORT_NOT_EXPOSED", "front", "data.targetPort")],
    ),
    (
        "a named target port that the workload has not",
        (box("service", "front", target_port="grpc"), WEB, line("front", "web")),
        [("error", "PORT_NOT_EXPOSED", "front", "data.targetPort")],
    ),
    (
        "the name of the main port",
        (box("service", "front", target_port="http"), WEB, line("front", "web")),
        [],
    ),
    (
        "one of several ports",
        (
            box("service", "front", ports=[{"port": 80}, {"port": 81, "target_port": 9090}]),
            WEB,
            line("front", "web"),
        ),
        [("warning", "PORT_NOT_EXPOSED", "front", "data.ports.1.targetPort")],
    ),
    (
        "one of several ports beside the main one",
        (
            box("service", "front", ports=[{"port": 8080}, {"port": 81}]),
            WEB,
            line("front", "web"),
        ),
        [("warning", "PORT_NOT_EXPOSED", "front", "data.ports.1.targetPort")],
    ),
    (
        "a workload without ports",
        (FRONT, box("deployment", "web"), line("front", "web")),
        [("warning", "PORT_NOT_EXPOSED", "front", "data.targetPort")],
    ),
    (
        "a probe without a port",
        (box("deployment", "d", liveness_probe={"http_get": {}}),),
        [("error", "PORT_NOT_EXPOSED", "d", "data.livenessProbe.httpGet.port")],
    ),
    (
        "a probe of a port with an unknown name",
        (box("deployment", "d", port=80, startup_probe={"tcp_socket": {"port": "db"}}),),
        [("error", "PORT_NOT_EXPOSED", "d", "data.startupProbe.tcpSocket.port")],
    ),
    (
        "probes that ask at a port",
        (
            box(
                "deployment",
                "d",
                port=80,
                liveness_probe={"http_get": {}},
                readiness_probe={"grpc": {"port": 9}},
                startup_probe={"tcp_socket": {"port": "http"}},
            ),
        ),
        [],
    ),
    (
        "a policy without a subject",
        (box("networkpolicy", "p"),),
        [("warning", "REFERENCE_MISSING", "p", "data.podSelector")],
    ),
    ("a policy about all pods", (box("networkpolicy", "p", pod_selector={}),), []),
    (
        "a policy about pods that are not there",
        (box("networkpolicy", "p", pod_selector={"app": "api"}), WEB),
        [("warning", "SELECTOR_MATCHES_NOTHING", "p", "data.podSelector")],
    ),
    (
        "rules for a direction that is not ruled",
        (box("networkpolicy", "p", pod_selector={}, egress_rules=RULE),),
        [("warning", "POLICY_RULES_IGNORED", "p", "data.egressRules")],
    ),
    (
        "a rule for everybody",
        (box("networkpolicy", "p", pod_selector={}, ingress_rules=RULE),),
        [("warning", "POLICY_ALLOWS_ALL", "p", "data.ingressRules.0")],
    ),
    (
        "a rule for somebody",
        (
            box("networkpolicy", "p", pod_selector={}, ingress_rules=RULE),
            box("deployment", "d"),
            line("p", "d", "r"),
        ),
        [],
    ),
    (
        "nothing may go out",
        (box("networkpolicy", "p", pod_selector={}, policy_types=["Egress"]),),
        [("info", "POLICY_DENIES_ALL", "p", "data.egressRules")],
    ),
    (
        "a path that leads nowhere",
        (box("ingress", "i"),),
        [("error", "REFERENCE_MISSING", "i", "data.paths.0.serviceName")],
    ),
    (
        "a backend that is not on the canvas",
        (box("ingress", "i", paths=[{"service_name": "api", "service_port": 80}]),),
        [("warning", "REFERENCE_DANGLING", "i", "data.paths.0.serviceName")],
    ),
    (
        "a backend that is not on the canvas, without a port",
        (box("ingress", "i", paths=[{"service_name": "api"}]),),
        [
            ("error", "REFERENCE_MISSING", "i", "data.paths.0.servicePort"),
            ("warning", "REFERENCE_DANGLING", "i", "data.paths.0.serviceName"),
        ],
    ),
    (
        "a backend by name, with a port that it has not",
        (*LED, box("ingress", "i", paths=[{"service_name": "front", "service_port": 81}])),
        [("error", "PORT_NOT_EXPOSED", "i", "data.paths.0.servicePort")],
    ),
    (
        "a backend by name, with a port",
        (*LED, box("ingress", "i", paths=[{"service_name": "front", "service_port": 80}])),
        [],
    ),
    (
        "one path twice",
        (
            *LED,
            box("ingress", "i", paths=[{"id": "a", "path": "/x"}, {"id": "b", "path": "/x/"}]),
            line("i", "front", "a"),
            line("i", "front", "b", "second"),
        ),
        [("error", "PATH_CONFLICT", "i", "data.paths.1.path")],
    ),
    (
        "one path in two Ingresses",
        (*LED, box("ingress", "i"), box("ingress", "j"), line("i", "front"), line("j", "front")),
        [("error", "PATH_CONFLICT", "j", "data.paths.0.path")],
    ),
    (
        "one path for two hosts",
        (
            *LED,
            box("ingress", "i", host="a.example.com"),
            box("ingress", "j", paths=[{"id": "p", "host": "b.example.com"}]),
            line("i", "front"),
            line("j", "front"),
        ),
        [],
    ),
    (
        "a certificate that is none",
        (
            *LED,
            box("secret", "cert"),
            box("ingress", "i", tls_enabled=True, tls_secret_name="cert"),
            line("i", "front"),
        ),
        [("error", "CERTIFICATE_UNFIT", "i", "data.tlsSecretName")],
    ),
    (
        "a certificate that is not used",
        (*LED, box("ingress", "i", tls_secret_name="cert"), line("i", "front")),
        [("warning", "CERTIFICATE_UNFIT", "i", "data.tlsEnabled")],
    ),
    (
        "a certificate without its keys",
        (box("secret", "s", secret_type="kubernetes.io/tls", keys=[{"name": "tls.crt"}]),),
        [("error", "KEY_MISSING", "s", "data.keys")],
    ),
    (
        "a peer that nobody is",
        (
            box(
                "networkpolicy",
                "p",
                pod_selector={},
                ingress_rules=[
                    {
                        "peers": [
                            {"type": "podSelector", "pod_selector": {"app": "web"}},
                            {"type": "podSelector", "pod_selector": {"app": "api"}},
                            {"type": "podSelector", "pod_selector": {}},
                            {
                                "type": "namespaceSelector",
                                "pod_selector": {"app": "dns"},
                                "namespace_selector": {},
                            },
                        ]
                    }
                ],
            ),
            WEB,
        ),
        [
            (
                "warning",
                "SELECTOR_MATCHES_NOTHING",
                "p",
                "data.ingressRules.0.peers.1.podSelector",
            )
        ],
    ),
    (
        "one port of the nodes given away twice",
        (
            *LED,
            box("service", "a", target_app="web", **NODE_PORT),
            box("service", "b", target_app="web", **NODE_PORT),
        ),
        [("error", "NODE_PORT_TAKEN", "b", "data.ports.0.nodePort")],
    ),
    (
        "a port of the nodes that clusters keep",
        (
            WEB,
            box(
                "service",
                "a",
                target_app="web",
                service_type="NodePort",
                ports=[{"name": "a", "port": 80, "target_port": 8080, "node_port": 80}],
            ),
        ),
        [("warning", "NODE_PORT_UNLIKELY", "a", "data.ports.0.nodePort")],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), [pytest.param(p, e, id=i) for i, p, e in CASES])
def test_problems(parts: tuple[Part, ...], expected: Found) -> None:
    assert found(*parts) == expected
