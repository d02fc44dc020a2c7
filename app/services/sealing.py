"""Sealing what gives access to a cluster, so that it opens as that cluster's and nothing else."""

from pydantic import ValidationError

from app.domain.access import Access
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.domain.sealed import Sealed
from app.identity.vault import Vault, VaultError

_UNREADABLE = (
    "The stored credentials of this cluster cannot be opened. Give them again with "
    "updateClusterCredentials, or ask whoever runs this server to restore its encryption keys."
)


def seal_access(vault: Vault, cluster_id: Id, access: Access) -> Sealed:
    """What is kept of `access`."""
    return vault.seal(access.model_dump_json().encode(), context=credentials_of(cluster_id))


def open_access(vault: Vault, cluster_id: Id, sealed: Sealed) -> Access:
    """What was kept. Raises ClusterError (UNREADABLE)."""
    try:
        return Access.model_validate_json(vault.open(sealed, context=credentials_of(cluster_id)))
    except VaultError as error:
        raise ClusterError(ClusterFault.UNREADABLE, _UNREADABLE) from error
    except ValidationError:
        raise ClusterError(ClusterFault.UNREADABLE, _UNREADABLE) from None


def credentials_of(cluster_id: Id) -> str:
    """The context in which a cluster's credentials are sealed."""
    return f"credentials of cluster {cluster_id}"
