"""E-mail addresses: checked by their form alone, compared without regard to case.

DNS is not asked: a server without a way out must let people in, and an answer would take seconds.
"""

import contextlib
import unicodedata

import email_validator

from app.domain.credentials import MAX_EMAIL
from app.domain.errors import Invalid

# Private networks have real mailboxes here; the library thinks of the public Internet only.
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name
    for name in email_validator.SPECIAL_USE_DOMAIN_NAMES
    if name not in {"local", "localhost", "test"}
]


def parse(text: str) -> str:
    """The address in its normal form. Raises Invalid at `email` with the reason."""
    if len(text) > MAX_EMAIL:
        raise Invalid.field(["email"], f"The address has more than {MAX_EMAIL} characters.")
    try:
        found = email_validator.validate_email(text.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise Invalid.field(["email"], str(error)) from None
    return found.normalized


def key(text: str) -> str:
    """What all spellings of one address have in common. Takes any text, an address or not."""
    with contextlib.suppress(Invalid):
        text = parse(text)
    # Half a surrogate pair has no UTF-8: the database could not even look for it.
    text = text.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", text.strip()).casefold()
