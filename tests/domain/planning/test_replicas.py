"""The number of pods when an autoscaler comes or goes: never the default in between."""

from typing import Any

import pytest

from app.domain.planning.objects import ObjectKey
from app.domain.planning.replicas import (
    REPLICAS_MANAGER,
    ReplicasMove,
    ReplicasStep,
    hand_over,
    scales,
    take_back,
)
from tests.domain.planning.scenes import causes, manifest, on_cluster

KEY = ObjectKey("apps/v1", "Deployment", "shop", "web")
SCALER = ObjectKey("autoscaling/v2", "HorizontalPodAutoscaler", "shop", "web")
FRAME = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
}


def web(**spec: Any) -> dict[str, Any]:
    return on_cluster(manifest("Deployment", spec=spec))


def test_a_number_that_would_fall_back_is_handed_over() -> None:
    step = hand_over(KEY, web(), web(replicas=5), web(replicas=1))
    assert step == ReplicasStep(ReplicasMove.HAND_OVER, KEY, 5)
    assert step is not None
    assert (step.body, step.release, step.force) == (
        {**FRAME, "spec": {"replicas": 5}},
        None,
        False,
    )


def test_one_that_stays_is_not() -> None:
    assert hand_over(KEY, web(), web(replicas=5), web(replicas=5)) is None


def test_one_that_the_canvas_says_is_not() -> None:
    assert hand_over(KEY, web(replicas=1), web(replicas=5), web(replicas=1)) is None


def test_other_kinds_have_none() -> None:
    key = ObjectKey("rabbitmq.com/v1beta1", "RabbitmqCluster", "shop", "web")
    assert hand_over(key, web(), web(replicas=5), web(replicas=1)) is None


SCALE = 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1'
OURS = f'conflict with "{REPLICAS_MANAGER}" using apps/v1'
KUBECTL = 'conflict with "kubectl" with subresource "scale" using apps/v1'


@pytest.mark.parametrize(
    ("fields", "unscaled", "taken"),
    [
        ([("spec.replicas", SCALE)], True, True),
        ([("spec.replicas", SCALE)], False, False),
        ([("spec.replicas", OURS)], False, True),
        ([("spec.replicas", OURS), ("spec.replicas", SCALE)], True, True),
        ([("spec.replicas", KUBECTL)], True, False),
        ([("spec.replicas", SCALE), ("spec.paused", SCALE)], True, False),
        ([], True, False),
    ],
)
def test_the_number_is_taken_back_from_an_autoscaler_that_goes(
    fields: list[tuple[str, str]], unscaled: bool, taken: bool
) -> None:
    found = causes(*(("FieldManagerConflict", field, words) for field, words in fields))
    autoscaler = SCALER if unscaled else None
    step = take_back(KEY, web(replicas=2), found, autoscaler=autoscaler)
    assert step == (ReplicasStep(ReplicasMove.TAKE_BACK, KEY, 2, autoscaler) if taken else None)


def test_what_is_taken_back_is_released_at_the_end() -> None:
    step = ReplicasStep(ReplicasMove.TAKE_BACK, KEY, 2)
    assert (step.body, step.release, step.force) == (
        {**FRAME, "spec": {"replicas": 2}},
        FRAME,
        True,
    )


def test_nothing_is_taken_back_that_the_canvas_does_not_say() -> None:
    found = causes(("FieldManagerConflict", "spec.replicas", OURS))
    assert take_back(KEY, web(), found, autoscaler=SCALER) is None


def test_what_an_autoscaler_scales() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    made = manifest("HorizontalPodAutoscaler", spec={"scaleTargetRef": target})
    assert scales(on_cluster(made)) == ("Deployment", "shop", "web")
