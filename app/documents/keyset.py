"""One page of a collection, walked along an index from where the last page ended.

The index has the filter's equal fields first, then the order's field, then `_id` (no `_id` when
the field is unique). What stands behind a row are two or three ranges of that index, asked for one
after the other in one command: first the rows with the same value, then those with a later one. So
a page costs its own rows, however deep it is and however many rows share a value.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from app.domain.errors import Invalid
from app.domain.paging import Keyset, Page

__all__ = ["Keyset", "Page", "find_page"]

T = TypeVar("T")

_MAX_CURSOR = 4096
_UTC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
_SCALARS = (str, int, float, datetime, ObjectId, type(None))


async def find_page(
    collection: AsyncCollection[dict[str, Any]],
    filter_: Mapping[str, Any],
    keyset: Keyset,
    row: Callable[[dict[str, Any]], T],
    *,
    projection: Mapping[str, Any] | None = None,
) -> Page[T]:
    """The page of `collection` that `keyset` asks for, each document made a `row`.

    `projection` must leave in what the rows are ordered by. Raises Invalid at `after` for a cursor
    that is no cursor of this list.
    """
    order, ranges = _order(keyset), [dict(filter_)]
    if keyset.after is not None:
        ranges = _behind(ranges[0], order, _decode(keyset.after, order))
    documents = await _read(collection, ranges, order, keyset.first + 1, projection)
    shown = documents[: keyset.first]
    return Page(
        rows=[row(document) for document in shown],
        cursors=[_encode(document, order) for document in shown],
        has_next=len(documents) > keyset.first,
        has_previous=keyset.after is not None,
    )


Order = list[tuple[str, int]]


def _order(keyset: Keyset) -> Order:
    direction = DESCENDING if keyset.descending else ASCENDING
    if keyset.unique or keyset.field == "_id":
        return [(keyset.field, direction)]
    return [(keyset.field, direction), ("_id", direction)]


def _behind(filter_: dict[str, Any], order: Order, key: Sequence[Any]) -> list[dict[str, Any]]:
    """The ranges of `filter_` that stand behind `key`, in order."""
    ranges: list[dict[str, Any]] = []
    equal: dict[str, Any] = {}
    for (name, direction), value in zip(order, key, strict=True):
        beyond = _beyond(direction, value, nullable=name != order[-1][0])
        ranges = [equal | {name: condition} for condition in beyond] + ranges
        equal = equal | {name: value}
    return [{"$and": [filter_, range_]} for range_ in ranges]


async def _read(
    collection: AsyncCollection[dict[str, Any]],
    ranges: Sequence[Mapping[str, Any]],
    order: Order,
    limit: int,
    projection: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """The first `limit` documents of the ranges, one after the other, in one command.

    An `$or` would be one filter, but MongoDB plans its branches without regard to the order, and
    then may sort all of their rows.
    """
    batch = limit + 1  # a batch of exactly the limit leaves the cursor open: one more command
    if len(ranges) == 1:
        found = collection.find(ranges[0], projection, sort=order, limit=limit, batch_size=batch)
        return await found.to_list()
    shape = [{"$project": projection}] if projection else []
    parts: list[list[dict[str, Any]]] = [
        [{"$match": range_}, {"$sort": dict(order)}, {"$limit": limit}, *shape] for range_ in ranges
    ]
    first, *others = parts
    unions: list[dict[str, Any]] = [
        {"$unionWith": {"coll": collection.name, "pipeline": part}} for part in others
    ]
    pipeline = [*first, *unions, {"$limit": limit}]
    return await (await collection.aggregate(pipeline, batchSize=batch)).to_list()


def _beyond(direction: int, value: Any, *, nullable: bool) -> list[Any]:
    """Conditions on one field for what sorts after `value`, in order.

    MongoDB sorts a missing value before all others, but compares values of one type only: what
    `$lt` and `$gt` cannot reach is asked for by name.
    """
    if direction == ASCENDING:
        return [{"$ne": None}] if value is None else [{"$gt": value}]
    if not nullable:
        return [{"$lt": value}]
    return [] if value is None else [{"$lt": value}, None]


def _encode(document: Mapping[str, Any], order: Order) -> str:
    key = [_value(document, name) for name, _ in order]
    packed = bson.encode({"o": _signature(order), "k": key})
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _decode(cursor: str, order: Order) -> list[Any]:
    if len(cursor) > _MAX_CURSOR:
        raise _refused("This is not a cursor.")
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        content = bson.decode(packed, _UTC)
    except (BSONError, binascii.Error, ValueError, OverflowError, RecursionError) as error:
        raise _refused("This is not a cursor.") from error
    key = content.get("k")
    if content.get("o") != _signature(order):
        raise _refused("This cursor belongs to another list, or to another order of it.")
    # A value that is a document could smuggle an operator into the query.
    if not (
        isinstance(key, list)
        and len(key) == len(order)
        and all(isinstance(value, _SCALARS) for value in key)
    ):
        raise _refused("This is not a cursor.")
    return key


def _refused(what: str) -> Invalid:
    return Invalid.field(
        ["after"], f"{what} Send an endCursor or cursor that this list gave, as it is, or nothing."
    )


def _signature(order: Order) -> str:
    return ",".join(f"{name}:{direction}" for name, direction in order)


def _value(document: Mapping[str, Any], name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
