"""Kinds that a CustomResourceDefinition makes."""

import secrets
from collections.abc import AsyncIterator

import pytest

from tests.kubernetes.asking import STRATEGIC, Api, Object, ok, refused
from tests.kubernetes.objects import definition

pytestmark = pytest.mark.api


@pytest.fixture
async def group(api: Api) -> AsyncIterator[str]:
    """The group of a new kind `Widget`, which is served."""
    name = f"g{secrets.token_hex(4)}.example.test"
    made = definition(name)
    await api.made(made)
    plural = made["metadata"]["name"]
    await api.until("CustomResourceDefinition", plural, is_established)
    api.places["Widget"] = (f"/apis/{name}/v1", "widgets", True)
    yield name
    await api.delete("CustomResourceDefinition", plural)


def is_established(obj: Object) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return {"NamesAccepted", "Established"} <= {
        each["type"] for each in conditions if each["status"] == "True"
    }


def widget(group: str, name: str, **spec: object) -> Object:
    metadata = {"name": name}
    return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": metadata, "spec": spec}


async def test_is_found(api: Api, group: str) -> None:
    groups = ok(await api.http.get("/apis"))["groups"]
    assert group in {each["name"] for each in groups}
    listed = ok(await api.http.get(f"/apis/{group}/v1"))
    found = {each["name"]: each for each in listed["resources"]}
    assert set(found) == {"widgets", "widgets/status", "widgets/scale"}
    assert (found["widgets"]["kind"], found["widgets"]["namespaced"]) == ("Widget", True)
    assert found["widgets"]["shortNames"] == ["wd"]
    definition_ = await api.read("CustomResourceDefinition", f"widgets.{group}")
    assert definition_["status"]["acceptedNames"]["kind"] == "Widget"
    assert definition_["status"]["acceptedNames"]["listKind"] == "WidgetList"
    assert definition_["status"]["storedVersions"] == ["v1"]


async def test_is_made_and_listed(api: Api, group: str) -> None:
    made = await api.made(widget(group, "a", size=1))
    assert made["spec"] == {"size": 1, "colour": "blue"}
    assert made["metadata"]["generation"] == 1
    listed = await api.read("Widget")
    assert (listed["apiVersion"], listed["kind"]) == (f"{group}/v1", "WidgetList")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
    body = refused(await api.get("Widget", "b"), 404, "NotFound")
    assert body["message"] == f'widgets.{group} "b" not found'


async def test_is_applied(api: Api, group: str) -> None:
    made = ok(await api.apply(widget(group, "a", size=1, colour="red"), "one"), 201)
    assert made["metadata"]["managedFields"][0]["fieldsV1"] == {
        "f:spec": {"f:colour": {}, "f:size": {}}
    }
    changed = ok(await api.apply(widget(group, "a", size=2), "one"))
    assert changed["spec"] == {"size": 2, "colour": "blue"}
    assert changed["metadata"]["generation"] == 2
    answer = await api.apply(widget(group, "a", size=3), "two")
    assert refused(answer, 409, "Conflict")["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".spec.size",
        }
    ]


async def test_is_checked(api: Api, group: str) -> None:
    body = refused(await api.create(widget(group, "a", size=0)), 422, "Invalid")
    assert {(c["reason"], c["field"]) for c in body["details"]["causes"]} == {
        ("FieldValueInvalid", "spec.size")
    }
    body = refused(await api.create(widget(group, "a")), 422, "Invalid")
    assert {(c["reason"], c["field"]) for c in body["details"]["causes"]} == {
        ("FieldValueRequired", "spec.size")
    }


async def test_loses_unknown_fields(api: Api, group: str) -> None:
    made = await api.made(widget(group, "a", size=1, weight=2))
    assert made["spec"] == {"size": 1, "colour": "blue"}
    answer = await api.create(widget(group, "b", size=1, weight=2), fieldValidation="Strict")
    body = refused(answer, 400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.weight"' in body["message"]


async def test_has_a_status_of_its_own(api: Api, group: str) -> None:
    made = await api.made({**widget(group, "a", size=1), "status": {"size": 9}})
    assert "status" not in made
    body = {"spec": {"size": 5}, "status": {"size": 1}}
    told = ok(await api.patch("Widget", "a", "status", body=body))
    assert (told["spec"]["size"], told["status"]) == (1, {"size": 1})
    assert told["metadata"]["generation"] == 1
    put = ok(await api.put({**told, "spec": {"size": 2}, "status": {"size": 7}}))
    assert (put["spec"]["size"], put["status"], put["metadata"]["generation"]) == (
        2,
        {"size": 1},
        2,
    )


async def test_has_a_scale(api: Api, group: str) -> None:
    await api.made(widget(group, "a", size=1))
    scale = await api.read("Widget", "a", "scale")
    assert (scale["apiVersion"], scale["kind"], scale["spec"]) == (
        "autoscaling/v1",
        "Scale",
        {"replicas": 1},
    )
    ok(await api.patch("Widget", "a", "scale", body={"spec": {"replicas": 4}}))
    assert (await api.read("Widget", "a"))["spec"]["size"] == 4


async def test_knows_no_strategic_merge(api: Api, group: str) -> None:
    await api.made(widget(group, "a", size=1))
    answer = await api.patch("Widget", "a", body={}, type_=STRATEGIC)
    refused(answer, 415, "UnsupportedMediaType")
    merged = await api.patch("Widget", "a", body={"spec": {"colour": None, "size": 2}})
    assert ok(merged)["spec"] == {"size": 2, "colour": "blue"}


async def test_is_watched(api: Api, group: str) -> None:
    since = (await api.read("Widget"))["metadata"]["resourceVersion"]
    async with api.watch("Widget", resourceVersion=since) as watch:
        made = await api.made(widget(group, "a", size=1))
        assert await watch.next() == ("ADDED", made)


async def test_goes_with_its_definition(api: Api, group: str) -> None:
    await api.made(widget(group, "a", size=1))
    name = f"widgets.{group}"
    ok(await api.delete("CustomResourceDefinition", name))
    await api.until_gone("CustomResourceDefinition", name)
    answer = await api.get("Widget", "a")
    assert answer.status_code == 404


async def test_a_name_has_to_fit(api: Api) -> None:
    obj = definition("example.test")
    obj["metadata"]["name"] = "others.example.test"
    body = refused(await api.create(obj), 422, "Invalid")
    assert ("FieldValueInvalid", "metadata.name") in {
        (c["reason"], c["field"]) for c in body["details"]["causes"]
    }
