"""What a worker does with a run, done by hand: its objects are applied, and it ends."""

from datetime import timedelta

from app.bootstrap import utc_now
from app.documents.database import Transaction
from app.documents.inventories import digest_of
from app.documents.plans import plan_of
from app.documents.versions import VersionStore
from app.documents.work import Work
from app.domain.planning import Plan, PlanAction
from app.domain.planning.objects import uid_of
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.kube.applying import apply, delete
from app.kube.vanishing import vanished
from app.services import Services
from app.services.deploying.compiling import compiled
from tests.deploying import There, ledgers, parts

_GONE = frozenset({PlanAction.DELETE, PlanAction.REPLACE})
_THERE = frozenset({PlanAction.CREATE, PlanAction.UPDATE, PlanAction.REPLACE})


async def claimed(services: Services) -> Work:
    """The work that is due, in somebody's hands."""
    now = utc_now()
    work = await ledgers(services).work.claim_due(now=now, until=now + timedelta(hours=1))
    assert work is not None
    return work


async def carried_out(services: Services, there: There, run: WorkflowRun) -> WorkflowRun:
    """The run, COMPLETED: everything that its plan says is done."""
    books, work = ledgers(services), await claimed(services)
    assert work.run_id == run.id
    plan = plan_of(work.plan)
    made = await _done(services, there, run, plan)
    gone = {digest_of(one.key) for one in plan.objects if one.action in _GONE} - made.keys()
    place = (run.workflow_id, run.cluster_id)
    ended = run.model_copy(update={"status": RunStatus.COMPLETED, "completed_at": utc_now()})

    async def end(transaction: Transaction) -> None:
        await books.inventories.note(*place, made=made, gone=gone, transaction=transaction)
        await books.inventories.deployed(
            *place,
            version=None if run.kind is RunKind.UNDEPLOY else run.version,
            workflow_name=work.workflow_name,
            now=utc_now(),
            transaction=transaction,
        )
        await books.work.finish(work, transaction)
        await books.runs.replace(ended, transaction)

    await books.database.transaction(end)
    return ended


async def _done(services: Services, there: There, run: WorkflowRun, plan: Plan) -> dict[str, str]:
    """The uids of what was applied, by the digest of their keys."""
    [workflow] = (await services.workflows.by_ids([run.workflow_id])).values()
    version = await VersionStore().get(run.workflow_id, run.version)
    objects = {}
    if version is not None and run.kind is not RunKind.UNDEPLOY:
        drawn = await compiled(version.canvas, workflow=workflow, namespace=run.namespace)
        objects = {manifest.identity: manifest.object for manifest in drawn.manifests}
    made: dict[str, str] = {}
    async with parts(services).connect(there.known) as client:
        for one in plan.objects:
            key = one.key
            place = {"name": key.name, "namespace": key.namespace}
            named = {"apiVersion": key.api_version, "kind": key.kind, "metadata": place}
            if one.action in _GONE and one.uid is not None:
                await delete(client, named, uid=one.uid)
                assert await vanished(client, key, one.uid, seconds=10)
            if one.action in _THERE:
                applied = await apply(client, objects[key.identity], force=one.force)
                made[digest_of(key)] = uid_of(applied.object) or ""
    return made
