"""Schedules that never come due."""

from collections.abc import Iterator

from app.domain import cron
from app.domain.nodes.cronjob import CronJobNodeData
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at


def runs(scene: Scene) -> Iterator[Problem]:
    """A CronJob runs at some time."""
    for node, data in scene.each(CronJobNodeData):
        schedule = cron.parse(data.schedule)
        if schedule.oversteps:
            yield at(
                node,
                "schedule",
                code=ProblemCode.SCHEDULE_UNLIKELY,
                severity=Severity.WARNING,
                says=f"A step of the {schedule.oversteps[0]} is longer than its range, so only its "
                f"start counts: write a shorter step, or @every 90m and the like.",
            )
        if not schedule.ever_fires:
            yield at(
                node,
                "schedule",
                code=ProblemCode.SCHEDULE_NEVER_FIRES,
                severity=Severity.WARNING,
                says=f"{data.schedule} never comes: the months in it don't have that day. Correct "
                f"the day or the month.",
            )
        if data.suspend:
            yield at(
                node,
                "suspend",
                code=ProblemCode.SCHEDULE_SUSPENDED,
                severity=Severity.INFO,
                says=f"{data.name} starts no runs while it is suspended.",
            )
