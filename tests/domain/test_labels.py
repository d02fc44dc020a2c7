"""The labels that pods carry, and those that only the cluster's controllers write."""

import pytest

from app.domain import labels
from app.domain.compile import compile
from tests.domain.sketch import box, sketch


@pytest.mark.parametrize("kind", ["job", "cronjob", "deployment"])
def test_pods_carry_no_label_that_controllers_write(kind: str) -> None:
    """The API server refuses a Job whose pods have another `job-name` or `controller-uid`."""
    given = dict.fromkeys(labels.CONTROLLED, "x")
    canvas = sketch(box(kind, "work", labels={"tier": "back", **given}))
    (made,) = compile(canvas, workflow_id="w", workflow_name="W", namespace="default")
    spec = made.object["spec"]
    templates = (
        [spec["jobTemplate"], spec["jobTemplate"]["spec"]["template"]]
        if kind == "cronjob"
        else [spec["template"]]
    )
    for template in templates:
        assert template["metadata"]["labels"]["tier"] == "back"
        assert labels.CONTROLLED.isdisjoint(template["metadata"]["labels"])
    assert made.object["metadata"]["labels"].items() >= given.items()
