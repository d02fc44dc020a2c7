"""Connections that go only where the policy lets them, and never where an answer sends them.

A name is resolved and its answers are checked for every connection, and the connection is made to
what was checked; each socket is checked once more, which covers addresses written as numbers.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from app.kube.addresses import AddressPolicy

CONNECT_SECONDS = 10.0
MOST_CONNECTIONS = 200
"""Of one client; each watch and followed log holds one."""
READ_AHEAD = 2**16
"""Bytes of an answer that a connection reads before somebody wants them, give or take a few times
that: what is followed and not read keeps them for as long as it is open."""
_MOST_ADDRESSES = 20
_MOST_INTERIM = 20
_LOOKUPS = 64


class ForbiddenAddress(OSError):
    """The policy refuses the address; the text is a sentence that says why."""


class Redirected(aiohttp.ClientError):
    """The server sent us elsewhere."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Guard:
    """The policy for one URL: with plain http, loopback and nothing else."""

    policy: AddressPolicy
    plain_http: bool = False

    def check(self, address: str) -> None:
        """Raises ForbiddenAddress."""
        refusal = self.policy.refusal(address, plain_http=self.plain_http)
        if refusal:
            raise ForbiddenAddress(refusal)

    def socket(self, info: Any) -> socket.socket:
        """The socket of one dial, made when its address may be dialled."""
        family, kind, protocol, _, address = info
        self.check(address[0])
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


class GuardedResolver(AbstractResolver):
    """The system's resolver, without the addresses that the policy refuses."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that may be dialled. Raises OSError; ForbiddenAddress when none may be."""
        infos = await asyncio.get_running_loop().run_in_executor(
            _lookups(), _look_up, host, port, family
        )
        allowed: list[ResolveResult] = []
        refused: ForbiddenAddress | None = None
        for kind, _, protocol, _, address in infos[:_MOST_ADDRESSES]:
            try:
                self._guard.check(str(address[0]))
            except ForbiddenAddress as error:
                refused = error
                continue
            allowed.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        if not allowed:
            raise refused or OSError("the name has no address")
        return allowed

    async def close(self) -> None:
        """Nothing is held."""


@cache
def _lookups() -> ThreadPoolExecutor:
    """Threads of their own: a name server that hangs must not hold up other work."""
    return ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except UnicodeError:  # what is no name is not looked up
        raise socket.gaierror(socket.EAI_NONAME, "no name") from None


def connector(guard: Guard, context: ssl.SSLContext) -> aiohttp.TCPConnector:
    """A pool of connections, each of which the guard has seen."""
    made = aiohttp.TCPConnector(
        limit=MOST_CONNECTIONS,
        ssl=context,
        resolver=GuardedResolver(guard),
        use_dns_cache=False,
        socket_factory=guard.socket,
    )
    made._factory = partial(_Answers, asyncio.get_running_loop())  # type: ignore[assignment]
    return made


class _Answers(ResponseHandler):
    """What one connection says: an answer to each request, and a few words before it at most.

    Nothing else stops a server that sends interim answers, or answers nobody asked for, without
    end: they are read as fast as they come, and all are kept.
    """

    _interim = 0

    def feed_data(self, data: Any, size: int = 0) -> None:
        interim = 100 <= data[0].code < 200
        self._interim = self._interim + 1 if interim else 0
        if self._interim <= _MOST_INTERIM and len(self._buffer) <= _MOST_INTERIM:
            super().feed_data(data, size)
        elif self.transport is not None and not self.transport.is_closing():
            self._buffer.clear()
            self.set_exception(HttpProcessingError(message="more answers than questions"))
            self.transport.abort()


def no_redirects() -> aiohttp.TraceConfig:
    """Stops a redirect before the request that it asks for."""

    async def stop(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        params: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        params.response.close()
        raise Redirected(params.response.status)

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(stop)
    return trace


class TooLarge(aiohttp.ClientError):
    """The answer is larger than the `limit`, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


async def read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, of at most `limit` bytes after it was decompressed. Raises TooLarge."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            response.close()
            raise TooLarge(limit)
    return bytes(body)
