"""Which kinds get which checks, in the order in which people look for a fault.

A new check is a function and a line here: it is asked of every object of the node that has one of
its kinds and is there, and tells nothing when it does not apply.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.domain.diagnosing import (
    claiming,
    configuration,
    existing,
    reaching,
    rollout,
    routing,
    running,
    scaling,
    telling,
)
from app.domain.diagnosing.finding import Finding
from app.domain.diagnosing.kinds import (
    AUTOSCALER,
    CLAIM,
    CONFIG,
    INGRESS,
    OF_THEIR_OWN,
    POLICY,
    SERVICE,
    WORKLOADS,
    GroupKind,
)
from app.domain.diagnosing.scene import Scene, Subject

Ask = Callable[[Scene, Subject], Iterator[Finding]]
Fits = Callable[[GroupKind], bool]


class Question(NamedTuple):
    """A check: its name for people, the kinds it is for, and how it is answered."""

    name: str
    fits: Fits
    ask: Ask


def _of(*kinds: GroupKind) -> Fits:
    return frozenset(kinds).__contains__


def _others(kind: GroupKind) -> bool:
    return kind not in OF_THEIR_OWN


def _every(_: GroupKind) -> bool:
    return True


EXISTENCE = Question("Objects exist", _every, existing.exist)
"""The one check of what is not there, or cannot be looked at."""

QUESTIONS: tuple[Question, ...] = (
    EXISTENCE,
    Question("Rollout", _others, rollout.rollout),
    Question("Pods can be created", _of(*WORKLOADS), running.creation),
    Question(
        "Pods are scheduled",
        _of(*WORKLOADS),
        running.question(running.SCHEDULING, "Every pod of {} has a node."),
    ),
    Question(
        "Image can be pulled",
        _of(*WORKLOADS),
        running.question(running.IMAGE, "The images of {} can be pulled."),
    ),
    Question("Configuration is there", _of(*WORKLOADS), configuration.configured),
    Question("Configuration is there", _of(*CONFIG), configuration.filled),
    Question("Claims are bound", _of(CLAIM, *WORKLOADS), claiming.bound),
    Question(
        "Containers run",
        _of(*WORKLOADS),
        running.question(running.RUNNING, "The containers of {} run, or have done their work."),
    ),
    Question("Probes", _of(*WORKLOADS), running.probes),
    Question("Selector matches pods", _of(SERVICE), reaching.selects),
    Question("Selector matches pods", _of(POLICY), reaching.covers),
    Question("Target exists", _of(AUTOSCALER), scaling.aims),
    Question("Autoscaler has metrics", _of(AUTOSCALER), scaling.measured),
    Question("Ports match", _of(SERVICE), reaching.ports),
    Question("Endpoints are ready", _of(SERVICE), reaching.endpoints),
    Question("Ingress class", _of(INGRESS), routing.classed),
    Question("Ingress backends", _of(INGRESS), routing.backed),
    Question("Certificates are there", _of(INGRESS), routing.certified),
    Question("Address from outside", _of(SERVICE, INGRESS), reaching.address),
    Question("Recent warnings", _every, telling.recent),
)
