"""The sandbox cluster beside the server: a process of its own, which ends when the server does."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.settings import Settings

START_SECONDS = 30.0
STOP_SECONDS = 5.0

log = structlog.get_logger("kubeorch")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox cluster that is there. The kubeconfig holds its token."""

    url: str
    kubeconfig: Path


@asynccontextmanager
async def sandbox(settings: Settings) -> AsyncIterator[Sandbox | None]:
    """Runs a sandbox cluster for as long as the block; None when it does not start, which is
    logged: everything else works without it.

    It listens to our end of a pipe: however this process ends, it ends too.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "sandbox", "--port", "0", "--until-stdin-closes"),
        env=_environment() | {"KUBEORCH_DATA_DIR": str(settings.data_dir)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await _ready(process, settings)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Ours without our settings: some are secrets, and none are for it."""
    ours = ("KUBEORCH_", "MONGODB_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


async def _ready(process: asyncio.subprocess.Process, settings: Settings) -> Sandbox | None:
    """What the process says of itself once it accepts connections."""
    url = ""
    try:
        async with asyncio.timeout(START_SECONDS):
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            async for line in process.stdout:
                name, _, value = line.decode().strip().partition(" ")
                url = value.strip() if name == "URL" else url
                if name == "Ctrl-C":
                    return Sandbox(url, settings.data_dir / "sandbox.kubeconfig")
    except TimeoutError:
        pass
    log.warning("the sandbox cluster did not start", code=process.returncode)
    return None
