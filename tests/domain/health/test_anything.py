"""Nothing that an API server sends can stop a rule, and nothing secret gets into a sentence."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.health import RULES, Health, HealthState, combined, health
from app.domain.text import is_fit
from tests.domain.health.objects import NOW, Fields, event, live
from tests.domain.health.test_cases import ALL

WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "True",
            "False",
            "Pending",
            "Running",
            "Failed",
            "CrashLoopBackOff",
            "ImagePullBackOff",
            "Ready",
            "Progressing",
            "FailedCreate",
            "2026-01-01T11:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "\ud800",
            "a\x00b",
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 2, -1, 2**31 - 1, 2**63]),
    st.floats(),
    WORDS,
)


def names(value: Any) -> set[str]:
    """The names of all fields in a value."""
    if isinstance(value, list):
        return set().union(*map(names, value))
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return set()


NAMES = sorted(set().union(*(names([c.object, c.related, c.events]) for _, c in ALL)))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=3)), inner, max_size=5),
    ),
    max_leaves=12,
)
KINDS = [(f"{group}/v1" if group else "v1", kind) for group, kind in RULES]
KINDS += [("example.com/v1", "Widget"), ("v1", "Event")]


def check(answer: Health) -> None:
    assert answer.reason
    assert answer.message.endswith((".", "…"))
    assert len(answer.message) < 3_000
    texts = [answer.message, answer.reason, *(n.message for n in answer.notes)]
    assert all(is_fit(text) and "\n" not in text for text in texts)
    assert answer.recheck_after is None or answer.recheck_after > 0
    assert (answer.ready is None) is (answer.desired is None)


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """A real object in which some values became others, or went."""
    if draw(st.integers(0, 25)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        return {
            key: draw(spoilt(item)) for key, item in value.items() if draw(st.integers(0, 25)) > 0
        }
    if isinstance(value, list):
        return [draw(spoilt(item)) for item in value]
    return value


@settings(max_examples=300)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(["metadata", "spec", "status", "x"]), JSON),
    st.lists(JSON, max_size=2),
    st.lists(JSON, max_size=2),
)
def test_any_json_has_a_health(
    kind: tuple[str, str], obj: Fields, related: list[Any], events: list[Any]
) -> None:
    given_ = {"apiVersion": kind[0], "kind": kind[1], **obj}
    check(health(given_, now=NOW, related=related, events=events))


@given(JSON, JSON)
def test_any_kind_at_all(api_version: Any, kind: Any) -> None:
    check(health({"apiVersion": api_version, "kind": kind}, now=NOW))


@settings(max_examples=400)
@given(st.data(), st.sampled_from(ALL))
def test_real_objects_with_something_wrong(data: st.DataObject, entry: tuple[str, Any]) -> None:
    case = entry[1]
    obj = data.draw(spoilt(case.object))
    related = data.draw(spoilt(case.related))
    events = data.draw(spoilt(case.events))
    if isinstance(obj, dict):
        seen = health(
            obj,
            now=NOW,
            related=related if isinstance(related, list) else [],
            events=events if isinstance(events, list) else [],
        )
        check(seen)
        check(combined([seen, seen]))


@pytest.mark.parametrize(("kind", "case"), ALL, ids=[f"{k}-{c.name}" for k, c in ALL])
def test_a_verdict_is_for_good_until_it_says_to_look_again(kind: str, case: Any) -> None:
    answer = case.health
    check(answer)
    wait = answer.recheck_after
    soon = NOW + timedelta(seconds=3600 if wait is None else wait * 0.99)
    then = health(case.object, now=soon, related=case.related, events=case.events)
    assert (then.state, then.reason, then.message) == (
        answer.state,
        answer.reason,
        answer.message,
    )


WRONG: list[Any] = [None, True, -1, 2**70, 1.5, "x", [], {}, [None, 1, "x", [], {}], {"x": 1}]


def faults(value: Any) -> Iterator[Any]:
    """The value with each of its parts, one at a time, being something wrong."""
    yield from WRONG
    if isinstance(value, dict):
        for key, item in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: wrong} for wrong in faults(item))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from ([*value[:i], wrong, *value[i + 1 :]] for wrong in faults(item))


def test_every_field_may_be_wrong() -> None:
    for _, case in ALL:
        for obj in faults(case.object):
            if isinstance(obj, dict):
                check(health(obj, now=NOW, related=case.related, events=case.events))
        for related in faults(case.related):
            if isinstance(related, list):
                check(health(case.object, now=NOW, related=related, events=case.events))
        for events in faults(case.events):
            if isinstance(events, list):
                for obj in (case.object, {**case.object, "metadata": None}):
                    check(health(obj, now=NOW, related=case.related, events=events))


SECRET = "hunter2-Zx9"


@pytest.mark.parametrize(
    "text",
    [
        f"cannot connect to postgres://app:{SECRET}@db:5432/shop",
        f"mount -t cifs -o username=app,password={SECRET} //nas/share: failed",
        f'{{"password": "{SECRET}"}} is refused',
        f"header Authorization: Bearer {SECRET} was refused",
        f"API_TOKEN={SECRET}",
        f"api-key='{SECRET}'",
    ],
)
def test_credentials_in_words_of_the_cluster(text: str) -> None:
    conditions = [{"type": "Stalled", "status": "True", "reason": "X", "message": text}]
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "status": {"conditions": conditions},
    }
    assert SECRET not in health(widget, now=NOW).message
    pod = live("Pod", {"status": {"phase": "Pending"}})
    told = event({"reason": "FailedMount", "message": text}, pod)
    answer = health(pod, now=NOW, events=[told])
    assert answer.state is HealthState.ERROR
    assert SECRET not in repr(answer)


def test_what_a_process_prints_is_never_repeated() -> None:
    ended = {"exitCode": 1, "reason": "Error", "message": SECRET}
    hook = f'hook failed, message: "{SECRET}"'
    states: list[Fields] = [
        {"state": {"terminated": ended}},
        {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended}},
        {"state": {"waiting": {"reason": "PostStartHookError", "message": hook}}},
    ]
    for state in states:
        status = {"phase": "Running", "containerStatuses": [{"restartCount": 9, **state}]}
        answer = health(live("Pod", {"status": status}), now=NOW)
        assert answer.state is HealthState.ERROR
        assert SECRET not in repr(answer)


def test_the_values_of_a_secret_are_not_looked_at() -> None:
    secret = live("Secret", {"data": {"password": SECRET}})
    conditions = {"conditions": [{"type": "Ready", "status": "False"}]}
    assert SECRET not in repr(health({**secret, "status": conditions}, now=NOW))
    assert json.dumps(secret).count(SECRET) == 1
