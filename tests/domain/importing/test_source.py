"""YAML of strangers: what plain words mean, and what is refused."""

import json

import pytest

from app.domain.errors import Invalid
from app.domain.importing.source import DEEPEST, Dialect, documents

WORDS = [
    ("22:22", "22:22"),
    ("2026-01-01", "2026-01-01"),
    ("1_000", 1000),
    ("012", 10),
    ("0o14", 12),
    ("0x1F", 31),
    ("1e3", 1000.0),
    ("1.50", 1.5),
    (".inf", ".inf"),
    ("true", True),
    ("~", None),
    ("", None),
    ("'8080'", "8080"),
]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(("written", "read"), WORDS)
def test_a_word_means_what_it_means_to_the_tools_of_its_source(
    dialect: Dialect, written: str, read: object
) -> None:
    [document] = documents(f"key: {written}", dialect)
    assert document == {"key": read}
    assert type(document["key"]) is type(read)


@pytest.mark.parametrize("word", ["yes", "on", "No", "OFF", "y"])
def test_only_kubernetes_takes_yes_for_true(word: str) -> None:
    assert documents(f"a: {word}", Dialect.COMPOSE) == [{"a": word}]
    assert documents(f"a: {word}", Dialect.KUBERNETES) == [
        {"a": word.lower() in ("yes", "on", "y")}
    ]


def test_keys_are_text_and_merges_are_made() -> None:
    text = "base: &base {8080: a, y: b}\nmore: &more {<<: *base, y: c}\nlast: {<<: *more, on: d}"
    [document] = documents(text, Dialect.KUBERNETES)
    assert document["last"] == {"8080": "a", "y": "c", "on": "d"}


def test_json_is_yaml_and_empty_documents_are_none() -> None:
    assert documents('{"a": [1, null]}', Dialect.KUBERNETES) == [{"a": [1, None]}]
    assert documents("", Dialect.COMPOSE) == []
    assert documents("---\n---\na: 1\n---\n", Dialect.KUBERNETES) == [None, {"a": 1}, None]


def test_json_may_have_characters_that_yaml_has_no_place_for() -> None:
    text = "\x7f\x85\x9f\u2028\ufeff'"
    assert documents(json.dumps({"a": text}, ensure_ascii=False), Dialect.KUBERNETES) == [
        {"a": text}
    ]


LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
)

REFUSED = {
    "twice": ("a: 1\na: 2", "A key is there twice (line 2)."),
    "object": ("a: !!python/object:os.system x", "is not supported"),
    "custom tag": (
        "a: !reset x",
        "A tag (line 1) is not supported: quote a value that begins with '!'.",
    ),
    "binary": ("a: !!binary aGk=", "is not supported"),
    "unfinished": ("a: 1\nb: [", "not valid YAML (line 3)"),
    "alias": ("a: *b", "undefined alias"),
    "within itself": ("a: &a [*a]", "levels deep"),
    "merged into itself": ("a: &a {<<: *a}", "levels deep"),
    "laughs": (LAUGHS, "aliases counted"),
    "deep": ("[" * (DEEPEST + 1), f"more than {DEEPEST} levels deep (line 1)"),
    "deeper": ("[" * 100_000, f"more than {DEEPEST} levels deep (line 1)"),
    "list as key": ("? [a]\n: b", "A key (line 1) is no text."),
    "number": (f"a: {'9' * 5000}", "out of range"),
    "hexadecimal": (f"a: 0x{'f' * 4000}", "out of range"),
    "infinite": ("a: 1e999", "out of range"),
    "no truth": ("a: !!bool maybe", "does not fit its tag"),
    "NUL": ("\0", "not valid YAML"),
    "surrogate": ("\ud800", "out of range"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_where(case: str) -> None:
    text, words = REFUSED[case]
    with pytest.raises(Invalid) as refused:
        documents(text, Dialect.COMPOSE)
    [problem] = refused.value.problems
    assert words in problem.message
    assert problem.path == ("content",)
