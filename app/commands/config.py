"""`kubeorch config`: every setting, so that nobody has to read the source to operate the server."""

import argparse
import os
import textwrap

from pydantic import SecretStr

from app.logs import MASK, mask_text
from app.settings import Settings, environment_variable


def parser() -> argparse.ArgumentParser:
    """No options."""
    return argparse.ArgumentParser(
        prog="kubeorch config",
        description="Print every setting as a shell assignment, with what it is for. "
        "Secrets are masked.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the settings; those that the environment has set are not behind a `#`."""
    for name, field in Settings.model_fields.items():
        variable = environment_variable(name)
        print(
            textwrap.fill(field.description or "", 96, initial_indent="# ", subsequent_indent="# ")
        )
        prefix = "" if variable in os.environ else "# "
        print(f"{prefix}{variable}={_shown(getattr(settings, name))}\n")
    return 0


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return MASK
        case list():
            return "[" + ", ".join(f'"{_shown(item)}"' for item in value) + "]"
        case bool():
            return str(value).lower()
        case _:
            return mask_text(str(value))
