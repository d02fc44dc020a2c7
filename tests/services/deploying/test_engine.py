"""Runs on a cluster, from queued to ended: what they do, what they tell, and why they fail."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.bootstrap import utc_now
from app.documents.audits import AuditStore
from app.documents.inventories import InventoryStore
from app.domain.audit import AuditAction
from app.domain.editing import AddEdge, AddNode, EdgeDraft, RemoveNode
from app.domain.planning import Consents, NodeState
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.user import Actor
from app.services import Services
from tests.deploying import There, demo_values, on_sandbox, parts, published
from tests.domain.drawing import deployment, node, service
from tests.services.deploying.working import (
    QUICK,
    Wire,
    deployed,
    drawn,
    ended,
    queued,
    redrawn,
    until,
    updated,
    working,
)


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


@pytest.fixture
def wire(services: Services) -> Wire:
    return Wire(parts(services).connect)


def states(run: WorkflowRun) -> dict[str, NodeState]:
    return {each.node_id: each.state for each in run.nodes}


async def test_the_demo_application(services: Services, owner: Actor, there: There) -> None:
    workflow = await published(services, owner, there)
    async with working(services, replace(QUICK, applies_at_once=1)):
        run, told = await deployed(services, owner, workflow.id, values=demo_values())
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert states(run) == dict.fromkeys(workflow.nodes, NodeState.READY)
    assert told.states("settings") == ["applying", "ready"]
    assert told.states("web") == ["applying", "waiting", "ready"]
    assert [line for line in told.lines if line.startswith("Created")] == [
        "Created ConfigMap shop/settings",
        "Created Secret shop/credentials",
        *(line for line in told.lines if line.startswith("Created Secret shop/env-")),
        "Created Service shop/database",
        "Created Service shop/web",
        "Created Deployment shop/web",
        "Created StatefulSet shop/database",
        "Created CronJob shop/report",
        "Created Ingress shop/shop",
        "Created HorizontalPodAutoscaler shop/web",
        "Created NetworkPolicy shop/wall",
    ]
    assert "Deployment shop/web works: 2 of 2 pods are ready." in told.lines
    assert run.started_at is not None
    assert run.completed_at is not None
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    assert (inventory.version, inventory.workflow_name) == (1, "Shop")
    assert [entry for entry in inventory.entries if entry.uid is None] == []
    after = await services.workflows.get(owner, workflow.id)
    assert after is not None
    assert (after.run_count, after.success_count, after.failure_count) == (1, 1, 0)
    newest, *_ = await AuditStore().of_workflow(workflow.id)
    assert (newest.action, newest.details["status"]) == (AuditAction.RUN_ENDED, "completed")


async def test_what_is_there_already_is_not_written(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    workflow = await published(services, owner, there)
    async with working(services, connect=wire.connect):
        await deployed(services, owner, workflow.id, values=demo_values())
        assert len(wire.writes) == 11
        wire.requests.clear()
        run, told = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED
    assert states(run) == dict.fromkeys(workflow.nodes, NodeState.UNCHANGED)
    assert wire.writes == []
    assert told.lines == []


LATER = timedelta(seconds=20)


def later() -> datetime:
    """A clock by which what just happened was a while ago: nobody waits for graces to pass."""
    return utc_now() + LATER


TROUBLES = {
    "crash": "CrashLoopBackOff",
    "missing": "ImagePullBackOff",
    "oom": "OOMKilled",
    "unschedulable": "Unschedulable",
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_fails_a_run_with_its_reason(
    services: Services, owner: Actor, there: There, trouble: str
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        deployment("good"),
        deployment("bad", image=f"example.com/{trouble}:1"),
    )
    async with working(services, now=later):
        run, told = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.FAILED
    assert states(run) == {"good": NodeState.READY, "bad": NodeState.FAILED}
    [bad] = [each for each in run.nodes if each.node_id == "bad"]
    assert bad.reason == TROUBLES[trouble]
    assert run.error is not None
    assert run.error.startswith(f"1 of 2 nodes failed: bad ({TROUBLES[trouble]}): ")
    assert told.states("bad") == ["applying", "waiting", "failed"]
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    assert inventory.version == 1


async def test_a_run_ends_at_its_deadline(services: Services, owner: Actor, there: There) -> None:
    """A trouble that heals would be waited for; this one does not."""
    workflow = await drawn(services, owner, there, deployment("bad", image="example.com/crash:1"))
    pace = replace(QUICK, seconds=3.0, trouble_seconds=60.0)
    async with working(services, pace):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.FAILED
    [bad] = run.nodes
    assert bad.state is NodeState.FAILED
    assert bad.message is not None
    assert bad.message.startswith("It was not ready within 3 s. The last that was seen: ")


async def test_what_breaks_while_others_are_waited_for_is_seen(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        deployment("first"),
        deployment("slow", image="example.com/crash:1"),
    )
    pace = replace(QUICK, seconds=5.0, trouble_seconds=60.0)
    async with working(services, pace):
        run = await queued(services, owner, workflow.id)
        await until(services, run.id, lambda run: states(run)["first"] is NodeState.READY)
        await there.api.delete("Deployment", "first")
        run, told = await ended(services, run.id)
    assert states(run) == {"first": NodeState.FAILED, "slow": NodeState.FAILED}
    assert told.states("first")[-3:] == ["ready", "waiting", "failed"]


def job(image: str) -> Any:
    return node("job", "work", name="work", image=image)


async def test_a_job_is_replaced_and_runs_again(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    workflow = await drawn(services, owner, there, job("busybox:1.36"))
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.COMPLETED, run.error
        before = await there.api.read("Job", "work")
        wire.requests.clear()
        await redrawn(services, owner, workflow.id, updated(workflow, "work", image="busybox:1.37"))
        run, told = await deployed(services, owner, workflow.id)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert wire.writes == ["DELETE jobs/work", "PATCH jobs/work"]
    assert "Replaced Job shop/work" in told.lines
    after = await there.api.read("Job", "work")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    assert [entry.uid for entry in inventory.entries] == [after["metadata"]["uid"]]


async def test_an_autoscaler_comes_and_goes(services: Services, owner: Actor, there: There) -> None:
    """The number of pods stays what it is, in every moment."""
    workflow = await drawn(services, owner, there, deployment("web", replicas=3))
    scaler = node("hpa", "scaler", name="web", min_replicas=2, max_replicas=9)
    seen: set[int] = set()

    async def look() -> None:
        async with there.api.watch("Deployment") as changes:
            while True:
                _, obj = await changes.next()
                seen.add(obj["spec"]["replicas"])

    async with working(services):
        await deployed(services, owner, workflow.id)
        looking = asyncio.create_task(look())
        scales = EdgeDraft("scaler", "web", id="scaler-web")
        workflow = await redrawn(services, owner, workflow.id, AddNode(scaler), AddEdge(scales))
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.COMPLETED, run.error
        workflow = await redrawn(
            services, owner, workflow.id, RemoveNode("scaler"), updated(workflow, "web", replicas=4)
        )
        run, told = await deployed(services, owner, workflow.id)
        looking.cancel()
        await asyncio.wait({looking})
    assert run.status is RunStatus.COMPLETED, run.error
    assert told.lines[:2] == [
        "Deleted HorizontalPodAutoscaler shop/web",
        "Updated Deployment shop/web",
    ]
    assert (await there.api.read("Deployment", "web"))["spec"]["replicas"] == 4
    assert seen <= {3, 4}


async def test_what_is_not_on_the_canvas_any_more_goes(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        deployment("web"),
        service("old"),
        node("configmap", "kept", name="kept", data={"a": "1"}),
    )
    async with working(services):
        await deployed(services, owner, workflow.id)
        await redrawn(services, owner, workflow.id, RemoveNode("old"))
        run, told = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED, run.error
    assert states(run) == {
        "kept": NodeState.UNCHANGED,
        "old": NodeState.READY,
        "web": NodeState.UNCHANGED,
    }
    assert told.lines == ["Deleted Service shop/old"]
    assert (await there.api.get("Service", "old")).status_code == 404
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    assert {entry.key.name for entry in inventory.entries} == {"web", "kept"}


async def test_an_undeploy_goes_the_other_way(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    workflow = await published(services, owner, there)
    async with working(services, replace(QUICK, applies_at_once=1), connect=wire.connect):
        await deployed(services, owner, workflow.id, values=demo_values())
        made = [line.partition(" ")[2] for line in wire.writes]
        wire.requests.clear()
        run, told = await deployed(
            services,
            owner,
            workflow.id,
            kind=RunKind.UNDEPLOY,
            consents=Consents(delete_data=True),
        )
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert set(states(run).values()) == {NodeState.READY}
    gone = [line.partition(" ")[2] for line in wire.writes]
    assert [one for one in gone if not one.startswith("persistentvolumeclaims/")] == made[::-1]
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    assert (inventory.version, inventory.entries) == (None, [])
    assert "Deleted PersistentVolumeClaim shop/data-database-0" in told.lines
