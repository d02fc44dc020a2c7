"""Which websockets are let in. Browsers ask nobody before they open one, so the Origin decides."""

from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.http.websocket_origin import (
    is_same_origin,
    normalize_allowed_origins,
    normalize_origin,
)

from app.settings import Settings
from app.web.responses import Outcome, Refusal


def origin_allowed(headers: Mapping[str, str], allowed: Iterable[str]) -> bool:
    """Our own pages, those of the origins named, and whatever is not a browser."""
    origin = headers.get("origin")
    if origin is None or headers.get("sec-fetch-site") == "same-origin":
        return True
    if is_same_origin(origin, headers.get("host")):
        return True
    names = normalize_allowed_origins(allowed)
    return "*" in names or normalize_origin(origin) in names


def check_origin(websocket: WebSocket, settings: Settings) -> None:
    """Raises Refusal for a page of an origin that may not come in."""
    if not origin_allowed(websocket.headers, settings.allowed_origins):
        raise Refusal(
            Outcome.FORBIDDEN,
            "FOREIGN_ORIGIN",
            "Pages of this origin may not connect. KUBEORCH_ALLOWED_ORIGINS names those that may.",
        )


async def deny(websocket: WebSocket, response: Response) -> None:
    """Answer the handshake with `response`, or with a bare 403 where the server knows no better."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close()
