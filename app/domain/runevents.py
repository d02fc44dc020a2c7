"""What the stream of a run tells. Applying an event to what is known gives the run at its `seq`."""

import enum
from dataclasses import dataclass

from app.domain.events import Told
from app.domain.ids import Id
from app.domain.run import RunNode, WorkflowRun


def run_stream(run_id: Id) -> str:
    """The stream that tells of one run."""
    return f"run:{run_id}"


class LogLevel(enum.StrEnum):
    """How a line of a run's log is meant."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """The run, as of its `seq`."""

    seq: int
    run: WorkflowRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanged(Told):
    """The run has begun, or is to be cancelled."""

    run: WorkflowRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNodeChanged(Told):
    """A node of the run has moved, or says something else."""

    node_state: RunNode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog(Told):
    """A line of the run's log. `node_id` is the node that it is about, if it is one."""

    level: LogLevel
    text: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Told):
    """The run has ended: its last event."""

    run: WorkflowRun


RunEvent = RunChanged | RunNodeChanged | RunLog | RunFinished
