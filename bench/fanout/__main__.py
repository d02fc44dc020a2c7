"""`python -m bench.fanout`: every contestant, in turn, as often as asked; then the table."""

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from app.embedded import EmbeddedMongo
from bench.fanout.contestants import CONTESTANTS, PROJECT, Contestant, Missing, ask
from bench.fanout.documents import EDIT, move
from bench.fanout.figures import Run, resident, table, worked

PROCESSES = 2
"""Of listeners."""
PATIENCE = 180.0
"""Seconds without an event that was written, after which it counts as lost."""
SETTLING = 2.0
"""Seconds before memory is read: what was only needed to begin is given back."""
WARMING = 5
"""Edits before the first that counts."""


class Lost(Exception):
    """Somebody did not get what was theirs."""


@dataclass
class Listeners:
    """The processes that listen."""

    processes: list[asyncio.subprocess.Process]

    @classmethod
    @asynccontextmanager
    async def listening(
        cls, contestant: Contestant, folder: Path, *, subscribers: int, variants: int
    ) -> AsyncIterator["Listeners"]:
        """Starts them, and waits until everybody has a snapshot."""
        shares = [subscribers // PROCESSES] * PROCESSES
        shares[0] += subscribers % PROCESSES
        async with AsyncExitStack() as stack:
            processes = []
            for share in filter(None, shares):
                process = await stack.enter_async_context(_listener(folder))
                processes.append(process)
                told = {
                    "url": contestant.url,
                    "token": contestant.token,
                    "workflow_id": contestant.workflow_id,
                    "size": share,
                    "variants": variants,
                }
                _stdin(process).write(json.dumps(told).encode() + b"\n")
            yield cls(processes)

    async def each(self) -> list[dict[str, Any]]:
        """What each process says next."""
        try:
            async with asyncio.timeout(PATIENCE):
                said = await asyncio.gather(*map(_said, self.processes))
        except TimeoutError:
            raise Lost(f"nothing more came for {PATIENCE:.0f} s") from None
        for each in said:
            if each.get("fault"):
                raise Lost(each["fault"])
        return said

    async def everybody_has(self, seq: int) -> None:
        """Waits for it; nothing else may come."""
        said = [each.get("seq") for each in await self.each()]
        if said != [seq] * len(self.processes):
            raise Lost(f"event {seq} was to come, and {said} came")

    async def end(self) -> list[dict[str, Any]]:
        """What they have written down."""
        for process in self.processes:
            _stdin(process).write(b"end\n")
        told = await self.each()
        await asyncio.gather(*(process.wait() for process in self.processes))
        return told


@asynccontextmanager
async def _listener(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "errors.log").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.fanout.listeners"),
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=2**28,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _stdin(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin


async def _said(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise Lost("a process of listeners has ended")
    said: dict[str, Any] = json.loads(line)
    return said


async def measure(
    contestant: Contestant, mongod: int, folder: Path, options: argparse.Namespace, size: int
) -> Run:
    """One run: subscribe all, edit one by one, each when everybody has the one before."""
    before, mongod_before = resident(contestant.pid), resident(mongod)
    began = time.monotonic()
    listening = Listeners.listening(
        contestant, folder, subscribers=size, variants=options.documents
    )
    async with listening as listeners, httpx.AsyncClient(timeout=PATIENCE) as http:
        http.headers.update(contestant.headers)
        ready = await listeners.each()
        subscribing = time.monotonic() - began
        await asyncio.sleep(SETTLING)
        memory = resident(contestant.pid) - before
        mongod_memory = resident(mongod) - mongod_before

        sent: dict[int, float] = {}
        answers: list[float] = []
        revision, work = 1, (0.0, 0.0)
        seq = ready[0]["seq"]
        for number in range(-WARMING, options.events):
            if number == 0:
                began = time.monotonic()
                work = worked(contestant.pid), worked(mongod)
            seq += 1
            start = time.monotonic()
            given = move(contestant.workflow_id, revision, number)["input"]
            edited = (await ask(http, contestant.url, EDIT, given))["editWorkflow"]
            if number >= 0:
                sent[seq] = start
                answers.append(time.monotonic() - start)
            revision = edited["workflow"]["revision"]
            await listeners.everybody_has(seq)
        took = time.monotonic() - began
        done = worked(contestant.pid) - work[0], worked(mongod) - work[1]
        lag = await _own_histogram(http, contestant)
        told = await listeners.end()

    arrivals = {s: [t for each in told for t in each["arrivals"][str(s)]] for s in sent}
    for s, times in arrivals.items():
        if len(times) != size:
            raise Lost(f"event {s} came {len(times)} times for {size} subscribers")
    if lag:
        print(f"    {lag}")
    written = {s: datetime.fromisoformat(told[0]["at"][str(s)]).timestamp() for s in sent}
    offset = told[0]["offset"]
    return Run(
        subscribers=size,
        seconds_to_subscribe=subscribing,
        bytes_per_subscriber=memory / size,
        mongod_bytes_per_subscriber=mongod_memory / size,
        sent_to_socket=sorted(t - sent[s] for s in sent for t in arrivals[s]),
        written_to_socket=sorted(t + offset - written[s] for s in sent for t in arrivals[s]),
        last_to_hear=[max(arrivals[s]) - sent[s] for s in sent],
        answers=answers,
        server_work=done[0] / options.events,
        mongod_work=done[1] / options.events,
        listeners_work=sum(e["cpu"] - r["cpu"] for e, r in zip(told, ready, strict=True))
        / (options.events + WARMING),
        events_per_second=options.events / took,
    )


async def _own_histogram(http: httpx.AsyncClient, contestant: Contestant) -> str:
    """What the server itself has counted, where it does."""
    answer = await http.get(contestant.url.replace("/graphql", "/metrics"))
    name = "kubeorch_stream_lag_seconds"
    buckets = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', answer.text, re.MULTILINE)
    if answer.status_code != 200 or not buckets:
        return ""
    total = float(buckets[-1][1])
    most = next(le for le, count in buckets if float(count) >= 0.99 * total)
    spent = re.search(rf"^{name}_sum (\S+)$", answer.text, re.MULTILINE)
    mean = float(spent[1]) / total if spent else 0.0
    return f"its own histogram: mean {mean * 1e3:.1f} ms, 99 % within {float(most) * 1e3:g} ms"


async def compare(options: argparse.Namespace) -> dict[str, list[Run]]:
    """All runs, by contestant; one that cannot run is said and left out."""
    runs: dict[str, list[Run]] = {name: [] for name in options.contestants}
    memory = Path("/dev/shm")  # noqa: S108
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="kubeorch-fanout-", dir=parent) as name:
        home = Path(name)
        async with EmbeddedMongo(home, cache_gb=1.0) as uri:
            mongod = int((home / "mongo" / "mongod.pid").read_text())
            for number in range(options.rounds):
                for contestant in [c for c in runs if runs[c] or number == 0]:
                    folder = home / f"{contestant}{number}"
                    folder.mkdir()
                    size = options.plain if contestant == "plain" else options.subscribers
                    print(f"round {number + 1}: {contestant}, {size:,} subscribers", flush=True)
                    try:
                        start = CONTESTANTS[contestant]
                        async with start(uri, f"{contestant}{number}", folder) as server:
                            run = await measure(server, mongod, folder, options, size)
                    except (Missing, Lost) as error:
                        errors = (folder / "errors.log").read_text()[-1000:]
                        print(f"    left out: {error}\n{errors}", flush=True)
                        continue
                    runs[contestant].append(run)
                    last = 1e3 * statistics.median(run.last_to_hear)
                    print(f"    everybody has an edit {last:.0f} ms after it is sent", flush=True)
    return runs


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fanout")
    parser.add_argument("--subscribers", type=int, default=2_000)
    parser.add_argument("--plain", type=int, help="subscribers of plain, when it cannot have all")
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--documents", type=int, default=1, help="that many differ among the subscribers"
    )
    parser.add_argument(
        "--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), dest="contestants"
    )
    given = parser.parse_args()
    given.plain = given.plain or given.subscribers
    return given


def main() -> int:
    """Prints the table; 1 when somebody did not get every event."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # What is started inherits it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    given = options()
    runs = asyncio.run(compare(given))
    print()
    print("\n".join(table(runs)))
    return int(any(len(each) < given.rounds for each in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
