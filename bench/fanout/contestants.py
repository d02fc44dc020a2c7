"""The servers that are compared: how each is started, and what it needs to be asked."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.fanout.documents import NODES

PROJECT = Path(__file__).parents[2]
YOGA = Path(__file__).parent / "yoga"

LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  ... on LoginPayload { session { accessToken } } ... on UserError { message } } }"""
CREATE = """mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) {
  ... on CreateWorkflowPayload { workflow { id } } ... on UserError { message } } }"""


class Missing(Exception):
    """This machine lacks what the contestant needs."""


@dataclass(frozen=True)
class Contestant:
    """A server that waits for subscribers. `token` is empty where nobody asks for one."""

    pid: int
    url: str
    workflow_id: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What proves who is asking."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


Start = Callable[[str, str, Path], AbstractAsyncContextManager[Contestant]]
"""Starts a server, given the URI of MongoDB, the name of an empty database, and a folder."""


@asynccontextmanager
async def running(
    *command: str, folder: Path, cwd: Path = PROJECT, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is told to stop at the end; what it complains of is in `errors.log`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBEORCH_", "MONGODB_"))}
    with (folder / "errors.log").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env={**kept, **(environment or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(20):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.wait()


async def line_of(process: asyncio.subprocess.Process, folder: Path, beginning: str = "") -> str:
    """The first line that begins so; fails when the process ends without."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if line.decode().startswith(beginning):
                return line.decode()
    raise RuntimeError(f"It did not start:\n{(folder / 'errors.log').read_text()}")


def serving(uri: str, database: str, folder: Path) -> tuple[Sequence[str], dict[str, str]]:
    """The command that starts our server, and its environment."""
    many = str(10**6)
    settings = {
        "MONGODB_URI": uri,
        "KUBEORCH_DATABASE": database,
        "KUBEORCH_DATA_DIR": str(folder),
        "KUBEORCH_ACCESS_TOKEN_SECONDS": "86400",
        "KUBEORCH_MAX_SOCKETS_PER_USER": many,
        "KUBEORCH_MAX_SOCKETS_PER_ADDRESS": many,
        "KUBEORCH_LOG_LEVEL": "warning",
    }
    return (sys.executable, "-m", "app.cli", "serve", "--port", "0"), settings


@asynccontextmanager
async def ours(uri: str, database: str, folder: Path) -> AsyncIterator[Contestant]:
    serve, settings = serving(uri, database, folder)
    async with running(*serve, folder=folder, environment=settings) as process:
        await line_of(process, folder, "Ctrl-C")
        demo = json.loads((folder / "demo.json").read_text())
        url = f"{demo['url']}/graphql"
        person = {"email": demo["email"], "password": demo["password"]}
        nodes = [
            {"id": f"n{i}", "data": {"deployment": {"name": f"n{i}", "image": "nginx"}}}
            for i in range(NODES)
        ]
        async with httpx.AsyncClient() as http:
            login = await ask(http, url, LOGIN, person)
            token = login["login"]["session"]["accessToken"]
            http.headers["authorization"] = f"Bearer {token}"
            made = await ask(http, url, CREATE, {"name": "bench", "nodes": nodes})
        workflow_id = made["createWorkflow"]["workflow"]["id"]
        yield Contestant(process.pid, url, workflow_id, token)


@asynccontextmanager
async def plain(uri: str, database: str, folder: Path) -> AsyncIterator[Contestant]:
    server = running(
        *(sys.executable, "-m", "bench.fanout.plain"),
        folder=folder,
        environment={"MONGODB_URI": uri, "DATABASE": database},
    )
    async with server as process:
        yield await announced(process, folder)


@asynccontextmanager
async def yoga(uri: str, database: str, folder: Path) -> AsyncIterator[Contestant]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("Node.js with npm")
    if not (YOGA / "node_modules" / "graphql-yoga").is_dir():
        install = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        async with running(*install, folder=folder, cwd=YOGA) as process:
            await process.communicate()
            if process.returncode:
                raise Missing(f"the packages of {YOGA}: `npm ci` there says why")
    server = running(
        *(node, "server.js"),
        folder=folder,
        cwd=YOGA,
        environment={
            "MONGODB_URI": uri,
            "DATABASE": database,
            "NODES": str(NODES),
            "NODE_ENV": "production",
        },
    )
    async with server as process:
        yield await announced(process, folder)


CONTESTANTS: dict[str, Start] = {"ours": ours, "plain": plain, "yoga": yoga}


async def announced(process: asyncio.subprocess.Process, folder: Path) -> Contestant:
    """Those who say their port and the workflow's id."""
    port, workflow_id = (await line_of(process, folder)).split()
    return Contestant(process.pid, f"http://127.0.0.1:{port}/graphql", workflow_id)


async def ask(http: httpx.AsyncClient, url: str, query: str, input_: Any) -> dict[str, Any]:
    """The data of a mutation; fails on any error."""
    body = {"query": query, "variables": {"input": input_}}
    answer = (await http.post(url, json=body)).json()
    assert "errors" not in answer, answer["errors"]
    data: dict[str, Any] = answer["data"]
    return data
