"""Runs in MongoDB."""

from collections.abc import Sequence

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.documents.database import Stored
from app.domain.ids import Id
from app.domain.workflow import WorkflowRun


class RunDocument(WorkflowRun, Stored):
    """A run as it is stored."""

    class Settings(Stored.Settings):
        name = "workflow_runs"
        indexes = [  # noqa: RUF012
            IndexModel([("workflow_id", ASCENDING), ("_id", DESCENDING)], name="workflow_newest")
        ]


class RunStore:
    """Every query on runs."""

    async def insert(self, run: WorkflowRun) -> None:
        await RunDocument.model_construct(None, **dict(run)).insert()

    async def by_ids(self, ids: Sequence[Id]) -> list[WorkflowRun]:
        wanted = [ObjectId(id_) for id_ in ids]
        return list(await RunDocument.find({"_id": {"$in": wanted}}).to_list())

    async def newest(self, workflow_ids: Sequence[Id]) -> list[WorkflowRun]:
        """The newest run of each workflow that has one, in one command."""
        found = await RunDocument.get_pymongo_collection().aggregate(
            [
                {"$match": {"workflow_id": {"$in": [ObjectId(id_) for id_ in workflow_ids]}}},
                {"$sort": {"workflow_id": 1, "_id": -1}},
                {"$group": {"_id": "$workflow_id", "run": {"$first": "$$ROOT"}}},
            ]
        )
        return [RunDocument.model_validate(group["run"]) async for group in found]
