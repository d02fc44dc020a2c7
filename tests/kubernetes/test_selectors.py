"""Choosing objects by label and by field."""

import pytest

from tests.kubernetes.asking import Api, refused
from tests.kubernetes.objects import config_map, labelled, pod, secret

pytestmark = pytest.mark.api


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=web", "a"),
        ("tier==web", "a"),
        ("tier!=web", "bcd"),
        ("tier in (web, db)", "ab"),
        ("tier notin (web)", "bcd"),
        ("tier", "abc"),
        ("!tier", "d"),
        ("tier=web,size=big", ""),
        ("tier,size=big", "b"),
        ("tier=", "c"),
        ("size notin (big),tier", "ac"),
    ],
)
async def test_labels(api: Api, selector: str, found: str) -> None:
    await api.made(labelled(secret("a"), tier="web"))
    await api.made(labelled(secret("b"), tier="db", size="big"))
    await api.made(labelled(secret("c"), tier=""))
    await api.made(secret("d"))
    listed = await api.read("Secret", labelSelector=selector)
    assert "".join(item["metadata"]["name"] for item in listed["items"]) == found


@pytest.mark.parametrize("selector", ["a==b==c", "a in", "a in (b", "=b", "-a=b", "a=b c"])
async def test_labels_that_are_none(api: Api, selector: str) -> None:
    refused(await api.get("Secret", labelSelector=selector), 400, "BadRequest")


async def test_fields(api: Api) -> None:
    await api.made(secret("a", type="example.test/x"))
    await api.made(secret("b"))
    for selector, found in {
        "metadata.name=a": ["a"],
        "metadata.name!=a": ["b"],
        f"metadata.namespace={api.namespace},metadata.name=b": ["b"],
        "type=example.test/x": ["a"],
    }.items():
        listed = await api.read("Secret", fieldSelector=selector)
        assert [item["metadata"]["name"] for item in listed["items"]] == found


async def test_fields_of_pods(api: Api) -> None:
    await api.made(pod("a", restartPolicy="Never"))
    listed = await api.read("Pod", fieldSelector="spec.restartPolicy=Never,status.phase!=Failed")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]


async def test_a_field_that_cannot_be_asked_for(api: Api) -> None:
    await api.made(config_map("a"))
    answer = await api.get("ConfigMap", fieldSelector="data.x=y")
    assert refused(answer, 400, "BadRequest")["message"] == (
        '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )
    answer = await api.get("Pod", fieldSelector="spec.image=y")
    body = refused(answer, 400, "BadRequest")
    assert body["message"] == "field label not supported: spec.image"
