"""What looks secret, and how a text goes on without it.

A secret never becomes part of a canvas, so its value is taken out where the source is read, before
anything else sees it. A mark with the name of a variable stays in its place: where the text ends up
in a command, the mark becomes a reference to that variable, whose value is given at deploy time.
"""

import re
from collections.abc import Callable

_MARK = re.compile("\x00([A-Za-z0-9_]+)\x00")

_SECRET_WORDS = {
    *("PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "PASSCODE", "PASS", "PW"),
    *("SECRET", "SECRETS", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS"),
    *("PRIVATEKEY", "SALT", "PEPPER", "REQUIREPASS", "HTPASSWD", "BASICAUTH"),
    *("BEARER", "AUTHKEY"),
}
_SECRET_ENDINGS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY")
_PLAIN_KEYS = {
    *("PUBLIC", "PRIMARY", "PARTITION", "CACHE", "SORT", "FOREIGN", "SHARD", "ROUTING", "GROUP"),
    *("SITE", "JSON", "HOT", "INDEX"),
}
_ABOUT_IT = {
    *("FILE", "FILES", "PATH", "DIR", "FOLDER", "URL", "URI", "HOST", "PORT", "NAME", "HEADER"),
    *("TTL", "EXPIRY", "EXPIRES", "EXPIRE", "EXPIRATION", "LIFETIME", "TIMEOUT", "DAYS", "HOURS"),
    *("MINUTES", "SECONDS", "LENGTH", "SIZE", "COUNT", "MIN", "MAX", "ENABLED", "DISABLED", "TYPE"),
    *("ALGORITHM", "POLICY", "ISSUER", "AUDIENCE", "ENDPOINT", "ROTATION", "PREFIX", "VERSION"),
}
"""A last word that says something about a secret: `DB_PASSWORD_FILE` is a path."""
_SWITCHES = {"", "true", "false", "yes", "no", "on", "off", "0", "1"}

_LITERALS = (
    re.compile(r"(?<=://)[^\s/@:]{0,256}:(?P<secret>[^\s/@\x00]{1,1024})@"),
    # Possessive, and begun only where a word does: anything else is quadratic on `a:a:a:…`.
    re.compile(r"(?<![^\s/@]):*+[^\s/@:]++:(?P<secret>[^\s/@\x00]++)@(?=(?:tcp|unix)?\()"),
    re.compile(
        r"(?i)\b(?:password|passwd|pwd|secret|accountkey|sharedaccesskey)\s*=\s*"
        r"(?P<secret>[^\s;&\x00]+)"
    ),
    re.compile(
        r"(?i)\bauthorization[\"']?\s*+[:=]\s*+[\"']?(?:bearer|basic|token)\s++"
        r"(?P<secret>[^\s\"';,$\x00]+)"
    ),
    re.compile(r"(?i)\bapi[-_]?key\s*+=\s*+(?P<secret>[^\s\"';&,$\x00]+)"),
    re.compile(r"-----BEGIN (?:[A-Z]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"),
)
_OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)(=|\s+)(\"[^\"]*\"|'[^']*'|[^\s\"';&|$\x00]+)")
_SETTING = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key)[\"']?"
    r"[ \t]*+[:=][ \t]*+[\"']?[^\s\"'#$<{\[/\x00]{3}"
)
_BEFORE_SETTING = re.compile(r"(?:\A|\n)[ \t\-]*+[\"']?[\w.\-]*+\Z")
"""What stands before the last word of a setting's name, back to the beginning of its line."""
_FURTHEST = 256
"""Characters of a line that are looked at for it: a line may be as long as the file."""
_DEEPEST = 8
_SECRET_FILE = re.compile(
    r"(?i)(?:^|/)(?:id_[a-z0-9]+|[^/]*\.(?:key|pem|p12|pfx|jks|keystore)|\.?htpasswd|\.pgpass"
    r"|\.npmrc|\.netrc|\.env(?:\.[^/]*)?|[^/]*\.env|[^/]*(?:secret|password|credential)[^/]*)$"
)


def clean(text: str) -> str:
    """A text of a stranger's, which cannot have marks of its own."""
    return text.replace("\x00", "\ufffd")


def mark(name: str) -> str:
    """What stands in a text for the value of a secret variable."""
    return f"\x00{name}\x00"


def marks(text: str) -> list[str]:
    """The names of the secret variables in a text, each once, in their order."""
    return list(dict.fromkeys(_MARK.findall(text)))


def only_mark(text: str) -> bool:
    """Whether the text is nothing but one secret variable."""
    return _MARK.fullmatch(text) is not None


def replace_marks(text: str, by: Callable[[str], str]) -> str:
    return _MARK.sub(lambda match: by(match[1]), text)


