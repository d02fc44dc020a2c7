"""What an API server answers, read as hostile input: bounded, plain data, or a ClusterError."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from app.domain.errors import ClusterError, ClusterFault, StatusCause
from app.kube.endpoint import Endpoint
from app.kube.weighing import swells, weight

DEEPEST = 254
"""Levels of lists and mappings; Kubernetes objects stay below 100."""
_MOST_CAUSES = 50
_MOST_WARNINGS = 20
_READ = 4_096
_LONGEST_RETRY = 3_600.0

_FAULTS = {
    401: ClusterFault.UNAUTHORIZED,
    403: ClusterFault.FORBIDDEN,
    404: ClusterFault.NOT_FOUND,
    408: ClusterFault.TIMED_OUT,
    409: ClusterFault.CONFLICT,
    410: ClusterFault.GONE,
    429: ClusterFault.THROTTLED,
    504: ClusterFault.TIMED_OUT,
}
_ADVICE = {
    401: "{} does not accept the credentials. Hand in valid ones.",
    403: "The credentials are good, but may not do this on {}.",
    404: "{} has no such object, or does not serve this kind.",
    408: "{} gave up on the request. Try again.",
    409: "Somebody else owns or has changed the object on {}.",
    410: "{} does not remember that version any more.",
    429: "{} is busy and asks to slow down.",
}
_TYPED = ("failed to create typed patch object", "failed to convert new object")
"""Of server-side apply: HTTP 500, and yet the fault is in what was sent."""
_TYPED_PREFIX = re.compile(r"failed to [a-z ]+ \([^()]*\): ")
_TYPED_FIELD = re.compile(r"(?<!\S)(?P<field>\.(?:[^\s:\[\]]|\[[^\]]*\])+): (?P<message>[^\n]+)")
_STRICT = "strict decoding error: "
_STRICT_FIELD = re.compile(r'(?P<message>(?:unknown|duplicate) field) "(?P<field>[^"]*)"')
_WARNING = re.compile(r'[0-9]{3} \S+ "(?P<text>(?:[^"\\]|\\.)*)"')


def parse(raw: bytes, endpoint: Endpoint) -> dict[str, Any]:
    """The JSON object of an answer. Raises ClusterError NOT_KUBERNETES for anything else."""
    body = read(raw)
    if body is None:
        raise ClusterError(
            ClusterFault.NOT_KUBERNETES,
            f"{endpoint.name} answers, but not as a Kubernetes API does. Check address and path.",
        )
    return body


def read(raw: bytes) -> dict[str, Any] | None:
    """The JSON object of a text; None for anything else, and for what is no answer of a cluster
    because it would swell in memory, or is deeper than our own code could follow."""
    try:
        body = None if swells(raw, weight(raw)) else orjson.loads(raw)
        if raw.count(b"{") + raw.count(b"[") > DEEPEST:
            orjson.dumps(body)  # it refuses what is nested too deeply
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return body if isinstance(body, dict) else None


def refusal(
    status: int,
    raw: bytes,
    headers: Mapping[str, str],
    endpoint: Endpoint,
    *,
    confidential: bool = False,
) -> ClusterError:
    """The ClusterError of an HTTP status that is not 2xx.

    The cluster's own words are repeated, unless the request is `confidential`: what refuses a
    Secret may quote it.
    """
    told = _status(raw)
    message = _text(told.get("message"))
    fault = _fault(status, message)
    causes = _causes(told, message, endpoint, confidential=confidential)
    return ClusterError(
        fault,
        _sentence(status, fault, "" if confidential else message, causes, endpoint),
        status=status,
        causes=causes,
        retry_after=retry_after(headers),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the cluster asks us to wait, at most an hour. Dates are not used by any."""
    text = headers.get("Retry-After", "").strip()
    return min(float(text), _LONGEST_RETRY) if re.fullmatch("[0-9]{1,9}", text) else None


def warnings(values: Iterable[str], endpoint: Endpoint) -> list[str]:
    """The texts of `Warning` headers, each once."""
    found = (match["text"] for value in values for match in _WARNING.finditer(value[:_READ]))
    cleaned = (endpoint.clean(re.sub(r"\\(.)", r"\1", text)) for text in found)
    return list(dict.fromkeys(cleaned))[:_MOST_WARNINGS]


def _status(raw: bytes) -> dict[str, Any]:
    """The `Status` that Kubernetes answers with; empty when it is something else."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) and body.get("kind") == "Status" else {}


def _fault(status: int, message: str) -> ClusterFault:
    if 300 <= status < 400:
        return ClusterFault.NOT_KUBERNETES
    if status >= 500:
        typed = message.startswith(_TYPED)
        return ClusterFault.INVALID if typed else _FAULTS.get(status, ClusterFault.UNAVAILABLE)
    return _FAULTS.get(status, ClusterFault.INVALID)


def _sentence(
    status: int, fault: ClusterFault, message: str, causes: list[StatusCause], endpoint: Endpoint
) -> str:
    said = endpoint.clean(message)
    if fault is ClusterFault.NOT_KUBERNETES:
        return f"{endpoint.name} answers with HTTP {status}. Give the API server's own address."
    if fault is ClusterFault.INVALID:
        fields = ", ".join(dict.fromkeys(cause.field for cause in causes if cause.field))
        at = f" at {fields}" if fields and not said else ""
        advice = f"{endpoint.name} refuses what was sent (HTTP {status}){at}."
    elif status in _ADVICE:
        advice = _ADVICE[status].format(endpoint.name)
    else:
        advice = f"{endpoint.name} cannot answer now (HTTP {status}). Try again later."
    return f"{advice} It says: {said}" if said else advice


def _causes(
    told: dict[str, Any], message: str, endpoint: Endpoint, *, confidential: bool
) -> list[StatusCause]:
    details = told.get("details")
    listed = details.get("causes") if isinstance(details, dict) else None
    found = [
        (_text(one.get("reason")), _text(one.get("message")), _text(one.get("field")))
        for one in (listed if isinstance(listed, list) else [])[:_MOST_CAUSES]
        if isinstance(one, dict)
    ]
    if not found:
        found = _fields(message)
    return [
        StatusCause(
            reason=endpoint.clean(reason, most=100),
            message="" if confidential else endpoint.clean(said, most=300),
            field=endpoint.clean(field.removeprefix("."), most=300) or None,
        )
        for reason, said, field in found
    ]


def _fields(message: str) -> list[tuple[str, str, str]]:
    """The fields that a message names where Kubernetes lists no causes."""
    if message.startswith(_TYPED):
        text = _TYPED_PREFIX.sub("", message[:_READ], count=1)
        found = list(_TYPED_FIELD.finditer(text))
    elif _STRICT in message:
        found = list(_STRICT_FIELD.finditer(message[:_READ]))
    else:
        return []
    return [("FieldValueInvalid", one["message"], one["field"]) for one in found[:_MOST_CAUSES]]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
