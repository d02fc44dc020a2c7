"""A plan that was shown to somebody, kept so that exactly it can be deployed."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.ids import Id
from app.domain.planning import Consents, Plan
from app.domain.run import RunKind


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with what it was made of. `version` is the older version that a rollback goes to.

    `revision` is that of the workflow when it was planned. It can be deployed until `expires_at`.
    """

    id: Id
    workflow_id: Id
    cluster_id: Id
    namespace: str
    revision: int
    kind: RunKind
    version: int | None
    consents: Consents
    plan: Plan
    created_by: Id
    created_at: datetime
    expires_at: datetime

    @property
    def hash(self) -> str:
        """Stands for what a deploy of it would do."""
        return self.plan.hash
