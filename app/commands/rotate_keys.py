"""`kubeorch rotate-keys`: moves what is sealed under the first key, so that older ones can go."""

import argparse
import asyncio
import sys

from app.bootstrap import vault
from app.commands.database import database
from app.documents import DOCUMENTS
from app.documents.credentials import CredentialStore
from app.documents.database import Database
from app.identity.keyring import BadKey
from app.services.rotating import Rotation, rotate
from app.settings import Settings

EVERY = 100
"""Secrets between two lines of progress."""


def parser() -> argparse.ArgumentParser:
    """No options: the keys are a setting."""
    return argparse.ArgumentParser(
        prog="kubeorch rotate-keys",
        description="Move the credentials of all clusters under the first key of "
        "KUBEORCH_ENCRYPTION_KEYS. Put a new key in front of the old ones, restart the servers, "
        "run this, and drop the old ones. Servers may run meanwhile; a run that was stopped is "
        "gone on with by the next one. Ends with 1 when something is left.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Rotate; 0 when nothing is left under another key."""
    try:
        return asyncio.run(_rotate(settings))
    except BadKey as error:
        print(f"kubeorch: {error}", file=sys.stderr)
        return 1


async def _rotate(settings: Settings) -> int:
    keys = vault(settings)
    async with database(settings) as connected:
        if connected.mongodb_uri is None:
            raise AssertionError("a connected database has an address")
        uri = connected.mongodb_uri.get_secret_value()
        opened = await Database.connect(uri, connected.database, DOCUMENTS)
        try:
            store = CredentialStore()
            rotation = await rotate(store, keys, tell=_progress)
            left = await store.count_not_under(keys.key_id)
        finally:
            await opened.close()
    print(f"{rotation.moved} moved under the key {keys.key_id}, {left} left under other keys.")
    for failure in rotation.failures:
        print(f"cluster {failure.cluster_id}: {failure.reason}", file=sys.stderr)
    if left > len(rotation.failures):
        print(
            "Something was sealed with another key meanwhile: restart the servers, so that all of "
            "them have the new key in front, and run this again.",
            file=sys.stderr,
        )
    return 1 if left else 0


def _progress(rotation: Rotation) -> None:
    if rotation.done % EVERY == 0:
        print(f"{rotation.done} of {rotation.total}", flush=True)
