"""DELETE: of one object or of many, with what DeleteOptions say in the body or the query."""

from dataclasses import dataclass
from typing import Any

from app.sandbox.admission.causes import invalid
from app.sandbox.errors import bad_option, bad_request
from app.sandbox.objects import Object
from app.sandbox.resources import Resource
from app.sandbox.web.call import Call, dry_run
from app.sandbox.web.reading import listed, matcher

PROPAGATIONS = ("Orphan", "Background", "Foreground")
ORPHANING = {("batch", "Job")}
"""Kinds whose dependents stay when nobody says otherwise (kubernetes/kubernetes#103449)."""


@dataclass(frozen=True)
class Options:
    """DeleteOptions."""

    propagation: str | None
    grace: int | None
    preconditions: dict[str, str]
    dry_run: bool


async def options(call: Call) -> Options:
    """From the body, and where that is silent from the query; 400 or 422 for nonsense."""
    given = await call.body()
    if given is None:
        given = {}
    if not isinstance(given, dict) or given.get("kind", "DeleteOptions") != "DeleteOptions":
        raise bad_request("the body of a DELETE must be DeleteOptions")
    propagation = given.get("propagationPolicy") or call.query.get("propagationPolicy") or None
    orphan = given.get("orphanDependents")
    if orphan is None and "orphanDependents" in call.query:
        orphan = call.flag("orphanDependents")
    if orphan is not None and propagation is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        raise bad_option("DeleteOptions", invalid("propagationPolicy", propagation, why))
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    if propagation is not None and propagation not in PROPAGATIONS:
        why = 'supported values: "Background", "Foreground", "Orphan"'
        cause = invalid("propagationPolicy", str(propagation)[:40], why)
        raise bad_option("DeleteOptions", cause)
    grace = given.get("gracePeriodSeconds")
    if grace is None:
        grace = call.number("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise bad_request("gracePeriodSeconds must be a whole number")
    return Options(
        propagation,
        grace,
        _preconditions(given.get("preconditions")),
        dry_run(given.get("dryRun") or call.query.get("dryRun")),
    )


async def one(call: Call) -> Object:
    """Delete an object: a `Status` when it is gone, the object while something holds it."""
    asked = await options(call)
    last = _delete(call, call.target.namespace, call.target.name, asked)
    gone = call.cluster.store.get(call.resource, call.target.namespace, call.target.name) is None
    held = last["metadata"].get("finalizers") or last["metadata"].get("deletionGracePeriodSeconds")
    if not gone and (held or not asked.dry_run):
        return last
    return deleted(call.resource, last)


async def many(call: Call) -> Object:
    """Delete what the selectors choose; answers the list of what was there."""
    asked = await options(call)
    matches = matcher(call)
    objects = call.cluster.store.list(call.resource, call.target.namespace)
    chosen = [obj for obj in objects if matches(obj)]
    for obj in chosen:
        metadata = obj["metadata"]
        if call.cluster.store.get(call.resource, metadata.get("namespace"), metadata["name"]):
            _delete(call, metadata.get("namespace"), metadata["name"], asked)
    version = str(call.cluster.store.version)
    return listed(call.resource, {"resourceVersion": version}, chosen)


def deleted(resource: Resource, last: Object) -> Object:
    """The `Status` of a deletion that is done."""
    metadata = last["metadata"]
    details: Object = {"name": metadata["name"], "kind": resource.plural, "uid": metadata["uid"]}
    if resource.group:
        details["group"] = resource.group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def _delete(call: Call, namespace: str | None, name: str, asked: Options) -> Object:
    resource = call.resource
    propagation = asked.propagation
    if propagation is None and (resource.group, resource.kind) in ORPHANING:
        propagation = "Orphan"
        call.warnings.append(
            "child pods are preserved by default when jobs are deleted; set "
            "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to "
            "suppress this warning"
        )
    return call.cluster.store.delete(
        resource,
        namespace,
        name,
        propagation=propagation,
        preconditions=asked.preconditions,
        grace=asked.grace,
        dry_run=asked.dry_run,
    )


def _preconditions(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise bad_request("preconditions must have a uid or a resourceVersion, as text")
    return given
