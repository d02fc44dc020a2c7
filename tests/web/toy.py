"""A small schema in which everything can happen that the edge must cope with."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import strawberry
from strawberry.scalars import JSON

from app.domain.errors import Forbidden, Invalid, NotFound, RateLimited, Unauthenticated
from app.domain.ids import Id
from app.domain.session import Access
from app.domain.user import Actor, User
from app.realtime.ending import Ending
from app.web.callers import Caller
from schema.execution import Schema
from schema.limits import Limits


@dataclass
class World:
    """What resolvers read and leave behind."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)
    total: int = 0
    produced: int = 0
    tokens: dict[str, Access] = field(default_factory=dict)
    asked: int = 0
    broken: Exception | None = None
    """What asking the database raises."""
    blind: int = 0
    """How often asking for the end of a session fails."""
    watched: int = 0
    signed_out: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when everybody's session has ended."""
    request_ids: list[str] = field(default_factory=list)

    def token(self, name: str, *, seconds: float = 900) -> str:
        """A good token of a person of that name."""
        now = datetime.now(UTC)
        user = User(
            id=Id(name.encode().hex().ljust(24, "0")),
            name=name,
            email=f"{name}@example.com",
            created_at=now,
            updated_at=now,
        )
        access = Access(Actor(user, Id("0" * 24)), now + timedelta(seconds=seconds))
        self.tokens[f"token-of-{name}"] = access
        return f"token-of-{name}"

    async def authenticate(self, token: str) -> Access:
        self.asked += 1
        if self.broken is not None:
            raise self.broken
        if token not in self.tokens:
            raise Unauthenticated("The access token has expired. Refresh the session.")
        return self.tokens[token]

    async def session_ended(self, _: Id) -> None:
        self.watched += 1
        if self.watched <= self.blind:
            raise ConnectionError("no database")
        await self.signed_out.wait()


@dataclass
class Context:
    """What the toy's resolvers get."""

    world: World
    request_id: str
    caller: Caller
    ending: Ending

    def signed_in(self) -> Actor:
        if self.caller.actor is None:
            raise self.caller.refused or Unauthenticated()
        return self.caller.actor


Info = strawberry.Info[Context, None]


@strawberry.input(one_of=True)
class Choice:
    number: strawberry.Maybe[int]
    text: strawberry.Maybe[str]


@strawberry.type
class Item:
    id: int

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the secret of the house")

    @strawberry.field
    def items(self, first: int = 20) -> list["Item"]:
        return [Item(id=number) for number in range(first)]


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def me(self, info: Info) -> str:
        return info.context.signed_in().user.name

    @strawberry.field
    def request_id(self, info: Info) -> str:
        return info.context.request_id

    @strawberry.field
    async def wait(self, info: Info) -> str:
        world = info.context.world
        world.entered.set()
        try:
            await world.gate.wait()
        except asyncio.CancelledError:
            world.ended.append("wait cancelled")
            world.left.set()
            raise
        return "waited"

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError("the secret of the house")

    @strawberry.field
    def nothing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def refuse(self, how: str) -> str | None:
        raise {
            "forbidden": Forbidden("Only the owner may."),
            "missing": NotFound("thing", path=["id"]),
            "invalid": Invalid.field(["data", "name"], "Too long.", "TOO_LONG"),
            "often": RateLimited("Too often.", retry_after=7),
        }[how]

    @strawberry.field
    def items(self, first: int = 20) -> list[Item]:
        return [Item(id=number) for number in range(first)]

    @strawberry.field
    def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def choose(self, choice: Choice) -> str:
        return "number" if choice.number else "text"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add(self, info: Info, number: int = 1) -> int:
        info.context.world.total += number
        return info.context.world.total

    @strawberry.mutation
    async def add_slowly(self, info: Info) -> int:
        world = info.context.world
        world.entered.set()
        await world.gate.wait()
        world.total += 1
        world.left.set()
        return world.total


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int = 3) -> AsyncGenerator[int, None]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def ticks(self, info: Info) -> AsyncGenerator[int, None]:
        """One event, then none until the gate opens."""
        world = info.context.world
        world.request_ids.append(info.context.request_id)
        try:
            yield 1
            world.entered.set()
            await world.gate.wait()
            yield 2
        finally:
            world.ended.append("ticks closed")
            world.left.set()

    @strawberry.subscription
    async def polite(self, info: Info) -> AsyncGenerator[str, None]:
        """Says why it ends."""
        bell = asyncio.Event()
        with info.context.ending.listening(bell):
            yield "hello"
            await bell.wait()
            yield str(info.context.ending.reason)

    @strawberry.subscription
    async def fails(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("the secret of the house")

    @strawberry.subscription
    async def refuses(self) -> AsyncGenerator[int, None]:
        raise Forbidden("Only the owner may watch.")
        yield 1

    @strawberry.subscription
    async def items(self) -> AsyncGenerator[Item, None]:
        yield Item(id=1)

    @strawberry.subscription
    async def flood(self, info: Info, size: int = 1000) -> AsyncGenerator[str, None]:
        """As fast as it is read, never waiting for anything."""
        while True:
            info.context.world.produced += 1
            yield "x" * size


def schema(limits: Limits | None = None) -> Schema:
    return Schema(Query, Mutation, Subscription, limits=limits)
