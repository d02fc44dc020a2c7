"""The demo application, from its plan to its end, on every cluster that the tests have."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest

from app.bootstrap import bootstrap
from app.domain.deploying import DeployDraft, PlanDraft
from app.domain.editing import UpdateNode
from app.domain.ids import Id
from app.domain.nodes.deployment import DeploymentNodeData
from app.domain.planning import Consents, NodeState, PlanAction
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.runevents import RunEvent, RunFinished, RunNodeChanged, RunSnapshot
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Ending, Services
from app.settings import Settings
from tests.deploying import DEMO_KINDS, There, bring, demo_values, published
from tests.kubernetes.asking import Api
from tests.kubernetes.clusters import Cluster

pytestmark = [pytest.mark.api, pytest.mark.controllers]

OURS = "app.kubernetes.io/managed-by=kubeorch"
KINDS = tuple(dict.fromkeys((*DEMO_KINDS, "Job")))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A process that does runs, too."""
    return settings.model_copy(update={"background": True, "run_seconds": 60.0})


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with bootstrap(settings) as wired:
        yield wired


@pytest.fixture
async def there(services: Services, owner: Actor, cluster: Cluster, api: Api) -> There:
    """The cluster, brought in, with the test's own namespace."""
    return There(await bring(services, owner, cluster), cluster, api)


async def follow(services: Services, actor: Actor, run_id: Id) -> list[RunSnapshot | RunEvent]:
    """Everything that the run's stream tells, until it ends by itself."""
    events = services.run_streams.run_progress(actor, run_id, after=None, until=Ending())
    async with aclosing(events):
        return [event async for event in events]


async def ended(services: Services, actor: Actor, run: WorkflowRun) -> WorkflowRun:
    """The run at its end, after its events were seen to be whole."""
    told = await follow(services, actor, run.id)
    first, last = told[0], told[-1]
    assert isinstance(first, RunSnapshot)
    assert isinstance(last, RunFinished)
    assert [event.seq for event in told] == list(range(first.seq, last.seq + 1))
    nodes = {node.node_id: node for node in first.run.nodes}
    for event in told:
        if isinstance(event, RunNodeChanged):
            nodes[event.node_state.node_id] = event.node_state
    assert list(nodes.values()) == last.run.nodes
    assert await services.runs.get(actor, run.id) == last.run
    return last.run


def actions(plan: StoredPlan) -> dict[str, set[str]]:
    """The actions of a plan, with the names of the objects that they are for."""
    found: dict[str, set[str]] = {}
    for one in plan.plan.objects:
        found.setdefault(one.action.value, set()).add(f"{one.key.kind}/{one.key.name}")
    return found


async def versions(api: Api, kinds: Sequence[str] = KINDS) -> dict[tuple[str, str], str]:
    """The resourceVersion of everything that was deployed and has settled."""
    return {
        (kind, one["metadata"]["name"]): one["metadata"]["resourceVersion"]
        for kind in kinds
        for one in (await api.read(kind, labelSelector=OURS))["items"]
    }


async def change(
    services: Services, actor: Actor, workflow: Workflow, node_id: str, **fields: Any
) -> Workflow:
    """The workflow with some fields of a Deployment changed."""
    current = await services.workflows.get(actor, workflow.id)
    assert current is not None
    data = current.nodes[node_id].data.model_copy(update=fields)
    assert isinstance(data, DeploymentNodeData)
    return await services.workflows.edit(
        actor, workflow.id, [UpdateNode(node_id, data=data)], expected=current.revision
    )


async def test_the_demo_application_from_plan_to_undeploy(
    services: Services,
    owner: Actor,
    there: There,
    pods_run: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    api = there.api
    workflow = await published(services, owner, there)
    values = demo_values()

    async def plan(**draft: Any) -> StoredPlan:
        return await services.deployments.plan(owner, PlanDraft(workflow.id, **draft))

    async def deploy(**draft: Any) -> WorkflowRun:
        run = await services.deployments.deploy(owner, DeployDraft(workflow.id, **draft))
        return await ended(services, owner, run)

    async with pods_run():
        # Planned: everything is new, and the values are missing.
        first = await plan()
        assert actions(first).keys() == {"create"}
        assert {(one.node_id, one.keys) for one in first.plan.missing_secret_keys} == {
            ("credentials", ("api-token",)),
            ("web", ("DATABASE_PASSWORD",)),
        }

        # Deployed by that plan, and seen ready.
        run = await deploy(plan_id=first.id, values=values)
        assert (run.status, run.error, run.version) == (RunStatus.COMPLETED, None, 1)
        assert {node.node_id: node.state for node in run.nodes} == dict.fromkeys(
            workflow.nodes, NodeState.READY
        )
        credentials = await api.read("Secret", "credentials")
        assert set(credentials["data"]) == {"api-token"}

        # The same again: nothing changes, and nothing is written.
        before = await versions(api, ("ConfigMap", "Secret", "Service", "NetworkPolicy", "CronJob"))
        again = await deploy()
        assert again.status is RunStatus.COMPLETED, again.error
        assert {node.state for node in again.nodes} == {NodeState.UNCHANGED}
        after = await versions(api, ("ConfigMap", "Secret", "Service", "NetworkPolicy", "CronJob"))
        assert after == before

        # A change: only it shows, and the values are still there.
        await change(services, owner, workflow, "web", env={"LOG_LEVEL": "debug"})
        second = await plan()
        assert actions(second)["update"] == {"Deployment/web"}
        assert second.plan.summary.unchanged == len(second.plan.objects) - 1
        assert second.plan.missing_secret_keys == ()
        [changed] = [one for one in second.plan.objects if one.action is PlanAction.UPDATE]
        assert [(c.before, c.after) for c in changed.changes] == [("info", "debug")]
        run = await deploy(plan_id=second.id)
        assert (run.status, run.error, run.version) == (RunStatus.COMPLETED, None, 3)
        assert await level(api) == "debug"

        # Rolled back: the cluster is as it was, the canvas as it is.
        run = await deploy(kind=RunKind.ROLLBACK, version=1)
        assert (run.status, run.error, run.version) == (RunStatus.COMPLETED, None, 4)
        assert await level(api) == "info"
        assert actions(await plan())["update"] == {"Deployment/web"}

        # Undeployed: nothing is left but the data.
        run = await deploy(kind=RunKind.UNDEPLOY)
        assert (run.status, run.error) == (RunStatus.COMPLETED, None)
        assert await versions(api) == {}
        claims = (await api.read("PersistentVolumeClaim"))["items"]
        assert [one["metadata"]["name"] for one in claims] == ["data-database-0"]

        # And by an explicit word, no data either.
        run = await deploy(kind=RunKind.UNDEPLOY, consents=Consents(delete_data=True))
        assert (run.status, run.error) == (RunStatus.COMPLETED, None)
        await api.until_gone("PersistentVolumeClaim", "data-database-0")


async def level(api: Api) -> str:
    """What the Deployment says of its log level now."""
    live = await api.read("Deployment", "web")
    [container] = live["spec"]["template"]["spec"]["containers"]
    [value] = [one["value"] for one in container["env"] if one["name"] == "LOG_LEVEL"]
    return str(value)
