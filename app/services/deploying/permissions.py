"""Rights that a deploy needs beside those that dry runs have used: to watch, and to delete."""

from collections.abc import Iterable, Sequence

from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import ObjectKey, Plan, PlanAction, PlannedObject
from app.domain.planning.findings import PlanProblemCode, problem
from app.domain.problems import Problem, Severity
from app.kube.client import KubeClient
from app.kube.permissions import Right, allowed

_WATCHING = ("list", "watch")
_PODS = "pods"
_MOST_NAMESPACES = 20
_REMOVED = frozenset({PlanAction.DELETE, PlanAction.REPLACE})
_EVERYTHING = "*.*"


async def may_do_everything(client: KubeClient) -> bool:
    """Whether the credentials are an administrator's: then nothing else has to be asked."""
    right = Right("*", _EVERYTHING)
    return (await allowed(client, [right])).get(right, False)


async def missing(client: KubeClient, plan: Plan) -> list[Problem]:
    """A problem for each kind and namespace of the plan where a right is missing.

    Asked in its first 20 namespaces; what the cluster does not say is not missing. Raises
    ClusterError when it cannot be asked.
    """
    places = _places(plan.objects)
    whole = [Right("*", _EVERYTHING, namespace) for namespace in places if namespace is not None]
    admitted = {right.namespace for right, may in (await allowed(client, whole)).items() if may}
    needed: dict[Right, PlannedObject] = {}
    for one in plan.objects:
        if one.key.namespace in admitted or one.key.namespace not in places:
            continue
        resource = await _resource(client, one.key)
        if resource is None:
            continue
        verbs = (*_WATCHING, "delete") if one.action in _REMOVED else _WATCHING
        for verb in verbs:
            needed.setdefault(Right(verb, resource, one.key.namespace), one)
        if one.key.namespace is not None:
            for verb in _WATCHING:
                needed.setdefault(Right(verb, _PODS, one.key.namespace), one)
    told = await allowed(client, needed)
    return _problems([(right, one) for right, one in needed.items() if told.get(right) is False])


def _places(objects: Iterable[PlannedObject]) -> Sequence[str | None]:
    return list(dict.fromkeys(one.key.namespace for one in objects))[:_MOST_NAMESPACES]


async def _resource(client: KubeClient, key: ObjectKey) -> str | None:
    """How rights call the kind: `deployments.apps`; None when the cluster does not serve it."""
    try:
        found = await client.resources.find(key.api_version, key.kind)
    except ClusterError as error:
        if error.fault is ClusterFault.NOT_FOUND:
            return None
        raise
    return f"{found.plural}.{key.group}" if key.group else found.plural


def _problems(lacking: Sequence[tuple[Right, PlannedObject]]) -> list[Problem]:
    by_place: dict[tuple[str, str | None], tuple[list[str], PlannedObject]] = {}
    for right, one in lacking:
        verbs, _ = by_place.setdefault((right.resource, right.namespace), ([], one))
        verbs.append(right.verb)
    return [
        _problem(resource, namespace, verbs, one)
        for (resource, namespace), (verbs, one) in by_place.items()
    ]


def _problem(
    resource: str, namespace: str | None, verbs: Sequence[str], one: PlannedObject
) -> Problem:
    where = f" in the namespace {namespace}" if namespace is not None else ""
    what = " and ".join(sorted(verbs))
    seen = resource == _PODS and one.key.kind != "Pod"
    why = " Without it nobody can tell why a pod does not start." if seen else ""
    return problem(
        PlanProblemCode.PERMISSION_MISSING,
        f"The cluster's credentials may not {what} {resource}{where}. Have the right given to this "
        f"account.{why}",
        one.key,
        node_id=None if seen else one.node_id,
        severity=Severity.WARNING if seen else Severity.ERROR,
    )
