"""Merge patches, strategic merge patches and JSON patches."""

import pytest

from tests.kubernetes.asking import JSON_PATCH, MERGE, STRATEGIC, Api, Object, ok, refused
from tests.kubernetes.objects import config_map, container, deployment, service

pytestmark = pytest.mark.api


def containers(obj: Object) -> list[Object]:
    found: list[Object] = obj["spec"]["template"]["spec"]["containers"]
    return found


def in_template(*patched: Object) -> Object:
    return {"spec": {"template": {"spec": {"containers": list(patched)}}}}


async def test_merge_removes_by_null(api: Api) -> None:
    await api.made(config_map("a", keep="1", drop="2"))
    changed = await api.patch("ConfigMap", "a", body={"data": {"drop": None, "new": "3"}})
    assert ok(changed)["data"] == {"keep": "1", "new": "3"}


async def test_merge_replaces_lists(api: Api) -> None:
    await api.made(deployment("a", container(env=[{"name": "A", "value": "1"}]), replicas=0))
    changed = await api.patch("Deployment", "a", body=in_template(container("b")))
    (only,) = containers(ok(changed))
    assert (only["image"], only.get("env")) == ("b", None)


async def test_a_patch_of_nothing(api: Api) -> None:
    made = await api.made(config_map("a", key="value"))
    for type_, body in {MERGE: {"data": {"key": "value"}}, JSON_PATCH: [], STRATEGIC: {}}.items():
        same = ok(await api.patch("ConfigMap", "a", body=body, type_=type_))
        assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_patch_of_a_version_that_is_gone(api: Api) -> None:
    made = await api.made(config_map("a", key="1"))
    ok(await api.patch("ConfigMap", "a", body={"data": {"key": "2"}}))
    version = {"resourceVersion": made["metadata"]["resourceVersion"]}
    answer = await api.patch("ConfigMap", "a", body={"metadata": version, "data": {"key": "3"}})
    refused(answer, 409, "Conflict")


async def test_strategic_merges_by_name(api: Api) -> None:
    web = container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    await api.made(deployment("a", web, {"name": "side", "image": "x"}, replicas=0))
    patched = {"name": "web", "image": "b", "env": [{"name": "B", "value": "3"}]}
    changed = await api.patch("Deployment", "a", body=in_template(patched), type_=STRATEGIC)
    first, second = containers(ok(changed))
    assert (first["name"], first["image"]) == ("web", "b")
    assert first["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]
    assert (second["name"], second["image"]) == ("side", "x")


async def test_strategic_deletes_and_replaces(api: Api) -> None:
    web = container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    await api.made(deployment("a", web, {"name": "side", "image": "x"}, replicas=0))
    body = in_template(
        {"name": "web", "env": [{"$patch": "replace"}, {"name": "C", "value": "3"}]},
        {"name": "side", "$patch": "delete"},
    )
    (only,) = containers(ok(await api.patch("Deployment", "a", body=body, type_=STRATEGIC)))
    assert (only["name"], only["env"]) == ("web", [{"name": "C", "value": "3"}])


async def test_strategic_merges_ports_of_a_service_by_port(api: Api) -> None:
    await api.made(service("a", ports=[{"name": "web", "port": 80}]))
    body = {"spec": {"ports": [{"name": "more", "port": 81}]}}
    changed = ok(await api.patch("Service", "a", body=body, type_=STRATEGIC))
    assert {(each["name"], each["port"]) for each in changed["spec"]["ports"]} == {
        ("web", 80),
        ("more", 81),
    }


async def test_json_patches(api: Api) -> None:
    await api.made(config_map("a", old="1", gone="2"))
    body = [
        {"op": "test", "path": "/data/old", "value": "1"},
        {"op": "replace", "path": "/data/old", "value": "3"},
        {"op": "remove", "path": "/data/gone"},
        {"op": "add", "path": "/data/a~1b", "value": "4"},
        {"op": "copy", "from": "/data/old", "path": "/data/copy"},
        {"op": "move", "from": "/data/a~1b", "path": "/data/c"},
    ]
    changed = await api.patch("ConfigMap", "a", body=body, type_=JSON_PATCH)
    assert ok(changed)["data"] == {"old": "3", "copy": "3", "c": "4"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/key", "value": "2"},
        {"op": "remove", "path": "/data/none"},
    ],
)
async def test_json_patches_that_do_not_fit(api: Api, operation: Object) -> None:
    await api.made(config_map("a", key="1"))
    answer = await api.patch("ConfigMap", "a", body=[operation], type_=JSON_PATCH)
    refused(answer, 422, "Invalid")
    assert (await api.read("ConfigMap", "a"))["data"] == {"key": "1"}


async def test_a_patch_of_an_unknown_type(api: Api) -> None:
    await api.made(config_map("a"))
    answer = await api.patch("ConfigMap", "a", body={}, type_="application/json")
    refused(answer, 415, "UnsupportedMediaType")


async def test_a_patch_of_the_name(api: Api) -> None:
    await api.made(config_map("a"))
    answer = await api.patch("ConfigMap", "a", body={"metadata": {"name": "b"}})
    body = refused(answer, 400, "BadRequest")
    assert body["message"] == ("the name of the object (b) does not match the name on the URL (a)")
