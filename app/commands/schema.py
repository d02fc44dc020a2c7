"""`kubeorch schema`: the contract, for code generators and for the committed copy."""

import argparse

from app.settings import Settings
from schema import sdl


def parser() -> argparse.ArgumentParser:
    """No options."""
    return argparse.ArgumentParser(
        prog="kubeorch schema", description="Print the GraphQL schema in SDL."
    )


def run(_arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the SDL."""
    print(sdl(), end="")
    return 0
