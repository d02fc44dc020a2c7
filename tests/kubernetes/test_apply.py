"""Server-side apply: who owns which field, and what happens when two want the same."""

from typing import Any

import httpx
import pytest

from tests.kubernetes.asking import APPLY, STRATEGIC, Api, Object, causes, ok, refused
from tests.kubernetes.objects import config_map, container, deployment, labelled, secret

pytestmark = pytest.mark.api


def conflicts(answer: httpx.Response) -> set[tuple[str, str]]:
    """What each cause of a conflict says, and of which field."""
    body = refused(answer, 409, "Conflict")
    assert list(body["details"]) == ["causes"]
    assert {each["reason"] for each in body["details"]["causes"]} == {"FieldManagerConflict"}
    return {(each["message"], each["field"]) for each in body["details"]["causes"]}


def owned(obj: Object, manager: str) -> Any:
    """The fields of a manager's only entry."""
    (entry,) = [e for e in obj["metadata"]["managedFields"] if e["manager"] == manager]
    return entry["fieldsV1"]


async def test_creates(api: Api) -> None:
    made = ok(await api.apply(config_map("a", key="value"), "one"), 201)
    (entry,) = made["metadata"]["managedFields"]
    assert entry.pop("time")
    assert entry == {
        "manager": "one",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:key": {}}},
    }


async def test_owns_list_items_by_their_keys(api: Api) -> None:
    web = container(ports=[{"containerPort": 80}], args=["a", "b"])
    made = ok(await api.apply(deployment("a", web, replicas=0), "one"), 201)
    assert owned(made, "one") == {
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"web"}': {
                            ".": {},
                            "f:args": {},
                            "f:image": {},
                            "f:name": {},
                            "f:ports": {
                                'k:{"containerPort":80,"protocol":"TCP"}': {
                                    ".": {},
                                    "f:containerPort": {},
                                }
                            },
                        }
                    }
                },
            },
        }
    }


async def test_changes_and_removes_what_it_owned(api: Api) -> None:
    ok(await api.apply(labelled(config_map("a", one="1", two="2"), tier="web")), 201)
    changed = ok(await api.apply(config_map("a", one="3")))
    assert changed["data"] == {"one": "3"}
    assert "labels" not in changed["metadata"]


async def test_a_body_of_yaml(api: Api) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: value\n"
    answer = await api.http.patch(
        api.path("ConfigMap", "a"),
        content=text,
        headers={"Content-Type": APPLY},
        params={"fieldManager": "one"},
    )
    assert ok(answer, 201)["data"] == {"key": "value"}


async def test_needs_a_manager(api: Api) -> None:
    answer = await api.patch("ConfigMap", "a", body=config_map("a"), type_=APPLY)
    body = refused(answer, 422, "Invalid")
    assert "fieldManager: Required value: is required for apply patch" in body["message"]


async def test_refuses_managed_fields(api: Api) -> None:
    obj = config_map("a")
    obj["metadata"]["managedFields"] = [{"manager": "one", "operation": "Apply"}]
    body = refused(await api.apply(obj), 400, "BadRequest")
    assert body["message"] == "metadata.managedFields must be nil"


async def test_refuses_a_body_of_another_name_or_version(api: Api) -> None:
    body = refused(await api.apply(config_map("b"), "one", "a"), 400, "BadRequest")
    assert body["message"] == ("the name of the object (b) does not match the name on the URL (a)")
    other = {**deployment("a", replicas=0), "apiVersion": "apps/v1beta1"}
    refused(await api.apply(other), 400, "BadRequest")


async def test_again_changes_nothing(api: Api) -> None:
    first = ok(await api.apply(deployment("a", replicas=0)), 201)
    async with api.watch("ConfigMap") as watch:
        made = ok(await api.apply(config_map("b", key="1")), 201)
        again = ok(await api.apply(config_map("b", key="1")))
        assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        ok(await api.apply(config_map("b", key="2")))
        events = []
        while ("MODIFIED", "b") not in events:
            type_, obj = await watch.next()
            if obj["metadata"]["name"] == "b":
                events.append((type_, "b"))
    assert events == [("ADDED", "b"), ("MODIFIED", "b")]
    same = ok(await api.apply(deployment("a", replicas=0)))
    assert same["metadata"]["generation"] == first["metadata"]["generation"]
    assert same["metadata"]["uid"] == first["metadata"]["uid"]


async def test_conflict_names_owner_and_field(api: Api) -> None:
    ok(await api.apply(config_map("a", one="1", two="2"), "one"), 201)
    answer = await api.apply(config_map("a", one="x", two="y"), "two")
    assert conflicts(answer) == {
        ('conflict with "one"', ".data.one"),
        ('conflict with "one"', ".data.two"),
    }
    assert answer.json()["message"].startswith(
        'Apply failed with 2 conflicts: conflicts with "one":'
    )
    one = await api.apply(config_map("a", one="x"), "two")
    assert conflicts(one) == {('conflict with "one"', ".data.one")}
    assert one.json()["message"] == ('Apply failed with 1 conflict: conflict with "one": .data.one')
    assert (await api.read("ConfigMap", "a"))["data"] == {"one": "1", "two": "2"}


