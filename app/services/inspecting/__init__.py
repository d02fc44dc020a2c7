"""Looking closer at a node of a deployed workflow: what is wrong with it, its pods, their logs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.workflows import WorkflowStore
from app.domain.ids import Id
from app.domain.inspecting import Diagnosis, LogLine, PodSeen
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow
from app.kube.logsources import LogRhythm
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.services.checking import Connect
from app.services.inspecting.diagnoses import Diagnoses
from app.services.inspecting.logstreams import MOST_TAIL, LogStreams
from app.services.inspecting.podlists import PodLists
from app.services.inspecting.turns import Turns
from app.services.inspecting.whereabouts import Finder
from app.services.welcome import Welcome


class Inspecting:
    """What can be looked at.

    Everything raises NotFound for a workflow, node or cluster that is not there or not the caller's
    to see, Forbidden for a namespace that is not shared with them, and ClusterError.
    """

    def __init__(
        self,
        *,
        inventories: InventoryStore,
        workflows: WorkflowStore,
        clusters: ClusterStore,
        connect: Connect,
        hub: Hub,
        welcome: Welcome,
        now: Callable[[], datetime],
        rhythm: LogRhythm | None = None,
    ) -> None:
        self._finder = Finder(
            inventories=inventories, workflows=workflows, clusters=clusters, now=now
        )
        self._diagnoses = Diagnoses(connect=connect, now=now)
        self._pods = PodLists(connect=connect, now=now)
        self._turns = Turns()
        self._logs = LogStreams(
            finder=self._finder,
            connect=connect,
            hub=hub,
            welcome=welcome,
            now=now,
            rhythm=rhythm,
        )

    async def diagnose(self, actor: Actor, workflow: WorkflowRow, node_id: str) -> Diagnosis:
        """What is wrong with a node, if anything; what cannot be looked at is said."""
        where = await self._finder.find(actor, workflow, node_id)
        async with self._turns.taken(actor.id):
            return await self._diagnoses.diagnose(node_id, where)

    async def pods(self, actor: Actor, workflow: WorkflowRow, node_id: str) -> list[PodSeen]:
        """The pods of a node, the newest first, at most 500."""
        where = await self._finder.find(actor, workflow, node_id)
        async with self._turns.taken(actor.id):
            return await self._pods.pods(where)

    async def logs(
        self,
        actor: Actor,
        workflow_id: Id,
        node_id: str,
        *,
        pod: str | None = None,
        container: str | None = None,
        tail_lines: int | None = None,
        follow: bool = False,
        until: Ending,
    ) -> AsyncGenerator[LogLine, None]:
        """What the containers of a node write, of one pod or container if one is named.

        First the last `tail_lines` of each (0 to 5,000; 200 when nobody says), in the order of
        time, then with `follow` what comes: through restarts, and of pods that come later. Ends
        when everything was read, when the pods have finished, when `until` says so, and when the
        caller may not see it any more. Raises NotFound for a pod or container that is not there,
        Invalid for a bad `tail_lines`, LimitExceeded when too many are open.
        """
        lines = self._logs.logs(
            actor,
            workflow_id,
            node_id,
            pod=pod,
            container=container,
            tail_lines=tail_lines,
            follow=follow,
            until=until,
        )
        async with aclosing(lines):
            async for line in lines:
                yield line


__all__ = ["MOST_TAIL", "Inspecting"]
