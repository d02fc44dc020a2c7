"""How far what is on a cluster has moved away from what was deployed."""

import enum
from dataclasses import dataclass
from datetime import datetime

from app.domain.comparing import FieldChange


class DriftState(enum.StrEnum):
    """What has become of a deployed object."""

    IN_SYNC = "in_sync"
    MODIFIED = "modified"
    """Somebody has changed what was deployed."""
    MISSING = "missing"
    """It is not on the cluster any more."""
    UNKNOWN = "unknown"
    """The cluster could not say."""


@dataclass(frozen=True, slots=True)
class DriftedObject:
    """One deployed object. `changes` lead from what is there to what was deployed."""

    node_id: str | None
    kind: str
    namespace: str | None
    name: str
    state: DriftState
    message: str | None = None
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """All deployed objects of a workflow, as they were found at `checked_at`."""

    checked_at: datetime
    objects: tuple[DriftedObject, ...]

    @property
    def has_drifted(self) -> bool:
        return any(one.state in {DriftState.MODIFIED, DriftState.MISSING} for one in self.objects)
