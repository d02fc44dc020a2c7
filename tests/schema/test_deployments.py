"""Runs and plans as the API answers them, and what it says of inputs that break rules."""

from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from graphql import build_schema

import schema
from app.documents.database import new_id
from app.documents.inventories import InventoryStore
from app.documents.plans import PlanStore
from app.documents.runs import RunStore
from app.domain.cluster import Cluster, ClusterRole
from app.domain.comparing import FieldChange
from app.domain.ids import Id
from app.domain.planning import Consents, InventoryEntry, ObjectKey, Plan, PlanAction, PlannedObject
from app.domain.planning.findings import Risk, RiskCode
from app.domain.planning.plan import MissingKeys
from app.domain.problems import Problem, Severity
from app.domain.run import NodeState, RunKind, RunNode, RunStatus
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.runs import MOST_NODES
from app.services.workflows import WorkflowDraft
from tests.asking import BUILT, OPERATIONS, Asker, asker
from tests.clusters import bring_in
from tests.deploying import parts
from tests.domain.drawing import deployment
from tests.runs import now, run_of, started
from tests.secrecy import search, secret


@pytest.fixture
async def cluster(services: Services, owner: Actor) -> Cluster:
    return await bring_in(services, owner, "prod")


@pytest.fixture
async def workflow(services: Services, owner: Actor, cluster: Cluster) -> Workflow:
    return await services.workflows.create(
        owner, WorkflowDraft(name="Shop", cluster_id=cluster.id, nodes=[deployment("web")])
    )


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)


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


# ------------------------------------------------------------------------------------------ plans

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


# ----------------------------------------------------------------------------------------- inputs

VALUES_TWICE = [
    {"nodeId": "web", "values": {"A": "x", "B": "x"}},
    {"nodeId": "web", "values": {"B": "x"}},
]


@pytest.mark.parametrize("operation", ["DeployWorkflow", "RollbackWorkflow"])
async def test_a_value_that_is_given_twice_is_refused_at_its_place(
    ask: Asker, operation: str
) -> None:
    given: dict[str, Any] = {
        "workflowId": new_id(),
        "secretValues": VALUES_TWICE,
        "envValues": [
            {"nodeId": "other", "values": {"A": "x"}},
            {"nodeId": "web", "values": {"A": "x", "C": "x"}},
        ],
    }
    if operation == "RollbackWorkflow":
        given["version"] = 1
    answer = await ask.one(
        OPERATIONS[operation].replace(
            "fragment Problem on UserError {",
            "fragment Problem on UserError { ... on ValidationError { errors { path code } }",
        ),
        input=given,
    )
    assert answer["__typename"] == "ValidationError"
    assert answer["errors"] == [
        {"path": ["secretValues", "1", "values", "B"], "code": "DUPLICATE"},
        {"path": ["envValues", "1", "values", "A"], "code": "DUPLICATE"},
    ]


MANY = [{"nodeId": f"n{i}", "values": {}} for i in range(1_001)]


@pytest.mark.parametrize(
    ("operation", "given", "path"),
    [
        ("DeployWorkflow", {"workflowId": "x"}, ["workflowId"]),
        ("DeployWorkflow", {"planId": "x"}, ["planId"]),
        ("DeployWorkflow", {"clusterId": "x"}, ["clusterId"]),
        ("DeployWorkflow", {"namespace": "A"}, ["namespace"]),
        ("DeployWorkflow", {"message": "m" * 2_001}, ["message"]),
        ("DeployWorkflow", {"message": "\x07"}, ["message"]),
        ("DeployWorkflow", {"idempotencyKey": ""}, ["idempotencyKey"]),
        ("DeployWorkflow", {"idempotencyKey": "k" * 129}, ["idempotencyKey"]),
        ("DeployWorkflow", {"idempotencyKey": "ä"}, ["idempotencyKey"]),
        ("DeployWorkflow", {"secretValues": MANY}, ["secretValues"]),
        ("DeployWorkflow", {"envValues": MANY}, ["envValues"]),
        (
            "DeployWorkflow",
            {"secretValues": [{"nodeId": "a b", "values": {}}]},
            ["secretValues", "0", "nodeId"],
        ),
        (
            "DeployWorkflow",
            {"secretValues": [{"nodeId": "a", "values": {"a/b": ""}}]},
            ["secretValues", "0", "values"],
        ),
        (
            "DeployWorkflow",
            {"envValues": [{"nodeId": "a", "values": {"1": ""}}]},
            ["envValues", "0", "values"],
        ),
        ("DeployWorkflow", {"adopt": [{"kind": "a b", "name": "a"}]}, ["adopt", "0", "kind"]),
        (
            "DeployWorkflow",
            {"takeOver": [{"kind": "Pod", "name": "A"}]},
            ["takeOver", "0", "name"],
        ),
        (
            "DeployWorkflow",
            {"replace": [{"kind": "Pod", "name": "a", "group": "-"}]},
            ["replace", "0", "group"],
        ),
        (
            "DeployWorkflow",
            {"adopt": [{"kind": "Pod", "name": "a", "namespace": ""}]},
            ["adopt", "0", "namespace"],
        ),
        ("PlanWorkflow", {"namespace": "-"}, ["namespace"]),
        ("PlanWorkflow", {"version": 0}, ["version"]),
        ("RollbackWorkflow", {"version": 0}, ["version"]),
        ("UndeployWorkflow", {"clusterId": "-"}, ["clusterId"]),
        ("UndeployWorkflow", {"idempotencyKey": "\n"}, ["idempotencyKey"]),
    ],
)
async def test_an_input_that_breaks_a_rule_is_refused_at_its_place(
    ask: Asker, operation: str, given: dict[str, Any], path: list[str]
) -> None:
    needed: dict[str, Any] = {"workflowId": new_id()}
    if operation == "RollbackWorkflow":
        needed["version"] = 1
    answer = await ask.one(operation, input=needed | given)
    assert (answer["__typename"], answer["path"]) == ("ValidationError", path)


