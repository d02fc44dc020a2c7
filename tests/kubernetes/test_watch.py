"""Watching: nothing lost, nothing twice, an end in order, and an end of history that is said."""

import asyncio
import os
from contextlib import AsyncExitStack

import pytest

from tests.kubernetes.asking import Api, Watch, ok
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.objects import config_map, labelled, secret

pytestmark = pytest.mark.api

WATCHES = 50
WRITES = 1_000 if os.environ.get("KUBEORCH_SOAK") else 100


async def version(api: Api, kind: str) -> str:
    found: str = (await api.read(kind))["metadata"]["resourceVersion"]
    return found


async def test_tells_of_every_change(api: Api) -> None:
    async with api.watch("Secret", resourceVersion=await version(api, "Secret")) as watch:
        made = await api.made(secret("a"))
        changed = ok(await api.patch("Secret", "a", body={"data": {"key": "MQ=="}}))
        ok(await api.delete("Secret", "a"))
        assert await watch.next() == ("ADDED", made)
        assert await watch.next() == ("MODIFIED", changed)
        type_, last = await watch.next()
    assert type_ == "DELETED"
    assert last["data"] == {"key": "MQ=="}
    assert int(last["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])


async def test_goes_on_from_a_version_and_ends_in_time(api: Api) -> None:
    old = await api.made(secret("old"))
    new = await api.made(secret("new"))
    since = {"resourceVersion": old["metadata"]["resourceVersion"], "timeoutSeconds": "1"}
    async with api.watch("Secret", **since) as watch:
        assert await watch.rest() == [("ADDED", new)]


@pytest.mark.parametrize("since", [{}, {"resourceVersion": "0"}])
async def test_begins_with_what_is_there(api: Api, since: dict[str, str]) -> None:
    await api.made(secret("a"))
    await api.made(secret("b"))
    await api.until("Secret", "b", lambda _: True)
    async with api.watch("Secret", **since) as watch:
        assert sorted(await watch.names(2)) == [("ADDED", "a"), ("ADDED", "b")]
        await api.made(secret("c"))
        assert await watch.names(1) == [("ADDED", "c")]


async def test_of_some_by_label(api: Api) -> None:
    """What gets the label arrives as new; what loses it leaves as deleted."""
    chosen = {"watch": "1", "labelSelector": "tier=web"}
    async with api.watch("Secret", resourceVersion=await version(api, "Secret"), **chosen) as watch:
        await api.made(secret("a"))
        await api.made(labelled(secret("b"), tier="web"))
        for tier in ("web", "db"):
            patch = {"metadata": {"labels": {"tier": tier}}}
            ok(await api.patch("Secret", "a", body=patch))
        await api.made(labelled(secret("c"), tier="web"))
        assert await watch.names(4) == [
            ("ADDED", "b"),
            ("ADDED", "a"),
            ("DELETED", "a"),
            ("ADDED", "c"),
        ]


async def test_of_one_by_name(api: Api) -> None:
    since = await version(api, "Secret")
    async with api.watch("Secret", resourceVersion=since, fieldSelector="metadata.name=b") as watch:
        for name in "abc":
            await api.made(secret(name))
        ok(await api.delete("Secret", "b"))
        assert await watch.names(2) == [("ADDED", "b"), ("DELETED", "b")]


async def test_a_list_that_goes_on_as_a_watch(api: Api) -> None:
    await api.made(secret("a"))
    last = await api.made(secret("b"))
    streamed = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    async with api.watch("Secret", **streamed) as watch:
        assert sorted(await watch.names(2)) == [("ADDED", "a"), ("ADDED", "b")]
        type_, mark = await watch.next()
        assert type_ == "BOOKMARK"
        assert (mark["apiVersion"], mark["kind"]) == ("v1", "Secret")
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert int(mark["metadata"]["resourceVersion"]) >= int(last["metadata"]["resourceVersion"])
        await api.made(secret("c"))
        assert await watch.names(1) == [("ADDED", "c")]


async def test_such_a_list_has_to_say_how_new_it_is(api: Api) -> None:
    answer = await api.get("Secret", watch="true", sendInitialEvents="true")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "Invalid"


async def test_a_version_that_is_none(api: Api) -> None:
    answer = await api.get("Secret", watch="true", resourceVersion="x")
    assert answer.status_code in (400, 422)


async def test_history_that_is_gone_after_a_restart(cluster: Cluster, api: Api) -> None:
    """The server says 410, in the stream or instead of it, and a list goes on from there."""
    since = (await api.made(config_map("a", key="1")))["metadata"]["resourceVersion"]
    for key in "23":
        ok(await api.patch("ConfigMap", "a", body={"data": {"key": key}}))
    await cluster.restart()
    async with cluster.client() as http:
        path = "/api/v1/configmaps"
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": "5"}
        async with http.stream("GET", path, params=query) as answer:
            if answer.status_code == 200:
                type_, status = await Watch(answer).next()
                assert type_ == "ERROR"
            else:
                assert answer.status_code == 410
                await answer.aread()
                status = answer.json()
        assert (status["kind"], status["code"]) == ("Status", 410)
        assert status["reason"] in ("Expired", "Gone")
        assert ok(await http.get(path))["metadata"]["resourceVersion"].isdigit()


@pytest.mark.soak
async def test_many_at_once_lose_nothing(api: Api) -> None:
    since = (await api.made(config_map("a", key="-")))["metadata"]["resourceVersion"]

    async def follow(watch: Watch) -> list[tuple[str, str]]:
        found = []
        while not found or found[-1][1] != str(WRITES - 1):
            type_, obj = await watch.next()
            found.append((type_, obj["data"]["key"]))
        return found

    chosen = {"resourceVersion": since, "fieldSelector": "metadata.name=a"}
    async with AsyncExitStack() as stack:
        watches = [
            await stack.enter_async_context(api.watch("ConfigMap", **chosen))
            for _ in range(WATCHES)
        ]
        following = [asyncio.create_task(follow(watch)) for watch in watches]
        for key in range(WRITES):
            ok(await api.patch("ConfigMap", "a", body={"data": {"key": str(key)}}))
        told = await asyncio.gather(*following)
    expected = [("MODIFIED", str(key)) for key in range(WRITES)]
    assert all(each == expected for each in told)
