"""Bodies: JSON and YAML in, JSON out; bounded in size and depth, and nothing else is understood."""

from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response

from app.sandbox.errors import ApiError, bad_request
from app.sandbox.objects import deeper

LARGEST = 3 * 1024 * 1024
DEEPEST = 100
JSON = "application/json"
UNDERSTOOD = ("application/json", "application/yaml")
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PATCHES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)


class _Plain(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: what looks like a date is text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def content_type(request: Request) -> str:
    """The body's media type; JSON when nothing is said."""
    return request.headers.get("content-type", JSON).split(";")[0].strip().lower() or JSON


async def read(request: Request) -> Any:
    """The body's value; None when it is empty. 400, 413 or 415 when it cannot be read."""
    kind = content_type(request)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > LARGEST:
            message = f"Request entity too large: limit is {LARGEST}"
            raise ApiError(413, "RequestEntityTooLarge", message)
    if not received:
        return None
    if kind not in (*UNDERSTOOD, *PATCHES, "application/x-yaml", "text/yaml"):
        hint = "The sandbox cluster speaks no protobuf: with kubectl, use `kubectl apply`"
        accepted = PATCHES if request.method == "PATCH" else UNDERSTOOD
        raise unsupported(accepted, f". {hint}" if "protobuf" in kind else "")
    value = _parsed(bytes(received), as_yaml="yaml" in kind)
    if deeper(value, DEEPEST):
        raise bad_request(f"the body is nested deeper than {DEEPEST} levels")
    return value


def unsupported(accepted: tuple[str, ...], hint: str = "") -> ApiError:
    """415: a media type that is not understood here."""
    listed = ", ".join(accepted)
    message = (
        "the body of the request was in an unknown format - "
        f"accepted media types include: {listed}{hint}"
    )
    return ApiError(415, "UnsupportedMediaType", message)


def _parsed(received: bytes, *, as_yaml: bool) -> Any:
    try:
        return orjson.loads(received)
    except orjson.JSONDecodeError as error:
        if not as_yaml:
            raise bad_request(f"error decoding the body as JSON: {error}") from error
    try:
        if any(isinstance(e, yaml.AliasEvent) for e in yaml.parse(received, yaml.CSafeLoader)):
            # What is written once and repeated a billion times would be expanded here.
            raise bad_request("error converting YAML to JSON: aliases are not accepted")
        value = yaml.load(received, Loader=_Plain)  # noqa: S506 - it is the safe loader
        # Back and forth: what JSON cannot say (binary, sets, keys that are no text) is refused.
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, orjson.JSONEncodeError, RecursionError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else "too deep"
        raise bad_request(f"error converting YAML to JSON: {why[:200]}") from error


def answer(value: Any, code: int = 200, *, warnings: list[str] | None = None) -> Response:
    """A JSON answer; each warning becomes a `Warning` header."""
    response = Response(orjson.dumps(value), code, media_type=JSON)
    for text in dict.fromkeys(warnings or ()):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        plain = escaped.encode("ascii", "backslashreplace").decode()
        printable = "".join(letter if letter.isprintable() else " " for letter in plain)
        response.headers.append("Warning", f'299 - "{printable[:512]}"')
    return response
