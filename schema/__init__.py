"""The GraphQL contract: three explicit lists, assembled."""

from collections.abc import Iterable

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.tools import create_type

from schema import server
from schema.account.mutations import MUTATIONS as ACCOUNT_MUTATIONS
from schema.account.queries import QUERIES as ACCOUNT_QUERIES
from schema.errors import HANDLERS
from schema.scalars import CONFIG
from schema.workflow import palette, queries, subscriptions
from schema.workflow.mutations import MUTATIONS as WORKFLOW_MUTATIONS

Query = create_type(
    "Query", [*ACCOUNT_QUERIES, *queries.QUERIES, *palette.QUERIES, *server.QUERIES]
)
Mutation = create_type("Mutation", [*ACCOUNT_MUTATIONS, *WORKFLOW_MUTATIONS])
Subscription = create_type("Subscription", [*subscriptions.SUBSCRIPTIONS])


def build(extensions: Iterable[type[SchemaExtension]] = ()) -> strawberry.Schema:
    """The schema, executed under `extensions`."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=CONFIG,
        extensions=list(extensions),
        exception_handlers=HANDLERS,
    )


def sdl() -> str:
    """The schema in the schema definition language, as committed in `schema.graphql`."""
    return build().as_str() + "\n"
