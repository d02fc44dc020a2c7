"""`kubeorch migrate`: brings stored documents to the form that this version reads."""

import argparse
import asyncio

from app.commands.database import database
from app.documents.database import Database
from app.documents.migrating import migrate
from app.settings import Settings


def parser() -> argparse.ArgumentParser:
    """No options: every migration that has not run is run."""
    return argparse.ArgumentParser(
        prog="kubeorch migrate",
        description="Run the migrations that this database has not seen, each in a transaction. "
        "Stop the servers first: documents change their form.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Migrate; 0 when the database is up to date."""
    newest = asyncio.run(_migrate(settings))
    print(f"The database is up to date{f' with {newest}' if newest else ''}.")
    return 0


async def _migrate(settings: Settings) -> str | None:
    async with database(settings) as connected:
        if connected.mongodb_uri is None:
            raise AssertionError("a connected database has an address")
        uri = connected.mongodb_uri.get_secret_value()
        opened = await Database.connect(uri, connected.database, [])
        try:
            return await migrate(opened)
        finally:
            await opened.close()
