"""Trying passwords, and how often that may fail.

Failures are counted for the account and for the address they come from. Two rules keep a stranger
from shutting somebody out: an address from which the account was signed in to lately is counted
apart from all others, and a full window ends by itself, however often it is tried meanwhile.

Nothing here depends on whether the account exists, and a refusal looks the same for both.
"""

import asyncio
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.documents.throttles import Count, ThrottleStore
from app.documents.users import Credentials
from app.domain.errors import InvalidCredentials, RateLimited
from app.identity.passwords import Passwords

_FAMILIAR = timedelta(days=90)
"""How long the address of a successful sign-in stays familiar."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often, in one window."""

    failures: int = 10
    """Wrong passwords per account."""
    failures_per_address: int = 100
    """Wrong passwords per address: more, because an office shares one."""
    registrations: int = 300
    """Per address."""
    refreshes: int = 3_000
    """Per address."""
    window: timedelta = timedelta(minutes=15)


class Attempts:
    """Compares passwords, and counts."""

    def __init__(
        self,
        *,
        store: ThrottleStore,
        passwords: Passwords,
        limits: AttemptLimits,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._limits = limits
        self._now = now

    async def password(
        self,
        password: str,
        found: Credentials | None,
        *,
        account: str,
        address: str,
        path: list[str] | None = None,
    ) -> Credentials:
        """What was `found` of the account, when `password` is its. `account` is the e-mail's key.

        Raises RateLimited, and InvalidCredentials at `path`. Who hangs up meanwhile is counted too.
        """
        trying = asyncio.ensure_future(
            self._password(password, found, _Names(account, address), path)
        )
        trying.add_done_callback(lambda tried: tried.cancelled() or tried.exception())
        return await asyncio.shield(trying)

    async def remember(self, account: str, address: str) -> None:
        """Makes the address familiar to the account."""
        await self._store.put(_Names(account, address).familiar, until=self._now() + _FAMILIAR)

    async def registration(self, address: str) -> None:
        """Counts a registration. Raises RateLimited."""
        await self._count("register", address, self._limits.registrations)

    async def refresh(self, address: str) -> None:
        """Counts a refresh. Raises RateLimited."""
        await self._count("refresh", address, self._limits.refreshes)

    async def _password(
        self, password: str, found: Credentials | None, names: "_Names", path: list[str] | None
    ) -> Credentials:
        await self._check(names)
        # Looked at again when it is our turn, and counted before the turn ends: however many try
        # at once, no more can slip through than there are turns at a time.
        async with self._passwords.turn() as turn:
            counts = await self._check(names)
            stored = found.password_hash if found else None
            if not await turn.matches(password, stored) or found is None:
                await self._store.add(names.counted, now=self._now(), window=self._limits.window)
                wrong = "The password is wrong." if path else "The e-mail or the password is wrong."
                raise InvalidCredentials(wrong, path=path)
        await self._forgive(names, counts)
        return found

    async def _forgive(self, names: "_Names", counts: Mapping[str, Count]) -> None:
        """Forgets what somebody mistyped before they succeeded, but not what others did."""
        if mine := counts.get(names.pair):
            await self._store.take([names.address, names.account], mine.count)
        at_home = names.familiar in counts
        await self._store.forget([names.pair] if at_home else [names.pair, names.account])
        await self._store.put(names.familiar, until=self._now() + _FAMILIAR)

    async def _check(self, names: "_Names") -> Mapping[str, Count]:
        counts = await self._store.read([*names.counted, names.familiar], now=self._now())
        account = names.pair if names.familiar in counts else names.account
        for name, limit in (
            (account, self._limits.failures),
            (names.address, self._limits.failures_per_address),
        ):
            self._refuse_when_full(counts.get(name), limit, "Too many failed sign-ins.")
        return counts

    async def _count(self, what: str, address: str, limit: int) -> None:
        name = _name(what, address)
        counts = await self._store.read([name], now=self._now())
        self._refuse_when_full(counts.get(name), limit, "Too many requests from your address.")
        await self._store.add([name], now=self._now(), window=self._limits.window)

    def _refuse_when_full(self, count: Count | None, limit: int, what: str) -> None:
        if count is not None and count.count >= limit:
            seconds = max(1, math.ceil((count.expires_at - self._now()).total_seconds()))
            raise RateLimited(f"{what} Try again in {seconds} seconds.", retry_after=seconds)


class _Names:
    """The counters that one attempt touches."""

    def __init__(self, account: str, address: str) -> None:
        self.account = _name("account", account)
        self.address = _name("address", address)
        self.pair = _name("pair", account, address)
        self.familiar = _name("familiar", account, address)
        self.counted = (self.account, self.address, self.pair)


def _name(kind: str, *parts: str) -> str:
    """A digest, because a counter must not keep the addresses of people who have no account."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{kind}:{hashlib.sha256(joined).hexdigest()}"
