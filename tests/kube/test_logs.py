"""Reading logs: every line once and in order, whatever becomes of containers and connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from app.domain.errors import ClusterError, ClusterFault, NotFound
from app.domain.inspecting import LogLine
from app.kube.client import KubeClient
from app.kube.loglines import LONGEST, Cursor, read_line
from app.kube.logs import AHEAD, LogQuery, read_logs
from app.kube.logsources import LogRhythm
from tests.kube.objects import Pods
from tests.kube.serving import Server
from tests.kube.speaking import (
    NAMESPACE,
    NOW,
    PODS,
    Speaker,
    broken_after,
    cut_within,
    ended,
    line,
    over,
    pod,
    pods_on,
    refused,
    running,
    waiting,
)

Open = Callable[..., Awaitable[KubeClient]]
Next = Callable[[], Awaitable[LogLine | None]]

JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
QUICK = LogRhythm(quiet=30, pause=0.01, longest=0.05, trouble=5)


@asynccontextmanager
async def reading(
    client: KubeClient, stop: asyncio.Event | None = None, **query: Any
) -> AsyncIterator[Next]:
    """`await following()` is the next line; None when there are no more."""
    asked = LogQuery(**{"namespaces": (NAMESPACE,), "selector": "app=web", "rhythm": QUICK} | query)
    lines = read_logs(client, asked, now=NOW, stop=stop or asyncio.Event())

    async def following() -> LogLine | None:
        return await asyncio.wait_for(anext(lines, None), 10)

    async with aclosing(lines):
        yield following


async def texts(client: KubeClient, **query: Any) -> list[str]:
    """The texts of all lines, until there are no more."""
    found = []
    async with reading(client, **query) as following:
        while (told := await following()) is not None:
            found.append(told.text)
    return found


async def some(following: Next, count: int) -> list[str]:
    found = [await following() for _ in range(count)]
    return [told.text for told in found if told is not None]


async def test_what_there_is(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", *(line(n, f"line {n}") for n in range(5)))
    async with reading(await connect(), tail=2) as following:
        first = await following()
        assert first == LogLine("web-1", "app", NOW.replace(second=3), "line 3")
        assert await some(following, 1) == ["line 4"]
        assert await following() is None
    [asked] = speaker.asked
    assert asked.query == {"container": "app", "timestamps": "true", "tailLines": "2"}
    [listed] = [each for each in server.asked if each.path == PODS]
    assert listed.query == {"labelSelector": "app=web", "limit": "500"}


async def test_several_containers_in_the_order_of_time(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    pods.place(pod("web-2", app=running("two")))
    Speaker(server, "web-1", line(1, "a"), line(4, "d"), line(4.000000001, "e"))
    Speaker(server, "web-2", line(2, "b"), line(3, "c"), line(5, "f"))
    assert await texts(await connect()) == ["a", "b", "c", "d", "e", "f"]


async def test_more_containers_than_are_read_at_once(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    for n in range(5):
        pods.place(pod(f"web-{n}", app=running(f"run-{n}")))
        Speaker(server, f"web-{n}", line(n, f"{n}"))
    assert sorted(await texts(await connect(), at_once=2)) == ["0", "1", "2", "3", "4"]


async def test_following_goes_on_after_a_broken_connection(server: Server, connect: Open) -> None:
    """The second that is asked for again holds lines that came already, some at the same time."""
    pods_on(server).place(pod("web-1", app=running("one")))
    speaker = Speaker(
        server,
        "web-1",
        line(0, "a"),
        line(1.1, "b"),
        line(1.2, "c"),
        line(1.2, "c"),
        line(1.2, "d"),
    )
    speaker.script = [broken_after(3), broken_after(3), broken_after(4)]
    async with reading(await connect(), follow=True, tail=100) as following:
        assert await some(following, 5) == ["a", "b", "c", "c", "d"]
        speaker.say(line(2, "e"))
        assert await some(following, 1) == ["e"]
    first, second = (asked.query for asked in speaker.asked[:2])
    assert first["tailLines"] == "100"
    assert "tailLines" not in second
    assert second["sinceTime"] == "2026-01-01T12:00:01Z"


async def test_a_line_that_was_cut_comes_whole_in_the_end(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", line(1, "first"), line(2, "second line"))
    speaker.script = [cut_within(1, len(line(2, "second")))]
    async with reading(await connect(), follow=True, tail=100) as following:
        assert await some(following, 3) == ["first", "second", "second line"]
        speaker.say(line(3, "third"))
        assert await some(following, 1) == ["third"]


async def test_a_container_that_has_not_begun_is_waited_for(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", phase="Pending", app=waiting("ImagePullBackOff")))
    speaker = Speaker(server, "web-1", line(1, "begun"))
    async with reading(await connect(), follow=True, pod="web-1") as following:
        coming = asyncio.create_task(following())
        await pods.watched(1)
        assert speaker.asked == []
        # The kubelet may say so before, or after, the pod does.
        speaker.script = [
            refused(400, 'container "app" in pod "web-1" is waiting to start: ContainerCreating')
        ]
        pods.place(pod("web-1", app=running("one")))
        told = await coming
        assert told is not None
        assert told.text == "begun"
    assert await texts(await connect(), pod="web-1") == ["begun"]
    pods.place(pod("web-1", phase="Pending", app=waiting("ContainerCreating")))
    assert await texts(await connect(), pod="web-1") == []


async def test_restarts_are_followed(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", line(1, "one begins"))
    async with reading(await connect(), follow=True) as following:
        assert await some(following, 1) == ["one begins"]
        await speaker.until_asked(2)
        # The connection breaks before the last word of the run; the next run has its own lines.
        speaker.previous = [line(1, "one begins"), line(1.5, "one fails")]
        speaker.lines = [line(2, "two begins")]
        again = running("two", restarts=1, last=ended("one"), began="12:00:02")
        pods.place(pod("web-1", app=again))
        speaker.end()
        assert await some(following, 2) == ["one fails", "two begins"]
    previous = [asked.query for asked in speaker.asked if "previous" in asked.query]
    assert [asked.get("sinceTime") for asked in previous] == ["2026-01-01T12:00:01Z"]


async def test_a_restart_of_which_the_pod_tells_late(server: Server, connect: Open) -> None:
    """The kubelet answers with the log of the new run before anybody knows that there is one."""
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", line(1, "one begins"))
    async with reading(await connect(), follow=True) as following:
        assert await some(following, 1) == ["one begins"]
        await speaker.until_asked(2)
        speaker.previous, speaker.lines = [line(1, "one begins")], [line(2, "two begins")]
        speaker.end()
        assert await some(following, 1) == ["two begins"]
        again = running("two", restarts=1, last=ended("one"), began="12:00:02")
        speaker.lines.append(line(3, "two goes on"))
        pods.place(pod("web-1", app=again))
        assert await some(following, 1) == ["two goes on"]


async def test_after_a_crash_the_run_before_is_shown(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("two", last=ended("one"))))
    speaker = Speaker(server, "web-1", line(2, "begins again"))
    speaker.previous = [line(0, "begins"), line(1, "fails")]
    client = await connect()
    assert await texts(client, tail=100) == ["begins", "fails", "begins again"]
    assert await texts(client, tail=1) == ["fails", "begins again"]
    assert await texts(client, tail=0) == []
    # It waits for its next start: the log that there is, is that of the run that crashed.
    pods.place(pod("web-1", app=waiting("CrashLoopBackOff", last=ended("two"))))
    assert await texts(client, tail=100) == ["begins again"]
    # A crash of long ago is not what one looks for.
    long_ago = ended("one", at="2026-01-01T11:00:00Z")
    pods.place(pod("web-1", app=running("two", last=long_ago)))
    assert await texts(client, tail=100) == ["begins again"]


async def test_only_what_is_new(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", line(1, "old"))
    async with reading(await connect(), follow=True, tail=0) as following:
        coming = asyncio.create_task(following())
        await speaker.until_asked(1)
        speaker.say(line(2, "new"))
        told = await coming
        assert told is not None
        assert told.text == "new"


async def test_pods_that_come_are_read_from_their_beginning(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    Speaker(server, "web-1", line(1, "old"), line(2, "one"))
    Speaker(server, "web-2", line(3, "two"), line(4, "three"))
    async with reading(await connect(), follow=True, tail=1) as following:
        assert await some(following, 1) == ["one"]
        pods.remove("web-1")
        pods.place(pod("web-2", app=running("two")))
        assert await some(following, 2) == ["two", "three"]


async def test_it_ends_when_the_pods_have_finished(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("job-1", policy="Never", app=running("one")))
    speaker = Speaker(server, "job-1", line(1, "works"))
    async with reading(await connect(), follow=True) as following:
        assert await some(following, 1) == ["works"]
        speaker.say(line(2, "done"))
        speaker.end()
        pods.place(pod("job-1", phase="Succeeded", policy="Never", app=over("one")))
        assert await some(following, 1) == ["done"]
        assert await following() is None


async def test_a_job_that_tries_again_is_followed(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    jobs = Pods(server, path=JOBS, api_version="batch/v1", kind="Job")
    jobs.place({"metadata": {"name": "job"}})
    failed = pod("job-1", phase="Failed", policy="Never", app=over("one", 1))
    failed["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "job", "controller": True}]
    pods.place(failed)
    Speaker(server, "job-1", line(1, "fails"))
    Speaker(server, "job-2", line(2, "works"))
    async with reading(await connect(), follow=True) as following:
        assert await some(following, 1) == ["fails"]
        coming = asyncio.create_task(following())
        await jobs.watched(1)
        pods.place(pod("job-2", phase="Succeeded", policy="Never", app=over("two")))
        told = await coming
        assert told is not None
        assert told.text == "works"
        coming = asyncio.create_task(following())
        complete = [{"type": "Complete", "status": "True"}]
        jobs.place({"metadata": {"name": "job"}, "status": {"conditions": complete}})
        assert await coming is None
    # Nobody says whether it will try again.
    server.refuses(f"GET {JOBS}", 403, "jobs is forbidden")
    pods.remove("job-2")
    assert await texts(await connect(), follow=True) == ["fails"]


async def test_it_ends_with_the_pod_that_was_named(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    speaker = Speaker(server, "web-1", line(1, "here"))
    async with reading(await connect(), follow=True, pod="web-1") as following:
        assert await some(following, 1) == ["here"]
        pods.remove("web-1")
        speaker.end()
        assert await following() is None
    [watched] = {each.query["fieldSelector"] for each in server.asked if each.path == PODS}
    assert watched == "metadata.name=web-1"


async def test_it_ends_when_it_is_told_to(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    Speaker(server, "web-1", line(1, "here"))
    stop = asyncio.Event()
    async with reading(await connect(), stop, follow=True) as following:
        assert await some(following, 1) == ["here"]
        coming = asyncio.create_task(following())
        stop.set()
        assert await coming is None


@pytest.mark.parametrize("follow", [False, True])
async def test_what_is_not_there(server: Server, connect: Open, follow: bool) -> None:
    client = await connect()
    pods = pods_on(server)
    with pytest.raises(NotFound) as lost:
        await texts(client, pod="web-1", follow=follow)
    assert (lost.value.kind, lost.value.path) == ("pod", ["pod"])
    pods.place(pod("web-1", app=running("one")))
    with pytest.raises(NotFound) as lost:
        await texts(client, container="sidecar", follow=follow)
    assert (lost.value.kind, lost.value.path) == ("container", ["container"])


@pytest.mark.parametrize("follow", [False, True])
async def test_what_is_forbidden_is_said(server: Server, connect: Open, follow: bool) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    server.refuses(f"GET {PODS}/web-1/log", 403, "pods/log is forbidden")
    with pytest.raises(ClusterError) as refusal:
        await texts(await connect(), follow=follow)
    assert refusal.value.fault is ClusterFault.FORBIDDEN


async def test_a_cluster_that_does_not_come_back(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    server.refuses(f"GET {PODS}/web-1/log", 503, "no")
    hurried = LogRhythm(pause=0.01, longest=0.02, trouble=0.05)
    for follow in (False, True):
        with pytest.raises(ClusterError) as failed:
            await texts(await connect(), follow=follow, rhythm=hurried)
        assert failed.value.fault is ClusterFault.UNAVAILABLE


async def test_one_of_many_that_fails_holds_nobody_up(server: Server, connect: Open) -> None:
    pods = pods_on(server)
    pods.place(pod("web-1", app=running("one")))
    pods.place(pod("web-2", app=running("two")))
    server.refuses(f"GET {PODS}/web-1/log", 500, "its node does not answer")
    Speaker(server, "web-2", line(1, "here"))
    hurried = LogRhythm(pause=0.01, longest=0.02, trouble=0.05)
    assert await texts(await connect(), rhythm=hurried) == ["here"]
    async with reading(await connect(), follow=True, rhythm=hurried) as following:
        assert await some(following, 1) == ["here"]


async def test_a_slow_reader_makes_the_reading_slow(server: Server, connect: Open) -> None:
    """What a container writes as fast as it can is left in the connection, not taken to memory."""
    pods_on(server).place(pod("web-1", app=running("one")))
    chunk = (line(1, "x" * 1_000) + b"\n") * 100
    sent, stuck = 0, asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            sent += len(chunk)
            try:
                async with asyncio.timeout(1):
                    await response.write(chunk)
            except TimeoutError:
                stuck.set()
                await asyncio.Event().wait()

    server.routes[f"GET {PODS}/web-1/log"] = endless
    async with reading(await connect(), follow=True, tail=5_000) as following:
        assert await some(following, 1) == ["x" * 1_000]
        async with asyncio.timeout(30):
            await stuck.wait()
        # Buffers of the sockets and of the client, and a few lines.
        assert sent < 32 * 2**20
        assert await some(following, 3 * AHEAD) == ["x" * 1_000] * 3 * AHEAD


async def test_lines_without_end_are_cut(server: Server, connect: Open) -> None:
    pods_on(server).place(pod("web-1", app=running("one")))
    Speaker(server, "web-1", line(1, "x" * 10**6), line(2, "next"))
    assert await texts(await connect()) == ["x" * LONGEST + "…", "next"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[m", "red and green"),
        (b"\x1b]0;title\x07here\x1b]8;;link\x1b\\there", "herethere"),
        (b"10%\r20%\r\r\n"[:-1], "10% 20% "),
        (b"ended by windows\r", "ended by windows"),
        (b"a\tb", "a\tb"),
        (b"a\x00\x07\x08b", "a b"),
        ("a\x9b31mb".encode(), "a 31mb"),
        ("abc\u202edef".encode(), "abc def"),
        (b"\xff\xfe caf\xc3\xa9", "\ufffd\ufffd café"),
        (b"\x1b", " "),
        (b"", ""),
    ],
)
def test_what_steers_terminals_is_taken_out(raw: bytes, text: str) -> None:
    assert read_line(line(1, "") + raw).text == text


@pytest.mark.parametrize(
    "raw", [b"", b"no time", b"2026-02-30T00:00:00Z x", b"9999-99-99T99:99:99Z x", b"2026-01-01T"]
)
def test_a_line_without_a_time(raw: bytes) -> None:
    told = read_line(raw)
    assert (told.stamp, told.at, told.text) == (None, None, raw.decode())


def test_times_have_nanoseconds_and_zones() -> None:
    told = read_line(b"2026-01-01T14:30:00.123456789+02:30 x")
    assert told.stamp is not None
    assert told.stamp % 10**9 == 123_456_789
    assert told.at == NOW.replace(microsecond=123_456)


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    cursor = Cursor()
    said = [read_line(line(second, text)) for second, text in ((5, "a"), (3, "b"), (4, "c"))]
    assert [cursor.is_new(each) for each in said] == [True, True, True]
    assert cursor.since == "2026-01-01T12:00:04Z"
