"""Whether the ConfigMaps, Secrets and accounts that pods name are there, with the keys they want.

Keys are read from managedFields, where the API server keeps the name of every field that somebody
wrote: so no value is ever asked for.
"""

from collections.abc import Iterator
from typing import NamedTuple

from app.domain import labels
from app.domain.diagnosing import looks
from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.running import CONFIGURATION, found
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.health import explaining
from app.domain.health.seen import Object, listed, part, word
from app.domain.inspecting import CheckOutcome

_PODS, _PULL = "its pods", "the pull of its images"
_GIVE = "Give its value with the next deploy."
_DATA = ("f:data", "f:binaryData")


class Reference(NamedTuple):
    """What a pod template names: `key` is empty for all of it; `use` is for what, in words."""

    kind: str
    name: str
    key: str
    use: str


def configured(scene: Scene, workload: Subject) -> Iterator[Finding]:
    """What the pod template of a workload names."""
    findings: list[Finding] = []
    hidden = None
    template = looks.template(workload)
    wanted = list(dict.fromkeys([*references(template), *_pull_secrets(template)]))
    for reference in wanted:
        namespace = workload.key.namespace
        sight = scene.look(looks.named(reference.kind, namespace, reference.name))
        if sight.hidden is not None:
            hidden = sight.hidden
        elif (trouble := _trouble(sight.one, reference)) is not None:
            findings.append(trouble)
    if not any(each.outcome is CheckOutcome.FAILED for each in findings):
        findings += found(scene, workload, CONFIGURATION)
    if findings:
        yield from findings
    elif hidden is not None:
        yield skipped(f"What {workload.named} names cannot be looked at: {hidden}")
    elif wanted:
        yield passed(f"Everything that {workload.named} names is there.")
    else:
        yield passed(f"{workload.named} names no ConfigMap or Secret.")


def filled(_scene: Scene, config: Subject) -> Iterator[Finding]:
    """Whether a ConfigMap or Secret of the node has keys."""
    if config.live is None:
        return
    keys = keys_of(config.live)
    if keys is None:
        yield skipped(f"The cluster does not say which keys {config.named} has.")
    elif keys:
        noun = "key" if len(keys) == 1 else "keys"
        yield passed(f"{config.named} has {len(keys)} {noun}.")
    elif config.key.kind == "Secret":
        yield warned(f"{config.named} has no keys.", "Give its values with the next deploy.")
    else:
        yield warned(f"{config.named} has no keys.", "Write its data on the canvas, and deploy.")


def references(template: Object) -> Iterator[Reference]:
    """The ConfigMaps and Secrets that containers of a template cannot start without."""
    for container in looks.containers(template):
        name = word(container, "name")
        for source in listed(container, "envFrom"):
            yield from _of_source(source, f"the environment of container {name}", "Ref")
        for variable in listed(container, "env"):
            use = f"the variable {word(variable, 'name')} of container {name}"
            yield from _of_source(part(variable, "valueFrom"), use, "KeyRef")
    for volume in listed(part(template, "spec"), "volumes"):
        use = f"the volume {word(volume, 'name')}"
        yield from _of_volume(volume, use)
        for source in listed(part(volume, "projected"), "sources"):
            yield from _of_volume(source, use)


def _of_source(source: Object, use: str, ending: str) -> Iterator[Reference]:
    for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
        asked = part(source, f"{field}{ending}")
        if asked and asked.get("optional") is not True:
            yield from _named(kind, word(asked, "name"), word(asked, "key"), use)


def _of_volume(volume: Object, use: str) -> Iterator[Reference]:
    for kind, field, name in (
        ("ConfigMap", "configMap", "name"),
        ("Secret", "secret", "secretName"),
    ):
        asked = part(volume, field)
        if not asked or asked.get("optional") is True:
            continue
        # A projected Secret is called by `name`, one of its own by `secretName`.
        called = word(asked, name) or word(asked, "name")
        keys = [word(item, "key") for item in listed(asked, "items")] or [""]
        for key in keys:
            yield from _named(kind, called, key, use)


def _pull_secrets(template: Object) -> Iterator[Reference]:
    for secret in listed(part(template, "spec"), "imagePullSecrets"):
        yield from _named("Secret", word(secret, "name"), "", _PULL)
    account = word(part(template, "spec"), "serviceAccountName")
    yield from _named("ServiceAccount", account, "", _PODS)


def _named(kind: str, name: str, key: str, use: str) -> Iterator[Reference]:
    if name:
        yield Reference(kind, name, key, use)


def _trouble(live: Object | None, reference: Reference) -> Finding | None:
    kind, name, key, _ = reference
    if live is None:
        return _lacking(reference, *explaining.lacking(kind, name))
    keys = keys_of(live) if key else None
    if keys is None or key in keys:
        return None
    what, advice = explaining.lacking(kind, name, key)
    ours = word(part(live, "metadata", "labels"), labels.MANAGED_BY) == labels.MANAGER
    return _lacking(reference, what, _GIVE if ours and kind == "Secret" else advice)


def _lacking(reference: Reference, what: str, advice: str) -> Finding:
    verb = "need" if reference.use == _PODS else "needs"
    message = f"{reference.use[0].upper()}{reference.use[1:]} {verb} {what}."
    if reference.use == _PULL:  # the nodes may have other ways to the image
        return warned(message, advice)
    return failed(message, advice)


def keys_of(live: Object) -> frozenset[str] | None:
    """The names of the keys that an object of ConfigMaps' and Secrets' shape has; None: unknown."""
    managers = list(listed(part(live, "metadata"), "managedFields"))
    if not managers:
        return None
    return frozenset(
        name.removeprefix("f:")
        for manager in managers
        for data in _DATA
        for name in part(manager, "fieldsV1", data)
        if name.startswith("f:")
    )
