"""Live status: what happens on the cluster is told, by one process at a time, and nothing is
missed."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from app.bootstrap import utc_now
from app.domain.deploying import DeployDraft
from app.domain.editing import NodeDraft
from app.domain.events import EndReason, StreamEnded
from app.domain.health import HealthState
from app.domain.run import RunKind
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.accessing import Place, TokenDraft
from app.services.watching.telling import LostWatch, Seen
from tests.deploying import There, deployments, on_sandbox, published
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import ok
from tests.secrecy import secret
from tests.services.watching.placing import Stage

HEALTHY, MISSING = HealthState.HEALTHY, HealthState.MISSING
PENDING, TERMINATING = HealthState.PENDING, HealthState.TERMINATING


async def drawn(services: Services, owner: Actor, there: There, *nodes: NodeDraft) -> Workflow:
    return await published(services, owner, there, nodes=nodes or (deployment("web"),), edges=())


async def test_a_workflow_from_its_deploy_to_its_end(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services, owner, there, deployment("web", replicas=2), service("front"), _config()
    )
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        first = await followed.next()
        assert (first.seq, first.nodes) == (0, [])
        await stage.deploy(workflow, there)
        states = await followed.until_all(HEALTHY, "web", "front", "settings")
        web = states["web"]
        assert (web.reason, web.message) == ("Available", "2 of 2 pods are ready.")
        assert (web.ready_replicas, web.desired_replicas) == (2, 2)
        assert (states["front"].ready_replicas, states["front"].desired_replicas) == (None, None)

        await there.api.delete("ConfigMap", "settings")
        states = await followed.until_all(MISSING, "settings")
        assert states["settings"].message == "It is not on the cluster."
        ok(await there.api.patch("Deployment", "web", body={"spec": {"replicas": 0}}))
        states = await followed.until(lambda seen: seen["web"].reason == "ScaledToZero")
        assert states["web"].desired_replicas == 0

        shown = (await stage.shown.of(owner, [workflow.id]))[workflow.id]
        assert {each.node_id: each for each in shown} == states
        found = await stage.statuses.get(workflow.id)
        assert found is not None
        assert found.seq == followed.seq


def _config() -> NodeDraft:
    return node("configmap", "settings", name="settings", data={"a": "b"})


async def test_what_is_undeployed_is_missing_and_then_gone(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"), _config())
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await stage.deploy(workflow, there)
        await followed.until_all(HEALTHY, "web", "settings")
        await stage.undeploy(workflow, there)
        states = await followed.until(
            lambda seen: {each.reason for each in seen.values()} == {"NotDeployed"}
        )
        assert {each.state for each in states.values()} == {MISSING}
        assert states["web"].message == "It is not deployed any more."
        assert (await stage.shown.of(owner, [workflow.id]))[workflow.id] == []
        # And it begins anew where it was.
        seq = followed.seq
        await stage.deploy(workflow, there)
        await followed.until_all(HEALTHY, "web", "settings")
        assert followed.seq > seq


@pytest.mark.parametrize(
    "trouble", [("crash:1", "CrashLoopBackOff"), ("missing:1", "ImagePullBackOff")]
)
async def test_images_that_do_not_run(
    stage: Stage, services: Services, owner: Actor, there: There, trouble: tuple[str, str]
) -> None:
    image, reason = trouble
    workflow = await drawn(services, owner, there, deployment("web", image=image))
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await stage.deploy(workflow, there)
        states = await followed.until(lambda seen: "web" in seen and seen["web"].reason == reason)
        assert states["web"].state is HealthState.DEGRADED
        assert states["web"].ready_replicas == 0


async def test_a_hundred_workflows_are_one_watch_per_kind(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflows = [
        await published(
            services,
            owner,
            there,
            name=f"w-{number}",
            nodes=(node("configmap", "settings", name=f"settings-{number}", data={"a": "b"}),),
            edges=(),
        )
        for number in range(100)
    ]
    for workflow in workflows:
        await stage.deploy(workflow, there)
    async with stage.keeping() as informers, stage.watching(workflows[-1].id) as followed:
        await followed.until_all(HEALTHY, "settings")
        await _all_known(stage, workflows)
        (watched,) = informers._watched.values()
        assert sorted(kind.kind for kind in watched._informers) == [
            "ConfigMap",
            "Job",
            "Pod",
            "ReplicaSet",
        ]
        assert {len(each._places()) for each in watched._informers.values()} == {1}


async def _all_known(stage: Stage, workflows: list[Workflow]) -> None:
    async with asyncio.timeout(30):
        for workflow in workflows:
            async with stage.watching(workflow.id) as each:
                await each.until_all(HEALTHY, "settings")


async def test_another_replica_goes_on(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """What happens between the death of one and the beginning of the other is told, too."""
    workflow = await drawn(services, owner, there, deployment("web"), _config())
    async with stage.watching(workflow.id) as followed:
        gate, died = asyncio.Event(), asyncio.Event()

        async def replica() -> None:
            try:
                async with stage.keeping():
                    gate.set()
                    await asyncio.Event().wait()
            finally:
                died.set()

        first = asyncio.create_task(replica())
        await gate.wait()
        await stage.deploy(workflow, there)
        await followed.until_all(HEALTHY, "web", "settings")
        first.cancel()
        await died.wait()
        await there.api.delete("ConfigMap", "settings")
        async with stage.keeping():
            await followed.until_all(MISSING, "settings")
            events = [
                event
                async for event in stage.outbox.events.find({"stream": f"status:{workflow.id}"})
            ]
            # Of each node the newest is kept.
            assert sorted(event["key"] for event in events) == ["settings", "web"]
            assert max(event["seq"] for event in events) == followed.seq


async def test_a_killed_replica_is_replaced_when_its_lease_ends(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, _config())
    await stage.deploy(workflow, there)
    # As a process that was killed left it: claimed, and never handed back.
    await stage.watches.need([there.known.id], now=utc_now())
    began = utc_now()
    killed = await stage.watches.claim_due(now=began, until=began + timedelta(seconds=1))
    assert killed is not None
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        states = await followed.until_all(HEALTHY, "settings")
        assert states["settings"].updated_at - began >= timedelta(seconds=1)
        assert not await stage.watches.keep(killed, until=utc_now())
        with pytest.raises(LostWatch):
            await stage.telling.tell(killed, {workflow.id: Seen({}, ("shop",))}, until=utc_now())


async def test_nothing_is_watched_when_nothing_is_deployed(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, _config())
    async with stage.keeping() as informers, stage.watching(workflow.id) as followed:
        assert informers._watched == {}
        await stage.deploy(workflow, there)
        await followed.until_all(HEALTHY, "settings")
        await stage.undeploy(workflow, there)
        await followed.until(lambda seen: seen["settings"].reason == "NotDeployed")
        (keeper,) = stage.keepers
        async with asyncio.timeout(20):
            await keeper
        assert await stage.watches.next_due(besides=()) is None
        # Until something is deployed again.
        await stage.deploy(workflow, there)
        await followed.until_all(HEALTHY, "settings")


async def test_the_workflow_is_deleted(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, _config())
    async with stage.watching(workflow.id) as followed:
        await followed.next()
        await services.workflows.delete(owner, workflow.id)
        ended = await followed.next()
        assert isinstance(ended, StreamEnded)
        assert ended.reason is EndReason.DELETED


async def test_two_replicas_share_the_clusters(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """Each has no more than it may; one that leaves hands its clusters over at once."""
    other = Stage(services, owner)
    async with on_sandbox(services, owner) as elsewhere:
        places = (there, elsewhere)
        workflows = [await drawn(services, owner, place, _config()) for place in places]
        for workflow, place in zip(workflows, places, strict=True):
            await stage.deploy(workflow, place)
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(stage.watching(w.id)) for w in workflows]
            async with stage.keeping(most=1), other.keeping(most=1):
                for followed in streams:
                    await followed.until_all(HEALTHY, "settings")
                assert [len(each.keepers) for each in (stage, other)] == [1, 1]
            async with stage.keeping(lease=timedelta(minutes=10)):
                for place in places:
                    await place.api.delete("ConfigMap", "settings")
                for followed in streams:
                    await followed.until_all(MISSING, "settings")
        await other.drifts.close()


async def test_new_credentials(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """Those that are not good any more tell nothing: what was seen stays, and it goes on later."""
    workflow = await drawn(services, owner, there, _config())
    await stage.deploy(workflow, there)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "settings")
        place = Place(there.cluster.server)
        wrong = TokenDraft(token=secret("a token of nobody"), ca=there.cluster.ca.decode())
        await services.clusters.update_credentials(owner, there.known.id, wrong, place)
        await there.api.delete("ConfigMap", "settings")
        shown = (await stage.shown.of(owner, [workflow.id]))[workflow.id]
        assert [each.state for each in shown] == [HEALTHY]
        right = TokenDraft(token=there.cluster.token, ca=there.cluster.ca.decode())
        await services.clusters.update_credentials(owner, there.known.id, right, place)
        await followed.until_all(MISSING, "settings")


async def test_an_api_server_that_restarts(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"), _config())
    await stage.deploy(workflow, there)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "web", "settings")
        seq = followed.seq
        await there.cluster.restart()
        await there.api.delete("ConfigMap", "settings")
        await followed.until_all(MISSING, "settings")
        # That it was away is nothing that happened to the nodes.
        assert followed.seq == seq + 1


async def test_a_cluster_that_is_removed(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, _config())
    await stage.deploy(workflow, there)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "settings")
        (keeper,) = stage.keepers
        await services.clusters.remove(owner, there.known.id, force=True)
        async with asyncio.timeout(20):
            await keeper
        assert await stage.watches.next_due(besides=()) is None


async def test_a_kind_that_the_cluster_gets_later(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """Kinds come and go with what is deployed; what is there is watched without a pause."""
    workflow = await drawn(services, owner, there, _config())
    await stage.deploy(workflow, there)
    async with stage.keeping() as informers, stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "settings")
        other = await drawn(services, owner, there, service("front"))
        await stage.deploy(other, there)
        async with stage.watching(other.id) as second:
            await second.until_all(HEALTHY, "front")
        (watched,) = informers._watched.values()
        assert "Service" in {kind.kind for kind in watched._informers}
        await there.api.delete("ConfigMap", "settings")
        await followed.until_all(MISSING, "settings")


async def test_during_a_run_nothing_is_missing(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """What it applies is about to come; and when it ends, what is not there is not."""
    workflow = await drawn(services, owner, there, deployment("web"), _config())
    deploys = deployments(services)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        run = await deploys.deploy(owner, DeployDraft(workflow.id))
        states = await followed.until_all(PENDING, "web", "settings")
        assert {each.message for each in states.values()} == {"It is about to be applied."}
        await deploys.cancel(owner, run.id)
        await followed.until_all(MISSING, "web", "settings")
        assert {state for _, state in followed.told} == {PENDING, MISSING}


async def test_what_a_run_removes_does_not_come_back(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """However its objects go: of a node that is well but for what is gone already."""
    workflow = await drawn(services, owner, there, deployment("web", env={"A": "b"}), _config())
    deploys = deployments(services)
    undeploy = DeployDraft(workflow.id, kind=RunKind.UNDEPLOY)
    await stage.deploy(workflow, there)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "web", "settings")
        # A run that ends before it has begun: nothing has changed.
        run = await deploys.deploy(owner, undeploy)
        await followed.until_all(TERMINATING, "web", "settings")
        await deploys.cancel(owner, run.id)
        await followed.until_all(HEALTHY, "web", "settings")
        followed.told.clear()
        await deploys.deploy(owner, undeploy)
        await followed.until_all(TERMINATING, "web", "settings")
        await stage.undeploy(workflow, there)
        await followed.until_all(MISSING, "web", "settings")
        assert sorted(followed.told) == sorted(
            (node_id, state) for node_id in ("settings", "web") for state in (TERMINATING, MISSING)
        )


async def test_a_node_that_flaps_is_told_of_ever_less_often(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, _config(), service("front"))
    made = {one.node_id: one.object for one in stage.manifests(workflow)}
    settings, front = made["settings"], made["front"]
    await stage.deploy(workflow, there)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HEALTHY, "settings", "front")
        for _ in range(2):
            await there.api.delete("ConfigMap", "settings")
            await followed.until_all(MISSING, "settings")
            ok(await there.api.apply(settings, "kubeorch"), 201)
            await followed.until_all(HEALTHY, "settings")
        await there.api.delete("ConfigMap", "settings")
        await followed.until_all(MISSING, "settings")
        ok(await there.api.apply(settings, "kubeorch"), 201)
        # Others are told at once, meanwhile.
        await there.api.delete("Service", "front")
        await followed.until_all(MISSING, "front")
        ok(await there.api.apply(front, "kubeorch"), 201)
        states = await followed.until_all(HEALTHY, "front")
        assert states["settings"].state is MISSING
        states = await followed.until_all(HEALTHY, "settings")
        found = await stage.statuses.get(workflow.id)
        assert found is not None
        assert found.nodes == states


async def test_replicas_that_are_killed_again_and_again(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    """While objects come and go: no number is doubled, and the end is the truth."""
    nodes = [node("configmap", f"n{i}", name=f"n{i}", data={"a": "b"}) for i in range(6)]
    workflow = await drawn(services, owner, there, *nodes)
    await stage.deploy(workflow, there)
    manifests = {one.node_id: one.object for one in stage.manifests(workflow)}
    enough = asyncio.Event()

    async def disturb() -> None:
        while not enough.is_set():
            for id_ in ("n0", "n1", "n2"):
                ok(await there.api.delete("ConfigMap", id_))
            for id_ in ("n0", "n1", "n2"):
                ok(await there.api.apply(manifests[id_], "kubeorch"), 201)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(disturb())
        for number in range(8):
            async with stage.keeping(lease=timedelta(seconds=0.5)):
                async with stage.watching(workflow.id) as followed:
                    await followed.next()
                    for _ in range(number % 3 + 1):
                        await followed.next()
                for keeper in stage.keepers:
                    keeper.cancel()  # it hands nothing back
        enough.set()
    ok(await there.api.delete("ConfigMap", "n0"))
    async with stage.watching(workflow.id, after=0) as followed:
        async with stage.keeping():
            await followed.until_all(MISSING, "n0")
            await followed.until_all(HEALTHY, *(f"n{i}" for i in range(1, 6)))
            async with asyncio.timeout(10):
                while (found := await stage.statuses.get(workflow.id)) is None or (
                    found.nodes != followed.states
                ):
                    await followed.next()
        kept = [
            (event["key"], event["payload"]["status"]["state"])
            async for event in stage.outbox.events.find({"stream": f"status:{workflow.id}"})
        ]
        assert sorted(kept) == sorted((id_, one.state.value) for id_, one in found.nodes.items())
