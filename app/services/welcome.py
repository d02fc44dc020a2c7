"""How long somebody may go on watching what hangs on a workflow.

A stream of a run, of live status or of logs tells nothing of the workflow itself. That it was
deleted, or is not the caller's to see any more, is told by the workflow's own stream.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.events import EndReason, Gap, workflow_stream
from app.domain.ids import Id
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling

log = structlog.get_logger("kubeorch.streams")


class Welcome:
    """Knows who may watch, and tells when they may not any more."""

    def __init__(self, *, hub: Hub, workflows: WorkflowStore) -> None:
        self._hub = hub
        self._workflows = workflows

    async def workflow(self, actor: Actor, workflow_id: Id) -> WorkflowRow | None:
        """The workflow, unless it is deleted or not the caller's to see."""
        for row in await self._workflows.rows([workflow_id]):
            if _end(actor, row) is None:
                return row
        return None

    @asynccontextmanager
    async def lasting(
        self, actor: Actor, workflow: WorkflowRow, *, until: Ending
    ) -> AsyncIterator[Ending]:
        """An ending within `until`: it says too when `workflow` is gone for the caller.

        `workflow` is as `workflow()` answered it.
        """
        ending = Ending(within=until)
        task = asyncio.create_task(self._watch(actor, workflow, ending))
        try:
            yield ending
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, actor: Actor, workflow: WorkflowRow, ending: Ending) -> None:
        seq: int | None = workflow.seq
        try:
            while seq is not None and ending.reason is None:
                seq = await self._follow(actor, workflow.id, seq, ending)
        except Exception:
            # Whoever cannot be told that it is over must not go on watching.
            log.exception("the workflow cannot be watched", workflow_id=str(workflow.id))
            ending.say(EndReason.ACCESS_REVOKED)

    async def _follow(self, actor: Actor, workflow_id: Id, seq: int, ending: Ending) -> int | None:
        """Until it has ended, or events are missing: then the number to go on after."""
        events = self._hub.events(
            workflow_stream(workflow_id),
            after=seq,
            falling=Falling.BACK_TO_THE_COLLECTION,
            until=ending,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Gap):
                    now = await self.workflow(actor, workflow_id)
                    if now is None:
                        ending.say(EndReason.ACCESS_REVOKED)
                    return now.seq if now is not None else None
                reason = _end(actor, WorkflowRow.model_validate(event.payload["workflow"]))
                if reason is not None:
                    ending.say(reason)
                    return None
        return None


def _end(actor: Actor, workflow: WorkflowRow) -> EndReason | None:
    """Why the caller may not watch; None when they may."""
    if not policy.sees_workflow(actor, workflow):
        return EndReason.ACCESS_REVOKED
    return EndReason.DELETED if workflow.deleted_at is not None else None
