"""The search for secrets finds them, however they come out."""

import base64
import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from pymongo import AsyncMongoClient

from tests.secrecy import SecretCameOut, keep_secret, search, search_database


def _unprinted() -> str:
    """Only this test may print it: it is gone from the search's memory of other tests' output."""
    return keep_secret("a+secret/of=the test of secrecy", "the secret of this test")


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text,
        lambda text: f"Bearer {text}!",
        lambda text: json.dumps({"token": text}),
        quote_plus,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"x{text}yz".encode()).decode(),
        lambda text: base64.b64encode(f"xy{text}z".encode()).decode(),
    ],
)
def test_it_is_found_in_every_spelling(spell: Any) -> None:
    with pytest.raises(SecretCameOut, match=r"^the secret of this test came out: it is in a log$"):
        search("a log", spell(_unprinted()))


def test_pem_is_found_by_any_of_its_lines() -> None:
    line = "MC4CAQAwBQYDK2VwBCIEIHrPcKTzNotARealKeyAtAllButLong"
    keep_secret(f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n", "a key")
    with pytest.raises(SecretCameOut):
        search("an event", f"...{line}...")
    search("an event", "-----BEGIN PRIVATE KEY-----")


async def test_it_is_found_in_a_database(mongodb: AsyncMongoClient[dict[str, Any]]) -> None:
    name = "test_secrecy"
    await mongodb[name]["things"].insert_one({"deep": [{"inside": _unprinted()}]})
    try:
        with pytest.raises(SecretCameOut, match="the collection things"):
            await search_database(mongodb, name)
    finally:
        await mongodb.drop_database(name)
