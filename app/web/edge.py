"""What HTTP, event streams and websockets share: from a well-formed request to its results."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from graphql import GraphQLError, OperationType
from starlette.types import Scope
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.domain.events import Told
from app.domain.ids import Id
from app.domain.user import Actor
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.settings import Settings
from app.web.callers import Authenticate, Caller
from app.web.cohorts import Cohorts
from app.web.connections import Connections
from app.web.operations import Operation
from app.web.responses import Reply, failure, refused
from schema.execution import Schema
from schema.masking import presentable
from schema.subscribing import Subscription

Replies = AsyncGenerator[Reply, None]

log = structlog.get_logger("kubeorch.graphql")


CLOSING_SECONDS: Final = 2.0
"""How long a client that does not read may hold up its own farewell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One per process. `context` makes what resolvers get: of a caller, a request id, and how the
    caller's streams are told to end."""

    schema: Schema
    settings: Settings
    authenticate: Authenticate
    session_ended: Callable[[Id], Awaitable[None]]
    """Returns when a session has ended, on whatever replica."""
    context: Callable[[Caller, str, Ending], object]
    stopping: asyncio.Event
    connections: Connections
    metrics: Metrics
    cohorts: Cohorts
    _unfinished: set[asyncio.Task[ExecutionResult]] = field(default_factory=set)

    def admit(self, operation: Operation) -> OperationType | ExecutionResult:
        """What kind of operation it is, or why it cannot run."""
        prepared = self.schema.prepare(operation.query)
        if prepared.errors:
            return failure(*prepared.errors)
        meant = prepared.operation(operation.name)
        return failure(meant) if isinstance(meant, GraphQLError) else meant.operation

    async def run(
        self, operation: Operation, kind: OperationType, caller: Caller, request_id: str
    ) -> ExecutionResult:
        """The result of a query, under the deadline, or of a mutation, however long it takes.

        Cancelling stops a query. A mutation that began is finished all the same.
        """
        if kind is OperationType.MUTATION:
            task = asyncio.create_task(self._execute(operation, caller, request_id))
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)
            return await asyncio.shield(task)
        seconds = self.settings.operation_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._execute(operation, caller, request_id)
        except TimeoutError:
            text = f"The query was stopped after {seconds:g} s. Ask for less at once."
            return refused(text, "TIMEOUT")

    async def replies(
        self,
        operation: Operation,
        kind: OperationType,
        caller: Caller,
        request_id: str,
        ending: Ending,
    ) -> Replies:
        """Every result: the events of a subscription, the one result of anything else.

        `ending` is how the streams of this caller are told to end.
        """
        if kind is not OperationType.SUBSCRIPTION:
            yield Reply(await self.run(operation, kind, caller, request_id))
            return
        context = self.context(caller, request_id, ending)
        begun = await self.schema.begin(
            operation.query,
            variables=operation.variables,
            context=context,
            operation_name=operation.name,
        )
        if isinstance(begun, ExecutionResult):
            yield Reply(begun)
            return
        telling = _Telling(self, begun, operation, caller, request_id)
        with self.metrics.subscribers.labels(begun.field).track_inprogress():
            async with aclosing(begun.source) as events:
                try:
                    async for event in events:
                        yield await telling.of(event)
                        del event  # a snapshot would stay until the next one comes
                        # A source that never waits would otherwise keep the loop from the others.
                        await asyncio.sleep(0)
                except Exception as error:
                    yield telling.failure(error)

    async def end_of_session(self, actor: Actor) -> None:
        """Returns when the actor's session has ended; asks again when it cannot be known."""
        while True:
            try:
                return await self.session_ended(actor.session_id)
            except Exception:
                log.warning("the session cannot be watched", exc_info=True)
                await asyncio.sleep(self.settings.ping_seconds)

    def delivered(self, reply: Reply) -> None:
        """Counts what has gone to its socket."""
        self.metrics.deliveries.inc()
        if reply.told_at is not None:
            lag = (datetime.now(UTC) - reply.told_at).total_seconds()
            self.metrics.lag.observe(max(lag, 0.0))

    async def finish(self, seconds: float) -> int:
        """Wait for the mutations whose callers have left; the number of those not finished."""
        if not self._unfinished:
            return 0
        _, left = await asyncio.wait(self._unfinished, timeout=seconds)
        return len(left)

    async def _execute(
        self, operation: Operation, caller: Caller, request_id: str
    ) -> ExecutionResult:
        result = await self.schema.execute(
            operation.query,
            variable_values=operation.variables,
            context_value=self.context(caller, request_id, Ending()),
            operation_name=operation.name,
            operation_extensions=operation.extensions,
        )
        return _presentable(result, request_id)


class _Telling:
    """One subscriber's way from an event to what is sent."""

    def __init__(
        self,
        edge: Edge,
        subscription: Subscription,
        operation: Operation,
        caller: Caller,
        request_id: str,
    ) -> None:
        self._edge = edge
        self._subscription = subscription
        self._operation = operation
        self._caller = caller
        self._request_id = request_id
        self._cohort = (subscription.question(), _rights(caller))

    async def of(self, event: object) -> Reply:
        """What is sent for an event; the cohort's, when the event is one that others get too."""
        if not isinstance(event, Told):
            return await self._execute(event, None)
        key = (self._cohort, type(event), event.stream, event.seq)
        return await self._edge.cohorts.reply(key, lambda: self._execute(event, event.at))

    def failure(self, error: Exception) -> Reply:
        """What is sent when there are no more events because something went wrong."""
        located = GraphQLError(str(error), original_error=error)
        return Reply(self._told(PreExecutionError(data=None, errors=[located])))

    async def _execute(self, event: object, told_at: datetime | None) -> Reply:
        edge = self._edge
        context = edge.context(self._caller, self._request_id, Ending())
        seconds = edge.settings.operation_seconds
        try:
            async with asyncio.timeout(seconds):
                result = await self._subscription.execute(event, context)
        except TimeoutError:
            text = f"The event was given up after {seconds:g} s. Ask for less at once."
            return Reply(refused(text, "TIMEOUT"))
        return Reply(self._told(ExecutionResult(result.data, result.errors)), told_at)

    def _told(self, result: ExecutionResult) -> ExecutionResult:
        context = self._edge.context(self._caller, self._request_id, Ending())
        return self._edge.schema.told(result, context, self._operation.name)


def _rights(caller: Caller) -> Hashable:
    """What decides what a caller sees. Two people never share: what they see may differ."""
    return (caller.actor.id, caller.actor.user.role) if caller.actor else None


def _presentable(result: ExecutionResult, request_id: str) -> ExecutionResult:
    """Once more, for what fails outside of the extensions that mask."""
    if result.errors:
        result.errors = presentable(result.errors, request_id)
    return result


def request_id_of(scope: Scope) -> str:
    """The id that the middleware gave the request; a new one where there is none."""
    given = scope.get("state", {}).get("request_id")
    return given if isinstance(given, str) else secrets.token_hex(8)


def address_of(scope: Scope) -> str:
    """The client's network address, as the server before us sees it."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


async def end_of_token(caller: Caller) -> None:
    """Returns when the caller's token expires; without a token, never."""
    if caller.expires_at is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep((caller.expires_at - datetime.now(UTC)).total_seconds())
