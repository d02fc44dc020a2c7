"""Lists whose pages are larger than what is read at once."""

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
from aiohttp import web

from app.kube.client import AnswerTooLarge, KubeClient
from app.kube.listing import items, pages
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]


def serve(server: Server, *sizes: int) -> None:
    """A list of objects that are so large, page by page."""

    async def answer(request: web.Request) -> web.Response:
        start = int(request.query.get("continue", "0"))
        end = start + int(request.query["limit"])
        found = [
            {"metadata": {"name": str(start + n)}, "x": "x" * size}
            for n, size in enumerate(sizes[start:end])
        ]
        head = {"continue": str(end)} if end < len(sizes) else {}
        return web.Response(body=json.dumps({"metadata": head, "items": found}))

    server.routes["GET /x"] = answer


async def names(client: KubeClient) -> list[str]:
    found = []
    async with aclosing(pages(client, "/x", largest=10_000)) as listed:
        async for page in listed:
            found += [one["metadata"]["name"] for one in items(page)]
    return found


async def test_large_pages_are_asked_for_in_parts(server: Server, connect: Open) -> None:
    serve(server, *([1_000] * 20))

    assert await names(await connect()) == [str(n) for n in range(20)]
    assert [asked.query["limit"] for asked in server.asked] == ["500", "62", "7", "7", "7"]


async def test_an_object_that_is_too_large_for_any_page(server: Server, connect: Open) -> None:
    serve(server, 10, 20_000)

    with pytest.raises(AnswerTooLarge):
        await names(await connect())
    assert [asked.query["limit"] for asked in server.asked] == ["500", "62", "7", "1", "1"]
