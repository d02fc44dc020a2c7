"""The checks of what leads to pods and scales them, and of what they keep."""

from typing import Any

import pytest

from app.domain.inspecting import Check, CheckOutcome
from tests.domain.health.objects import KINDS, Fields, at
from tests.domain.looked_at import READY, RUNNING, Board, holding, named, owned, pod

FAILED, WARNING = CheckOutcome.FAILED, CheckOutcome.WARNING
PASSED, SKIPPED = CheckOutcome.PASSED, CheckOutcome.SKIPPED

_WORKLOAD = "Look at the workload that it is connected to."


def said(check: Check) -> tuple[CheckOutcome, str, str | None]:
    return check.outcome, check.message, check.suggestion


def service(**spec: Any) -> Fields:
    return named("Service", "web", spec={"selector": {"app": "web"}, **spec})


def slice_of(*ready: bool, service_name: str = "web") -> Fields:
    endpoints = [
        {"conditions": {"ready": each}, "targetRef": {"uid": f"uid-{place}"}}
        for place, each in enumerate(ready)
    ]
    labels = {"kubernetes.io/service-name": service_name}
    return named("EndpointSlice", "web-x", metadata={"labels": labels}, endpoints=endpoints)


def listening(*ports: Fields) -> Fields:
    container = {"name": "app", "image": "shop/web:1", "ports": list(ports)}
    return pod("web-a", RUNNING, status=READY, spec={"containers": [container]})


def ingress_class(name: str, *, default: bool = False) -> Fields:
    mark = {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": mark},
    }


def storage_class(name: str, mode: str = "Immediate") -> Fields:
    return named("StorageClass", name) | {"volumeBindingMode": mode}


def reached() -> list[Fields]:
    """One of each kind that the checks here are about."""
    return [
        service(ports=[{"port": 80, "targetPort": "http", "protocol": "TCP"}]),
        slice_of(True, False),
        named("Ingress", "web", spec={"ingressClassName": "x", "tls": [{"secretName": "tls"}]}),
        ingress_class("y", default=True),
        named("NetworkPolicy", "web", spec={"podSelector": {"matchLabels": {"app": "web"}}}),
        named("HorizontalPodAutoscaler", "web", spec={"metrics": [UTILISATION]}),
        named("PersistentVolumeClaim", "web", spec={"storageClassName": "x"}),
        storage_class("y"),
    ]


UTILISATION = {"resource": {"name": "cpu", "target": {"type": "Utilization"}}}


def test_a_selector_that_no_pod_has() -> None:
    name = "Selector matches pods"
    assert said(Board().check(name, service())) == (
        FAILED,
        "No pod has the labels of the selector of Service web: app=web.",
        "Connect the service to a workload that runs, and deploy the workflow again.",
    )
    assert said(Board(pod("web-a", RUNNING)).check(name, service())) == (
        PASSED,
        "Service web chooses 1 pod.",
        None,
    )
    assert Board().check(name, service(selector={})).outcome is SKIPPED
    hidden = Board(hidden={"Pod": "pods is forbidden."}).check(name, service())
    assert hidden.outcome is SKIPPED


def test_a_policy_that_is_about_no_pod() -> None:
    name = "Selector matches pods"
    policy = named("NetworkPolicy", "web", spec={"podSelector": {"matchLabels": {"app": "no"}}})
    board = Board(pod("web-a", RUNNING))
    assert said(board.check(name, policy)) == (
        WARNING,
        "NetworkPolicy web is about no pod: none has the labels of its selector.",
        "Connect the policy to a workload that runs, and deploy the workflow again.",
    )
    assert board.check(name, named("NetworkPolicy", "web")).outcome is PASSED


