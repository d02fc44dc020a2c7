"""Plans: what a deploy, a rollback or an undeploy would do, asked of the cluster as it is now."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.documents.database import new_id
from app.documents.plans import PlanStore
from app.domain import policy
from app.domain.deploying import PlanDraft
from app.domain.errors import ClusterError, ClusterFault
from app.domain.manifest import Manifest
from app.domain.planning import InventoryEntry, Plan, Question, leftovers, make_plan
from app.domain.planning.shortening import shortened
from app.domain.problems import Problem
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor
from app.kube.client import KubeClient
from app.services.checking import Connect
from app.services.deploying import permissions
from app.services.deploying.aiming import Aim, Aiming, check_earlier
from app.services.deploying.compiling import beside, compiled
from app.services.deploying.confirming import confirm
from app.services.deploying.faults import is_of_the_cluster
from app.services.deploying.observing import look_at_left, observe

_PATIENCE = 120.0
"""Seconds that a cluster has to answer everything that a plan asks."""

Given = Mapping[str, Collection[str]]
"""Names of secret values by the id of their node."""


@dataclass(frozen=True, slots=True)
class Made:
    """A plan with what it was made of. The plan shows everything.

    `of_cluster` are the kinds, by API version, of which objects belong to the whole cluster.
    """

    aim: Aim
    manifests: Sequence[Manifest]
    plan: Plan
    of_cluster: frozenset[tuple[str, str]]


class Planning:
    """Makes plans. `seconds` is how long one can be deployed."""

    def __init__(
        self,
        *,
        aiming: Aiming,
        plans: PlanStore,
        connect: Connect,
        at_once: int,
        seconds: int,
        now: Callable[[], datetime],
    ) -> None:
        self.aiming = aiming
        self._plans = plans
        self._connect = connect
        self._at_once = at_once
        self._seconds = seconds
        self._now = now

    async def plan(self, actor: Actor, draft: PlanDraft) -> StoredPlan:
        """A plan to look at, kept for a while so that exactly it can be deployed.

        Raises NotFound, Forbidden, Invalid, Conflict (nothing to undeploy), ClusterError.
        """
        workflow = await self.aiming.workflow(actor, draft.workflow_id)
        aim = await self.aiming.aim(actor, draft, workflow)
        made = await self.make(actor, aim)
        now = self._now()
        stored = StoredPlan(
            id=new_id(),
            workflow_id=workflow.id,
            cluster_id=aim.cluster.id,
            namespace=aim.namespace,
            revision=workflow.revision,
            kind=aim.kind,
            version=aim.version,
            consents=aim.consents,
            plan=shortened(made.plan),
            created_by=actor.id,
            created_at=now,
            expires_at=now + timedelta(seconds=self._seconds),
        )
        await self._plans.insert(stored)
        return stored

    async def make(
        self, actor: Actor, aim: Aim, *, given: Given | None = None, before: Plan | None = None
    ) -> Made:
        """The plan of an aim, with the secret values of these names.

        `before` is a plan of it that somebody looked at: it is that one, as long as it holds.
        Raises Forbidden and ClusterError.
        """
        made = await compiled(aim.canvas, workflow=aim.workflow, namespace=aim.namespace)
        inventory = tuple(aim.inventory.entries) if aim.inventory is not None else ()
        left = leftovers(inventory, made.manifests)
        looking = _Looking(actor, aim, made.manifests, left, self._at_once, self._now())
        question = Question(
            workflow_id=aim.workflow.id,
            inventory=inventory,
            given=given or {},
            consents=aim.consents,
        )
        looking.check_namespaces()
        try:
            async with asyncio.timeout(_PATIENCE), self._connect(aim.cluster) as client:
                of_cluster = await looking.of_cluster(client)
                plan = before and await looking.confirm(client, question, before, made.problems)
                if plan is None:
                    plan = await looking.plan(client, question, made.problems)
        except TimeoutError:
            raise ClusterError(
                ClusterFault.TIMED_OUT,
                f"The cluster did not answer everything within {round(_PATIENCE)} s. Try again.",
            ) from None
        return Made(aim, made.manifests, plan, of_cluster)


@dataclass(frozen=True, slots=True)
class _Looking:
    """One look at a cluster for a plan."""

    actor: Actor
    aim: Aim
    manifests: Sequence[Manifest]
    left: Sequence[InventoryEntry]
    at_once: int
    now: datetime

    def check_namespaces(self) -> None:
        """Raises Forbidden when something is where the caller may not deploy."""
        self._enforce({manifest.namespace for manifest in self.manifests})
        left = {entry.key.namespace for entry in self.left}
        check_earlier(self.actor, self.aim.cluster, left, now=self.now)

    async def of_cluster(self, client: KubeClient) -> frozenset[tuple[str, str]]:
        """The kinds that the cluster says belong to the whole of it. Raises Forbidden when they are
        not the caller's to deploy, and ClusterError.

        It takes an object of the whole cluster that names a namespace, and forgets the name: who is
        held to namespaces must not reach further by that.
        """
        is_held = bool(policy.namespaces_of(self.actor, self.aim.cluster, now=self.now))
        kinds = {(manifest.api_version, manifest.kind) for manifest in self.manifests}
        kinds |= {(entry.key.api_version, entry.key.kind) for entry in self.left}
        found: set[tuple[str, str]] = set()
        for api_version, kind in sorted(kinds):
            try:
                resource = await client.resources.find(api_version, kind)
            except ClusterError as error:
                # What is not known of a single kind stands in the way of its objects later.
                if error.fault is ClusterFault.NOT_FOUND:
                    continue
                if is_held or is_of_the_cluster(error):
                    raise
                continue
            if not resource.namespaced:
                self._enforce({None})
                found.add((api_version, kind))
        return frozenset(found)

    def _enforce(self, namespaces: set[str | None]) -> None:
        policy.deploys_in(self.actor, self.aim.cluster, namespaces, now=self.now).enforce()

    async def confirm(
        self, client: KubeClient, question: Question, plan: Plan, problems: Sequence[Problem]
    ) -> Plan | None:
        """See `confirming.confirm`."""
        return await confirm(
            client,
            plan,
            self.manifests,
            self.left,
            question,
            problems=problems,
            at_once=self.at_once,
        )

    async def plan(
        self, client: KubeClient, question: Question, problems: Sequence[Problem]
    ) -> Plan:
        """What comes of what the cluster answers. Raises ClusterError."""
        try:
            async with asyncio.TaskGroup() as group:
                observed = group.create_task(observe(client, self.manifests, at_once=self.at_once))
                left = group.create_task(
                    look_at_left(
                        client, self.left, workflow_id=question.workflow_id, at_once=self.at_once
                    )
                )
                may_all = group.create_task(permissions.may_do_everything(client))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        seen, there = observed.result(), left.result()
        plan = await beside(
            len(seen) + len(there), lambda: make_plan(seen, question, left=there, problems=problems)
        )
        return plan if may_all.result() else await _with_rights(client, plan)


async def _with_rights(client: KubeClient, plan: Plan) -> Plan:
    """The plan with the rights that are missing among its problems."""
    lacking = await permissions.missing(client, plan)
    problems = sorted((*plan.problems, *lacking), key=lambda one: one.severity.rank)
    return replace(plan, problems=tuple(problems))
