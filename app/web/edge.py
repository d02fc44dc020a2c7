"""What HTTP, event streams and websockets share: from a well-formed request to its results."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from graphql import GraphQLError, OperationType
from starlette.types import Scope
from strawberry.types import ExecutionResult

from app.domain.errors import Unauthenticated
from app.settings import Settings
from app.web.callers import Authenticate, Caller, Credentials
from app.web.connections import Connections
from app.web.operations import Operation
from app.web.responses import failure, refused
from schema.execution import Schema
from schema.masking import presentable

Results = AsyncGenerator[ExecutionResult, None]

log = structlog.get_logger("kubeorch.graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One per process. `context` makes what resolvers get, of a caller and a request id."""

    schema: Schema
    settings: Settings
    authenticate: Authenticate
    context: Callable[[Caller, str], object]
    stopping: asyncio.Event
    connections: Connections
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

    async def results(
        self, operation: Operation, kind: OperationType, caller: Caller, request_id: str
    ) -> Results:
        """Every result: the events of a subscription, the one result of anything else."""
        if kind is not OperationType.SUBSCRIPTION:
            yield await self.run(operation, kind, caller, request_id)
            return
        stream = await self.schema.subscribe(
            operation.query,
            variable_values=operation.variables,
            context_value=self.context(caller, request_id),
            operation_name=operation.name,
            operation_extensions=operation.extensions,
        )
        async with aclosing(stream):
            async for result in stream:
                yield _presentable(result, request_id)
                # A source that never waits would otherwise keep the loop from everybody else.
                await asyncio.sleep(0)

    async def finish(self, seconds: float) -> int:
        """Wait for the mutations whose callers have left; the number of those not finished."""
        if not self._unfinished:
            return 0
        _, left = await asyncio.wait(self._unfinished, timeout=seconds)
        return len(left)

    async def unwelcome(self, credentials: Credentials, caller: Caller) -> Unauthenticated | None:
        """Why a caller whose streams are open may not stay; None when they may."""
        if caller.actor is None:
            return None
        try:
            return (await credentials.caller(caller.address, self.authenticate)).refused
        except Exception:
            log.warning("access could not be checked again", exc_info=True)
            return None

    async def _execute(
        self, operation: Operation, caller: Caller, request_id: str
    ) -> ExecutionResult:
        result = await self.schema.execute(
            operation.query,
            variable_values=operation.variables,
            context_value=self.context(caller, request_id),
            operation_name=operation.name,
            operation_extensions=operation.extensions,
        )
        return _presentable(result, request_id)


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
