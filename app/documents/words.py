"""Searching by the beginnings of words, along an index.

A regular expression would walk the whole collection. Instead a document keeps the beginnings of its
words in a list, and a search is a comparison with one entry of it: `lov` finds Ada Lovelace.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_WORD = re.compile(r"\w+")
_LONGEST = 24
_MOST_WORDS = 16
_MOST_TEXT = 1_000


def beginnings(*texts: str) -> list[str]:
    """The beginnings, up to 24 characters, of the words of `texts`, for the document to keep."""
    return sorted(
        {
            word[:length]
            for text in texts
            for word in _words(text)
            for length in range(1, len(word) + 1)
        }
    )


def matching(field: str, search: str | None) -> dict[str, Any]:
    """The filter for documents whose `field` has a beginning for every word of `search`."""
    if search is None or not search.strip():
        return {}
    # Without a letter or digit nothing is found, rather than everything.
    words = sorted(_words(search), key=len, reverse=True) or ["?"]
    longest, *others = words
    return {field: longest} | ({"$and": [{field: word} for word in others]} if others else {})


def _words(text: str) -> Sequence[str]:
    """Words without regard to case and accents."""
    plain = unicodedata.normalize("NFKD", text[:_MOST_TEXT]).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("_", " ")
    return [word[:_LONGEST] for word in _WORD.findall(plain)[:_MOST_WORDS]]
