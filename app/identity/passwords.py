"""Password hashes: bcrypt, in threads of their own.

bcrypt reads 72 bytes and stops at a NUL, so a long passphrase would lose its end. The password goes
through HMAC-SHA-256 first, whose 44 base64 characters always fit. The HMAC's key is no secret: it
makes the inner digest ours alone, so that a plain SHA-256 leaked elsewhere cannot be tried here.

Hashing is slow on purpose. It has its own few threads, so that a flood of logins leaves the loop
and everybody else's threads alone, and a queue of limited length, so that it cannot grow for ever.
"""

import asyncio
import base64
import hmac
import os
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import bcrypt

from app.domain.errors import RateLimited

T = TypeVar("T")

_INNER_KEY = b"kubeorch password v1"
_QUEUE = 100


class Passwords:
    """Hashes and compares passwords. `rounds` is the work factor: one more doubles the time."""

    def __init__(self, *, rounds: int, threads: int | None = None, queue: int = _QUEUE) -> None:
        threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self.rounds = rounds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._turns = asyncio.Semaphore(threads)
        self._queue = queue
        self._waiting = 0
        # A salt of the same cost and a digest that nothing hashes to: comparing takes as long.
        self._nobody = bcrypt.gensalt(rounds) + b"." * 31

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Turn"]:
        """A turn at hashing; as many at once as there are threads.

        What is done within a turn, such as looking at and counting failures, is done by as few at
        once. Raises RateLimited when too many wait.
        """
        if self._waiting >= self._queue:
            raise RateLimited("The server is busy signing people in. Try again.", retry_after=5)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield Turn(self)
        finally:
            self._turns.release()

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self.turn() as turn:
            return await turn.hash(password)

    def is_current(self, stored: str) -> bool:
        """Whether `stored` was made with today's work factor."""
        return stored.startswith(f"$2b${self.rounds:02d}$")

    def close(self) -> None:
        """Lets the threads go; those that hash finish first."""
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class Turn:
    """Somebody's turn at hashing; see `Passwords.turn`."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    async def hash(self, password: str) -> str:
        salt = bcrypt.gensalt(self._passwords.rounds)
        hashed = await self._passwords._run(lambda: bcrypt.hashpw(_inner(password), salt))
        return hashed.decode("ascii")

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is the hash of `password`.

        None, for somebody who does not exist or has no password, takes as long and is False.
        """
        hashed = self._passwords._nobody if stored is None else stored.encode("ascii")
        same = await self._passwords._run(lambda: bcrypt.checkpw(_inner(password), hashed))
        return same and stored is not None


def _inner(password: str) -> bytes:
    """The text that bcrypt hashes.

    NFKC, because keyboards write one character in several ways. Half a surrogate pair has no UTF-8.
    """
    text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(_INNER_KEY, text, "sha256"))
