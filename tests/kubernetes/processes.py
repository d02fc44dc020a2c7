"""Programs that serve until they are stopped, and are waited for until they do."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_PATIENCE = 60.0
"""Seconds that a program has to be ready."""

_STOPPING = 20.0
"""Seconds that it has to stop before it is killed."""

_LAST_WORDS = 4000


class NotServing(Exception):
    """A program ended, or took too long. It says what the program wrote last."""


@asynccontextmanager
async def serving(
    command: Sequence[str | Path],
    log: Path,
    is_ready: Callable[[], Awaitable[bool]],
    *,
    patience: float = _PATIENCE,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program while the block runs, which begins when the program is ready."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), stdout=output, stderr=output, stdin=asyncio.subprocess.DEVNULL
        )
    ended = asyncio.create_task(process.wait())
    try:
        await _ready(Path(command[0]).name, ended, log, is_ready, patience)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, pending = await asyncio.wait({ended}, timeout=_STOPPING)
        if pending:
            process.kill()
            await ended


async def _ready(
    name: str,
    ended: asyncio.Task[int],
    log: Path,
    is_ready: Callable[[], Awaitable[bool]],
    patience: float,
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while not await is_ready():
        # Nobody announces that a port is open, so it is asked for, until the program ends.
        done, _ = await asyncio.wait({ended}, timeout=0.1)
        words = log.read_text(errors="replace")[-_LAST_WORDS:]
        if done:
            raise NotServing(f"{name} ended with {ended.result()}:\n{words}")
        if loop.time() > deadline:
            raise NotServing(f"{name} was not ready within {patience:g} s:\n{words}")


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
