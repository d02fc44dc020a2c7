"""`kubeorch schema`: the contract, for code generators and for the committed copy."""

import argparse
import sys
from pathlib import Path

from app.settings import Settings
from schema import breaking_changes, sdl


def parser() -> argparse.ArgumentParser:
    """What the schema is compared with, if anything."""
    result = argparse.ArgumentParser(
        prog="kubeorch schema", description="Print the GraphQL schema in SDL."
    )
    result.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="fail, and say why, when clients of the schema in FILE would break",
    )
    return result


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the SDL; 1 when it breaks what `--against` promised."""
    if arguments.against is not None:
        broken = breaking_changes(arguments.against.read_text())
        if broken:
            print("kubeorch: this would break clients:", *broken, sep="\n  ", file=sys.stderr)
            return 1
    print(sdl(), end="")
    return 0
