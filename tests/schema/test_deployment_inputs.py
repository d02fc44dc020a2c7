"""What the API says of inputs of deploys that break rules, and that no secret is in it."""

from typing import Any

import pytest

from app.documents.database import new_id
from app.domain.planning import Consents
from app.domain.run import RunKind
from tests.asking import OPERATIONS, Asker
from tests.secrecy import search, secret

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
