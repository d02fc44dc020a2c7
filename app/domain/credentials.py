"""What a name, an e-mail and a password must be like. Length is what makes a password strong."""

import unicodedata

from app.domain.errors import FieldProblem

MAX_NAME = 100
MAX_EMAIL = 254
MIN_PASSWORD = 8
MAX_PASSWORD = 128

# What people choose most, of those that are long enough and no run of neighbours.
_COMMON_TEXT = """
    1q2w3e4r 1qaz2wsx admin123 administrator asdfghjkl azertyuiop baseball changeme computer
    football iloveyou internet kubeorch kubernetes letmein1 p@ssw0rd passw0rd password password1
    passwort princess qwerty123 qwertyui qwertyuiop qwertzuiop starwars sunshine superman trustno1
    welcome1 whatever
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_RUNS = ("0123456789" * 13, "9876543210" * 13, "abcdefghijklmnopqrstuvwxyz" * 5)


def name_problems(name: str) -> list[FieldProblem]:
    """What is wrong with a name, at `name`. Spaces around it are no part of it."""
    text = name.strip()
    if not 1 <= len(text) <= MAX_NAME:
        return [FieldProblem(("name",), f"A name has 1 to {MAX_NAME} characters.")]
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return [FieldProblem(("name",), "A name has no control characters.")]
    return []


def password_problems(
    password: str, *, field: str = "password", email: str = "", name: str = ""
) -> list[FieldProblem]:
    """What is wrong with a new password, at `field`."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        says = f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    elif _is_guessed_first(password, email, name):
        says = "This password is among the first that somebody would try. Choose another one."
    else:
        return []
    return [FieldProblem((field,), says)]


def _is_guessed_first(password: str, email: str, name: str) -> bool:
    plain = password.casefold()
    address = email.strip().casefold()
    return (
        plain in _COMMON
        or plain in {address, address.partition("@")[0], name.strip().casefold()}
        or (len(set(plain)) < 3 and len(plain) < 16)
        or any(plain in run for run in _RUNS)
    )
