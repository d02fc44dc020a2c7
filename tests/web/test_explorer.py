"""The explorer page: where it comes from, what it may load, and who is shown it."""

import gzip
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from structlog.testing import capture_logs

from app.settings import Explorer
from app.web.explorer import ASSETS, BUNDLE, SOURCES, ExplorerPage, Source, decide, wants_page

PROJECT = Path(__file__).parents[2]
CSP = "content-security-policy"
SCRIPT = b"export const answer = 42;\n" * 100

LOADS = re.compile(
    r"""(?: \b(?:import|fetch|Worker|SharedWorker|importScripts|WebSocket|EventSource) \s* \(
          | \b(?:from|import) \s*
          | \b(?:src|href) \s* = \s*
          | @import \s+ (?:url\()? | url\( ) \s* ["'`]? ((?:https?:|wss?:)?//[\w.-]+)""",
    re.VERBOSE,
)
"""Code and styles that load something from a host, as a browser would read them."""


class Links(HTMLParser):
    """The tags of a page that load something, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if {"src", "href", "srcset", "data", "action"} & given.keys():
            self.found.append({"tag": tag, **given})

    def addresses(self) -> list[str]:
        return [each.get("src") or each["href"] for each in self.found]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    assets = tmp_path / "bundle" / ASSETS
    assets.mkdir(parents=True)
    (tmp_path / "bundle" / "index.html").write_text("<!doctype html><title>KubeOrch</title>")
    (assets / "index-1a2b.js").write_bytes(SCRIPT)
    (assets / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "codicon-3c4d.ttf").write_bytes(b"font")
    return tmp_path / "bundle"


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    return tmp_path / "nothing"


def browser(explorer: ExplorerPage) -> httpx.AsyncClient:
    async def endpoint(request: Request) -> object:
        return explorer.page(request)

    app = Starlette(routes=[Route("/graphql", endpoint), *explorer.routes()])
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://kubeorch.test:8000")


def request(method: str = "GET", accept: str | None = None, query: str = "") -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request(
        {"type": "http", "method": method, "headers": headers, "query_string": query.encode()}
    )


@pytest.mark.parametrize(
    ("mode", "built", "source"),
    [
        (Explorer.AUTO, True, Source.BUNDLE),
        (Explorer.AUTO, False, Source.CDN),
        (Explorer.OFFLINE, True, Source.BUNDLE),
        (Explorer.OFFLINE, False, Source.NOWHERE),
        (Explorer.OFF, True, Source.OFF),
        (Explorer.OFF, False, Source.OFF),
    ],
)
def test_where_the_page_comes_from(mode: Explorer, built: bool, source: Source) -> None:
    assert decide(mode, built=built) is source


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        (request(accept=BROWSER), True),
        (request(accept="TEXT/HTML"), True),
        (request(accept="application/json;q=0.5, text/html"), True),
        (request(accept="text/html;q=0.4, application/graphql-response+json"), False),
        (request(accept="text/html;q=0"), False),
        (request(accept="text/html;q=nonsense"), False),
        (request(accept="*/*"), False),
        (request(accept="application/json"), False),
        (request(accept=""), False),
        (request(), False),
        (request(accept=BROWSER, query="query={viewer{email}}"), False),
        (request(accept=BROWSER, query="query="), False),
        (request(accept=BROWSER, query="utm=1"), True),
        (request("POST", accept=BROWSER), False),
        (request("HEAD", accept=BROWSER), False),
    ],
)
def test_only_a_person_is_shown_the_page(asked: Request, page: bool) -> None:
    assert wants_page(asked) is page


async def test_our_own_page_may_load_nothing_from_elsewhere(bundle: Path) -> None:
    with capture_logs() as logs:
        explorer = ExplorerPage(Explorer.AUTO, bundle=bundle)
    async with browser(explorer) as client:
        answer = await client.get("/graphql")

    assert logs == []
    assert answer.status_code == 200
    assert answer.text == (bundle / "index.html").read_text()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "accept"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers[CSP].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self' ws://kubeorch.test:8000 wss://kubeorch.test:8000",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]


@pytest.mark.parametrize("host", ["evil.test; script-src *", "a b", "*", "evil.test,other", ""])
async def test_a_forged_host_changes_no_policy(bundle: Path, host: str) -> None:
    async with browser(ExplorerPage(Explorer.AUTO, bundle=bundle)) as client:
        answer = await client.get("/graphql", headers={"host": host})
    assert "connect-src 'self'; base-uri" in answer.headers[CSP]


async def test_files_of_the_bundle_are_kept_forever(bundle: Path) -> None:
    async with browser(ExplorerPage(Explorer.OFFLINE, bundle=bundle)) as client:
        packed = await client.get(f"/{ASSETS}/index-1a2b.js")
        plain = await client.get(
            f"/{ASSETS}/index-1a2b.js", headers={"accept-encoding": "gzip;q=0, br"}
        )
        font = await client.get(f"/{ASSETS}/codicon-3c4d.ttf")

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == SCRIPT
    assert font.headers["content-type"] == "font/ttf"
    for answer in (packed, plain):
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers[CSP] == "default-src 'none'; script-src 'self'"


@pytest.mark.parametrize(
    "name", ["nope.js", "index-1a2b.js.gz", "../../index.html", "..%2f..%2findex.html", "%00", ""]
)
async def test_no_other_file_is_served(bundle: Path, name: str) -> None:
    async with browser(ExplorerPage(Explorer.AUTO, bundle=bundle)) as client:
        answer = await client.get(f"/{ASSETS}/{name}")
    assert answer.status_code == 404


async def test_a_file_that_a_newer_build_removed_is_not_found(bundle: Path) -> None:
    async with browser(ExplorerPage(Explorer.AUTO, bundle=bundle)) as client:
        (bundle / ASSETS / "index-1a2b.js.gz").unlink()
        answer = await client.get(f"/{ASSETS}/index-1a2b.js")
    assert answer.status_code == 404


async def test_without_a_bundle_every_foreign_file_is_pinned(nothing: Path) -> None:
    with capture_logs() as logs:
        explorer = ExplorerPage(Explorer.AUTO, bundle=nothing)
    async with browser(explorer) as client:
        answer = await client.get("/graphql")
        own = [await client.get(f"/{ASSETS}/{each.name}") for each in SOURCES.glob("*.js")]
        data = await client.get(f"/{ASSETS}/cdn.json")

    links = Links(answer.text)
    foreign = [each for each in links.found if "://" in (each.get("src") or each["href"])]
    addresses = [each.get("src") or each["href"] for each in foreign]
    assert len(foreign) == 5
    for each, address in zip(foreign, addresses, strict=True):
        assert re.fullmatch(r"sha384-[A-Za-z0-9+/]{64}", each["integrity"])
        assert each["crossorigin"] == "anonymous"
        assert re.match(r"https://cdn\.jsdelivr\.net/npm/[a-z-]+@\d+\.\d+\.\d+/", address)
    policy = dict(part.split(" ", 1) for part in answer.headers[CSP].split("; "))
    scripts = [each for each in addresses if each.endswith(".js")]
    styles = [each for each in addresses if each.endswith(".css")]
    assert policy["script-src"].split() == ["'self'", *scripts]
    assert policy["style-src"].split() == ["'self'", "'unsafe-inline'", *styles]
    assert [each.status_code for each in own] == [200] * len(own)
    assert {each.headers["cache-control"] for each in own} == {"no-cache"}
    assert data.status_code == 404
    assert [(each["log_level"], each["event"]) for each in logs] == [
        ("warning", "GraphiQL was not built; browsers load it from a CDN")
    ]


async def test_offline_without_a_bundle_says_how_to_build_it(nothing: Path) -> None:
    explorer = ExplorerPage(Explorer.OFFLINE, bundle=nothing)
    async with browser(explorer) as client:
        answer = await client.get("/graphql")
    assert answer.status_code == 404
    assert "make explorer" in answer.text
    assert "://" not in answer.text
    assert answer.headers[CSP] == "default-src 'none'"
    assert explorer.routes() == []


async def test_switched_off_there_is_no_page(bundle: Path) -> None:
    explorer = ExplorerPage(Explorer.OFF, bundle=bundle)
    async with browser(explorer) as client:
        answer = await client.get("/graphql")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert explorer.routes() == []


def test_our_own_page_names_no_other_host() -> None:
    for each in [*SOURCES.glob("*.js"), *SOURCES.glob("*.css"), SOURCES / "not-built.html"]:
        assert LOADS.findall(each.read_text(encoding="utf-8")) == [], each.name
    page = (PROJECT / "explorer" / "index.html").read_text(encoding="utf-8")
    assert Links(page).addresses() == ["data:,", "./src/main.js"]


@pytest.mark.skipif(
    not (BUNDLE / "index.html").is_file() and "CI" not in os.environ,
    reason="the explorer was not built: run `make explorer`, which needs npm",
)
def test_the_built_page_loads_nothing_from_elsewhere() -> None:
    links = Links((BUNDLE / "index.html").read_text(encoding="utf-8"))
    assert [
        each for each in links.addresses() if not each.startswith((f"./{ASSETS}/", "data:"))
    ] == []
    for each in (BUNDLE / ASSETS).iterdir():
        if each.suffix in {".js", ".css"}:
            assert LOADS.findall(each.read_text(encoding="utf-8")) == [], each.name


def test_the_check_for_other_hosts_sees_them() -> None:
    assert LOADS.findall('import("https://a.test/x.js"); fetch(`//b.test`)') == [
        "https://a.test",
        "//b.test",
    ]
    assert LOADS.findall("@import url(https://c.test/f.css); a { src: url('http://d.test') }") == [
        "https://c.test",
        "http://d.test",
    ]


def test_the_welcome_document_is_valid() -> None:
    source = (SOURCES / "welcome.js").read_text(encoding="utf-8")
    document = source.split("`")[1]
    schema = build_schema((PROJECT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(schema, parse(document)) == []


def test_packages_are_locked_by_hash_and_name_no_registry() -> None:
    lock = json.loads((PROJECT / "explorer" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if "integrity" not in each] == []
