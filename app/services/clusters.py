"""Clusters: brought in, changed, removed. What an actor may not see is NotFound.

What is answered is the cluster as the actor sees it. Credentials come in and are sealed; nothing
here, and nothing that is answered, ever has them again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.documents.checks import CheckStore
from app.documents.clusters import ClusterStore, NameTaken
from app.documents.credentials import CredentialStore
from app.documents.database import Transaction, new_id
from app.documents.inventories import InventoryStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.access import Access
from app.domain.cluster import Cluster, ClusterMetadata, ClusterStatus
from app.domain.errors import Conflict, LimitExceeded
from app.domain.ids import Id
from app.domain.paging import Keyset, Page
from app.domain.policy import ClusterAction, Decision
from app.domain.user import Actor
from app.identity.vault import Vault
from app.kube.addresses import AddressPolicy
from app.services.accessing import CredentialsDraft, Place, read_access
from app.services.clusterchanges import ClusterChanges
from app.services.sealing import seal_access

_PATIENCE = 8.0
"""Seconds that somebody who brought a cluster in waits for the first look at it."""


@dataclass(frozen=True, slots=True)
class ClusterDraft:
    """A cluster to be brought in. Without a display name it is called by its name."""

    name: str
    credentials: CredentialsDraft
    place: Place = Place()  # noqa: RUF009 - it is frozen
    display_name: str | None = None
    description: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    default: bool = False


class Clusters:
    """What people do with clusters.

    `look` looks at a cluster now and writes what it finds; `disconnect` closes what is open to it.
    """

    def __init__(
        self,
        *,
        store: ClusterStore,
        credentials: CredentialStore,
        checks: CheckStore,
        workflows: WorkflowStore,
        work: WorkStore,
        inventories: InventoryStore,
        changes: ClusterChanges,
        vault: Vault,
        addresses: AddressPolicy,
        look: Callable[[Id], Awaitable[object]],
        disconnect: Callable[[Id], Awaitable[None]],
        most: int,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._checks = checks
        self._workflows = workflows
        self._changes = changes
        self._vault = vault
        self._addresses = addresses
        self._look = look
        self._disconnect = disconnect
        self._most = most
        self._now = now
        self._work = work
        self._inventories = inventories

    async def get(self, actor: Actor, cluster_id: Id) -> Cluster | None:
        """The cluster, unless it is not the caller's to see."""
        return (await self.by_ids(actor, [cluster_id])).get(cluster_id)

    async def by_ids(self, actor: Actor, ids: Sequence[Id]) -> dict[Id, Cluster]:
        """Those of the clusters that the caller sees."""
        now = self._now()
        return {
            cluster.id: policy.cluster_seen_by(actor, cluster, now=now)
            for cluster in await self._store.by_ids(ids)
            if policy.sees_cluster(actor, cluster, now=now)
        }

    async def page(self, actor: Actor, keyset: Keyset) -> Page[Cluster]:
        """The caller's clusters and those shared with them. Raises Invalid at `after`."""
        page = await self._store.page(actor.id, keyset, now=self._now())
        return Page(
            rows=[self._seen(actor, cluster) for cluster in page.rows],
            cursors=page.cursors,
            has_next=page.has_next,
            has_previous=page.has_previous,
        )

    async def count(self, actor: Actor) -> int:
        """How many `page` would walk through."""
        return await self._store.count(actor.id, now=self._now())

    async def named(self, actor: Actor, name: str) -> Cluster | None:
        """The caller's own cluster of this name."""
        return await self._store.named(actor.id, name)

    async def default_of(self, actor: Actor) -> Cluster | None:
        """The caller's own default cluster."""
        found = await self._store.default_of(actor.id)
        return None if found is None else self._seen(actor, found)

    def may(
        self,
        actor: Actor,
        action: ClusterAction,
        cluster: Cluster,
        *,
        namespace: str | None = None,
    ) -> Decision:
        """Whether the caller, who sees the cluster, may do this with it, or in that namespace."""
        return policy.on_cluster(actor, action, cluster, now=self._now(), namespace=namespace)

    async def add(self, actor: Actor, draft: ClusterDraft) -> Cluster:
        """Brings a cluster in and looks at it; the caller's first one becomes their default.

        That it does not answer is no failure: its status says so. Raises Invalid, Conflict at
        `name`, LimitExceeded.
        """
        access = await self._access(draft.credentials, draft.place)
        now = self._now()
        cluster = Cluster(
            id=new_id(),
            name=draft.name,
            display_name=draft.display_name or draft.name,
            description=draft.description,
            server=access.server,
            auth_type=draft.credentials.auth_type,
            owner_id=actor.id,
            labels=dict(draft.labels),
            created_at=now,
            updated_at=now,
            credentials_version=1,
            seq=1,
        )

        async def work(transaction: Transaction) -> Cluster:
            owned = await self._store.count_of(actor.id, transaction=transaction)
            if owned >= self._most:
                raise LimitExceeded(
                    f"You have {owned} clusters, and may have {self._most}. Remove one first.",
                    limit=self._most,
                )
            if draft.default:
                await self._changes.take_default(actor, actor.id, transaction)
            made = cluster.model_copy(update={"default": draft.default or owned == 0})
            await self._changes.insert(actor, made, transaction)
            sealed = seal_access(self._vault, made.id, access)
            await self._credentials.put(made.id, sealed, transaction)
            await self._checks.plan(made.id, due_at=now, transaction=transaction)
            return made

        try:
            made = await self._changes.transaction(work)
        except NameTaken:
            raise Conflict(
                f"You have a cluster called {draft.name} already. Choose another name.",
                path=["name"],
            ) from None
        return await self._looked_at(actor, made)

    async def update(self, actor: Actor, cluster_id: Id, fields: Mapping[str, Any]) -> Cluster:
        """Changes `display_name`, `description` or `labels`, what is given of them.

        Where the API server is changes with the credentials only: else somebody whom the cluster is
        shared with could have the owner's credentials sent to a server of theirs.
        """

        def decide(cluster: Cluster) -> Mapping[str, Any]:
            return {k: v for k, v in fields.items() if getattr(cluster, k) != v}

        changed = await self._changes.make(actor, cluster_id, ClusterAction.ADMINISTER, decide)
        return self._seen(actor, changed)

    async def update_credentials(
        self, actor: Actor, cluster_id: Id, credentials: CredentialsDraft, place: Place
    ) -> Cluster:
        """Replaces the credentials, all of them, and looks at the cluster.

        A server that is left out stays, if the new credentials don't name one and it was the
        caller who chose it: else they would go where somebody else wants them. Raises Invalid,
        NotFound, Forbidden.
        """
        cluster = await self._changes.open(actor, cluster_id, ClusterAction.ADMINISTER)
        chosen_by = cluster.server_by or cluster.owner_id
        otherwise = cluster.server if chosen_by == actor.id else None
        access = await self._access(credentials, place, otherwise=otherwise)
        sealed = seal_access(self._vault, cluster_id, access)

        async def work(transaction: Transaction) -> Cluster:
            before = await self._changes.open(
                actor, cluster_id, ClusterAction.ADMINISTER, transaction
            )
            fields: dict[str, Any] = {
                "server": access.server,
                "server_by": None if actor.id == cluster.owner_id else actor.id,
                "auth_type": credentials.auth_type,
                "status": ClusterStatus.UNKNOWN,
                "status_message": None,
                "latency_ms": None,
                "credentials_version": await self._credentials.put(cluster_id, sealed, transaction),
            }
            if access.server != before.server:
                fields["metadata"] = ClusterMetadata()
            return await self._changes.write(actor, before, fields, transaction)

        changed = await self._changes.transaction(work)
        await self._disconnect(cluster_id)
        return await self._looked_at(actor, changed)

    async def remove(self, actor: Actor, cluster_id: Id, *, force: bool = False) -> None:
        """Forgets the cluster and its credentials; nothing happens to the cluster itself.

        The owner is left without a default if it was theirs. Raises NotFound, Forbidden, and
        Conflict while runs are active on it, and while workflows choose it or have something there,
        unless `force`: they then have no cluster, and nobody knows any more what they have made.
        """

        async def work(transaction: Transaction) -> None:
            before = await self._changes.open(actor, cluster_id, ClusterAction.OWN, transaction)
            running = await self._work.count_on(cluster_id, transaction)
            if running:
                raise _still_running(running)
            if not force:
                number = await self._workflows.count_choosing(cluster_id, transaction)
                if number:
                    raise _still_chosen(number)
                number = await self._inventories.count_on(cluster_id, transaction)
                if number:
                    raise _still_deployed(number)
            await self._inventories.forget(cluster_id, transaction)
            await self._credentials.delete(cluster_id, transaction)
            await self._checks.forget(cluster_id, transaction)
            await self._changes.delete(actor, before, transaction)

        await self._changes.transaction(work)
        await self._disconnect(cluster_id)

    async def set_default(self, actor: Actor, cluster_id: Id) -> Cluster:
        """Makes it the owner's default, instead of the one before. Raises NotFound, Forbidden."""

        async def work(transaction: Transaction) -> Cluster:
            before = await self._changes.open(actor, cluster_id, ClusterAction.OWN, transaction)
            if before.default:
                return before
            await self._changes.take_default(actor, before.owner_id, transaction)
            return await self._changes.write(actor, before, {"default": True}, transaction)

        return self._seen(actor, await self._changes.transaction(work))

    async def _access(
        self, credentials: CredentialsDraft, place: Place, *, otherwise: str | None = None
    ) -> Access:
        """Raises Invalid."""
        return await asyncio.to_thread(
            read_access, credentials, place, policy=self._addresses, otherwise=otherwise
        )

    async def _looked_at(self, actor: Actor, cluster: Cluster) -> Cluster:
        """The cluster after a look at it, if that ends in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._look(cluster.id)
        return await self.get(actor, cluster.id) or self._seen(actor, cluster)

    def _seen(self, actor: Actor, cluster: Cluster) -> Cluster:
        return policy.cluster_seen_by(actor, cluster, now=self._now())


def _still_running(number: int) -> Conflict:
    runs = "1 run is active" if number == 1 else f"{number} runs are active"
    return Conflict(f"{runs} on this cluster. Wait, or cancel what does not end by itself.")


def _still_deployed(number: int) -> Conflict:
    workflows = "1 workflow has" if number == 1 else f"{number} workflows have"
    return Conflict(
        f"{workflows} something deployed on this cluster. Undeploy it, or send force: true, and "
        "what is there stays there."
    )


def _still_chosen(number: int) -> Conflict:
    chosen = "1 workflow chooses" if number == 1 else f"{number} workflows choose"
    return Conflict(
        f"{chosen} this cluster. Choose another one for them, or send force: true, and they have "
        "none."
    )
