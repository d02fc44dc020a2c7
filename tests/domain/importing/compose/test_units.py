"""Durations, amounts, truths and words as compose writes them."""

from decimal import Decimal

import pytest

from app.domain.importing.compose import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1m30s", "90"),
        ("10s", "10"),
        ("500ms", "0.5"),
        ("1h5m30s20ms", "3930.02"),
        ("1.5m", "90"),
        ("2w1d", "1296000"),
        ("100us", "0.0001"),
        ("0", "0"),
        ("10", None),
        ("", None),
        ("-1s", None),
        ("1s2", None),
        ("s", None),
    ],
)
def test_a_duration_is(text: str, expected: str | None) -> None:
    assert units.seconds(text) == (None if expected is None else Decimal(expected))


def test_seconds_are_rounded_up() -> None:
    assert [units.whole_seconds(Decimal(t)) for t in ("0", "0.1", "1", "1.01", "1e30")] == [
        0,
        1,
        1,
        2,
        2**31 - 1,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1024", "1024"),
        ("1b", "1"),
        ("512m", "512Mi"),
        ("512MB", "512Mi"),
        ("1g", "1Gi"),
        ("1.5g", "1536Mi"),
        ("0.5k", "512"),
        ("300000kb", "300000Ki"),
        ("2gib", "2Gi"),
        ("1 gb", "1Gi"),
        ("1x", None),
        ("", None),
        ("-1m", None),
        ("m", None),
    ],
)
def test_an_amount_is(text: str, expected: str | None) -> None:
    assert units.size(text) == expected


def test_truths_and_words() -> None:
    assert [units.truth(t) for t in ("true", "Yes", "on", "no", "OFF", "maybe")] == [
        True,
        True,
        True,
        False,
        False,
        None,
    ]
    assert units.words("""sh -c 'a "b"' "c d" e\\ f""") == ["sh", "-c", 'a "b"', "c d", "e f"]
    assert units.words("open 'quote") is None


def test_numbers_are_written_without_an_exponent() -> None:
    assert [units.number(n) for n in (1e3, 1.5, 10, 1e20)] == ["1000", "1.5", "10", "1" + "0" * 20]
