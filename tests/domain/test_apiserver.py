"""The judge of our objects is no yes-man."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.domain import apiserver
from tests.domain.test_golden import GOLDEN

DEPLOYMENT: dict[str, Any] = list(
    yaml.safe_load_all((GOLDEN / "deployment" / "full.yaml").read_text())
)[1]
POLICY: dict[str, Any] = yaml.safe_load((GOLDEN / "networkpolicy" / "full.yaml").read_text())


def container(obj: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj["spec"]["template"]["spec"]["containers"][0]
    return found


def test_versions() -> None:
    assert apiserver.OLDEST == "1.30"
    assert int(apiserver.NEWEST.split(".")[1]) >= 37


@pytest.mark.parametrize("version", [apiserver.OLDEST, apiserver.NEWEST])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda o: o["spec"].update(replcas=1), "replcas"),
        (lambda o: o["spec"].update(replicas="1"), "not of type 'integer'"),
        (lambda o: o["spec"].pop("selector"), "'selector' is a required property"),
        (lambda o: container(o)["env"].append({"name": "X", "value": 1}), "not of type 'string'"),
        (lambda o: container(o)["env"].append(container(o)["env"][0]), "twice"),
        (lambda o: container(o)["ports"].append(container(o)["ports"][0]), "twice"),
        (lambda o: container(o)["volumeMounts"].append(container(o)["volumeMounts"][0]), "twice"),
        (lambda o: o["spec"]["template"]["spec"]["volumes"].clear(), "no volume"),
        (lambda o: container(o)["resources"]["limits"].update(memory="1024Mi"), "how the server"),
        (lambda o: o["spec"]["template"]["metadata"]["labels"].clear(), "not the labels"),
        (lambda o: o["metadata"].update(name="A"), "metadata.name"),
        (lambda o: o["metadata"]["labels"].update(a="x y"), "label a=x y"),
        (lambda o: o["spec"].update(paused=None), "None"),
    ],
)
def test_what_it_refuses(spoil: Callable[[dict[str, Any]], Any], says: str, version: str) -> None:
    obj = copy.deepcopy(DEPLOYMENT)
    assert apiserver.refusals(obj, version) == []
    spoil(obj)
    assert says in "; ".join(apiserver.refusals(obj, version))


def of(kind: str) -> dict[str, Any]:
    """The object of a kind's full case."""
    folder = "hpa" if kind.startswith("horizontal") else kind
    written = yaml.safe_load_all((GOLDEN / folder / "full.yaml").read_text())
    found: dict[str, Any] = next(obj for obj in written if obj["kind"].lower() == kind)
    return found


@pytest.mark.parametrize(
    ("kind", "spoil", "says"),
    [
        ("deployment", lambda o: o["spec"].update(minReadySeconds=9999), "progressDeadlineSeconds"),
        (
            "deployment",
            lambda o: container(o)["livenessProbe"].update(successThreshold=2),
            "livenessProbe.successThreshold",
        ),
        (
            "deployment",
            lambda o: container(o)["readinessProbe"].update(exec={"command": ["a"]}),
            "readinessProbe: not one check",
        ),
        (
            "deployment",
            lambda o: container(o)["securityContext"].update(
                allowPrivilegeEscalation=False, privileged=True
            ),
            "allowPrivilegeEscalation",
        ),
        (
            "job",
            lambda o: o["spec"]["template"]["metadata"]["labels"].update({"job-name": "x"}),
            "label job-name",
        ),
        ("job", lambda o: o["spec"]["template"]["spec"].pop("restartPolicy"), "restartPolicy"),
        (
            "cronjob",
            lambda o: (
                o["metadata"].update(name="a" * 52),
                o["spec"]["jobTemplate"]["spec"].update(completionMode="Indexed", completions=9),
            ),
            "too long names",
        ),
        ("configmap", lambda o: o["data"].update({"..": ""}), "key .."),
        ("horizontalpodautoscaler", lambda o: o["spec"].update(minReplicas=0), "minReplicas"),
        (
            "persistentvolumeclaim",
            lambda o: o["spec"].update(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
            "accessModes",
        ),
        (
            "service",
            lambda o: (
                o["spec"].update(type="LoadBalancer"),
                o["spec"]["ports"][0].update(port=10250),
            ),
            "kubelet",
        ),
        ("service", lambda o: o["spec"].update(type="NodePort", clusterIP="None"), "headless"),
        (
            "ingress",
            lambda o: o["spec"]["rules"][0]["http"]["paths"][0].update(
                path="/a/../b", pathType="Prefix"
            ),
            "path",
        ),
        (
            "networkpolicy",
            lambda o: o["spec"]["ingress"][0].update(ports=[{"port": "a", "endPort": 9}]),
            "endPort",
        ),
    ],
)
def test_the_rules_that_no_schema_says(
    kind: str, spoil: Callable[[dict[str, Any]], Any], says: str
) -> None:
    obj = copy.deepcopy(of(kind))
    assert apiserver.refusals(obj, apiserver.NEWEST) == []
    spoil(obj)
    assert says in "; ".join(apiserver.refusals(obj, apiserver.NEWEST))


@pytest.mark.parametrize("peers", [[], [{}]])
def test_an_accidental_rule_for_everybody(peers: list[Any]) -> None:
    obj = copy.deepcopy(POLICY)
    obj["spec"]["ingress"][0]["from"] = peers
    assert "allows everybody" in "; ".join(apiserver.refusals(obj, apiserver.NEWEST))
