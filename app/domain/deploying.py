"""What people ask for when they plan, deploy, roll back and undeploy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.errors import DomainError
from app.domain.ids import Id
from app.domain.planning import Consents
from app.domain.planning.plan import MissingKeys
from app.domain.problems import Problem
from app.domain.run import RunKind

Values = Mapping[str, Mapping[str, str]]
"""Secret values by the id of their node and their key. Never stored, never repeated."""


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """What is to be planned. Without a cluster or namespace, the workflow's own; `version` is the
    one that a rollback goes to."""

    workflow_id: Id
    cluster_id: Id | None = None
    namespace: str | None = None
    kind: RunKind = RunKind.DEPLOY
    version: int | None = None
    consents: Consents = field(default_factory=Consents)


@dataclass(frozen=True, slots=True)
class DeployDraft:
    """What is to be done. With a plan, exactly that: its cluster, namespace and version count, and
    those that are named here have to be the same."""

    workflow_id: Id
    kind: RunKind = RunKind.DEPLOY
    plan_id: Id | None = None
    cluster_id: Id | None = None
    namespace: str | None = None
    version: int | None = None
    message: str | None = None
    idempotency_key: str | None = None
    values: Values = field(default_factory=dict, repr=False)
    consents: Consents = field(default_factory=Consents)


class DeployRefused(DomainError):
    """The cluster or the canvas does not admit the deploy; everything that stands in the way."""

    def __init__(self, problems: Sequence[Problem], missing: Sequence[MissingKeys] = ()) -> None:
        first, more = problems[0], len(problems) - 1
        super().__init__(
            f"{first.message} (and {more} more)" if more else first.message, path=first.path
        )
        self.problems = list(problems)
        self.missing = list(missing)
