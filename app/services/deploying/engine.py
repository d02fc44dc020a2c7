"""One run, from its claim to its end, whoever began it.

The process can die at any moment. What was done is marked, together with the events that tell of
it, and every step may be done twice; so another process goes on where this one was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from pymongo.errors import PyMongoError

from app.domain.errors import ClusterError
from app.domain.planning import Ended
from app.domain.run import RunStatus, WorkflowRun
from app.domain.runevents import LogLevel
from app.kube.informers import Informers
from app.realtime.hub import Hub
from app.services.checking import Connect
from app.services.deploying.allowance import Allowance
from app.services.deploying.committing import Ledgers
from app.services.deploying.course import Course
from app.services.deploying.lease import Lease
from app.services.deploying.loading import Job, Loading, Refused
from app.services.deploying.recording import Recorder
from app.services.deploying.sight import followed_kinds
from app.services.deploying.steps import Steps
from app.services.deploying.trying import Late, Left, Trying
from app.services.deploying.turns import Turn
from app.services.deploying.waiting import Waiting

log = structlog.get_logger("kubeorch.runs")

_Read = TypeVar("_Read")

_FRESH = 5.0
"""Seconds from asking for a run to its beginning in which nobody looks whether objects moved."""
_OUTAGE_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class RunPace:
    """How many runs of a process are at work at once, and objects of each; and in seconds, for how
    long it has a run to itself, a run may take, a node may be in trouble, and new pods have to stay
    ready.
    """

    at_once: int
    applies_at_once: int
    lease_seconds: float
    seconds: float
    trouble_seconds: float
    steady_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every run is done with."""

    ledgers: Ledgers
    loading: Loading
    connect: Connect
    informers: Informers
    hub: Hub
    pace: RunPace
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Outcome:
    ended: Ended
    is_applied: bool = False


