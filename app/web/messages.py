"""What a client may say over graphql-transport-ws; anything else closes the socket.

Protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import enum
from dataclasses import dataclass
from typing import Any, Final

from app.web.operations import Malformed, Operation, decode

REASON_BYTES: Final = 123
"""What a close frame has room for."""

ID_CHARACTERS: Final = 256


class Code(enum.IntEnum):
    """Why a socket was closed."""

    TOO_BIG = 1009
    RESTARTING = 1012
    INVALID = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    WRONG_PROTOCOL = 4406
    TIMEOUT = 4408
    DUPLICATE = 4409
    TOO_MANY = 4429


class Close(Exception):
    """The socket is closed with a code and a reason; code None when the client has left already."""

    def __init__(self, code: Code | None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """Opens the conversation; the token may be in the payload."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Says that the client is there."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Starts an operation of any kind."""

    id: str
    operation: Operation


@dataclass(frozen=True, slots=True)
class Complete:
    """Ends an operation."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def read(text: str | None, max_bytes: int) -> Message:
    """The message in a text frame; None stands for another kind of frame. Raises Close."""
    if text is None:
        raise _invalid("Messages are text frames.")
    if len(text) > max_bytes or len(text.encode()) > max_bytes:
        raise Close(Code.TOO_BIG, f"A message has more than {max_bytes} bytes.")
    try:
        data = decode(text)
    except Malformed as error:
        raise _invalid(error.message) from error
    if not isinstance(data, dict):
        raise _invalid("A message is a JSON object with a `type`.")
    match data.get("type"):
        case "connection_init":
            return ConnectionInit(_payload(data) or {})
        case "ping":
            _payload(data)
            return Ping()
        case "pong":
            _payload(data)
            return Pong()
        case "subscribe":
            return _subscribe(data)
        case "complete":
            return Complete(_id(data))
        case str(unknown):
            raise _invalid(f"Clients do not send messages of type {unknown[:32]!r}.")
        case _:
            raise _invalid("A message has a `type`, which is a string.")


def _subscribe(data: dict[str, Any]) -> Subscribe:
    try:
        return Subscribe(_id(data), Operation.of(data.get("payload")))
    except Malformed as error:
        raise _invalid(error.message) from error


def _id(data: dict[str, Any]) -> str:
    id_ = data.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= ID_CHARACTERS:
        raise _invalid(f"`id` must be a string of 1 to {ID_CHARACTERS} characters.")
    return id_


def _payload(data: dict[str, Any]) -> dict[str, Any] | None:
    payload = data.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _invalid("`payload` must be an object or null.")
    return payload


def _invalid(reason: str) -> Close:
    return Close(Code.INVALID, reason)
