"""Asking the schema in process, as somebody."""

import json
from typing import Any

from strawberry import Schema

import schema
from app.domain.user import Actor
from app.services import Services
from schema.context import Context
from schema.limits import Limits
from tests.contract import operations
from tests.secrecy import search

OPERATIONS = operations()


class Asker:
    """Sends documents as one person, or as nobody."""

    def __init__(self, services: Services, actor: Actor | None, built: Schema) -> None:
        self._services = services
        self.actor = actor
        self._schema = built

    def context(self) -> Context:
        return Context(
            services=self._services, request_id="test", address="127.0.0.1", actor=self.actor
        )

    async def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data; fails on any error. `document` may be the name of a front-end operation."""
        result = await self.raw(document, **variables)
        assert result["errors"] is None, result["errors"]
        data: dict[str, Any] = result["data"]
        return data

    async def raw(self, document: str, **variables: Any) -> dict[str, Any]:
        """Data and errors as they are."""
        result = await self._schema.execute(
            OPERATIONS.get(document, document),
            variable_values=variables,
            context_value=self.context(),
        )
        errors = [error.formatted for error in result.errors] if result.errors else None
        search("an answer", json.dumps([result.data, errors], default=str))
        return {"data": result.data, "errors": errors}

    async def one(self, document: str, **variables: Any) -> Any:
        """The value of the only root field."""
        (value,) = (await self(document, **variables)).values()
        return value


BUILT = schema.build(Limits(tokens=10**6, depth=100, aliases=10**6, root_fields=10**6, cost=10**8))
"""With room for probes that ask for everything at once."""


def asker(services: Services, actor: Actor | None) -> Asker:
    return Asker(services, actor, BUILT)
