"""Events of runs as they are kept in the outbox, and back."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.documents.database import encode
from app.domain.events import Event
from app.domain.ids import Id
from app.domain.run import RunNode, WorkflowRun
from app.domain.runevents import (
    LogLevel,
    RunChanged,
    RunEvent,
    RunFinished,
    RunLog,
    RunNodeChanged,
    run_stream,
)


def run_event(
    run_id: Id,
    seq: int,
    type_: type[RunEvent],
    payload: Mapping[str, Any],
    *,
    at: datetime,
    actor_id: Id | None = None,
) -> Event:
    """The entry for the outbox; `payload` has the fields that `type_` adds to what all have."""
    return Event(
        stream=run_stream(run_id),
        seq=seq,
        type=type_.__name__,
        payload={name: encode(value) for name, value in payload.items()},
        actor_id=actor_id,
        at=at,
    )


def run_event_of(event: Event) -> RunEvent:
    """What was told, with its place in the stream."""
    return _READ[event.type](event)


def _about_run(type_: type[RunChanged] | type[RunFinished]) -> Callable[[Event], RunEvent]:
    return lambda event: type_(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        run=WorkflowRun.model_validate(event.payload["run"]),
    )


def _node(event: Event) -> RunNodeChanged:
    return RunNodeChanged(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        node_state=RunNode.model_validate(event.payload["node_state"]),
    )


def _log(event: Event) -> RunLog:
    return RunLog(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        level=LogLevel(event.payload["level"]),
        text=event.payload["text"],
        node_id=event.payload.get("node_id"),
    )


_READ: dict[str, Callable[[Event], RunEvent]] = {
    "RunChanged": _about_run(RunChanged),
    "RunFinished": _about_run(RunFinished),
    "RunNodeChanged": _node,
    "RunLog": _log,
}
