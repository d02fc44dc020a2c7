"""A client of server-sent events on a bare connection, which can be cut as rudely as need be."""

import asyncio
import json
import socket
import struct
from typing import Any, Self
from urllib.parse import urlsplit

from tests.secrecy import search

_LINE = 2**22
"""Bytes of an event: it is one line."""


class EventStream:
    """One subscription over HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str, token: str, query: str, **variables: Any) -> Self:
        """Asks, and waits for nothing."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=_LINE)
        body = json.dumps({"query": query, "variables": variables}).encode()
        head = [
            f"POST {parts.path} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: Bearer {token}",
            "Accept: text/event-stream",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        return cls(reader, writer)

    async def next(self) -> dict[str, Any] | None:
        """The next result; None when the stream is complete. Raises EOFError when it was cut."""
        while line := await self._reader.readline():
            if line.startswith(b"event: complete"):
                return None
            search("an event", line)
            if line.startswith(b"data: "):
                result: dict[str, Any] = json.loads(line[6:])
                return result
        raise EOFError

    async def close(self) -> None:
        """Leaves."""
        self._writer.close()
        await self._writer.wait_closed()

    def cut(self) -> None:
        """Leaves without a word."""
        cut(self._writer.transport)


def cut(transport: asyncio.BaseTransport) -> None:
    """Ends a connection with a reset, as a crash or a firewall does."""
    peer: socket.socket = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