async def test_conflict_with_an_update(api: Api) -> None:
    ok(await api.apply(deployment("a", replicas=0), "one"), 201)
    ok(
        await api.patch(
            "Deployment", "a", body={"spec": {"replicas": 0, "paused": True}}, fieldManager="hand"
        )
    )
    changed = await api.patch(
        "Deployment", "a", body={"spec": {"minReadySeconds": 1}}, fieldManager="hand"
    )
    ok(changed)
    (found,) = conflicts(await api.apply(deployment("a", replicas=0, minReadySeconds=2), "one"))
    assert found[0].startswith('conflict with "hand" using apps/v1')
    assert found[1] == ".spec.minReadySeconds"


async def test_a_hand_takes_what_it_changes(api: Api) -> None:
    """So a field that drifted is a conflict for the next apply, in a dry run too."""
    ok(await api.apply(config_map("a", key="1"), "one"), 201)
    ok(await api.patch("ConfigMap", "a", body={"data": {"key": "2"}}, fieldManager="hand"))
    for query in ({}, {"dryRun": "All"}):
        (found,) = conflicts(await api.apply(config_map("a", key="1"), "one", **query))
        assert found[0].startswith('conflict with "hand" using v1')
        assert found[1] == ".data.key"


async def test_force_takes_over(api: Api) -> None:
    ok(await api.apply(config_map("a", key="1"), "one"), 201)
    taken = ok(await api.apply(config_map("a", key="2"), "two", force="true"))
    assert taken["data"] == {"key": "2"}
    assert [entry["manager"] for entry in taken["metadata"]["managedFields"]] == ["two"]
    later = await api.apply(config_map("a", key="1"), "one")
    assert conflicts(later) == {('conflict with "two"', ".data.key")}


async def test_the_same_value_is_owned_by_both(api: Api) -> None:
    ok(await api.apply(config_map("a", key="1"), "one"), 201)
    both = ok(await api.apply(config_map("a", key="1"), "two"))
    assert owned(both, "one") == owned(both, "two") == {"f:data": {"f:key": {}}}
    left = ok(await api.apply(config_map("a"), "one"))
    assert left["data"] == {"key": "1"}
    gone = ok(await api.apply(config_map("a"), "two"))
    assert gone.get("data", {}) == {}


