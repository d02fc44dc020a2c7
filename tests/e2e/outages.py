"""A MongoDB that fails when it is asked to."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from app.embedded import EmbeddedMongo


class _Testable(EmbeddedMongo):
    """With fail points."""

    def _command(self, binary: Path, port: int) -> list[str]:
        return [*super()._command(binary, port), "--setParameter", "enableTestCommands=1"]


class BreakableMongo:
    """One member of a replica set, on data and a port that stay when it is started again."""

    def __init__(self, data_dir: Path, *, oplog_mb: int = 256) -> None:
        self._data_dir = data_dir
        self._oplog_mb = oplog_mb
        self._mongo = self._new()
        self.uri = ""

    async def start(self) -> None:
        """Returns when it takes writes."""
        self._mongo = self._new()
        uri = await self._mongo.__aenter__()
        assert self.uri in {"", uri}
        self.uri = uri

    async def kill(self) -> None:
        """As a power cut would."""
        os.kill(int((self._data_dir / "mongo" / "mongod.pid").read_text()), signal.SIGKILL)
        await self._mongo.wait()
        await self.stop()

    async def stop(self) -> None:
        """Leaves the data."""
        await self._mongo.__aexit__(None, None, None)

    async def command(self, command: str, value: Any = 1, **options: Any) -> dict[str, Any]:
        """A command of an administrator."""
        async with AsyncMongoClient[dict[str, Any]](self.uri) as client:
            return await client.admin.command(command, value, **options)

    @asynccontextmanager
    async def failing(self, *commands: str, namespace: str, **how: Any) -> AsyncIterator[None]:
        """Meanwhile these commands fail on this collection: `errorCode=…`, `closeConnection=…`."""
        data = {"failCommands": commands, "namespace": namespace, **how}
        await self.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
        try:
            yield
        finally:
            await self.command("configureFailPoint", "failCommand", mode="off")

    def _new(self) -> EmbeddedMongo:
        return _Testable(self._data_dir, oplog_mb=self._oplog_mb)
