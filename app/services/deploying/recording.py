"""What a run has done, on its way into the database: piled up, and written in groups."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from app.documents.work import Marked
from app.domain.planning import Ended, NodeProgress, NodeState
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
_NODE_PAUSE = 2.0
"""Seconds from one word about a node to the next, when it only says something else."""
_AT_ONCE = 20
"""So often a node's state is told as soon as it changes: a cluster may let it go back and forth."""
_MOST_WORDS = 300
"""So often a process tells that a node of a run says something else."""
_FINAL = {state for state in NodeState if state.is_final}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log."""

    text: str
    level: LogLevel = LogLevel.INFO


@dataclass(slots=True)
class _Told:
    """What was told of a node: how often, when last in the event loop's time, and which state."""

    state: NodeState
    times: int = 0
    last: float = -math.inf
    line: Line | None = None
    """Of what is to be told yet."""


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
        self._loop = asyncio.get_running_loop()
        self._heard_of = [_Told(node.state) for node in run.nodes]
        self._untold: dict[int, float] = {}
        """Nodes of which there is more to tell, and when, in the event loop's time."""
        self._words = 0
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

    def node(self, progress: NodeProgress, line: Line | None = None) -> None:
        """A node has moved, or says something else; the line is told with it.

        What is not news is told later, or not at all when there is newer by then.
        """
        place = self._places.get(progress.node_id)
        if place is None or self._nodes[place].progress() == progress:
            return
        self._nodes[place] = self._nodes[place].after(progress, now=self._now())
        told = self._heard_of[place]
        told.line = line
        moves = progress.state is not told.state
        due = told.last + _NODE_PAUSE
        if progress.state in _FINAL or (moves and told.times < _AT_ONCE):
            due = self._loop.time()
        elif not moves and self._words >= _MOST_WORDS:
            due = math.inf
        self._untold[place] = due
        if due <= self._loop.time():
            self._tell_node(place)
        else:
            self._changed.set()

    def _tell_node(self, place: int) -> None:
        node, told = self._nodes[place], self._heard_of[place]
        self._untold.pop(place, None)
        if node.state is told.state:
            self._words += 1
        else:
            told.times += 1
        told.state, told.last = node.state, self._loop.time()
        line, told.line = told.line, None
        self._pile.nodes.add(place)
        self._tell(Untold(RunNodeChanged, node.updated_at, {"node_state": node}))
        if line is not None:
            self.line(line.text, level=line.level, node_id=node.node_id)

    def _tell_nodes(self, *, until: float) -> None:
        """What was to be told later, and is due by then."""
        for place in [place for place, due in self._untold.items() if due <= until]:
            self._tell_node(place)

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
        self._tell_nodes(until=math.inf)
        async with self._writing:
            self._tell(Untold(RunFinished, now, run=self.run))
            return await self._write(last=Last(is_applied))

    def _tell(self, told: Untold) -> None:
        self._pile.told.append(told)
        self._changed.set()

    async def _keep_on(self) -> None:
        loop = self._loop
        try:
            while True:
                due = min(self._untold.values(), default=math.inf)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(None if due == math.inf else due):
                        await self._changed.wait()
                began = loop.time()
                self._tell_nodes(until=began)
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
