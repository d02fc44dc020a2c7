"""What the provider of the tests issues can be verified as an API server does."""

import base64
import json
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.kube.provider import Provider, id_token, signing_key
from tests.kube.serving import Server, serving


def number(text: str) -> int:
    return int.from_bytes(decoded(text))


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(token: str, found: dict[str, Any]) -> dict[str, Any]:
    """What a token says, by RFC 7515 and the key of RFC 7517 that it names."""
    head, body, signature = token.split(".")
    named = json.loads(decoded(head))
    [key] = [each for each in found["keys"] if each["kid"] == named["kid"]]
    assert (named["alg"], key["alg"], key["kty"]) == ("RS256", "RS256", "RSA")
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    signed = f"{head}.{body}".encode()
    public.verify(decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
    said: dict[str, Any] = json.loads(decoded(body))
    return said


async def test_its_tokens_can_be_verified() -> None:
    async with serving(Server(), None) as server, httpx.AsyncClient(trust_env=False) as http:
        provider = Provider(server)
        told = (await http.get(f"{provider.url}/.well-known/openid-configuration")).json()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-0",
            "client_id": "kubernetes",
            "client_secret": "p&ss",
        }
        answer = (await http.post(told["token_endpoint"], data=form)).json()
        keys = (await http.get(told["jwks_uri"])).json()

    said = verified(answer["id_token"], keys)
    assert (said["iss"], said["aud"], said["sub"]) == (told["issuer"], "kubernetes", "alice")
    assert said["iat"] < said["exp"]
    forged = id_token("alice", ends=3_600, key=signing_key("another"))
    with pytest.raises(InvalidSignature):
        verified(forged, keys)
