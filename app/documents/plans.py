"""Plans in MongoDB: those that somebody looked at, until they expire; and plans as text."""

from dataclasses import replace
from datetime import datetime

from bson import ObjectId
from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from app.documents.database import Stored
from app.domain.ids import Id
from app.domain.planning import Consents, Plan
from app.domain.run import RunKind
from app.domain.stored_plan import StoredPlan

_PLAN = TypeAdapter(Plan)
_CONSENTS = TypeAdapter(Consents)


def plan_text(plan: Plan) -> str:
    """The whole plan as JSON."""
    return _PLAN.dump_json(plan, exclude={"hash"}).decode()


def work_text(plan: Plan) -> str:
    """The plan as JSON, without what is only for people: what a worker needs of it."""
    bare = tuple(replace(one, changes=(), risks=()) for one in plan.objects)
    return plan_text(replace(plan, objects=bare, problems=(), missing_secret_keys=()))


def plan_of(text: str) -> Plan:
    """The plan that a text holds."""
    return _PLAN.validate_json(text)


class PlanDocument(Stored):
    """A plan as it is stored."""

    workflow_id: Id
    cluster_id: Id
    namespace: str
    revision: int
    kind: RunKind
    version: int | None = None
    consents: str
    plan: str
    created_by: Id
    created_at: datetime
    expires_at: datetime

    class Settings(Stored.Settings):
        name = "plans"
        indexes = [  # noqa: RUF012
            IndexModel([("expires_at", ASCENDING)], name="expires_ttl", expireAfterSeconds=0)
        ]


class PlanStore:
    """Every query on plans."""

    async def insert(self, stored: StoredPlan) -> None:
        await PlanDocument.get_pymongo_collection().insert_one(
            {
                "_id": ObjectId(stored.id),
                "workflow_id": ObjectId(stored.workflow_id),
                "cluster_id": ObjectId(stored.cluster_id),
                "namespace": stored.namespace,
                "revision": stored.revision,
                "kind": stored.kind.value,
                "version": stored.version,
                "consents": _CONSENTS.dump_json(stored.consents).decode(),
                "plan": plan_text(stored.plan),
                "created_by": ObjectId(stored.created_by),
                "created_at": stored.created_at,
                "expires_at": stored.expires_at,
            }
        )

    async def get(self, id_: Id) -> StoredPlan | None:
        """A plan, expired or not."""
        found = await PlanDocument.get_pymongo_collection().find_one({"_id": ObjectId(id_)})
        if found is None:
            return None
        return StoredPlan(
            id=Id(found["_id"]),
            workflow_id=Id(found["workflow_id"]),
            cluster_id=Id(found["cluster_id"]),
            namespace=found["namespace"],
            revision=found["revision"],
            kind=RunKind(found["kind"]),
            version=found["version"],
            consents=_CONSENTS.validate_json(found["consents"]),
            plan=plan_of(found["plan"]),
            created_by=Id(found["created_by"]),
            created_at=found["created_at"],
            expires_at=found["expires_at"],
        )
