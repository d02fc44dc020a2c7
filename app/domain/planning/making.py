"""A plan from what was compiled and what the cluster says of it."""

from collections.abc import Iterable, Sequence

from app.domain.planning.deciding import decide
from app.domain.planning.decision import Scene
from app.domain.planning.findings import PlanProblemCode
from app.domain.planning.observed import Leftover, Observed, Question
from app.domain.planning.plan import MissingKeys, Plan
from app.domain.planning.pruning import prune
from app.domain.planning.waves import order
from app.domain.problems import Problem, Severity


def make_plan(
    observed: Sequence[Observed],
    question: Question,
    *,
    left: Sequence[Leftover] = (),
    problems: Iterable[Problem] = (),
) -> Plan:
    """The plan of a deploy; with nothing `observed` and the whole inventory `left`, of an undeploy.

    `left` are the entries that `pruning.leftovers` names, each with what it is on the cluster now;
    `problems` are those of the canvas. Problems are answered worst first, each once.
    """
    pruned = prune(left, question)
    going = {one.key.identity for one in pruned.objects}
    deleted = [one for one in left if one.entry.key.identity in going]
    scene = Scene.of(observed, deleted, question)
    decided = [decide(seen, scene) for seen in sorted(observed, key=lambda seen: order(seen.key))]
    missing: dict[str, set[str]] = {}
    for one in decided:
        if one.missing and one.planned.node_id is not None:
            missing.setdefault(one.planned.node_id, set()).update(one.missing)
    filled = {seen.manifest.node_id for seen in observed if seen.manifest.keys}
    strangers = [_no_secret(node_id) for node_id in sorted(question.given.keys() - filled)]
    found = [*problems, *strangers, *(p for one in decided for p in one.problems), *pruned.problems]
    return Plan(
        objects=(*(one.planned for one in decided), *pruned.objects),
        missing_secret_keys=tuple(
            MissingKeys(node_id, tuple(sorted(keys))) for node_id, keys in sorted(missing.items())
        ),
        problems=tuple(_once(found)),
        kept=tuple(pruned.kept),
    )


def _no_secret(node_id: str) -> Problem:
    return Problem(
        code=PlanProblemCode.SECRET_VALUES_UNKNOWN.value,
        message="Values were given for this node, and it has no secret keys. Leave them out.",
        node_id=node_id,
        path=("data",),
        severity=Severity.ERROR,
    )


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, worst first: a missing namespace is missing for every object in it."""
    unique: dict[tuple[str, str, str | None], Problem] = {}
    for one in problems:
        unique.setdefault((one.code, one.message, one.node_id), one)
    return sorted(unique.values(), key=lambda one: one.severity.rank)
