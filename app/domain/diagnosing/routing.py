"""Whether an Ingress leads somewhere: its class, the Services behind it, its certificates."""

from collections.abc import Iterator

from app.domain.diagnosing import looks
from app.domain.diagnosing.configuration import keys_of
from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.reaching import readiness
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.health import explaining
from app.domain.health.seen import Object, listed, number, part, word

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_FORMER = "kubernetes.io/ingress.class"
"""How an Ingress named its class before there was a field for it."""
_TLS_KEYS = ("tls.crt", "tls.key")


def classed(scene: Scene, ingress: Subject) -> Iterator[Finding]:
    """Whether somebody serves the class of an Ingress."""
    sight = scene.look(looks.ingress_classes())
    if sight.hidden is not None:
        yield skipped(f"The ingress classes of the cluster cannot be looked at: {sight.hidden}")
        return
    names = sorted(word(part(each, "metadata"), "name") for each in sight.objects)
    has = f"The cluster has {', '.join(names[:10])}." if names else "The cluster has none."
    former = word(part(ingress.live, "metadata", "annotations"), _FORMER)
    wanted = word(ingress.spec, "ingressClassName")
    if wanted and wanted not in names:
        message = f"{ingress.named} is of the class {wanted}, which does not exist. {has}"
        yield failed(message, "Choose a class that the cluster has, or install its controller.")
    elif wanted or former:
        yield passed(f"{ingress.named} is of the class {wanted or former}.")
    elif any(_is_default(each) for each in sight.objects):
        yield passed(f"{ingress.named} is of the cluster's default class.")
    else:
        message = f"{ingress.named} names no class, and the cluster has no default. {has}"
        yield warned(message, "Choose a class, so that an ingress controller takes it.")


def _is_default(ingress_class: Object) -> bool:
    return word(part(ingress_class, "metadata", "annotations"), _DEFAULT) == "true"


def backed(scene: Scene, ingress: Subject) -> Iterator[Finding]:
    """Whether every path of an Ingress leads to a port of a Service with ready pods."""
    seen: dict[tuple[str, str | int], list[str]] = {}
    for path, backend in _backends(ingress.spec):
        service = part(backend, "service")
        name, port = word(service, "name"), part(service, "port")
        key: str | int = word(port, "name") or number(port, "number")
        if name:
            seen.setdefault((name, key), []).append(path)
    findings = [
        finding
        for (name, port), found in seen.items()
        for finding in _backend(scene, ingress, name, port, ", ".join(found[:5]))
    ]
    yield from findings or [passed(f"Every path of {ingress.named} leads to ready pods.")]


def _backends(spec: Object) -> Iterator[tuple[str, Object]]:
    default = part(spec, "defaultBackend")
    if default:
        yield "everything else", default
    for rule in listed(spec, "rules"):
        host = word(rule, "host")
        for path in listed(part(rule, "http"), "paths"):
            yield f"{host}{word(path, 'path') or '/'}", part(path, "backend")


def _backend(
    scene: Scene, ingress: Subject, name: str, port: str | int, paths: str
) -> Iterator[Finding]:
    namespace = ingress.key.namespace
    sight = scene.look(looks.named("Service", namespace, name))
    if sight.hidden is not None:
        yield skipped(f"The Service {name} cannot be looked at: {sight.hidden}")
        return
    if sight.one is None:
        message = f"{paths} leads to the Service {name}, which does not exist."
        yield failed(message, "Connect the path to a service of the canvas, and deploy.")
        return
    spec = part(sight.one, "spec")
    ports = [(word(each, "name"), number(each, "port")) for each in listed(spec, "ports")]
    if not any(port in each for each in ports):
        has = ", ".join(str(count) for _, count in ports) or "none"
        message = f"{paths} leads to port {port} of the Service {name}, which has {has}."
        yield failed(message, "Correct the port of the path, or of the service.")
        return
    slices = scene.look(looks.slices(namespace, name))
    if slices.hidden is None and word(spec, "type") != "ExternalName":
        ready, _ = readiness(slices.objects)
        if not ready:
            message = f"{paths} leads to the Service {name}, and no pod behind it is ready."
            yield warned(message, "Look at the service and its workload.")


def certified(scene: Scene, ingress: Subject) -> Iterator[Finding]:
    """Whether the Secrets with the certificates of an Ingress are there."""
    names = dict.fromkeys(word(each, "secretName") for each in listed(ingress.spec, "tls"))
    wanted = [name for name in names if name]
    if not wanted:
        return
    findings: list[Finding] = []
    for name in wanted:
        sight = scene.look(looks.named("Secret", ingress.key.namespace, name))
        if sight.hidden is not None:
            findings.append(skipped(f"The Secret {name} cannot be looked at: {sight.hidden}"))
            continue
        lacking = _lacking(sight.one, name)
        if lacking is not None:
            what, advice = lacking
            findings.append(warned(f"The certificate of {ingress.named} needs {what}.", advice))
    yield from findings or [passed(f"The certificates of {ingress.named} are there.")]


def _lacking(secret: Object | None, name: str) -> tuple[str, str] | None:
    if secret is None:
        return explaining.lacking("Secret", name)
    keys = keys_of(secret)
    missing = [key for key in _TLS_KEYS if keys is not None and key not in keys]
    return explaining.lacking("Secret", name, missing[0]) if missing else None
