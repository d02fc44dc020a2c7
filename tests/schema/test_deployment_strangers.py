"""A stranger's token sees and changes nothing of another's runs and plans, through any root field.

The probes are those that look for workflows; see `tests.schema.test_strangers`.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from app.documents.plans import PlanStore
from app.documents.runs import RunStore
from app.domain.ids import Id
from app.domain.problems import Problem, Severity
from app.domain.run import RunStatus, WorkflowRun
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import asker
from tests.clusters import bring_in
from tests.runs import run_of, started
from tests.schema.test_plans import plan_of
from tests.schema.test_strangers import PROBES, SECRET, probe

SHOWN_TO_ITS_OWNER = {
    "run": {("query", "run"), ("subscription", "runProgress")},
    "plan": {("query", "plan")},
    "workflow": {("query", "workflow"), ("query", "runs"), ("subscription", "workflowChanged")},
}
"""By whose id is asked."""


@dataclass(frozen=True)
class Deployed:
    """A workflow with a run and a plan, of which only these two tell the secret."""

    workflow: Workflow
    run: WorkflowRun
    plan: StoredPlan

    def id_of(self, what: str) -> Id:
        found: Any = getattr(self, what)
        id_: Id = found.id
        return id_


@pytest.fixture
async def deployed(services: Services, owner: Actor) -> Deployed:
    cluster = await bring_in(services, owner)
    workflow = await services.workflows.create(
        owner, WorkflowDraft(name="Shop", cluster_id=cluster.id)
    )
    told = await started(services, workflow, owner, message=SECRET)
    await told.begin()
    await told.finish(RunStatus.FAILED, error=SECRET)
    plan = plan_of(workflow, owner)
    problem = Problem(
        code="INVALID", message=SECRET, node_id=None, path=("data",), severity=Severity.ERROR
    )
    whole = plan_of(workflow, owner, plan=type(plan.plan)(problems=(problem,)))
    await PlanStore().insert(whole)
    return Deployed(workflow, told.run, whole)


@pytest.mark.parametrize("what", ["run", "plan"])
@pytest.mark.parametrize(("operation", "name"), PROBES)
async def test_a_stranger_sees_and_changes_nothing(
    *,
    services: Services,
    stranger: Actor,
    deployed: Deployed,
    operation: str,
    name: str,
    what: str,
) -> None:
    theirs = await services.workflows.create(stranger, WorkflowDraft(name="Theirs"))
    await RunStore().insert(run_of(theirs, stranger))
    for caller in (stranger, None):
        answer = await probe(asker(services, caller), operation, name, deployed.id_of(what))
        assert SECRET not in answer
    assert await RunStore().get(deployed.run.id) == deployed.run
    assert await PlanStore().get(deployed.plan.id) == deployed.plan


@pytest.mark.parametrize("what", ["run", "plan", "workflow"])
@pytest.mark.parametrize(("operation", "name"), [each for each in PROBES if each[0] != "mutation"])
async def test_the_same_probe_shows_it_to_its_owner_where_it_is_to_be_seen(
    *, services: Services, owner: Actor, deployed: Deployed, operation: str, name: str, what: str
) -> None:
    answer = await probe(asker(services, owner), operation, name, deployed.id_of(what))
    shown = (operation, name) in SHOWN_TO_ITS_OWNER[what]
    assert (SECRET in answer) is shown, answer[:2000]
