from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("500m", "0.5"),
        ("1Gi", "1073741824"),
        ("1.5Gi", "1610612736"),
        ("128Mi", "134217728"),
        ("1Ki", "1024"),
        ("7Ei", "8070450532247928832"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1000000000000000000"),
        ("12e-1", "1.2"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1", "1"),
        ("1n", "0.000000001"),
        ("1u", "0.000001"),
        ("3k", "3000"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_amount(text: str, value: str) -> None:
    assert quantity.amount(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "abc",
        "1 Gi",
        " 1",
        "1\n",
        "1K",
        "1KB",
        "1gi",
        "1e",
        "-1",
        "NaN",
        "Infinity",
        "1_000",
        "٣",
        "1ee3",
        "9223372036854775808",
        "8Ei",
        "1e999",
        "1e9999999999",
        "1" * 41,
    ],
)
def test_no_quantity(text: str) -> None:
    assert not quantity.is_quantity(text)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    if quantity.is_quantity(text):
        assert 0 <= quantity.amount(text) <= quantity.MAXIMUM
