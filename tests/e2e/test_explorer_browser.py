"""GraphiQL in a real browser: a newcomer signs in, asks, changes something, and sees it happen.

The second test does the same with the page that is served where nobody built the bundle, with the
files that the CDN has taken from the npm packages themselves.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.settings import Explorer
from app.web.explorer import ASSETS, BUNDLE, ExplorerPage
from tests.e2e.chromium import Browser, Canned, Tab, chromium, executable

PROJECT = Path(__file__).parents[2]
BUNDLED_EDITOR = ".graphiql-query-editor textarea"
CDN_EDITOR = ".graphiql-query-editor .CodeMirror textarea"
RUN = ".graphiql-execute-button[aria-label^=Execute]:not([aria-haspopup])"
"""The button stops what still runs, and has a menu until the page sees a single operation."""
QUERY = "document.querySelector('.graphiql-query-editor').innerText.replaceAll('\\u00a0', ' ')"
RESPONSE = "document.querySelector('.graphiql-response').innerText.replaceAll('\\u00a0', ' ')"


def lacking(what: str) -> NoReturn:
    """Skips where a developer's machine lacks something; CI must have it."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    if executable() is None:
        lacking("no Chromium on this machine: install the package chromium")
    async with chromium(tmp_path / "profile") as running:
        yield running


def page_of(server: Any) -> str:
    return f"{server.url.rstrip('/').removesuffix('/graphql')}/graphql"


async def execute(tab: Tab, editor: str, document: str, expected: str) -> str:
    """Runs the document in the page; its response, once the expected text is in it."""
    await tab.paste(editor, document)
    lines = json.dumps([line.strip() for line in document.splitlines()])
    await tab.until(
        f"{lines}.every((line) => {QUERY}.includes(line))"
    )  # editors paste when they can
    await tab.click(RUN)
    await tab.until(f"{RESPONSE}.includes({json.dumps(expected)})")
    return str(await tab.evaluate(RESPONSE))


async def explore(server: Any, first: Tab, second: Tab, editor: str) -> None:
    """The way of a newcomer through the page, with a second window open."""
    await first.fill("#sign-in [name=email]", server.email)
    await first.fill("#sign-in [name=password]", "not the password")
    await first.click("#sign-in button")
    await first.until("document.querySelector('[role=alert]').textContent")

    await first.fill("#sign-in [name=password]", server.password)
    await first.click("#sign-in button")
    await first.until("document.querySelector('#account')")
    assert server.email in await first.evaluate("document.querySelector('#account').innerText")

    look = f'{{ viewer {{ email }} workflow(id: "{server.workflow_id}") {{ revision }} }}'
    answer = json.loads(await execute(first, editor, look, '"revision"'))
    assert answer["data"]["viewer"] == {"email": server.email}
    revision = answer["data"]["workflow"]["revision"]

    watch = f"""subscription {{
      workflowChanged(workflowId: "{server.workflow_id}") {{
        __typename ... on StreamEvent {{ seq }} ... on WorkflowEdited {{ revision }}
      }}
    }}"""
    await execute(first, editor, watch, '"WorkflowSnapshot"')

    token = await first.evaluate("JSON.parse(sessionStorage['kubeorch:session']).token")
    await second.fill("#token [name=token]", token)
    await second.click("#token button")
    await second.until("document.querySelector('#account')")
    change = f"""mutation {{
      updateWorkflow(input: {{
        workflowId: "{server.workflow_id}", expectedRevision: {revision}
        description: "seen after {revision}"
      }}) {{
        __typename ... on UpdateWorkflowPayload {{ workflow {{ revision }} }}
        ... on UserError {{ message }}
      }}
    }}"""
    answer = json.loads(await execute(second, editor, change, "__typename"))
    assert answer["data"]["updateWorkflow"] == {
        "__typename": "UpdateWorkflowPayload",
        "workflow": {"revision": revision + 1},
    }

    await first.until(f"{RESPONSE}.includes('\"WorkflowEdited\"')")
    event = json.loads(await first.evaluate(RESPONSE))["data"]["workflowChanged"]
    assert event["revision"] == revision + 1

    await first.click("#sign-out button")
    await first.until("document.querySelector('#sign-in')")
    assert await first.evaluate("sessionStorage.length") == 0
    for tab in (first, second):
        assert await tab.evaluate("location.href") == page_of(server)
        assert token not in await tab.evaluate("JSON.stringify(localStorage)")
        assert not [url for url in tab.requests if token in url]
        assert tab.complaints == []


async def test_a_newcomer_explores_in_our_own_page(server: Any, browser: Browser) -> None:
    if not (BUNDLE / "index.html").is_file():
        lacking("the explorer was not built: run `make explorer`, which needs npm")
    url = page_of(server)
    first, second = await browser.open(url), await browser.open(url)

    await explore(server, first, second, BUNDLED_EDITOR)

    hosts = {urlsplit(each).netloc for tab in (first, second) for each in tab.requests}
    assert hosts == {urlsplit(url).netloc}
    workers = [each for each in first.requests if ".worker-" in each]
    assert {"editor", "graphql", "json"} == {
        urlsplit(each).path.split("/")[-1].split(".")[0] for each in workers
    }


async def test_a_newcomer_explores_in_the_page_from_the_cdn(
    server: Any, browser: Browser, tmp_path: Path
) -> None:
    if shutil.which("npm") is None:
        lacking("no npm on this machine to get the CDN's files from their packages")
    files = tmp_path / "cdn"
    check = await asyncio.create_subprocess_exec(
        "node", PROJECT / "explorer" / "integrity.js", "--check", files
    )
    if await check.wait() != 0:
        lacking("the packages of the CDN's files cannot be had, or their hashes are wrong")
    explorer = ExplorerPage(Explorer.AUTO, bundle=tmp_path / "nothing")
    page = Route("/graphql", explorer.page)
    ours = httpx.ASGITransport(Starlette(routes=[page, *explorer.routes()]))
    url = page_of(server)

    async def answerer(method: str, asked: str) -> Canned | None:
        parts = urlsplit(asked)
        if parts.hostname == "cdn.jsdelivr.net":
            body = (files / parts.path.lstrip("/")).read_bytes()
            kind = "text/css" if asked.endswith(".css") else "text/javascript"
            return Canned(200, {"content-type": kind, "access-control-allow-origin": "*"}, body)
        if method == "GET" and (asked == url or parts.path.startswith(f"/{ASSETS}/")):
            async with httpx.AsyncClient(transport=ours) as client:
                answer = await client.get(asked, headers={"accept-encoding": "identity"})
            return Canned(answer.status_code, answer.headers, answer.content)
        return None

    first, second = await browser.open(url, answerer), await browser.open(url, answerer)

    await explore(server, first, second, CDN_EDITOR)

    hosts = {urlsplit(each).netloc for tab in (first, second) for each in tab.requests}
    assert hosts == {urlsplit(url).netloc, "cdn.jsdelivr.net"}
