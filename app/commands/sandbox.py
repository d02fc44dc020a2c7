"""`kubeorch sandbox`: a pretended Kubernetes cluster on this machine, for whoever has no other."""

import argparse
import asyncio
import contextlib
import gc
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn

from app.commands.protocol import patient
from app.commands.server import GARBAGE, bind
from app.sandbox.access import Access, prepare
from app.sandbox.app import create_app
from app.sandbox.cluster import Cluster, SandboxSettings
from app.settings import Settings

PORT = 8901
LOOPBACK = "127.0.0.1"


def parser() -> argparse.ArgumentParser:
    """Where, how fast, and whether over TLS."""
    result = argparse.ArgumentParser(
        prog="kubeorch sandbox",
        description=(
            "Start a sandbox cluster: an emulated Kubernetes API. Objects live, move and fail in "
            "it, but nothing is ever executed, and everything is forgotten at the end."
        ),
    )
    # Not `port`: that is a setting of the server, whose value would be taken.
    result.add_argument(
        "--port",
        dest="sandbox_port",
        metavar="PORT",
        type=int,
        default=PORT,
        help=f"TCP port on loopback, 0 for a free one ({PORT})",
    )
    result.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        help="how many times faster than in a real cluster things happen (1)",
    )
    result.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve HTTPS with a certificate of its own; kubectl sends no token without",
    )
    result.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when whoever started it has ended",
    )
    return result


def _speed(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0.01 <= value <= 1000):
        raise argparse.ArgumentTypeError("a speed is a number from 0.01 to 1000")
    return value


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop; 0 when that happened in good order."""
    gc.set_threshold(*GARBAGE)
    try:
        listener = bind(LOOPBACK, arguments.sandbox_port)
    except (OSError, OverflowError) as error:
        print(
            f"kubeorch: cannot listen on port {arguments.sandbox_port}: {error}. "
            "Choose another with --port; 0 takes a free one.",
            file=sys.stderr,
        )
        return 1
    try:
        access = prepare(settings.data_dir)
    except OSError as error:
        print(f"kubeorch: cannot write to {settings.data_dir}: {error.strerror}", file=sys.stderr)
        return 1
    # It would recommend packages to whoever asks for exec, which is refused on purpose.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    cluster = Cluster(SandboxSettings(token=access.token, speed=arguments.speed))
    with listener, asyncio.Runner() as runner:
        server = _Server(cluster, access, listener, settings, tls=arguments.tls)
        return runner.run(server.run(guarded=arguments.until_stdin_closes))


class _Server(uvicorn.Server):
    """uvicorn that ends open watches when it is told to stop, and says when it is there."""

    def __init__(
        self,
        cluster: Cluster,
        access: Access,
        listener: socket.socket,
        settings: Settings,
        *,
        tls: bool,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(cluster),
                http=patient(settings.request_seconds),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                ssl_certfile=access.certificate if tls else None,
                ssl_keyfile=str(access.key) if tls else None,
                timeout_graceful_shutdown=settings.shutdown_seconds,
            )
        )
        self._cluster = cluster
        self._access = access
        self._listener = listener
        self._kubeconfig = settings.data_dir / "sandbox.kubeconfig"
        self._tls = tls

    async def run(self, *, guarded: bool = False) -> int:  # type: ignore[override]
        """Serve on the socket that is bound already; if `guarded`, as long as stdin is open.

        A signal then is for the one who guards: Ctrl-C goes to both.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _nothing if guarded else self._told_to_stop)
        if guarded:
            await loop.connect_read_pipe(lambda: _Guard(self._told_to_stop), sys.stdin)
        try:
            await self.serve([self._listener])
        except SystemExit as error:
            # uvicorn's word for an application that did not start; it has logged why.
            return int(error.code or 0)
        return 1 if self.force_exit else 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the signals are handled above."""
        yield

    def _told_to_stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._cluster.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        scheme = "https" if self._tls else "http"
        address = f"{scheme}://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._access.write_kubeconfig(self._kubeconfig, address, tls=self._tls)
        lines = [
            "The sandbox cluster is ready. It pretends: nothing is executed in it.",
            "",
            f"  URL         {address}",
            f"  Token       in {self._access.token_file}",
            f"  Kubeconfig  {self._kubeconfig}",
        ]
        if not self._tls:
            lines += ["", "kubectl sends no token over plain HTTP: start with --tls for it."]
        # Whoever started us need not go on reading.
        with contextlib.suppress(BrokenPipeError):
            print("\n".join([*lines, "", "Ctrl-C stops it."]), flush=True)


class _Guard(asyncio.Protocol):
    """Hears when the other end of a pipe is gone."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def connection_lost(self, _: Exception | None) -> None:
        self._gone()


def _nothing() -> None:
    pass
