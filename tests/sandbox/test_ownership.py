"""Server-side apply and managedFields, as structured-merge-diff and apimachinery have them."""

from typing import Any

import pytest

from app.sandbox.ownership import Conflicts, TypedError, apply, record_update
from app.sandbox.schemas import TypeSchema, builtin, from_crd

NOON, LATER, LAST = "2026-01-01T12:00:00Z", "2026-01-01T12:00:05Z", "2026-01-01T12:00:09Z"
Object = dict[str, Any]


def schema(api_version: str, kind: str) -> TypeSchema:
    found = builtin(api_version, kind)
    assert found
    return found


DEPLOYMENT = schema("apps/v1", "Deployment")
CONFIG_MAP = schema("v1", "ConfigMap")
SERVICE = schema("v1", "Service")


def config_map(data: dict[str, Any] | None = None, **meta: Any) -> Object:
    made: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "demo", **meta},
    }
    return made if data is None else {**made, "data": data}


def deployment(spec: Object, **meta: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "demo", **meta},
        "spec": spec,
    }


def pods(spec: Object) -> Object:
    return deployment({"template": {"spec": spec}})


def containers(*found: Object) -> Object:
    return pods({"containers": list(found)})


def applied(
    live: Object | None,
    config: Object,
    manager: str = "one",
    *,
    force: bool = False,
    now: str = NOON,
    of: TypeSchema | None = None,
    subresource: str | None = None,
) -> Object:
    kind = of or builtin(config["apiVersion"], config["kind"])
    assert kind
    return apply(
        live, config, manager=manager, force=force, schema=kind, now=now, subresource=subresource
    )


def updated(
    before: Object | None,
    after: Object,
    manager: str = "editor",
    *,
    now: str = LATER,
    subresource: str | None = None,
) -> Object:
    kind = builtin(after["apiVersion"], after["kind"])
    assert kind
    return record_update(
        before, after, manager=manager, schema=kind, now=now, subresource=subresource
    )


def entries(obj: Object) -> list[Object]:
    found: list[Object] = obj["metadata"].get("managedFields", [])
    return found


def owned(obj: Object, manager: str, operation: str = "Apply") -> Object:
    """The fieldsV1 of the manager's entry."""
    (found,) = (
        entry["fieldsV1"]
        for entry in entries(obj)
        if (entry["manager"], entry["operation"]) == (manager, operation)
    )
    return dict(found)


def managers(obj: Object) -> list[str]:
    return [entry["manager"] for entry in entries(obj)]


def fields(*names: str) -> Object:
    found: Object = {}
    for name in reversed(names):
        found = {f"f:{name}": found}
    return found


