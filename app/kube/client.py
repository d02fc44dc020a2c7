"""The connection to one cluster: raw objects in and out, a deadline for every call.

Loading what dials takes more than a second, so it is loaded by the first `open`, not by imports.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from app.domain.access import Access, OidcSession
from app.domain.errors import ClusterError, ClusterFault
from app.kube.addresses import AddressPolicy
from app.kube.resources import Resources
from app.kube.weighing import Budget

if TYPE_CHECKING:
    from app.kube.calling import Calls

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

Renewed = Callable[[OidcSession, OidcSession], Awaitable[OidcSession]]
"""`renewed(before, after)` stores `after` if `before` is still stored; answers what is stored then,
whoever wrote it. `after` may equal `before`: it is asked whether another replica was faster."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a cluster may send, in bytes after decompression."""

    body: int = 4 * 2**20
    """Of an answer. An object has at most 1.5 MiB, which is what etcd stores; pages of lists, which
    have more than one, have a limit of their own."""
    line: int = 3 * 2**20
    """Of a watch: one object."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cluster answered; `warnings` are the texts of its `Warning` headers.

    `size` is that of the body in bytes, `weight` what it takes in memory (see `weighing`).
    """

    body: dict[str, Any]
    status: int
    warnings: list[str] = field(default_factory=list)
    size: int = 0
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire; `params` and `path` are encoded already or plain."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    largest: int | None = None
    """Bytes of the answer; the client's limit when nobody says."""
    budgets: tuple[Budget, ...] = ()
    """What the answer is taken from, before it is read."""


class AnswerTooLarge(ClusterError):
    """An answer has more bytes than are read."""


class LineTooLong(ClusterError):
    """A line of a stream is longer than what is read."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            ClusterFault.UNAVAILABLE, f"The cluster sent a line of more than {limit} bytes."
        )


class KubeClient:
    """Raises ClusterError, and nothing else, for whatever the cluster or the way to it does.

    `seconds` is the deadline of a call with all its tries. A busy cluster is given the time that it
    asks for, if the deadline allows.
    """

    def __init__(self, calls: "Calls") -> None:
        self._calls = calls
        self._budgets: tuple[Budget, ...] = ()
        self.resources = Resources(self.get)
        """What the cluster serves, remembered."""

    def within(self, budget: Budget) -> Self:
        """The same connection for one piece of work: its answers may not weigh more than this.

        What is past the budget is TooMuch. A budget that there is already still holds. Streams do
        not count.
        """
        bounded = copy(self)
        bounded._budgets = (*self._budgets, budget)
        return bounded

    @classmethod
    async def open(
        cls,
        access: Access,
        policy: AddressPolicy,
        *,
        renewed: Renewed | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """Prepare a connection; nothing is dialled yet.

        Raises ClusterError: ADDRESS_FORBIDDEN, or TLS_FAILED for certificates that can't be used.
        """
        calls = await asyncio.to_thread(_prepare, access, policy, renewed, limits or Limits())
        return cls(calls)

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        seconds: float = 30.0,
        accept: str = JSON,
        tries: int = 3,
        largest: int | None = None,
    ) -> Answer:
        """Read; tried again when the connection breaks or the cluster is busy.

        `largest` is how many bytes the answer may have, if that is not the client's limit. Raises
        AnswerTooLarge.
        """
        request = Request("GET", path, params or {}, headers={"Accept": accept}, largest=largest)
        return await self._call(request, seconds=seconds, tries=tries)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        params: Mapping[str, str] | None = None,
        seconds: float = 15.0,
        repeatable: bool = False,
        largest: int | None = None,
    ) -> Answer:
        """Create. Tried again only when it is `repeatable`, as a review is."""
        request = Request(
            "POST", path, params or {}, dict(body), {"Content-Type": JSON}, largest=largest
        )
        return await self._call(request, seconds=seconds, tries=3 if repeatable else 1)

    async def patch(
        self,
        path: str,
        body: Mapping[str, Any] | list[Any],
        *,
        content_type: str,
        params: Mapping[str, str] | None = None,
        seconds: float = 30.0,
        repeatable: bool = True,
    ) -> Answer:
        """Change. A server-side apply is tried again, because it is idempotent, unless it is said
        not to be `repeatable`; others are not."""
        plain = body if isinstance(body, list) else dict(body)
        request = Request("PATCH", path, params or {}, plain, {"Content-Type": content_type})
        tries = 3 if content_type == APPLY and repeatable else 1
        return await self._call(request, seconds=seconds, tries=tries)

    async def delete(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Answer:
        """Delete; tried again when `body` has a uid as its precondition."""
        plain = dict(body or {})
        request = Request("DELETE", path, params or {}, plain, {"Content-Type": JSON})
        tries = 3 if (plain.get("preconditions") or {}).get("uid") else 1
        return await self._call(request, seconds=seconds, tries=tries)

    def stream(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        quiet: float = 90.0,
        total: float | None = None,
        longest_line: int | None = None,
        cut: bool = False,
        accept: str = "*/*",
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The lines of a watch or a log, without their ends.

        `quiet` and `total` are seconds: without a byte (then ClusterError TIMED_OUT), and in all. A
        line longer than `longest_line` is cut if `cut` says so, and else LineTooLong is raised.
        """
        request = Request("GET", path, params or {}, headers={"Accept": accept})
        return self._calls.stream(
            request, quiet=quiet, total=total, longest_line=longest_line, cut=cut
        )

    def clean(self, text: str, *, most: int) -> str:
        """What the cluster says, in at most so many characters, and without our secrets."""
        return self._calls.clean(text, most=most)

    async def _call(self, request: Request, *, seconds: float, tries: int) -> Answer:
        asked = replace(request, budgets=self._budgets)
        return await self._calls.call(asked, seconds=seconds, tries=tries)

    @property
    def closed(self) -> bool:
        """Whether it can't be used any more: ask for another one."""
        return self._calls.closed

    async def close(self) -> None:
        """Close all connections; calls under way fail."""
        await self._calls.close()


def _prepare(
    access: Access, policy: AddressPolicy, renewed: Renewed | None, limits: Limits
) -> "Calls":
    calling = importlib.import_module("app.kube.calling")
    calls: Calls = calling.prepare(access, policy, renewed, limits)
    return calls
