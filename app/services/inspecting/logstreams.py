"""Logs as people follow them: for as long as they may, and no faster than they read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

import structlog

from app.domain.errors import Invalid, NotFound
from app.domain.events import EndReason, Gap, cluster_stream
from app.domain.ids import Id
from app.domain.inspecting import LogLine
from app.domain.user import Actor
from app.kube.logpods import is_name
from app.kube.logs import LogQuery, read_logs
from app.kube.logsources import LogRhythm
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.checking import Connect
from app.services.inspecting.places import Places
from app.services.inspecting.whereabouts import Finder, Whereabouts
from app.services.welcome import Welcome

log = structlog.get_logger("kubeorch.logs")

TAIL = 200
"""Lines of each container that there are already, when nobody says how many."""
MOST_TAIL = 5_000
_CONTAINERS = 20
"""Containers of one node that are read at once."""


class LogStreams:
    """Hands out logs."""

    def __init__(
        self,
        *,
        finder: Finder,
        connect: Connect,
        hub: Hub,
        welcome: Welcome,
        now: Callable[[], datetime],
        rhythm: LogRhythm | None = None,
    ) -> None:
        self._finder = finder
        self._connect = connect
        self._hub = hub
        self._welcome = welcome
        self._now = now
        self._rhythm = rhythm or LogRhythm()
        self._places = Places()

    async def logs(
        self,
        actor: Actor,
        workflow_id: Id,
        node_id: str,
        *,
        pod: str | None,
        container: str | None,
        tail_lines: int | None,
        follow: bool,
        until: Ending,
    ) -> AsyncGenerator[LogLine, None]:
        """See Inspecting."""
        tail = TAIL if tail_lines is None else tail_lines
        if not 0 <= tail <= MOST_TAIL:
            raise Invalid.field(["tailLines"], f"Ask for 0 to {MOST_TAIL} lines.")
        for name, field in ((pod, "pod"), (container, "container")):
            if name is not None and not is_name(name):
                raise NotFound(field, path=[field])
        workflow = await self._welcome.workflow(actor, workflow_id)
        if workflow is None:
            raise NotFound("workflow", path=["workflowId"])
        where = await self._finder.find(actor, workflow, node_id)
        if where is None or not where.namespaces:
            if pod is not None:
                raise NotFound("pod", path=["pod"])
            return
        watches = len(where.namespaces) if follow else 0
        one = pod is not None and container is not None
        places = self._places.taken(
            where.cluster.id,
            actor.id,
            least=watches + 1,
            want=watches + (1 if one else _CONTAINERS),
        )
        stop = asyncio.Event()
        with places as count:
            query = LogQuery(
                namespaces=where.namespaces,
                selector=where.selector,
                pod=pod,
                container=container,
                tail=tail,
                follow=follow,
                at_once=count - watches,
                rhythm=self._rhythm,
            )
            async with (
                self._welcome.lasting(actor, workflow, until=until) as welcome,
                self._lasting(actor, where, until=welcome) as ending,
                self._connect(where.cluster) as client,
            ):
                with ending.listening(stop):
                    lines = read_logs(client, query, now=self._now(), stop=stop)
                    async with aclosing(lines):
                        async for line in lines:
                            yield line

    @asynccontextmanager
    async def _lasting(
        self, actor: Actor, where: Whereabouts, *, until: Ending
    ) -> AsyncIterator[Ending]:
        """An ending within `until`: it says too when the caller may not look there any more."""
        ending = Ending(within=until)
        task = asyncio.create_task(self._watch(actor, where, ending))
        try:
            yield ending
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, actor: Actor, where: Whereabouts, ending: Ending) -> None:
        seq: int | None = where.cluster.seq
        try:
            while seq is not None and ending.reason is None:
                seq = await self._follow(actor, where, seq, ending)
        except Exception:
            # Whoever cannot be told that it is over must not go on reading.
            log.exception("the cluster cannot be watched", cluster_id=str(where.cluster.id))
            ending.say(EndReason.ACCESS_REVOKED)

    async def _follow(
        self, actor: Actor, where: Whereabouts, seq: int, ending: Ending
    ) -> int | None:
        """Until it has ended, or events are missing: then the number to go on after."""
        events = self._hub.events(
            cluster_stream(where.cluster.id),
            after=seq,
            falling=Falling.BACK_TO_THE_COLLECTION,
            until=ending,
        )
        async with aclosing(events):
            async for event in events:
                # Any change may be one of shares; what it is now decides, not what it was then.
                cluster = await self._finder.still(actor, where)
                if cluster is None:
                    ending.say(EndReason.ACCESS_REVOKED)
                    return None
                if isinstance(event, Gap):
                    return max(cluster.seq, event.seq)
        return None
