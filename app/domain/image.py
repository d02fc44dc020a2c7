"""Container image references: `[registry[:port]/]path[:tag][@digest]`.

The API server takes any text, and a bad one ends as InvalidImageName on the node; so the grammar
of the reference itself (distribution/reference) is checked here, where a person can still fix it.
"""

import re

LIMIT = 1024
SAYS = (
    "Write an image reference such as nginx:1.27, ghcr.io/org/app:v2 or "
    "registry.local:5000/app@sha256:…: a lower-case name, then an optional tag and digest."
)

_DOMAIN = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[a-fA-F0-9:]+\])(?::([0-9]{1,5}))?"
)
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REST = re.compile(
    rf"({_PATH}(?:/{_PATH})*)"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*):([0-9a-fA-F]{32,512}))?"
)
_HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}


def is_reference(text: str) -> bool:
    """Whether the text names an image, by the grammar of distribution/reference."""
    if len(text) > LIMIT or re.fullmatch(r"[a-f0-9]{64}", text):
        return False
    first, slash, rest = text.partition("/")
    if slash and (re.search("[.:A-Z]", first) or first == "localhost"):
        domain = _DOMAIN.fullmatch(first)
        if domain is None or int(domain[1] or 1) not in range(1, 65536):
            return False
    else:
        rest = text
    match = _REST.fullmatch(rest)
    if match is None or len(match[1]) > 255:
        return False
    algorithm, digits = match[2], match[3]
    return algorithm is None or len(digits) == _HEX_LENGTH.get(algorithm, len(digits))
