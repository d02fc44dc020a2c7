"""Whether a Service finds pods, speaks to ports that they have, and has some that are ready."""

from collections.abc import Iterable, Iterator, Sequence

from app.domain.diagnosing import looks
from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.rollout import told
from app.domain.diagnosing.scene import Scene, Sight, Subject
from app.domain.diagnosing.verdicts import verdict
from app.domain.health import HealthState
from app.domain.health.seen import Object, listed, number, part, word

_NOBODY_SELECTS = "It has no selector, so whoever made it writes its endpoints."


def selects(scene: Scene, service: Subject) -> Iterator[Finding]:
    """Whether the selector of a Service fits any pod."""
    behind = _behind(scene, service)
    if behind is None:
        yield skipped(f"{service.named} chooses no pods. {_NOBODY_SELECTS}")
        return
    labels = ", ".join(_texts(part(service.spec, "selector")))
    yield _chosen(
        service,
        behind,
        failed(
            f"No pod has the labels of the selector of {service.named}: {labels}.",
            "Connect the service to a workload that runs, and deploy the workflow again.",
        ),
    )


def covers(scene: Scene, policy: Subject) -> Iterator[Finding]:
    """Whether a NetworkPolicy is about any pod."""
    selector = looks.of_selector(part(policy.spec, "podSelector"))
    behind = scene.look(looks.pods(policy.key.namespace, selector))
    yield _chosen(
        policy,
        behind,
        warned(
            f"{policy.named} is about no pod: none has the labels of its selector.",
            "Connect the policy to a workload that runs, and deploy the workflow again.",
        ),
    )


def _chosen(subject: Subject, behind: Sight, otherwise: Finding) -> Finding:
    if behind.hidden is not None:
        return skipped(f"The pods of {subject.named} cannot be looked at: {behind.hidden}")
    count = len(behind.objects)
    if not count:
        return otherwise
    least = "at least " if behind.more else ""
    return passed(f"{subject.named} chooses {least}{count} {'pod' if count == 1 else 'pods'}.")


def ports(scene: Scene, service: Subject) -> Iterator[Finding]:
    """Whether the ports that a Service sends to are ports that its pods say they have."""
    behind = _behind(scene, service)
    pods = behind.objects if behind is not None else ()
    if not pods:
        yield skipped(f"{service.named} has no pods whose ports could be compared.")
        return
    findings = [
        finding
        for port in listed(service.spec, "ports")
        for finding in _port(service, port, list(_open_ports(pods)))
    ]
    yield from findings or [passed(f"{service.named} sends to ports that its pods have.")]


def _port(service: Subject, port: Object, opened: Sequence[Object]) -> Iterator[Finding]:
    protocol = _protocol(port)
    mine = [each for each in opened if _protocol(each) == protocol]
    name = word(port, "targetPort")
    if name:
        names = sorted({word(each, "name") for each in mine} - {""})
        if name not in names:
            has = f"they have {', '.join(names)}" if names else "they name none"
            yield failed(
                f"{service.named} sends to the {protocol} port {name}, and no pod has a port of "
                f"this name: {has}.",
                "Correct the target port of the service, or name the port of the container.",
            )
        return
    target = number(port, "targetPort", number(port, "port"))
    numbers = sorted({number(each, "containerPort") for each in mine})
    if numbers and target not in numbers:
        yield warned(
            f"{service.named} sends to the {protocol} port {target}, and its pods say that they "
            f"listen on {', '.join(map(str, numbers))}.",
            "Correct the target port of the service, or the port of the workload.",
        )


def _open_ports(pods: Iterable[Object]) -> Iterator[Object]:
    for pod in pods:
        for container in looks.containers(pod):
            yield from listed(container, "ports")


def _protocol(port: Object) -> str:
    return word(port, "protocol") or "TCP"


def endpoints(scene: Scene, service: Subject) -> Iterator[Finding]:
    """Whether pods behind a Service are ready for its traffic."""
    if word(service.spec, "type") == "ExternalName":
        yield skipped(f"{service.named} is a name for another host, and has no endpoints.")
        return
    sight = scene.look(looks.slices(service.key.namespace, service.key.name))
    if sight.hidden is not None:
        yield skipped(f"The endpoints of {service.named} cannot be looked at: {sight.hidden}")
        return
    ready, count = readiness(sight.objects)
    behind = _behind(scene, service)
    if not count and behind is None:
        message = f"{service.named} has no endpoints. {_NOBODY_SELECTS}"
        advice = "Connect it to a workload of the canvas, and deploy; or write its endpoints."
        yield warned(message, advice)
    elif not count and behind is not None and not behind.objects:
        yield skipped(f"{service.named} has no pods that could be ready.")
    elif not ready:
        those = "The pod" if count <= 1 else f"None of the {count} pods"
        message = f"{those} behind {service.named} is {'not ' if count <= 1 else ''}ready."
        yield failed(message, "Look at the workload that it is connected to.")
    elif ready < count:
        message = f"{ready} of {count} pods behind {service.named} are ready."
        yield warned(message, "Look at the workload that it is connected to.")
    else:
        noun = "pod is" if count == 1 else "pods are"
        yield passed(f"{count} {noun} ready behind {service.named}.")


def readiness(slices: Iterable[Object]) -> tuple[int, int]:
    """How many endpoints are ready, of how many. A pod with two addresses counts once."""
    known: dict[str, bool] = {}
    for each in slices:
        for place, endpoint in enumerate(listed(each, "endpoints")):
            conditions = part(endpoint, "conditions")
            if conditions.get("terminating") is True:
                continue
            pod = word(part(endpoint, "targetRef"), "uid")
            key = pod or f"{word(part(each, 'metadata'), 'name')}/{place}"
            # A condition that is not said means ready, by the API's own rule.
            known[key] = known.get(key, False) or conditions.get("ready") is not False
    return sum(known.values()), len(known)


def address(scene: Scene, subject: Subject) -> Iterator[Finding]:
    """Whether a LoadBalancer or an Ingress has an address from outside."""
    if subject.key.kind == "Service" and word(subject.spec, "type") != "LoadBalancer":
        return
    health = verdict(scene, subject)
    finding = told(subject, health)
    if health.state is HealthState.PENDING:
        what = "a load balancer" if subject.key.kind == "Service" else "an ingress controller"
        advice = f"Wait a moment; if it stays so, check that the cluster has {what}."
        finding = finding._replace(suggestion=advice)
    yield finding


def _behind(scene: Scene, service: Subject) -> Sight | None:
    """The pods that a Service chooses; None when it chooses none by labels."""
    selector = part(service.spec, "selector")
    if not selector or word(service.spec, "type") == "ExternalName":
        return None
    return scene.look(looks.pods(service.key.namespace, looks.equal(selector)))


def _texts(selector: Object) -> list[str]:
    return [f"{key}={word(selector, key)}" for key in sorted(selector)][:10]
