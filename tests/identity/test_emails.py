"""E-mail addresses: by form, without DNS, in any case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.identity import emails


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.L@EXAMPLE.com ", "Ada.L@example.com"),
        ("ada@b\u00fccher.example", "ada@b\u00fccher.example"),
        ("ada@xn--bcher-kva.example", "ada@b\u00fccher.example"),
        ("ada@build.local", "ada@build.local"),
    ],
)
def test_the_normal_form(text: str, normal: str) -> None:
    assert emails.parse(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "Ada <ada@example.com>",
        "a" * 255,
        "ada@nowhere",
        "ada@example..com",
        "ada@[127.0.0.1]",
        "ada\0@example.com",
        "\ud800@example.com",
    ],
)
def test_what_is_no_address_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        emails.parse(text)
    assert refused.value.path == ["email"]


@pytest.mark.parametrize(
    "spelling",
    ["ADA@example.com", "ada@EXAMPLE.COM", "  ada@example.com", "ada@example.com\n"],
)
def test_spellings_of_one_address_have_one_key(spelling: str) -> None:
    assert emails.key(spelling) == emails.key("ada@example.com")


def test_both_forms_of_a_domain_have_one_key() -> None:
    assert emails.key("ada@xn--bcher-kva.example") == emails.key("Ada@B\u00dcCHER.example")


@given(st.text(max_size=300))
def test_any_text_has_a_key(text: str) -> None:
    assert emails.key(text) == emails.key(f" {text} ")