@pytest.mark.parametrize(
    ("target", "has", "outcome", "message"),
    [
        (80, [{"containerPort": 80}], PASSED, "Service web sends to ports that its pods have."),
        (
            8080,
            [{"containerPort": 80}, {"containerPort": 443}],
            WARNING,
            "Service web sends to the TCP port 8080, and its pods say that they listen on 80, 443.",
        ),
        (8080, [], PASSED, "Service web sends to ports that its pods have."),
        (
            80,
            [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 81}],
            WARNING,
            "Service web sends to the TCP port 80, and its pods say that they listen on 81.",
        ),
        (
            "http",
            [{"containerPort": 80, "name": "http"}],
            PASSED,
            "Service web sends to ports that its pods have.",
        ),
        (
            "http",
            [{"containerPort": 80, "name": "web"}],
            FAILED,
            "Service web sends to the TCP port http, and no pod has a port of this name: they have "
            "web.",
        ),
        (
            "http",
            [{"containerPort": 80}],
            FAILED,
            "Service web sends to the TCP port http, and no pod has a port of this name: they name "
            "none.",
        ),
    ],
)
def test_ports(target: int | str, has: list[Fields], outcome: CheckOutcome, message: str) -> None:
    ports = [{"port": 80, "targetPort": target, "protocol": "TCP"}]
    check = Board(listening(*has)).check("Ports match", service(ports=ports))
    assert (check.outcome, check.message) == (outcome, message)
    assert bool(check.suggestion) is (outcome is not PASSED)


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        ([True, True], (PASSED, "2 pods are ready behind Service web.", None)),
        ([True], (PASSED, "1 pod is ready behind Service web.", None)),
        ([True, False], (WARNING, "1 of 2 pods behind Service web are ready.", _WORKLOAD)),
        ([False, False], (FAILED, "None of the 2 pods behind Service web is ready.", _WORKLOAD)),
        ([False], (FAILED, "The pod behind Service web is not ready.", _WORKLOAD)),
    ],
)
def test_endpoints(ready: list[bool], expected: object) -> None:
    board = Board(slice_of(*ready), pod("web-a", RUNNING))
    assert said(board.check("Endpoints are ready", service())) == expected


def test_endpoints_that_nobody_makes() -> None:
    name = "Endpoints are ready"
    assert Board().check(name, service()).outcome is SKIPPED
    assert said(Board().check(name, service(selector={}))) == (
        WARNING,
        "Service web has no endpoints. It has no selector, so whoever made it writes its "
        "endpoints.",
        "Connect it to a workload of the canvas, and deploy; or write its endpoints.",
    )
    external = service(type="ExternalName", externalName="example.com")
    assert Board().check(name, external).outcome is SKIPPED


