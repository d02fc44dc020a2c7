"""The keys that tokens are signed and credentials are sealed with."""

from collections.abc import Sequence

from pydantic import SecretStr

from app.identity.keyring import ENCRYPTION, SIGNING, KeyRing, Purpose
from app.identity.vault import Vault
from app.settings import Settings


def vault(settings: Settings) -> Vault:
    """What the credentials of clusters are sealed with."""
    return Vault(_ring(settings.encryption_keys, settings, ENCRYPTION))


def signing_keys(settings: Settings) -> KeyRing:
    """What access tokens are signed with."""
    return _ring(settings.signing_keys, settings, SIGNING)


def _ring(given: Sequence[SecretStr], settings: Settings, purpose: Purpose) -> KeyRing:
    """The configured keys; in development, else, one that is made once and kept."""
    if given:
        return KeyRing.parse([key.get_secret_value() for key in given], purpose)
    return KeyRing.kept_in(settings.data_dir / f"{purpose.name}-key", purpose)
