"""GraphiQL at the API's own address, for browsers.

Where the page comes from is decided once, at the start: the bundle that `explorer/` builds, served
by ourselves; else a CDN, every file pinned by its hash; else, when no other host may be asked, a
plain page that says how to build it. The hashes are in `static/page/cdn.json`, which
`npm run integrity` in `explorer/` refreshes.
"""

import asyncio
import enum
import html
import json
import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.settings import Explorer

STATIC: Final = Path(__file__).parent / "static"
BUNDLE: Final = STATIC / "explorer"
SOURCES: Final = STATIC / "page"
ASSETS: Final = "graphql/assets"
"""Below the page's own address, so that a proxy that forwards `/graphql` forwards these too."""

MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".ttf": "font/ttf",
}
OFF: Final = "The explorer is switched off; the API answers POST requests at this address.\n"
FOREVER: Final = "public, max-age=31536000, immutable"
HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")

log = structlog.get_logger(__name__)


class Source(enum.StrEnum):
    """Where the page's files come from."""

    BUNDLE = "bundle"
    CDN = "cdn"
    NOWHERE = "nowhere"
    OFF = "off"


class ExplorerPage:
    """The page and the files below it, for one running server."""

    def __init__(self, mode: Explorer, *, bundle: Path = BUNDLE, cdn: str | None = None) -> None:
        """`cdn` is another origin with the same files at the same paths, such as a mirror."""
        self.source = decide(mode, built=(bundle / "index.html").is_file())
        self._files: dict[str, Path] = {}
        self._foreign: dict[str, list[str]] = {}
        self._html = ""
        if self.source is Source.BUNDLE:
            self._html = (bundle / "index.html").read_text(encoding="utf-8")
            self._files = {each.name: each for each in (bundle / ASSETS).iterdir()}
        elif self.source is Source.CDN:
            self._html, self._foreign = _cdn_page(cdn)
            served = [each for each in SOURCES.iterdir() if each.suffix in {".css", ".js"}]
            self._files = {each.name: each for each in served}
            log.warning(
                "GraphiQL was not built; browsers load it from a CDN",
                hint="`make explorer` builds our own, KUBEORCH_EXPLORER=offline forbids the CDN",
            )
        elif self.source is Source.NOWHERE:
            self._html = (SOURCES / "not-built.html").read_text(encoding="utf-8")
            log.warning("GraphiQL was not built", hint="build it with `make explorer`")

    def routes(self) -> list[Route]:
        """The files that the page loads."""
        path = f"/{ASSETS}/{{name}}"
        return [Route(path, self._asset, methods=["GET"])] if self._files else []

    def page(self, request: Request) -> Response:
        """The page; 404 when it is switched off or was not built, in words."""
        if self.source is Source.OFF:
            return PlainTextResponse(OFF, status_code=404, headers=_headers("default-src 'none'"))
        if self.source is Source.NOWHERE:
            headers = _headers("default-src 'none'")
            return HTMLResponse(self._html, status_code=404, headers=headers)
        policy = _policy(request.headers.get("host", ""), self._foreign)
        return HTMLResponse(self._html, headers=_headers(policy))

    async def _asset(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None or file.suffix not in MEDIA_TYPES:
            return PlainTextResponse("No such file.", status_code=404)
        headers = {
            # A worker obeys the policy that comes with its own script, not the page's.
            "content-security-policy": "default-src 'none'; script-src 'self'",
            "cache-control": FOREVER if self.source is Source.BUNDLE else "no-cache",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        packed = self._files.get(f"{file.name}.gz")
        if packed and "gzip" in _acceptable(request.headers.get("accept-encoding", "")):
            file, headers["content-encoding"] = packed, "gzip"
        try:
            body = await asyncio.to_thread(file.read_bytes)
        except OSError:  # a newer build took its place: the page must be loaded again
            return PlainTextResponse("No such file any more.", status_code=404)
        media_type = MEDIA_TYPES[Path(request.path_params["name"]).suffix]
        return Response(body, headers=headers, media_type=media_type)


def decide(mode: Explorer, *, built: bool) -> Source:
    """Where the page comes from, given the setting and whether there is a bundle."""
    if mode is Explorer.OFF:
        return Source.OFF
    if built:
        return Source.BUNDLE
    return Source.CDN if mode is Explorer.AUTO else Source.NOWHERE


def wants_page(request: Request) -> bool:
    """Whether a person's browser is asking, rather than a GraphQL client with a query."""
    if request.method != "GET" or "query" in request.query_params:
        return False
    accepted = _acceptable(request.headers.get("accept", ""))
    wish = accepted.get("text/html", 0.0)
    return wish > 0 and wish >= max(
        accepted.get("application/json", 0.0),
        accepted.get("application/graphql-response+json", 0.0),
    )


def _acceptable(header: str) -> dict[str, float]:
    """The values of an Accept or Accept-Encoding header that are not refused, with their weight."""
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        with_weight = re.fullmatch(r"[01](\.\d{0,3})?", weight)
        weights[name] = min(float(weight), 1.0) if with_weight else 0.0
    return {name: weight for name, weight in weights.items() if weight > 0}


def _policy(host: str, foreign: Mapping[str, list[str]]) -> str:
    """The strictest Content-Security-Policy that the editor works under.

    Monaco and CodeMirror write style elements and attributes, hence 'unsafe-inline' for styles.
    `connect-src` names the websocket's address, because not every browser takes 'self' for it.
    """
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *foreign.get("script", [])]),
        "style-src": " ".join(["'self'", "'unsafe-inline'", *foreign.get("style", [])]),
        "worker-src": "'self'",
        "font-src": "'self' data:",
        "img-src": "'self' data:",
        "connect-src": f"'self'{sockets}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{directive} {value}" for directive, value in allowed.items())


def _headers(policy: str) -> dict[str, str]:
    return {
        "content-security-policy": policy,
        "cache-control": "no-cache",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "vary": "accept",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def _cdn_page(host: str | None) -> tuple[str, dict[str, list[str]]]:
    """The page that loads GraphiQL from a CDN, and the exact addresses it loads, by kind."""
    pinned_files = json.loads((SOURCES / "cdn.json").read_text(encoding="utf-8"))
    tags: list[str] = []
    foreign: dict[str, list[str]] = {"script": [], "style": []}
    for file in pinned_files["files"]:
        url = f"{host or pinned_files['host']}/npm/{file['package']}/{file['path']}"
        pinned = f'crossorigin="anonymous" integrity="{html.escape(file["integrity"])}"'
        if url.endswith(".css"):
            foreign["style"].append(url)
            tags.append(f'<link rel="stylesheet" {pinned} href="{html.escape(url)}">')
        else:
            foreign["script"].append(url)
            tags.append(f'<script defer {pinned} src="{html.escape(url)}"></script>')
    template = string.Template((SOURCES / "cdn.html").read_text(encoding="utf-8"))
    return template.substitute(tags="\n    ".join(tags)), foreign
