"""No value of a Secret is in anything that comes out of planning, whatever the cluster sends."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.domain.planning import (
    Consents,
    InventoryEntry,
    Leftover,
    ObjectKey,
    Observed,
    Plan,
    Question,
    make_plan,
)
from app.domain.planning.changes import changes, stated_changes
from app.domain.planning.secretkeys import values_write
from tests.domain.planning.scenes import WORKFLOW, changed, immutable, manifest, on_cluster, refused

KEYS = st.sampled_from(["user", "password", "tls.crt", "old", "x/y"])
VALUES = st.text("0123456789abcdef", min_size=12, max_size=40).map(lambda text: f"hunter2-{text}")
DATA = st.dictionaries(KEYS, VALUES, max_size=4)
SECRET = manifest("Secret", "db", keys=("user", "password"), node="n2", type="Opaque")


def encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def tells(results: object, *data: dict[str, str]) -> bool:
    """Whether a value, plain or encoded, is in what the results look like."""
    text = repr(results)
    values = [value for one in data for value in [*one.values(), *encoded(one).values()]]
    return any(value in text for value in values)


def copied(data: dict[str, str]) -> dict[str, Any]:
    """The whole Secret once more in an annotation, as kubectl leaves it."""
    whole = json.dumps({"stringData": data, "data": encoded(data)})
    return {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": whole}}


def live(data: dict[str, str], **fields: Any) -> dict[str, Any]:
    return on_cluster(SECRET, data=encoded(data), stringData=data, metadata=copied(data), **fields)


@given(DATA, DATA)
def test_changes(before: dict[str, str], after: dict[str, str]) -> None:
    one, other = live(before), live(after)
    assert not tells([changes(one, other), stated_changes(one, other)], before, after)
    assert bool(changes(one, other)) is (before != after)


@given(
    st.tuples(st.none() | DATA, st.none() | DATA),
    st.sampled_from(
        [
            None,
            lambda said: immutable("type", said),
            lambda said: refused(422, said, ("FieldValueForbidden", "data", said)),
            lambda said: refused(422, said, ("FieldValueInvalid", "data[a]", said)),
            lambda said: refused(403, f"{said} denied the request"),
            lambda said: refused(403, f"exceeded quota: {said}"),
            lambda said: refused(404, said),
            lambda said: refused(409, said, ("FieldManagerConflict", "data.a", said)),
            lambda said: refused(503, said),
        ]
    ),
    st.sets(KEYS),
    st.booleans(),
    st.booleans(),
)
def test_plans(
    data: tuple[dict[str, str] | None, dict[str, str] | None],
    refusing: Any,
    given_: set[str],
    frozen: bool,
    consents: bool,
) -> None:
    before, after = data
    refusal = refusing(str(before)) if refusing is not None else None
    now = live(before, immutable=frozen) if before is not None else None
    then = live(after) if after is not None else None
    # The items of a list do not say their kind.
    bare = changed(now, "kind", None) if now is not None else None
    seen = Observed(SECRET, bare, then, refusal)
    left = Leftover(InventoryEntry(ObjectKey.of_manifest(SECRET), None), bare)
    question = Question(
        WORKFLOW, given={"n2": given_}, consents=Consents(consents, consents, consents, consents)
    )
    plans = [make_plan([seen], question), make_plan([], question, left=[left])]
    told = [
        seen,
        left,
        plans,
        [seen.live, seen.answer, left.live],
        [TypeAdapter(Plan).dump_json(plan) for plan in plans],
        [plan.obstacles for plan in plans],
        values_write(SECRET, now, given_, workflow_id=WORKFLOW),
    ]
    assert not tells(told, before or {}, after or {})


@given(DATA.filter(bool))
def test_the_body_of_a_write_is_the_only_place(values: dict[str, str]) -> None:
    """It also shows that these tests would find a value."""
    made = manifest("Secret", "db", keys=tuple(values), type="Opaque")
    write = values_write(made, None, values.keys(), workflow_id=WORKFLOW)
    assert write is not None
    assert not tells(write, values)
    assert tells(write.body(values), values)
