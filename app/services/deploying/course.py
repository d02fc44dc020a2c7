"""The course of a run on its cluster: apply wave by wave, remove what goes, wait until it works."""

from asyncio import TaskGroup, timeout_at
from collections.abc import Awaitable, Callable, Iterable

from app.domain.errors import ClusterError
from app.domain.health import Health
from app.domain.planning import Ended, NodeProgress, NodeState, PlanAction, ended
from app.domain.planning.binding import state_of
from app.domain.planning.objects import Object, uid_of
from app.domain.planning.plan import moved
from app.domain.planning.waves import KindWave, wave_of
from app.domain.run import RunStatus
from app.domain.runevents import LogLevel
from app.services.deploying.failing import Failed, Failure
from app.services.deploying.lease import Lease
from app.services.deploying.leaving import Tell
from app.services.deploying.recording import Line, Recorder
from app.services.deploying.sight import is_still
from app.services.deploying.steps import Steps
from app.services.deploying.targets import Target, Targets
from app.services.deploying.trying import Late, Left, Trying
from app.services.deploying.waiting import Waiting

_DONE = {
    PlanAction.CREATE: "Created",
    PlanAction.UPDATE: "Updated",
    PlanAction.REPLACE: "Replaced",
    PlanAction.DELETE: "Deleted",
}
_LEAVING_AT_ONCE = 32
"""Deleted objects that are watched at the same time until they are gone."""

_Deal = Callable[[Target], Awaitable[None]]


