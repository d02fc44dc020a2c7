"""The listeners: many websockets in one process, which do as little as they can with what comes.

A library's client would be busier than the servers, so this one speaks just enough of RFC 6455.
Told what to do as lines of JSON on stdin; tells on stdout: `ready`, then each event that everybody
has, at the end when everybody got what.
"""

import asyncio
import base64
import json
import os
import re
import resource
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.fanout.documents import watch

AT_ONCE = 20
"""Subscriptions that one process begins at the same time."""

_SEQ = re.compile(rb'"seq": ?(\d+)')
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


def frame(opcode: int, payload: bytes) -> bytes:
    """As clients send it: masked, here with zeros, which leave it as it is."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    else:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


def text(message: dict[str, Any]) -> bytes:
    return frame(_TEXT, json.dumps(message).encode())


@dataclass
class Crowd:
    """All listeners of this process."""

    host: str
    port: int
    token: str
    workflow_id: str
    size: int
    variants: int
    arrivals: dict[int, list[float]] = field(default_factory=dict)
    """When an event came, by its number: an entry per listener, seconds of the monotonic clock."""
    at: dict[int, str] = field(default_factory=dict)
    """When the event was written, in its server's words."""
    faults: list[str] = field(default_factory=list)

    def came(self, seq: int, now: float, data: bytes) -> None:
        times = self.arrivals.get(seq)
        if times is None:
            times = self.arrivals[seq] = []
            self.at[seq] = json.loads(data)["payload"]["data"]["workflowChanged"]["at"]
        times.append(now)
        if len(times) == self.size:
            say(seq=seq)

    def fault(self, what: str) -> None:
        self.faults.append(what)
        if len(self.faults) == 1:
            say(fault=what)


class Listener(asyncio.Protocol):
    """One websocket with one subscription."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number
        self._buffer = b""
        self._upgraded = False
        self.seq: int | None = None
        self.subscribed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: {self._crowd.host}:{self._crowd.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
            "".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(f"the connection was lost: {exc}")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if self._buffer:
            data = self._buffer + data
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            if b" 101 " not in head[:20]:
                self._ended(head.decode())
                return
            self._upgraded = True
            init = {"type": "connection_init", "payload": {}}
            if self._crowd.token:
                init["payload"] = {"authorization": f"Bearer {self._crowd.token}"}
            self._transport.write(text(init))
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                if len(data) - at < 4:
                    break
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                if len(data) - at < 10:
                    break
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if len(data) < start + size:
                break
            self._frame(data[at] & 0x0F, data[start : start + size], now)
            at = start + size
        self._buffer = data[at:]

    def _frame(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == _PING:
            self._transport.write(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._ended(f"closed by the server: {payload[2:].decode()}")
        elif found := _SEQ.search(payload):
            self._event(int(found[1]), now, payload)
        else:
            self._message(json.loads(payload))

    def _event(self, seq: int, now: float, payload: bytes) -> None:
        if self.seq is None:
            self.subscribed.set_result(None)
        elif seq != self.seq + 1:
            self._crowd.fault(f"listener {self._number} got event {seq} after {self.seq}")
        else:
            self._crowd.came(seq, now, payload)
        self.seq = seq

    def _message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_ack":
                variables = {"id": self._crowd.workflow_id}
                query = watch(self._number % self._crowd.variants)
                operation = {"query": query, "variables": variables}
                self._transport.write(text({"id": "1", "type": "subscribe", "payload": operation}))
            case "ping":
                self._transport.write(text({"type": "pong"}))
            case "pong":
                pass
            case _:
                self._ended(json.dumps(message))

    def _ended(self, why: str) -> None:
        self._crowd.fault(f"listener {self._number}: {why}")
        if not self.subscribed.done():
            self.subscribed.set_result(None)


async def listen(crowd: Crowd) -> None:
    """Subscribe all, and let them listen until stdin ends."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def subscribe(number: int) -> Listener:
        async with gate:
            _, listener = await loop.create_connection(
                lambda: Listener(crowd, number), crowd.host, crowd.port
            )
            await listener.subscribed
            return listener

    listeners = await asyncio.gather(*map(subscribe, range(crowd.size)))
    say(seq=max(listener.seq or 0 for listener in listeners), cpu=cpu())
    await loop.run_in_executor(None, sys.stdin.readline)
    offset = time.time() - time.monotonic()
    say(
        cpu=cpu(),
        offset=offset,
        faults=len(crowd.faults),
        at=crowd.at,
        arrivals=crowd.arrivals,
    )


def cpu() -> float:
    """Seconds that this process has worked."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    told = json.loads(sys.stdin.readline())
    url = urlsplit(told.pop("url"))
    crowd = Crowd(host=url.hostname or "", port=url.port or 0, **told)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(listen(crowd))
    # The sockets' ends are nobody's news any more.
    os._exit(0)


if __name__ == "__main__":
    main()
