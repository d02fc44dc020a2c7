"""Waiting until a deleted object is gone, by a watch."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from app.domain.planning.objects import ObjectKey
from app.kube.client import KubeClient
from app.kube.vanishing import vanished
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]
KEY = ObjectKey("v1", "ConfigMap", "a", "words")
MAPS = "/api/v1/namespaces/a/configmaps"


def words(uid: str) -> dict[str, Any]:
    metadata = {"name": "words", "namespace": "a", "uid": uid, "resourceVersion": "2"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@pytest.fixture
def serve(server: Server) -> Callable[..., None]:
    """`serve(live, (type, object) …)`: what is listed, and what a watch brings then."""
    kind = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": ["list"]}
    server.answers("GET /api/v1", {"resources": [kind]})

    def serve(live: list[dict[str, Any]], *events: tuple[str, dict[str, Any]]) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if "watch" not in request.query:
                return web.json_response({"metadata": {"resourceVersion": "1"}, "items": live})
            response = web.StreamResponse()
            await response.prepare(request)
            for type_, obj in events:
                await response.write(json.dumps({"type": type_, "object": obj}).encode() + b"\n")
            await asyncio.Event().wait()
            return response

        server.routes[f"GET {MAPS}"] = answer

    return serve


async def test_it_is_gone_already(connect: Open, serve: Callable[..., None]) -> None:
    serve([])
    assert await vanished(await connect(), KEY, "u1", seconds=10)
    serve([words("u2")])
    assert await vanished(await connect(), KEY, "u1", seconds=10)


async def test_it_goes(connect: Open, serve: Callable[..., None], server: Server) -> None:
    serve([words("u1")], ("MODIFIED", words("u1")), ("DELETED", words("u1")))
    assert await vanished(await connect(), KEY, "u1", seconds=10)
    listed = [one.query for one in server.asked if one.path == MAPS]
    assert {query["fieldSelector"] for query in listed} == {"metadata.name=words"}


async def test_another_took_its_name(connect: Open, serve: Callable[..., None]) -> None:
    serve([words("u1")], ("ADDED", words("u2")))
    assert await vanished(await connect(), KEY, "u1", seconds=10)


async def test_it_stays(connect: Open, serve: Callable[..., None]) -> None:
    serve([words("u1")], ("MODIFIED", words("u1")))
    assert not await vanished(await connect(), KEY, "u1", seconds=0.2)
