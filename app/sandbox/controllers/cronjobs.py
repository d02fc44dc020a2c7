"""CronJobs: Jobs at their times, which are those of our clocks, however fast the cluster is."""

from datetime import datetime, timedelta

from app.sandbox.controllers import timetable
from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import stamp
from app.sandbox.world import World
from app.sandbox.world.references import controlled, reference
from app.sandbox.world.telling import tell

SOURCE = "cronjob-controller"
_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Begin a Job when its time has come, forget old ones, and say when and which."""
    if is_leaving(obj):
        return
    jobs = controlled(world, obj, "Job")
    if not obj["spec"].get("suspend"):
        made = _fire(world, resource, obj, jobs)
        jobs += [made] if made is not None else []
    else:
        world.remembered(obj).pop("next", None)
    _forget(world, resource, obj, jobs)
    _say(world, resource, obj, jobs)


def outcome(job: Object) -> str:
    """`Complete` or `Failed`; empty while it runs."""
    for each in job.get("status", {}).get("conditions") or ():
        if each["type"] in ("Complete", "Failed") and each["status"] == "True":
            return str(each["type"])
    return ""


def _fire(world: World, resource: Resource, obj: Object, jobs: list[Object]) -> Object | None:
    spec, memory, now = obj["spec"], world.remembered(obj), world.store.now()
    plan = (spec["schedule"], spec.get("timeZone"))
    due: datetime | None
    planned, due = memory.get("next", (None, None))
    if planned != plan:
        due = timetable.after(plan[0], now, plan[1])
    made = None
    if due is not None and due <= now:
        made = _begin(world, resource, obj, jobs, due)
        memory["last"] = stamp(due)
        due = timetable.after(plan[0], now, plan[1])
    memory["next"] = (plan, due)
    if due is not None:
        world.after((due - now) / timedelta(seconds=1) * world.speed, resource, obj)
    return made


def _begin(
    world: World, resource: Resource, obj: Object, jobs: list[Object], due: datetime
) -> Object | None:
    active = [job for job in jobs if not outcome(job)]
    policy = obj["spec"].get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and active:
        text = "Not starting job because prior execution is running and concurrency policy is "
        tell(world, resource, obj, "JobAlreadyActive", f"{text}Forbid", source=SOURCE)
        return None
    if policy == "Replace":
        for job in active:
            world.delete(world.of("Job"), job, propagation="Background")
    template = copied(obj["spec"]["jobTemplate"])
    metadata = template.get("metadata") or {}
    name = f"{obj['metadata']['name'][:52]}-{int(due.timestamp()) // 60}"
    namespace = obj["metadata"]["namespace"]
    if world.get("Job", namespace, name) is not None:
        return None
    annotations = {**(metadata.get("annotations") or {}), _SCHEDULED: stamp(due)}
    made = world.create(
        world.of("Job"),
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": metadata.get("labels") or {},
                "annotations": annotations,
                "ownerReferences": [reference(resource, obj)],
            },
            "spec": template["spec"],
        },
    )
    if made is not None:
        tell(world, resource, obj, "SuccessfulCreate", f"Created job {name}", source=SOURCE)
    return made


def _forget(world: World, resource: Resource, obj: Object, jobs: list[Object]) -> None:
    for ended, field, kept in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        over = sorted(
            (job for job in jobs if outcome(job) == ended),
            key=lambda job: str(job["metadata"]["creationTimestamp"]),
        )
        extra = len(over) - obj["spec"].get(field, kept)
        for job in over[: max(extra, 0)]:
            world.delete(world.of("Job"), job, propagation="Background")
            text = f"Deleted job {job['metadata']['name']}"
            tell(world, resource, obj, "SuccessfulDelete", text, source=SOURCE)


def _say(world: World, resource: Resource, obj: Object, jobs: list[Object]) -> None:
    before = obj.get("status", {})
    active = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job["metadata"]["name"],
            "namespace": job["metadata"]["namespace"],
            "uid": job["metadata"]["uid"],
            "resourceVersion": job["metadata"]["resourceVersion"],
        }
        for job in jobs
        if not outcome(job)
    ]
    done = [job["status"].get("completionTime", "") for job in jobs if outcome(job) == "Complete"]
    status = {
        "active": active,
        "lastScheduleTime": world.remembered(obj).get("last") or before.get("lastScheduleTime"),
        "lastSuccessfulTime": max([*done, before.get("lastSuccessfulTime") or ""]),
    }
    kept = {name: value for name, value in status.items() if value}
    same = {**before, "active": [each["uid"] for each in before.get("active") or ()]}
    if {**kept, "active": [each["uid"] for each in active]} != same:
        world.status(resource, obj, kept)
