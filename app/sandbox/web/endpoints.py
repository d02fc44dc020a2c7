"""One door for every request: who is it, what does the path mean, may they, and the answer."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from app.sandbox.authority import Identity, denied
from app.sandbox.cluster import Cluster
from app.sandbox.errors import ApiError, bad_request
from app.sandbox.web import (
    body,
    deleting,
    discovery,
    openapi,
    podlogs,
    reading,
    reviews,
    scale,
    views,
    watching,
    writing,
)
from app.sandbox.web.call import COLLECTION_VERBS, OBJECT_VERBS, Call, target

log = logging.getLogger("app.sandbox")

_HEALTH = ("healthz", "readyz", "livez")
NOTHING_RUNS = (
    "nothing is executed in a sandbox cluster, so there is nothing to attach to: "
    "use a real cluster for exec"
)


class Endpoint:
    """The API of one cluster, as a Starlette endpoint."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def __call__(self, request: Request) -> Response:
        """Any request; nothing that it contains makes this raise."""
        try:
            return await self._answered(request)
        except ApiError as error:
            response = body.answer(error.status(), error.code)
            if error.retry_after is not None:
                response.headers["Retry-After"] = str(error.retry_after)
            return response
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            log.exception("a request failed")
            wrong = ApiError(500, "InternalError", "Internal error occurred in the sandbox cluster")
            return body.answer(wrong.status(), 500)

    async def _answered(self, request: Request) -> Response:
        path = request.url.path.rstrip("/") or "/"
        if path.split("/")[1] in _HEALTH:
            return PlainTextResponse("ok")
        identity = self._cluster.authority.identify(request.headers.get("authorization"))
        if path == "/version":
            return body.answer(discovery.version())
        if request.method == "GET" and (found := self._described(request, path)) is not None:
            return found
        return await self._object(request, path, identity)

    def _described(self, request: Request, path: str) -> Response | None:
        """Discovery and OpenAPI; None when the path is neither."""
        registry, parts = self._cluster.registry, path.strip("/").split("/")
        found = None
        match parts:
            case ["api"]:
                found = discovery.core(request.url.netloc)
            case ["api", version]:
                found = discovery.resources(registry, "", version)
            case ["apis"]:
                found = discovery.groups(registry)
            case ["apis", group]:
                found = discovery.group(registry, group)
            case ["apis", group, version]:
                found = discovery.resources(registry, group, version)
            case ["openapi", "v2"]:
                if openapi.PROTOBUF in request.headers.get("accept", ""):
                    document = openapi.second_as_protobuf(registry)
                    return Response(document, media_type=openapi.PROTOBUF_SENT)
                found = openapi.second(registry)
            case ["openapi", "v3"]:
                found = openapi.index(registry)
            case ["openapi", "v3", "api", version]:
                found = openapi.third(registry, "", version)
            case ["openapi", "v3", "apis", group, version]:
                found = openapi.third(registry, group, version)
            case _:
                return None
        return _nowhere() if found is None else body.answer(found)

    async def _object(self, request: Request, path: str, identity: Identity) -> Response:
        parts = path.strip("/").split("/")
        if len(parts) == 4 and parts[0] == "apis" and reviews.is_review(*parts[1:]):
            if request.method != "POST":
                raise _method(request.method)
            given = await body.read(request)
            reviewed = reviews.answer(self._cluster, identity, parts[1], parts[3], given)
            return body.answer(reviewed, 201)
        named = target(path, self._cluster.registry)
        if named is None:
            if self._served(parts):
                text = "the server could not find the requested resource"
                raise ApiError(404, "NotFound", text)
            return _nowhere()
        call = Call(self._cluster, identity, request, named)
        verb = self._verb(call)
        sub = named.subresource
        plural = f"{named.resource.plural}/{sub}" if sub else named.resource.plural
        if not identity.may(verb, plural):
            raise denied(
                identity,
                verb,
                named.resource,
                subresource=sub,
                namespace=named.namespace,
                name=named.name,
            )
        return await _dispatch(call, verb)

    def _served(self, parts: list[str]) -> bool:
        """Whether a path is within a version of a group that is served."""
        place = ("", parts[1]) if parts[0] == "api" and len(parts) > 1 else tuple(parts[1:3])
        return len(place) == 2 and place[1] in self._cluster.registry.groups().get(place[0], ())

    @staticmethod
    def _verb(call: Call) -> str:
        """What a request does, as rules name it; 405 when it cannot be done."""
        method = call.request.method
        if call.target.subresource == "exec" and method in ("GET", "POST"):
            return "create"
        verbs = OBJECT_VERBS if call.target.name else COLLECTION_VERBS
        verb = verbs.get(method)
        if verb in ("get", "list") and not call.target.subresource and call.flag("watch"):
            verb = "watch"
        if verb is None or verb not in call.resource.verbs:
            raise _method(method)
        if verb == "create" and call.resource.namespaced and not call.target.namespace:
            raise _method(method)
        return verb


async def _dispatch(call: Call, verb: str) -> Response:
    sub = call.target.subresource
    if sub in _SUBRESOURCES:
        return await _SUBRESOURCES[sub](call, verb)
    if verb == "watch":
        return _stream(watching.watch(call), body.JSON)
    made = await _VERBS[verb](call)
    shown = views.shown(call)
    if shown is not None:
        made = shown(made)
    created = verb == "create" or (verb == "patch" and call.created)
    return body.answer(made, 201 if created else 200, warnings=call.warnings)


async def _get(call: Call) -> dict[str, object]:
    return reading.one(call)


async def _list(call: Call) -> dict[str, object]:
    return reading.several(call)


_VERBS: dict[str, Callable[[Call], Awaitable[dict[str, object]]]] = {
    "create": writing.create,
    "delete": deleting.one,
    "deletecollection": deleting.many,
    "get": _get,
    "list": _list,
    "patch": writing.patch,
    "update": writing.replace,
}


async def _log(call: Call, verb: str) -> Response:
    if verb != "get":
        raise _method(call.request.method)
    return _stream(podlogs.read(call), "text/plain")


async def _scale(call: Call, verb: str) -> Response:
    if verb == "get":
        return body.answer(scale.read(call))
    if verb in ("update", "patch"):
        return body.answer(await scale.write(call), warnings=call.warnings)
    raise _method(call.request.method)


async def _exec(call: Call, _verb: str) -> Response:
    reading.one(call)
    raise bad_request(NOTHING_RUNS)


async def _finalize(call: Call, verb: str) -> Response:
    if verb != "update":
        raise _method(call.request.method)
    given = await call.body()
    finalizers = (given.get("spec") or {}).get("finalizers") if isinstance(given, dict) else None
    live = reading.one(call)
    changed = {**live, "spec": {"finalizers": finalizers or []}}
    return body.answer(call.cluster.store.update(call.resource, changed, subresource="finalize"))


_SUBRESOURCES: dict[str, Callable[[Call, str], Awaitable[Response]]] = {
    "exec": _exec,
    "finalize": _finalize,
    "log": _log,
    "scale": _scale,
}


def _stream(lines: AsyncIterator[bytes], media_type: str) -> Response:
    return StreamingResponse(lines, media_type=media_type)


def _nowhere() -> Response:
    """What the API server says of a path that leads to no resource: no `Status`."""
    return PlainTextResponse("404 page not found\n", 404)


def _method(method: str) -> ApiError:
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", f"{text} ({method})")
