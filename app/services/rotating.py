"""Moving everything that is sealed under the ring's first key, while servers go on working.

What is to be done is asked of the database by key id, so a run that was stopped is gone on with by
the next one. A secret is written only if it is still what was read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.documents.credentials import CredentialStore
from app.domain.ids import Id
from app.identity.vault import Vault, VaultError
from app.services.sealing import credentials_of


@dataclass(frozen=True, slots=True)
class Failure:
    """The credentials of a cluster that do not open, and why."""

    cluster_id: Id
    reason: str


@dataclass(slots=True)
class Rotation:
    """How far it has come."""

    total: int
    """What was under other keys at the beginning."""
    done: int = 0
    """Looked at."""
    moved: int = 0
    """Moved by us; others are replaced meanwhile, or do not open."""
    failures: list[Failure] = field(default_factory=list)


async def rotate(
    store: CredentialStore, vault: Vault, *, tell: Callable[[Rotation], None]
) -> Rotation:
    """Wraps all credentials of clusters with the first key. `tell` hears of every one."""
    rotation = Rotation(total=await store.count_not_under(vault.key_id))
    async for kept in store.not_under(vault.key_id):
        try:
            sealed = vault.rewrap(kept.sealed, context=credentials_of(kept.cluster_id))
        except VaultError as error:
            rotation.failures.append(Failure(kept.cluster_id, str(error)))
        else:
            rotation.moved += await store.rewrap(kept, sealed)
        rotation.done += 1
        tell(rotation)
    return rotation
