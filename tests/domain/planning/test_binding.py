"""What a plan is bound by: it holds while what it was made from does, and says what has moved."""

import dataclasses

import pytest

from app.domain.planning import Observed
from app.domain.planning.binding import state_of
from app.domain.planning.plan import moved
from tests.domain.planning.scenes import (
    CONFIG,
    SCALED,
    SECRET,
    WEB,
    immutable,
    managed,
    manifest,
    on_cluster,
    planned,
    refusing,
    same,
    secret,
    updated,
)


def test_the_hash_is_the_same_for_the_same_question() -> None:
    one = planned(same(WEB), same(CONFIG), Observed(SECRET))
    other = planned(Observed(SECRET), same(CONFIG), same(WEB))
    assert one == other
    assert len(one.hash) == 64


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    turned = dataclasses.replace(WEB, object=dict(reversed(WEB.object.items())))
    live = dict(reversed(on_cluster(WEB).items()))
    assert planned(Observed(turned, live, live)).hash == planned(same(WEB)).hash


BEFORE = [same(WEB), same(CONFIG), secret("user", "password")]
UNMOVED = {
    "a status": same(WEB, status={"readyReplicas": 1}, metadata={"resourceVersion": "99"}),
    "a controller's annotation": same(
        WEB, metadata={"annotations": {"deployment.kubernetes.io/revision": "2"}}
    ),
}


@pytest.mark.parametrize("case", UNMOVED)
def test_what_moves_by_itself_does_not_make_a_plan_stale(case: str) -> None:
    before, after = planned(*BEFORE), planned(UNMOVED[case], *BEFORE[1:])
    assert (after.hash, before.conflicts_with(after)) == (before.hash, ())


def test_the_number_of_pods_under_an_autoscaler_moves_by_itself() -> None:
    few, many = (planned(same(SCALED, spec={"replicas": n})) for n in (1, 5))
    assert few.hash == many.hash


def test_other_secret_values_on_the_cluster_are_no_move() -> None:
    other = same(SECRET, data={"user": "eA==", "password": "eQ=="}, metadata=managed("user"))
    assert planned(other).hash == planned(secret("user", "password")).hash


MOVED: dict[str, tuple[list[Observed], list[str]]] = {
    "the canvas": (
        [updated(manifest("Deployment", spec={"replicas": 3}), "spec.x", 1), *BEFORE[1:]],
        ["Deployment shop/web was changed on the canvas."],
    ),
    "the keys of a secret on the canvas": (
        [*BEFORE[:2], same(dataclasses.replace(SECRET, keys=("user",)), data={"user": "eA=="})],
        ["Secret shop/db was changed on the canvas."],
    ),
    "a field on the cluster": (
        [same(WEB, spec={"replicas": 3}), *BEFORE[1:]],
        ["Deployment shop/web was changed on the cluster."],
    ),
    "a label on the cluster": (
        [BEFORE[0], same(CONFIG, metadata={"labels": {"a": "b"}}), BEFORE[2]],
        ["ConfigMap shop/config was changed on the cluster."],
    ),
    "a secret that lost a key": (
        [*BEFORE[:2], secret("user")],
        ["Secret shop/db was changed on the cluster."],
    ),
    "an object that is gone": (
        [Observed(WEB), *BEFORE[1:]],
        ["Deployment shop/web is not on the cluster any more."],
    ),
    "an object that was made anew": (
        [same(WEB, uid="u9"), *BEFORE[1:]],
        ["Deployment shop/web was deleted on the cluster and made anew."],
    ),
    "nodes that came and went": (
        [*BEFORE[1:], Observed(manifest("Service", node="n3"))],
        [
            "Deployment shop/web is not in the plan any more.",
            "Service shop/web is new in the plan.",
        ],
    ),
    "what the cluster says to the same": (
        [refusing(WEB, immutable("spec.selector")), *BEFORE[1:]],
        ["Deployment shop/web would be handled otherwise: replace, and not unchanged."],
    ),
}


@pytest.mark.parametrize("case", MOVED)
def test_what_has_moved_is_said(case: str) -> None:
    now, sentences = MOVED[case]
    before, after = planned(*BEFORE), planned(*now)
    assert before.hash != after.hash
    assert list(before.conflicts_with(after)) == sentences


def test_an_object_that_came_meanwhile() -> None:
    before, after = planned(Observed(WEB)), planned(same(WEB))
    assert before.conflicts_with(after) == ("Deployment shop/web is on the cluster now.",)


def test_before_an_object_is_touched_it_is_looked_at_once_more() -> None:
    one = planned(same(WEB)).objects[0]
    live, other = on_cluster(WEB), on_cluster(WEB, spec={"replicas": 3})

    def now(obj: dict[str, object] | None, uid: str | None) -> str:
        return moved(one, uid=uid, state=state_of(obj, WEB.object))

    assert now(live, one.uid) == ""
    assert now(other, one.uid) == "Deployment shop/web was changed on the cluster."
    assert now(live, "u9") == "Deployment shop/web was deleted on the cluster and made anew."
    assert now(None, None) == "Deployment shop/web is not on the cluster any more."


def test_a_secret_is_the_same_with_and_without_its_values() -> None:
    copy = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    live = on_cluster(SECRET, data={"user": "eA=="}, metadata={"annotations": copy})
    assert state_of(live, SECRET.object) == planned(Observed(SECRET, live, live)).objects[0].state
    assert state_of(None, SECRET.object) == ""