def bare(obj: Object) -> Object:
    meta = {key: its for key, its in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": meta}


# Apply: what is set, what is owned


def test_an_apply_creates_and_owns_what_it_sends() -> None:
    made = applied(None, config_map({"a": "1"}, labels={"app": "web"}))
    assert made == {
        **config_map({"a": "1"}),
        "metadata": {
            "name": "settings",
            "namespace": "demo",
            "labels": {"app": "web"},
            "managedFields": [
                {
                    "manager": "one",
                    "operation": "Apply",
                    "apiVersion": "v1",
                    "time": NOON,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {
                        "f:data": {"f:a": {}},
                        "f:metadata": {"f:labels": {"f:app": {}}},
                    },
                }
            ],
        },
    }


def test_what_the_server_sets_is_nobodys() -> None:
    sent = config_map(
        {"a": "1"}, uid="u", resourceVersion="1", creationTimestamp=NOON, generation=1, selfLink="/"
    )
    assert owned(applied(None, sent), "one") == {"f:data": {"f:a": {}}}


def test_an_apply_that_sets_nothing_owns_nothing() -> None:
    assert entries(applied(None, config_map())) == []


def test_items_are_owned_by_their_keys_and_fields() -> None:
    made = applied(None, containers({"name": "web", "image": "nginx", "args": ["-v"]}))
    item: Object = {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}
    assert owned(made, "one") == {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': item}}}}
    }


def test_a_key_that_is_left_out_has_its_default() -> None:
    ports = [{"port": 80}, {"port": 80, "protocol": "UDP"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": ports},
    }
    made = applied(None, service)
    assert owned(made, "one")["f:spec"]["f:ports"] == {
        'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}},
        'k:{"port":80,"protocol":"UDP"}': {".": {}, "f:port": {}, "f:protocol": {}},
    }
    made["spec"]["ports"][0]["protocol"] = "TCP"  # the server's default, nobody's
    assert applied(made, service)["spec"]["ports"] == made["spec"]["ports"]


def test_the_items_of_a_set_are_owned_by_their_values() -> None:
    made = applied(None, config_map(finalizers=["a/b", "c/<d>"]))
    assert owned(made, "one") == {
        "f:metadata": {"f:finalizers": {'v:"a/b"': {}, 'v:"c/\\u003cd\\u003e"': {}}}
    }
    both = applied(made, config_map(finalizers=["e/f"]), "two", now=LATER)
    assert both["metadata"]["finalizers"] == ["a/b", "c/<d>", "e/f"]
    left = applied(both, config_map(finalizers=["c/<d>"]), "one")
    assert left["metadata"]["finalizers"] == ["c/<d>", "e/f"]


def test_what_the_manager_no_longer_sends_goes() -> None:
    live = applied(None, config_map({"a": "1", "b": "2"}, labels={"x": "y"}))
    left = applied(live, config_map({"b": "2"}), now=LATER)
    assert bare(left) == config_map({"b": "2"})
    assert owned(left, "one") == {"f:data": {"f:b": {}}}
    assert entries(left)[0]["time"] == LATER


def test_a_map_goes_with_its_last_entry() -> None:
    live = applied(None, config_map({"a": "1"}))
    assert bare(applied(live, config_map())) == config_map()


def test_what_nobody_owns_stays() -> None:
    live = applied(None, containers({"name": "web", "image": "nginx"}))
    live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    live["spec"]["replicas"] = 1
    left = applied(live, containers({"name": "web", "image": "nginx:2"}))
    assert left["spec"]["replicas"] == 1
    assert left["spec"]["template"]["spec"]["containers"] == [
        {"name": "web", "image": "nginx:2", "imagePullPolicy": "Always"}
    ]


def test_an_item_that_is_dropped_goes_with_what_nobody_owns_in_it() -> None:
    live = applied(None, containers({"name": "web"}, {"name": "log", "image": "fluent"}))
    live["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = "Always"
    left = applied(live, containers({"name": "web"}))
    assert left["spec"]["template"]["spec"]["containers"] == [{"name": "web"}]


def test_a_number_is_another_value_than_a_boolean_and_the_same_as_a_float() -> None:
    crd = from_crd({"type": "object", "properties": {"spec": {"type": "object"}}})
    one: Object = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    live = applied(None, {**one, "spec": {"a": 1}}, of=crd)
    assert applied(live, {**one, "spec": {"a": 1.0}}, of=crd, now=LATER) == live
    with pytest.raises(Conflicts):
        applied(live, {**one, "spec": {"a": True}}, "two", of=crd)


# Several owners


def test_equal_values_are_owned_by_both_and_go_with_the_last_owner() -> None:
    live = applied(None, config_map({"a": "1", "b": "2"}))
    both = applied(live, config_map({"a": "1"}), "two", now=LATER)
    assert bare(both) == config_map({"a": "1", "b": "2"})
    assert owned(both, "two") == {"f:data": {"f:a": {}}}
    assert "time" not in entries(both)[0], "as nothing but the ownership changed"
    assert [entry.get("time") for entry in entries(both)] == [None, NOON]

    left = applied(both, config_map(), "one", now=LATER)
    assert bare(left) == config_map({"a": "1"})
    assert managers(left) == ["two"]
    assert bare(applied(left, config_map(), "two")) == config_map()


def test_an_item_of_two_owners_survives_one_and_keeps_the_others_fields() -> None:
    live = applied(None, containers({"name": "web", "image": "nginx"}))
    both = applied(live, containers({"name": "web", "workingDir": "/srv"}), "two")
    left = applied(both, pods({}), "one")
    assert left["spec"]["template"]["spec"]["containers"] == [{"name": "web", "workingDir": "/srv"}]


def test_another_value_of_anothers_field_is_a_conflict() -> None:
    live = updated(None, deployment({"replicas": 1}), "kubectl-client-side-apply")
    with pytest.raises(Conflicts) as caught:
        applied(live, deployment({"replicas": 3}), now=LAST)
    assert str(caught.value) == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" '
        "using apps/v1: .spec.replicas"
    )
    assert caught.value.causes == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
            "field": ".spec.replicas",
        }
    ]


