"""A headless Chromium and its tabs, over the DevTools protocol: as much of it as our tests need."""

import asyncio
import base64
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium refuses its sandbox to root, which CI runs as
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",  # a canned page has no address to judge
    "--no-first-run",
    "--window-size=1400,1000",
    "--remote-debugging-port=0",
)
CTRL = 2
PATIENCE = 30.0
"""Seconds that anything on a page may take."""


def executable() -> str | None:
    """Where Chromium is, if it is anywhere."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Canned:
    """An answer that a test gives instead of the network."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Answerer = Callable[[str, str], Awaitable[Canned | None]]
"""Method and address to an answer, or None for the network's own."""


class Tab:
    """One page, with everything that it asked for and complained about since it was opened."""

    def __init__(self, browser: "Browser", session: str, answerer: Answerer | None) -> None:
        self._browser = browser
        self._session = session
        self._answerer = answerer
        self._answering: set[asyncio.Task[None]] = set()
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def run(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._browser.call(method, params, self._session)

    async def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = await self.run(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, (script, answer["exceptionDetails"])
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Waits until the expression is truthy; looks again whenever the page changes."""
        waiting = f"""new Promise((resolve) => {{
            const look = () => {{
                const found = {script};
                if (found) {{ observer.disconnect(); resolve(); }}
            }};
            const observer = new MutationObserver(look);
            observer.observe(document, {{
                subtree: true, childList: true, attributes: true, characterData: true }});
            look();
        }})"""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.evaluate(waiting)
        except TimeoutError:
            text = await self.evaluate("document.body.innerText")
            raise AssertionError(f"never: {script}\n{self.complaints}\n{text}") from None

    async def fill(self, selector: str, text: str) -> None:
        """Puts a text into a field."""
        await self._select_all(selector)
        await self.run("Input.insertText", text=text)

    async def paste(self, selector: str, text: str) -> None:
        """Puts a text into an editor as a paste, which it does not complete with brackets."""
        await self._select_all(selector)
        await self.evaluate(f"""{{
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", {json.dumps(text)});
            const options = {{ clipboardData, bubbles: true, cancelable: true }};
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
        }}""")

    async def _select_all(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        a_key = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65, "modifiers": CTRL}
        for kind in ("keyDown", "keyUp"):
            await self.run("Input.dispatchKeyEvent", type=kind, commands=["selectAll"], **a_key)

    async def click(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                if not params["request"]["url"].startswith("data:"):
                    self.requests.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(params["url"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in {"warning", "error"}:
                self.complaints.append(json.dumps(params["args"]))
            case "Fetch.requestPaused":
                task = asyncio.create_task(self._answer(params["requestId"], params["request"]))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(self, number: str, request: dict[str, Any]) -> None:
        assert self._answerer
        canned = await self._answerer(request["method"], request["url"])
        if canned is None:
            await self.run("Fetch.continueRequest", requestId=number)
            return
        await self.run(
            "Fetch.fulfillRequest",
            requestId=number,
            responseCode=canned.status,
            responseHeaders=[{"name": k, "value": v} for k, v in canned.headers.items()],
            body=base64.b64encode(canned.body).decode(),
        )


class Browser:
    """A running Chromium."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}

    async def open(self, url: str, answerer: Answerer | None = None) -> Tab:
        """A new tab at `url`, with a sessionStorage of its own, as any tab has."""
        # A window of its own, or only the newest tab would be drawn.
        target = await self.call("Target.createTarget", {"url": "about:blank", "newWindow": True})
        attach = {"targetId": target["targetId"], "flatten": True}
        session = (await self.call("Target.attachToTarget", attach))["sessionId"]
        tab = self._tabs[session] = Tab(self, session, answerer)
        for domain in ("Network", "Runtime", "Log", "Page"):
            await tab.run(f"{domain}.enable")
        await tab.run("Emulation.setFocusEmulationEnabled", enabled=True)
        if answerer:
            await tab.run("Fetch.enable")
        await tab.run("Page.navigate", url=url)
        return tab

    async def call(
        self, method: str, params: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(json.dumps(message))
        return await self._answers[number]

    async def listen(self) -> None:
        """Hands out what Chromium says, until it ends."""
        with suppress(ConnectionClosed):
            async for text in self._connection:
                self._hear(json.loads(text))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("Chromium ended"))

    def _hear(self, message: dict[str, Any]) -> None:
        if answer := self._answers.pop(message.get("id", 0), None):
            if answer.done():
                return
            if "error" in message:
                answer.set_exception(RuntimeError(message["error"]["message"]))
            else:
                answer.set_result(message["result"])
        elif tab := self._tabs.get(message.get("sessionId", "")):
            tab.note(message["method"], message["params"])


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Browser]:
    """Starts Chromium with a new profile in an empty folder, and ends it."""
    program = executable()
    assert program
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={profile}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            address = await tasks.create_task(_address(process.stderr))
        draining = asyncio.create_task(process.stderr.read())
        async with connect(address, max_size=None, proxy=None) as connection:
            browser = Browser(connection)
            listening = asyncio.create_task(browser.listen())
            try:
                yield browser
            finally:
                with suppress(ConnectionError):  # it may be gone before it answers
                    await browser.call("Browser.close", {})
                await listening
        await draining
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _address(stderr: asyncio.StreamReader) -> str:
    async for line in stderr:
        if found := re.search(r"DevTools listening on (ws://\S+)", line.decode()):
            return found.group(1)
    raise AssertionError("Chromium ended before it could be spoken to")
