"""Which database a command works with, and whether it is one that we can work with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from app.embedded import EmbeddedMongo
from app.logs import mask_text
from app.mongod import DatabaseUnavailable
from app.settings import Settings

OLDEST = (6, 0)
CONNECT_MILLISECONDS = 5_000


class UnsuitableDatabase(DatabaseUnavailable):
    """MONGODB_URI leads nowhere, or to a database that cannot do what we need."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The MongoDB at MONGODB_URI {what} Set MONGODB_URI to a MongoDB replica set, version "
            f"{OLDEST[0]} or newer; or unset it to use the embedded database."
        )


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a `mongodb_uri` that works, for a command that is not the server.

    That is MONGODB_URI, else the database of the server that runs in this data folder, else that
    of the data folder itself.
    """
    if settings.mongodb_uri is not None:
        await check(settings.mongodb_uri)
        yield settings
    elif running := EmbeddedMongo.running(settings.data_dir):
        yield at(settings, running)
    else:
        async with EmbeddedMongo(settings.data_dir) as uri:
            yield at(settings, uri)


def at(settings: Settings, uri: str) -> Settings:
    """The settings with this database."""
    return settings.model_copy(update={"mongodb_uri": SecretStr(uri)})


async def check(uri: SecretStr) -> str:
    """Return the server's version; raise UnsuitableDatabase when it is no use to us."""
    try:
        async with AsyncMongoClient[dict[str, Any]](
            uri.get_secret_value(), serverSelectionTimeoutMS=CONNECT_MILLISECONDS
        ) as client:
            hello = await client.admin.command("hello")
            build = await client.admin.command("buildInfo")
    except ConfigurationError as error:
        raise UnsuitableDatabase(f"cannot be used: {mask_text(str(error))}.") from error
    except OperationFailure as error:
        raise UnsuitableDatabase(f"refused us: {mask_text(str(error))}.") from error
    except PyMongoError as error:
        reason = mask_text(str(error)).partition(" (configured timeouts")[0]
        raise UnsuitableDatabase(f"cannot be reached: {reason}.") from error
    version = str(build["version"])
    if tuple(build["versionArray"][:2]) < OLDEST:
        raise UnsuitableDatabase(f"is version {version}.")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise UnsuitableDatabase("is no replica set: it has no transactions and change streams.")
    return version
