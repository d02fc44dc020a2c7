"""JSON patches, merge patches and strategic merge patches."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.patches import PatchError, json_patch, merge_patch, strategic_merge_patch
from app.sandbox.schemas import TypeSchema, builtin

Json = dict[str, Any]
REJECTED = "the server rejected our request due to an error in our request"


def refused(error: PatchError) -> tuple[int, str, str]:
    return error.code, error.reason, str(error)


# JSON patch

DOC: Json = {"a": 1, "list": ["x", "y"], "map": {"b/c": {"~": 2}}, "on": True, "none": None}


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "add", "path": "/new", "value": 1}, {"new": 1}),
        ({"op": "add", "path": "/a", "value": 2}, {"a": 2}),
        ({"op": "add", "path": "/list/-", "value": "z"}, {"list": ["x", "y", "z"]}),
        ({"op": "add", "path": "/list/0", "value": "z"}, {"list": ["z", "x", "y"]}),
        ({"op": "remove", "path": "/list/0"}, {"list": ["y"]}),
        ({"op": "replace", "path": "/map/b~1c/~0", "value": 3}, {"map": {"b/c": {"~": 3}}}),
        ({"op": "copy", "path": "/new", "from": "/map/b~1c"}, {"new": {"~": 2}}),
        ({"op": "move", "path": "/list/1", "from": "/list/0"}, {"list": ["y", "x"]}),
        ({"op": "test", "path": "/a", "value": 1.0}, {}),
        ({"op": "test", "path": "/none", "value": None}, {}),
    ],
)
def test_a_json_patch(operation: Json, changed: Json) -> None:
    before = deepcopy(DOC)
    assert json_patch(DOC, [operation]) == {**DOC, **changed}
    assert before == DOC


def test_operations_follow_one_another_and_share_nothing() -> None:
    value: list[Any] = []
    operations = [
        {"op": "add", "path": "/one", "value": value},
        {"op": "copy", "path": "/two", "from": "/one"},
        {"op": "add", "path": "/one/-", "value": 1},
        {"op": "test", "path": "/two", "value": []},
    ]
    assert json_patch({}, operations) == {"one": [1], "two": []}
    assert value == []


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/on", "value": 1},
        {"op": "test", "path": "/missing", "value": None},
        {"op": "add", "path": "/missing/b", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/list/-1", "value": 1},
        {"op": "add", "path": "/list/00", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "remove", "path": "/list/-"},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "move", "path": "/map/b", "from": "/map"},
        {"op": "copy", "path": "/b", "from": "/missing"},
        {"op": "copy", "path": "/b", "from": 1},
        {"op": "copy", "path": "/b"},
        {"op": "append", "path": "/a", "value": 1},
        {"op": ["add"], "path": "/a", "value": 1},
        {"op": "add", "path": {}, "value": 1},
        {"path": "/a"},
        {},
    ],
)
def test_an_operation_that_does_not_apply(operation: Json) -> None:
    before = deepcopy(DOC)
    with pytest.raises(PatchError) as caught:
        json_patch(DOC, [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/a", "value": 1},
                         operation])  # fmt: skip
    assert refused(caught.value) == (422, "Invalid", REJECTED)
    assert before == DOC


def test_a_refusal_does_not_tell_what_is_stored() -> None:
    with pytest.raises(PatchError) as caught:
        json_patch({"data": {"key": "hunter2"}}, [{"op": "add", "path": "/x/y", "value": "s3cret"}])
    seen: BaseException | None = caught.value
    assert seen
    assert "hunter2" not in repr(seen)
    assert seen.__cause__ is None
    assert seen.__suppress_context__


@pytest.mark.parametrize("operations", [{"op": "add"}, "add", None, [1], [[]], 7])
def test_what_is_no_json_patch(operations: Any) -> None:
    with pytest.raises(PatchError) as caught:
        json_patch({}, operations)
    assert refused(caught.value) == (
        400,
        "BadRequest",
        "error decoding patch: a JSON patch is a list of operations",
    )


def test_too_many_operations() -> None:
    with pytest.raises(PatchError) as caught:
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 1}] * 10_001)
    assert refused(caught.value) == (
        413,
        "RequestEntityTooLarge",
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    )


def test_copies_cannot_grow_without_end() -> None:
    doubling = [{"op": "copy", "path": "/a/-", "from": "/a"}] * 64
    with pytest.raises(PatchError) as caught:
        json_patch({"a": ["x" * 1000]}, doubling)
    assert refused(caught.value) == (422, "Invalid", REJECTED)


@pytest.mark.parametrize("copies", [8, 20])
def test_nor_can_they_nest_without_end(copies: int) -> None:
    nesting = [
        {"op": "copy", "path": "/a" * (2**number + 1), "from": "/a"} for number in range(copies)
    ]
    with pytest.raises(PatchError) as caught:
        json_patch({"a": {}}, nesting)
    assert refused(caught.value) == (422, "Invalid", REJECTED)
    assert json_patch({"a": {}}, nesting[:2]) == {"a": {"a": {"a": {"a": {}}}}}


# Merge patch


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        # The examples of RFC 7386, appendix A, whose patch is an object.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch(target: Any, patch: Json, merged: Json) -> None:
    before = deepcopy((target, patch))
    assert merge_patch(target, patch) == merged
    assert (target, patch) == before


@pytest.mark.parametrize("patch", [None, [], "a", 1, True])
def test_what_is_no_merge_patch(patch: Any) -> None:
    with pytest.raises(PatchError) as caught:
        merge_patch({}, patch)
    assert refused(caught.value) == (400, "BadRequest", "Invalid JSON Patch")


trees = st.recursive(
    st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
maps = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@given(maps, maps)
def test_a_merge_patch_twice_is_once(target: Json, patch: Json) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


# Strategic merge patch


def schema(api_version: str, kind: str) -> TypeSchema:
    found = builtin(api_version, kind)
    assert found
    return found


DEPLOYMENT = schema("apps/v1", "Deployment")


def patched(target: Any, patch: Any, of: TypeSchema = DEPLOYMENT) -> Any:
    before = deepcopy((target, patch))
    merged = strategic_merge_patch(target, patch, of)
    assert (target, patch) == before
    return merged


def pods(**spec: Any) -> Json:
    return {"spec": {"template": {"spec": spec}}}


def named(*names: str) -> list[Json]:
    return [{"name": name} for name in names]


WEB = pods(containers=[{"name": "web", "image": "nginx"}, {"name": "log", "image": "fluent"}])


def test_fields_merge_and_null_deletes() -> None:
    target = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"replicas": 1, "paused": True}}
    patch = {"metadata": {"labels": {"b": None, "c": "3"}}, "spec": {"paused": None}}
    assert patched(target, patch) == {
        "metadata": {"labels": {"a": "1", "c": "3"}},
        "spec": {"replicas": 1},
    }


def test_items_merge_by_their_key() -> None:
    patch = pods(containers=[{"name": "log", "image": "fluent:2"}, {"name": "new"}])
    assert patched(WEB, patch) == pods(
        containers=[
            {"name": "web", "image": "nginx"},
            {"name": "log", "image": "fluent:2"},
            {"name": "new"},
        ]
    )


def test_the_key_of_ports_is_the_port_alone() -> None:
    ports = [{"port": 53, "protocol": "TCP"}, {"port": 80}]
    patch = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}]}}
    merged = patched({"spec": {"ports": ports}}, patch, schema("v1", "Service"))
    assert merged == {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 80}]}}


def test_conditions_of_a_job_merge_by_type() -> None:
    old = [{"type": "Complete", "status": "False"}]
    patch = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    merged = patched({"status": {"conditions": old}}, patch, schema("batch/v1", "Job"))
    assert merged == {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


def test_atomic_lists_are_replaced() -> None:
    target = pods(tolerations=[{"key": "a"}], containers=[{"name": "web", "args": ["a", "b"]}])
    patch = pods(tolerations=[{"key": "b"}], containers=[{"name": "web", "args": ["c"]}])
    assert patched(target, patch) == patch


def test_lists_of_scalars_merge_without_doubles() -> None:
    target = {"metadata": {"finalizers": ["a/1", "b/2"]}}
    patch = {"metadata": {"finalizers": ["c/3", "a/1"]}}
    assert patched(target, patch) == {"metadata": {"finalizers": ["c/3", "a/1", "b/2"]}}


def test_an_item_is_deleted_by_its_directive() -> None:
    patch = pods(containers=[{"name": "web", "$patch": "delete"}])
    assert patched(WEB, patch) == pods(containers=[{"name": "log", "image": "fluent"}])
    assert patched(pods(), patch) == pods(containers=[])


def test_a_list_is_replaced_by_its_directive() -> None:
    patch = pods(containers=[{"$patch": "replace"}, {"name": "only"}])
    assert patched(WEB, patch) == pods(containers=named("only"))


def test_a_map_is_replaced_or_emptied_by_its_directive() -> None:
    target = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    replaced = {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}}
    assert patched(target, replaced) == {"spec": {"strategy": {"type": "Recreate"}}}
    assert patched(target, {"spec": {"strategy": {"$patch": "delete"}}}) == {
        "spec": {"strategy": {}}
    }


def test_a_field_whose_strategy_is_to_be_replaced() -> None:
    budget = schema("policy/v1", "PodDisruptionBudget")
    target = {"spec": {"selector": {"matchLabels": {"a": "1"}}}}
    patch = {"spec": {"selector": {"matchLabels": {"b": "2"}}}}
    assert patched(target, patch, budget) == patch


def test_only_keys_that_are_retained_stay() -> None:
    target = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patched(target, patch) == {"spec": {"strategy": {"type": "Recreate"}}}

    volumes = pods(volumes=[{"name": "v", "emptyDir": {}}])
    other = {"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}
    assert patched(volumes, pods(volumes=[other])) == pods(
        volumes=[{"name": "v", "configMap": {"name": "c"}}]
    )


def test_values_are_deleted_from_a_list_of_scalars() -> None:
    target = {"metadata": {"finalizers": ["a/1", "b/2", "c/3"]}}
    patch = {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a/1"],
            "$setElementOrder/finalizers": ["c/3", "d/4", "b/2"],
            "finalizers": ["d/4"],
        }
    }
    assert patched(target, patch) == {"metadata": {"finalizers": ["c/3", "d/4", "b/2"]}}
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/1"]}}
    assert patched({"metadata": {}}, gone) == {"metadata": {}}


@pytest.mark.parametrize(
    ("old", "new", "order", "merged"),
    [
        ("ab", "", "ba", "ba"),
        ("ab", "c", "acb", "acb"),
        ("axb", "", "ba", "xba"),
        ("xab", "", "ab", "xab"),
        ("abx", "c", "bca", "bcax"),
        ("", "ab", "ab", "ab"),
    ],
)
def test_the_order_of_items_is_told(old: str, new: str, order: str, merged: str) -> None:
    patch: Json = {"$setElementOrder/containers": named(*order)}
    if new:
        patch["containers"] = named(*new)
    assert patched(pods(containers=named(*old)), pods(**patch)) == pods(containers=named(*merged))


def test_what_kubectl_sends_for_a_new_image_and_a_dropped_variable() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    target = pods(containers=[{"name": "web", "image": "nginx", "env": env, "tty": True}])
    change = {
        "$setElementOrder/env": named("A"),
        "name": "web",
        "image": "nginx:2",
        "env": [{"$patch": "delete", "name": "B"}],
    }
    patch = pods(**{"$setElementOrder/containers": named("web"), "containers": [change]})
    assert patched(target, patch) == pods(
        containers=[{"name": "web", "image": "nginx:2", "env": env[:1], "tty": True}]
    )


def test_directives_never_end_up_in_the_object() -> None:
    patch = pods(
        **{"$setElementOrder/volumes": named("v")},
        volumes=[{"name": "v", "$retainKeys": ["name"]}, {"name": "w", "$patch": "delete"}],
        securityContext={"$patch": "delete"},
        dnsConfig={"$deleteFromPrimitiveList/searches": ["a"], "options": [{"name": None}]},
    )
    assert patched({}, patch) == pods(volumes=named("v"), dnsConfig={"options": [{}]})


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        ([], (400, "BadRequest", "invalid JSON document")),
        (
            {"spec": {"$patch": "merge"}},
            (400, "BadRequest", "unknown patch type: $patch is either replace or delete"),
        ),
        (
            pods(containers=[{"name": "web", "$patch": ["x"]}]),
            (400, "BadRequest", "unknown patch type: $patch is either replace or delete"),
        ),
        (
            pods(containers=[{"image": "x"}]),
            (400, "BadRequest", "map does not contain declared merge key: name"),
        ),
        (
            pods(containers=[{"$patch": "delete"}]),
            (400, "BadRequest", "map does not contain declared merge key: name"),
        ),
        (
            pods(containers=["web"]),
            (400, "BadRequest", "list element types are not identical"),
        ),
        (
            pods(containers=[[]]),
            (422, "Invalid", "lists of lists are not supported"),
        ),
        (
            pods(**{"$setElementOrder/containers": named("web"), "containers": named("log")}),
            (400, "BadRequest", "The order in patch list doesn't match $setElementOrder list"),
        ),
        (
            pods(**{"$setElementOrder/containers": "web"}),
            (400, "BadRequest", "invalid patch format of setElementOrder list"),
        ),
        (
            pods(**{"$setElementOrder": []}),
            (400, "BadRequest", "invalid patch format of setElementOrder list"),
        ),
        (
            {"spec": {"$retainKeys": ["replicas"], "paused": True}},
            (400, "BadRequest", "invalid patch format of retainKeys"),
        ),
        (
            {"spec": {"$retainKeys": "replicas"}},
            (400, "BadRequest", "invalid patch format of retainKeys"),
        ),
        (
            {"metadata": {"$deleteFromPrimitiveListx": []}},
            (400, "BadRequest", "invalid patch format of primitive list"),
        ),
    ],
)
def test_a_malformed_strategic_merge_patch(patch: Any, refusal: tuple[int, str, str]) -> None:
    target = {**WEB, "metadata": {"finalizers": ["a/1"]}}
    with pytest.raises(PatchError) as caught:
        patched(target, patch)
    assert refused(caught.value) == refusal


def test_long_lists_merge_in_time_that_grows_with_them() -> None:
    many = [f"x/{number}" for number in range(20_000)]
    target = {"metadata": {"finalizers": many}}
    patch = {
        "metadata": {
            "finalizers": many,
            "$setElementOrder/finalizers": many,
            "$deleteFromPrimitiveList/finalizers": many[1:],
        }
    }
    assert patched(target, patch) == {"metadata": {"finalizers": many[:1]}}


items = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"image": st.just("i")}),
    max_size=4,
    unique_by=lambda item: item["name"],
)


@given(items, items)
def test_a_strategic_merge_patch_twice_is_once(old: list[Json], new: list[Json]) -> None:
    once = patched(pods(containers=old), pods(containers=new))
    assert patched(once, pods(containers=new)) == once
    found = once["spec"]["template"]["spec"]["containers"]
    assert {item["name"] for item in found} == {item["name"] for item in (*old, *new)}
