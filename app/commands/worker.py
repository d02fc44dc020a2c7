"""`kubeorch worker`: does what nobody waits for, such as deploys, and answers no requests."""

import argparse
import asyncio
import contextlib
import gc
import signal
import sys

import uvloop
from pydantic import SecretStr

from app import logs
from app.bootstrap import bootstrap
from app.commands.database import check
from app.commands.server import GARBAGE
from app.settings import Settings


def parser() -> argparse.ArgumentParser:
    """No options: everything is a setting."""
    return argparse.ArgumentParser(
        prog="kubeorch worker",
        description="Do the runs that are queued and look after clusters, for the servers of the "
        "same database. It needs MONGODB_URI and the same keys. Ctrl-C stops it in good order: "
        "what is under way is handed to another process.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Work until told to stop; 0 when that happened in good order."""
    if settings.mongodb_uri is None:
        print(
            "kubeorch: a worker needs the database of the servers that it works for. Set "
            "MONGODB_URI to it; `kubeorch serve` alone, with its embedded database, does its work "
            "itself.",
            file=sys.stderr,
        )
        return 1
    logs.configure(settings)
    gc.set_threshold(*GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(settings, settings.mongodb_uri))


async def _work(settings: Settings, uri: SecretStr) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await check(uri)
    async with bootstrap(settings.model_copy(update={"background": True})):
        # Whoever started us need not go on reading.
        with contextlib.suppress(BrokenPipeError):
            print("The worker is ready.\n\nCtrl-C stops it.", flush=True)
        await stopping.wait()
    return 0
