"""Migrations: each runs once, in order, in a transaction."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from beanie import init_beanie

from app.documents import DOCUMENTS
from app.documents.database import Database
from app.documents.migrating import DIRECTORY, migrate

RENAME = """
from beanie import Document, free_fall_migration, iterative_migration


class Before(Document):
    title: str

    class Settings:
        name = "things"


class After(Document):
    name: str

    class Settings:
        name = "things"


class Forward:
    @iterative_migration()
    async def rename(self, input_document: Before, output_document: After) -> None:
        output_document.name = input_document.title
"""

FAIL = """
from beanie import Document, free_fall_migration


class Thing(Document):
    class Settings:
        name = "things"


class Forward:
    @free_fall_migration(document_models=[Thing])
    async def fail(self, session) -> None:
        await Thing.get_pymongo_collection().delete_many({}, session=session)
        raise ValueError("no further")
"""


@pytest.fixture(autouse=True)
async def own_documents_again(database: Database) -> AsyncIterator[None]:
    yield
    await init_beanie(database.raw, document_models=DOCUMENTS)


async def things(database: Database) -> list[dict[str, object]]:
    return await database.raw["things"].find({}, {"_id": False}).to_list()


async def test_a_migration_runs_forward_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "2030013101_rename.py").write_text(RENAME)
    await database.raw["things"].insert_many([{"title": "one"}, {"title": "two"}])
    assert await migrate(database, tmp_path) == "2030013101_rename.py"
    assert await things(database) == [{"name": "one"}, {"name": "two"}]
    await database.raw["things"].insert_one({"title": "not touched again"})
    assert await migrate(database, tmp_path) == "2030013101_rename.py"
    assert {"title": "not touched again"} in await things(database)


async def test_a_migration_that_fails_changes_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "2030013101_rename.py").write_text(RENAME)
    (tmp_path / "2030013102_fail.py").write_text(FAIL)
    await database.raw["things"].insert_one({"title": "one"})
    with pytest.raises(ValueError, match="no further"):
        await migrate(database, tmp_path)
    assert await things(database) == [{"name": "one"}]
    (tmp_path / "2030013102_fail.py").unlink()
    assert await migrate(database, tmp_path) == "2030013101_rename.py"


async def test_the_programs_own_migrations_run(database: Database) -> None:
    names = sorted(path.name for path in DIRECTORY.glob("[!_]*.py"))
    assert await migrate(database) == (names[-1] if names else None)
