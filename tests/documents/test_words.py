"""Searching by the beginnings of words."""

import pytest

from app.documents.words import beginnings, matching

ADA = beginnings("Ada Lovelace-Byron", "Ada.L@Example.com")
JOSE = beginnings("Jos\u00e9 M\u00fcller")


def found(words: list[str], search: str) -> bool:
    """What MongoDB makes of the filter."""
    wanted = matching("words", search)
    return all(
        condition["words"] in words
        for condition in [{"words": wanted["words"]}, *wanted.get("$and", [])]
    )


@pytest.mark.parametrize(
    "search", ["ada", "LOVE", "byron", "lovelace ada", "ada.l@example.com", "exam", "ada l", "@ada"]
)
def test_every_word_may_begin_it(search: str) -> None:
    assert found(ADA, search)


@pytest.mark.parametrize(
    "search", ["lace", "adam", "ada lovell", "example.org", "???", "$ne", "\ud800"]
)
def test_what_does_not_begin_a_word_is_not_found(search: str) -> None:
    assert not found(ADA, search)


@pytest.mark.parametrize("search", ["jose", "JOS\u00c9", "muller", "m\u00fcll", "mu\u0308ller"])
def test_accents_do_not_matter(search: str) -> None:
    assert found(JOSE, search)


@pytest.mark.parametrize("search", [None, "", "  "])
def test_no_search_is_no_filter(search: str | None) -> None:
    assert matching("words", search) == {}


def test_a_long_text_makes_a_short_list() -> None:
    assert len(beginnings("x" * 10_000)) == 24
    assert len(beginnings("word " * 10_000)) == 4
    assert len(str(matching("words", "a b c " * 10_000))) < 1_000
