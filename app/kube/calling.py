"""How requests are made, made again, read and translated; the working half of the client."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import aiohttp

from app.domain.access import Access
from app.domain.errors import ClusterError, ClusterFault
from app.kube import answers, dialling
from app.kube.addresses import AddressPolicy
from app.kube.client import Answer, AnswerTooLarge, Limits, LineTooLong, Renewed, Request
from app.kube.errors import BROKEN, translate
from app.kube.transport import Transport
from app.kube.weighing import TooMuch, weight

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_HEAD_SECONDS = 30.0
_LARGEST_REFUSAL = 2**20
_BUSY = {429, 502, 503, 504}
_NEVER_CONNECTED = (aiohttp.ClientConnectorError,)
_BROKEN_FAULTS = {ClusterFault.UNREACHABLE, ClusterFault.TIMED_OUT}


def prepare(
    access: Access, policy: AddressPolicy, renewed: Renewed | None, limits: Limits
) -> "Calls":
    """Everything that a client needs to dial. Raises ClusterError."""
    return Calls(Transport(access, policy, renewed), limits)


class Calls:
    """Calls to one cluster."""

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self.closed = False

    async def call(self, request: Request, *, seconds: float, tries: int) -> Answer:
        """The answer, of the first try that gets one. Raises ClusterError."""
        ends = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(ends):
                return await self._tried(request, ends, tries)
        except TimeoutError as error:
            raise translate(error, self._transport.endpoint, seconds=seconds) from None

    async def _tried(self, request: Request, ends: float, tries: int) -> Answer:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(request)
            except ClusterError as error:
                pause = _pause(error, attempt)
                left = ends - asyncio.get_running_loop().time()
                if pause is None or attempt >= tries or pause >= left:
                    raise
            await asyncio.sleep(pause)

    async def _once(self, request: Request) -> Answer:
        waits = aiohttp.ClientTimeout(sock_connect=dialling.CONNECT_SECONDS)
        try:
            response = await self._send(request, waits)
            try:
                raw = await dialling.read(response, request.largest or self._limits.body)
            finally:
                response.release()
        except dialling.TooLarge as error:
            failure = self._translated(error)
            raise AnswerTooLarge(failure.fault, failure.message) from None
        except BROKEN as error:
            raise self._translated(error) from None
        endpoint = self._transport.endpoint
        warnings = answers.warnings(response.headers.getall("Warning", []), endpoint)
        heavy = weight(raw)
        try:
            for budget in request.budgets:
                budget.spend(heavy)
        except TooMuch:
            del raw  # whoever keeps the error would keep it
            raise
        body = answers.parse(raw, endpoint)
        return Answer(body, response.status, warnings, size=len(raw), weight=heavy)

    async def _send(self, request: Request, waits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """A response with a good status. Its body has to be read, and it has to be released."""
        if self.closed:
            raise ClusterError(ClusterFault.UNREACHABLE, "This connection was closed. Try again.")
        response, token = await self._transport.send(request, waits)
        if response.status == 401 and token is not None:
            response.close()
            response, _ = await self._transport.send(request, waits, rejected=token)
        if not 200 <= response.status < 300:
            raise await self._refusal(request, response)
        return response

    async def _refusal(self, request: Request, response: aiohttp.ClientResponse) -> ClusterError:
        try:
            raw = await dialling.read(response, _LARGEST_REFUSAL)
        except dialling.TooLarge:
            raw = b""
        finally:
            response.release()
        if response.status == 401 and self._transport.expired:
            return self._outdated(401)
        return answers.refusal(
            response.status,
            raw,
            response.headers,
            self._transport.endpoint,
            confidential="secrets" in request.path.split("/"),
        )

    def _translated(self, error: BaseException, *, seconds: float | None = None) -> ClusterError:
        """The error, for which a certificate that expired is a better reason than most."""
        failure = translate(error, self._transport.endpoint, seconds=seconds)
        cut = failure.fault is ClusterFault.UNREACHABLE
        if cut and self._transport.expired and not isinstance(error, _NEVER_CONNECTED):
            return self._outdated(None)
        return failure

    def _outdated(self, status: int | None) -> ClusterError:
        return ClusterError(
            ClusterFault.UNAUTHORIZED,
            f"The client certificate expired on {self._transport.expired:%Y-%m-%d %H:%M} UTC. "
            "Hand in a new one.",
            status=status,
        )

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        *,
        quiet: float,
        total: float | None,
        longest_line: int | None,
        cut: bool,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Lines, until the server or the caller ends them."""
        waits = aiohttp.ClientTimeout(
            total=total, sock_connect=dialling.CONNECT_SECONDS, sock_read=quiet
        )
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                response = await self._send(request, waits)
        except BROKEN as error:
            raise self._translated(error, seconds=_HEAD_SECONDS) from None
        try:
            longest = longest_line or self._limits.line
            async with aclosing(self._lines(response, longest, cut=cut)) as lines:
                yield lines
        finally:
            response.close()

    async def _lines(
        self, response: aiohttp.ClientResponse, longest: int, *, cut: bool
    ) -> AsyncGenerator[bytes, None]:
        lines = _Lines(longest, cut=cut)
        try:
            async for chunk in response.content.iter_chunked(dialling.READ_AHEAD):
                for line in lines.take(chunk):
                    yield line
        except BROKEN as error:
            raise translate(error, self._transport.endpoint) from None
        for line in lines.take(b"\n"):
            if line:
                yield line

    def clean(self, text: str, *, most: int) -> str:
        """See KubeClient."""
        return self._transport.endpoint.clean(text, most=most)

    async def close(self) -> None:
        """Close the connections."""
        self.closed = True
        await self._transport.close()


class _Lines:
    """Bytes as they come, cut into lines of bounded length."""

    def __init__(self, longest: int, *, cut: bool) -> None:
        self._longest = longest
        self._cut = cut
        self._held = bytearray()
        self._full = False

    def take(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that end in this chunk, one by one. Raises LineTooLong."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._hold(chunk[start:end])
            start = end + 1
            line = bytes(self._held)
            self._held.clear()
            self._full = False
            yield line
        self._hold(chunk[start:])

    def _hold(self, part: bytes) -> None:
        if self._full:
            return
        self._held += part
        if len(self._held) > self._longest:
            if not self._cut:
                raise LineTooLong(self._longest)
            del self._held[self._longest :]
            self._full = True


def _pause(error: ClusterError, attempt: int) -> float | None:
    """Seconds until another try makes sense, or None when none does."""
    if error.status is None:
        if error.fault not in _BROKEN_FAULTS:
            return None
        if attempt == 1:
            return 0.0  # most often a kept connection that the other side had closed
    elif error.status not in _BUSY and (error.status != 500 or error.retry_after is None):
        return None
    most = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return max(error.retry_after or 0.0, random.uniform(0, most))  # noqa: S311
