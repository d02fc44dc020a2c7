"""Workers are killed in the middle of runs: each run ends as if nothing had happened."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from app.bootstrap import bootstrap
from app.domain.deploying import PlanDraft
from app.domain.editing import AddNode, NodeDraft, RemoveNode, UpdateNode
from app.domain.planning import Consents
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.settings import Settings
from tests.deploying import There, deployments, on_sandbox
from tests.domain.drawing import deployment, node, service
from tests.e2e.outages import BreakableMongo
from tests.e2e.running import PATIENCE, launch, log
from tests.secrecy import search
from tests.services.deploying.working import QUICK as PACE
from tests.services.deploying.working import drawn, ended, queued, redrawn, told, until, working
from tests.wiring import sign_up

KILLS = 200 if os.environ.get("KUBEORCH_SOAK") else 20
LONGEST = 2.0
"""Seconds from one kill to the next, at most."""
ONE_BY_ONE = replace(PACE, applies_at_once=1)
QUICK = {
    "KUBEORCH_RUN_LEASE_SECONDS": "1",
    "KUBEORCH_RUN_STEADY_SECONDS": "0.2",
    "KUBEORCH_APPLIES_AT_ONCE": "2",
    "KUBEORCH_LOG_LEVEL": "warning",
}


class Workers:
    """`kubeorch worker`: one at work, and another one asleep, who takes its place."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self._data_dir = data_dir
        self._settings = settings
        self._at_work: asyncio.subprocess.Process | None = None
        self._asleep: asyncio.Task[asyncio.subprocess.Process] | None = None
        self.kills = 0

    async def start(self) -> None:
        """One goes to work."""
        self._at_work = await self._started()
        self._asleep = asyncio.create_task(self._put_to_sleep())

    async def kill(self) -> None:
        """The one at work dies, and the other one wakes up, where it was when it fell asleep."""
        assert self._at_work is not None
        assert self._asleep is not None
        successor = await self._asleep
        assert self._at_work.returncode is None, log(self._data_dir)
        self._at_work.kill()
        successor.send_signal(signal.SIGCONT)
        await self._at_work.wait()
        self.kills += 1
        self._at_work = successor
        self._asleep = asyncio.create_task(self._put_to_sleep())

    async def stop(self) -> int:
        """The exit code of the one at work, when it is asked to stop."""
        assert self._at_work is not None
        assert self._asleep is not None
        asleep = await self._asleep
        asleep.kill()
        await asleep.wait()
        self._at_work.terminate()
        async with asyncio.timeout(PATIENCE):
            return await self._at_work.wait()

    async def abandon(self) -> None:
        """Ends what a failed test has left."""
        processes = [self._at_work]
        if self._asleep is not None:
            processes += [await self._asleep]
        for process in processes:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        process = await launch(self._data_dir, command=["worker"], **self._settings)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for line in process.stdout:
                if line.startswith(b"Ctrl-C"):
                    return process
        raise AssertionError(f"The worker did not start:\n{log(self._data_dir)}")

    async def _put_to_sleep(self) -> asyncio.subprocess.Process:
        process = await self._started()
        process.send_signal(signal.SIGSTOP)
        return process


@pytest.fixture
async def workers(
    settings: Settings, mongodb_uri: str, database_name: str
) -> AsyncIterator[Workers]:
    """Beside the services of the test, with the same database and keys."""
    place = {"MONGODB_URI": mongodb_uri, "KUBEORCH_DATABASE": database_name}
    found = Workers(settings.data_dir, **QUICK, **place)
    yield found
    await found.abandon()
    written = log(settings.data_dir)
    search("the log of a worker", written, of_all_tests=True)
    assert "Traceback" not in written, written


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


def part(number: int, turn: int) -> list[NodeDraft]:
    """Five nodes of different kinds, which say in which turn they were drawn."""
    env = {"TURN": str(turn)}
    return [
        node("configmap", f"map-{number}", name=f"map-{number}", data=env),
        service(f"service-{number}"),
        deployment(f"web-{number}", env=env, replicas=2),
        node("job", f"job-{number}", name=f"job-{number}", image="busybox:1.37", env=env),
        node(
            "cronjob",
            f"cron-{number}",
            name=f"cron-{number}",
            image="busybox:1.37",
            schedule="0 2 * * *",
            env=env,
        ),
    ]


