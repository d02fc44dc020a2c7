"""The record of who did what: appended, never changed."""

import enum
from datetime import datetime

from pydantic import Field

from app.domain.ids import Id
from app.domain.workflow import Entity


class AuditAction(enum.StrEnum):
    """What was done."""

    WORKFLOW_DEPLOYED = "workflow.deployed"
    WORKFLOW_ROLLED_BACK = "workflow.rolled_back"
    WORKFLOW_UNDEPLOYED = "workflow.undeployed"
    RUN_CANCELLED = "run.cancelled"
    RUN_ENDED = "run.ended"


class AuditEntry(Entity):
    """One entry. `details` are plain values and hold no secret; `actor_id` is None when nobody in
    particular did it."""

    at: datetime
    actor_id: Id | None
    action: AuditAction
    workflow_id: Id
    cluster_id: Id
    run_id: Id
    details: dict[str, str | int | bool | None] = Field(default_factory=dict)
