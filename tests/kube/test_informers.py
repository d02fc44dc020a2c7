"""Shared watches: one per kind for everybody, true through whatever happens, and nothing secret."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from app.domain import labels
from app.domain.cluster import AuthType, Cluster
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.kube.client import KubeClient
from app.kube.informers import Followed, Informers, Kind
from app.kube.informing import MOST_WATCHES, Overfull
from app.kube.rooms import Bounds
from app.kube.watching import Rhythm
from tests.kube.objects import Pods
from tests.kube.serving import Asked, Server, status
from tests.secrecy import search, secret

Open = Callable[..., Awaitable[KubeClient]]
QUICK = Rhythm(turn=240, quiet=90, pause=0.01)
POD = Kind("v1", "Pod")
SECRET = Kind("v1", "Secret")
WIDGET = Kind("example.com/v1", "Widget")
NAMESPACES = ("a",)

CLUSTER = Cluster(
    id=Id("0" * 24),
    name="prod",
    display_name="Production",
    server="https://127.0.0.1",
    auth_type=AuthType.TOKEN,
    owner_id=Id("1" * 24),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def served(server: Server, api_version: str, **kinds: str) -> None:
    """What the API server says that it serves, by kind and plural."""
    folder = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    resources = [
        {"name": plural, "kind": kind, "namespaced": True, "verbs": ["list", "watch"]}
        for kind, plural in kinds.items()
    ]
    server.answers(f"GET {folder}", {"resources": resources})


@pytest.fixture
def pods(server: Server) -> Pods:
    """All pods of the cluster."""
    served(server, "v1", Pod="pods", Secret="secrets")
    return Pods(server, path="/api/v1/pods")


@pytest.fixture
async def informers(connect: Open) -> AsyncIterator[Informers]:
    async with made(connect) as started:
        yield started


@asynccontextmanager
async def made(
    connect: Open,
    *,
    rhythm: Rhythm = QUICK,
    linger: float = 30.0,
    bounds: Bounds | None = None,
) -> AsyncIterator[Informers]:
    """Informers with one client for all, that leave no task behind."""
    clients: list[KubeClient] = []

    @asynccontextmanager
    async def to(_: Cluster) -> AsyncIterator[KubeClient]:
        if not clients or clients[0].closed:
            clients[:] = [await connect()]
        yield clients[0]

    informers = Informers(to, rhythm=rhythm, linger=linger, bounds=bounds)
    before = asyncio.all_tasks()
    try:
        yield informers
    finally:
        await informers.close()
        left = asyncio.all_tasks() - before
        assert not [task for task in left if "app/kube/inform" in str(task.get_coro())]


@asynccontextmanager
async def following(
    informers: Informers, *kinds: Kind, namespaces: tuple[str, ...] = NAMESPACES
) -> AsyncIterator[Followed]:
    async with informers.following(CLUSTER, kinds or (POD,), namespaces=namespaces) as followed:
        await followed.synced(10)
        yield followed


async def until(followed: Followed, holds: Callable[[], bool]) -> set[str]:
    """The workflows that changed, until something is so."""
    touched: set[str] = set()
    async with asyncio.timeout(10):
        while not holds():
            touched |= await followed.changed()
    return touched


def of(workflow: str, *, namespace: str = "a", **more: Any) -> dict[str, Any]:
    """An object of a workflow."""
    name = more.pop("name", workflow)
    marks = {labels.WORKFLOW_ID: workflow, labels.MANAGED_BY: labels.MANAGER}
    return {"metadata": {"name": name, "namespace": namespace, "labels": marks}, **more}


def names(followed: Followed, workflow: str) -> list[str]:
    return [one["metadata"]["name"] for one in followed.objects(workflow)]


async def test_a_follower_sees_its_workflow(pods: Pods, informers: Informers) -> None:
    pods.place(of("one", name="one-1"))
    pods.place(of("one", name="one-2"))
    pods.place(of("two"))
    async with following(informers) as followed:
        assert names(followed, "one") == ["one-1", "one-2"]
        assert names(followed, "two") == ["two"]
        assert names(followed, "three") == []
        assert followed.objects("two")[0]["kind"] == "Pod"
        assert followed.objects("two")[0]["apiVersion"] == "v1"
        assert followed.troubles() == {}
        assert await followed.changed() == {"one", "two"}

        pods.place(of("three"))
        assert await until(followed, lambda: names(followed, "three") == ["three"]) == {"three"}
        pods.remove("one-1")
        assert await until(followed, lambda: names(followed, "one") == ["one-2"]) == {"one"}

    assert [asked.query["labelSelector"] for asked in pods.asked] == [
        "app.kubernetes.io/managed-by=kubeorch"
    ] * 2


async def test_one_watch_for_a_hundred_followers(pods: Pods, informers: Informers) -> None:
    pods.place(of("one"))
    async with AsyncExitStack() as stack:
        for _ in range(100):
            followed = await stack.enter_async_context(following(informers))
            assert names(followed, "one") == ["one"]
        await pods.watched(1)

    assert pods.watches == 1
    async with following(informers) as again:  # it lingers, so nothing is listed again
        assert names(again, "one") == ["one"]
    assert len(pods.asked) == 2


async def test_a_watch_ends_some_time_after_its_last_follower(pods: Pods, connect: Open) -> None:
    async with made(connect, linger=0) as informers:
        async with following(informers):
            await pods.watched(1)
        await (await connect()).get("/api/v1")
        async with following(informers):
            await pods.watched(2)
    assert pods.watches == 2


async def test_a_slow_follower_costs_nothing(pods: Pods, informers: Informers) -> None:
    async with following(informers) as slow, following(informers) as quick:
        await slow.changed()
        for number in range(1_000):
            pods.place(of(f"workflow-{number % 10}", name=f"pod-{number}"))
        await until(quick, lambda: len(names(quick, "workflow-9")) == 100)
        assert await slow.changed() == {f"workflow-{number}" for number in range(10)}
        waiting = asyncio.create_task(slow.changed())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


async def test_what_went_while_nobody_looked(pods: Pods, informers: Informers) -> None:
    """The cluster forgets the version: only the new list tells what is missing."""
    for name in ("one", "two", "three"):
        pods.place(of(name))
    async with following(informers) as followed:
        await pods.watched(1)
        await followed.changed()
        # Before the watch hears of it, its history is gone.
        del pods.live["one"]
        pods.live["two"]["spec"] = {"changed": True}
        pods.live["two"]["metadata"]["resourceVersion"] = "77"
        pods.version = 80
        pods.forget()
        pods.hang_up()

        assert await until(followed, lambda: not names(followed, "one")) == {"one", "two"}
        assert followed.objects("two")[0]["spec"] == {"changed": True}
        assert names(followed, "three") == ["three"]
        assert followed.troubles() == {}


async def test_an_object_that_loses_its_label(pods: Pods, informers: Informers) -> None:
    pods.place(of("one"))
    async with following(informers) as followed:
        await followed.changed()
        pods.place({"metadata": {"name": "one", "namespace": "a", "labels": {}}})
        assert await until(followed, lambda: not names(followed, "one")) == {"one"}
        pods.place(of("two", name="one"))
        assert await until(followed, lambda: names(followed, "two") == ["one"]) == {"two"}


async def test_namespaces_where_the_cluster_is_forbidden(
    server: Server, pods: Pods, informers: Informers
) -> None:
    server.refuses("GET /api/v1/pods", 403, "forbidden")
    server.refuses("GET /api/v1/namespaces/c/pods", 403, "forbidden")
    inside = Pods(server, path="/api/v1/namespaces/a/pods")
    later = Pods(server, path="/api/v1/namespaces/b/pods")
    inside.place(of("one"))
    inside.place(of("one", name="elsewhere", namespace="b"))
    later.place(of("two", namespace="b"))
    async with following(informers) as followed:
        assert names(followed, "one") == ["one"]
        assert followed.troubles() == {}
        assert names(followed, "two") == []
        async with following(informers, namespaces=("a", "b", "c")) as other:
            assert names(other, "two") == ["two"]
            assert other.troubles()[POD].fault is ClusterFault.FORBIDDEN
            assert other.trouble(POD, "b") is None
            forbidden = other.trouble(POD, "c")
            assert forbidden is not None
            assert forbidden.fault is ClusterFault.FORBIDDEN
        # Who needs less is not troubled by what others may not see, and hears of everything.
        assert followed.troubles() == {}
        later.remove("two")
        await until(followed, lambda: not names(followed, "two"))

    assert inside.watches == 1
    assert pods.watches == 0


async def test_rights_that_are_taken_away(server: Server, pods: Pods, informers: Informers) -> None:
    pods.place(of("one"))
    inside = Pods(server, path="/api/v1/namespaces/a/pods", first=100)
    inside.place(of("one"))
    async with following(informers) as followed:
        await pods.watched(1)
        await followed.changed()
        server.refuses("GET /api/v1/pods", 403, "forbidden")
        pods.bookmark()
        pods.hang_up()
        await inside.watched(1)
        await until(followed, lambda: not followed.troubles())
        assert names(followed, "one") == ["one"]


async def test_no_right_at_all(server: Server, pods: Pods, informers: Informers) -> None:
    assert pods.watches == 0
    server.refuses("GET /api/v1/pods", 403, "forbidden")
    server.refuses("GET /api/v1/namespaces/a/pods", 403, "forbidden")
    async with following(informers) as followed:
        assert followed.troubles()[POD].fault is ClusterFault.FORBIDDEN
        inside = Pods(server, path="/api/v1/namespaces/a/pods")
        inside.place(of("one"))
        await until(followed, lambda: names(followed, "one") == ["one"])
        assert followed.troubles() == {}


async def test_a_kind_that_comes_later(server: Server, pods: Pods, informers: Informers) -> None:
    """A custom resource definition may be part of the same deploy."""
    pods.place(of("one"))
    async with following(informers, POD, WIDGET) as followed:
        assert names(followed, "one") == ["one"]
        assert set(followed.troubles()) == {WIDGET}
        assert followed.troubles()[WIDGET].fault is ClusterFault.NOT_FOUND
        served(server, "example.com/v1", Widget="widgets")
        widgets = Pods(
            server,
            path="/apis/example.com/v1/widgets",
            api_version="example.com/v1",
            kind="Widget",
        )
        widgets.place(of("one", name="widget"))
        await until(followed, lambda: names(followed, "one") == ["one", "widget"])
        assert followed.troubles() == {}
        assert followed.objects("one")[1]["kind"] == "Widget"

        # And it may go again, with everything of it.
        await widgets.watched(1)
        server.routes.pop("GET /apis/example.com/v1/widgets")
        widgets.bookmark()
        widgets.hang_up()
        await until(followed, lambda: names(followed, "one") == ["one"])
        assert followed.troubles()[WIDGET].fault is ClusterFault.NOT_FOUND


async def test_who_comes_later_is_a_reason_to_look_again(
    server: Server, pods: Pods, connect: Open
) -> None:
    assert pods.watches == 0
    async with (
        made(connect, rhythm=Rhythm(pause=3_600)) as informers,
        following(informers, WIDGET) as followed,
    ):
        assert set(followed.troubles()) == {WIDGET}
        served(server, "example.com/v1", Widget="widgets")
        Pods(server, path="/apis/example.com/v1/widgets", kind="Widget").place(of("one"))
        async with following(informers, WIDGET):
            await until(followed, lambda: names(followed, "one") == ["one"])


async def test_a_busy_cluster_is_a_trouble_that_passes(
    server: Server, pods: Pods, informers: Informers
) -> None:
    """Also when nothing changes: that the stream goes on is enough."""
    pods.place(of("one"))
    answer, gate = server.routes["GET /api/v1/pods"], asyncio.Event()

    async def busy(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") and not gate.is_set():
            return web.json_response(status(429, "slow down"), status=429)
        return await answer(request)

    async with following(informers) as followed:
        await pods.watched(1)
        server.routes["GET /api/v1/pods"] = busy
        pods.bookmark()
        pods.hang_up()
        await until(followed, lambda: POD in followed.troubles())
        assert followed.troubles()[POD].fault is ClusterFault.THROTTLED
        assert names(followed, "one") == ["one"]
        gate.set()
        await until(followed, lambda: not followed.troubles())
        assert names(followed, "one") == ["one"]


async def test_a_connection_that_is_half_open_is_no_trouble(pods: Pods, connect: Open) -> None:
    pods.place(of("one"))
    async with (
        made(connect, rhythm=Rhythm(quiet=0.1, pause=0.01)) as informers,
        following(informers) as followed,
    ):
        await followed.changed()
        waiting = asyncio.create_task(followed.changed())
        await pods.watched(3)
        assert not waiting.done()
        assert followed.troubles() == {}
        pods.place(of("two"))
        assert await waiting == {"two"}


async def test_an_answer_that_does_not_come(
    server: Server, pods: Pods, informers: Informers
) -> None:
    answer, gate = server.routes["GET /api/v1/pods"], asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return await answer(request)

    server.routes["GET /api/v1/pods"] = hang
    pods.place(of("one"))
    async with informers.following(CLUSTER, [POD], namespaces=["a"]) as followed:
        await followed.synced(0.1)
        assert followed.troubles()[POD].fault is ClusterFault.UNAVAILABLE
        assert followed.objects("one") == []
        gate.set()
        await followed.synced(10)
        assert names(followed, "one") == ["one"]
        assert followed.troubles() == {}


async def test_a_client_that_was_closed(server: Server, pods: Pods, connect: Open) -> None:
    clients: list[KubeClient] = []

    async def remembered() -> KubeClient:
        clients.append(await connect())
        return clients[-1]

    async with made(remembered) as informers, following(informers) as followed:
        await pods.watched(1)
        await clients[0].close()
        pods.place(of("one"))
        await until(followed, lambda: names(followed, "one") == ["one"])
    assert len(clients) == 2
    assert len(server.asked) > 3


async def test_a_connection_that_cannot_be_made(pods: Pods) -> None:
    assert pods.watches == 0
    error = ClusterError(ClusterFault.THROTTLED, "Later.")
    faults: list[Exception] = [RuntimeError("a fault of ours"), error]

    @asynccontextmanager
    async def to(_: Cluster) -> AsyncIterator[KubeClient]:
        raise faults.pop(0) if len(faults) > 1 else error
        yield

    informers = Informers(to, rhythm=QUICK)
    async with informers.following(CLUSTER, [POD], namespaces=["a"]) as followed:
        await until(followed, lambda: followed.troubles()[POD] is error)
    await informers.close()
    with pytest.raises(ClusterError, match="shutting down"):
        async with informers.following(CLUSTER, [POD], namespaces=["a"]):
            pass


async def test_what_a_secret_holds_is_never_kept(
    server: Server, pods: Pods, informers: Informers
) -> None:
    """Also when the server sends everything, though it is asked for names and labels."""
    assert pods.watches == 0
    value = secret("a value of a Secret")
    secrets = Pods(server, path="/api/v1/secrets", kind="Secret")
    held: dict[str, Any] = {
        "data": {"key": value},
        "stringData": {"key": value},
        "binaryData": {"key": value},
    }
    listed = of("one", type="Opaque", immutable=True, **held)
    listed["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(held),
        "kept": "yes",
    }
    secrets.place(listed)
    async with following(informers, SECRET) as followed:
        secrets.place(of("two", **held))
        await until(followed, lambda: bool(followed.objects("two")))
        one, two = followed.objects("one")[0], followed.objects("two")[0]
        search("an informer", repr([one, two, vars(informers)]))
        assert one["metadata"].pop("annotations") == {"kept": "yes"}
        assert set(one) == {"apiVersion", "kind", "metadata", "type", "immutable"}
        assert set(two) == {"apiVersion", "kind", "metadata"}
    assert ["as=PartialObjectMetadata" in each.headers["Accept"] for each in secrets.asked] == [
        True,
        True,
    ]


async def test_the_other_calls_have_connections_left(
    server: Server, pods: Pods, connect: Open
) -> None:
    assert pods.watches == 0
    server.refuses("GET /api/v1/pods", 403, "forbidden")
    namespaces = [f"n{number}" for number in range(MOST_WATCHES + 5)]
    for name in namespaces:
        Pods(server, path=f"/api/v1/namespaces/{name}/pods")
    watches, all_begun = [0], asyncio.Event()

    def count(asked: Asked) -> bool:
        watches[0] += asked.query.get("watch") == "true"
        if watches[0] == MOST_WATCHES:
            all_begun.set()
        return True

    server.allow = count
    async with (
        made(connect) as informers,
        informers.following(CLUSTER, [POD], namespaces=namespaces) as followed,
        asyncio.timeout(30),
    ):
        await all_begun.wait()
        client = await connect()
        await client.get("/api/v1", seconds=5)
        assert watches == [MOST_WATCHES]
        assert sum(_busy(followed, each) for each in namespaces) == 5


def _busy(followed: Followed, namespace: str) -> bool:
    trouble = followed.trouble(POD, namespace)
    return trouble is not None and trouble.fault is ClusterFault.THROTTLED


@pytest.mark.parametrize(
    "one",
    [
        {},
        {"metadata": 7},
        {"metadata": {"name": 7}},
        {"metadata": {"name": "x", "labels": 7}},
        {"metadata": {"name": "x", "labels": {labels.WORKFLOW_ID: 7}}},
        {"metadata": {"name": "x", "annotations": 7, "labels": {labels.WORKFLOW_ID: "w"}}},
    ],
)
async def test_objects_of_no_meaning(pods: Pods, informers: Informers, one: Any) -> None:
    async with following(informers) as followed:
        pods.say({"type": "ADDED", "object": one})
        pods.place(of("one"))
        await until(followed, lambda: names(followed, "one") == ["one"])
        assert followed.troubles() == {}


def heavy(workflow: str, name: str, *, parts: int = 100) -> dict[str, Any]:
    """An object that takes as much as a hundred conditions do."""
    return of(workflow, name=name, status={"conditions": [{"type": "a" * 20}] * parts})


async def test_what_nobody_looks_at_is_not_kept(pods: Pods, informers: Informers) -> None:
    large = {
        "containers": [{"name": "c", "env": [{"name": "a", "value": "b"}]}],
        "pad": "x" * 10**6,
    }
    pods.place(of("one", spec=large))
    async with following(informers) as followed:
        [kept] = followed.objects("one")
        assert kept["spec"] == {"containers": [{"name": "c"}], "pad": "x" * 4_096}
        assert (informers.room.objects, informers.room.weight < 10_000) == (1, True)
        del kept
        pods.remove("one")
        await until(followed, lambda: not names(followed, "one"))
        pods.place(of("two"))
        await until(followed, lambda: names(followed, "two") == ["two"])
        assert informers.room.objects == 1


@pytest.mark.parametrize("bounds", [Bounds(objects=10), Bounds(weight=100_000)])
async def test_objects_without_end_are_let_go(
    server: Server, pods: Pods, connect: Open, bounds: Bounds
) -> None:
    """Ever new names, one after the other: the kind is not followed, and others still are."""
    Pods(server, path="/api/v1/secrets", kind="Secret").place(of("one", name="s"))
    pods.place(heavy("one", "first"))
    async with (
        made(connect, bounds=bounds) as informers,
        following(informers, POD, SECRET) as followed,
    ):
        assert len(followed.objects("one")) == 2
        await pods.watched(1)
        for number in range(50):
            pods.place(heavy("one", f"p{number}"))
        await until(followed, lambda: POD in followed.troubles())

        assert names(followed, "one") == ["s"]
        assert set(followed.troubles()) == {POD}
        assert isinstance(followed.trouble(POD, "a"), Overfull)
        assert (informers.room.objects, informers.room.weight < 2_000) == (1, True)
        await followed.synced(10)  # nobody waits for what is let go

        # Also for those who come later: what was too much is not read for each of them.
        async with following(informers) as later:
            assert isinstance(later.trouble(POD, "a"), Overfull)
        assert len(pods.asked) == 2


async def test_a_list_without_end_is_let_go(pods: Pods, connect: Open) -> None:
    for number in range(50):
        pods.place(heavy("one", f"p{number}"))
    pods.page = 2
    async with (
        made(connect, bounds=Bounds(objects=10)) as informers,
        following(informers) as followed,
    ):
        await until(followed, lambda: isinstance(followed.trouble(POD, "a"), Overfull))
        assert followed.objects("one") == []
        assert informers.room.objects == informers.room.weight == 0
    assert len(pods.asked) == 6


async def test_the_heaviest_cluster_gives_way(server: Server, pods: Pods, connect: Open) -> None:
    """There is too much of all together: who brings the most loses, not who comes last."""
    other = CLUSTER.model_copy(update={"id": Id("9" * 24)})
    secrets = Pods(server, path="/api/v1/secrets", kind="Secret")
    for number in range(20):
        pods.place(heavy("one", f"p{number}"))
    async with (
        made(connect, bounds=Bounds(of_all=700_000)) as informers,
        following(informers) as heaviest,
        informers.following(other, [SECRET], namespaces=NAMESPACES) as light,
    ):
        await light.synced(10)
        assert len(names(heaviest, "one")) == 20
        for number in range(400):
            if heaviest.troubles():
                break
            secrets.place(of("two", name=f"s{number}"))
            await asyncio.wait_for(light.changed(), 10)

        assert set(heaviest.troubles()) == {POD}
        assert light.troubles() == {}
        assert heaviest.objects("one") == []
        assert len(names(light, "two")) > 10
