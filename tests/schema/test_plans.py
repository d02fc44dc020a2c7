"""Plans as the API answers them: to who may see all that they are about."""

from datetime import timedelta
from typing import Any

from app.documents.database import new_id
from app.documents.plans import PlanStore
from app.domain.cluster import ClusterRole
from app.domain.comparing import FieldChange
from app.domain.planning import Consents, ObjectKey, Plan, PlanAction, PlannedObject
from app.domain.planning.findings import Risk, RiskCode
from app.domain.planning.plan import MissingKeys
from app.domain.problems import Problem, Severity
from app.domain.run import RunKind
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import Asker, asker
from tests.clusters import bring_in
from tests.domain.drawing import deployment
from tests.runs import now

PLAN = """query ($id: ID!) { plan(id: $id) {
  id hash kind namespace revision version createdAt expiresAt workflowId clusterId
  workflow { name } cluster { name } summary { create update replace delete unchanged }
  objects { nodeId apiVersion kind namespace name action
    changes { path before after } risks { code message } }
  missingSecretKeys { nodeId keys } problems { code message nodeId path severity } } }"""


def plan_of(workflow: Workflow, owner: Actor, **more: Any) -> StoredPlan:
    web = PlannedObject(
        node_id="web",
        key=ObjectKey("apps/v1", "Deployment", "default", "web"),
        action=PlanAction.UPDATE,
        changes=(FieldChange("spec.replicas", 1, 2), FieldChange("spec.paused", None, [True])),
        risks=(Risk(RiskCode.DISRUPTION, "Pods stop."),),
        uid="uid",
    )
    gone = PlannedObject(
        node_id=None, key=ObjectKey("v1", "Service", "default", "old"), action=PlanAction.DELETE
    )
    problem = Problem(
        code="NOT_OWNED",
        message="It is somebody else's.",
        node_id="web",
        path=("manifests", "Deployment", "web"),
        severity=Severity.ERROR,
    )
    plan = Plan(
        objects=(web, gone),
        missing_secret_keys=(MissingKeys("web", ("PASSWORD",)),),
        problems=(problem,),
    )
    fields = {
        "id": new_id(),
        "workflow_id": workflow.id,
        "cluster_id": workflow.cluster_id,
        "namespace": "default",
        "revision": workflow.revision,
        "kind": RunKind.DEPLOY,
        "version": None,
        "consents": Consents(),
        "plan": plan,
        "created_by": owner.id,
        "created_at": now(),
        "expires_at": now() + timedelta(hours=1),
    }
    return StoredPlan(**fields | more)


async def test_a_plan_can_be_read_again(owner: Actor, workflow: Workflow, ask: Asker) -> None:
    stored = plan_of(workflow, owner)
    await PlanStore().insert(stored)
    plan = await ask.one(PLAN, id=stored.id)
    assert plan.pop("createdAt") < plan.pop("expiresAt")
    assert plan == {
        "id": stored.id,
        "hash": stored.plan.hash,
        "kind": "DEPLOY",
        "namespace": "default",
        "revision": 1,
        "version": None,
        "workflowId": workflow.id,
        "clusterId": workflow.cluster_id,
        "workflow": {"name": "Shop"},
        "cluster": {"name": "prod"},
        "summary": {"create": 0, "update": 1, "replace": 0, "delete": 1, "unchanged": 0},
        "objects": [
            {
                "nodeId": "web",
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "namespace": "default",
                "name": "web",
                "action": "UPDATE",
                "changes": [
                    {"path": "spec.replicas", "before": 1, "after": 2},
                    {"path": "spec.paused", "before": None, "after": [True]},
                ],
                "risks": [{"code": "DISRUPTION", "message": "Pods stop."}],
            },
            {
                "nodeId": None,
                "apiVersion": "v1",
                "kind": "Service",
                "namespace": "default",
                "name": "old",
                "action": "DELETE",
                "changes": [],
                "risks": [],
            },
        ],
        "missingSecretKeys": [{"nodeId": "web", "keys": ["PASSWORD"]}],
        "problems": [
            {
                "code": "NOT_OWNED",
                "message": "It is somebody else's.",
                "nodeId": "web",
                "path": ["manifests", "Deployment", "web"],
                "severity": "ERROR",
            }
        ],
    }


async def test_a_plan_that_has_expired_is_not_there(
    owner: Actor, workflow: Workflow, ask: Asker
) -> None:
    stored = plan_of(workflow, owner, expires_at=now() - timedelta(milliseconds=1))
    await PlanStore().insert(stored)
    assert await ask.one(PLAN, id=stored.id) is None


async def test_a_plan_is_seen_by_who_sees_all_that_it_is_about(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    theirs = await bring_in(services, owner, "theirs")
    await services.sharing.share(
        owner, theirs.id, stranger.user.email, role=ClusterRole.DEPLOYER, namespaces=["default"]
    )
    made = await services.workflows.create(
        stranger, WorkflowDraft(name="Guest", cluster_id=theirs.id, nodes=[deployment("web")])
    )
    beyond = PlannedObject(
        node_id="role", key=ObjectKey("v1", "Namespace", None, "x"), action=PlanAction.CREATE
    )
    within = plan_of(made, stranger)
    wide = plan_of(made, stranger, plan=Plan(objects=(beyond,)))
    for stored in (within, wide):
        await PlanStore().insert(stored)
    guest = asker(services, stranger)
    assert (await guest.one(PLAN, id=within.id))["cluster"] == {"name": "theirs"}
    assert await guest.one(PLAN, id=wide.id) is None
    assert await asker(services, owner).one(PLAN, id=within.id) is None
    await services.sharing.unshare(owner, theirs.id, stranger.id)
    assert await guest.one(PLAN, id=within.id) is None
