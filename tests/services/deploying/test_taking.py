"""What others make between the plan and the run stays theirs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.domain import labels
from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import NodeState
from app.domain.run import RunKind, RunStatus
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import Answer, Request
from app.services import Services
from tests.deploying import There, on_sandbox, parts
from tests.domain.drawing import deployment, node
from tests.kubernetes.objects import config_map
from tests.services.deploying.working import Wire, deployed, drawn, ended, queued, working

GoOn = Callable[[], Awaitable[Answer]]


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


@pytest.fixture
def wire(services: Services) -> Wire:
    return Wire(parts(services).connect)


async def one(services: Services, owner: Actor, there: There, value: str) -> Workflow:
    """A workflow of the ConfigMap `a`."""
    return await drawn(
        services, owner, there, node("configmap", "a", name="a", data={value: value}), name=value
    )


THEIRS = "ConfigMap shop/a is on the cluster now, and is not this workflow's. Plan again."


async def test_what_somebody_made_since_the_plan_stays_as_it_is(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await one(services, owner, there, "ours")
    run = await queued(services, owner, workflow.id)
    before = await there.api.made(config_map("a", theirs="1"), fieldManager="kubectl-create")
    async with working(services):
        run, _ = await ended(services, run.id)
        assert run.status is RunStatus.FAILED
        assert [(each.state, each.message) for each in run.nodes] == [(NodeState.FAILED, THEIRS)]
        assert await there.api.read("ConfigMap", "a") == before
        run, _ = await deployed(services, owner, workflow.id, kind=RunKind.UNDEPLOY)
    assert run.status is RunStatus.COMPLETED
    assert await there.api.read("ConfigMap", "a") == before


async def test_of_two_workflows_one_gets_the_object(
    services: Services, owner: Actor, there: There
) -> None:
    first = await one(services, owner, there, "first")
    second = await one(services, owner, there, "second")
    runs = [await queued(services, owner, each.id) for each in (first, second)]
    async with working(services):
        found = [(await ended(services, run.id))[0] for run in runs]
    [lost] = [run for run in found if run.status is RunStatus.FAILED]
    [won] = [run for run in found if run.status is RunStatus.COMPLETED]
    assert lost.nodes[0].message == THEIRS
    live = await there.api.read("ConfigMap", "a")
    assert live["metadata"]["labels"][labels.WORKFLOW_ID] == won.workflow_id
    async with working(services):
        await deployed(services, owner, lost.workflow_id, kind=RunKind.UNDEPLOY)
    assert await there.api.read("ConfigMap", "a") == live


async def test_what_is_not_there_is_seen_by_one_list(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    names = [f"c{number}" for number in range(6)]
    workflow = await drawn(
        services,
        owner,
        there,
        *(node("configmap", name, name=name, data={"a": "1"}) for name in names),
        name="many",
    )
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED
    read = [place for method, place in wire.requests if method == "GET"]
    assert read.count("configmaps") == 1
    assert not {f"configmaps/{name}" for name in names} & set(read)
    assert sorted(wire.writes) == [f"PATCH configmaps/{name}" for name in names]


async def test_who_is_faster_by_a_moment_gets_theirs_back(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    async def answers(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH" and not is_made.is_set():
            is_made.set()
            await there.api.made(config_map("a", theirs="1"), fieldManager="kubectl-create")
        return await go_on()

    is_made, wire.answers = asyncio.Event(), answers
    workflow = await one(services, owner, there, "ours")
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.FAILED
        assert run.nodes[0].message == (
            "ConfigMap shop/a was made at the same moment, and is not this workflow's. What was "
            "written to it was taken back. Plan again."
        )
        live = await there.api.read("ConfigMap", "a")
        assert live["data"] == {"theirs": "1"}
        assert "labels" not in live["metadata"]
        assert [each["manager"] for each in live["metadata"]["managedFields"]] == ["kubectl-create"]
        run, _ = await deployed(services, owner, workflow.id, kind=RunKind.UNDEPLOY)
    assert run.status is RunStatus.COMPLETED
    assert (await there.api.read("ConfigMap", "a"))["metadata"]["uid"] == live["metadata"]["uid"]


async def test_what_cannot_do_without_our_fields_loses_our_labels(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    """As when another workflow makes the same Deployment: both speak by the same name."""

    async def answers(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH" and not is_made.is_set():
            is_made.set()
            await go_on()
        return await go_on()

    is_made, wire.answers = asyncio.Event(), answers
    workflow = await drawn(services, owner, there, deployment("web"))
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.FAILED
        live = await there.api.read("Deployment", "web")
        assert labels.WORKFLOW_ID not in live["metadata"]["labels"]
        await deployed(services, owner, workflow.id, kind=RunKind.UNDEPLOY)
    assert (await there.api.get("Deployment", "web")).status_code == 200


async def test_what_was_made_without_an_answer_is_ours(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    async def answers(request: Request, go_on: GoOn) -> Answer:
        answer = await go_on()
        if request.method == "PATCH" and not is_made.is_set():
            is_made.set()
            raise ClusterError(ClusterFault.UNREACHABLE, "The connection broke.")
        return answer

    is_made, wire.answers = asyncio.Event(), answers
    workflow = await one(services, owner, there, "ours")
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert is_made.is_set()
