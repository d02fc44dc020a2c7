"""What holds of server-side apply whatever is applied."""

import json
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.ownership import Conflicts, apply, record_update
from app.sandbox.ownership.fieldset import FieldSet, from_key, to_key
from app.sandbox.schemas import from_crd

NOW = "2026-01-01T12:00:00Z"
Object = dict[str, Any]

KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
LEAF = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}
ITEM = {
    "type": "object",
    "properties": {
        **LEAF["properties"],  # type: ignore[dict-item]
        "inner": {"type": "array", "items": LEAF, **KEYED},
    },
}
SCHEMA = from_crd(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "count": {"type": "integer"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "tags": {
                        "type": "array",
                        "items": {"type": "string"},
                        "x-kubernetes-list-type": "set",
                    },
                    "args": {"type": "array", "items": {"type": "string"}},
                    "items": {"type": "array", "items": ITEM, **KEYED},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        },
    }
)

names = st.sampled_from("abc")
sizes = st.integers(0, 2)


def keyed(item: st.SearchStrategy[Object]) -> st.SearchStrategy[list[Object]]:
    return st.lists(item, min_size=1, max_size=3, unique_by=lambda found: found["name"])


leaves = st.fixed_dictionaries({"name": names}, optional={"size": sizes})
items = st.fixed_dictionaries({"name": names}, optional={"size": sizes, "inner": keyed(leaves)})
specs = st.fixed_dictionaries(
    {},
    optional={
        "count": sizes,
        "labels": st.dictionaries(names, names, min_size=1),
        "tags": st.lists(names, min_size=1, max_size=3, unique=True),
        "args": st.lists(names, max_size=2),
        "items": keyed(items),
        # Never empty: removing the last field of a free map removes the map, sent empty or not.
        "free": st.dictionaries(
            names, sizes | st.dictionaries(names, sizes, min_size=1), min_size=1
        ),
    },
)


def one(spec: Object) -> Object:
    made = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    return {**made, "spec": spec} if spec else made


def applied(live: Object | None, spec: Object, manager: str, *, force: bool = True) -> Object:
    return apply(live, one(spec), manager=manager, force=force, schema=SCHEMA, now=NOW)


def bare(obj: Object) -> Object:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def sets(obj: Object) -> dict[str, FieldSet]:
    return {
        entry["manager"]: FieldSet.from_fields_v1(entry["fieldsV1"])
        for entry in obj["metadata"].get("managedFields", [])
    }


def sorted_lists(value: Any) -> Any:
    """With items in one order, as who comes first decides where an item stands."""
    if isinstance(value, dict):
        return {key: sorted_lists(its) for key, its in value.items()}
    if isinstance(value, list):
        return sorted(map(sorted_lists, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


@given(specs, specs)
def test_twice_is_once(before: Object, spec: Object) -> None:
    live = applied(None, before, "other")
    once = applied(live, spec, "one")
    assert applied(once, spec, "one") == once


@given(specs)
def test_what_was_applied_is_there_alone(spec: Object) -> None:
    assert bare(applied(None, spec, "one")) == one(spec)


@given(specs, specs)
def test_the_next_apply_of_a_sole_owner_replaces_the_last(first: Object, second: Object) -> None:
    told = applied(applied(None, first, "one"), second, "one")
    assert bare(told) == one(second)


@given(specs, specs)
def test_leaving_undoes_joining(mine: Object, theirs: Object) -> None:
    live = applied(None, theirs, "other")
    try:
        joined = applied(live, mine, "one", force=False)
    except Conflicts:
        return
    left = applied(joined, {}, "one")
    assert sorted_lists(bare(left)) == sorted_lists(bare(live))
    assert sets(left) == sets(live)


@given(st.lists(specs, min_size=3, max_size=3))
def test_owners_that_agree_may_come_in_any_order(found: list[Object]) -> None:
    outcomes = []
    for order in permutations(range(3)):
        live = None
        for number in order:
            try:
                live = applied(live, found[number], f"m{number}", force=False)
            except Conflicts:
                return
        assert live
        outcomes.append((sorted_lists(bare(live)), sets(live)))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@given(specs, specs)
def test_without_force_an_apply_conflicts_or_takes_nothing(mine: Object, theirs: Object) -> None:
    live = applied(None, theirs, "other")
    try:
        told = applied(live, mine, "one", force=False)
    except Conflicts as conflicts:
        assert conflicts.causes
    else:
        assert sets(told)["other"] == sets(live)["other"] if theirs else not sets(live)


@given(specs, specs)
def test_force_gives_each_contested_field_one_owner(mine: Object, theirs: Object) -> None:
    live = applied(None, theirs, "other")
    try:
        applied(live, mine, "one", force=False)
    except Conflicts as conflicts:
        taken = sets(applied(live, mine, "one"))
        contested = {conflict.path for conflict in conflicts.conflicts}
        assert not contested & set(taken.get("other", FieldSet()))


@given(specs, specs)
def test_an_update_leaves_no_owner_of_what_is_gone(before: Object, after: Object) -> None:
    live = applied(None, before, "one")
    told = record_update(
        live,
        {**one(after), "metadata": live["metadata"]},
        manager="editor",
        schema=SCHEMA,
        now=NOW,
    )
    assert bare(told) == one(after)
    alone = set(sets(applied(None, after, "x")).get("x", FieldSet()))
    for paths in sets(told).values():
        for path in paths:
            assert path in alone or any(longer[: len(path)] == path for longer in alone)


# The sets themselves

elements = st.one_of(
    st.text().map(lambda text: (0, text)),
    st.dictionaries(st.text(), st.integers() | st.text() | st.booleans(), min_size=1).map(
        lambda found: from_key(to_key((1, tuple((k, (0, v)) for k, v in sorted(found.items())))))
    ),
    (st.text() | st.integers() | st.booleans()).map(lambda v: from_key(to_key((2, (0, v))))),
    st.integers(0).map(lambda index: (3, index)),
)


@st.composite
def field_sets(draw: st.DrawFn) -> FieldSet:
    made = FieldSet()
    for path in draw(st.lists(st.lists(elements, min_size=1, max_size=3), max_size=5)):
        made.add(tuple(path))
    return made


@given(elements)
def test_an_element_is_read_as_it_was_written(element: tuple[int, Any]) -> None:
    assert from_key(to_key(element)) == element


@given(field_sets())
def test_a_set_is_read_as_it_was_written(found: FieldSet) -> None:
    assert FieldSet.from_fields_v1(found.to_fields_v1()) == found


@given(field_sets(), field_sets())
def test_sets_are_sets_of_paths(one_set: FieldSet, other: FieldSet) -> None:
    ones, others = set(one_set), set(other)
    assert set(one_set | other) == ones | others
    assert set(one_set & other) == ones & others
    assert set(one_set - other) == ones - others
    assert set(one_set.without(other)) == {
        path
        for path in ones
        if not any(path[: length + 1] in others for length in range(len(path)))
    }
    assert (one_set - one_set) == FieldSet()
