"""`kubeorch create-admin`: a way in when sign-up is closed, or every administrator has left."""

import argparse
import asyncio
import getpass
import sys

from app.bootstrap import bootstrap
from app.commands.database import database
from app.domain.errors import DomainError
from app.settings import Settings


def parser() -> argparse.ArgumentParser:
    """Who it is. The password is never an option: other users can read a command line."""
    result = argparse.ArgumentParser(
        prog="kubeorch create-admin",
        description="Create an administrator, in the database that the server uses. The password "
        "is asked for; without a terminal it is the first line of the input.",
    )
    result.add_argument("email", help="e-mail address to sign in with")
    result.add_argument("--name", help="name that others see (the address's local part)")
    return result


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Create the account; 1 when the address, the name or the password will not do."""
    email: str = arguments.email
    name: str = arguments.name or email.partition("@")[0]
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {email}: ")
        if getpass.getpass("The same again: ") != password:
            print("kubeorch: the two passwords differ", file=sys.stderr)
            return 1
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        asyncio.run(_create(settings, name=name, email=email, password=password))
    except DomainError as error:
        print(f"kubeorch: {error}", file=sys.stderr)
        return 1
    print(f"{email} is an administrator now.")
    return 0


async def _create(settings: Settings, *, name: str, email: str, password: str) -> None:
    async with database(settings) as connected, bootstrap(connected) as services:
        await services.accounts.create_admin(name=name, email=email, password=password)
