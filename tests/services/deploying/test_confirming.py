"""A plan that was looked at is held against the cluster: quicker than planning anew, not laxer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.deploying import DeployDraft, PlanDraft
from app.domain.editing import AddEdge, AddNode, EdgeDraft, RemoveNode, UpdateNode
from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import Consents, Plan, PlanAction
from app.domain.problems import Severity
from app.domain.run import RunKind
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import Answer, Request
from app.services import Services
from app.services.deploying import requests
from app.services.deploying.deployments import Deployments
from tests.deploying import There, deployments, parts, published
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import ok
from tests.secrecy import secret
from tests.services.deploying.byhand import carried_out
from tests.services.deploying.working import Wire

WORDS = node("configmap", "words", name="words", data={"a": "1"})
MORE = node("configmap", "more", name="more", data={"b": "1"})
FRONT = service("front", name="front")
KEY = node("secret", "key", name="key", keys=[{"name": "token"}])
NODES = (WORDS, MORE, FRONT, KEY)
REWORDED = UpdateNode("words", node("configmap", "words", name="words", data={"a": "2"}).data)


@dataclass
class Stage:
    """A workflow that is deployed, and how its plans are made; `asked` are its dry runs, by the
    names of the kinds."""

    services: Services
    owner: Actor
    there: There
    workflow: Workflow
    deploys: Deployments
    asked: list[str]

    async def edit(self, *changes: Any) -> None:
        self.workflow = await self.services.workflows.edit(
            self.owner, self.workflow.id, list(changes), expected=self.workflow.revision
        )

    async def plan(self, **draft: Any) -> StoredPlan:
        return await self.deploys.plan(self.owner, PlanDraft(self.workflow.id, **draft))

    async def made(
        self, stored: StoredPlan, *, given: Mapping[str, list[str]] | None = None, **draft: Any
    ) -> tuple[Plan, Plan]:
        """The plan as it is confirmed or made anew, and as it is made without the one before."""
        planning = self.deploys._planning
        order = DeployDraft(self.workflow.id, kind=stored.kind, plan_id=stored.id, **draft)
        aim = await planning.aiming.aim(self.owner, requests.aimed(order, stored), self.workflow)
        self.asked.clear()
        held = await planning.make(self.owner, aim, given=given, before=stored.plan)
        dry_runs = list(self.asked)
        anew = await planning.make(self.owner, aim, given=given)
        self.asked[:] = dry_runs
        return held.plan, anew.plan


@pytest.fixture
async def stage(services: Services, owner: Actor, there: There) -> Stage:
    workflow = await published(services, owner, there, nodes=NODES, edges=[])
    wire, asked = Wire(parts(services).connect), []

    async def answers(request: Request, go_on: Callable[[], Awaitable[Answer]]) -> Answer:
        if "dryRun" in request.params:
            asked.append(request.path.split("/")[-2])
        return await go_on()

    wire.answers = answers
    deploys = deployments(services, connect=wire.connect)
    found = Stage(services, owner, there, workflow, deploys, asked)
    values = {"key": {"token": secret("a value")}}
    run = await deploys.deploy(owner, DeployDraft(workflow.id, values=values))
    await carried_out(services, there, run)
    return found


def essence(plan: Plan) -> object:
    """What a deploy does, and what forbids it."""
    return (
        plan.hash,
        [
            (one.key, one.action, one.uid, one.values, one.force, one.replicas)
            for one in plan.objects
        ],
        plan.missing_secret_keys,
        {one for one in plan.problems if one.severity is Severity.ERROR},
        plan.kept,
    )


async def test_what_has_not_moved_is_not_asked_for_again(stage: Stage) -> None:
    await stage.edit(
        REWORDED, RemoveNode("more"), AddNode(node("configmap", "new", name="new", data={"c": ""}))
    )
    stored = await stage.plan()
    assert {one.action for one in stored.plan.objects} == {
        PlanAction.CREATE,
        PlanAction.UPDATE,
        PlanAction.DELETE,
        PlanAction.UNCHANGED,
    }
    held, anew = await stage.made(stored)
    assert stage.asked == ["secrets"]
    assert essence(held) == essence(anew)
    assert held.hash == stored.plan.hash
    run = await stage.deploys.deploy(stage.owner, DeployDraft(stage.workflow.id, plan_id=stored.id))
    await carried_out(stage.services, stage.there, run)
    assert (await stage.there.api.read("ConfigMap", "words"))["data"] == {"a": "2"}
    assert (await stage.there.api.get("ConfigMap", "more")).status_code == 404


async def live_changes(stage: Stage) -> None:
    ok(await stage.there.api.patch("ConfigMap", "words", body={"data": {"a": "9"}}))


async def live_goes(stage: Stage) -> None:
    ok(await stage.there.api.delete("ConfigMap", "words"))


async def live_is_made_anew(stage: Stage) -> None:
    before = await stage.there.api.read("ConfigMap", "words")
    await live_goes(stage)
    named = {name: before["metadata"][name] for name in ("name", "labels")}
    await stage.there.api.made({**before, "metadata": named})


async def new_comes(stage: Stage) -> None:
    metadata = {"name": "new"}
    await stage.there.api.made({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


async def left_over_changes(stage: Stage) -> None:
    ok(await stage.there.api.patch("ConfigMap", "more", body={"data": {"b": "9"}}))


async def left_over_goes(stage: Stage) -> None:
    ok(await stage.there.api.delete("ConfigMap", "more"))


async def canvas_changes(stage: Stage) -> None:
    await stage.edit(UpdateNode("new", node("configmap", "new", name="new", data={"c": "9"}).data))


async def canvas_loses_one(stage: Stage) -> None:
    await stage.edit(RemoveNode("front"))


async def secret_goes(stage: Stage) -> None:
    ok(await stage.there.api.delete("Secret", "key"))


async def secret_is_another(stage: Stage) -> None:
    await secret_goes(stage)
    helm = {"name": "key", "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    await stage.there.api.made({"apiVersion": "v1", "kind": "Secret", "metadata": helm})


MOVES = (
    live_changes,
    live_goes,
    live_is_made_anew,
    new_comes,
    left_over_changes,
    left_over_goes,
    canvas_changes,
    canvas_loses_one,
    secret_goes,
    secret_is_another,
)


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
async def test_what_has_moved_is_planned_anew(
    stage: Stage, move: Callable[[Stage], Awaitable[None]]
) -> None:
    await stage.edit(
        REWORDED, RemoveNode("more"), AddNode(node("configmap", "new", name="new", data={"c": ""}))
    )
    stored = await stage.plan()
    await move(stage)
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert held.hash != stored.plan.hash


@pytest.mark.parametrize("given", [{"key": ["token"]}, {"key": ["other"]}, {"front": ["token"]}])
async def test_values_come_with_the_deploy_and_not_with_the_plan(
    stage: Stage, given: Mapping[str, list[str]]
) -> None:
    stored = await stage.plan()
    held, anew = await stage.made(stored, given=given)
    assert essence(held) == essence(anew)
    assert held.hash == stored.plan.hash
    assert bool(held.obstacles) is (given != {"key": ["token"]})
    assert "configmaps" not in stage.asked


async def test_a_value_that_is_gone_is_missing(stage: Stage) -> None:
    stored = await stage.plan()
    assert stored.plan.missing_secret_keys == ()
    ok(await stage.there.api.patch("Secret", "key", body={"data": {"token": None}}))
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert [one.keys for one in held.missing_secret_keys] == [("token",)]


async def test_a_plan_that_something_stands_in_the_way_of_is_made_anew(stage: Stage) -> None:
    await new_comes(stage)
    await stage.edit(AddNode(node("configmap", "new", name="new", data={"c": ""})))
    stored = await stage.plan()
    assert [one.code for one in stored.plan.obstacles] == ["NOT_OWNED"]
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    held, anew = await stage.made(stored, consents=Consents(adopt=True))
    assert essence(held) == essence(anew)
    assert held.obstacles == ()


@pytest.mark.parametrize("id_", ["a-twin", "z-twin"])
async def test_what_is_wrong_with_the_canvas_by_now_is_told(stage: Stage, id_: str) -> None:
    """Though it may come to the same objects."""
    stored = await stage.plan()
    await stage.edit(AddNode(node("configmap", id_, name="words", data={"a": "1"})))
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert [one.code for one in held.obstacles] == ["NAME_TAKEN"]


async def test_somebody_who_takes_a_field_is_told_though_its_value_is_the_same(
    stage: Stage,
) -> None:
    await stage.edit(REWORDED)
    stored = await stage.plan()
    api = stage.there.api
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}}
    ok(await api.apply({**theirs, "data": {"a": "1"}}, "them", force="true"))
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert [one.code for one in held.obstacles] == ["CONFLICT"]


async def test_replacements_hold(stage: Stage) -> None:
    await stage.edit(
        UpdateNode("front", FRONT.data.model_copy(update={"headless": True})),
    )
    stored = await stage.plan(consents=Consents(replace=True))
    assert PlanAction.REPLACE in {one.action for one in stored.plan.objects}
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert (held.hash, stage.asked) == (stored.plan.hash, ["secrets"])


async def test_an_undeploy_holds(stage: Stage) -> None:
    stored = await stage.plan(kind=RunKind.UNDEPLOY)
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert (held.hash, stage.asked) == (stored.plan.hash, [])
    await left_over_goes(stage)
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert held.hash != stored.plan.hash


async def test_a_number_of_pods_is_not_handed_over_that_is_not_ours_any_more(
    stage: Stage,
) -> None:
    """Another number is no other plan, and to write the one of the plan would stop pods."""
    await stage.edit(AddNode(deployment("web", replicas=2)))
    run = await stage.deploys.deploy(stage.owner, DeployDraft(stage.workflow.id))
    await carried_out(stage.services, stage.there, run)
    scaler = node("hpa", "scaler", name="web", min_replicas=2, max_replicas=9)
    await stage.edit(AddNode(scaler), AddEdge(EdgeDraft("scaler", "web", id="scaler-web")))
    stored = await stage.plan()
    [step] = [one.replicas for one in stored.plan.objects if one.replicas is not None]
    assert step.replicas == 2
    ok(await stage.there.api.patch("Deployment", "web", body={"spec": {"replicas": 5}}))
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert [one.replicas for one in held.objects if one.replicas is not None] == []


async def test_what_may_not_be_read_any_more_is_one_objects_problem(
    stage: Stage, services: Services
) -> None:
    stored = await stage.plan()
    wire = Wire(parts(services).connect)

    async def answers(request: Request, go_on: Callable[[], Awaitable[Answer]]) -> Answer:
        if "/configmaps" in request.path:
            raise ClusterError(ClusterFault.FORBIDDEN, "You may not.", status=403)
        return await go_on()

    wire.answers = answers
    stage.deploys = deployments(services, connect=wire.connect)
    held, anew = await stage.made(stored)
    assert essence(held) == essence(anew)
    assert {one.code for one in held.obstacles} == {"PERMISSION_MISSING"}
