"""Services on a real database, and people to use them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pydantic import SecretStr
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from app.bootstrap import bootstrap
from app.domain.events import workflow_stream
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow
from app.services import Services
from app.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def settings(mongodb_uri: str, database_name: str, tmp_path: Path) -> Settings:
    return Settings(
        mongodb_uri=SecretStr(mongodb_uri),
        database=database_name,
        data_dir=tmp_path,
        bcrypt_rounds=4,
        background=False,
    )


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with bootstrap(settings) as wired:
        yield wired


async def sign_up(services: Services, name: str) -> Actor:
    """A new person, signed in."""
    signed_in = await services.accounts.register(
        name=name, email=f"{name}@example.com", password=PASSWORD, address="127.0.0.1"
    )
    access = await services.accounts.actor_of(signed_in.session.access_token)
    return access.actor


@pytest.fixture
async def owner(services: Services) -> Actor:
    return await sign_up(services, "owner")


@pytest.fixture
async def stranger(services: Services, owner: Actor) -> Actor:
    return await sign_up(services, "stranger")


class Behind:
    """What can happen to a workflow's documents behind the services' back."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], workflow: WorkflowRow) -> None:
        self._database = database
        self._workflow = workflow

    async def forget_events(self, *, up_to: int) -> None:
        """What the TTL does to old events."""
        stream = workflow_stream(self._workflow.id)
        await self._database["events"].delete_many({"stream": stream, "seq": {"$lte": up_to}})

    async def spoil_events(self) -> None:
        """Puts something into the outbox that no version of the program has written."""
        await self._database["events"].insert_one({"stream": "nobody's", "seq": 1})

    async def take_version(self, number: int) -> None:
        """Makes the next insert of this version fail."""
        await self._database["workflow_versions"].insert_one(
            {"workflow_id": ObjectId(self._workflow.id), "number": number}
        )


@pytest.fixture
def behind(
    mongodb: AsyncMongoClient[dict[str, Any]], database_name: str
) -> Callable[[WorkflowRow], Behind]:
    return lambda workflow: Behind(mongodb[database_name], workflow)
