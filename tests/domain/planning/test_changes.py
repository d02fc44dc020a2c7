"""What is a change and what is not, and how it is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.comparing import FieldChange
from app.domain.planning.changes import (
    LONGEST,
    MOST_CHANGES,
    Changes,
    brief,
    changes,
    comparable,
    same,
    stated_changes,
    written,
)
from tests.domain.planning.scenes import changed, manifest, on_cluster

Found = list[tuple[str, Any, Any]]


def found(before: dict[str, Any], after: dict[str, Any]) -> Found:
    return [(c.path, c.before, c.after) for c in changes(before, after).shown]


CONTAINER = {
    "name": "web",
    "image": "nginx:1",
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}],
    "volumeMounts": [{"name": "x", "mountPath": "/a"}, {"name": "x", "mountPath": "/b.c"}],
    "args": ["a", "b"],
}


def web(**container: Any) -> dict[str, Any]:
    spec = {"replicas": 2, "template": {"spec": {"containers": [{**CONTAINER, **container}]}}}
    return on_cluster(manifest("Deployment", spec=spec))


IN = "spec.template.spec.containers[web]"
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Found]] = {
    "nothing": (web(), web(), []),
    "a field": (web(), web(image="nginx:2"), [(f"{IN}.image", "nginx:1", "nginx:2")]),
    "a new field": (web(), web(tty=True), [(f"{IN}.tty", None, True)]),
    "a field that goes": (web(), web(args=[]), [(f"{IN}.args", ["a", "b"], None)]),
    "mappings are told by their fields": (
        web(),
        web(resources={"limits": {"cpu": "1", "memory": "1Gi"}}),
        [(f"{IN}.resources.limits.cpu", None, "1"), (f"{IN}.resources.limits.memory", None, "1Gi")],
    ),
    "empty is missing": (web(), web(resources={}, command=None, envFrom=[], a={"b": {}}), []),
    "false, zero and the empty text are not": (
        web(),
        web(tty=False, x=0, y=""),
        [(f"{IN}.tty", None, False), (f"{IN}.x", None, 0), (f"{IN}.y", None, "")],
    ),
    "true is not one": (web(x=1), web(x=True), [(f"{IN}.x", 1, True)]),
    "items by name": (
        web(),
        web(env=[{"name": "A", "value": "9"}, {"name": "C", "value": "3"}]),
        [
            (f"{IN}.env[A].value", "1", "9"),
            (f"{IN}.env[B]", {"name": "B", "value": "2"}, None),
            (f"{IN}.env[C]", None, {"name": "C", "value": "3"}),
        ],
    ),
    "the order of items": (
        web(),
        web(env=CONTAINER["env"][::-1]),  # type: ignore[index]
        [(f"{IN}.env[order]", ["A", "B"], ["B", "A"])],
    ),
    "ports by number and protocol": (
        web(),
        web(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP", "hostPort": 1}]),
        [(f"{IN}.ports[80/TCP].protocol", "TCP", None), (f"{IN}.ports[80/UDP].hostPort", None, 1)],
    ),
    "mounts by path, because they share names": (
        web(),
        web(
            volumeMounts=[
                {"name": "x", "mountPath": "/a", "readOnly": True},
                {"name": "y", "mountPath": "/b.c"},
            ]
        ),
        [
            (f"{IN}.volumeMounts[/a].readOnly", None, True),
            (f"{IN}.volumeMounts[/b.c].name", "x", "y"),
        ],
    ),
    "a mount that shows something else": (
        web(volumeMounts=[{"name": "x", "mountPath": "/a"}]),
        web(volumeMounts=[{"name": "y", "mountPath": "/a"}]),
        [(f"{IN}.volumeMounts[/a].name", "x", "y")],
    ),
    "other lists as a whole": (web(), web(args=["b"]), [(f"{IN}.args", ["a", "b"], ["b"])]),
    "items that share a name as a whole": (
        web(env=[{"name": "A"}, {"name": "A"}]),
        web(env=[{"name": "A"}]),
        [(f"{IN}.env", [{"name": "A"}, {"name": "A"}], [{"name": "A"}])],
    ),
    "labels and annotations, and no other metadata": (
        web(),
        changed(
            changed(web(), "metadata.annotations", {"example.com/a": "1"}),
            "metadata.resourceVersion",
            "9",
        ),
        [("metadata.annotations[example.com/a]", None, "1")],
    ),
    "no status": (web(), changed(web(), "status.readyReplicas", 2), []),
    "a policy's peer that is every pod, and one that is none": (
        on_cluster(manifest("NetworkPolicy", spec={"ingress": [{"from": [{}]}]})),
        on_cluster(manifest("NetworkPolicy", spec={"ingress": [{"from": [{"podSelector": {}}]}]})),
        [("spec.ingress", [{"from": [{}]}], [{"from": [{"podSelector": {}}]}])],
    ),
    "a policy that allows all, and one that denies all": (
        on_cluster(manifest("NetworkPolicy", spec={"ingress": [{}]})),
        on_cluster(manifest("NetworkPolicy", spec={"ingress": []})),
        [("spec.ingress", [{}], None)],
    ),
    "keys with dots": (
        on_cluster(manifest("ConfigMap", data={"a.conf": "1", "b": "1"})),
        on_cluster(manifest("ConfigMap", data={"a.conf": "2", "b": "2"})),
        [("data[a.conf]", "1", "2"), ("data.b", "1", "2")],
    ),
    "ports of a service": (
        on_cluster(manifest("Service", spec={"ports": [{"port": 80, "targetPort": 1}]})),
        on_cluster(manifest("Service", spec={"ports": [{"port": 80, "targetPort": "http"}]})),
        [("spec.ports[80/TCP].targetPort", 1, "http")],
    ),
    "another type": (web(args=["a"]), web(args={"a": 1}), [(f"{IN}.args", ["a"], {"a": 1})]),
}


@pytest.mark.parametrize("case", CASES)
def test_changes(case: str) -> None:
    before, after, expected = CASES[case]
    assert found(before, after) == expected


def test_secret_values_look_the_same_whatever_they_are() -> None:
    made = manifest("Secret", type="Opaque")
    before = on_cluster(made, data={"a": "b25l", "b": "dHdv", "c": "dGhyZWU=", "e": "b25l"})
    after = on_cluster(made, data={"a": "b25l", "b": "YSBtdWNoIGxvbmdlciB2YWx1ZQ==", "d": "eA=="})
    assert found(before, after) == [
        ("data.b", "*** (before)", "*** (after)"),
        ("data.c", "*** (before)", None),
        ("data.d", None, "*** (after)"),
        ("data.e", "*** (before)", None),
    ]
    assert found(changed(before, "stringData", {"a": "x"}), before) == [
        ("stringData.a", "*** (before)", None)
    ]


def test_a_copy_of_a_secret_in_an_annotation_is_never_shown() -> None:
    made = manifest("Secret", type="Opaque")
    copy = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"c2VjcmV0"}}'}
    before = on_cluster(made, metadata={"annotations": {**copy, "x": "1"}})
    assert found(before, on_cluster(made)) == [("metadata.annotations.x", "1", None)]


def test_another_kind_called_secret_is_none() -> None:
    before = {"apiVersion": "example.test/v1", "kind": "Secret", "data": {"a": "1"}}
    assert found(before, {**before, "data": {"a": "2"}}) == [("data.a", "1", "2")]


def test_long_values_are_cut() -> None:
    assert brief("x" * LONGEST) == "x" * LONGEST
    assert brief("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"
    assert brief(["x" * LONGEST]) == '["' + "x" * (LONGEST - 3) + "…"
    assert brief({"a": [1]}) == {"a": [1]}
    assert brief(10**400) == 10**400


def test_many_changes_are_counted() -> None:
    data = {f"k{i:03}": "1" for i in range(MOST_CHANGES + 7)}
    told = changes(on_cluster(manifest("ConfigMap")), on_cluster(manifest("ConfigMap", data=data)))
    assert [c.path for c in told.shown] == [f"data.k{i:03}" for i in range(MOST_CHANGES)]
    assert told.more == 7


def test_what_a_manifest_states() -> None:
    live = web(imagePullPolicy="Always", terminationMessagePath="/dev/x")
    stated = {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}
    told = stated_changes(live, manifest("Deployment", spec=stated).object)
    assert told == Changes((FieldChange(f"{IN}.image", "nginx:1", "nginx:2"),))


def test_what_a_manifest_states_of_lists_without_keys() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    served = {**claim, "status": {"phase": "Pending"}}
    live = on_cluster(manifest("StatefulSet", spec={"volumeClaimTemplates": [served]}))
    one = manifest("StatefulSet", spec={"volumeClaimTemplates": [claim]})
    assert not stated_changes(live, one.object)
    two = manifest("StatefulSet", spec={"volumeClaimTemplates": [claim, claim]})
    assert [c.path for c in stated_changes(live, two.object).shown] == ["spec.volumeClaimTemplates"]


def test_where_a_change_is() -> None:
    told = changes(web(), web(image="nginx:2"))
    assert told.below("spec.template")
    assert told.below(IN)
    assert not told.below("spec.temp")
    assert not told.without(f"{IN}.image")


def test_a_path_is_written_with_brackets_where_it_must_be() -> None:
    assert written(("spec", "ports", "[80/TCP]", "name")) == "spec.ports[80/TCP].name"
    assert written(("[a/b]", "c")) == "[a/b].c"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "name", "port", "mountPath"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["spec", "data", "x.y"]), JSON, max_size=3)


def normal(value: Any) -> Any:
    """The meaning of a field, by the rules as they are written down; None says nothing.

    A list stands for itself if its items have no keys; else for its items in their order.
    """
    if isinstance(value, dict):
        said = {key: normal(one) for key, one in value.items()}
        return {key: one for key, one in said.items() if one is not None} or None
    if isinstance(value, list):
        if not value:
            return None
        items = keyed(value)
        return tagged(value) if items is None else ("keyed", [(k, normal(v)) for k, v in items])
    return (type(value) is bool, value) if value is not None else None


def tagged(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def keyed(items: list[Any]) -> list[tuple[Any, Any]] | None:
    if not all(isinstance(item, dict) for item in items):
        return None
    for key_of in (
        lambda i: text(i.get("mountPath")),
        lambda i: text(i.get("name")),
        lambda i: port(i.get("port")),
    ):
        keys = [key_of(item) for item in items]
        if None not in keys and len(set(keys)) == len(keys):
            return list(zip(keys, items, strict=True))
    return None


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def port(value: Any) -> str | None:
    fits = not isinstance(value, bool) and isinstance(value, int | str) and value != ""
    return str(value) if fits else None


@given(OBJECTS)
def test_nothing_differs_from_itself(obj: dict[str, Any]) -> None:
    assert not changes(obj, obj)
    assert not stated_changes(obj, obj)
    assert same(obj, json.loads(json.dumps(obj)))


@given(OBJECTS, OBJECTS)
def test_there_is_a_change_exactly_when_the_rules_say_so(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert bool(changes(before, after)) is (normal(comparable(before)) != normal(comparable(after)))


@given(OBJECTS, OBJECTS)
def test_a_change_back_is_the_change_turned_round(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    there, back = changes(before, after), changes(after, before)
    assert [(c.path, c.after, c.before) for c in there.shown] == [
        (c.path, c.before, c.after) for c in back.shown
    ]


@given(OBJECTS, OBJECTS)
def test_what_is_stated_is_part_of_what_changes(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    if stated_changes(before, after):
        assert changes(before, after)


@given(OBJECTS, OBJECTS)
def test_every_path_is_told_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    paths = [change.path for change in changes(before, after).shown]
    assert len(set(paths)) == len(paths)
