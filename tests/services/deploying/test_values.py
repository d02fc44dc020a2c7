"""Secret values: where they come to be, what stays and what goes, and where they never are."""

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest

from app.domain.deploying import DeployDraft, DeployRefused, PlanDraft
from app.domain.editing import NodeDraft
from app.domain.errors import Conflict, LimitExceeded
from app.domain.planning import Consents, PlanAction
from app.domain.planning.objects import owner_labels
from app.domain.planning.secretkeys import VALUES_MANAGER
from app.domain.run import WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.deploying.deployments import Deployments
from app.services.deploying.values import check_size
from tests.deploying import There, demo_values, deployments, ledgers, parts, published
from tests.domain.drawing import deployment, node
from tests.kubernetes.asking import ok
from tests.secrecy import secret
from tests.services.deploying.byhand import carried_out
from tests.services.deploying.test_deploying import meanwhile


def vault(*keys: str, **more: Any) -> NodeDraft:
    data = {"name": "vault", "keys": [{"name": key} for key in keys]}
    return node("secret", "vault", **data | more)


@pytest.fixture
async def vaulted(services: Services, owner: Actor, there: There) -> Workflow:
    """A workflow of one Secret with two keys."""
    return await published(services, owner, there, nodes=[vault("a", "b")], edges=[])


def fresh(*keys: str) -> dict[str, str]:
    return {key: secret(f"the value of {key}") for key in keys}


def filled(workflow: Workflow, values: Mapping[str, str], **more: Any) -> DeployDraft:
    return DeployDraft(workflow.id, values={"vault": values}, **more)


async def data(there: There, name: str = "vault") -> dict[str, str]:
    """What is in a Secret on the cluster."""
    live = await there.api.read("Secret", name)
    return {key: b64decode(text).decode() for key, text in live.get("data", {}).items()}


async def redrawn(
    services: Services, owner: Actor, workflow: Workflow, *nodes: NodeDraft
) -> Workflow:
    found = await services.workflows.get(owner, workflow.id)
    assert found is not None
    return await services.workflows.save_canvas(
        owner, workflow.id, nodes, [], expected=found.revision
    )


def of(run: WorkflowRun) -> list[PlanAction]:
    return [one.action for each in run.nodes for one in each.objects]


