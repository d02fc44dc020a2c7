"""The embedded database: a real MongoDB as a replica set of one, in a folder of its own.

A newcomer needs nothing but `make serve`, and still gets what production has: transactions,
change streams and journaled majority writes. See docs/adr for why it is not an imitation.
"""

import asyncio
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, OperationFailure

from app import mongod

REPLICA_SET = "kubeorch"
START_SECONDS = 120.0
"""Recovery after a crash replays the journal, which may take a while on a slow disk."""

_ADDRESS_IN_USE = 48  # mongod's exit code
_NOT_YET_INITIALIZED = 94  # the server's error code
_PORT_ATTEMPTS = 3


class DataDirInUse(mongod.DatabaseUnavailable):
    """Another live server holds the data folder."""

    def __init__(self, data_dir: Path, owner: str) -> None:
        super().__init__(
            f"The data folder {data_dir} is in use by another kubeorch server (process {owner}). "
            "Stop that one first, or give this one a folder of its own with KUBEORCH_DATA_DIR."
        )


class MongodFailed(mongod.DatabaseUnavailable):
    """The database did not start; the message has its exit code, its reason and its log."""

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(f"The embedded MongoDB {what}. {_reason(log)}Its log is {log}.")


class EmbeddedMongo:
    """`async with EmbeddedMongo(data_dir) as uri:` runs a mongod for as long as the block.

    Data, log and process id are kept under `<data_dir>/mongo`. Raises MongodMissing,
    DataDirInUse or MongodFailed, each with what to do.
    """

    def __init__(self, data_dir: Path, *, cache_gb: float = 0.25, oplog_mb: int = 256) -> None:
        """`cache_gb` and `oplog_mb` bound its memory and its history; both suit a laptop."""
        self._home = data_dir.resolve() / "mongo"
        self._data = self._home / "db"
        self.log = self._home / "mongod.log"
        self._cache_gb = cache_gb
        self._oplog_mb = oplog_mb
        self._stack = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> str:
        binary = mongod.find_mongod()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data.mkdir(exist_ok=True)
        async with AsyncExitStack() as stack:
            stack.enter_context(_exclusive(self._home))
            await self._stop_orphan()
            port = await self._start(binary, stack)
            try:
                async with asyncio.timeout(START_SECONDS):
                    await _become_primary(port)
            except TimeoutError as error:
                raise MongodFailed(
                    f"was not ready after {START_SECONDS:.0f} s", self.log
                ) from error
            self._stack = stack.pop_all()
        return _uri(port)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @classmethod
    def running(cls, data_dir: Path) -> str | None:
        """The URI of the database that a live server runs in `data_dir`, if one does."""
        instance = cls(data_dir)
        if not instance._home.is_dir():
            return None
        try:
            with _exclusive(instance._home):
                return None
        except DataDirInUse:
            return _uri(_number(instance._port_file))

    async def wait(self) -> int:
        """Return mongod's exit code when it has ended, asked or not."""
        if self._process is None:
            raise RuntimeError("the database was not started")
        return await self._process.wait()

    @property
    def _port_file(self) -> Path:
        return self._home / "port"

    @property
    def _pid_file(self) -> Path:
        return self._home / "mongod.pid"

    async def _stop_orphan(self) -> None:
        """Stop the mongod of a server that was killed: it still holds our data.

        `mongod.lock` has the id too, for a server that was killed before it wrote `mongod.pid`.
        """
        for file in (self._pid_file, self._data / "mongod.lock"):
            pid = _number(file)
            if pid and mongod.is_mongod_of(pid, self._data):
                await mongod.stop_stranger(pid)
        self._pid_file.unlink(missing_ok=True)

    async def _start(self, binary: Path, stack: AsyncExitStack) -> int:
        """Start mongod and return its port, once it accepts connections."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        stack.callback(self._pid_file.unlink, missing_ok=True)
        for attempt in range(_PORT_ATTEMPTS):
            port = _free_port(_number(self._port_file) if attempt == 0 else 0)
            process = await mongod.start(self._command(binary, port), self.log)
            stack.push_async_callback(mongod.stop, process)
            self._pid_file.write_text(str(process.pid))
            self._port_file.write_text(str(port))
            try:
                async with asyncio.timeout(START_SECONDS):
                    accepts = await _accepts(process, port)
            except TimeoutError as error:
                raise MongodFailed(
                    f"did not listen after {START_SECONDS:.0f} s", self.log
                ) from error
            if accepts:
                self._process = process
                return port
            if process.returncode != _ADDRESS_IN_USE:
                break
        raise MongodFailed(f"ended with code {process.returncode} while starting", self.log)

    def _command(self, binary: Path, port: int) -> list[str]:
        options = {
            "--dbpath": str(self._data),
            "--replSet": REPLICA_SET,
            "--bind_ip": "127.0.0.1",
            "--port": str(port),
            "--oplogSize": str(self._oplog_mb),
            "--wiredTigerCacheSizeGB": str(self._cache_gb),
            # Three preallocated files of 100 MB are a lot for a first look.
            "--wiredTigerEngineConfigString": "log=(file_max=64MB,prealloc=false)",
        }
        words = [word for option in options.items() for word in option]
        # Its own measurements would be written every second, for nobody to read.
        words += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        # What is dropped stays open as long as somebody might read the past; nobody does here.
        words += ["--setParameter", "minSnapshotHistoryWindowInSeconds=5"]
        # A lone member has nobody to hand its clients to, so it need not wait for them to leave.
        words += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=500"]
        return [str(binary), "--nounixsocket", "--quiet", *words]


def _uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}&w=majority&journal=true"


@contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go of it however the process ends."""
    with (home / "server.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise DataDirInUse(home.parent, file.read().strip() or "unknown") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _number(file: Path) -> int:
    """The number in `file`; 0 when there is none, or a crash left half of it."""
    text = file.read_text().strip() if file.is_file() else ""
    return int(text) if text.isdecimal() else 0


def _free_port(wanted: int) -> int:
    """`wanted` when it is free, so that the replica set keeps its address; else another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _accepts(process: asyncio.subprocess.Process, port: int) -> bool:
    """Wait until mongod accepts connections; False when it ended instead.

    Polls: the only sign mongod gives of having opened its port is that port.
    """
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return True
    return False


async def _become_primary(port: int) -> None:
    """Make the member at `port` the whole replica set, and wait until it takes writes."""
    host = f"127.0.0.1:{port}"
    async with AsyncMongoClient[dict[str, Any]](host, directConnection=True) as client:
        while True:
            try:
                await _configure(client.admin, host)
                hello = await client.admin.command("hello")
                while not hello["isWritablePrimary"]:
                    # The server answers as soon as something has changed.
                    hello = await client.admin.command(
                        "hello", topologyVersion=hello["topologyVersion"], maxAwaitTimeMS=1_000
                    )
            except AutoReconnect:
                # A member that changes its role closes its connections.
                continue
            return


async def _configure(admin: AsyncDatabase[dict[str, Any]], host: str) -> None:
    """A new set is initiated, one with another address corrected, else nothing is done."""
    members = [{"_id": 0, "host": host}]
    try:
        config = (await admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        await admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if config["members"][0]["host"] != host:
        # The port of the last run was taken. Only force works on a set that does not find itself
        # under its old address.
        config |= {"members": members, "version": config["version"] + 1}
        await admin.command("replSetReconfig", config, force=True)


def _reason(log: Path) -> str:
    """The first error in the log as one sentence, what follows is its echo; empty without one."""
    said = ""
    for line in log.read_text(errors="replace").splitlines() if log.is_file() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            # Not mongod's own words: the linker's, or those of the interpreter in front of it.
            said = line.strip() or said
            continue
        if entry["s"] in {"E", "F"}:
            said = f"{entry['msg'].strip()} {json.dumps(entry.get('attr', {}))[:500]}"
            break
    return f"It said: {said}. " if said else ""