class Engine:
    """Does one run, for as long as the lease lasts."""

    def __init__(self, lease: Lease, turn: Turn, means: Means) -> None:
        self._lease = lease
        self._turn = turn
        self._means = means
        self._work = lease.work

    async def run(self) -> RunStatus | None:
        """How the run has ended; None when that could not be written: somebody else goes on.

        To be cancelled when the lease has ended; what was done until then is written first, if it
        is ours to write.
        """
        async with self._turn.at_work():
            run = await self._patiently(lambda: self._means.loading.run(self._work))
        if run is None or run.has_ended:
            log.error("runs.nothing_to_do", run=self._work.run_id)
            ledgers = self._means.ledgers
            await ledgers.database.transaction(lambda t: ledgers.work.finish(self._work, t))
            return None
        recorder = Recorder(run, self._lease, self._means.ledgers, now=self._means.now)
        async with recorder.writing():
            try:
                outcome = await self._outcome(run, recorder)
            except asyncio.CancelledError:
                await recorder.flush()
                raise
            except Exception:
                log.exception("runs.broken", run=run.id)
                outcome = _failed(
                    recorder, "The server met an error that nobody expected; its log says more."
                )
            is_written = await recorder.finish(outcome.ended, is_applied=outcome.is_applied)
        return outcome.ended.status if is_written else None

    async def _outcome(self, run: WorkflowRun, recorder: Recorder) -> _Outcome:
        try:
            async with self._turn.at_work():
                job = await self._patiently(lambda: self._means.loading.job(run, self._work))
        except Refused as refused:
            return _failed(recorder, refused.message)
        is_fresh = self._work.fence > 1 or self._age(run.created_at) <= _FRESH
        recorder.begin()
        began = recorder.run.started_at or self._means.now()
        left = self._means.pace.seconds - self._age(began)
        deadline = asyncio.get_running_loop().time() + left
        trying = Trying(self._lease, self._turn, deadline=deadline)
        try:
            return await self._carried_out(run, job, recorder, trying, is_fresh=is_fresh)
        except ClusterError as error:
            return _failed(recorder, error.message)
        except Late as late:
            return self._late(recorder, late)
        except Left:
            return self._stopped(recorder)

    async def _carried_out(
        self, run: WorkflowRun, job: Job, recorder: Recorder, trying: Trying, *, is_fresh: bool
    ) -> _Outcome:
        """How it went. Raises ClusterError, Late and Left when nothing was begun here."""
        loading, hub = self._means.loading, self._means.hub
        async with AsyncExitStack() as stack:
            allowance = Allowance(run, job, self._lease, loading=loading, hub=hub)
            allowed = asyncio.create_task(allowance.keep())
            stack.push_async_callback(_ended, allowed)
            course = await self._course(job, recorder, trying, stack)
            if not is_fresh and (sentence := await course.check()):
                return _failed(recorder, sentence)
            waiting = asyncio.create_task(course.waiting.keep())
            stack.push_async_callback(_ended, waiting)
            await _beside([allowed, waiting], course.go())
            return _Outcome(course.ended(), job.targets.is_applied)

    async def _course(
        self, job: Job, recorder: Recorder, trying: Trying, stack: AsyncExitStack
    ) -> Course:
        """The way through the run, with what has to be open meanwhile."""
        means, pace, workflow_id = self._means, self._means.pace, self._work.workflow_id
        client = await trying.asked(lambda _: stack.enter_async_context(means.connect(job.cluster)))
        followed = await stack.enter_async_context(
            means.informers.following(
                job.cluster,
                followed_kinds(job.targets),
                namespaces=[name for name in job.targets.namespaces if name is not None],
            )
        )
        steps = Steps(client, trying, workflow_id=workflow_id, seconds=pace.seconds, now=means.now)
        waiting = Waiting(
            job.targets,
            recorder,
            followed,
            steps,
            client=client,
            workflow_id=workflow_id,
            trouble_seconds=pace.trouble_seconds,
            steady_seconds=pace.steady_seconds,
            now=means.now,
        )
        return Course(
            job.targets,
            recorder,
            self._lease,
            trying=trying,
            steps=steps,
            waiting=waiting,
            at_once=pace.applies_at_once,
            seconds=pace.seconds,
        )

    def _stopped(self, recorder: Recorder) -> _Outcome:
        """Somebody has stopped it before anybody could begin."""
        if self._lease.refusal is not None:
            return _failed(recorder, self._lease.refusal)
        why = "The run was cancelled before anything was applied."
        for progress in recorder.progress():
            recorder.node(progress.left(why))
        return _Outcome(Ended(RunStatus.CANCELLED, why))

    def _late(self, recorder: Recorder, late: Late) -> _Outcome:
        """The deadline was over before anybody could begin, or go on."""
        seconds = self._means.pace.seconds
        for progress in recorder.progress():
            recorder.node(progress.late(seconds))
        why = f"The run was not done within {round(seconds)} s."
        if late.error is not None:
            why = f"{why} {late.error.message}"
        recorder.line(why, level=LogLevel.ERROR)
        return _Outcome(Ended(RunStatus.FAILED, why))

    def _age(self, since: datetime) -> float:
        return (self._means.now() - since).total_seconds()

    async def _patiently(self, read: Callable[[], Awaitable[_Read]]) -> _Read:
        """What is read, as soon as the database answers; whoever keeps the lease ends it."""
        while True:
            try:
                with self._lease.finishing():
                    return await read()
            except PyMongoError as error:
                log.warning("runs.waiting", run=self._work.run_id, error=str(error))
            await asyncio.sleep(_OUTAGE_PAUSE)


def _failed(recorder: Recorder, why: str) -> _Outcome:
    """The run fails as a whole."""
    for progress in recorder.progress():
        recorder.node(progress.left(why))
    recorder.line(why, level=LogLevel.ERROR)
    return _Outcome(Ended(RunStatus.FAILED, why))


async def _beside(background: Sequence["asyncio.Task[None]"], doing: Awaitable[None]) -> None:
    """Does something; raises what ends the background before."""
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait({task, *background}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            for each in background:
                if each.done():
                    await each
        await task
    finally:
        await _ended(task)


async def _ended(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
