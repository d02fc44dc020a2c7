"""Secret values on their way into a cluster's Secrets: the only place that has them in its hands.

They are written before the run is queued, and nothing of them is kept: not here, not in an error.
What goes wrong half way is made good by sending them again.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from app.domain.deploying import Values
from app.domain.errors import ClusterError, ClusterFault, Conflict, LimitExceeded
from app.domain.manifest import Identity, Manifest
from app.domain.planning import Owner, PlanAction, PlannedObject, ownership
from app.domain.planning.objects import Object, is_terminating, uid_of
from app.domain.planning.secretkeys import (
    VALUES_MANAGER,
    ValuesMethod,
    ValuesWrite,
    differing,
    is_frozen,
    values_write,
)
from app.kube.applying import delete, read
from app.kube.client import MERGE, KubeClient
from app.kube.gathering import all_of
from app.kube.vanishing import vanished
from app.services.deploying.faults import about

_Asked = TypeVar("_Asked")

MOST_BYTES = 2**20
"""Of the values of one Secret, in UTF-8: what Kubernetes takes."""
_ATTEMPTS = 6
_GONE_SECONDS = 30.0


def check_size(values: Values) -> None:
    """Raises LimitExceeded for more than a Secret holds."""
    for node_id, given in values.items():
        size = sum(len(value.encode("utf-8", "surrogatepass")) for value in given.values())
        if size > MOST_BYTES:
            raise LimitExceeded(
                f"The values for {node_id} take {size} bytes, and a Secret holds {MOST_BYTES}. "
                "Divide them among several Secrets, or keep large files on a volume.",
                limit=MOST_BYTES,
            )


@dataclass(frozen=True, slots=True)
class Filling:
    """A Secret that gets values, or loses some. `made` is its uid in the inventory; who deploys has
    `adopted` one that is somebody else's."""

    manifest: Manifest
    planned: PlannedObject
    values: Mapping[str, str] = field(repr=False)
    made: str | None
    adopted: bool

    @property
    def identity(self) -> Identity:
        return self.manifest.identity


@dataclass(frozen=True, slots=True)
class Filled:
    """A Secret as it is afterwards: its uid, whether anything was written, and the names of the
    values that were written or removed."""

    uid: str | None
    written: bool
    names: tuple[str, ...] = ()


async def fill(
    client: KubeClient, fillings: Sequence[Filling], *, workflow_id: str
) -> dict[Identity, Filled]:
    """Writes the values that are not there yet, and removes those that are to go.

    Raises Conflict for a Secret that changes meanwhile, or is not ours; ClusterError. One that may
    not be written is noticed before another one is.
    """
    secrets = [_Secret(client, one, workflow_id) for one in fillings]
    await all_of(one.told(one.look()) for one in secrets)
    filled = await all_of(one.told(one.fill()) for one in secrets)
    return {one.identity: done for one, done in zip(fillings, filled, strict=True)}


class _Secret:
    """One Secret."""

    def __init__(self, client: KubeClient, filling: Filling, workflow_id: str) -> None:
        self._client = client
        self._filling = filling
        self._key = filling.planned.key
        self._workflow_id = workflow_id
        self._written = False
        self._names: set[str] = set()

    async def told(self, asked: Awaitable[_Asked]) -> _Asked:
        """The same; what goes wrong with it says that it is about this Secret."""
        return await about(f"The values of {self._key} could not be written", asked)

    async def look(self) -> None:
        """Raises Conflict when nothing may be written."""
        self._next(await read(self._client, self._filling.manifest.object))

    async def fill(self) -> Filled:
        for _ in range(_ATTEMPTS):
            live = await read(self._client, self._filling.manifest.object)
            write = self._next(live)
            if write is None:
                return self._filled(live)
            try:
                made = await self._write(write)
            except ClusterError as error:
                # Somebody was faster: what they made of it is looked at.
                if error.fault not in {ClusterFault.CONFLICT, ClusterFault.NOT_FOUND}:
                    raise
                if live is None and error.fault is ClusterFault.NOT_FOUND:
                    raise
                continue
            self._written = True
            if made is not None:
                self._names.update(write.sets, write.removes)
                return self._filled(made)
        raise Conflict(f"Somebody else changes {self._key} all the time. Try again.")

    def _filled(self, live: Object | None) -> Filled:
        return Filled(uid_of(live), self._written, tuple(sorted(self._names)))

    def _next(self, live: Object | None) -> ValuesWrite | None:
        """What is still to be written. Raises Conflict when nothing may be."""
        filling = self._filling
        replaced = self._is_replaced(live)
        self._check(live, replaced=replaced)
        given = differing(live, filling.values)
        by_values_alone = filling.planned.frame_action is not None
        if replaced and by_values_alone:
            # An immutable Secret that has the same values already need not be made anew.
            same = values_write(filling.manifest, live, given, workflow_id=self._workflow_id)
            replaced = same is not None
        if replaced:
            given = tuple(filling.values)
        return values_write(
            filling.manifest, live, given, workflow_id=self._workflow_id, replaced=replaced
        )

    def _is_replaced(self, live: Object | None) -> bool:
        planned = self._filling.planned
        return (
            planned.action is PlanAction.REPLACE
            and live is not None
            and uid_of(live) == planned.uid
        )

    def _check(self, live: Object | None, *, replaced: bool) -> None:
        if live is None:
            return
        whose = ownership(live, self._workflow_id, made=self._filling.made)
        if whose.owner is not Owner.OURS and not self._filling.adopted:
            raise Conflict(
                f"{self._key} was made by somebody else meanwhile. Plan again to see what it is."
            )
        if is_terminating(live) and not self._written:
            raise Conflict(f"{self._key} is being deleted. Wait until it is gone, and try again.")
        if is_frozen(live) and not replaced and differing(live, self._filling.values):
            raise Conflict(f"{self._key} was made immutable meanwhile. Plan again.")

    async def _write(self, write: ValuesWrite) -> Object | None:
        """The Secret with its values; None when one was deleted to make room for it."""
        resource = await self._client.resources.find(self._key.api_version, self._key.kind)
        by = {"fieldManager": VALUES_MANAGER}
        if write.method is ValuesMethod.REPLACE:
            await self._remove(write.uid or "")
            return None
        body = write.body(self._filling.values)
        if write.method is ValuesMethod.CREATE:
            path = resource.path(namespace=self._key.namespace)
            return (await self._client.post(path, body, params=by)).body
        path = resource.path(namespace=self._key.namespace, name=self._key.name)
        return (await self._client.patch(path, body, content_type=MERGE, params=by)).body

    async def _remove(self, uid: str) -> None:
        await delete(self._client, self._filling.manifest.object, uid=uid)
        if not await vanished(self._client, self._key, uid, seconds=_GONE_SECONDS):
            raise Conflict(
                f"{self._key} has to be made anew, and the old one is still there after "
                f"{round(_GONE_SECONDS)} s. Find out what holds it, and try again when it is gone."
            )
