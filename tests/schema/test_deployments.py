"""Runs as the API answers them, and as their stream tells them."""

from contextlib import aclosing
from typing import Any

import pytest
from graphql import build_schema

import schema
from app.documents.database import new_id
from app.documents.inventories import InventoryStore
from app.documents.runs import RunStore
from app.domain.cluster import Cluster
from app.domain.events import Told
from app.domain.ids import Id
from app.domain.inspecting import LogLine
from app.domain.planning import InventoryEntry, ObjectKey
from app.domain.run import NodeState, RunKind, RunNode, RunStatus
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.runs import MOST_NODES
from app.services.workflows import WorkflowDraft
from tests.asking import BUILT, OPERATIONS, Asker
from tests.deploying import parts
from tests.runs import now, run_of, started


async def test_a_run_is_answered_whole(
    services: Services, owner: Actor, workflow: Workflow, cluster: Cluster, ask: Asker
) -> None:
    told = await started(services, workflow, owner, message="the first one")
    await told.begin()
    await told.node(NodeState.FAILED, reason="ImagePullBackOff", message="No such image.")
    await told.finish(RunStatus.FAILED, error="1 of 1 nodes failed.")
    run = await ask.one("Run", id=told.id)
    assert told.run.started_at is not None
    assert told.run.completed_at is not None
    took = told.run.completed_at - told.run.started_at
    assert run.pop("duration") == round(took.total_seconds() * 1000)
    moments = [run.pop("startedAt"), run.pop("completedAt"), run["nodeStates"][0].pop("updatedAt")]
    assert all(moment.endswith("Z") for moment in moments)
    assert run == {
        "id": told.id,
        "status": "FAILED",
        "version": 1,
        "namespace": "default",
        "message": "the first one",
        "error": "1 of 1 nodes failed.",
        "triggeredBy": "MANUAL",
        "workflow": {"id": workflow.id, "name": "Shop"},
        "cluster": {"id": cluster.id, "name": "prod"},
        "startedBy": {"id": owner.id, "name": "owner"},
        "nodeStates": [
            {
                "nodeId": "web",
                "state": "FAILED",
                "reason": "ImagePullBackOff",
                "message": "No such image.",
                "objects": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "namespace": "default",
                        "name": "web",
                        "action": "CREATE",
                    }
                ],
            }
        ],
    }


async def test_a_run_on_a_cluster_that_is_not_the_callers_to_see_has_none(
    services: Services, owner: Actor, workflow: Workflow, ask: Asker
) -> None:
    told = await started(services, workflow, owner, cluster_id=new_id())
    run = await ask.one(
        "query ($id: ID!) { run(id: $id) { cluster { id } clusterId } }", id=told.id
    )
    assert run == {"cluster": None, "clusterId": told.run.cluster_id}


@pytest.mark.parametrize("id_", ["nonsense", "0" * 24])
@pytest.mark.parametrize("field", ["run", "plan"])
async def test_what_is_not_there_is_null(ask: Asker, field: str, id_: str) -> None:
    assert await ask.one(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=id_) is None


async def test_the_runs_of_a_workflow_are_paged_newest_first(
    services: Services, owner: Actor, workflow: Workflow, ask: Asker
) -> None:
    ids = [(await started(services, workflow, owner)).id for _ in range(5)]
    seen: list[str] = []
    after = None
    while True:
        answer = await ask.one("Runs", id=workflow.id, first=2, after=after)
        page = answer["runs"]
        assert (answer["liveVersion"], page["totalCount"]) == (None, 5)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == ids[::-1]


LISTED = """query ($filter: RunFilter, $first: Int = 10, $after: String) {
  runs(filter: $filter, first: $first, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"""


async def test_the_callers_runs_by_every_filter(
    services: Services, owner: Actor, stranger: Actor, workflow: Workflow, ask: Asker
) -> None:
    other = await services.workflows.create(owner, WorkflowDraft(name="Other"))
    theirs = await services.workflows.create(stranger, WorkflowDraft(name="Theirs"))
    await started(services, theirs, stranger)
    first = await started(services, workflow, owner, status=RunStatus.FAILED)
    second = await started(services, workflow, owner, kind=RunKind.ROLLBACK)
    third = await started(services, other, owner, status=RunStatus.COMPLETED)

    async def listed(**filter_: Any) -> list[str]:
        answer = await ask.one(LISTED, filter=filter_)
        assert answer["totalCount"] == len(answer["nodes"])
        return [node["id"] for node in answer["nodes"]]

    assert await listed() == [third.id, second.id, first.id]
    assert await listed(workflowId=workflow.id) == [second.id, first.id]
    assert await listed(workflowId=theirs.id) == []
    assert await listed(clusterId=workflow.cluster_id) == [second.id, first.id]
    assert await listed(status=["FAILED", "COMPLETED"]) == [third.id, first.id]
    assert await listed(kind="ROLLBACK") == [second.id]
    assert await listed(kind=[]) == []
    one = await ask.one(LISTED, first=1)
    two = await ask.one(LISTED, first=1, after=one["pageInfo"]["endCursor"])
    assert [one["nodes"][0]["id"], two["nodes"][0]["id"]] == [third.id, second.id]


