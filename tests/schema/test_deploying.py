"""Planning and deploying through the API, on a sandbox cluster, without a worker: runs stay queued.

What a run does then is in `tests/kubernetes/test_deploying.py`.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.documents.database import new_id
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from tests.asking import Asker, asker
from tests.deploying import There, demo_values, on_sandbox, published
from tests.secrecy import secret

REFUSED = """mutation ($input: DeployWorkflowInput!) { deployWorkflow(input: $input) { __typename
  ... on UserError { code message path }
  ... on DeployRefused { problems { code nodeId severity } missingSecretKeys { nodeId keys } }
} }"""


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as cluster:
        yield cluster


@pytest.fixture
async def shop(services: Services, owner: Actor, there: There) -> Workflow:
    """The demo application."""
    return await published(services, owner, there)


def given_values() -> dict[str, Any]:
    """The values of the demo application, as the front end sends them."""
    values = demo_values()
    return {
        "secretValues": [{"nodeId": "credentials", "values": values["credentials"]}],
        "envValues": [{"nodeId": "web", "values": values["web"]}],
    }


async def planned(ask: Asker, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await ask.one("PlanWorkflow", input=given)
    assert answer["__typename"] == "PlanWorkflowPayload", answer
    plan: dict[str, Any] = answer["plan"]
    return plan


async def deployed(ask: Asker, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await ask.one("DeployWorkflow", input=given)
    assert answer["__typename"] == "DeployWorkflowPayload", answer
    run: dict[str, Any] = answer["run"]
    return run


async def test_a_plan_tells_what_a_deploy_would_do(ask: Asker, shop: Workflow) -> None:
    plan = await planned(ask, workflowId=shop.id)
    assert plan["summary"] == {
        "create": len(plan["objects"]),
        "update": 0,
        "replace": 0,
        "delete": 0,
        "unchanged": 0,
    }
    assert {one["action"] for one in plan["objects"]} == {"CREATE"}
    assert {one["namespace"] for one in plan["objects"]} == {"shop"}
    missing = sorted(plan["missingSecretKeys"], key=lambda each: str(each["nodeId"]))
    assert missing == [
        {"nodeId": "credentials", "keys": ["api-token"]},
        {"nodeId": "web", "keys": ["DATABASE_PASSWORD"]},
    ]
    again = await ask.one("query ($id: ID!) { plan(id: $id) { hash } }", id=plan["id"])
    assert again == {"hash": plan["hash"]}


async def test_what_stands_in_the_way_is_data(ask: Asker, shop: Workflow) -> None:
    answer = await ask.one(REFUSED, input={"workflowId": shop.id})
    assert (answer["__typename"], answer["code"]) == ("DeployRefused", "DEPLOY_REFUSED")
    assert {each["code"] for each in answer["problems"]} == {"SECRET_VALUES_MISSING"}
    assert sorted(each["nodeId"] for each in answer["missingSecretKeys"]) == ["credentials", "web"]


async def test_a_deploy_is_a_queued_run_that_everything_shows(
    services: Services, owner: Actor, ask: Asker, shop: Workflow, there: There
) -> None:
    plan = await planned(ask, workflowId=shop.id)
    run = await deployed(
        ask, workflowId=shop.id, planId=plan["id"], message="the first", **given_values()
    )
    assert (run["status"], run["version"], run["message"]) == ("QUEUED", 1, "the first")
    assert (run["namespace"], run["cluster"]["id"]) == ("shop", there.known.id)
    assert {node["state"] for node in run["nodeStates"]} == {"PENDING"}
    assert {node["nodeId"] for node in run["nodeStates"]} == set(shop.nodes)
    assert await ask.one("Run", id=run["id"]) == run
    page = await ask.one("Runs", id=shop.id, first=5, after=None)
    assert [edge["node"] for edge in page["runs"]["edges"]] == [run]
    assert page["liveVersion"] is None
    (version,) = (await ask.one("Versions", id=shop.id, first=5))["versions"]["edges"]
    assert version["node"]["automatic"] is True
    assert version["node"]["run"] == {"id": run["id"], "status": "QUEUED"}


async def test_one_run_at_a_time_and_a_key_that_answers_the_same_run(
    ask: Asker, shop: Workflow
) -> None:
    given = {"workflowId": shop.id, "idempotencyKey": "press 1", **given_values()}
    run = await deployed(ask, **given)
    assert await deployed(ask, **given) == run
    other = await ask.one("DeployWorkflow", input={**given, "message": "another"})
    assert (other["__typename"], other["path"]) == ("Conflict", ["idempotencyKey"])
    second = await ask.one("DeployWorkflow", input={**given, "idempotencyKey": "press 2"})
    assert second["__typename"] == "Conflict"
    assert run["id"] in second["message"]
    cancelled = await ask.one("CancelRun", input={"runId": run["id"]})
    assert (cancelled["__typename"], cancelled["run"]["status"]) == (
        "CancelRunPayload",
        "CANCELLED",
    )
    again = await ask.one("CancelRun", input={"runId": run["id"]})
    assert again["__typename"] == "Conflict"
    assert (await deployed(ask, **given))["status"] == "CANCELLED"


async def test_a_plan_that_does_not_hold_any_more_is_a_conflict(
    ask: Asker, shop: Workflow, there: There
) -> None:
    plan = await planned(ask, workflowId=shop.id)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    await there.api.made(settings)
    given = {"workflowId": shop.id, "planId": plan["id"], **given_values()}
    answer = await ask.one("DeployWorkflow", input=given)
    assert (answer["__typename"], answer["path"]) == ("Conflict", ["planId"])
    assert "settings" in answer["message"]
    refused = await ask.one(REFUSED, input={"workflowId": shop.id, **given_values()})
    assert [each["code"] for each in refused["problems"]] == ["NOT_OWNED"]
    adopted = {"kind": "ConfigMap", "namespace": "shop", "name": "settings"}
    run = await deployed(ask, workflowId=shop.id, adopt=[adopted], **given_values())
    actions = {one["name"]: one["action"] for node in run["nodeStates"] for one in node["objects"]}
    assert actions["settings"] == "UPDATE"


@pytest.mark.parametrize(
    ("operation", "given", "typename", "path"),
    [
        ("DeployWorkflow", {"planId": "0" * 24}, "NotFound", ["planId"]),
        ("DeployWorkflow", {"clusterId": "0" * 24}, "NotFound", ["clusterId"]),
        ("DeployWorkflow", {"workflowId": "0" * 24}, "NotFound", ["workflowId"]),
        ("RollbackWorkflow", {"version": 9}, "NotFound", ["version"]),
        ("UndeployWorkflow", {}, "Conflict", None),
        ("PlanWorkflow", {"kind": "ROLLBACK"}, "ValidationError", ["version"]),
        ("PlanWorkflow", {"version": 1}, "ValidationError", ["version"]),
        ("PlanWorkflow", {"kind": "UNDEPLOY"}, "Conflict", None),
        ("CancelRun", {"runId": "0" * 24}, "NotFound", ["runId"]),
    ],
)
async def test_what_cannot_be_done_says_why(
    *,
    ask: Asker,
    shop: Workflow,
    operation: str,
    given: dict[str, Any],
    typename: str,
    path: list[str] | None,
) -> None:
    needed = {} if operation == "CancelRun" else {"workflowId": shop.id}
    answer = await ask.one(operation, input=needed | given)
    assert (answer["__typename"], answer["path"]) == (typename, path)


async def test_a_draft_does_not_deploy(
    services: Services, owner: Actor, ask: Asker, shop: Workflow
) -> None:
    await services.workflows.archive(owner, shop.id)
    answer = await ask.one("PlanWorkflow", input={"workflowId": shop.id})
    assert answer["__typename"] == "Forbidden"
    can = "query ($id: ID!) { workflow(id: $id) { viewerCan { deploy { allowed reason } } } }"
    said = (await ask.one(can, id=shop.id))["viewerCan"]["deploy"]
    assert said == {"allowed": False, "reason": answer["message"]}


async def test_a_cluster_that_does_not_answer_is_told(
    services: Services, owner: Actor, ask: Asker
) -> None:
    async with on_sandbox(services, owner) as there:
        workflow = await published(services, owner, there)
    answer = await ask.one("PlanWorkflow", input={"workflowId": workflow.id})
    assert (answer["__typename"], answer["code"]) == ("ClusterUnreachable", "CLUSTER_UNREACHABLE")


async def test_a_stranger_finds_nothing_to_deploy_or_cancel(
    services: Services, stranger: Actor, ask: Asker, shop: Workflow
) -> None:
    run = await deployed(ask, workflowId=shop.id, **given_values())
    other = asker(services, stranger)
    for operation, given in (
        ("PlanWorkflow", {"workflowId": shop.id}),
        ("DeployWorkflow", {"workflowId": shop.id, **given_values()}),
        ("RollbackWorkflow", {"workflowId": shop.id, "version": 1}),
        ("UndeployWorkflow", {"workflowId": shop.id}),
        ("CancelRun", {"runId": run["id"]}),
    ):
        answer = await other.one(operation, input=given)
        assert answer["__typename"] == "NotFound", operation
    assert await ask.one("Run", id=run["id"]) == run


async def test_a_value_for_nothing_is_refused_and_not_repeated(ask: Asker, shop: Workflow) -> None:
    for given in (
        {"secretValues": [{"nodeId": "nobody", "values": {"key": secret("a value")}}]},
        {"envValues": [{"nodeId": "web", "values": {"UNKNOWN": secret("a value")}}]},
    ):
        answer = await ask.raw(REFUSED, input={"workflowId": shop.id, **given})
        assert answer["data"]["deployWorkflow"]["__typename"] == "DeployRefused"


async def test_detecting_drift_of_what_is_not_there(ask: Asker) -> None:
    document = """mutation ($id: ID!) { detectDrift(input: { workflowId: $id }) {
        __typename ... on UserError { path } } }"""
    answer = await ask.one(document, id=new_id())
    assert answer == {"__typename": "NotFound", "path": ["workflowId"]}