def looks_secret(name: str) -> bool:
    """Whether a variable, an option or a key is called like something to keep."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name[:512])
    words = [word for word in re.split("[^A-Z0-9]+", spaced.upper()) if word]
    if not words:
        return False
    last, before = words[-1], words[-2:-1]
    if last == "KEY" and before:
        return before[0] not in _PLAIN_KEYS
    if words[-3:] == ["ACCESS", "KEY", "ID"] or words[-2:] == ["ERLANG", "COOKIE"]:
        return True
    if last in _ABOUT_IT:
        return False
    if last in {"PWD", "AUTH", "JWT"} and before:
        return True
    return any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words)


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable is to be kept out; `yes` and `0` only switch something."""
    if holds_secret(value):
        return True
    return looks_secret(name) and value.lower() not in _SWITCHES


def holds_secret(text: str) -> bool:
    """Whether the text itself says a password: a URL, a connection string, an option, a key."""
    return hide(text, "ANY") != text


def is_secret_file(path: str, content: str | None = None) -> bool:
    """Whether a file is one of those that hold passwords or private keys."""
    return _SECRET_FILE.search(path[-1024:]) is not None or (
        content is not None and is_secret_content(content)
    )


def is_secret_content(content: str) -> bool:
    """Whether a file of settings says a password itself."""
    return any(map(_begins_line, _SETTING.finditer(content))) or holds_secret(content)


def _begins_line(setting: re.Match[str]) -> bool:
    """Whether nothing but a name stands before it."""
    start = max(0, setting.start() - _FURTHEST)
    before = setting.string[start : setting.start()]
    line = before.rfind("\n")
    if line < 0 and start:
        return False
    return _BEFORE_SETTING.search(before, max(line, 0)) is not None


def hide(text: str, prefix: str) -> str:
    """A command with marks instead of the passwords that it says itself.

    The variable of an option is called after it, that of a URL after `prefix`.
    """
    return _hide(text, prefix, 0)


def _hide(text: str, prefix: str, depth: int) -> str:
    def option(match: re.Match[str]) -> str:
        name, between, value = match.groups()
        plain = value.strip("\"'")
        by_name = looks_secret(name) and plain.lower() not in _SWITCHES
        # An option's value may be options again: `-a=-b=-c=…`.
        inside = depth >= _DEEPEST or _hide(plain, "ANY", depth + 1) != plain
        if not by_name and not inside:
            return match[0]
        return f"{name}{between}{mark(_variable(name))}"

    def literal(match: re.Match[str]) -> str:
        if "secret" not in match.groupdict():
            return mark(f"{prefix}_PRIVATE_KEY")
        start = match.start("secret") - match.start()
        end = match.end("secret") - match.start()
        return match[0][:start] + mark(f"{prefix}_PASSWORD") + match[0][end:]

    hidden = _OPTION.sub(option, text)
    for pattern in _LITERALS:
        hidden = pattern.sub(literal, hidden)
    return hidden


def hide_words(words: list[str], prefix: str) -> list[str]:
    """The same for a command in words, where an option's value may be the next word."""
    hidden: list[str] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        is_value = before.startswith("-") and "=" not in before and " " not in before
        if is_value and not marks(word) and is_secret(before, word) and not word.startswith("-"):
            plain = holds_secret(word) and not looks_secret(before)
            hidden.append(hide(word, prefix) if plain else mark(_variable(before)))
        else:
            hidden.append(hide(word, prefix))
    return hidden


def _variable(option: str) -> str:
    name = re.sub("[^A-Z0-9]+", "_", option.upper()).strip("_")
    return name if name[:1].isalpha() else f"SECRET_{name}"


def for_kubernetes(text: str) -> str:
    """A text that the cluster reads as it was meant, with its marks as `$(NAME)`.

    In `command`, `args`, `env` and the command of a probe it takes `$(NAME)` for a variable and
    `$$` for a dollar; a dollar of the text's own is doubled where it would be misread.
    """
    escaped = re.sub(r"\$+\(?", lambda m: m[0].replace("$", "$$") if len(m[0]) > 1 else m[0], text)
    return replace_marks(escaped, lambda name: f"$({name})")


def for_shell(text: str) -> str:
    """The text of a shell command with its marks as the shell's own variables.

    A probe is not given the values of Secrets in `$(NAME)`, but its shell sees them.
    """
    made: list[str] = []
    quoted = False
    for piece in re.split("(\x00[A-Za-z0-9_]+\x00)", text):
        if _MARK.fullmatch(piece):
            made.append(f"'\"${{{piece[1:-1]}}}\"'" if quoted else f"${{{piece[1:-1]}}}")
        else:
            quoted ^= piece.count("'") % 2 == 1
            made.append(piece)
    return "".join(made)
