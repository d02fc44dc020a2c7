"""Problems of names, and of fields that contradict an edge."""

import pytest

from tests.domain.cases import FRONT, LED, REQUESTS, RULE, WEB, Case, Found, Part, found
from tests.domain.sketch import box, line

CASES: list[Case] = [
    (
        "an edge that may not be",
        (WEB, FRONT, line("web", "front")),
        [
            ("error", "EDGE_NOT_ALLOWED", "web", "edges.web-front.target"),
            ("warning", "REFERENCE_MISSING", "front", "data.targetApp"),
        ],
    ),
    (
        "a dangling edge",
        (WEB, line("gone", "web")),
        [("error", "EDGE_DANGLING", None, "edges.gone-web.source")],
    ),
    (
        "two workloads with one name",
        (box("deployment", "a", name="x"), box("job", "b", name="x")),
        [("warning", "NAME_SHARED", "b", "data.name")],
    ),
    (
        "a connection across namespaces",
        (box("service", "front", namespace="one"), WEB, line("front", "web")),
        [("error", "NAMESPACE_DIFFERS", "front", "data.namespace")],
    ),
    (
        "a peer across namespaces is fine",
        (
            box("networkpolicy", "p", namespace="one", pod_selector={}, ingress_rules=RULE),
            WEB,
            line("p", "web", "r"),
        ),
        [],
    ),
    (
        "another target than the edge's",
        (box("service", "front", target_app="api"), WEB, line("front", "web")),
        [("warning", "EDGE_CONTRADICTS", "front", "data.targetApp")],
    ),
    (
        "the same target as the edge's",
        (box("service", "front", target_app="web"), WEB, line("front", "web")),
        [],
    ),
    (
        "another selector than the edge's",
        (box("service", "front", selector={"app": "api"}), WEB, line("front", "web")),
        [("warning", "EDGE_CONTRADICTS", "front", "data.selector")],
    ),
    (
        "a selector that finds the edge's target",
        (
            box("service", "front", selector={"tier": "a"}),
            box("deployment", "web", port=80, labels={"tier": "a"}),
            line("front", "web"),
        ),
        [],
    ),
    (
        "another backend than the edge's",
        (
            *LED,
            box("ingress", "i", paths=[{"id": "a", "service_name": "old"}]),
            line("i", "front", "a"),
        ),
        [("warning", "EDGE_CONTRADICTS", "i", "data.paths.0.serviceName")],
    ),
    (
        "a port that the edge's backend has not",
        (
            *LED,
            box("ingress", "i", paths=[{"id": "a", "service_port": 81}]),
            line("i", "front", "a"),
        ),
        [("warning", "EDGE_CONTRADICTS", "i", "data.paths.0.servicePort")],
    ),
    (
        "another workload than the edge's",
        (
            box("hpa", "h", scale_target_name="old"),
            box("deployment", "d", resources=REQUESTS),
            line("h", "d"),
        ),
        [("warning", "EDGE_CONTRADICTS", "h", "data.scaleTargetName")],
    ),
    (
        "another subject than the edge's",
        (box("networkpolicy", "p", pod_selector={"app": "old"}), WEB, line("p", "web")),
        [("warning", "EDGE_CONTRADICTS", "p", "data.podSelector")],
    ),
    (
        "a palette's empty selector is no contradiction",
        (box("networkpolicy", "p", pod_selector={}), WEB, line("p", "web")),
        [],
    ),
    (
        "another headless Service than the edge's",
        (
            box("service", "s", headless=True),
            box("statefulset", "db", service_name="old", port=80),
            line("s", "db"),
        ),
        [("warning", "EDGE_CONTRADICTS", "db", "data.serviceName")],
    ),
    (
        "a headless Service that is not there",
        (box("statefulset", "db", service_name="old"),),
        [("warning", "REFERENCE_DANGLING", "db", "data.serviceName")],
    ),
    (
        "a headless Service that is made, or there",
        (
            box("statefulset", "a", service_name="a-headless"),
            box("statefulset", "b", service_name="s", port=80),
            box("service", "s", headless=True, target_app="b"),
        ),
        [],
    ),
    (
        "labels that the server sets",
        (
            box("secret", "s", labels={"kubeorch.io/node-id": "x", "app": "x"}),
            box("deployment", "d", labels={"app": "x"}),
            box("deployment", "e", labels={"app": "e"}),
        ),
        [
            ("info", "LABEL_RESERVED", "s", "data.labels.kubeorch.io/node-id"),
            ("info", "LABEL_RESERVED", "d", "data.labels.app"),
        ],
    ),
    (
        "another kind than the edge's target",
        (
            box("hpa", "h", scale_target_kind="StatefulSet", scale_target_name="web"),
            box("deployment", "web", resources=REQUESTS),
            line("h", "web"),
        ),
        [("warning", "EDGE_CONTRADICTS", "h", "data.scaleTargetKind")],
    ),
    (
        "a kind without a name is what a palette begins with",
        (
            box("hpa", "h", scale_target_kind="Deployment"),
            box("statefulset", "db", resources=REQUESTS),
            line("h", "db"),
        ),
        [],
    ),
    (
        "a StatefulSet whose Service is not headless",
        (box("service", "s", selector={"app": "db"}), box("statefulset", "db", service_name="s")),
        [
            ("warning", "REFERENCE_UNFIT", "db", "data.serviceName"),
        ],
    ),
    (
        "labels that the cluster writes on pods",
        (
            box("job", "j", labels={"job-name": "x", "tier": "a"}),
            box("configmap", "c", labels={"job-name": "x"}),
        ),
        [("info", "LABEL_RESERVED", "j", "data.labels.job-name")],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), [pytest.param(p, e, id=i) for i, p, e in CASES])
def test_problems(parts: tuple[Part, ...], expected: Found) -> None:
    assert found(*parts) == expected
