"""`${VARIABLE}` in values, by the chapter of the specification, and what it is bounded by."""

import pytest

from app.domain.errors import Invalid
from app.domain.importing.compose.interpolation import LONGEST, TooLong, expand
from app.domain.importing.secrecy import mark
from tests.domain.importing.compose.reading import notes, read, read_service, service, workload

VARIABLES = {"SET": "value", "EMPTY": "", "OTHER": "$SET"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b$SET.c", "avaluebvalue.c"),
        ("$SETTING", ""),
        ("$$SET", "$SET"),
        ("$$$SET", "$value"),
        ("$$$$", "$$"),
        ("100$ or $1 or $", "100$ or $1 or $"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${UNSET:-x}", "x"),
        ("${UNSET-x}", "x"),
        ("${UNSET:-}", ""),
        ("${SET:-x}", "value"),
        ("${SET:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${UNSET+x}", ""),
        ("${UNSET:-${EMPTY:-${SET}}}", "value"),
        ("${UNSET-$SET}", "value"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("${UNSET:-{}}", "{}"),
        ("${UNSET:-$$}", "$"),
        ("${SET:?gone}", "value"),
        ("${EMPTY?gone}", ""),
        ("$OTHER", "$SET"),
        ("${1}", "${1}"),
        ("${SET", "${SET"),
        ("${SET/a/b}", "${SET/a/b}"),
    ],
)
def test_a_text_becomes(text: str, expected: str) -> None:
    assert expand(text, VARIABLES).text == expected


@pytest.mark.parametrize("text", ["${TOKEN}", "$TOKEN", "${TOKEN:-x}", "${TOKEN-x}", "${TOKEN:?x}"])
@pytest.mark.parametrize("variables", [{}, {"TOKEN": "shown"}])
def test_a_secret_leaves_a_mark(text: str, variables: dict[str, str]) -> None:
    made = expand(f"<{text}>", variables)
    assert made.text == f"<{mark('TOKEN')}>"
    assert made.faults == []


def test_whether_a_secret_is_there_is_none() -> None:
    assert expand("${TOKEN:+yes}", {"TOKEN": "shown"}).text == "yes"


def test_what_has_no_value_has_a_note_that_does_not_repeat_the_text() -> None:
    result = read_service(environment={"A": "${GONE} ${ASKED:?sesame}"})
    assert notes(result) == [
        "missing services.web.environment.A: The variable GONE has no value. It is taken as empty. "
        "Give it with the variables.",
        "missing services.web.environment.A: The variable ASKED has no value. The file requires "
        "it. Give it with the variables.",
    ]
    assert workload(result)["env"] == {"A": " "}


def test_variables_win_over_the_file_with_defaults() -> None:
    text = service(environment={"A": "$A", "B": "$B", "C": "$C"})
    result = read(text, files={".env": "A=file\nB=file-$A\nC=$B"}, variables={"A": "given"})
    assert workload(result)["env"] == {"A": "given", "B": "file-given", "C": "file-given"}


def test_keys_are_left_alone_but_names_in_lists_are_not() -> None:
    given = {"variables": {"NAME": "REAL"}}
    assert workload(read(service(environment=["$NAME=1"]), **given))["env"] == {"REAL": "1"}
    result = read(service(environment={"$NAME": "1"}), **given)
    assert "env" not in workload(result)
    assert [note.split(":")[0] for note in notes(result)] == [
        "ignored services.web.environment.$NAME"
    ]


def test_a_value_of_a_variable_makes_no_mark() -> None:
    result = read(service(environment={"A": "$A"}), variables={"A": "\x00TOKEN\x00"})
    assert workload(result)["env"] == {"A": "\ufffdTOKEN\ufffd"}


def test_one_text_is_bounded() -> None:
    with pytest.raises(TooLong):
        expand("$A" * 3, {"A": "x" * (LONGEST // 2)})
    result = read(service(annotations={"a": "$A$A$A"}), variables={"A": "x" * (LONGEST // 2)})
    assert notes(result) == [
        "ignored services.web.annotations.a: Its variables make it longer than 1 MiB: it is left "
        "out."
    ]


def test_all_texts_together_are_bounded() -> None:
    labels = {f"l{i}": "$A" for i in range(5)}
    with pytest.raises(Invalid, match="longer than 4 MiB"):
        read(service(labels=labels), variables={"A": "x" * (LONGEST - 1)})


def test_nesting_is_bounded() -> None:
    made = expand("${A:-" * 5000 + "}" * 5000, {})
    assert made.text == ""
    assert [message for _, message in made.faults] == [
        "Its variables are nested more than 32 levels deep."
    ]