def test_conflicts_are_told_by_manager() -> None:
    image = containers({"name": "web", "image": "nginx"})
    live = applied(None, image, "two")
    live = updated(live, {**live, "spec": {**live["spec"], "replicas": 2}}, subresource="scale")
    mine = containers({"name": "web", "image": "httpd"})
    mine["spec"]["replicas"] = 5
    with pytest.raises(Conflicts) as caught:
        applied(live, mine)
    assert str(caught.value) == (
        "Apply failed with 2 conflicts: "
        'conflicts with "editor" with subresource "scale" using apps/v1:\n'
        "- .spec.replicas\n"
        'conflicts with "two":\n'
        '- .spec.template.spec.containers[name="web"].image'
    )
    assert [cause["field"] for cause in caught.value.causes] == [
        ".spec.replicas",
        '.spec.template.spec.containers[name="web"].image',
    ]


def test_force_takes_over_and_the_loser_conflicts_later() -> None:
    live = applied(None, config_map({"a": "1", "b": "1"}), "one")
    taken = applied(live, config_map({"a": "2"}), "two", force=True, now=LATER)
    assert bare(taken) == config_map({"a": "2", "b": "1"})
    assert owned(taken, "one") == {"f:data": {"f:b": {}}}
    assert owned(taken, "two") == {"f:data": {"f:a": {}}}
    with pytest.raises(Conflicts, match=r'conflict with "two": \.data\.a$'):
        applied(taken, config_map({"a": "1", "b": "1"}), "one")


def test_a_manager_that_lost_all_has_no_entry() -> None:
    live = applied(None, config_map({"a": "1"}), "one")
    taken = applied(live, config_map({"a": "2"}), "two", force=True)
    assert managers(taken) == ["two"]


@pytest.mark.parametrize(
    ("mine", "theirs", "path"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, {"nodeSelector": {"zone": "a"}}, ".nodeSelector"),
        (
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "a"}, {"key": "b"}]},
            ".tolerations",
        ),
        (
            {"containers": [{"name": "web", "args": ["a"]}]},
            {"containers": [{"name": "web", "args": ["b"]}]},
            '.containers[name="web"].args',
        ),
        (
            {"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 1}]},
            {"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 2}]},
            '.topologySpreadConstraints[topologyKey="z",whenUnsatisfiable=""].maxSkew',
        ),
    ],
)
def test_atomic_values_are_owned_as_a_whole(mine: Object, theirs: Object, path: str) -> None:
    with pytest.raises(Conflicts) as caught:
        applied(applied(None, pods(mine)), pods(theirs), "two")
    assert [cause["field"] for cause in caught.value.causes] == [f".spec.template.spec{path}"]


def test_a_label_selector_is_atomic_and_replaced_as_a_whole() -> None:
    live = applied(None, deployment({"selector": {"matchLabels": {"app": "web"}}}))
    assert owned(live, "one") == fields("spec", "selector")
    other = applied(live, deployment({"selector": {"matchLabels": {"tier": "front"}}}))
    assert other["spec"]["selector"] == {"matchLabels": {"tier": "front"}}


def test_an_atomic_type_may_be_granular_where_it_is_used() -> None:
    volume: Object = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}}
    live = applied(None, {**volume, "spec": {"claimRef": {"name": "data"}}})
    both = applied(live, {**volume, "spec": {"claimRef": {"uid": "7"}}}, "two")
    assert both["spec"]["claimRef"] == {"name": "data", "uid": "7"}


# The order of items