def ingress(port: Fields, **spec: Any) -> Fields:
    backend = {"service": {"name": "web", "port": port}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": "a.example.com", "http": {"paths": paths}}]
    return named("Ingress", "web", spec={"rules": rules, **spec})


def test_backends() -> None:
    name, to = "Ingress backends", ingress({"number": 80})
    assert said(Board().check(name, to)) == (
        FAILED,
        "a.example.com/ leads to the Service web, which does not exist.",
        "Connect the path to a service of the canvas, and deploy.",
    )
    there = service(ports=[{"port": 80, "name": "http"}])
    assert said(Board(there, slice_of(False)).check(name, to)) == (
        WARNING,
        "a.example.com/ leads to the Service web, and no pod behind it is ready.",
        "Look at the service and its workload.",
    )
    board = Board(there, slice_of(True))
    assert said(board.check(name, to)) == (
        PASSED,
        "Every path of Ingress web leads to ready pods.",
        None,
    )
    assert board.check(name, ingress({"name": "http"})).outcome is PASSED
    assert said(board.check(name, ingress({"number": 81}))) == (
        FAILED,
        "a.example.com/ leads to port 81 of the Service web, which has 80.",
        "Correct the port of the path, or of the service.",
    )


def test_classes() -> None:
    name = "Ingress class"
    to = ingress({"number": 80}, ingressClassName="public")
    assert said(Board(ingress_class("inner")).check(name, to)) == (
        FAILED,
        "Ingress web is of the class public, which does not exist. The cluster has inner.",
        "Choose a class that the cluster has, or install its controller.",
    )
    assert Board(ingress_class("public")).check(name, to).outcome is PASSED
    bare = ingress({"number": 80})
    assert said(Board().check(name, bare)) == (
        WARNING,
        "Ingress web names no class, and the cluster has no default. The cluster has none.",
        "Choose a class, so that an ingress controller takes it.",
    )
    assert Board(ingress_class("inner", default=True)).check(name, bare).outcome is PASSED
    hidden = Board(hidden={"IngressClass": "no."}).check(name, bare)
    assert said(hidden) == (
        SKIPPED,
        "The ingress classes of the cluster cannot be looked at: no.",
        None,
    )


def test_certificates() -> None:
    name = "Certificates are there"
    to = ingress({"number": 80}, tls=[{"secretName": "tls"}])
    assert said(Board().check(name, to)) == (
        WARNING,
        "The certificate of Ingress web needs the Secret tls, which does not exist.",
        "Create it, or give its values with the deploy.",
    )
    assert said(Board(holding("Secret", "tls", "tls.crt")).check(name, to)) == (
        WARNING,
        "The certificate of Ingress web needs the key tls.key of the Secret tls, which has none.",
        "Add the key to the Secret, or correct the reference.",
    )
    whole = holding("Secret", "tls", "tls.crt", "tls.key")
    assert Board(whole).check(name, to).outcome is PASSED
    plain = Board().diagnosis(ingress({"number": 80}))
    assert name not in {each.name for each in plain.checks}


def test_claims() -> None:
    name = "Claims are bound"
    bound = named("PersistentVolumeClaim", "web", status={"phase": "Bound"})
    assert said(Board().check(name, bound)) == (
        PASSED,
        "PersistentVolumeClaim web: Bound to a volume.",
        None,
    )
    waits = named("PersistentVolumeClaim", "web", status={"phase": "Pending"})
    waits["spec"]["storageClassName"] = "late"
    assert said(Board(storage_class("fast")).check(name, waits)) == (
        FAILED,
        "PersistentVolumeClaim web is of the storage class late, which does not exist. The cluster "
        "has fast.",
        "Make the claim anew with a class that the cluster has.",
    )
    late = Board(storage_class("late", "WaitForFirstConsumer"))
    assert said(late.check(name, waits)) == (
        WARNING,
        "PersistentVolumeClaim web: It gets its volume when the first pod uses it.",
        "Connect it to a workload that mounts it.",
    )
    del waits["spec"]["storageClassName"]
    assert said(Board().check(name, waits)) == (
        WARNING,
        "PersistentVolumeClaim web names no storage class, and the cluster has no default. The "
        "cluster has none.",
        "Make the claim anew with a class that the cluster has.",
    )


def test_the_claims_of_pods() -> None:
    name = "Claims are bound"
    workload = named("StatefulSet", "web", status={"observedGeneration": 1})
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
    made = owned(pod("web-0", RUNNING, spec={"volumes": [volume]}), workload)
    assert said(Board(workload, made).check(name, workload)) == (
        FAILED,
        "StatefulSet web needs the PersistentVolumeClaim data-web-0, which does not exist.",
        "Add it to the canvas, or correct the mount.",
    )
    claim = named("PersistentVolumeClaim", "data-web-0", status={"phase": "Bound"})
    assert Board(workload, made, claim).check(name, workload).outcome is PASSED


def autoscaler(**given: Any) -> Fields:
    spec = {"metrics": [UTILISATION], **given.pop("spec", {})}
    return named("HorizontalPodAutoscaler", "web", spec=spec, **given)


def target(**resources: Any) -> Fields:
    container = {"name": "app", "image": "shop/web:1", "resources": resources}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return named("Deployment", "web", spec={"template": template})


def test_what_an_autoscaler_scales() -> None:
    name = "Target exists"
    assert said(Board().check(name, autoscaler())) == (
        FAILED,
        "HorizontalPodAutoscaler web scales the Deployment web, which does not exist.",
        "Connect it to a workload of the canvas, and deploy.",
    )
    assert Board(target()).check(name, autoscaler()).outcome is PASSED
    other = autoscaler(spec={"scaleTargetRef": {"kind": "Widget", "name": "web"}})
    assert Board().check(name, other).outcome is SKIPPED


def test_what_an_autoscaler_measures() -> None:
    name = "Autoscaler has metrics"
    assert said(Board(target()).check(name, autoscaler())) == (
        FAILED,
        "HorizontalPodAutoscaler web goes by cpu use, and container app has no request.",
        "Set resources.requests.cpu of every container.",
    )
    fine = Board(target(requests={"cpu": "50m"}))
    conditions = [
        {"type": "AbleToScale", "status": "True"},
        {
            "type": "ScalingActive",
            "status": "False",
            "reason": "FailedGetResourceMetric",
            "message": "no metrics",
            "lastTransitionTime": at(600),
        },
    ]
    blind = autoscaler(status={"conditions": conditions})
    assert said(fine.check(name, blind)) == (
        WARNING,
        "HorizontalPodAutoscaler web: It cannot measure its target: no metrics. The cluster needs "
        "a metrics server, and the target's containers need requests.",
        "Install a metrics server, and set requests for every container of its target.",
    )
    works = autoscaler(status={"currentReplicas": 2, "conditions": conditions[:1]})
    assert fine.check(name, works).outcome is PASSED


def test_addresses_from_outside() -> None:
    name = "Address from outside"
    balanced = service(type="LoadBalancer", clusterIP="10.0.0.1")
    check = Board().check(name, balanced)
    assert check.outcome is WARNING
    assert check.suggestion == (
        "Wait a moment; if it stays so, check that the cluster has a load balancer."
    )
    there = {**balanced, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}}
    assert said(Board().check(name, there)) == (
        PASSED,
        "Service web: Reachable at 203.0.113.1.",
        None,
    )
    inside = Board().diagnosis(service())
    assert name not in {each.name for each in inside.checks}


def test_every_kind_of_the_catalogue_has_checks() -> None:
    for kind in sorted(KINDS):
        found = Board().diagnosis(named(kind, "web"))
        assert len(found.checks) >= 2, kind
