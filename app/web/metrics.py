"""`/metrics`: what the process counts of itself. Numbers only: nobody's names, ids or texts."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.metrics import CONTENT_TYPE
from app.services import Services


async def metrics(request: Request) -> Response:
    """Prometheus' text format. Reads `app.state.services`."""
    services: Services = request.app.state.services
    return Response(services.metrics.exposition(), headers={"content-type": CONTENT_TYPE})


routes = [Route("/metrics", metrics, methods=["GET"])]
