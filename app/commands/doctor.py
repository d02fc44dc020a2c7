"""`kubeorch doctor`: what this machine has, what it lacks, and what to do about it."""

import argparse
import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from app.commands.database import check
from app.embedded import EmbeddedMongo
from app.mongod import DatabaseUnavailable, MongodMissing, find_mongod
from app.settings import Explorer, Settings
from app.web.explorer import BUNDLE

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` is empty when all is well."""

    what: str
    found: str
    advice: str = ""
    needed: bool = True


def parser() -> argparse.ArgumentParser:
    """No options."""
    return argparse.ArgumentParser(
        prog="kubeorch doctor",
        description="Check this machine and say what is missing. Ends with 1 when something that "
        "the server needs is.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Print a line per check; 1 when something needed is missing."""
    failed = False
    for examine in CHECKS:
        finding = examine(settings)
        mark = "ok" if not finding.advice else "MISSING" if finding.needed else "optional"
        print(f"{mark:9} {finding.what:16} {finding.found}")
        if finding.advice:
            print(f"{'':26} {finding.advice}")
            failed |= finding.needed
    return 1 if failed else 0


def python(_settings: Settings) -> Finding:
    """The interpreter that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    too_old = sys.version_info[:2] < OLDEST_PYTHON
    return Finding("Python", version, f"Use Python {wanted} or newer." if too_old else "")


def mongodb(settings: Settings) -> Finding:
    """MONGODB_URI, when it is set: reachable, new enough, a replica set."""
    if settings.mongodb_uri is None:
        running = EmbeddedMongo.running(settings.data_dir)
        return Finding("MongoDB", "running, embedded" if running else "embedded, when served")
    try:
        version = asyncio.run(check(settings.mongodb_uri))
    except DatabaseUnavailable as error:
        return Finding("MongoDB", "at MONGODB_URI", str(error))
    return Finding("MongoDB", f"version {version} at MONGODB_URI")


def embedded(settings: Settings) -> Finding:
    """A mongod that can be started here."""
    needed = settings.mongodb_uri is None
    try:
        binary = find_mongod()
    except MongodMissing as error:
        return Finding("embedded mongod", "none", str(error), needed=needed)
    answer = subprocess.run(  # noqa: S603
        [binary, "--version"], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        said = (answer.stderr.strip() or f"it ended with code {answer.returncode}").splitlines()[0]
        advice = f"It does not run on this system ({said}). Set MONGODB_URI instead."
        return Finding("embedded mongod", str(binary), advice, needed=needed)
    return Finding("embedded mongod", answer.stdout.splitlines()[0])


def explorer(settings: Settings) -> Finding:
    """The GraphiQL bundle, and npm to build it with."""
    if settings.explorer is Explorer.OFF:
        return Finding("GraphiQL", "switched off")
    if (BUNDLE / "index.html").is_file():
        return Finding("GraphiQL", "built")
    advice = "Build it with `make explorer`."
    if shutil.which("npm") is None:
        advice = "Install Node.js with npm, then build it with `make explorer`."
    found = "not built; loaded from a CDN"
    if settings.explorer is Explorer.OFFLINE:
        found = "not built, and no CDN is allowed"
    return Finding("GraphiQL", found, advice, needed=False)


def browser(_settings: Settings) -> Finding:
    """A Chromium, for the tests of GraphiQL."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    advice = "" if found else "Only the tests of GraphiQL need it: install the package chromium."
    return Finding("Chromium", found or "none", advice, needed=False)


CHECKS: list[Callable[[Settings], Finding]] = [python, embedded, mongodb, explorer, browser]
