"""Whatever a cluster answers: no exception, plain sentences, and a way out of each trouble."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from app.domain.diagnosing import Look, Scene, Sight, Subject, diagnose, pod_seen
from app.domain.inspecting import CheckOutcome, Diagnosis
from app.domain.planning import ObjectKey
from app.domain.text import is_fit
from tests.domain.health.objects import NOW, Fields
from tests.domain.health.test_anything import JSON
from tests.domain.looked_at import Board, deployed, pod
from tests.domain.test_diagnosing import CONFIGURED, NAMED, UNREADY, waiting
from tests.domain.test_diagnosing_network import reached

JUNK: tuple[Any, ...] = (None, True, -1, "x\x00\ud800", [], [[]], [None, {}], {}, {"a": {"b": 1}})


def judged(found: Diagnosis) -> None:
    for check in found.checks:
        troubled = check.outcome in {CheckOutcome.FAILED, CheckOutcome.WARNING}
        assert bool(check.suggestion) is troubled, check
        assert all(is_fit(text) for text in (check.message, check.suggestion or ""))
        assert "\n" not in check.message


def paths(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """Every place in an object."""
    yield before
    parts = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, dict) else parts:
        yield from paths(inner, *before, key)


def spoiled(objects: list[Fields], path: tuple[Any, ...], junk: Any) -> list[Fields]:
    """The objects, with something else at one place."""
    made: Any = copy.deepcopy(objects)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return [each for each in made if isinstance(each, dict)]


def crowd() -> list[Fields]:
    """A workload in trouble and what leads to it, with all that they name."""
    last = {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": 3}
    crashing = pod("web-a", waiting("CrashLoopBackOff", **last))
    workload = deployed(crashing, pod("web-b", UNREADY), spec={"template": dict(CONFIGURED)})
    board = Board(*workload, *NAMED)
    board.tell(workload[2], reason="Unhealthy", message="Readiness probe failed: a")
    return [*board.objects, *reached()]


SUBJECTS = {
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Service",
}
CROWD = crowd()
PLACES = [path for path in paths(CROWD) if len(path) > 1 and path[1] not in {"kind", "apiVersion"}]


class Spoiled(Board):
    """Looks bring everything of their kind, because what they go by may be spoiled."""

    def _sight(self, look: Look) -> Sight:
        return Sight([each for each in self.objects if each["kind"] == look.kind])


@pytest.mark.parametrize("part", range(10))
def test_one_place_of_an_answer_is_not_what_it_should_be(part: int) -> None:
    for place in PLACES[part::10]:
        for junk in JUNK:
            objects = spoiled(CROWD, place, junk)
            board = Spoiled(*objects)
            subjects = [each for each in objects if each["kind"] in SUBJECTS]
            judged(board.diagnosis(*subjects))
            for each in objects:
                if each["kind"] == "Pod":
                    pod_seen(each, now=NOW)


@settings(max_examples=100)
@given(JSON, JSON)
def test_any_json_is_accepted(first: Any, second: Any) -> None:
    obj: Fields = {"metadata": first, "spec": second, "status": first}
    keys = [ObjectKey(each["apiVersion"], each["kind"], "shop", "web") for each in CROWD]
    subjects = [
        Subject(key, {"apiVersion": key.api_version, "kind": key.kind, **obj}) for key in keys
    ]
    sights: dict[Look, Sight] = {}
    for _ in range(6):
        scene = Scene(subjects, NOW, sights)
        found = diagnose("node", scene)
        sights |= {look: Sight([{"kind": look.kind, **obj}]) for look in scene.unseen}
    assert not scene.unseen
    judged(found)
    pod_seen({"kind": "Pod", **obj}, now=NOW)
