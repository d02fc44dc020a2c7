"""Runs the migrations of `app/documents/migrations` that have not run on this database."""

from pathlib import Path

from beanie.migrations.database import DBHandler
from beanie.migrations.models import MigrationLog, RunningDirections, RunningMode
from beanie.migrations.runner import MigrationNode

from app.documents.database import Database

DIRECTORY = Path(__file__).with_name("migrations")


async def migrate(database: Database, directory: Path = DIRECTORY) -> str | None:
    """Migrates forward, each migration in a transaction of its own, and answers the newest one.

    One process at a time: nobody serves while documents change their form. Beanie's classes belong
    to the migration afterwards, so connect anew before using the program's own.
    """
    # Beanie would open a connection of its own, without our concerns for durability.
    DBHandler.client = database.client  # type: ignore[attr-defined]
    DBHandler.database = database.raw  # type: ignore[attr-defined]
    node = await MigrationNode.build(directory)
    mode = RunningMode(direction=RunningDirections.FORWARD)
    await node.run(mode=mode, allow_index_dropping=False, use_transaction=True)
    newest = await MigrationLog.find_one({"is_current": True})
    return None if newest is None else newest.name
