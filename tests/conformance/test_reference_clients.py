"""What the reference implementations in JavaScript say of the whole server."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.web.serving import serving

CONFORMANCE = Path(__file__).parents[2] / "conformance"
AUDITS = 61


async def run(*command: str) -> tuple[int, str]:
    """Exit code and output of a program in `conformance/`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CONFORMANCE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(120):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


@pytest.fixture(scope="session")
async def node(requires: Callable[..., str]) -> str:
    """Node.js, with the locked packages of `conformance/` installed."""
    found, npm = requires("node"), requires("npm")
    if not (CONFORMANCE / "node_modules" / "graphql-http").is_dir():
        code, output = await run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        if code:
            reason = f"npm could not install the packages of conformance/: {output[-500:]}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return found


@pytest.fixture
async def url(settings: Settings) -> AsyncIterator[str]:
    """The whole application on a port of its own."""
    async with serving(create_app(settings), lifespan="on") as address:
        yield f"http://{address}/graphql"


async def test_the_http_audit_has_nothing_to_object_to(node: str, url: str) -> None:
    code, output = await run(node, "http.js", url)
    assert code == 0, output
    assert output.splitlines()[-1] == f"{AUDITS} of {AUDITS} ok"


@pytest.mark.parametrize("script", ["websockets.js", "streams.js"])
async def test_a_reference_client_tells_its_story(node: str, url: str, script: str) -> None:
    code, output = await run(node, script, url)
    assert code == 0, output
    assert output.splitlines()[-1] == "the story was told to its end"
