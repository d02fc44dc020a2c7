"""The stream of a run: how far it is, its log, and how it ended. It is finite."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.documents.runs import RunStore
from app.domain.errors import NotFound
from app.domain.events import Gap, StreamEnded
from app.domain.ids import Id
from app.domain.runevents import RunEvent, RunFinished, RunSnapshot, run_stream
from app.domain.user import Actor
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.following import Following
from app.services.runtelling import run_event_of
from app.services.welcome import Welcome

RunStreamEvent = RunSnapshot | RunEvent | Gap | StreamEnded
"""What comes of `RunStreams.run_progress`."""


class RunStreams:
    """What people can watch of runs. Each stream keeps the contract of `following`."""

    def __init__(self, *, hub: Hub, runs: RunStore, welcome: Welcome, metrics: Metrics) -> None:
        self._runs = runs
        self._welcome = welcome
        self._progress = Following[RunSnapshot, RunEvent](
            hub,
            metrics,
            read=run_event_of,
            finishes=lambda event: isinstance(event, RunFinished),
            finish=_finished,
            falling=Falling.BACK_TO_THE_COLLECTION,
        )

    async def run_progress(
        self, actor: Actor, run_id: Id, *, after: int | None = None, until: Ending
    ) -> AsyncGenerator[RunStreamEvent, None]:
        """A run, then all that happens in it, until it has ended: RunFinished is the last event.

        Ends before when its workflow is deleted, or not the caller's to see any more. Raises
        NotFound when the caller may not see it, Invalid for a bad `after`.
        """

        async def snapshot() -> RunSnapshot | None:
            run = await self._runs.get(run_id)
            if run is None:
                return None
            # What RunFinished tells is not in it: that event is still to come.
            return RunSnapshot(seq=max(run.seq - int(run.has_ended), 0), run=run)

        first = await snapshot()
        if first is None:
            raise NotFound("run", path=["runId"])
        workflow = await self._welcome.workflow(actor, first.run.workflow_id)
        if workflow is None:
            raise NotFound("run", path=["runId"])
        async with self._welcome.lasting(actor, workflow, until=until) as ending:
            events = self._progress.follow(
                run_stream(run_id), snapshot, first=first, after=after, until=ending
            )
            del first
            async with aclosing(events):
                async for event in events:
                    yield event


def _finished(snapshot: RunSnapshot) -> RunFinished | None:
    """The last event of a run that has ended."""
    run = snapshot.run
    if not run.has_ended:
        return None
    return RunFinished(
        stream=run_stream(run.id),
        seq=snapshot.seq + 1,
        at=run.completed_at or run.created_at,
        run=run,
    )