async def test_values_are_in_the_cluster_before_the_run_is_queued(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    values = demo_values()
    await deploys.deploy(owner, DeployDraft(shop.id, values=values))
    live = await there.api.read("Secret", "credentials")
    assert await data(there, "credentials") == values["credentials"]
    assert live["metadata"]["labels"] == owner_labels(shop.id)
    assert {entry["manager"] for entry in live["metadata"]["managedFields"]} == {VALUES_MANAGER}
    inventory = await ledgers(services).inventories.get(shop.id, there.known.id)
    assert inventory is not None
    uids = {one.key.name: one.uid for one in inventory.entries}
    assert uids["credentials"] == live["metadata"]["uid"]
    [own] = [name for name in uids if name.startswith("env-")]
    assert await data(there, own) == values["web"]


async def test_values_come_with_a_plan_that_was_made_without_them(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    stored = await deploys.plan(owner, PlanDraft(vaulted.id))
    values = fresh("a", "b")
    run = await deploys.deploy(owner, filled(vaulted, values, plan_id=stored.id))
    assert await data(there) == values
    await carried_out(services, there, run)
    again = await deploys.plan(owner, PlanDraft(vaulted.id))
    other = fresh("b")
    run = await deploys.deploy(owner, filled(vaulted, other, plan_id=again.id))
    assert (again.plan.is_idle, of(run)) == (True, [PlanAction.UPDATE])
    assert await data(there) == values | other


async def test_keys_that_are_not_given_are_kept(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    first = fresh("a", "b")
    await carried_out(services, there, await deploys.deploy(owner, filled(vaulted, first)))
    second = fresh("a")
    run = await deploys.deploy(owner, filled(vaulted, second))
    assert of(run) == [PlanAction.UPDATE]
    await carried_out(services, there, run)
    assert await data(there) == first | second


async def test_the_same_values_write_nothing(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    values = fresh("a", "b")
    await carried_out(services, there, await deploys.deploy(owner, filled(vaulted, values)))
    before = await there.api.read("Secret", "vault")
    run = await deploys.deploy(owner, filled(vaulted, values))
    assert of(run) == [PlanAction.UNCHANGED]
    await carried_out(services, there, run)
    assert await there.api.read("Secret", "vault") == before


async def test_keys_that_left_the_canvas_go_without_any_value_given(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    values = fresh("a", "b")
    await carried_out(services, there, await deploys.deploy(owner, filled(vaulted, values)))
    ok(await there.api.patch("Secret", "vault", body={"stringData": {"theirs": "x"}}))
    await redrawn(services, owner, vaulted, vault("a"))
    run = await deploys.deploy(owner, DeployDraft(vaulted.id))
    assert of(run) == [PlanAction.UPDATE]
    assert await data(there) == {"a": values["a"], "theirs": "x"}


async def test_an_immutable_secret_is_made_anew_for_new_values_only(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    frozen = vault("a", "b", immutable=True)
    workflow = await published(services, owner, there, nodes=[frozen], edges=[])
    values = fresh("a", "b")
    await carried_out(services, there, await deploys.deploy(owner, filled(workflow, values)))
    before = await there.api.read("Secret", "vault")
    assert before["immutable"] is True

    same = await deploys.deploy(owner, filled(workflow, values))
    assert of(same) == [PlanAction.UNCHANGED]
    await carried_out(services, there, same)
    assert await there.api.read("Secret", "vault") == before

    with pytest.raises(DeployRefused) as refused:
        await deploys.deploy(owner, filled(workflow, fresh("a")))
    assert [one.keys for one in refused.value.missing] == [("b",)]
    assert await there.api.read("Secret", "vault") == before

    other = fresh("a", "b")
    run = await deploys.deploy(owner, filled(workflow, other))
    assert of(run) == [PlanAction.REPLACE]
    made = await there.api.read("Secret", "vault")
    assert made["metadata"]["uid"] != before["metadata"]["uid"]
    await carried_out(services, there, run)
    live = await there.api.read("Secret", "vault")
    assert (live["metadata"]["uid"], live["immutable"]) == (made["metadata"]["uid"], True)
    assert await data(there) == other


async def test_a_secret_of_another_type_is_made_anew_with_its_values(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    await carried_out(
        services, there, await deploys.deploy(owner, filled(vaulted, fresh("a", "b")))
    )
    keys = vault("tls.crt", "tls.key", secret_type="kubernetes.io/tls")
    await redrawn(services, owner, vaulted, keys)
    values = fresh("tls.crt", "tls.key")
    run = await deploys.deploy(owner, filled(vaulted, values))
    assert of(run) == [PlanAction.REPLACE]
    await carried_out(services, there, run)
    assert await data(there) == values


async def test_somebody_elses_secret_gets_no_value_unless_it_is_adopted(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"}}
    await there.api.made({**theirs, "stringData": {"c": "theirs"}})
    values = fresh("a", "b")
    with pytest.raises(DeployRefused, match="was not made by this workflow"):
        await deploys.deploy(owner, filled(vaulted, values))
    assert await data(there) == {"c": "theirs"}
    adopting = filled(vaulted, values, consents=Consents(adopt=True))
    await carried_out(services, there, await deploys.deploy(owner, adopting))
    assert await data(there) == values | {"c": "theirs"}


async def test_a_secret_that_somebody_makes_meanwhile_is_left_alone(
    services: Services, owner: Actor, there: There, vaulted: Workflow
) -> None:
    async def take() -> None:
        await there.api.made({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"}})

    connect = meanwhile(parts(services).connect, take)
    with pytest.raises(Conflict, match="made by somebody else meanwhile"):
        await deployments(services, connect=connect).deploy(owner, filled(vaulted, fresh("a", "b")))
    assert await data(there) == {}
    assert await ledgers(services).runs.count(vaulted.id) == 0


async def test_one_secret_that_may_not_be_written_keeps_all_others_as_they_are(
    services: Services, owner: Actor, there: There
) -> None:
    others = node("secret", "other", name="other", keys=[{"name": "c"}])
    workflow = await published(services, owner, there, nodes=[vault("a"), others], edges=[])

    async def take() -> None:
        await there.api.made({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}})

    connect = meanwhile(parts(services).connect, take)
    draft = DeployDraft(workflow.id, values={"vault": fresh("a"), "other": fresh("c")})
    with pytest.raises(Conflict, match="/other was made by somebody else"):
        await deployments(services, connect=connect).deploy(owner, draft)
    assert (await there.api.get("Secret", "vault")).status_code == 404


async def test_values_find_their_way_when_others_write_at_the_same_time(
    services: Services, owner: Actor, there: There, vaulted: Workflow
) -> None:
    """Two deploys of one workflow race, and somebody labels its Secret; one of them is the run."""
    deploys = deployments(services)
    first, second = fresh("a", "b"), fresh("a", "b")

    async def labels() -> None:
        for number in range(10):
            body = {"metadata": {"labels": {"theirs": str(number)}}}
            await there.api.patch("Secret", "vault", body=body)

    answers = await asyncio.gather(
        deploys.deploy(owner, filled(vaulted, first)),
        deploys.deploy(owner, filled(vaulted, second)),
        labels(),
        return_exceptions=True,
    )
    [won] = [n for n, one in enumerate(answers) if isinstance(one, WorkflowRun)]
    assert await data(there) == (first, second)[won]


async def test_what_is_too_large_is_refused_before_anything_is_asked(
    services: Services, deploys: Deployments, owner: Actor, there: There, vaulted: Workflow
) -> None:
    half = "ü" * 2**18
    check_size({"vault": {"a": half, "b": half}})
    with pytest.raises(LimitExceeded, match="a Secret holds 1048576") as refused:
        await deploys.deploy(owner, filled(vaulted, {"a": half, "b": f"{half}x"}))
    assert refused.value.limit == 2**20
    assert await ledgers(services).runs.count(vaulted.id) == 0


async def test_environment_variables_are_kept_by_a_redeploy_without_values(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    web = deployment("web", env_keys=[{"id": "password", "name": "PASSWORD"}])
    workflow = await published(services, owner, there, nodes=[web], edges=[])
    values = {"web": fresh("PASSWORD")}
    first = await deploys.deploy(owner, DeployDraft(workflow.id, values=values))
    await carried_out(services, there, first)
    assert (await deploys.plan(owner, PlanDraft(workflow.id))).plan.is_idle
    [own] = ok(await there.api.get("Secret"))["items"]
    assert await data(there, own["metadata"]["name"]) == values["web"]
    live = await there.api.read("Deployment", "web")
    [container] = live["spec"]["template"]["spec"]["containers"]
    [variable] = container["env"]
    assert variable["valueFrom"]["secretKeyRef"]["name"] == own["metadata"]["name"]
