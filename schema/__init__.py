"""The GraphQL contract: three explicit lists, assembled."""

from graphql import build_schema
from graphql.utilities import find_breaking_changes
from strawberry.tools import create_type

from schema import server
from schema.account.mutations import MUTATIONS as ACCOUNT_MUTATIONS
from schema.account.queries import QUERIES as ACCOUNT_QUERIES
from schema.cluster import queries as cluster_queries
from schema.cluster import subscriptions as cluster_subscriptions
from schema.cluster.mutations import MUTATIONS as CLUSTER_MUTATIONS
from schema.deployment import queries as deployment_queries
from schema.deployment import subscriptions as deployment_subscriptions
from schema.deployment.mutations import MUTATIONS as DEPLOYMENT_MUTATIONS
from schema.errors import HANDLERS
from schema.execution import Schema
from schema.limits import Limits
from schema.scalars import CONFIG
from schema.workflow import palette, queries, subscriptions
from schema.workflow.mutations import MUTATIONS as WORKFLOW_MUTATIONS

Query = create_type(
    "Query",
    [
        *ACCOUNT_QUERIES,
        *queries.QUERIES,
        *cluster_queries.QUERIES,
        *deployment_queries.QUERIES,
        *palette.QUERIES,
        *server.QUERIES,
    ],
)
Mutation = create_type(
    "Mutation",
    [*ACCOUNT_MUTATIONS, *WORKFLOW_MUTATIONS, *DEPLOYMENT_MUTATIONS, *CLUSTER_MUTATIONS],
)
Subscription = create_type(
    "Subscription",
    [
        *subscriptions.SUBSCRIPTIONS,
        *deployment_subscriptions.SUBSCRIPTIONS,
        *cluster_subscriptions.SUBSCRIPTIONS,
    ],
)


def build(limits: Limits | None = None) -> Schema:
    """The schema, executed under `limits`."""
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        limits=limits,
        config=CONFIG,
        exception_handlers=HANDLERS,
    )


def breaking_changes(promised: str) -> list[str]:
    """How clients of an earlier SDL would break, in words; empty when none would."""
    changes = find_breaking_changes(build_schema(promised), build_schema(sdl()))
    return [change.description for change in changes]


def sdl() -> str:
    """The schema in the schema definition language, as committed in `schema.graphql`."""
    return build().as_str() + "\n"
