"""Connections to clusters, with what is sealed in the database; and what is renewed goes back."""

from contextlib import AbstractAsyncContextManager

from app.documents.credentials import CredentialStore, StoredCredentials
from app.domain.access import Access, OidcSession
from app.domain.cluster import Cluster
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.identity.vault import Vault
from app.kube.client import KubeClient
from app.kube.pool import ClientKey, ClientPool
from app.services.sealing import open_access, seal_access


class Connections:
    """Hands out connections; they are shared, and closed when the credentials change."""

    def __init__(self, *, pool: ClientPool, credentials: CredentialStore, vault: Vault) -> None:
        self._pool = pool
        self._credentials = credentials
        self._vault = vault

    def to(self, cluster: Cluster) -> AbstractAsyncContextManager[KubeClient]:
        """A connection to the cluster. Raises ClusterError when it is entered."""

        async def load() -> Access:
            return (await self._kept(cluster.id))[1]

        async def renewed(before: OidcSession, after: OidcSession) -> OidcSession:
            return await self._renewed(cluster.id, before, after)

        return self._pool.client(ClientKey(cluster.id, cluster.credentials_version), load, renewed)

    async def drop(self, cluster_id: Id) -> None:
        """Closes what is open to a cluster, as soon as nobody uses it."""
        await self._pool.drop(cluster_id)

    async def _kept(self, cluster_id: Id) -> tuple[StoredCredentials, Access]:
        stored = await self._credentials.get(cluster_id)
        if stored is None:
            raise ClusterError(ClusterFault.NOT_FOUND, "The cluster has been removed.")
        return stored, open_access(self._vault, cluster_id, stored.sealed)

    async def _renewed(
        self, cluster_id: Id, before: OidcSession, after: OidcSession
    ) -> OidcSession:
        """Keeps a renewed session, unless another replica was faster: then theirs is the one.

        An issuer that rotates refresh tokens believes the newest only, and may end the session when
        an older one comes back.
        """
        while True:
            stored, access = await self._kept(cluster_id)
            if access.proof != before:
                return access.proof if isinstance(access.proof, OidcSession) else after
            if after == before:
                return before
            sealed = seal_access(
                self._vault, cluster_id, access.model_copy(update={"proof": after})
            )
            if await self._credentials.renew(stored, sealed):
                return after
