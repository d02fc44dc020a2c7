"""Formats of names, labels and keys, and what the API server says of a text that has another.

Follows apimachinery's `validation`. Lengths are counted in bytes.
"""

import re
from collections.abc import Callable

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY = "[-._a-zA-Z0-9]+"

_ENDS = "and must start and end with an alphanumeric character"
_LOWER = "must consist of lower case alphanumeric characters"
_NAME_TEXT = (
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} (e.g. 'MyName',  or "
    f"'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)

Check = Callable[[str], list[str]]
"""What is wrong with a text; nothing: it is well."""


def _format(pattern: str, most: int, text: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> list[str]:
        if len(value.encode()) > most:
            return [f"must be no more than {most} bytes"]
        return [] if compiled.fullmatch(value) else [text]

    return check


dns_label = _format(
    _LABEL,
    63,
    f"a lowercase RFC 1123 label {_LOWER} or '-', {_ENDS} (e.g. 'my-name',  or '123-abc', regex "
    f"used for validation is '{_LABEL}')",
)
dns_subdomain = _format(
    _SUBDOMAIN,
    253,
    f"a lowercase RFC 1123 subdomain {_LOWER}, '-' or '.', {_ENDS} (e.g. 'example.com', regex "
    f"used for validation is '{_SUBDOMAIN}')",
)
service_name = _format(
    _SERVICE,
    63,
    f"a DNS-1035 label {_LOWER} or '-', start with an alphabetic character, and end with an "
    f"alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_SERVICE}')",
)
label_value = _format(
    f"({_NAME})?",
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    f"'.', {_ENDS} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_NAME})?')",
)
path_segment = _format(r"(?!\.\.?$)[^/%]+", 253, "may not be '.', '..' or contain '/' or '%'")


def label_key(value: str) -> list[str]:
    """Of a label or annotation: an optional domain and a slash, then a name."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        example = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_NAME_TEXT} {example}"]
    wrong = []
    if slash:
        found = dns_subdomain(prefix) if prefix else ["must be non-empty"]
        wrong += [f"prefix part {why}" for why in found]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        wrong.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME, name, re.ASCII):
        wrong.append(f"name part {_NAME_TEXT}")
    return wrong


def data_key(value: str) -> list[str]:
    """Of an entry of a ConfigMap or Secret."""
    if len(value.encode()) > 253:
        return ["must be no more than 253 bytes"]
    if value == "." or value.startswith(".."):
        return ["must not be '.', '..' or start with '..'"]
    if re.fullmatch(_KEY, value, re.ASCII):
        return []
    return [
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
        f"(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
    ]


def port_name(value: str) -> list[str]:
    """Of a container's port."""
    if len(value.encode()) > 15:
        return ["must be no more than 15 bytes"]
    rules = {
        r"[-a-z0-9]+": "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        r".*[a-z].*": "must contain at least one letter (a-z)",
        r"(?!.*--).*": "must not contain consecutive hyphens",
        r"[^-](.*[^-])?": "must not begin or end with a hyphen",
    }
    return [why for rule, why in rules.items() if not re.fullmatch(rule, value, re.ASCII)]