@pytest.mark.parametrize(
    ("live", "sent", "merged"),
    [
        ("ab", "ba", "ba"),
        ("abc", "ca", "bca"),
        ("ad", "abd", "abd"),
        ("abc", "xay", "xabcy"),
        ("acbd", "abcd", "abcd"),
        ("abcde", "edbfa", "cedbfa"),
    ],
)
def test_sent_items_keep_their_order_and_others_stand_between(
    live: str, sent: str, merged: str
) -> None:
    theirs = applied(None, containers(*({"name": name} for name in live)), "two")
    both = applied(theirs, containers(*({"name": name} for name in sent)))
    found = both["spec"]["template"]["spec"]["containers"]
    assert "".join(item["name"] for item in found) == merged


# Nothing changes


def test_the_same_apply_again_changes_nothing_not_even_the_time() -> None:
    config = containers({"name": "web", "ports": [{"containerPort": 80}], "env": []})
    live = applied(None, config)
    assert applied(live, config, now=LATER) == live


def test_neither_argument_is_changed() -> None:
    live = applied(None, config_map({"a": "1"}))
    before, config = repr(live), config_map({"b": "2"})
    after = applied(live, config, "two")
    after["data"]["c"] = "3"
    assert repr(live) == before
    assert config == config_map({"b": "2"})


# Bodies that cannot be typed: the words of a real server


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (deployment({"replicsa": 1}), ".spec.replicsa: field not declared in schema"),
        (
            deployment({"replicas": "2"}),
            ".spec.replicas: expected numeric (int or float), got string",
        ),
        (
            deployment({"replicas": True}),
            ".spec.replicas: expected numeric (int or float), got bool",
        ),
        (deployment({"paused": "yes"}), ".spec.paused: expected boolean, got &{yes}"),
        (
            deployment({}, labels={"app": 1}),
            ".metadata.labels.app: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (
            deployment({}, labels={"app": {"a": [1.5, None]}}),
            ".metadata.labels.app: expected string, got &value.valueUnstructured"
            '{Value:map[string]interface {}{"a":[]interface {}{1.5, interface {}(nil)}}}',
        ),
        (deployment({"template": []}), ".spec.template: expected map, got &{[]}"),
        (
            pods({"containers": {"b": 1, "a": [None, False]}}),
            ".spec.template.spec.containers: expected list, got &{map[a:[<nil> false] b:1]}",
        ),
        (
            deployment({"strategy": {"rollingUpdate": {"maxSurge": {"a": 1}}}}),
            ".spec.strategy.rollingUpdate.maxSurge: expected any scalar, got &{map[a:1]}",
        ),
        (
            containers({"name": "web", "env": [{"name": "A"}, {"name": "A"}]}),
            '.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]',
        ),
        (
            containers({"name": "w", "ports": [{"containerPort": 1}] * 2}),
            '.spec.template.spec.containers[name="w"].ports: '
            'duplicate entries for key [containerPort=1,protocol="TCP"]',
        ),
        (
            containers({"name": "w", "volumeMounts": [{"name": "a", "mountPath": "/x"}] * 2}),
            '.spec.template.spec.containers[name="w"].volumeMounts: '
            'duplicate entries for key [mountPath="/x"]',
        ),
        (
            pods({"containers": ["web"]}),
            ".spec.template.spec.containers: element 0: "
            "associative list with keys may not have non-map elements",
        ),
        (
            deployment({}, finalizers=["a/b", None]),
            ".metadata.finalizers: element 1: "
            "associative list without keys has an element that's an explicit null",
        ),
        (
            deployment({}, ownerReferences=[{"name": "x"}, {"uid": {}}]),
            ".metadata.ownerReferences: element 1: "
            "associative list with keys has an element whose key uid is no scalar",
        ),
        (
            deployment({"minReadySeconds": "1", "paused": 0}),
            "errors:\n  .spec.minReadySeconds: expected numeric (int or float), got string\n"
            "  .spec.paused: expected boolean, got &{0}",
        ),
    ],
)
def test_a_body_that_cannot_be_typed_is_refused(config: Object, wrong: str) -> None:
    with pytest.raises(TypedError) as caught:
        applied(None, config)
    assert str(caught.value) == (
        f"failed to create typed patch object (demo/web; apps/v1, Kind=Deployment): {wrong}"
    )


