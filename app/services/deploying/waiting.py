"""Waits until what was applied works: node by node, by what is seen of their objects."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain import labels
from app.domain.errors import ClusterError, ClusterFault
from app.domain.health import Health, HealthState, combined
from app.domain.planning import NodeProgress, NodeState
from app.domain.runevents import LogLevel
from app.kube.client import KubeClient
from app.kube.informers import Followed
from app.services.deploying.hearing import Warnings
from app.services.deploying.leaving import GONE
from app.services.deploying.recording import Line, Recorder
from app.services.deploying.sight import Sight
from app.services.deploying.steps import Steps
from app.services.deploying.targets import Target, Targets
from app.services.deploying.trying import Late, Left

_PAUSE = 0.05
"""Seconds in which changes come together before they are looked at."""
_SHARE = 5
"""A pause is at least so many times as long as the look before it: others are at work, too."""
_READ_EVERY = 3.0
"""Seconds between two looks at what no watch shows."""
_BREAK = 10.0
"""Seconds without trouble after which new trouble is another one: who crashes in a circle runs for
a moment in between."""

_SERVING = frozenset(
    {("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("", "Pod")}
)
"""Kinds whose pods are ready as soon as they run, unless a probe says otherwise: even those that
crash a second later."""


@dataclass(slots=True)
class _Trouble:
    """Since when a node is in trouble, and since when no more, in the event loop's time."""

    since: float
    over: float | None = None