async def test_the_database_goes_away_for_a_moment(tmp_path: Path) -> None:
    """What is not known to be written is done, or written, again."""
    mongo = BreakableMongo(tmp_path / "breakable")
    await mongo.start()
    settings = Settings(
        mongodb_uri=SecretStr(mongo.uri), data_dir=tmp_path, bcrypt_rounds=4, background=False
    )
    try:
        async with bootstrap(settings) as services:
            owner = await sign_up(services, "owner")
            async with on_sandbox(services, owner) as there, working(services, ONE_BY_ONE):
                names = [f"m{number}" for number in range(60)]
                maps = [node("configmap", name, name=name, data={"a": "1"}) for name in names]
                workflow = await drawn(services, owner, there, *maps, deployment("web"))
                run = await queued(services, owner, workflow.id)
                await there.api.until("ConfigMap", "m3", lambda _: True)
                await mongo.kill()
                await mongo.start()
                run, _ = await ended(services, run.id)
                assert (run.status, run.error) == (RunStatus.COMPLETED, None)
                found = await deployments(services).plan(owner, PlanDraft(workflow.id))
                assert found.plan.is_idle
    finally:
        await mongo.stop()


PARTS = 6
KINDS = ("ConfigMap", "CronJob", "Deployment", "Job", "Service")


async def drawn_anew(services: Services, actor: Actor, workflow: Workflow, turn: int) -> None:
    """Everything changes; every other turn a third of the nodes is not there."""
    current = await services.workflows.get(actor, workflow.id)
    assert current is not None
    wanted = {
        draft.id or "": draft
        for number in range(PARTS if turn % 2 == 0 else PARTS * 2 // 3)
        for draft in part(number, turn)
    }
    await redrawn(
        services,
        actor,
        workflow.id,
        *(RemoveNode(id_) for id_ in current.nodes if id_ not in wanted),
        *(
            UpdateNode(id_, data=draft.data) if id_ in current.nodes else AddNode(draft)
            for id_, draft in wanted.items()
        ),
    )


async def on_the_cluster(there: There, workflow: Workflow) -> set[tuple[str, str]]:
    """Everything that carries the workflow's label and was not made by a controller."""
    selector = f"kubeorch.io/workflow-id={workflow.id}"
    return {
        (kind, one["metadata"]["name"])
        for kind in KINDS
        for one in (await there.api.read(kind, labelSelector=selector))["items"]
    }


async def killed(
    services: Services, run: WorkflowRun, workers: Workers, random: Random
) -> WorkflowRun:
    """The run at its end, after workers were killed at random moments of it."""
    ending = asyncio.create_task(until(services, run.id, lambda run: run.has_ended))
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, LONGEST)):
                return await asyncio.shield(ending)
        if workers.kills < KILLS:
            await workers.kill()


@pytest.mark.soak
@pytest.mark.usefixtures("short_transactions")
async def test_a_killed_worker_costs_nothing(
    services: Services, owner: Actor, there: There, workers: Workers
) -> None:
    """The cluster is what the canvas says, nothing is left over, and no event is missing."""
    random = Random(6)
    drafts = [draft for number in range(PARTS) for draft in part(number, 0)]
    workflow = await drawn(services, owner, there, *drafts)
    await workers.start()
    turn = 0
    async with asyncio.timeout(120 + 20 * KILLS):
        while workers.kills < KILLS:
            turn += 1
            if turn % 5 == 0:
                kind, expected = RunKind.UNDEPLOY, set[tuple[str, str]]()
                run = await queued(services, owner, workflow.id, kind=kind)
            else:
                await drawn_anew(services, owner, workflow, turn)
                run = await queued(services, owner, workflow.id, consents=Consents(replace=True))
                expected = {
                    (one.kind, one.name)
                    for node in run.nodes
                    for one in node.objects
                    if one.action.value != "delete"
                }
            run = await killed(services, run, workers, random)
            assert (run.status, run.error) == (RunStatus.COMPLETED, None)
            await told(services, run)
            assert await on_the_cluster(there, workflow) == expected
            if expected:
                plan = (await deployments(services).plan(owner, PlanDraft(workflow.id))).plan
                assert [one for one in plan.objects if one.action.value != "unchanged"] == []
    print(f"\n{workers.kills} kills in {turn} runs")
    assert await workers.stop() == 0
