"""Whether claims have their volumes: the node's own, and those that its pods mount."""

from collections.abc import Iterator

from app.domain.diagnosing import looks
from app.domain.diagnosing.finding import Finding, failed, skipped, warned
from app.domain.diagnosing.kinds import CLAIM
from app.domain.diagnosing.rollout import told
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.diagnosing.verdicts import pods_of
from app.domain.health import HealthState, explaining, health
from app.domain.health.seen import Object, listed, part, word
from app.domain.planning.objects import ObjectKey

_MOST = 20
"""Claims of one workload that are looked at."""
_WAITING = frozenset({HealthState.PENDING, HealthState.DEGRADED})
_FIRST_USE = "Connect it to a workload that mounts it."


def bound(scene: Scene, subject: Subject) -> Iterator[Finding]:
    """A claim of the node, or the claims of a workload's pods."""
    if subject.group_kind == CLAIM:
        if subject.live is not None:
            yield _judged(scene, subject)
        return
    names = list(dict.fromkeys(_mounted(scene, subject)))
    findings = [_named(scene, subject, name) for name in names[:_MOST]]
    yield from findings


def _mounted(scene: Scene, workload: Subject) -> Iterator[str]:
    """The claims that a workload names, and those that were made for its pods."""
    for pod in (looks.template(workload), *pods_of(scene, workload)):
        for volume in listed(part(pod, "spec"), "volumes"):
            name = word(part(volume, "persistentVolumeClaim"), "claimName")
            if name:
                yield name


def _named(scene: Scene, workload: Subject, name: str) -> Finding:
    namespace = workload.key.namespace
    sight = scene.look(looks.named("PersistentVolumeClaim", namespace, name))
    key = ObjectKey("v1", "PersistentVolumeClaim", namespace, name)
    if sight.hidden is not None:
        return skipped(f"{key.kind} {name} cannot be looked at: {sight.hidden}")
    if sight.one is None:
        what, advice = explaining.lacking("PersistentVolumeClaim", name)
        return failed(f"{workload.named} needs {what}.", advice)
    return _judged(scene, Subject(key, sight.one))


def _judged(scene: Scene, claim: Subject) -> Finding:
    assert claim.live is not None  # noqa: S101
    chosen = word(claim.spec, "storageClassName")
    related = _classes(scene, chosen)
    found = health(claim.live, now=scene.now, related=related, events=scene.events(claim.live))
    finding = told(claim, found)
    return _unbound(scene, claim, finding) if found.state in _WAITING else finding


def _classes(scene: Scene, name: str) -> list[Object]:
    classes = scene.look(looks.storage_classes()).objects
    return [each for each in classes if word(part(each, "metadata"), "name") == name]


def _unbound(scene: Scene, claim: Subject, finding: Finding) -> Finding:
    """Why a claim may have no volume: its class is what people get wrong."""
    sight = scene.look(looks.storage_classes())
    chosen = word(claim.spec, "storageClassName")
    if sight.hidden is not None:
        return finding
    names = sorted(word(part(each, "metadata"), "name") for each in sight.objects)
    has = f"The cluster has {', '.join(names[:10])}." if names else "The cluster has none."
    if chosen and chosen not in names:
        message = f"{claim.named} is of the storage class {chosen}, which does not exist. {has}"
        return failed(message, "Make the claim anew with a class that the cluster has.")
    if not chosen and "storageClassName" not in claim.spec:
        message = f"{claim.named} names no storage class, and the cluster has no default. {has}"
        return warned(message, "Make the claim anew with a class that the cluster has.")
    if _classes(scene, chosen) and "first pod" in finding.message:
        return finding._replace(suggestion=_FIRST_USE)
    return finding
