"""Rules for what proves who we are, and that no certificate library knows."""

_LONGEST_TOKEN = 65_536


def check_token(token: str) -> str | None:
    """A sentence about why this cannot be a bearer token, or None when it can."""
    if not token:
        return "The token is empty."
    if len(token) > _LONGEST_TOKEN:
        return f"The token is longer than {_LONGEST_TOKEN} characters."
    if not token.isascii() or not token.isprintable() or " " in token:
        return "A token is one line of ASCII text without blanks."
    return None
