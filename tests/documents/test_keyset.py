"""Pages along an index: every row once, in order, at the cost of the page alone."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from app.documents.database import Database
from app.documents.keyset import Keyset, Page, find_page
from app.domain.errors import Invalid

START = datetime(2030, 1, 31, tzinfo=UTC)
Rows = AsyncCollection[dict[str, Any]]


@pytest.fixture
async def rows(database: Database) -> AsyncIterator[Rows]:
    """2,000 rows of two owners: most never run, many run at the same moment."""
    collection = database.raw["rows"]
    await collection.create_index([("owner", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)])
    await collection.create_index([("owner", ASCENDING), ("number", ASCENDING)], unique=True)
    documents: list[dict[str, Any]] = []
    for number in range(2_000):
        document = {"_id": number, "owner": number % 2, "number": number, "deep": {"n": number}}
        if number % 3 == 0:
            document["at"] = START + timedelta(hours=number // 200)
        documents.append(document)
    await collection.insert_many(documents)
    yield collection


async def page(rows: Rows, **keyset: Any) -> Page[int]:
    return await find_page(rows, {"owner": 0}, Keyset(**keyset), lambda row: int(row["_id"]))


async def walk(rows: Rows, **keyset: Any) -> list[int]:
    seen: list[int] = []
    after = None
    while True:
        found = await page(rows, after=after, **keyset)
        seen += found.rows
        assert found.has_previous is (after is not None)
        if not found.has_next:
            return seen
        after = found.cursors[-1]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["at", "_id", "deep.n"])
async def test_every_row_once_in_order(rows: Rows, field: str, descending: bool) -> None:
    direction = DESCENDING if descending else ASCENDING
    order = [(field, direction)] if field == "_id" else [(field, direction), ("_id", direction)]
    expected = [row["_id"] async for row in rows.find({"owner": 0}, sort=order)]
    assert await walk(rows, field=field, descending=descending, first=97) == expected


async def test_a_unique_field_needs_no_id(rows: Rows) -> None:
    walked = await walk(rows, field="number", unique=True, descending=True, first=100)
    assert walked == list(range(1_998, -1, -2))


async def test_the_last_page_knows_that_it_is(rows: Rows) -> None:
    found = await page(rows, first=100, after=(await page(rows, first=100)).cursors[-1])
    assert found.has_next
    everything = await walk(rows, first=100)
    assert len(everything) == 1_000
    last = await page(rows, field="number", unique=True, descending=True, first=1)
    behind = await page(rows, field="number", unique=True, first=5, after=_ascending(last))
    assert behind.rows == []
    assert not behind.has_next


def _ascending(found: Page[int]) -> str:
    """The cursor of the same row in the other order."""
    key = bson.decode(base64.urlsafe_b64decode(found.cursors[-1] + "=="))["k"]
    packed = bson.encode({"o": "number:1", "k": key})
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


@pytest.mark.parametrize("descending", [True, False])
async def test_a_page_costs_its_own_rows_however_deep(
    database: Database, rows: Rows, descending: bool
) -> None:
    """Also among a thousand rows that share a value, here: none."""
    profile = database.raw["system.profile"]
    after, more = None, True
    while more:
        await database.raw.command("profile", 2)
        found = await page(rows, field="at", descending=descending, first=100, after=after)
        await database.raw.command("profile", 0)
        after, more = found.cursors[-1], found.has_next
        costs = await profile.find({"ns": rows.full_name}).to_list()
        await profile.drop()
        assert len([cost for cost in costs if "cursorid" in cost]) == 0
        assert "COLLSCAN" not in str(costs)
        assert sum(cost["keysExamined"] for cost in costs) <= 210
        assert sum(cost["docsExamined"] for cost in costs) <= 210


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "not a cursor",
        "\u00e9\u00e9\u00e9",
        "A" * 10_000,
        base64.urlsafe_b64encode(b"\x05\x00\x00\x00\x00").decode(),
        base64.urlsafe_b64encode(bson.encode({"o": "at:-1,_id:-1"})).decode(),
        base64.urlsafe_b64encode(bson.encode({"o": "at:-1,_id:-1", "k": [1]})).decode(),
        base64.urlsafe_b64encode(bson.encode({"o": "at:-1,_id:-1", "k": {"0": 1}})).decode(),
        base64.urlsafe_b64encode(
            bson.encode({"o": "at:-1,_id:-1", "k": [{"$gt": ""}, 1]})
        ).decode(),
        base64.urlsafe_b64encode(
            bson.encode({"o": "at:-1,_id:-1", "k": [bson.Regex(".*"), 1]})
        ).decode(),
    ],
)
async def test_what_is_no_cursor_is_refused_at_after(rows: Rows, cursor: str) -> None:
    with pytest.raises(Invalid, match="endCursor") as refused:
        await page(rows, field="at", descending=True, after=cursor)
    assert refused.value.path == ["after"]


async def test_a_cursor_of_another_order_is_refused(rows: Rows) -> None:
    cursor = (await page(rows, field="at")).cursors[0]
    with pytest.raises(Invalid, match="another order"):
        await page(rows, field="at", descending=True, after=cursor)


@pytest.mark.parametrize("first", [0, -1, 101, 2**31])
def test_a_page_has_1_to_100_rows(first: int) -> None:
    with pytest.raises(Invalid, match="1 to 100") as refused:
        Keyset(first=first)
    assert refused.value.path == ["first"]
