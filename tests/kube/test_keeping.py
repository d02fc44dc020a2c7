"""The search of errors finds what it looks for."""

import secrets

import pytest

from app.domain.access import BearerToken, ClientCertificate, OidcSession, Proof
from app.domain.errors import ClusterError, ClusterFault, StatusCause
from tests.kube.keeping import failure, keep_proof
from tests.kubernetes.certificates import Authority
from tests.secrecy import SecretCameOut


def session(**fields: str) -> OidcSession:
    known = {"issuer_url": "https://issuer.test", "client_id": "a", "refresh_token": "short"}
    return OidcSession.model_validate(known | fields)


def proofs() -> list[tuple[Proof, str, str]]:
    """Proofs, what is secret in each, and its name."""
    fresh = [secrets.token_urlsafe(12) for _ in range(4)]
    pair = Authority().client("alice")
    key = pair.key.decode()
    return [
        (BearerToken(token=fresh[0]), fresh[0], "a token"),
        (ClientCertificate(certificate="-", key=key), key.splitlines()[1], "a key"),
        (session(client_secret=fresh[1]), fresh[1], "a client secret"),
        (session(refresh_token=fresh[2]), fresh[2], "a refresh token"),
        (session(id_token=fresh[3]), fresh[3], "an id token"),
    ]


@pytest.mark.parametrize(
    ("proof", "hidden", "what"),
    proofs(),
    ids=["token", "key", "client secret", "refresh token", "id token"],
)
async def test_an_error_that_repeats_a_proof(proof: Proof, hidden: str, what: str) -> None:
    async def by_message() -> None:
        raise ClusterError(ClusterFault.INVALID, f"It says: {hidden}")

    async def by_cause() -> None:
        cause = StatusCause("Invalid", f"not {hidden}")
        raise ClusterError(ClusterFault.INVALID, "It says no.", causes=[cause])

    async def by_origin() -> None:
        raise ClusterError(ClusterFault.INVALID, "It says no.") from ValueError(hidden)

    keep_proof(proof)
    for fails in (by_message, by_cause, by_origin):
        with pytest.raises(SecretCameOut, match=f"^{what} came out: it is in "):
            await failure(fails())


async def test_an_error_that_repeats_nothing() -> None:
    async def fails() -> None:
        raise ClusterError(ClusterFault.INVALID, "It says no.")

    assert (await failure(fails())).message == "It says no."
