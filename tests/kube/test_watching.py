"""The watch loop: nothing lost, nothing twice, whatever happens to the stream."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import KubeClient, Limits
from app.kube.watching import Changed, Event, Interrupted, Rhythm, Snapshot, watch
from tests.kube.objects import PATH, Pods
from tests.kube.serving import Server, serving, status

Open = Callable[..., Awaitable[KubeClient]]
QUICK = Rhythm(turn=240, quiet=90, pause=0.01)


@asynccontextmanager
async def watching(
    client: KubeClient, rhythm: Rhythm = QUICK, **arguments: Any
) -> AsyncIterator[Callable[[], Awaitable[Event]]]:
    """`await following()` is the next event."""
    events = watch(client, PATH, rhythm=rhythm, **arguments)

    async def following() -> Event:
        return await asyncio.wait_for(anext(events), 10)

    async with aclosing(events):
        yield following


def names(event: Event) -> list[str]:
    assert isinstance(event, Snapshot), event
    return [one["metadata"]["name"] for one in event.objects]


def change(event: Event) -> tuple[str, str]:
    assert isinstance(event, Changed), event
    return event.type, event.object["metadata"]["name"]


async def test_what_is_there_and_what_comes(server: Server, connect: Open) -> None:
    pods = Pods(server)
    pods.put("one")
    pods.put("two")
    async with watching(await connect()) as following:
        first = await following()
        assert names(first) == ["one", "two"]
        assert isinstance(first, Snapshot)
        assert first.objects[0] == {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": "one", "resourceVersion": "1", "labels": {}},
        }
        pods.put("three")
        pods.put("one", a="b")
        pods.remove("two")
        assert change(await following()) == ("ADDED", "three")
        second = await following()
        assert change(second) == ("MODIFIED", "one")
        assert isinstance(second, Changed)
        assert "managedFields" not in second.object["metadata"]
        assert change(await following()) == ("DELETED", "two")

    asked = pods.asked[-1].query
    turn = int(asked.pop("timeoutSeconds"))
    assert 192 <= turn <= 288
    assert asked == {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": "2"}


async def test_selectors(server: Server, connect: Open) -> None:
    pods = Pods(server)
    selectors = {"label_selector": "a in (b,c)", "field_selector": "metadata.name!=x"}
    async with watching(await connect(), **selectors) as following:
        await following()
        pods.put("one")
        await following()

    assert [
        (asked.query["labelSelector"], asked.query["fieldSelector"]) for asked in pods.asked
    ] == [("a in (b,c)", "metadata.name!=x")] * 2


async def test_pages_of_a_long_list(server: Server, connect: Open) -> None:
    pods = Pods(server)
    pods.page = 2
    for name in "abcde":
        pods.put(name)
    async with watching(await connect()) as following:
        assert names(await following()) == list("abcde")

    assert [asked.query.get("continue") for asked in pods.asked] == [None, "b", "d"]


async def test_a_page_that_is_too_old(server: Server, connect: Open) -> None:
    """Then the list begins anew, and none of the old pages is told."""
    pods = Pods(server)
    pods.page = 1
    pods.put("a")
    pods.put("b")
    answer, expired = server.routes[f"GET {PATH}"], [True]

    async def once(request: web.Request) -> web.StreamResponse:
        if request.query.get("continue") and expired:
            expired.clear()
            return web.json_response(status(410, "expired", reason="Expired"), status=410)
        return await answer(request)

    server.routes[f"GET {PATH}"] = once
    async with watching(await connect()) as following:
        assert names(await following()) == ["a", "b"]

    assert len(pods.asked) == 4


async def test_a_stream_that_ends_is_taken_up(server: Server, connect: Open) -> None:
    """From the newest version that was seen, bookmarks among them."""
    pods = Pods(server)
    pods.put("one")
    async with watching(await connect()) as following:
        await following()
        pods.put("two")
        assert change(await following()) == ("ADDED", "two")
        pods.bookmark()
        pods.hang_up()
        third = asyncio.create_task(following())
        await pods.watched(2)
        pods.put("three")
        assert change(await third) == ("ADDED", "three")

    assert [asked.query.get("resourceVersion") for asked in pods.asked] == [None, "1", "3"]


async def test_a_version_that_is_forgotten(server: Server, connect: Open) -> None:
    """What went meanwhile is missing from the new snapshot; no interruption is told."""
    pods = Pods(server)
    pods.put("one")
    pods.put("two")
    async with watching(await connect()) as following:
        await following()
        pods.put("three")
        assert change(await following()) == ("ADDED", "three")
        pods.hang_up()
        pods.remove("one")
        pods.forget()
        assert names(await following()) == ["three", "two"]
        pods.put("four")
        assert change(await following()) == ("ADDED", "four")


@pytest.mark.parametrize("code", [410, 504])
async def test_a_watch_that_is_refused_as_old(server: Server, connect: Open, code: int) -> None:
    pods = Pods(server)
    answer, refused = server.routes[f"GET {PATH}"], [True]

    async def once(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") and refused:
            refused.clear()
            return web.json_response(status(code, "too large resource version"), status=code)
        return await answer(request)

    server.routes[f"GET {PATH}"] = once
    async with watching(await connect()) as following:
        assert names(await following()) == []
        assert names(await following()) == []
        pods.put("one")
        assert change(await following()) == ("ADDED", "one")


async def test_a_storm_of_forgotten_versions(server: Server, connect: Open) -> None:
    """Backs off and says so, instead of listing as fast as it can."""
    pods = Pods(server)
    answer = server.routes[f"GET {PATH}"]

    async def always(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch"):
            return web.json_response(status(410, "expired"), status=410)
        return await answer(request)

    server.routes[f"GET {PATH}"] = always
    found = []
    async with watching(await connect()) as following:
        for _ in range(6):
            found.append(type(await following()))

    assert found == [Snapshot, Snapshot, Interrupted, Snapshot, Interrupted, Snapshot]
    assert len(pods.asked) < 10


async def test_empty_streams_are_no_hot_loop(server: Server, connect: Open) -> None:
    pods = Pods(server)
    answer = server.routes[f"GET {PATH}"]

    async def empty(request: web.Request) -> web.StreamResponse:
        return web.Response() if request.query.get("watch") else await answer(request)

    server.routes[f"GET {PATH}"] = empty
    pauses = []
    async with watching(await connect()) as following:
        await following()
        for _ in range(5):
            told = await following()
            assert isinstance(told, Interrupted)
            pauses.append(told.seconds)

    assert len(pods.asked) == 6
    for number, pause in enumerate(pauses):
        assert 0.5 <= pause / (0.01 * 2**number) <= 1


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"{\n",
        b"[]\n",
        b"7\n",
        b'{"type":"ADDED"}\n',
        b'{"type":"ADDED","object":7}\n',
        b"[" * 10_000 + b"\n",
        b"\xff\n",
        b'{"type":"ERROR","object":{"code":500,"message":"etcd"}}\n',
    ],
)
async def test_lines_that_are_none(server: Server, connect: Open, line: bytes) -> None:
    """The watch goes on from where it was."""
    pods = Pods(server)
    pods.put("one")
    async with watching(await connect()) as following:
        await following()
        pods.say(line)
        told = await following()
        assert isinstance(told, Interrupted)
        assert told.error.fault is ClusterFault.UNAVAILABLE
        pods.events.clear()
        pods.put("two")
        assert change(await following()) == ("ADDED", "two")


@pytest.mark.parametrize(
    "event",
    [
        {"type": 7, "object": {}},
        {"object": {}},
        {"type": "NEWS", "object": {"metadata": {"resourceVersion": 7}}},
        {"type": "BOOKMARK", "object": {"metadata": 7}},
    ],
)
async def test_events_of_no_meaning_are_passed_over(
    server: Server, connect: Open, event: Any
) -> None:
    pods = Pods(server)
    async with watching(await connect()) as following:
        await following()
        pods.say(event)
        pods.put("one")
        assert change(await following()) == ("ADDED", "one")


async def test_a_line_that_is_too_long(server: Server, connect: Open) -> None:
    """The object is listed, then; the list has more room."""
    pods = Pods(server)
    async with watching(await connect(limits=Limits(line=4_096))) as following:
        assert names(await following()) == []
        pods.put("large", annotation="x" * 8_192)
        assert names(await following()) == ["large"]
        pods.put("small")
        assert change(await following()) == ("ADDED", "small")


async def test_a_stream_that_falls_silent_is_taken_up(server: Server, connect: Open) -> None:
    """Half-open connections say nothing for ever; that is no failure and not told."""
    pods = Pods(server)
    pods.put("one")
    async with watching(await connect(), Rhythm(quiet=0.2, pause=0.01)) as following:
        await following()
        pods.put("two")
        assert change(await following()) == ("ADDED", "two")
        third = asyncio.create_task(following())
        await pods.watched(3)
        pods.put("three")
        assert change(await third) == ("ADDED", "three")

    assert [asked.query.get("resourceVersion") for asked in pods.asked[:4]] == [None, "1", "2", "2"]


async def test_a_server_that_dies_and_comes_back(tls: ssl.SSLContext, connect: Open) -> None:
    """With its history, without it, and with an older one."""
    pods: Pods
    async with serving(Server(), tls) as first:
        pods = Pods(first)
        pods.put("one")
        client = await connect(url=first.url)
        events = watch(client, PATH, rhythm=QUICK)
        assert names(await anext(events)) == ["one"]
    told = await asyncio.wait_for(anext(events), 10)
    assert isinstance(told, Interrupted)
    assert told.error.fault is ClusterFault.UNREACHABLE

    async with serving(first, tls, port=first.port):
        pods.put("two")
        while isinstance(told, Interrupted):
            told = await asyncio.wait_for(anext(events), 10)
        assert change(told) == ("ADDED", "two")

    told = await asyncio.wait_for(anext(events), 10)
    assert isinstance(told, Interrupted)
    async with serving(Server(), tls, port=first.port) as reborn:
        fresh = Pods(reborn, first=100)
        fresh.put("other")
        while isinstance(told, Interrupted):
            told = await asyncio.wait_for(anext(events), 10)
        assert names(told) == ["other"]
        await events.aclose()


@pytest.mark.parametrize("code", [401, 403, 404])
async def test_when_going_on_makes_no_sense(server: Server, connect: Open, code: int) -> None:
    server.refuses(f"GET {PATH}", code)
    events = watch(await connect(), PATH, rhythm=QUICK)

    with pytest.raises(ClusterError) as failed:
        await anext(events)

    assert failed.value.status == code
    assert len(server.asked) == 1


async def test_rights_that_are_taken_away(server: Server, connect: Open) -> None:
    """A stream that is open goes on until it ends; the next one is refused."""
    pods = Pods(server)
    events = watch(await connect(), PATH, rhythm=QUICK)
    assert names(await anext(events)) == []
    following = asyncio.create_task(anext(events))
    await pods.watched(1)
    server.refuses(f"GET {PATH}", 403, "forbidden")
    pods.bookmark()
    pods.hang_up()

    with pytest.raises(ClusterError) as failed:
        await following

    assert failed.value.fault is ClusterFault.FORBIDDEN


async def test_a_busy_cluster_says_when(server: Server, connect: Open) -> None:
    pods = Pods(server)
    answer, busy = server.routes[f"GET {PATH}"], [True]

    async def once(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") and busy:
            busy.clear()
            told = status(429, "slow down")
            return web.json_response(told, status=429, headers={"Retry-After": "1"})
        return await answer(request)

    server.routes[f"GET {PATH}"] = once
    async with watching(await connect()) as following:
        await following()
        told = await following()
        assert isinstance(told, Interrupted)
        assert told.seconds == 1
        pods.put("one")
        assert change(await following()) == ("ADDED", "one")


async def test_a_list_without_end(server: Server, connect: Open) -> None:
    """A token to go on from, for ever, and never an object."""
    body = {"kind": "PodList", "metadata": {"continue": "x", "resourceVersion": "1"}, "items": []}
    server.answers(f"GET {PATH}", body)
    async with watching(await connect()) as following:
        told = await following()

    assert isinstance(told, Interrupted)
    assert "never ends" in told.error.message
    assert len(server.asked) == 1_000


@pytest.mark.parametrize(
    "body", [{}, {"items": 7}, {"items": [7, {"metadata": 7}], "metadata": []}, {"kind": 7}]
)
async def test_lists_that_are_none(server: Server, connect: Open, body: Any) -> None:
    """There is no version to go on from."""
    server.answers(f"GET {PATH}", body)

    with pytest.raises(ClusterError, match="no version") as failed:
        await anext(watch(await connect(), PATH, rhythm=QUICK))

    assert failed.value.fault is ClusterFault.NOT_KUBERNETES


async def test_a_thousand_changes_through_broken_streams(server: Server, connect: Open) -> None:
    pods = Pods(server)
    found: list[str] = []

    async def follow() -> None:
        async with watching(await connect()) as following:
            while len(found) < 1_000:
                told = await following()
                if isinstance(told, Changed):
                    found.append(told.object["metadata"]["name"])

    task = asyncio.create_task(follow())
    await pods.watched(1)
    for number in range(1_000):
        pods.put(f"pod-{number}")
        if number % 100 == 50:
            pods.hang_up()
            await pods.watched(pods.watches + 1)
    await asyncio.wait_for(task, 30)

    assert found == [f"pod-{number}" for number in range(1_000)]