def test_the_core_group_has_no_name_in_an_error() -> None:
    with pytest.raises(TypedError, match=r"^[^(]*\(demo/settings; /v1, Kind=ConfigMap\): \.x: "):
        applied(None, {**config_map(), "x": 1})


def test_a_live_object_that_cannot_be_typed_is_named_as_such() -> None:
    with pytest.raises(TypedError, match=r"^failed to create typed live object \(demo/settings; "):
        applied({**config_map(), "x": 1}, config_map())


def test_an_item_without_any_key_is_refused() -> None:
    crd = from_crd(
        {
            "type": "object",
            "properties": {
                "rules": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["host", "path"],
                    "items": {
                        "type": "object",
                        "properties": {"host": {"type": "string"}, "path": {"type": "string"}},
                    },
                }
            },
        }
    )
    one: Object = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    with pytest.raises(TypedError, match=r'omits all key fields \["host" "path"\]'):
        applied(None, {**one, "rules": [{}]}, of=crd)
    made = applied(None, {**one, "rules": [{"host": "a"}, {"host": "a", "path": "/"}]}, of=crd)
    assert list(owned(made, "one")["f:rules"]) == ['k:{"host":"a"}', 'k:{"host":"a","path":"/"}']


# Status and other subresources


def test_a_main_write_owns_no_status() -> None:
    config = {**deployment({"replicas": 1}), "status": {"readyReplicas": 1}}
    assert owned(applied(None, config), "one") == fields("spec", "replicas")
    assert owned(updated(None, config), "editor", "Update") == fields("spec", "replicas")


def test_without_a_status_subresource_status_is_a_field_as_others() -> None:
    crd = from_crd({"type": "object", "properties": {"status": {"type": "object"}}})
    one: Object = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    made = apply(
        None,
        {**one, "status": {"a": 1}},
        manager="one",
        force=False,
        schema=crd,
        now=NOON,
        has_status=False,
    )
    assert owned(made, "one") == fields("status", "a")


def test_a_status_write_owns_status_alone() -> None:
    live = applied(None, deployment({"replicas": 1}))
    condition = {"type": "Available", "status": "True"}
    after = {**live, "status": {"readyReplicas": 1, "conditions": [condition]}}
    told = updated(live, after, "controller", subresource="status")
    (entry,) = (entry for entry in entries(told) if entry["manager"] == "controller")
    assert entry == {
        "manager": "controller",
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": LATER,
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:status": {
                "f:conditions": {
                    ".": {},
                    'k:{"type":"Available"}': {".": {}, "f:status": {}, "f:type": {}},
                },
                "f:readyReplicas": {},
            }
        },
        "subresource": "status",
    }
    assert applied(told, deployment({"replicas": 1}), now=LAST) == told


def test_scaling_takes_replicas_and_its_apply_loses_them() -> None:
    live = applied(None, deployment({"replicas": 1, "paused": True}))
    scaled = {**live, "spec": {**live["spec"], "replicas": 4}}
    told = updated(live, scaled, "autoscaler", subresource="scale")
    assert owned(told, "one") == fields("spec", "paused")
    assert owned(told, "autoscaler", "Update") == fields("spec", "replicas")
    left = applied(told, deployment({"paused": True}), now=LAST)
    assert left["spec"] == {"replicas": 4, "paused": True}


# Other writes


def test_a_create_is_owned_by_its_sender() -> None:
    made = updated(None, containers({"name": "web", "resources": {"limits": {"cpu": "1"}}}))
    assert owned(made, "editor", "Update") == {
        "f:spec": {
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        ".": {},
                        'k:{"name":"web"}': {
                            ".": {},
                            "f:name": {},
                            "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}}},
                        },
                    }
                }
            }
        }
    }
    assert entries(made)[0]["time"] == LATER


def test_the_map_of_a_create_is_owned_too() -> None:
    assert owned(updated(None, config_map({"a": "1"})), "editor", "Update") == {
        "f:data": {".": {}, "f:a": {}}
    }


