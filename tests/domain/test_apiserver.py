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


@pytest.mark.parametrize("peers", [[], [{}]])
def test_an_accidental_rule_for_everybody(peers: list[Any]) -> None:
    obj = copy.deepcopy(POLICY)
    obj["spec"]["ingress"][0]["from"] = peers
    assert "allows everybody" in "; ".join(apiserver.refusals(obj, apiserver.NEWEST))