async def test_a_list_item_of_two_owners_outlives_one(api: Api) -> None:
    def env(*names: str) -> Object:
        return deployment(
            "a", container(env=[{"name": name, "value": "1"} for name in names]), replicas=0
        )

    ok(await api.apply(env("A", "B"), "one"), 201)
    ok(await api.apply(env("B", "C"), "two"))
    left = ok(await api.apply(env("A"), "one"))
    names = [each["name"] for each in left["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert sorted(names) == ["A", "B", "C"]
    gone = ok(await api.apply(env("C"), "two"))
    names = [each["name"] for each in gone["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert sorted(names) == ["A", "C"]


async def test_a_default_is_part_of_a_key(api: Api) -> None:
    short = deployment("a", container(ports=[{"containerPort": 80}]), replicas=0)
    full = deployment("a", container(ports=[{"containerPort": 80, "protocol": "TCP"}]), replicas=0)
    ok(await api.apply(short, "one"), 201)
    both = ok(await api.apply(full, "two"))
    (port,) = both["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert port == {"containerPort": 80, "protocol": "TCP"}


async def test_some_lists_and_maps_are_owned_as_a_whole(api: Api) -> None:
    ok(await api.apply(deployment("a", container(args=["x"]), replicas=0), "one"), 201)
    answer = await api.apply(deployment("a", container(args=["x", "y"]), replicas=0), "two")
    assert conflicts(answer) == {
        ('conflict with "one"', '.spec.template.spec.containers[name="web"].args')
    }
    chosen = deployment("b", replicas=0)
    chosen["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "fast"}
    ok(await api.apply(chosen, "one"), 201)
    chosen["spec"]["template"]["spec"]["nodeSelector"] = {"zone": "a"}
    assert conflicts(await api.apply(chosen, "two")) == {
        ('conflict with "one"', ".spec.template.spec.nodeSelector")
    }


async def test_what_somebody_made_before_stays_theirs(api: Api) -> None:
    """An owner by update keeps a field that the applier drops."""
    await api.made(config_map("a", key="1", other="2"))
    ok(await api.apply(config_map("a", key="1"), "one"))
    left = ok(await api.apply(config_map("a"), "one"))
    assert left["data"] == {"key": "1", "other": "2"}


async def test_drops_to_the_default(api: Api) -> None:
    ok(await api.apply(deployment("a", replicas=0, revisionHistoryLimit=3)), 201)
    changed = ok(await api.apply(deployment("a", replicas=0)))
    assert changed["spec"]["revisionHistoryLimit"] == 10


async def test_a_dry_run(api: Api) -> None:
    planned = ok(await api.apply(config_map("a", key="1"), dryRun="All"), 201)
    assert planned["data"] == {"key": "1"}
    refused(await api.get("ConfigMap", "a"), 404, "NotFound")
    made = ok(await api.apply(deployment("b", replicas=0, paused=True)), 201)
    planned = ok(await api.apply(deployment("b", replicas=0, paused=True), dryRun="All"))
    assert planned["metadata"]["generation"] == made["metadata"]["generation"]
    planned = ok(await api.apply(deployment("b", replicas=1, paused=True), dryRun="All"))
    assert planned["metadata"]["generation"] == made["metadata"]["generation"] + 1
    assert (await api.read("Deployment", "b"))["spec"]["replicas"] == 0
    wrong = await api.apply(deployment("b", replicas=-1, paused=True), dryRun="All")
    refused(wrong, 422, "Invalid")


async def test_a_version_that_is_gone(api: Api) -> None:
    made = ok(await api.apply(config_map("a", key="1")), 201)
    ok(await api.apply(config_map("a", key="2")))
    stale = config_map("a", key="3")
    stale["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    refused(await api.apply(stale), 409, "Conflict")


async def test_another_uid(api: Api) -> None:
    uid = "11111111-2222-4333-8444-555555555555"
    obj = config_map("a", key="1")
    obj["metadata"]["uid"] = uid
    body = refused(await api.apply(obj), 409, "Conflict")
    assert f"uid mismatch: the provided object specified uid {uid}" in body["message"]
    ok(await api.apply(config_map("a", key="1")), 201)
    answer = await api.apply({**obj, "data": {"key": "2"}})
    assert causes(answer) == {("FieldValueInvalid", "metadata.uid")}
    assert (await api.read("ConfigMap", "a"))["data"] == {"key": "1"}


async def test_a_version_of_what_is_not_there_is_no_matter(api: Api) -> None:
    obj = config_map("a", key="1")
    obj["metadata"]["resourceVersion"] = "1"
    ok(await api.apply(obj), 201)


async def test_secrets(api: Api) -> None:
    def given(**data: str) -> Object:
        return secret("a", data=data)

    ok(await api.apply(given(A="MQ==", B="Mg=="), "one"), 201)
    assert ok(await api.apply(given(A="MQ=="), "one"))["data"] == {"A": "MQ=="}
    values = {"data": {"C": "Mw=="}}
    ok(await api.patch("Secret", "a", body=values, fieldManager="values"))
    assert ok(await api.apply(given(A="MQ=="), "one"))["data"] == {"A": "MQ==", "C": "Mw=="}
    assert ok(await api.apply(secret("a"), "one"))["data"] == {"C": "Mw=="}


async def test_string_data_that_is_dropped_stays(api: Api) -> None:
    ok(await api.apply(secret("a", stringData={"A": "1", "B": "2"})), 201)
    left = ok(await api.apply(secret("a", stringData={"A": "1"})))
    assert left["data"] == {"A": "MQ==", "B": "Mg=="}


async def test_replicas_move_to_a_scaler(api: Api) -> None:
    ok(await api.apply(deployment("a", replicas=0), "one"), 201)
    scaled = await api.patch(
        "Deployment", "a", "scale", body={"spec": {"replicas": 2}}, fieldManager="scaler"
    )
    ok(scaled)
    (found,) = conflicts(await api.apply(deployment("a", replicas=0), "one"))
    assert found[0].startswith('conflict with "scaler"')
    assert found[1] == ".spec.replicas"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"replicsa": 1}, ".spec.replicsa: field not declared in schema"),
        ({"replicas": "two"}, "expected numeric (int or float), got string"),
    ],
)
async def test_what_has_no_type_is_an_error_of_the_server(
    api: Api, spec: Object, says: str
) -> None:
    answer = await api.apply(deployment("a", **spec), fieldValidation="Strict")
    body = refused(answer, 500, None)
    assert body["message"].startswith(
        f"failed to create typed patch object ({api.namespace}/a; apps/v1, Kind=Deployment): "
    )
    assert says in body["message"]


@pytest.mark.parametrize(
    ("web", "says"),
    [
        ({"env": [{"name": "A", "value": 1}]}, "expected string"),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
            '.env: duplicate entries for key [name="A"]',
        ),
    ],
)
async def test_so_are_wrong_items(api: Api, web: Object, says: str) -> None:
    answer = await api.apply(deployment("a", container(**web)), fieldValidation="Strict")
    body = refused(answer, 500, None)
    assert body["message"].startswith("failed to create typed patch object")
    assert says in body["message"]


async def test_so_is_a_quantity_that_is_none(api: Api) -> None:
    web = container(resources={"limits": {"memory": "1 Gi"}})
    body = refused(await api.apply(deployment("a", web), fieldValidation="Strict"), 500, None)
    assert body["message"].startswith("failed to convert new object")


async def test_strategic_patches_own_what_they_change(api: Api) -> None:
    ok(await api.apply(deployment("a", replicas=0, paused=True), "one"), 201)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "b"}]}}}}
    changed = await api.patch("Deployment", "a", body=body, type_=STRATEGIC, fieldManager="hand")
    image = {"f:image": {}}
    fields = owned(ok(changed), "hand")
    assert fields == {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': image}}}}
    }
