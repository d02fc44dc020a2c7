"""`kubeorch serve`: the database, the application, the demo data; and out again in reverse."""

import argparse
import asyncio
import contextlib
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable

import structlog
import uvloop
from starlette.applications import Starlette

from app import logs
from app.commands import demo_login
from app.commands.database import at, check
from app.commands.demo_login import DemoFile
from app.commands.sandboxed import Sandbox, sandbox
from app.commands.server import GARBAGE, Server, bind, url
from app.embedded import EmbeddedMongo
from app.settings import Environment, Settings

log = structlog.get_logger("kubeorch")


def parser() -> argparse.ArgumentParser:
    """Address and port; everything else is a setting."""
    result = argparse.ArgumentParser(
        prog="kubeorch serve",
        description="Start the server. Ctrl-C stops it in good order, a second one at once.",
    )
    result.add_argument("--host", help="address to listen on (KUBEORCH_HOST)")
    result.add_argument("--port", type=int, help="TCP port, 0 for a free one (KUBEORCH_PORT)")
    return result


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop; 0 when that happened in good order."""
    logs.configure(settings)
    gc.set_threshold(*GARBAGE)
    try:
        listener = bind(settings.host, settings.port)
    except OSError as error:
        print(
            f"kubeorch: cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Choose another port with KUBEORCH_PORT or --port; 0 takes a free one.",
            file=sys.stderr,
        )
        return 1
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Process(settings, listener).run())


class _Process:
    """One run of the server, from the first signal handler to the database's end."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._started = time.perf_counter()
        self._task: asyncio.Task[int] | None = None
        self._server: Server | None = None
        self._sandbox: Sandbox | None = None
        self._database_lost = False

    async def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_stop)
        self._task = asyncio.current_task()
        try:
            async with contextlib.AsyncExitStack() as stack:
                settings, create_app, self._sandbox = await asyncio.gather(
                    self._with_database(stack),
                    asyncio.to_thread(_application),
                    self._with_sandbox(stack),
                )
                app = create_app(settings)
                self._server = Server(app, settings, ready=lambda: self._announce(app))
                try:
                    await self._server.serve([self._listener])
                except SystemExit as error:
                    # uvicorn's word for an application that did not start; it has logged why.
                    return int(error.code or 0)
        except asyncio.CancelledError:
            return 0
        return 1 if self._server.force_exit or self._database_lost else 0

    def _told_to_stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        elif self._task is not None:
            self._task.cancel()

    async def _with_database(self, stack: contextlib.AsyncExitStack) -> Settings:
        if self._settings.mongodb_uri is not None:
            await check(self._settings.mongodb_uri)
            return self._settings
        mongo = EmbeddedMongo(self._settings.data_dir)
        uri = await stack.enter_async_context(mongo)
        watch = asyncio.create_task(self._watch(mongo))
        stack.callback(watch.cancel)
        return at(self._settings, uri)

    async def _with_sandbox(self, stack: contextlib.AsyncExitStack) -> Sandbox | None:
        if not (self._shows_a_demo and self._settings.sandbox):
            return None
        return await stack.enter_async_context(sandbox(self._settings))

    @property
    def _shows_a_demo(self) -> bool:
        return self._settings.demo and self._settings.environment is Environment.DEVELOPMENT

    async def _watch(self, mongo: EmbeddedMongo) -> None:
        """Without its database the server is of no use, and a supervisor should know."""
        code = await mongo.wait()
        log.error("the embedded database ended; stopping", code=code, log=str(mongo.log))
        self._database_lost = True
        if self._server is not None:
            self._server.stop(at_once=True)

    async def _announce(self, app: Starlette) -> None:
        """Make the demo data, and say that the server is there: connections are accepted now."""
        from app.services.demo import offer_sandbox, seed  # noqa: PLC0415 - as in _application

        settings = self._settings
        address = url(self._listener)
        lines = [f"KubeOrch is ready after {time.perf_counter() - self._started:.1f} s.", ""]
        lines += [f"  GraphiQL    {address}/graphql"]
        if self._shows_a_demo:
            password = demo_login.password(settings.data_dir)
            made = await seed(app.state.services, password=password)
            login = DemoFile(
                url=address, email=made.email, password=password, workflow_id=made.workflow_id
            )
            file = login.write(settings.data_dir)
            lines += [
                f"  Demo login  {login.email}  {login.password}",
                f"              (also in {file})",
            ]
            if self._sandbox is not None:
                kubeconfig = self._sandbox.kubeconfig.read_text()
                await offer_sandbox(app.state.services, made, kubeconfig=kubeconfig)
                lines += [
                    f"  Sandbox     {self._sandbox.url}, an emulated cluster: nothing is executed",
                    f"              (kubectl --kubeconfig {self._sandbox.kubeconfig})",
                ]
        # Whoever started us need not go on reading.
        with contextlib.suppress(BrokenPipeError):
            print("\n".join([*lines, "", "Ctrl-C stops it."]), flush=True)


def _application() -> Callable[[Settings], Starlette]:
    """The application, imported while the database starts: each takes a second of its own core."""
    from app.main import create_app  # noqa: PLC0415

    return create_app
