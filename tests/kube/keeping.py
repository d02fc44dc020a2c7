"""What tests hand over to prove who they are comes out of no error that they get back."""

import traceback
from collections.abc import Awaitable

import pytest

from app.domain.access import BearerToken, ClientCertificate, OidcSession, Proof
from app.domain.errors import ClusterError
from tests.secrecy import keep_secret, search

SHORTEST = 12
"""Characters: what is shorter may be in any text by chance."""


def keep_proof(proof: Proof) -> None:
    """From now on the secrets of a proof must come out nowhere."""
    match proof:
        case BearerToken():
            found = {"a token": proof.token}
        case ClientCertificate():
            found = {"a key": proof.key}
        case OidcSession():
            found = {
                "a client secret": proof.client_secret or "",
                "a refresh token": proof.refresh_token,
                "an id token": proof.id_token or "",
            }
    for what, text in found.items():
        if len(text) >= SHORTEST:
            keep_secret(text, what)


async def failure(call: Awaitable[object]) -> ClusterError:
    """The ClusterError that a call ends with, all of whose texts have been searched."""
    with pytest.raises(ClusterError) as failed:
        await call
    error = failed.value
    search("an error", "".join(traceback.format_exception(error)))
    search("the causes of an error", repr(error.causes))
    return error
