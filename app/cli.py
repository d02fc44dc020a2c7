"""`kubeorch`, the command line: finds the command, reads the settings, says errors in one line.

A command is a module of `app.commands` with `parser()` and `run(arguments, settings) -> exit
code`; it is imported only when it is asked for, so that `kubeorch --help` answers at once. An
option called as a setting is that setting.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app import __version__
from app.mongod import DatabaseUnavailable
from app.settings import Settings, environment_variable

COMMANDS = {
    "serve": "start the server (the embedded database too, unless MONGODB_URI is set)",
    "worker": "do the runs that are queued, and answer no requests",
    "sandbox": "start a pretended Kubernetes cluster, in which nothing is executed",
    "schema": "print the GraphQL schema",
    "config": "print every setting: its variable, its value and what it is for",
    "compile": "print a workflow's Kubernetes objects",
    "import": "print Kubernetes manifests or a compose file as a workflow",
    "kinds": "print a page about every node kind",
    "create-admin": "create an administrator",
    "migrate": "bring stored data to the form that this version reads",
    "rotate-keys": "move what is sealed under the newest encryption key",
    "doctor": "check this machine and say what is missing",
}
USAGE_ERROR = 2


def main(words: Sequence[str] | None = None) -> int:
    """Run the command named by `words`; 0 is success, 1 a failure, 2 a wrong call."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Manifests, the schema and pages are files for others, whatever the terminal's letters are.
        sys.stdout.reconfigure(encoding="utf-8")
    arguments = _parser().parse_args(words)
    command = importlib.import_module(f"app.commands.{_module(arguments.command)}")
    options = command.parser().parse_args(arguments.options)
    given = {
        name: value
        for name, value in vars(options).items()
        if name in Settings.model_fields and value is not None
    }
    try:
        settings = Settings(**given)
    except ValidationError as error:
        # Not the error's own text: it repeats the values, and some are secret.
        for problem in error.errors(include_input=False, include_url=False):
            name = environment_variable(str(problem["loc"][0])) + ": " if problem["loc"] else ""
            message = problem["msg"].removeprefix("Value error, ")
            print(f"kubeorch: {name}{message}", file=sys.stderr)
        return USAGE_ERROR
    except SettingsError as error:
        print(f"kubeorch: {error}: a list is written as JSON", file=sys.stderr)
        return USAGE_ERROR
    try:
        code: int = command.run(options, settings)
    except DatabaseUnavailable as error:
        print(f"kubeorch: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has left (`kubeorch config | head`); say nothing at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _module(command: str) -> str:
    """A module cannot be called `import`."""
    return "importing" if command == "import" else command.replace("-", "_")


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="kubeorch",
        description="The GraphQL backend of a visual Kubernetes editor.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {help_}" for name, help_ in COMMANDS.items())
        + "\n\n`kubeorch <command> --help` has the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kubeorch {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("options", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
