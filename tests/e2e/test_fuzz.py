"""Documents of all sorts: no 500, no traceback, nothing slow, no growing memory.

Twenty thousand of them in full, a tenth otherwise.
"""

import os
import time
from pathlib import Path

import httpx
import pytest
from graphql import build_schema

import schema
from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.documents import Writer

FULL = bool(os.environ.get("KUBEORCH_SOAK"))
COUNT = 20_000 if FULL else 2_000
SLOWEST = 1.0
"""Seconds."""
GROWTH = 64
"""MiB between the first tenth, when caches fill, and the end."""


def memory(pid: int) -> int:
    """Resident MiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


@pytest.mark.soak
async def test_twenty_thousand_documents(start_server: StartServer) -> None:
    # Password hashes take their time on purpose, and two of them are not what is looked for here.
    server = await start_server(KUBEORCH_BCRYPT_ROUNDS="10")
    slowest: tuple[float, bytes] = (0.0, b"")
    statuses: dict[int, int] = {}
    settled = 0
    async with httpx.AsyncClient(timeout=30) as http:
        nobody = Client(http, server.url)
        known = await Client.sign_in(http, server)
        writer = Writer(build_schema(schema.sdl()), seed=7, ids=[server.workflow_id, "0" * 24])
        for number in range(COUNT):
            body = writer.body()
            caller = known if number % 3 else nobody
            headers = {"Content-Type": "application/json"}
            if caller.token:
                headers["Authorization"] = f"Bearer {caller.token}"
            began = time.perf_counter()
            response = await http.post(server.url, content=body, headers=headers)
            took = time.perf_counter() - began
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            slowest = max(slowest, (took, body))
            text = response.text
            assert response.status_code < 500, (body[:2000], text[:2000])
            assert "Traceback" not in text, (body[:2000], text[:2000])
            assert '"INTERNAL"' not in text, (body[:2000], text[:2000])
            assert text.startswith("{"), (body[:2000], text[:2000])
            assert took < SLOWEST, (took, body[:2000], text[:500])
            if number == COUNT // 10:
                settled = memory(server.process.pid)
        grown = memory(server.process.pid) - settled
        alive = await Client(http, server.url)("{ __typename }")
    assert alive == {"__typename": "Query"}
    assert grown < GROWTH
    print(f"\n{COUNT} documents: {statuses}, slowest {slowest[0]:.3f} s, grown {grown} MiB")
    print(f"The slowest began {slowest[1][:200]!r}")