def test_an_update_takes_what_it_changes_and_only_that() -> None:
    live = applied(None, config_map({"a": "1", "b": "2"}))
    told = updated(live, {**live, "data": {"a": "9", "b": "2", "c": "3"}})
    assert owned(told, "one") == {"f:data": {"f:b": {}}}
    assert owned(told, "editor", "Update") == {"f:data": {"f:a": {}, "f:c": {}}}
    with pytest.raises(Conflicts, match=r'conflict with "editor" using v1: \.data\.a$'):
        applied(told, config_map({"a": "1", "b": "2"}))


def test_what_an_update_removes_is_nobodys() -> None:
    live = applied(None, config_map({"a": "1"}))
    told = updated(live, config_map())
    assert entries(told) == []


def test_an_update_that_changes_nothing_leaves_all_entries() -> None:
    live = updated(applied(None, config_map({"a": "1"})), config_map({"a": "1", "b": "2"}))
    assert updated(live, live, "somebody", now=LAST) == live


def test_a_managers_updates_add_up_and_the_last_one_is_its_time() -> None:
    live = updated(None, config_map({"a": "1"}))
    told = updated(live, {**live, "data": {"a": "1", "b": "2"}}, now=LAST)
    assert owned(told, "editor", "Update") == {"f:data": {".": {}, "f:a": {}, "f:b": {}}}
    assert [entry["time"] for entry in entries(told)] == [LAST]


def test_apply_and_update_of_one_name_are_two_owners() -> None:
    live = updated(None, config_map({"a": "1"}), "one")
    with pytest.raises(Conflicts, match=r'conflict with "one" using v1: \.data\.a$'):
        applied(live, config_map({"a": "2"}), "one")


def test_what_an_update_entry_still_owns_stays_when_an_apply_drops_it() -> None:
    live = updated(None, config_map({"a": "1"}), "kubectl-client-side-apply")
    both = applied(live, config_map({"a": "1"}))
    assert bare(applied(both, config_map())) == config_map({"a": "1"})


def test_entries_stand_in_the_order_of_operation_time_and_name() -> None:
    live = updated(None, config_map({"a": "1"}), "zed", now=NOON)
    live = updated(live, {**live, "data": {"a": "1", "b": "1"}}, "bob", now=LATER)
    live = updated(live, {**live, "data": {"a": "1", "b": "1", "c": "1"}}, "amy", now=LATER)
    live = applied(live, config_map({"d": "1"}), "late", now=LAST)
    assert managers(live) == ["late", "zed", "amy", "bob"]


@pytest.mark.parametrize("sent", [[], [{}]])
def test_entries_can_be_cleared(sent: list[Object]) -> None:
    live = applied(None, config_map({"a": "1"}))
    cleared = updated(live, config_map({"a": "1"}, managedFields=sent))
    assert cleared == config_map({"a": "1"})


def test_entries_that_are_sent_replace_the_live_ones() -> None:
    live = updated(None, config_map({"a": "1"}), "old-name")
    (entry,) = entries(live)
    moved = {**entry, "manager": "one", "operation": "Apply"}
    told = updated(live, config_map({"a": "1"}, managedFields=[moved]))
    assert entries(told) == [moved]
    ignored = updated(live, config_map({"a": "1"}, managedFields=[moved]), subresource="status")
    assert entries(ignored) == [entry]


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {"operation": "Patch", "apiVersion": "v1", "fieldsType": "FieldsV1"},
        {"operation": "Apply", "fieldsType": "FieldsV1"},
        {"operation": "Apply", "apiVersion": 1, "fieldsType": "FieldsV1"},
        {"operation": "Apply", "apiVersion": "v1"},
        {"operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"fx": 1}},
        {
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"k:{": {}},
        },
        {
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {'v:{"a":1}': {}},
        },
        {
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:a": [1]},
        },
    ],
)
def test_malformed_entries_are_passed_over(entry: Any) -> None:
    live = applied(None, config_map({"a": "1"}))
    told = updated(live, config_map({"a": "1"}, managedFields=[entry]))
    assert entries(told) == entries(live)


