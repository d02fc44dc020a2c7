"""What a run has done, on its way into the database: piled up, and written in groups."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from app.documents.work import Marked
from app.domain.planning import Ended, NodeProgress
from app.domain.planning.progress import next_status
from app.domain.run import RunNode, RunStatus, WorkflowRun
from app.domain.runevents import LogLevel, RunChanged, RunFinished, RunLog, RunNodeChanged
from app.services.deploying.committing import Group, Last, Ledgers, Pile, Untold
from app.services.deploying.lease import Lease

log = structlog.get_logger("kubeorch.runs")

_MOST_LINES = 2_000
"""Lines of a run's log that one process writes."""
_PAUSE = 0.05
"""Seconds from one group to the next, in which more comes together; longer if groups take long."""
_OUTAGE_PAUSE = 0.5


class Recorder:
    """Keeps what is known of a run, and writes it. Only one process at a time may."""

    def __init__(
        self, run: WorkflowRun, lease: Lease, ledgers: Ledgers, *, now: Callable[[], datetime]
    ) -> None:
        self._run = run
        self._nodes = list(run.nodes)
        self._places = {node.node_id: place for place, node in enumerate(run.nodes)}
        self._lease = lease
        self._ledgers = ledgers
        self._now = now
        self._names = (f"{lease.work.fence}.{number}" for number in itertools.count(1))
        self._pile = Pile(next(self._names))
        self._waiting: list[Pile] = []
        self._lines = 0
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def run(self) -> WorkflowRun:
        """The run as it will be when everything is written."""
        return self._run.model_copy(update={"nodes": list(self._nodes)})

    def of(self, node_id: str) -> RunNode | None:
        """A node of the run."""
        place = self._places.get(node_id)
        return None if place is None else self._nodes[place]

    def progress(self) -> list[NodeProgress]:
        """How far each node is."""
        return [node.progress() for node in self._nodes]

    def begin(self) -> None:
        """The run is being done, if it was not already."""
        status = next_status(self._run.status, RunStatus.RUNNING)
        if status is not self._run.status:
            now = self._now()
            self._run = self._run.model_copy(update={"status": status, "started_at": now})
            self._tell(Untold(RunChanged, now, run=self.run))

    def node(self, progress: NodeProgress) -> bool:
        """A node has moved, or says something else; False when it has not."""
        place = self._places.get(progress.node_id)
        if place is None or self._nodes[place].progress() == progress:
            return False
        now = self._now()
        node = self._nodes[place].after(progress, now=now)
        self._nodes[place] = node
        self._pile.nodes.add(place)
        self._tell(Untold(RunNodeChanged, now, {"node_state": node}))
        return True

    def line(
        self, text: str, *, level: LogLevel = LogLevel.INFO, node_id: str | None = None
    ) -> None:
        """A line of the run's log; of very many, the rest is left out."""
        self._lines += 1
        if self._lines > _MOST_LINES:
            return
        if self._lines == _MOST_LINES:
            level, node_id = LogLevel.WARNING, None
            text = "There is more to tell than is kept: the states of the nodes say the rest."
        payload = {"level": level.value, "text": text, "node_id": node_id}
        self._tell(Untold(RunLog, self._now(), payload))

    def done(self, mark: str, uid: str = "") -> None:
        """An object was dealt with: it is on the cluster under this uid."""
        self._pile.done[mark] = uid
        if uid:
            self._pile.made[mark] = uid
        self._changed.set()

    def gone(self, mark: str) -> None:
        """An object was dealt with: it is not on the cluster any more."""
        self._pile.done[mark] = ""
        self._pile.gone.add(mark)
        self._changed.set()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[asyncio.Task[None]]:
        """Writes what comes together, for as long as the block; what is left stays unwritten."""
        task = asyncio.create_task(self._keep_on())
        try:
            yield task
        finally:
            async with self._writing:  # a command to the database ends by itself
                task.cancel()
            await asyncio.wait([task])

    async def flush(self) -> None:
        """Writes everything that there is to write; less when the claim ends meanwhile."""
        async with self._writing:
            await self._write()

    async def finish(self, ended: Ended, *, is_applied: bool) -> bool:
        """The run has ended: its last transaction; False when it is not ours to write any more.

        `is_applied` says that nothing of it is left to do.
        """
        now = self._now()
        update = {
            "status": next_status(self._run.status, ended.status),
            "error": ended.error,
            "completed_at": now,
        }
        self._run = self._run.model_copy(update=update)
        async with self._writing:
            self._tell(Untold(RunFinished, now, run=self.run))
            return await self._write(last=Last(is_applied))

    def _tell(self, told: Untold) -> None:
        self._pile.told.append(told)
        self._changed.set()

    async def _keep_on(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._changed.wait()
                began = loop.time()
                await self.flush()
                await asyncio.sleep(max(_PAUSE, loop.time() - began))
        except Exception:
            # What can't be written must not be done either.
            log.exception("runs.unwritten", run=self._run.id)
            self._lease.lose()

    async def _write(self, *, last: Last | None = None) -> bool:
        """Writes the pile, again and again while the database does not answer.

        False when the claim ends before.
        """
        self._changed.clear()
        pile, self._pile = self._pile, Pile(next(self._names))
        # As it is now: what is told later is written later, too.
        group = Group(pile, self.run, self._lease, self._ledgers, now=self._now, last=last)
        while self._lease.is_ours:
            try:
                with self._lease.finishing():
                    async with self._lease.writing:
                        marked = await group.make()
            except PyMongoError as error:
                log.warning("runs.waiting", run=self._run.id, error=str(error))
                await asyncio.sleep(_OUTAGE_PAUSE)
                continue
            if marked is Marked.LOST:
                break
            self._lease.extended(group.began)
            return True
        self._lease.lose()
        return False