async def test_a_run_to_cancel_is_named_by_an_id(ask: Asker) -> None:
    answer = await ask.one("CancelRun", input={"runId": "x"})
    assert (answer["__typename"], answer["path"]) == ("ValidationError", ["runId"])


@pytest.mark.parametrize("field", ["secretValues", "envValues"])
async def test_no_refusal_repeats_a_value(ask: Asker, field: str) -> None:
    """`raw` looks for it in the answer, the teardown of the test in its log and database."""
    hidden = secret("a secret value")
    node = {"nodeId": "web"}
    entries: list[Any] = [
        hidden,
        [hidden],
        [{**node, "values": hidden}],
        [{**node, "values": [hidden]}],
        [{**node, "values": {"A": [hidden]}}],
        [{**node, "values": {"A": hidden, "a b": hidden}}],
        [{**node, "value": {"A": hidden}}],
        [{**node, "values": {"A": hidden * 50_000}}],
        [{"nodeId": "a b", "values": {"A": hidden}}],
        [{**node, "values": {"A": hidden}}, {**node, "values": {"A": hidden}}],
    ]
    for entry in entries:
        given = {"workflowId": new_id(), field: entry}
        answer = await ask.raw("DeployWorkflow", input=given)
        failed = (answer["data"] or {}).get("deployWorkflow", {}).get("__typename")
        assert failed == "ValidationError" or answer["errors"]
    for literal in (f'"{hidden}"', f'["{hidden}"]', f'{{A: ["{hidden}"]}}'):
        document = f"""mutation {{ deployWorkflow(input: {{ workflowId: "{new_id()}",
            {field}: [{{ nodeId: "web", values: {literal} }}] }}) {{ __typename }} }}"""
        assert (await ask.raw(document))["errors"]


async def test_no_input_tells_its_values() -> None:
    from schema.deployment.inputs import EnvValuesInput, SecretValuesInput  # noqa: PLC0415
    from schema.deployment.mutations.deploy_workflow import DeployWorkflowInput  # noqa: PLC0415

    hidden = secret("a secret value")
    given = DeployWorkflowInput(
        workflow_id=new_id(),
        secret_values=[SecretValuesInput(node_id="a", values={"A": hidden})],
        env_values=[EnvValuesInput(node_id="a", values={"B": hidden})],
    )
    search("the input", repr(given) + repr(given.secret_values) + repr(given.env_values))
    draft = given.draft(RunKind.DEPLOY)
    search("the draft", repr(draft))
    assert draft.values == {"a": {"A": hidden, "B": hidden}}


async def test_what_is_agreed_to_reaches_the_draft() -> None:
    from schema.deployment.mutations.deploy_workflow import DeployWorkflowInput  # noqa: PLC0415

    given = DeployWorkflowInput.model_validate(
        {
            "workflow_id": new_id(),
            "adopt": [{"kind": "Service", "namespace": "shop", "name": "web"}],
            "take_over": [{"kind": "Deployment", "group": "apps", "name": "web"}],
            "replace": None,
            "delete_data": True,
        }
    )
    assert given.consents() == Consents(
        adopt=frozenset({("Service", "", "shop", "web")}),
        take_over=frozenset({("Deployment", "apps", "", "web")}),
        replace=frozenset(),
        delete_data=True,
    )


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
    members = {
        member.name
        for member in built.mutation_type.fields[mutation].type.of_type.types
    }
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
