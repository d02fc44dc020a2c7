"""Maps of texts, and free JSON: bounded, and with an error at every entry that is wrong."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from app.domain.fields import SUBDOMAIN, DataKey, EnvName, FilePath
from app.domain.text import Loc, Text, is_fit, refusal, refuse_at

_QUALIFIED = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL_KEY = Text(
    "A key is at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or "
    "digit, with an optional prefix such as example.com/ in front.",
    317,
    rf"(?:{SUBDOMAIN}/)?{_QUALIFIED}",
    also=lambda v: len(v.rpartition("/")[2]) <= 63 and len(v.rpartition("/")[0]) <= 253,
)
_LABEL_VALUE = Text(
    "A value is empty, or at most 63 letters, digits, '-', '_' and '.', starting and ending with "
    "a letter or digit.",
    63,
    rf"(?:{_QUALIFIED})?",
    minimum=0,
)
LabelKey = Annotated[str, _LABEL_KEY]
LabelValue = Annotated[str, _LABEL_VALUE]

_ANY_VALUE = Text("A value has no NUL character.", 1024 * 1024, minimum=0)
_HEADER_NAME = Text("A header name has letters, digits and '-'.", 128, r"[-A-Za-z0-9]+")
_HEADER_VALUE = Text("A header value is one line.", 4096, r"[^\x00-\x1f\x7f]*", minimum=0)
_KIB = 1024


def _rule(annotated: Any) -> Text:
    rule: Text = annotated.__metadata__[0]
    return rule


def _map(key: Text, value: Text, *, entries: int, size: int) -> Callable[[Any], Any]:
    """Checks a map: its keys, its values, how many, and how many bytes of UTF-8 in all."""

    def check(given: dict[str, str]) -> dict[str, str]:
        if len(given) > entries:
            raise refusal(f"At most {entries} entries are allowed.")
        faults: list[tuple[Loc, str]] = []
        for name, text in given.items():
            if not key.allows(name):
                faults.append(((_printable(name),), key.says))
            elif not value.allows(text):
                faults.append(((name,), value.says))
        refuse_at(faults)
        if sum(len(name.encode()) + len(text.encode()) for name, text in given.items()) > size:
            raise refusal(f"Keys and values together are at most {size // _KIB} KiB.")
        return given

    return check


def _printable(text: str) -> str:
    return text[:80].encode("utf-8", "replace").decode().replace("\x00", "?")


def _drawn(key: Text, value: Text, entries: int) -> WithJsonSchema:
    names = {"pattern": f"^(?:{key.pattern})$", "maxLength": key.limit}
    values: dict[str, Any] = {"type": "string", "maxLength": value.limit}
    if value.pattern:
        values["pattern"] = f"^(?:{value.pattern})$"
    return WithJsonSchema(
        {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": values,
            "maxProperties": entries,
        }
    )


StringMap = dict[str, str]

Labels = Annotated[
    StringMap,
    AfterValidator(_map(_LABEL_KEY, _LABEL_VALUE, entries=64, size=32 * _KIB)),
    _drawn(_LABEL_KEY, _LABEL_VALUE, 64),
]
"""Labels, or a selector by labels."""
Annotations = Annotated[
    StringMap,
    AfterValidator(_map(_LABEL_KEY, _ANY_VALUE, entries=256, size=256 * _KIB)),
    _drawn(_LABEL_KEY, _ANY_VALUE, 256),
]
Environment = Annotated[
    StringMap,
    AfterValidator(_map(_rule(EnvName), _ANY_VALUE, entries=512, size=256 * _KIB)),
    _drawn(_rule(EnvName), _ANY_VALUE, 512),
]
ConfigData = Annotated[
    StringMap,
    AfterValidator(_map(_rule(DataKey), _ANY_VALUE, entries=1024, size=1024 * _KIB)),
    _drawn(_rule(DataKey), _ANY_VALUE, 1024),
]
KeyPaths = Annotated[
    StringMap,
    AfterValidator(_map(_rule(DataKey), _rule(FilePath), entries=256, size=256 * _KIB)),
    _drawn(_rule(DataKey), _rule(FilePath), 256),
]
"""Which keys become files, and where below the mount."""
HttpHeaders = Annotated[
    StringMap,
    AfterValidator(_map(_HEADER_NAME, _HEADER_VALUE, entries=32, size=32 * _KIB)),
    _drawn(_HEADER_NAME, _HEADER_VALUE, 32),
]

# ----------------------------------------------------------------------------------- free JSON

JSON_DEPTH = 20
JSON_SIZE = 64 * _KIB


def _json(given: dict[str, Any]) -> dict[str, Any]:
    """Free JSON that storage, GraphQL and a manifest can all carry; `given` itself."""
    waiting: list[tuple[Any, int, Loc]] = [(given, 1, ())]
    count = 0
    while waiting:
        value, depth, loc = waiting.pop()
        count += 1
        if depth > JSON_DEPTH or count > JSON_SIZE:
            raise refusal(f"At most {JSON_DEPTH} levels and {JSON_SIZE // _KIB} KiB are allowed.")
        fault = _json_fault(value)
        if fault is not None:
            refuse_at([(loc, fault)])
        if isinstance(value, Mapping):
            for key, item in value.items():
                if not isinstance(key, str) or not is_fit(key) or len(key) > 253:
                    refuse_at([(loc, "A key is a text of at most 253 characters, without NUL.")])
                waiting.append((item, depth + 1, (*loc, key)))
        elif isinstance(value, list):
            waiting.extend((item, depth + 1, (*loc, i)) for i, item in enumerate(value))
    if len(json.dumps(given, ensure_ascii=False).encode()) > JSON_SIZE:
        raise refusal(f"At most {JSON_SIZE // _KIB} KiB of JSON are allowed.")
    return given


def _json_fault(value: Any) -> str | None:
    match value:
        case None | bool():
            return None
        case int():
            return None if -(2**63) <= value < 2**63 else "A whole number has at most 64 bits."
        case float():
            return None if math.isfinite(value) else "A number is finite."
        case str():
            return None if is_fit(value) else "A text has no NUL character."
        case dict() | list():
            return None
    return "Use text, numbers, true, false, null, lists and objects."


Json = Annotated[dict[str, Any], AfterValidator(_json), WithJsonSchema({"type": "object"})]
