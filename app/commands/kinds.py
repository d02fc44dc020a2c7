"""`kubeorch kinds`: every node kind on one page, for `docs/kinds.md`."""

import argparse

from app.handbook import page
from app.settings import Settings


def parser() -> argparse.ArgumentParser:
    """No options."""
    return argparse.ArgumentParser(
        prog="kubeorch kinds",
        description="Print a page in Markdown about every node kind: its fields, its edges, an "
        "example, and the Kubernetes objects that the example becomes.",
    )


def run(_arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the page."""
    print(page(), end="")
    return 0
