"""What is live of a workflow: the status of its nodes, and who may deploy it."""

from typing import Any

from app.documents.database import new_id
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.domain.cluster import Cluster, ClusterRole
from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.node import NodeStatus
from app.domain.user import Actor
from app.domain.workflow import Workflow, WorkflowRow, WorkflowStatus
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import Asker, asker
from tests.clusters import bring_in
from tests.commands import commands
from tests.deploying import parts
from tests.domain.drawing import deployment
from tests.runs import now

STATUS = """query ($id: ID!) { workflow(id: $id) { nodes { __typename ...Live } } }
fragment Live on WorkflowNode { id status { ...Told } }
fragment Told on NodeStatus {
  nodeId state reason message readyReplicas desiredReplicas updatedAt }"""


async def is_degraded(
    services: Services, workflow: Workflow, cluster_id: Id, *node_ids: str
) -> None:
    """What is written when nodes are seen on the cluster."""
    nodes = {
        node_id: NodeStatus(
            node_id=node_id,
            state=HealthState.DEGRADED,
            reason="CrashLoopBackOff",
            message="It stops again and again.",
            ready_replicas=0,
            desired_replicas=1,
            updated_at=now(),
        )
        for node_id in node_ids
    }
    seen = WorkflowStatuses(workflow.id, cluster_id, ("default",), 1, nodes)

    async def work(transaction: Any) -> None:
        await StatusStore().record(seen, changed=nodes, gone=(), transaction=transaction)

    await parts(services).database.transaction(work)


async def test_a_node_has_the_status_that_was_seen_last(
    services: Services, owner: Actor, cluster: Cluster, ask: Asker
) -> None:
    workflow = await services.workflows.create(
        owner, WorkflowDraft(name="Shop", nodes=[deployment("web"), deployment("api")])
    )
    await is_degraded(services, workflow, cluster.id, "web", "gone")
    web, api = (await ask.one(STATUS, id=workflow.id))["nodes"]
    assert web["status"].pop("updatedAt").endswith("Z")
    assert web["status"] == {
        "nodeId": "web",
        "state": "DEGRADED",
        "reason": "CrashLoopBackOff",
        "message": "It stops again and again.",
        "readyReplicas": 0,
        "desiredReplicas": 1,
    }
    assert api == {"__typename": "DeploymentNode", "id": "api", "status": None}


async def test_a_status_from_where_the_caller_may_not_look_is_not_told(
    services: Services, workflow: Workflow, ask: Asker
) -> None:
    await is_degraded(services, workflow, new_id(), "web")
    (web,) = (await ask.one(STATUS, id=workflow.id))["nodes"]
    assert web["status"] is None


async def test_a_status_that_nobody_asks_for_is_not_loaded(
    services: Services, workflow: Workflow, cluster: Cluster, ask: Asker
) -> None:
    await is_degraded(services, workflow, cluster.id, "web")
    plain = "query ($id: ID!) { workflow(id: $id) { status nodes { ... on WorkflowNode { id } } } }"
    with commands.during() as without:
        await ask(plain, id=workflow.id)
    with commands.during() as with_status:
        await ask(STATUS, id=workflow.id)
    assert (len(without), len(with_status)) == (1, 3)


CAN = """query ($id: ID!) { workflow(id: $id) {
  viewerCan { deploy { allowed reason } undeploy { allowed } } } }"""


async def test_who_may_deploy_depends_on_the_cluster_too(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    theirs = await bring_in(services, owner, "theirs")

    async def share(role: ClusterRole) -> None:
        await services.sharing.share(
            owner, theirs.id, stranger.user.email, role=role, namespaces=["shop"]
        )

    await share(ClusterRole.VIEWER)
    made: WorkflowRow = await services.workflows.create(
        stranger, WorkflowDraft(name="Guest", cluster_id=theirs.id, namespace="shop")
    )
    guest = asker(services, stranger)

    async def said() -> tuple[bool, str | None]:
        can = (await guest.one(CAN, id=made.id))["viewerCan"]
        assert can["undeploy"]["allowed"] is (made.status is not WorkflowStatus.DRAFT)
        return can["deploy"]["allowed"], can["deploy"]["reason"]

    assert await said() == (False, "Only a published workflow deploys. Publish it first.")
    made = await services.workflows.publish(stranger, made.id)
    assert "takes DEPLOYER" in str((await said())[1])
    await share(ClusterRole.DEPLOYER)
    assert await said() == (True, None)
    await services.workflows.update(stranger, made.id, {"namespace": "elsewhere"})
    assert "in these namespaces only: shop" in str((await said())[1])
    await services.sharing.unshare(owner, theirs.id, stranger.id)
    assert "not yours to see" in str((await said())[1])
