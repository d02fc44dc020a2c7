"""Deploying, rolling back, undeploying: asked of the cluster first, so that a refusal is an answer.

Only what nothing stands in the way of any more writes secret values, and then becomes a run. From
the first value on the workflow is reserved for it, and what changes on the canvas comes after it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.documents.plans import PlanStore
from app.domain.deploying import DeployDraft, DeployRefused, PlanDraft
from app.domain.errors import ClusterError, ClusterFault, Conflict, NotFound
from app.domain.ids import Id
from app.domain.manifest import Identity
from app.domain.planning import Plan
from app.domain.problems import Severity
from app.domain.run import RunKind, WorkflowRun
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services.checking import Connect
from app.services.deploying import requests, values
from app.services.deploying.cancelling import Cancelling
from app.services.deploying.committing import Ledgers
from app.services.deploying.compiling import compiled
from app.services.deploying.planning import Made, Planning
from app.services.deploying.queueing import (
    Asked,
    KeyTaken,
    Preparing,
    Queue,
    active,
    changed_meanwhile,
)
from app.services.deploying.scrubbing import scrubbed
from app.services.deploying.values import Filled, Filling

_MOST_NAMED = 5
_FILL_SECONDS = 60.0
"""How long the secret values of a deploy may take to be written."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class Deployments:
    """What people do with workflows and clusters. What an actor may not see is NotFound."""

    def __init__(
        self,
        *,
        planning: Planning,
        plans: PlanStore,
        ledgers: Ledgers,
        connect: Connect,
        now: Callable[[], datetime],
    ) -> None:
        self._planning = planning
        self._aiming = planning.aiming
        self._plans = plans
        self._ledgers = ledgers
        self._connect = connect
        self._now = now
        self._queue = Queue(ledgers=ledgers, now=now)
        self._cancelling = Cancelling(aiming=planning.aiming, ledgers=ledgers, now=now)

    async def plan(self, actor: Actor, draft: PlanDraft) -> StoredPlan:
        """See `Planning.plan`."""
        return await self._planning.plan(actor, draft)

    async def cancel(self, actor: Actor, run_id: Id) -> WorkflowRun:
        """See `Cancelling.cancel`."""
        return await self._cancelling.cancel(actor, run_id)

    async def deploy(self, actor: Actor, draft: DeployDraft) -> WorkflowRun:
        """A new run, QUEUED; or what became of the first one with the same idempotency key.

        Raises NotFound (workflow, cluster, version, plan), Forbidden, Invalid, LimitExceeded,
        Conflict (another run, another key, what has moved since the plan), DeployRefused,
        ClusterError. None of them repeats a value.
        """
        with scrubbed(draft.values):
            return await self._run(actor, draft)

    async def _run(self, actor: Actor, draft: DeployDraft) -> WorkflowRun:
        requests.check(draft)
        if (before := await self._replayed(actor, draft)) is not None:
            return before
        try:
            return await self._deploy(actor, draft)
        except (Conflict, KeyTaken) as error:
            # The same request may have been faster, and be what is in the way.
            if isinstance(error, Preparing) and draft.idempotency_key is not None:
                await self._until_prepared(draft.workflow_id)
            if (before := await self._replayed(actor, draft)) is not None:
                return before
            raise

    async def _until_prepared(self, workflow_id: Id) -> None:
        """Waits for a deploy that is being prepared to be a run, or nothing."""
        pause, work = _FIRST_PAUSE, self._ledgers.work
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FILL_SECONDS):
                while await work.is_busy(workflow_id) and not await work.active_run(workflow_id):
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)

    async def _replayed(self, actor: Actor, draft: DeployDraft) -> WorkflowRun | None:
        """The run that the caller's idempotency key stands for, if its workflow is still the
        caller's to see. Raises NotFound, Conflict."""
        if draft.idempotency_key is None:
            return None
        found = await self._ledgers.runs.by_request(actor.id, draft.idempotency_key)
        if found is None:
            return None
        run, digest = found
        if digest != requests.digest_of_request(draft):
            raise Conflict(
                "This idempotency key came with another request before. Choose a new one.",
                path=["idempotencyKey"],
            )
        await self._aiming.workflow(actor, run.workflow_id)
        return run

    async def _deploy(self, actor: Actor, draft: DeployDraft) -> WorkflowRun:
        workflow = await self._aiming.workflow(actor, draft.workflow_id)
        stored = await self._stored(draft, workflow)
        aimed = requests.aimed(draft, stored)
        aim = await self._aiming.aim(actor, aimed, workflow)
        await self._check_idle(workflow.id)
        made = await self._planning.make(
            actor,
            aim,
            given=requests.names(draft),
            before=stored.plan if stored is not None else None,
        )
        if stored is not None:
            _check_same(stored.plan, made.plan)
        if made.plan.obstacles:
            raise DeployRefused(made.plan.obstacles, made.plan.missing_secret_keys)
        async with self._queue.reserved(actor, aim) as run_id:
            if await self._replayed(actor, draft) is not None:
                raise KeyTaken
            made = await self._settled(actor, aimed, made)
            key = draft.idempotency_key
            asked = Asked(
                run_id=run_id,
                made=made,
                filled=await self._fill(draft, made),
                message=draft.message,
                request=(key, requests.digest_of_request(draft)) if key is not None else None,
            )
            return await self._queue.add(actor, asked)

    async def _stored(self, draft: DeployDraft, workflow: Workflow) -> StoredPlan | None:
        """The plan that is to be deployed. Raises NotFound, Conflict."""
        if draft.plan_id is None:
            return None
        stored = await self._plans.get(draft.plan_id)
        if stored is None or stored.workflow_id != workflow.id:
            raise NotFound("plan", path=["planId"])
        if stored.expires_at <= self._now():
            raise Conflict("The plan has expired. Plan again.", path=["planId"])
        return stored

    async def _check_idle(self, workflow_id: Id) -> None:
        """Raises Conflict while the workflow has an active run."""
        run_id = await self._ledgers.work.active_run(workflow_id)
        if run_id is not None:
            raise active(run_id)

    async def _settled(self, actor: Actor, draft: PlanDraft, made: Made) -> Made:
        """The same plan for everything as it is now, if that comes to the same.

        Raises Conflict when it does not, and what `Aiming.aim` raises.
        """
        before = made.aim
        workflow = await self._aiming.workflow(actor, before.workflow.id)
        aim = await self._aiming.aim(actor, draft, workflow)
        if aim.inventory != before.inventory:
            raise changed_meanwhile()
        if workflow.revision == before.workflow.revision or before.kind is RunKind.UNDEPLOY:
            return made
        again = await compiled(aim.canvas, workflow=workflow, namespace=aim.namespace)
        same = (
            aim.cluster.id == before.cluster.id
            and aim.namespace == before.namespace
            and again.manifests == list(made.manifests)
            and not any(one.severity is Severity.ERROR for one in again.problems)
        )
        if not same:
            raise Conflict("The workflow was changed meanwhile. Plan again.")
        return replace(made, aim=replace(before, workflow=workflow, canvas=aim.canvas))

    async def _fill(self, draft: DeployDraft, made: Made) -> dict[Identity, Filled]:
        """Writes the secret values. Raises Conflict, ClusterError."""
        aim = made.aim
        known = aim.inventory.entries if aim.inventory is not None else []
        uids = {entry.key.identity: entry.uid for entry in known}
        planned = {one.key.identity: one for one in made.plan.objects if one.values}
        fillings = [
            Filling(
                manifest=manifest,
                planned=planned[manifest.identity],
                values=_for(manifest.keys, draft, manifest.node_id),
                made=uids.get(manifest.identity),
                adopted=aim.consents.adopts(planned[manifest.identity].key),
            )
            for manifest in made.manifests
            if manifest.identity in planned
        ]
        if not fillings:
            return {}
        try:
            async with asyncio.timeout(_FILL_SECONDS), self._connect(aim.cluster) as client:
                return await values.fill(client, fillings, workflow_id=aim.workflow.id)
        except TimeoutError:
            raise ClusterError(
                ClusterFault.TIMED_OUT,
                f"The cluster did not take all secret values within {round(_FILL_SECONDS)} s. Send "
                "them once more.",
            ) from None


def _for(keys: tuple[str, ...], draft: DeployDraft, node_id: str) -> dict[str, str]:
    given = draft.values.get(node_id, {})
    return {name: given[name] for name in keys if name in given}


def _check_same(planned: Plan, now: Plan) -> None:
    """Raises Conflict when something has moved since it was planned."""
    moved = planned.conflicts_with(now)
    if moved:
        more = f" And {len(moved) - _MOST_NAMED} more." if len(moved) > _MOST_NAMED else ""
        told = " ".join(moved[:_MOST_NAMED])
        raise Conflict(
            f"The plan does not hold any more. {told}{more} Plan again.", path=["planId"]
        )
