"""Files of `NAME=value` lines."""

import pytest

from app.domain.importing.compose.dotenv import parse, raw
from app.domain.importing.secrecy import mark

LINES = [
    ("A=b", {"A": "b"}),
    ("# comment\n\n  A=b\r\nC=d\n", {"A": "b", "C": "d"}),
    ("\ufeffA=b", {"A": "b"}),
    ("export A=b", {"A": "b"}),
    ("A = b c ", {"A": "b c"}),
    ("A: b", {"A": "b"}),
    ("A=b # comment", {"A": "b"}),
    ("A=b# none", {"A": "b# none"}),
    ("A=", {"A": ""}),
    ("A=\nB=c", {"A": "", "B": "c"}),
    ("A='b # $C'  # comment\nD=e", {"A": "b # $C", "D": "e"}),
    (r"A='Let\'s'", {"A": "Let's"}),
    ('A="b # c" # comment', {"A": "b # c"}),
    (r'A="{\"a\": \"b\"}"', {"A": '{"a": "b"}'}),
    (r'A="a\tb\nc\\d"', {"A": "a\tb\nc\\d"}),
    (r"A='a\tb'", {"A": r"a\tb"}),
    (r'A="\$B $$C"', {"A": "$B $C"}),
    ('A="two\nlines"\nB=c', {"A": "two\nlines", "B": "c"}),
    ("A=1\nB=${A}2\nC=$B$A", {"A": "1", "B": "12", "C": "121"}),
    ("A=${GIVEN:-x}", {"A": "outside"}),
    ("GIVEN", {"GIVEN": "outside"}),
    ("GONE", {}),
    ("A=1\nA=2", {"A": "2"}),
    ("A.b-c=1", {"A.b-c": "1"}),
    ("A=a=b", {"A": "a=b"}),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_a_file_says(text: str, expected: dict[str, str]) -> None:
    made = parse(text, {"GIVEN": "outside"}, len)
    assert made.values == expected
    assert made.bad_lines == []


def test_lines_that_cannot_be_read_are_counted_and_passed_over() -> None:
    made = parse("A=1\n?!\nB=2\n\nthree words here\nC='open\nD=4", {}, len)
    assert made.values == {"A": "1", "B": "2", "D": "4"}
    assert made.bad_lines == [2, 5, 6]


def test_secrets_leave_marks() -> None:
    made = parse("TOKEN=abc\nURL=http://${TOKEN}@host\nAGAIN=$URL", {}, len)
    assert made.values["URL"] == made.values["AGAIN"] == f"http://{mark('TOKEN')}@host"


def test_the_raw_format_keeps_everything_after_the_first_sign() -> None:
    made = raw("# comment\nA='b'\n\nB=$A # no comment\nbad")
    assert made.values == {"A": "'b'", "B": "$A # no comment"}
    assert made.bad_lines == [5]
