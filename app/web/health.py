"""Is the process alive, and can it serve? Two questions an orchestrator asks differently.

`/healthz` never looks at the database: restarting the process would not mend it.
"""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.services import Services

PING_SECONDS = 2.0
"""An orchestrator asks every few seconds; a database slower than this serves nobody."""

log = structlog.get_logger(__name__)


async def healthz(_request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """200 when requests can be served, else 503 with the reason.

    Reads `app.state.services`.
    """
    services: Services = request.app.state.services
    if services.stopping.is_set():
        return _not_ready("The server is stopping.")
    try:
        async with asyncio.timeout(PING_SECONDS):
            await services.ping()
    except TimeoutError:
        return _not_ready(f"The database did not answer within {PING_SECONDS:g} s.")
    except Exception:
        log.warning("database ping failed", exc_info=True)
        return _not_ready("The database cannot be reached.")
    return JSONResponse({"status": "ok"})


def _not_ready(reason: str) -> JSONResponse:
    return JSONResponse(
        {"status": "unavailable", "reason": reason}, 503, headers={"cache-control": "no-store"}
    )


routes = [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
