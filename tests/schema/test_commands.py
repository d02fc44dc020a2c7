"""How often MongoDB is asked: as often for a hundred rows as for one."""

from datetime import UTC, datetime

import pytest

from app.documents.clusters import ClusterStore
from app.documents.database import new_id
from app.documents.runs import RunStore
from app.domain.cluster import AuthType, Cluster, ClusterRole, ClusterShare
from app.domain.run import RunStatus, WorkflowRun
from app.domain.user import Actor
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import asker
from tests.commands import commands
from tests.domain.drawing import deployment

WHOLE = """query ($first: Int!) { workflows(first: $first) { totalCount nodes {
  name owner { name } cluster { name owner { name } } lastRun { status startedBy { name } }
  nodes { ... on WorkflowNode { id } } edges { id } problems { code } viewerCan { edit { allowed } }
} } }"""


@pytest.fixture
async def hundred(services: Services, owner: Actor) -> None:
    """A hundred workflows, each with a cluster of its own and two runs."""
    now = datetime.now(UTC)
    for i in range(100):
        cluster = Cluster(
            id=new_id(),
            name=f"cluster-{i}",
            display_name=f"Cluster {i}",
            server="https://192.0.2.1:6443",
            auth_type=AuthType.TOKEN,
            owner_id=owner.id,
            created_at=now,
            updated_at=now,
        )
        await ClusterStore().insert(cluster)
        made = await services.workflows.create(
            owner,
            WorkflowDraft(name=f"w{i}", cluster_id=cluster.id, nodes=[deployment("web")]),
        )
        for status in (RunStatus.FAILED, RunStatus.COMPLETED):
            await RunStore().insert(
                WorkflowRun(
                    id=new_id(),
                    workflow_id=made.id,
                    cluster_id=cluster.id,
                    namespace="default",
                    version=1,
                    status=status,
                    started_by=owner.id,
                    created_at=now,
                )
            )


@pytest.mark.usefixtures("hundred")
@pytest.mark.parametrize("document", ["Workflows", WHOLE])
async def test_a_hundred_rows_cost_as_many_commands_as_one(
    services: Services, owner: Actor, document: str
) -> None:
    ask = asker(services, owner)
    with commands.during() as one:
        await ask(document, first=1)
    with commands.during() as hundred:
        answer = await ask.one(document, first=100)
    rows = answer.get("nodes") or [edge["node"] for edge in answer["edges"]]
    assert len(rows) == 100
    assert {row["lastRun"]["status"] for row in rows} == {"COMPLETED"}
    assert len({row["cluster"]["name"] for row in rows}) == 100
    assert sorted(hundred) == sorted(one)
    assert len(hundred) <= 7


RUNS = """query ($first: Int!) { runs(first: $first) { totalCount nodes {
  id status triggeredBy nodeStates { state objects { name } } startedBy { name }
  workflow { name liveVersion lastRun { id } cluster { name } } cluster { name owner { name } }
} } }"""


@pytest.mark.usefixtures("hundred")
async def test_a_hundred_runs_cost_as_many_commands_as_one(
    services: Services, owner: Actor
) -> None:
    ask = asker(services, owner)
    with commands.during() as one:
        await ask(RUNS, first=1)
    with commands.during() as hundred:
        answer = await ask.one(RUNS, first=100)
    assert answer["totalCount"] == 200
    assert len({row["workflow"]["name"] for row in answer["nodes"]}) == 50
    assert len({row["cluster"]["name"] for row in answer["nodes"]}) == 50
    assert sorted(hundred) == sorted(one)
    assert len(hundred) <= 7


LIVE = """query ($first: Int!) { workflows(first: $first) { nodes {
  liveVersion lastDrift { hasDrifted } nodes { ... on WorkflowNode { status { state } } }
} } }"""


@pytest.mark.usefixtures("hundred")
async def test_what_is_live_of_a_hundred_workflows_costs_as_many_commands_as_of_one(
    services: Services, owner: Actor
) -> None:
    ask = asker(services, owner)
    with commands.during() as one:
        await ask(LIVE, first=1)
    with commands.during() as hundred:
        await ask(LIVE, first=100)
    assert sorted(hundred) == sorted(one)
    assert len(hundred) <= 5


CLUSTERS = """query ($first: Int!) { clusters(first: $first) { totalCount nodes { name
  owner { name email defaultCluster { name } } sharedWith { role user { name email } }
  viewerCan { deploy { allowed } administer { reason } own { allowed } } } } }"""


@pytest.fixture
async def shared_hundred(services: Services, owner: Actor, stranger: Actor) -> None:
    """A hundred clusters of the owner's, each shared with the stranger."""
    now = datetime.now(UTC)
    for i in range(100):
        await ClusterStore().insert(
            Cluster(
                id=new_id(),
                name=f"cluster-{i}",
                display_name=f"Cluster {i}",
                server="https://192.0.2.1:6443",
                auth_type=AuthType.TOKEN,
                owner_id=owner.id,
                shared_with=[ClusterShare(user_id=stranger.id, role=ClusterRole.ADMIN)],
                created_at=now,
                updated_at=now,
            )
        )


@pytest.mark.usefixtures("shared_hundred")
@pytest.mark.parametrize("document", ["Clusters", CLUSTERS])
async def test_a_hundred_clusters_cost_as_many_commands_as_one(
    services: Services, owner: Actor, stranger: Actor, document: str
) -> None:
    for actor in (owner, stranger):
        ask = asker(services, actor)
        with commands.during() as one:
            await ask(document, first=1)
        with commands.during() as hundred:
            answer = await ask.one(document, first=100)
        rows = answer.get("nodes") or [edge["node"] for edge in answer["edges"]]
        assert len(rows) == 100
        assert {row["owner"]["name"] for row in rows} == {"owner"}
        assert {share["user"]["email"] for row in rows for share in row["sharedWith"]} == {
            "stranger@example.com"
        }
        assert sorted(hundred) == sorted(one)
        assert len(hundred) <= 4


async def test_an_edit_is_one_write_and_one_event(services: Services, owner: Actor) -> None:
    ask = asker(services, owner)
    made = await services.workflows.create(
        owner, WorkflowDraft(name="a", nodes=[deployment("web")])
    )
    move = {"moveNode": {"id": "web", "position": {"x": 1, "y": 1}}}
    edit = {"workflowId": made.id, "expectedRevision": 1, "operations": [move]}
    with commands.during() as sent:
        await ask.one("EditWorkflow", input=edit)
    writes = [name for name in sent if name != "find"]
    assert writes == ["findAndModify", "insert", "commitTransaction"]
