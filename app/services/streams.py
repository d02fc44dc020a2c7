"""Live streams: what people can watch."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.errors import NotFound
from app.domain.events import (
    EndReason,
    Gap,
    StreamEnded,
    WorkflowEdited,
    WorkflowSnapshot,
    workflow_stream,
)
from app.domain.ids import Id
from app.domain.user import Actor
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.services.following import Following
from app.services.telling import edited_of

WorkflowStreamEvent = WorkflowSnapshot | WorkflowEdited | Gap | StreamEnded
"""What comes of `Streams.workflow_changed`."""


class Streams:
    """What people can watch. Each stream keeps the contract of `app.services.following`."""

    def __init__(self, *, hub: Hub, workflows: WorkflowStore, metrics: Metrics) -> None:
        self._workflows = workflows
        self._edits = Following[WorkflowSnapshot, WorkflowEdited](
            hub, metrics, read=edited_of, last=_deleted
        )

    async def workflow_changed(
        self, actor: Actor, workflow_id: Id, *, after: int | None = None, until: Ending
    ) -> AsyncGenerator[WorkflowStreamEvent, None]:
        """A workflow, then every change of it, until it is deleted.

        Raises NotFound when the caller may not see it, Invalid for a bad `after`.
        """

        async def snapshot() -> WorkflowSnapshot | None:
            workflow = await self._workflows.get(workflow_id)
            if workflow is None or workflow.deleted_at is not None:
                return None
            if not policy.sees_workflow(actor, workflow):
                return None
            return WorkflowSnapshot(seq=workflow.seq, workflow=workflow)

        first = await snapshot()
        if first is None:
            raise NotFound("workflow", path=["workflowId"])
        events = self._edits.follow(
            workflow_stream(workflow_id), snapshot, first=first, after=after, until=until
        )
        del first
        async with aclosing(events):
            async for event in events:
                yield event
                del event  # the snapshot would stay until the next one comes


def _deleted(edited: WorkflowEdited) -> EndReason | None:
    return EndReason.DELETED if edited.workflow.deleted_at is not None else None
