"""Whether what was deployed is there."""

from collections.abc import Iterator

from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.planning.objects import is_terminating

_AGAIN = "Somebody has deleted it: deploy the workflow again."


def exist(_scene: Scene, subject: Subject) -> Iterator[Finding]:
    """The object itself."""
    if subject.hidden is not None:
        yield skipped(f"{subject.named} cannot be looked at: {subject.hidden}")
    elif subject.live is None and subject.key.kind == "Job":
        message = f"{subject.named} is not on the cluster; jobs that are done may be cleaned up."
        yield warned(message, "Deploy the workflow again to run it anew.")
    elif subject.live is None:
        yield failed(f"{subject.named} is not on the cluster.", _AGAIN)
    elif is_terminating(subject.live):
        message = f"{subject.named} is being deleted."
        yield warned(message, "Wait until it is gone, then deploy the workflow again.")
    else:
        yield passed(f"{subject.named} is there.")