async def test_a_page_of_large_runs_ends_early(
    services: Services, owner: Actor, workflow: Workflow, ask: Asker
) -> None:
    nodes = [RunNode(node_id=f"n{i}", updated_at=now()) for i in range(MOST_NODES // 2 - 1)]
    ids = [(await started(services, workflow, owner, nodes=nodes)).id for _ in range(3)]
    huge = await started(services, workflow, owner, nodes=nodes * 4)
    seen = []
    after = None
    for expected in ([huge.id], ids[:0:-1], ids[:1]):
        page = (await ask.one("Runs", id=workflow.id, first=100, after=after))["runs"]
        seen.append([edge["node"]["id"] for edge in page["edges"]])
        after = page["pageInfo"]["endCursor"]
        assert seen[-1] == expected
    assert page["pageInfo"]["hasNextPage"] is False


async def deploy(
    services: Services, workflow: Workflow, cluster_id: Id, version: int | None
) -> None:
    """What a run writes when it has applied a version, or removed it."""
    key = ObjectKey("apps/v1", "Deployment", "default", "web")
    store, moment = InventoryStore(), now()

    async def work(transaction: Any) -> None:
        await store.put(
            workflow.id,
            cluster_id,
            namespace="default",
            entries=[InventoryEntry(key, "uid", "web")],
            now=moment,
            transaction=transaction,
        )
        await store.deployed(
            workflow.id,
            cluster_id,
            version=version,
            workflow_name=workflow.name,
            now=moment,
            transaction=transaction,
        )

    await parts(services).database.transaction(work)


async def test_the_live_version_is_what_was_deployed_last_and_not_removed(
    services: Services, workflow: Workflow, cluster: Cluster, ask: Asker
) -> None:
    async def live() -> int | None:
        answer = await ask.one(
            "query ($id: ID!) { workflow(id: $id) { liveVersion } }", id=workflow.id
        )
        version: int | None = answer["liveVersion"]
        return version

    elsewhere = new_id()
    assert await live() is None
    await deploy(services, workflow, cluster.id, 3)
    assert await live() == 3
    await deploy(services, workflow, elsewhere, 4)
    assert await live() == 4
    await deploy(services, workflow, elsewhere, None)
    assert await live() == 3
    await deploy(services, workflow, cluster.id, None)
    assert await live() is None


# ---------------------------------------------------------------------------------- subscriptions


async def events_of(ask: Asker, **variables: Any) -> list[Any]:
    """All events of the front end's `RunProgress`, as it gets them."""
    begun = await BUILT.begin(
        OPERATIONS["RunProgress"], variables=variables, context=ask.context(), operation_name=None
    )
    seen = []
    assert not isinstance(begun, list)
    async with aclosing(begun.source) as events:  # type: ignore[union-attr]
        async for event in events:
            result = await begun.execute(event, ask.context())  # type: ignore[union-attr]
            assert result.errors is None
            assert result.data is not None
            seen.append(result.data["runProgress"])
    return seen


async def test_run_progress_tells_what_the_front_end_asks_for(
    services: Services, owner: Actor, workflow: Workflow, ask: Asker
) -> None:
    told = await started(services, workflow, owner)
    await told.begin()
    await told.node(NodeState.APPLYING)
    await told.log("Applying Deployment default/web")
    await told.finish()
    snapshot, finished = await events_of(ask, id=told.id)
    assert (snapshot["__typename"], snapshot["seq"]) == ("RunSnapshot", 3)
    assert snapshot["run"]["workflow"] == {"id": workflow.id, "name": "Shop"}
    assert (finished["__typename"], finished["seq"]) == ("RunFinished", 4)
    assert finished["run"]["status"] == "COMPLETED"
    assert finished["run"]["nodeStates"][0]["state"] == "APPLYING"

    events = await events_of(ask, id=told.id, after=0)
    assert [(event["__typename"], event["seq"]) for event in events] == [
        ("RunChanged", 1),
        ("RunNodeChanged", 2),
        ("RunLog", 3),
        ("RunFinished", 4),
    ]
    assert events[1]["nodeState"]["state"] == "APPLYING"
    line = {key: events[2][key] for key in ("level", "text", "nodeId")}
    assert line == {"level": "INFO", "text": "Applying Deployment default/web", "nodeId": None}


def test_what_is_for_one_reader_is_never_shared() -> None:
    """Answers to events are shared among those who ask the same; lines of logs are no events."""
    line = LogLine(pod="web", container="web", at=None, text="hello")
    assert not isinstance(line, Told)


# ----------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    "field",
    [
        "drift { checkedAt }",
        'diagnostics(nodeId: "a") { state }',
        'pods(nodeId: "a") { name }',
    ],
)
def test_what_dials_a_cluster_is_dear(field: str) -> None:
    built = schema.build()
    aliases = " ".join(f"a{i}: {field}" for i in range(10))
    (error,) = built.prepare(f'{{ workflow(id: "x") {{ {aliases} }} }}').errors
    assert error.extensions is not None
    assert error.extensions["code"] == "QUERY_TOO_COSTLY"
    assert built.prepare(f'{{ workflow(id: "x") {{ {field} }} }}').errors == []


@pytest.mark.parametrize(
    "mutation", ["planWorkflow", "deployWorkflow", "rollbackWorkflow", "undeployWorkflow"]
)
def test_what_dials_a_cluster_can_answer_that_it_is_away(mutation: str) -> None:
    built = build_schema(schema.sdl())
    assert built.mutation_type is not None
    members = {member.name for member in built.mutation_type.fields[mutation].type.of_type.types}
    assert {"ClusterUnreachable", "Conflict", "NotFound", "Forbidden", "Unauthenticated"} <= members


async def test_a_page_of_runs_is_a_range_of_an_index(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    """What runs other people have costs nothing, and nothing is sorted."""
    for _ in range(3):
        await RunStore().insert(run_of(workflow, owner))
    collection = parts(services).database.raw["workflow_runs"]
    for filter_ in ({}, {"status": {"$in": ["failed"]}}, {"kind": {"$in": ["deploy"]}}):
        plan = await collection.find({"started_by": owner.id, **filter_}).sort("_id", -1).explain()
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
        assert "started_newest" in str(plan["queryPlanner"]["winningPlan"])
        assert "'stage': 'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
