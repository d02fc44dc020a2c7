"""Secrets of the tests, and the proof that none of them comes out anywhere.

A test that hands a secret to the program takes it from `secret()`, or names it with `keep_secret`.
From then on it is looked for in everything that the program leaves: every document of the test's
database before it is dropped, every answer, every captured line of output and log, and the error
texts among them. The logs of servers are searched for the secrets of the whole run.
"""

import base64
import secrets
from collections.abc import Generator
from typing import Any
from urllib.parse import quote_plus

import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

_FORMS: dict[bytes, str] = {}
"""Every spelling that a secret of this test may come out in, and what it is."""
_EARLIER: dict[bytes, str] = {}
"""The same of the tests before it."""


class SecretCameOut(AssertionError):
    """A secret was found where it must not be. Says which and where, not more."""


def secret(what: str) -> str:
    """A new secret; `what` it is, is said when it comes out."""
    return keep_secret(secrets.token_urlsafe(24), what)


def keep_secret(text: str, what: str) -> str:
    """From now on `text` must come out nowhere. PEM is known by its lines."""
    if "-----BEGIN" in text:
        for line in text.splitlines():
            if len(line) >= 40 and not line.startswith("-----"):
                _remember(line, what)
    else:
        _remember(text, what)
    return text


def _remember(text: str, what: str) -> None:
    raw = text.encode()
    _FORMS[raw] = what
    _FORMS[quote_plus(text).encode()] = what
    # In base64 a text may begin at any of three places; the middle is the same whatever is around.
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw)
        _FORMS[encoded[4 if lead else 0 : len(encoded) // 4 * 4 - 4]] = what


def search(where: str, found: bytes | str, *, of_all_tests: bool = False) -> None:
    """Raises SecretCameOut when a secret is in `found`."""
    haystack = found.encode(errors="replace") if isinstance(found, str) else found
    for form, what in (_EARLIER | _FORMS if of_all_tests else _FORMS).items():
        if form in haystack:
            raise SecretCameOut(f"{what} came out: it is in {where}")


async def search_database(mongodb: AsyncMongoClient[dict[str, Any]], name: str) -> None:
    """Every document of every collection, as it is stored."""
    if not _FORMS:
        return
    database = mongodb[name]
    for collection in await database.list_collection_names():
        documents = database.get_collection(
            collection, codec_options=CodecOptions(document_class=RawBSONDocument)
        )
        async for document in documents.find():
            search(f"the collection {collection}", document.raw)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Another test, with secrets of its own."""
    _EARLIER.update(_FORMS)
    _FORMS.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test and the program in it have printed and logged."""
    report = yield
    if report.when == "teardown" and report.passed:
        try:
            for name, text in report.sections:
                search(f"{name} of {item.nodeid}", text)
        except SecretCameOut as error:
            report.outcome = "failed"
            report.longrepr = str(error)
    return report
