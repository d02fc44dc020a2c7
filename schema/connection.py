"""Lists as cursor connections: the same four types for every noun, and how a page becomes one.

A resolver answers a `Connection`. Its rows are domain objects, which the edge's GraphQL type reads;
how many there are in all is counted when `totalCount` is selected, and not otherwise.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from app.domain.paging import MAX_FIRST, Keyset, Page

First = Annotated[int, strawberry.argument(description=f"How many rows, 1 to {MAX_FIRST}.")]
After = Annotated[
    str | None,
    strawberry.argument(description="Rows behind this cursor: the `endCursor` of the last page."),
]


@strawberry.type(description="Where a page is in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether rows follow.")
    has_previous_page: bool = strawberry.field(description="Whether a page came before.")
    start_cursor: str | None = strawberry.field(description="Of the first row.")
    end_cursor: str | None = strawberry.field(description="Of the last row: the next `after`.")


@dataclass(frozen=True, slots=True)
class Edge:
    """A row and its place."""

    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of a list, and a way to count the list."""

    page: Page[Any]
    count: Callable[[], Awaitable[int]]

    @property
    def edges(self) -> Sequence[Edge]:
        return [Edge(*pair) for pair in zip(self.page.cursors, self.page.rows, strict=True)]

    @property
    def nodes(self) -> Sequence[Any]:
        return self.page.rows

    @property
    def page_info(self) -> PageInfo:
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


@strawberry.type
class _ConnectionFields:
    page_info: PageInfo

    @strawberry.field(description="Rows in the whole list. Counted when selected.")
    async def total_count(root: strawberry.Parent[Connection]) -> int:
        return await root.count()


def connection_type(name: str, node: Any, description: str) -> Any:
    """The GraphQL types `<name>Connection`, which is answered, and `<name>Edge`.

    `node` is the GraphQL type of the rows.
    """
    edge: Any = strawberry.type(
        _class(
            f"{name}Edge",
            (),
            cursor=(str, strawberry.field(description="The row's place, for `after`.")),
            node=(Any, strawberry.field(graphql_type=node, description="The row.")),
        ),
        description="A row of a list.",
    )
    rows = strawberry.field(graphql_type=list[node], description="The rows alone.")
    edges = strawberry.field(graphql_type=list[edge], description="The rows with their places.")
    connection = _class(
        f"{name}Connection", (_ConnectionFields,), edges=(Any, edges), nodes=(Any, rows)
    )
    return strawberry.type(connection, description=description)


async def page_of(
    find: Callable[[Keyset], Awaitable[Page[Any]]],
    *,
    count: Callable[[], Awaitable[int]],
    first: int,
    after: str | None,
    order: str = "_id",
    descending: bool = False,
    unique: bool = False,
) -> Connection:
    """The connection over the page that `find` finds.

    `order` is the stored field that the rows are ordered by, `unique` when no two rows share a
    value of it. Raises Invalid at `first` and `after`.
    """
    keyset = Keyset(
        field=order, descending=descending, unique=unique, first=first, after=after or None
    )
    return Connection(page=await find(keyset), count=count)


def _class(name: str, bases: tuple[type, ...], **fields: tuple[Any, Any]) -> type:
    """A class with annotated fields, as if it had been written."""
    annotations = {field: annotation for field, (annotation, _) in fields.items()}
    values = {field: value for field, (_, value) in fields.items()}
    return type(name, bases, {"__annotations__": annotations, "__module__": __name__, **values})
