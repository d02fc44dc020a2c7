"""What may stand in Deployments and their like, Jobs, CronJobs and HPAs."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission import names, pods, schedule
from app.sandbox.admission.causes import (
    choice,
    forbidden,
    invalid,
    malformed,
    one_of,
    required,
    unsupported,
)
from app.sandbox.admission.numbers import at_least, nothing, share
from app.sandbox.admission.storage import claim_spec
from app.sandbox.errors import Cause
from app.sandbox.formats import dns_label
from app.sandbox.objects import Object
from app.sandbox.selectors import from_label_selector

Given = Mapping[str, Any]


def pod(obj: Object) -> Iterator[Cause]:
    """A Pod."""
    yield from pods.spec(obj["spec"], "spec")


def _selecting(obj: Object, *, policy: bool = True, volumes: bool = False) -> Iterator[Cause]:
    spec = obj["spec"]
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector is None:
        yield required("spec.selector")
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {_what(obj)}")
    else:
        wrong = list(names.selector(selector, "spec.selector"))
        yield from wrong
        if not wrong and not from_label_selector(selector).matches(labels):
            why = "`selector` does not match template `labels`"
            yield invalid("spec.template.metadata.labels", labels, why)
    yield from _template(template, "spec.template", volumes=volumes)
    if policy and (found := (template.get("spec") or {}).get("restartPolicy")) != "Always":
        yield unsupported("spec.template.spec.restartPolicy", found, ("Always",))
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        if spec.get(field) is not None:
            yield from at_least(spec[field], 0, f"spec.{field}")


def _what(obj: Object) -> str:
    return str(obj["kind"][0].lower() + obj["kind"][1:])


def _template(template: Given, path: str, *, volumes: bool = False) -> Iterator[Cause]:
    yield from names.template_metadata(template.get("metadata") or {}, f"{path}.metadata")
    yield from pods.spec(template.get("spec") or {}, f"{path}.spec", volumes_elsewhere=volumes)


def deployment(obj: Object) -> Iterator[Cause]:
    """A Deployment."""
    yield from _selecting(obj)
    spec = obj["spec"]
    strategy, path = spec["strategy"], "spec.strategy"
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", why)
    elif strategy["type"] == "RollingUpdate":
        yield from _rolling(rolling or {}, f"{path}.rollingUpdate")
    else:
        yield unsupported(f"{path}.type", strategy["type"], ("Recreate", "RollingUpdate"))
    deadline = spec["progressDeadlineSeconds"]
    yield from at_least(deadline, 0, "spec.progressDeadlineSeconds")
    if deadline <= spec.get("minReadySeconds", 0):
        why = "must be greater than minReadySeconds"
        yield invalid("spec.progressDeadlineSeconds", deadline, why)


def _rolling(rolling: Given, path: str) -> Iterator[Cause]:
    surge, unavailable = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 0)
    yield from share(unavailable, f"{path}.maxUnavailable")
    yield from share(surge, f"{path}.maxSurge")
    if nothing(surge) and nothing(unavailable):
        why = "may not be 0 when `maxSurge` is 0"
        yield invalid(f"{path}.maxUnavailable", unavailable, why)


def replica_set(obj: Object) -> Iterator[Cause]:
    """A ReplicaSet."""
    yield from _selecting(obj)


def daemon_set(obj: Object) -> Iterator[Cause]:
    """A DaemonSet."""
    yield from _selecting(obj)
    strategy = obj["spec"]["updateStrategy"]
    if strategy["type"] not in ("RollingUpdate", "OnDelete"):
        path = "spec.updateStrategy.type"
        yield unsupported(path, strategy["type"], ("RollingUpdate", "OnDelete"))
    elif strategy["type"] == "RollingUpdate":
        yield from _rolling(strategy["rollingUpdate"], "spec.updateStrategy.rollingUpdate")


def stateful_set(obj: Object) -> Iterator[Cause]:
    """A StatefulSet."""
    yield from _selecting(obj, volumes=True)
    spec = obj["spec"]
    if spec.get("serviceName"):
        yield from malformed(dns_label, spec["serviceName"], "spec.serviceName")
    policy = spec["podManagementPolicy"]
    yield from choice(policy, ("OrderedReady", "Parallel"), "spec.podManagementPolicy")
    if spec["updateStrategy"]["type"] not in ("RollingUpdate", "OnDelete"):
        why = "must be 'RollingUpdate' or 'OnDelete'"
        yield invalid("spec.updateStrategy", spec["updateStrategy"], why)
    for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{i}].spec")


def _job_spec(spec: Given, path: str) -> Iterator[Cause]:
    yield from _template(spec.get("template") or {}, f"{path}.template")
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        why = 'valid values: "OnFailure", "Never"'
        yield required(f"{path}.template.spec.restartPolicy", why)
    for field, least in {
        "parallelism": 0,
        "completions": 0,
        "backoffLimit": 0,
        "activeDeadlineSeconds": 0,
        "ttlSecondsAfterFinished": 0,
        "backoffLimitPerIndex": 0,
    }.items():
        yield from at_least(spec.get(field), least, f"{path}.{field}")
    mode = spec.get("completionMode")
    if mode not in (None, "NonIndexed", "Indexed"):
        yield unsupported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")


def job(obj: Object) -> Iterator[Cause]:
    """A Job."""
    yield from _job_spec(obj["spec"], "spec")
    name = obj["metadata"]["name"]
    if len(name) > 63:
        yield invalid("spec.template.labels", name, "must be no more than 63 characters")
    spec = obj["spec"]
    if spec.get("completionMode") == "Indexed" and spec.get("completions"):
        longest = f"{name}-{spec['completions'] - 1}"
        if len(longest) > 63:
            why = f"will not able to create pod with invalid DNS label: {longest}"
            yield invalid("metadata.name", name, why)


def cron_job(obj: Object) -> Iterator[Cause]:
    """A CronJob."""
    spec = obj["spec"]
    text = spec.get("schedule", "")
    if not text:
        yield required("spec.schedule")
    elif "TZ" in text:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid("spec.schedule", text, why)
    elif wrong := schedule.mistake(text):
        yield invalid("spec.schedule", text, wrong)
    if (zone := spec.get("timeZone")) is not None and (unknown := schedule.zone(zone)):
        yield invalid("spec.timeZone", zone, unknown)
    policy = spec["concurrencyPolicy"]
    yield from choice(policy, ("Allow", "Forbid", "Replace"), "spec.concurrencyPolicy")
    for field in (
        "startingDeadlineSeconds",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    ):
        yield from at_least(spec.get(field), 0, f"spec.{field}")
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def autoscaler(obj: Object) -> Iterator[Cause]:
    """A HorizontalPodAutoscaler."""
    spec = obj["spec"]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    yield from at_least(least, 1, "spec.minReplicas")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    elif most < least:
        why = "must be greater than or equal to `minReplicas`"
        yield invalid("spec.maxReplicas", most, why)
    target = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not target.get(field):
            yield required(f"spec.scaleTargetRef.{field}")
    for i, metric in enumerate(spec["metrics"]):
        yield from _metric(metric, f"spec.metrics[{i}]")
    for side, rules in (spec.get("behavior") or {}).items():
        path = f"spec.behavior.{side}"
        window = rules.get("stabilizationWindowSeconds")
        if window is not None and not 0 <= window <= 3600:
            yield from at_least(window, 0, f"{path}.stabilizationWindowSeconds")
            if window > 3600:
                why = "must be less than or equal to 3600"
                yield invalid(f"{path}.stabilizationWindowSeconds", window, why)
        for k, step in enumerate(rules.get("policies") or ()):
            if step.get("value", 0) <= 0:
                where = f"{path}.policies[{k}].value"
                yield invalid(where, step.get("value", 0), "must be greater than zero")
            if not 1 <= step.get("periodSeconds", 0) <= 1800:
                where, seconds = f"{path}.policies[{k}].periodSeconds", step.get("periodSeconds", 0)
                limit = "greater than zero" if seconds < 1 else "less than or equal to 1800"
                yield invalid(where, seconds, f"must be {limit}")


_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metric(metric: Given, path: str) -> Iterator[Cause]:
    kind = metric.get("type")
    if kind not in _SOURCES:
        yield unsupported(f"{path}.type", kind, _SOURCES)
        return
    source = metric.get(_SOURCES[kind])
    if source is None:
        why = "must populate information for the given metric source"
        yield required(f"{path}.{_SOURCES[kind]}", why)
        return
    target = source.get("target") or {}
    where = f"{path}.{_SOURCES[kind]}.target"
    if not target.get("type"):
        yield required(f"{where}.type", "must specify a metric target type")
    if not one_of(target, ("averageUtilization", "averageValue", "value")):
        why = "must set either a target raw value or a target utilization"
        yield required(f"{where}.averageUtilization", why)
    if target.get("averageUtilization") is not None and target["averageUtilization"] < 1:
        path_of = f"{where}.averageUtilization"
        yield invalid(path_of, target["averageUtilization"], "must be greater than 0")


def disruption_budget(obj: Object) -> Iterator[Cause]:
    """A PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    given = one_of(spec, ("minAvailable", "maxUnavailable"))
    if len(given) > 1:
        why = "minAvailable and maxUnavailable cannot be both set"
        yield invalid("spec", spec, why)
    for field in given:
        yield from share(spec[field], f"spec.{field}")
    yield from names.selector(spec.get("selector"), "spec.selector")
