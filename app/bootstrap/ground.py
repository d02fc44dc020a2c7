"""What every room stands on: the settings, the database, the outbox and the hub."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from app.documents.database import Database
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services.changing import Changes
from app.settings import Settings


def utc_now() -> datetime:
    """The clock. Milliseconds, because that is what MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Given to each room. What is pushed onto `stack` is undone when the process ends."""

    settings: Settings
    stack: AsyncExitStack
    database: Database
    outbox: Outbox
    hub: Hub
    metrics: Metrics
    changes: Changes
    now: Callable[[], datetime]
