"""A pod as people see it in a list."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from app.domain.health import HealthState, health
from app.domain.health.seen import Object, listed, number, part, said, time, word
from app.domain.inspecting import ContainerSeen, PodSeen

_MOST = 100
"""Containers of one pod that are shown."""
_STATES = ("running", "terminated", "waiting")
_PRINTED = frozenset({"PostStartHookError"})
"""Reasons whose message quotes what a command has printed, which may be anything."""


def pod_seen(pod: Object, *, now: datetime) -> PodSeen:
    """A pod as the API server sent it, `kind` filled in."""
    metadata, status = part(pod, "metadata"), part(pod, "status")
    containers = tuple(islice(_containers(pod), _MOST))
    found = health(pod, now=now)
    return PodSeen(
        name=word(metadata, "name"),
        namespace=word(metadata, "namespace"),
        phase=word(status, "phase") or "Unknown",
        ready=any(
            word(each, "type") == "Ready" and each.get("status") == "True"
            for each in listed(status, "conditions")
        ),
        restarts=sum(container.restarts for container in containers),
        node=word(part(pod, "spec"), "nodeName") or None,
        ip=word(status, "podIP") or None,
        created_at=time(metadata, "creationTimestamp"),
        message=None if found.state is HealthState.HEALTHY else found.message,
        containers=containers,
    )


def _containers(pod: Object) -> Iterator[ContainerSeen]:
    """All containers that were asked for, in their order; those that begin first, first."""
    spec, status = part(pod, "spec"), part(pod, "status")
    for asked, told, is_init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
    ):
        statuses = {word(each, "name"): each for each in listed(status, told)}
        for container in listed(spec, asked):
            name = word(container, "name")
            yield _container(container, statuses.get(name, {}), name, is_init=is_init)


def _container(container: Object, status: Object, name: str, *, is_init: bool) -> ContainerSeen:
    states = part(status, "state")
    state = next((each for each in _STATES if isinstance(states.get(each), dict)), "waiting")
    details = part(states, state)
    reason = word(details, "reason")
    # The last words of a process may be anything: they are not repeated.
    quiet = state == "terminated" or reason in _PRINTED
    return ContainerSeen(
        name=name,
        image=word(container, "image") or word(status, "image"),
        state=state,
        reason=reason or None,
        message=None if quiet else said(details) or None,
        ready=status.get("ready") is True,
        restarts=number(status, "restartCount"),
        is_init=is_init,
    )
