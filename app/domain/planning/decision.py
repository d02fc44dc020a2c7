"""What is being decided about one object, and what has to be known of the others for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.manifest import Identity
from app.domain.planning import risks
from app.domain.planning.binding import digest_of_manifest, state_of
from app.domain.planning.findings import PlanProblemCode, Risk, problem
from app.domain.planning.objects import ObjectKey, uid_of, version_of
from app.domain.planning.observed import Leftover, Observed, Question
from app.domain.planning.plan import PlanAction, PlannedObject
from app.domain.planning.replicas import scales
from app.domain.problems import Problem


@dataclass(frozen=True, slots=True)
class Scene:
    """The other objects of a plan: the namespaces and kinds that it makes, the autoscalers that it
    deletes by what they scale, and the uids that the inventory knows."""

    question: Question
    namespaces: frozenset[str]
    kinds: frozenset[tuple[str, str]]
    unscaled: Mapping[tuple[str, str, str], ObjectKey]
    made: Mapping[Identity, str | None]

    @classmethod
    def of(
        cls, observed: Sequence[Observed], deleted: Sequence[Leftover], question: Question
    ) -> "Scene":
        keys = [seen.key for seen in observed]
        definitions = [
            seen.manifest.object["spec"]
            for seen in observed
            if seen.key.kind == "CustomResourceDefinition"
        ]
        return cls(
            question=question,
            namespaces=frozenset(key.name for key in keys if key.kind == "Namespace"),
            kinds=frozenset((spec["group"], spec["names"]["kind"]) for spec in definitions),
            unscaled={
                scales(one.live): one.entry.key
                for one in deleted
                if one.live is not None and one.entry.key.kind == "HorizontalPodAutoscaler"
            },
            made={entry.key.identity: entry.uid for entry in question.inventory},
        )


@dataclass(slots=True)
class Decision:
    """One object of a plan in the making. `missing` are names of secret values."""

    planned: PlannedObject
    problems: list[Problem] = field(default_factory=list)
    missing: tuple[str, ...] = ()

    @classmethod
    def beginning(cls, seen: Observed) -> "Decision":
        """What is clear from the start; to be created until something else is known."""
        return cls(
            PlannedObject(
                node_id=seen.manifest.node_id,
                key=seen.key,
                action=PlanAction.CREATE,
                risks=risks.of_warnings(seen.warnings),
                uid=uid_of(seen.live),
                version=version_of(seen.live),
                digest=digest_of_manifest(seen.manifest),
                state=state_of(seen.live, seen.manifest.object),
            )
        )

    def becomes(self, **fields: Any) -> None:
        """Give the planned object other values."""
        self.planned = replace(self.planned, **fields)

    def warn(self, *found: Risk) -> None:
        """Add risks."""
        self.becomes(risks=(*self.planned.risks, *found))

    def refuse(self, code: PlanProblemCode, message: str, *, field: str | None = None) -> None:
        """Add a problem that forbids deploying."""
        planned = self.planned
        self.problems.append(
            problem(code, message, planned.key, node_id=planned.node_id, field=field)
        )
