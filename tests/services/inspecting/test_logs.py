"""Logs as people follow them: what they get, whose it is, and when it is over."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest

from app.domain.cluster import ClusterRole
from app.domain.errors import Forbidden, Invalid, LimitExceeded, NotFound
from app.domain.events import EndReason
from app.domain.inspecting import LogLine
from app.domain.user import Actor
from app.services import Ending, Services
from app.services.inspecting import Inspecting
from app.services.inspecting.places import MOST_OF_ONE, Places
from tests.domain.drawing import deployment, node, service
from tests.services.inspecting.conftest import Place
from tests.services.inspecting.placing import Placed, note

Next = Callable[[], Awaitable[LogLine | None]]
Follow = Callable[..., Next]
WORDS = [
    "This is a sandbox cluster: nothing is executed, these lines are made up.",
    "Here nginx:1.29 would run.",
    "It would listen on port 80.",
]


@pytest.fixture
async def follow() -> AsyncIterator[Follow]:
    """`follow(placed, node)` answers what awaits the next line; the log is closed with the test."""
    async with AsyncExitStack() as stack:

        def begin(there: Placed, node_id: str, **asked: Any) -> Next:
            lines = logs(there, node_id, **{"follow": True} | asked)
            stack.push_async_callback(lines.aclose)

            async def following() -> LogLine | None:
                return await asyncio.wait_for(anext(lines, None), 20)

            return following

        yield begin


def logs(there: Placed, node_id: str, **asked: Any) -> AsyncGenerator[LogLine, None]:
    until = asked.pop("until", None) or Ending()
    return there.looking.logs(there.owner, there.workflow.id, node_id, until=until, **asked)


async def all_of(there: Placed, node_id: str, **asked: Any) -> list[LogLine]:
    async with asyncio.timeout(20):
        return [line async for line in logs(there, node_id, **asked)]


async def running(there: Placed, name: str, count: int = 1) -> list[str]:
    """The names of the pods of a workload when so many are ready."""
    found = await there.there.api.until_some(
        "Pod",
        lambda pods: (
            len(pods) == count
            and all(
                "running" in each["state"]
                for pod in pods
                for each in pod.get("status", {}).get("containerStatuses") or [{"state": {}}]
            )
        ),
        labelSelector=f"app={name}",
    )
    return [pod["metadata"]["name"] for pod in found]


async def test_what_a_node_has_written(placed: Place) -> None:
    there = await placed(deployment("web", replicas=2), deployment("other"))
    first, second = await running(there, "web", 2)
    told = await all_of(there, "web")
    assert {line.pod for line in told} == {first, second}
    assert {line.container for line in told} == {"web"}
    assert [line.text for line in told if line.pod == first] == WORDS
    assert [line.at for line in told] == sorted(line.at for line in told if line.at)
    last = await all_of(there, "web", pod=second, container="web", tail_lines=1)
    assert [(line.pod, line.text) for line in last] == [(second, WORDS[-1])]
    assert await all_of(there, "web", tail_lines=0) == []


async def test_restarts_and_new_pods_are_followed(placed: Place, follow: Follow) -> None:
    there = await placed(deployment("web", image="crash:1"))
    following = follow(there, "web")
    ends = 0
    while ends < 2:
        line = await following()
        assert line is not None
        ends += "It pretends to fail: exit code 1." in line.text
    first = line.pod
    scale = {"spec": {"replicas": 2}}
    await there.there.api.patch("Deployment", "web", body=scale)
    while line.pod == first:
        line = await following()
        assert line is not None
    assert line.text == WORDS[0]


async def test_the_log_of_a_job_ends_with_it(placed: Place) -> None:
    there = await placed(node("job", "job", name="job", image="busybox:1.37"))
    told = await all_of(there, "job", follow=True)
    assert [line.text for line in told][-1] == "It pretends to be done: exit code 0."


async def test_the_log_of_a_job_has_every_attempt(placed: Place) -> None:
    there = await placed(node("job", "job", name="job", image="crash:1", backoff_limit=1))
    told = await all_of(there, "job", follow=True)
    assert len({line.pod for line in told}) == 2
    failures = [line for line in told if line.text == "It pretends to fail: exit code 1."]
    assert len(failures) == 2


async def test_a_node_that_writes_nothing(placed: Place, follow: Follow) -> None:
    there = await placed(service("entry"), deployment("web", image="missing:1"))
    assert await all_of(there, "entry") == []
    assert await all_of(there, "web") == []
    until = Ending()
    following = asyncio.create_task(follow(there, "entry", until=until)())
    await asyncio.sleep(0)
    until.say(EndReason.SESSION_ENDED)
    assert await following is None


async def test_what_was_never_deployed(placed: Place) -> None:
    there = await placed(deployment("web"), leave_out=["Deployment"])
    assert await all_of(there, "web") == []
    with pytest.raises(NotFound) as lost:
        await all_of(there, "nowhere")
    assert lost.value.path == ["nodeId"]


async def test_what_is_not_the_callers(placed: Place, stranger: Actor, looking: Inspecting) -> None:
    there = await placed(deployment("web"), deployment("other"))
    [name] = await running(there, "other")
    for pod in (name, "no-pod", "x,metadata.namespace!=shop", ""):
        with pytest.raises(NotFound) as lost:
            await all_of(there, "web", pod=pod)
        assert (lost.value.kind, lost.value.path) == ("pod", ["pod"])
    with pytest.raises(NotFound) as lost:
        await all_of(there, "web", container="sidecar")
    assert lost.value.path == ["container"]
    for count in (-1, 5_001):
        with pytest.raises(Invalid) as invalid:
            await all_of(there, "web", tail_lines=count)
        assert invalid.value.path == ["tailLines"]
    theirs = looking.logs(stranger, there.workflow.id, "web", until=Ending())
    with pytest.raises(NotFound) as lost:
        await anext(theirs)
    assert (lost.value.kind, lost.value.path) == ("workflow", ["workflowId"])


async def test_it_ends_when_the_caller_is_sent_away(placed: Place, follow: Follow) -> None:
    there = await placed(deployment("web"))
    await running(there, "web")
    until = Ending()
    following = follow(there, "web", until=until)
    assert [(await following() or line).text for line in [LogLine("", "", None, "")] * 3] == WORDS
    coming = asyncio.create_task(following())
    until.say(EndReason.TOKEN_EXPIRED)
    assert await coming is None


async def test_it_ends_with_the_workflow(
    placed: Place, follow: Follow, services: Services, owner: Actor
) -> None:
    there = await placed(deployment("web"))
    await running(there, "web")
    following = follow(there, "web", tail_lines=1)
    assert await following() is not None
    coming = asyncio.create_task(following())
    await note(services, there.workflow, there.there.known, [])  # it was undeployed
    await services.workflows.delete(owner, there.workflow.id)
    assert await coming is None


async def test_it_ends_with_the_share(
    services: Services, owner: Actor, stranger: Actor, placed: Place, follow: Follow
) -> None:
    there, email = (await placed(service("entry"))).there, stranger.user.email
    shared = {"role": ClusterRole.DEPLOYER, "namespaces": [there.namespace]}
    await services.sharing.share(owner, there.known.id, email, **shared)
    guests = await placed(deployment("web"), actor=stranger)
    await running(guests, "web")
    following = follow(guests, "web", tail_lines=1)
    assert await following() is not None
    coming = asyncio.create_task(following())
    # A change of the cluster that takes nothing away is no reason to end.
    await services.clusters.update(owner, there.known.id, {"description": "Another one."})
    await services.sharing.share(
        owner, there.known.id, email, role=ClusterRole.VIEWER, namespaces=["elsewhere"]
    )
    assert await coming is None
    with pytest.raises(Forbidden, match="in these namespaces only: elsewhere"):
        await all_of(guests, "web")
    await services.sharing.unshare(owner, there.known.id, stranger.id)
    with pytest.raises(NotFound, match="cluster"):
        await all_of(guests, "web")


async def test_so_many_logs_are_open_at_once(placed: Place, follow: Follow) -> None:
    there = await placed(deployment("web"))
    [pod] = await running(there, "web")
    one = {"pod": pod, "container": "web", "tail_lines": 1}
    for _ in range(MOST_OF_ONE // 2):
        assert await follow(there, "web", **one)() is not None
    with pytest.raises(LimitExceeded) as exceeded:
        await all_of(there, "web", **one)
    assert exceeded.value.limit == MOST_OF_ONE


def test_places_are_given_back() -> None:
    places = Places()
    with places.taken("cluster", "ada", least=1, want=50) as first:
        with places.taken("another", "ada", least=1, want=50) as second:
            assert (first, second) == (50, 10)
        with places.taken("cluster", "bob", least=1, want=50) as third:
            assert third == 50
            with (
                pytest.raises(LimitExceeded),
                places.taken("cluster", "eve", least=21, want=50),
            ):
                pass
    with places.taken("cluster", "ada", least=60, want=60) as last:
        assert last == 60


def test_places_are_of_all_clusters_together() -> None:
    places = Places()
    with ExitStack() as stack:
        taken = [
            stack.enter_context(places.taken(f"cluster {n}", f"person {n}", least=1, want=60))
            for n in range(7)
        ]
        assert taken == [60] * 6 + [40]
        with pytest.raises(LimitExceeded), places.taken("more", "eve", least=1, want=1):
            pass