class Waiting:
    """Looks at the nodes of a run, and tells the recorder how they are.

    `trouble_seconds` is how long a node may be in trouble before it has failed, `steady_seconds`
    how long its new pods have to stay ready before it is.
    """

    def __init__(
        self,
        targets: Targets,
        recorder: Recorder,
        followed: Followed,
        steps: Steps,
        *,
        client: KubeClient,
        workflow_id: str,
        trouble_seconds: float,
        steady_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._targets = targets
        self._recorder = recorder
        self._followed = followed
        self._steps = steps
        self._workflow = labels.of_id(workflow_id)
        namespaces = [name for name in targets.namespaces if name is not None]
        self._warnings = Warnings(client, namespaces, heard=self.poke)
        self._sight = Sight(followed, workflow_id, self._warnings)
        self._trouble_seconds = trouble_seconds
        self._steady_seconds = steady_seconds
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        self._looked = asyncio.Condition()
        self._signatures: dict[str, object] = {}
        self._due: dict[str, float] = {}
        """When a node is to be looked at though nothing has changed."""
        self._troubled: dict[str, _Trouble] = {}
        self._ready: dict[str, float] = {}
        """Since when the pods of a node are ready, in the event loop's time."""
        self._warned: set[str] = set()

    def poke(self) -> None:
        """Something was applied."""
        self._bell.set()

    async def keep(self) -> None:
        """Looks whenever something has changed, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._read_on())
            group.create_task(self._warnings.keep())
            while True:
                self._bell.clear()
                began = self._loop.time()
                self.look()
                took = self._loop.time() - began
                async with self._looked:
                    self._looked.notify_all()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(min(self._due.values(), default=None)):
                        await self._bell.wait()
                await asyncio.sleep(max(_PAUSE, _SHARE * took))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits until something is so, which only a look can bring about."""
        async with self._looked:
            await self._looked.wait_for(is_so)

    def works(self, wave: Sequence[Target]) -> bool:
        """Whether all objects of a wave work, or can't be waited for."""
        healths = [self._sight.health(target, now=self._now()) for target in wave]
        return all(one is not None and not one.holds_run for one in healths)

    async def _hear(self) -> None:
        while True:
            touched = await self._followed.changed()
            if not touched or self._workflow in touched:
                self._bell.set()

    async def _read_on(self) -> None:
        """Reads what no watch shows: it is forbidden, or the labels are lost."""
        while True:
            await asyncio.sleep(_READ_EVERY)
            for target in self._sight.unseen(self._open()):
                try:
                    target.answer = await self._steps.look(target.key)
                except ClusterError as error:
                    if error.fault is ClusterFault.FORBIDDEN:
                        self._sight.is_blind(target)
                        self._warn(
                            f"The cluster's credentials may not look at {target.key}: whether it "
                            "works is not known."
                        )
                except (Late, Left):
                    return
                self._bell.set()

    def _open(self) -> list[Target]:
        """Everything that was applied and is waited for."""
        return [
            target
            for node_id, targets in self._targets.of_node.items()
            if (node := self._recorder.of(node_id)) is not None and not node.state.is_settled
            for target in targets
            if target.is_done and not target.is_removed
        ]

    def look(self) -> None:
        """How the nodes are now."""
        self._sight.look()
        self._warn_of_troubles()
        for node_id, targets in self._targets.of_node.items():
            node = self._recorder.of(node_id)
            if node is None or node.state.is_final or not all(t.is_done for t in targets):
                continue
            signature = self._sight.signature(node_id, targets)
            is_due = self._due.get(node_id, math.inf) <= self._loop.time()
            if self._signatures.get(node_id) == signature and not is_due:
                continue
            self._signatures[node_id] = signature
            self._judge(node.progress(), targets)

    def _judge(self, progress: NodeProgress, targets: Sequence[Target]) -> None:
        node_id = progress.node_id
        self._due.pop(node_id, None)
        applied = [target for target in targets if not target.is_removed]
        if not applied:
            self._recorder.node(progress.gone(GONE))
            return
        parts: list[tuple[Target, Health]] = []
        for target in applied:
            one = self._sight.health(target, now=self._now())
            if one is None:
                return
            parts.append((target, one))
        # Of those that are equally well, the one that counts its pods says most.
        parts.sort(key=lambda part: part[1].desired is None)
        whole = combined([one for _, one in parts])
        if whole.recheck_after is not None:
            self._due[node_id] = self._loop.time() + whole.recheck_after
        is_written = any(target.is_written for target in targets)
        after = progress.seen(whole, written=is_written)
        if self._is_given_up(node_id, whole):
            after = progress.to(NodeState.FAILED, whole.reason, whole.message)
        elif is_written and self._may_fall_again(node_id, parts, whole, progress):
            text = f"{whole.message} It is seen whether it stays so."
            after = progress.to(NodeState.WAITING, whole.reason, text)
        self._recorder.node(after, self._line(progress, after, _spokesman(parts, whole)))

    def _is_given_up(self, node_id: str, whole: Health) -> bool:
        """Whether the node has been in trouble for too long."""
        now = self._loop.time()
        trouble = self._troubled.get(node_id)
        if whole.state is not HealthState.DEGRADED:
            if trouble is not None and trouble.over is None:
                trouble.over = now
            return False
        if trouble is None or (trouble.over is not None and now - trouble.over > _BREAK):
            trouble = self._troubled[node_id] = _Trouble(now)
        trouble.over = None
        ends = trouble.since + self._trouble_seconds
        self._due[node_id] = min(ends, self._due.get(node_id, ends))
        return now >= ends

    def _may_fall_again(
        self,
        node_id: str,
        parts: Sequence[tuple[Target, Health]],
        whole: Health,
        progress: NodeProgress,
    ) -> bool:
        """Whether its pods have become ready so lately that they may crash at their start."""
        if whole.holds_run or whole.fails_run:
            self._ready.pop(node_id, None)
            return False
        serves = any((t.key.group, t.key.kind) in _SERVING and one.desired for t, one in parts)
        if not serves or progress.state is NodeState.READY:
            return False
        ends = self._ready.setdefault(node_id, self._loop.time()) + self._steady_seconds
        if ends <= self._loop.time():
            return False
        self._due[node_id] = min(ends, self._due.get(node_id, ends))
        return True

    def _line(self, before: NodeProgress, after: NodeProgress, speaks: Target) -> Line | None:
        """A line for what is worth one."""
        if after.state is NodeState.WAITING and after.node_id not in self._ready:
            return Line(f"Waiting for {speaks}: {after.message}")
        if after.state is NodeState.FAILED:
            return Line(f"{speaks} has failed: {after.message}", LogLevel.ERROR)
        if after.state is NodeState.READY and before.state is NodeState.WAITING:
            return Line(f"{speaks} works: {after.message}")
        return None

    def _warn_of_troubles(self) -> None:
        for kind, error in self._sight.troubles().items():
            if error.fault is not ClusterFault.NOT_FOUND:
                self._warn(f"{kind.kind} objects can't be watched on the cluster. {error.message}")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._recorder.line(text, level=LogLevel.WARNING)


def _spokesman(parts: Sequence[tuple[Target, Health]], whole: Health) -> Target:
    """The object that the health of the node is about."""
    for target, one in parts:
        if (one.state, one.message) == (whole.state, whole.message):
            return target
    return parts[0][0]
