"""What stands in the way of a deploy: what all problems have in common."""

import re
from typing import Any

import pytest
from hypothesis import given

from app.domain.canvas import Canvas
from app.domain.naming import api_name
from app.domain.nodes import NODE_KINDS
from app.domain.problems import ProblemCode, Severity, problems
from tests.domain import (
    test_problems_of_reach,
    test_problems_of_references,
    test_problems_of_running,
)
from tests.domain.canvases import canvases
from tests.domain.cases import LED, WEB, Found, Part, found
from tests.domain.sketch import box, line, sketch

CASES = [*test_problems_of_reach.CASES, *test_problems_of_references.CASES]
CASES += test_problems_of_running.CASES


def test_nothing_is_wrong() -> None:
    assert (
        found(
            *LED,
            box("ingress", "routes", host="a.example.com"),
            line("routes", "front"),
            box("configmap", "settings"),
            line("settings", "web"),
            box("networkpolicy", "policy"),
            line("policy", "web"),
            box("cronjob", "backup", schedule="0 2 * * *"),
        )
        == []
    )


def test_an_empty_canvas_has_no_problems() -> None:
    assert found() == []


@pytest.mark.parametrize("kind", list(NODE_KINDS))
def test_two_objects_of_one_kind_need_two_names(kind: str) -> None:
    same = [box(kind, "a", name="x"), box(kind, "b", name="x")]
    assert ("error", "NAME_TAKEN", "b", "data.name") in found(*same)
    apart = [box(kind, "a", name="x"), box(kind, "b", name="x", namespace="other")]
    assert "NAME_TAKEN" not in {code for _, code, _, _ in found(*apart)}


def test_the_namespace_of_the_workflow_counts() -> None:
    canvas = sketch(box("secret", "a", name="x"), box("secret", "b", name="x", namespace="team"))
    assert problems(canvas) == []
    assert [p.code for p in problems(canvas, namespace="team")] == ["NAME_TAKEN"]


def test_plugins_of_different_kinds_may_share_a_name() -> None:
    queues = box("plugin", "a", name="x")
    assert found(queues, box("plugin", "b", name="x", plugin_id="nats")) == []
    assert found(queues, box("plugin", "b", name="x")) == [
        ("error", "NAME_TAKEN", "b", "data.name")
    ]


def test_every_code_is_shown_here() -> None:
    shown = {code for _, _, expected in CASES for _, code, _, _ in expected} | {"NAME_TAKEN"}
    assert {code.value for code in ProblemCode} <= shown


@pytest.mark.parametrize(("parts", "expected"), [pytest.param(p, e, id=i) for i, p, e in CASES])
def test_every_message_is_a_sentence_and_its_path_leads_to_a_field(
    parts: tuple[Part, ...], expected: Found
) -> None:
    canvas = sketch(*parts)
    for problem in problems(canvas):
        assert re.fullmatch(r".{20,300}\.", problem.message)
        if problem.path[0] != "data":
            continue
        at: Any = canvas.nodes[problem.node_id or ""].data
        for step in problem.path[1:]:
            if at is None:
                break
            if isinstance(at, list):
                at = at[int(step)] if int(step) < len(at) else None
            elif isinstance(at, dict):
                at = at.get(step)
            else:
                at = {api_name(name): getattr(at, name) for name in type(at).model_fields}[step]


def test_errors_come_first_then_in_the_order_of_the_nodes() -> None:
    canvas = sketch(
        box("service", "s"),
        box("cronjob", "c", suspend=True),
        box("hpa", "h"),
        box("service", "t"),
        box("ingress", "i"),
    )
    listed = problems(canvas)
    assert [(p.severity, p.node_id) for p in listed] == [
        (Severity.ERROR, "h"),
        (Severity.ERROR, "i"),
        (Severity.WARNING, "s"),
        (Severity.WARNING, "t"),
        (Severity.INFO, "c"),
    ]
    assert problems(canvas) == listed


def test_a_message_says_what_to_do() -> None:
    (problem,) = problems(
        sketch(box("service", "front", target_app="api"), WEB, line("front", "web"))
    )
    assert problem.message == (
        "This says api, but the edge leads to web, and the edge decides: clear this field, or "
        "remove the edge."
    )


@given(canvases())
def test_no_canvas_breaks_a_check(canvas: Canvas) -> None:
    listed = problems(canvas)
    assert problems(canvas) == listed
    assert all(problem.node_id in {None, *canvas.nodes} for problem in listed)
