"""What was asked of a cluster for a plan, and what it answered: all that a plan is made from.

Secret values that the cluster sent are taken off here, at the door: what is kept of them says which
keys there are and whether they would change.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.domain.errors import ClusterError
from app.domain.manifest import Identity, Manifest
from app.domain.planning.objects import InventoryEntry, Object, ObjectKey, version_of
from app.domain.planning.veiling import veiled


@dataclass(frozen=True, slots=True)
class Observed:
    """One compiled object and what the cluster says of it.

    `live` is the object as it is, None when there is none; `answer` what a dry run of applying
    `secretkeys.rehearsed(manifest, live)` answered; `refusal` why it was refused. Of a conflict
    there may be both: the refusal, and the answer of a second dry run by force, which shows what a
    take-over would change. `warnings` are the texts of `Warning` headers.
    """

    manifest: Manifest
    live: Object | None = field(default=None, repr=False)
    answer: Object | None = field(default=None, repr=False)
    refusal: ClusterError | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.key.is_secret:
            return
        live, answer = veiled(_named(self.live), _named(self.answer))
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "answer", answer)

    @property
    def key(self) -> ObjectKey:
        return ObjectKey.of_manifest(self.manifest)

    @property
    def is_torn(self) -> bool:
        """Whether the object changed between being read and the dry run: ask both again.

        Else what a controller did meanwhile looks like a change of ours. A dry run answers with the
        resourceVersion of the object that it was made on.
        """
        if self.live is None or self.answer is None:
            return False
        return version_of(self.live) != version_of(self.answer)


def _named(secret: Object | None) -> Object | None:
    """A Secret that says that it is one: items of lists don't."""
    return {**secret, "apiVersion": "v1", "kind": "Secret"} if secret is not None else None


@dataclass(frozen=True, slots=True)
class Leftover:
    """An object of the inventory that the canvas does not have any more, as it is now.

    `claims` are the live PersistentVolumeClaims of its namespace, needed of a StatefulSet: those
    that it made are in no inventory.
    """

    entry: InventoryEntry
    live: Object | None = field(default=None, repr=False)
    claims: tuple[Object, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.entry.key.is_secret:
            live, _ = veiled(_named(self.live), None)
            object.__setattr__(self, "live", live)


Chosen = frozenset[Identity] | bool
"""Some objects by their identity, or all of them (True), or none (False)."""


@dataclass(frozen=True, slots=True)
class Consents:
    """What the caller agreed to, per object. To adopt one is to take over its fields as well.

    Who deploys a plan that was looked at agrees to its replacements: `replace=True`.
    """

    adopt: Chosen = False
    take_over: Chosen = False
    replace: Chosen = False
    delete_data: bool = False

    def adopts(self, key: ObjectKey) -> bool:
        return _holds(self.adopt, key)

    def takes_over(self, key: ObjectKey) -> bool:
        return _holds(self.take_over, key) or self.adopts(key)

    def replaces(self, key: ObjectKey) -> bool:
        return _holds(self.replace, key)


def _holds(consent: Chosen, key: ObjectKey) -> bool:
    return consent if isinstance(consent, bool) else key.identity in consent


@dataclass(frozen=True, slots=True)
class Question:
    """What a plan is made for beside the objects.

    `given` are the names of the secret values that come with the deploy, by node id. `inventory` is
    everything that earlier deploys of the workflow made on this cluster.
    """

    workflow_id: str
    inventory: tuple[InventoryEntry, ...] = ()
    given: Mapping[str, Collection[str]] = field(default_factory=dict)
    consents: Consents = field(default_factory=Consents)