class Course:
    """One process' way through a run. `seconds` is what the run may take, for sentences."""

    def __init__(
        self,
        targets: Targets,
        recorder: Recorder,
        lease: Lease,
        *,
        trying: Trying,
        steps: Steps,
        waiting: Waiting,
        at_once: int,
        seconds: float,
    ) -> None:
        self._targets = targets
        self._recorder = recorder
        self._lease = lease
        self._trying = trying
        self._steps = steps
        self.waiting = waiting
        self._at_once = at_once
        self._seconds = seconds
        self._failures: list[Failure] = []

    async def check(self) -> str | None:
        """What moved on the cluster since it was planned, in a sentence; None when nothing did.

        Raises ClusterError, Late and Left.
        """
        found: list[str] = []

        async def look(target: Target) -> None:
            planned = target.planned
            if found or planned.values:
                return
            live = await self._steps.look(target.key)
            content = state_of(live, target.manifest.object if target.manifest else {})
            if sentence := moved(planned, uid=uid_of(live), state=content):
                found.append(sentence)

        await self._each(self._targets.all, look)
        return f"{found[0]} Plan again: nothing was applied." if found else None

    async def go(self) -> None:
        """Everything from the first object to the last node."""
        for progress in self._recorder.progress():
            if not self._targets.of_node.get(progress.node_id) and not progress.state.is_settled:
                text = "Nothing of it goes to the cluster."
                self._recorder.node(progress.to(NodeState.UNCHANGED, "NoObjects", text))
        await self._each([t for t in self._targets.all if t.is_done], self._remember)
        await self._apply_all()
        if not self._is_broken_off:
            await self._remove_all()
        await self._settle()

    def leave(self, why: str) -> None:
        """The run ends here: what it has not come to is left."""
        self.waiting.look()
        for progress in self._recorder.progress():
            targets = self._targets.of_node.get(progress.node_id, ())
            is_seen = all(target.is_done for target in targets)
            self._recorder.node(
                progress.left("It was not seen working when the run ended." if is_seen else why)
            )

    def ended(self) -> Ended:
        """How the run has ended."""
        cancelled, refusal = self._lease.cancelled.is_set(), self._lease.refusal
        found = ended(self._recorder.progress(), cancelled=cancelled)
        if refusal is not None and (found is None or found.status is not RunStatus.COMPLETED):
            return Ended(RunStatus.FAILED, f"{refusal} What was applied before is on the cluster.")
        if found is None or (found.status is RunStatus.COMPLETED and not self._targets.is_applied):
            if self._failures:
                return Ended(RunStatus.FAILED, self._failures[0].message)
            if cancelled:
                return Ended(RunStatus.CANCELLED, "Cancelled before everything was done.")
            return Ended(RunStatus.FAILED, f"Not everything was done within {self._seconds:g} s.")
        return found

    @property
    def _is_broken_off(self) -> bool:
        """Whether nothing more is to be begun."""
        return bool(self._failures) or self._lease.cancelled.is_set() or self._trying.is_late

    async def _apply_all(self) -> None:
        for wave in self._targets.applied():
            await self._steps.glance(wave, at_once=self._at_once)
            await self._each(wave, self._apply)
            if not self._is_broken_off and wave_of(wave[0].key).is_awaited:
                await self._until(lambda wave=wave: self.waiting.works(wave))  # type: ignore[misc]
            if self._is_broken_off:
                return

    async def _remove_all(self) -> None:
        leaving: list[Target] = []
        for wave in self._targets.removed():
            await self._each(wave, self._delete)
            leaving += wave
            # Who has to clean up behind custom resources may be among what goes next.
            if wave_of(wave[0].key) is KindWave.CUSTOM_RESOURCES:
                await self._each(leaving, self._see_off, at_once=_LEAVING_AT_ONCE)
        if not self._is_broken_off:
            await self._each(leaving, self._see_off, at_once=_LEAVING_AT_ONCE)

    async def _settle(self) -> None:
        """Waits for the nodes, or leaves them."""
        if self._failures:
            self.leave(f"Not applied, because the run failed before: {self._failures[0].message}")
            return
        await self._until(lambda: ended(self._recorder.progress()) is not None)
        if self._lease.cancelled.is_set():
            self.leave(self._lease.refusal or "The run was cancelled.")

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Waits for something that is seen; the nodes are late when the deadline comes first."""
        try:
            async with timeout_at(self._trying.deadline):
                await self._trying.unless_cancelled(self.waiting.until(is_so))
        except TimeoutError:
            for progress in self._recorder.progress():
                late = progress.late(self._seconds)
                self._recorder.node(late, Line(late.message, LogLevel.ERROR))
        except Left:
            pass

    async def _each(
        self, targets: Iterable[Target], deal: _Deal, *, at_once: int | None = None
    ) -> None:
        """Deals with several, a few at a time; nothing is begun in a cancelled run."""
        left = iter([*targets])

        async def work() -> None:
            for target in left:
                if self._lease.cancelled.is_set() or self._trying.is_late:
                    return
                await deal(target)

        async with TaskGroup() as group:
            for _ in range(at_once or self._at_once):
                group.create_task(work())

    async def _remember(self, target: Target) -> None:
        """What another process has applied, as it is now: a watch may be behind."""
        if target.is_removed or not target.is_written or is_still(target.key):
            return
        try:
            self._answered(target, await self._steps.look(target.key))
        except (ClusterError, Late, Left):
            return  # then what the watch shows has to do

    async def _apply(self, target: Target) -> None:
        if target.is_done or not self._begin(target):
            return
        step = target.planned.replicas
        try:
            if step is not None and step.after is not None:
                autoscaler = self._targets[step.after]
                await self._delete(autoscaler)
                await self._see_off(autoscaler)
            live = await self._steps.apply(target, self._teller(target))
        except Failed as error:
            self._fail(target, error.failure)
        except Left:
            return
        else:
            self._answered(target, live)
            target.uid = uid_of(live)
            target.is_done = True
            self._recorder.done(target.mark, target.uid or "")
            self._tell_done(target)

    async def _delete(self, target: Target) -> None:
        if target.is_done or not self._begin(target):
            return
        try:
            await self._steps.remove(target)
        except Failed as error:
            self._fail(target, error.failure)
        except Left:
            return

    async def _see_off(self, target: Target) -> None:
        """Waits until it is gone that was deleted."""
        if target.is_done or self._is_failed(target):
            return
        try:
            await self._steps.until_gone(target, self._teller(target))
        except Failed as error:
            self._fail(target, error.failure)
        except Left:
            return
        else:
            target.is_done = True
            self._recorder.gone(target.mark)
            self._tell_done(target)

    def _answered(self, target: Target, live: Object | None) -> None:
        if live is not None and not is_still(target.key):
            metadata = {k: v for k, v in live["metadata"].items() if k != "managedFields"}
            target.answer = {**live, "metadata": metadata}

    def _begin(self, target: Target) -> bool:
        """Its node is at work; False when that has failed already."""
        if self._is_failed(target):
            node = self._progress(target)
            self._failures.append(Failure(node.reason, node.message) if node else _UNKNOWN)
            return False
        node = self._progress(target)
        if node is not None and node.state is NodeState.PENDING:
            self._recorder.node(node.to(NodeState.APPLYING))
        return True

    def _is_failed(self, target: Target) -> bool:
        node = self._progress(target)
        return node is not None and node.state.is_final

    def _progress(self, target: Target) -> NodeProgress | None:
        node = self._recorder.of(target.node_id) if target.node_id is not None else None
        return None if node is None else node.progress()

    def _tell_done(self, target: Target) -> None:
        text = f"{_DONE[target.planned.action]} {target}"
        self._recorder.line(text, node_id=target.node_id)
        self.waiting.poke()

    def _teller(self, target: Target) -> Tell:
        """Tells what keeps an object that was deleted."""
        told = ""

        def tell(health: Health) -> None:
            nonlocal told
            if health.message == told:
                return
            told = health.message
            node = self._progress(target)
            if node is not None and target.is_removed and not node.state.is_settled:
                self._recorder.node(node.to(NodeState.WAITING, health.reason, told))
            text = f"Waiting until {target} is gone: {told}"
            self._recorder.line(text, node_id=target.node_id)

        return tell

    def _fail(self, target: Target, failure: Failure) -> None:
        self._failures.append(failure)
        self._recorder.line(failure.message, level=LogLevel.ERROR, node_id=target.node_id)
        node = self._progress(target)
        if node is not None and not node.state.is_final:
            self._recorder.node(node.to(NodeState.FAILED, failure.reason, failure.message))


_UNKNOWN = Failure("Failed", "It has failed before.")
