"""The real server in a process of its own, as a newcomer would start it."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

PROJECT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds that a start or a stop may take before the test gives up."""

_BYTECODE = tempfile.mkdtemp(prefix="kubeorch-bytecode-")
"""Compiling every module anew would be most of a start, where the environment asks for that."""
_STARTING = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": _BYTECODE}
atexit.register(shutil.rmtree, _BYTECODE, ignore_errors=True)


@dataclass(frozen=True)
class RunningServer:
    """A server that accepts connections, and what it wrote to `demo.json`."""

    process: asyncio.subprocess.Process
    data_dir: Path
    seconds_to_ready: float
    url: str
    email: str
    password: str
    workflow_id: str

    @classmethod
    async def start(cls, data_dir: Path, **settings: str) -> Self:
        """Start it on a free port; `settings` are environment variables."""
        began = time.perf_counter()
        process = await launch(data_dir, **settings)
        assert process.stdout is not None
        url = ""
        async with asyncio.timeout(PATIENCE):
            async for line in process.stdout:
                if b" GraphiQL " in line:
                    url = line.split()[-1].decode()
                elif line.startswith(b"Ctrl-C"):
                    break
            else:
                raise AssertionError(f"The server did not start:\n{log(data_dir)}")
        ready = time.perf_counter() - began
        demo = json.loads((data_dir / "demo.json").read_text())
        return cls(
            process=process,
            data_dir=data_dir,
            seconds_to_ready=ready,
            url=url,  # servers that share a folder share its `demo.json`, but for the address
            email=demo["email"],
            password=demo["password"],
            workflow_id=demo["workflowId"],
        )

    @property
    def base_url(self) -> str:
        """Where `/healthz` is."""
        return self.url.removesuffix("/graphql")

    @property
    def ws_url(self) -> str:
        """The endpoint for websockets."""
        return self.url.replace("http", "ws", 1)

    @property
    def port(self) -> int:
        """Its TCP port."""
        return int(self.base_url.rpartition(":")[2])

    async def metrics(self) -> Counter[str]:
        """What it counts of itself, by name and labels as in `/metrics`."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{self.base_url}/metrics")).text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        pairs = (line.rsplit(" ", 1) for line in lines)
        return Counter({name: float(value) for name, value in pairs})

    async def until(self, name: str, value: float) -> None:
        """Returns when a metric has this value. Polls: nothing tells of it."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := (await self.metrics())[name]) != value:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{name} is {found}, and should be {value}") from None

    async def kill(self) -> None:
        """As a crash would: it has no say in it."""
        self.process.kill()
        await self.process.wait()

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


SERVE = ("serve", "--port", "0")


async def launch(
    data_dir: Path, *options: str, command: Sequence[str] = SERVE, **settings: str
) -> asyncio.subprocess.Process:
    """`kubeorch serve` on a free port, with nothing of this machine's settings but `settings`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("KUBEORCH_", "MONGODB_"))}
    with (data_dir / "server.log").open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", *command, *options),
            cwd=PROJECT,
            env=ours | _STARTING | {"KUBEORCH_DATA_DIR": str(data_dir)} | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )


def log(data_dir: Path) -> str:
    """What the servers on this folder have logged."""
    return (data_dir / "server.log").read_text()