def test_more_than_ten_updaters_are_summed_up_the_oldest_first() -> None:
    live = updated(None, config_map({"k0": ""}), "m0", now="2026-01-01T00:00:00Z")
    for number in range(1, 12):
        after = {**live, "data": {**live["data"], f"k{number}": ""}}
        live = updated(live, after, f"m{number}", now=f"2026-01-01T00:00:{number:02}Z")
    assert managers(live) == ["ancient-changes", *(f"m{number}" for number in range(3, 12))]
    assert owned(live, "ancient-changes", "Update") == {
        "f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}}
    }


def test_an_object_without_entries_stays_so_until_it_is_applied() -> None:
    live = config_map({"a": "1", "b": "2"}, uid="u")
    assert entries(updated(live, {**live, "data": {"a": "9"}})) == []
    told = applied(live, config_map({"c": "3"}))
    assert owned(told, "before-first-apply", "Update") == {
        "f:data": {".": {}, "f:a": {}, "f:b": {}}
    }
    with pytest.raises(Conflicts, match='conflict with "before-first-apply" using v1'):
        applied(live, config_map({"a": "2"}))


def test_a_create_of_a_custom_resource_owns_its_structs_too() -> None:
    crd = from_crd({"type": "object", "properties": {"spec": {"type": "object"}}})
    one: Object = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    made = record_update(None, {**one, "spec": {"a": 1}}, manager="m", schema=crd, now=NOON)
    assert owned(made, "m", "Update") == {"f:spec": {".": {}, "f:a": {}}}


def test_duplicates_that_were_put_do_not_break_later_writes() -> None:
    twice = containers({"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "A"}]})
    live = updated(None, twice)
    env = owned(live, "editor", "Update")["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert env['k:{"name":"web"}']["f:env"] == {".": {}, 'k:{"name":"A"}': {}}
    both = applied(live, containers({"name": "web", "image": "nginx"}))
    (web,) = both["spec"]["template"]["spec"]["containers"]
    assert web == {**twice["spec"]["template"]["spec"]["containers"][0], "image": "nginx"}


def test_entries_follow_a_custom_resource_whose_maps_become_atomic() -> None:
    def crd(**more: str) -> TypeSchema:
        strings = {"type": "object", "additionalProperties": {"type": "string"}}
        return from_crd({"type": "object", "properties": {"spec": {**strings, **more}}})

    one: Object = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}}
    live = applied(None, {**one, "spec": {"a": "1"}}, of=crd())
    assert owned(live, "one") == fields("spec", "a")
    atomic = crd(**{"x-kubernetes-map-type": "atomic"})
    with pytest.raises(Conflicts, match=r'conflict with "one": \.spec$'):
        applied(live, {**one, "spec": {"b": "2"}}, "two", of=atomic)
    both = applied(live, {**one, "spec": {"a": "1"}}, "two", of=atomic)
    assert owned(both, "one") == owned(both, "two") == fields("spec")


# kubectl, going from client-side to server-side apply

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def client_side(data: str) -> Object:
    return config_map({"a": "1"}, annotations={ANNOTATION: data})


LAST_APPLIED = '{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}'


def test_what_kubectl_applied_client_side_is_no_conflict() -> None:
    live = updated(None, client_side(LAST_APPLIED), "kubectl-client-side-apply")
    told = applied(live, config_map({"a": "2"}), "kubectl")
    assert told["data"] == {"a": "2"}
    assert told["metadata"]["annotations"][ANNOTATION] == (
        '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap",'
        '"metadata":{"name":"settings","namespace":"demo"}}\n'
    )
    with pytest.raises(Conflicts):
        applied(live, config_map({"a": "2"}), "other")


@pytest.mark.parametrize(
    "last", ["", "{", "[]", LAST_APPLIED.replace('"1"', '"0"'), LAST_APPLIED.replace("v1", "v2")]
)
def test_what_others_changed_since_is_a_conflict(last: str) -> None:
    live = updated(None, client_side(last), "kubectl-client-side-apply")
    with pytest.raises(Conflicts):
        applied(live, config_map({"a": "2"}), "kubectl")


def test_a_remembered_configuration_that_grows_too_large_goes() -> None:
    live = updated(None, client_side(LAST_APPLIED), "kubectl-client-side-apply")
    told = applied(live, config_map({"a": "x" * 2**18}), "kubectl")
    assert ANNOTATION not in told["metadata"]["annotations"]
