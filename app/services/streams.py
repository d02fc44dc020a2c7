"""Live streams: a snapshot, then every change, each once and in order, on any replica."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.errors import Invalid, NotFound
from app.domain.events import (
    Gap,
    WorkflowEdited,
    WorkflowSnapshot,
    workflow_stream,
)
from app.domain.ids import Id
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.realtime.hub import Hub
from app.services.telling import edited_of

WorkflowStreamEvent = WorkflowSnapshot | WorkflowEdited | Gap


class Streams:
    """What people can watch."""

    def __init__(self, *, hub: Hub, workflows: WorkflowStore) -> None:
        self._hub = hub
        self._workflows = workflows

    async def workflow_changed(
        self, actor: Actor, workflow_id: Id, *, after: int | None = None
    ) -> AsyncGenerator[WorkflowStreamEvent, None]:
        """A snapshot, then every change. With `after`, the changes behind that seq instead.

        Ends when the workflow is deleted. Raises NotFound when the caller may not see it. A reader
        that fell behind, or whose `after` is gone, gets a Gap and a fresh snapshot.
        """
        if after is not None and after < 0:
            raise Invalid.field(["after"], "Send the seq of an event that you have, 0 or more.")
        workflow = await self._visible(actor, workflow_id)
        seq = after
        while True:
            if seq is None or seq > workflow.seq:
                yield WorkflowSnapshot(seq=workflow.seq, workflow=workflow)
                seq = workflow.seq
            async with aclosing(
                self._hub.events(workflow_stream(workflow_id), after=seq)
            ) as events:
                async for event in events:
                    if isinstance(event, Gap):
                        workflow = await self._visible(actor, workflow_id)
                        yield Gap(from_seq=seq + 1, to_seq=workflow.seq)
                        seq = None
                        break
                    edited = edited_of(event)
                    yield edited
                    seq = event.seq
                    if edited.workflow.deleted_at is not None:
                        return

    async def _visible(self, actor: Actor, workflow_id: Id) -> Workflow:
        workflow = await self._workflows.get(workflow_id)
        if (
            workflow is None
            or workflow.deleted_at is not None
            or not policy.sees_workflow(actor, workflow)
        ):
            raise NotFound("workflow")
        return workflow
