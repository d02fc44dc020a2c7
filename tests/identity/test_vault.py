"""Sealed secrets: they open for the ring that sealed them, where they belong, and nowhere else."""

import base64
from collections.abc import Callable
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sealed import Sealed
from app.identity.keyring import ENCRYPTION, BadKey, Key, KeyRing
from app.identity.vault import UnknownKey, Unopenable, Vault

OLD, NEW = Key("old", bytes(range(32))), Key("new", bytes(range(100, 164)))
SECRET = b"the cluster's token"
HERE, THERE = "credentials of cluster 1", "credentials of cluster 2"


def vault(*keys: Key) -> Vault:
    return Vault(KeyRing(keys or (OLD,), ENCRYPTION))


@given(plain=st.binary(max_size=2_000), context=st.text(max_size=50))
def test_what_was_sealed_opens(plain: bytes, context: str) -> None:
    context = context.encode("utf-8", "replace").decode()
    assert vault().open(vault().seal(plain, context=context), context=context) == plain


def test_the_form_is_as_it_says() -> None:
    sealed = vault(NEW, OLD).seal(SECRET, context=HERE)
    assert sealed.key_id == "new"
    assert len(sealed.wrapped_key) == 12 + 32 + 16
    assert len(sealed.nonce) == 12
    assert len(sealed.ciphertext) == len(SECRET) + 16


def test_every_secret_has_a_data_key_and_nonces_of_its_own() -> None:
    many = [vault().seal(SECRET, context=HERE) for _ in range(50)]
    for part in zip(*[astuple(each)[1:] for each in many], strict=True):
        assert len(set(part)) == 50


def test_nothing_of_the_secret_or_the_keys_is_shown() -> None:
    sealed = vault().seal(SECRET, context=HERE)
    assert repr(sealed) == "Sealed(key_id='old')"
    assert repr(vault(NEW, OLD)) == "Vault(new, old)"
    assert repr(OLD) == "Key(id='old')"
    assert SECRET not in b"".join(astuple(sealed)[1:])


def test_it_does_not_open_elsewhere() -> None:
    sealed = vault().seal(SECRET, context=HERE)
    for context in (THERE, "", HERE + " ", HERE[:-1]):
        with pytest.raises(Unopenable):
            vault().open(sealed, context=context)
        with pytest.raises(Unopenable):
            vault().rewrap(sealed, context=context)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("part", ["wrapped_key", "nonce", "ciphertext"])
def test_any_flipped_bit_is_noticed(part: str) -> None:
    sealed = vault().seal(SECRET, context=HERE)
    whole: bytes = getattr(sealed, part)
    for at in range(len(whole)):
        with pytest.raises(Unopenable):
            vault().open(replace(sealed, **{part: flipped(whole, at)}), context=HERE)


SPOILT: list[Callable[[Sealed, Sealed], Sealed]] = [
    lambda one, other: replace(one, wrapped_key=other.wrapped_key),
    lambda one, other: replace(one, nonce=other.nonce, ciphertext=other.ciphertext),
    lambda one, _: replace(one, wrapped_key=b""),
    lambda one, _: replace(one, wrapped_key=one.wrapped_key[:12]),
    lambda one, _: replace(one, wrapped_key=one.wrapped_key[:-1]),
    lambda one, _: replace(one, nonce=b""),
    lambda one, _: replace(one, ciphertext=b""),
    lambda one, _: replace(one, ciphertext=one.ciphertext[:-1]),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_parts_that_do_not_belong_together_do_not_open(
    spoil: Callable[[Sealed, Sealed], Sealed],
) -> None:
    one, other = (vault().seal(SECRET, context=HERE) for _ in range(2))
    with pytest.raises(Unopenable) as refused:
        vault().open(spoil(one, other), context=HERE)
    assert refused.value.key_id == "old"
    assert "does not open with the encryption key 'old'" in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_key_that_is_not_there_is_named_with_what_to_do() -> None:
    sealed = vault(OLD).seal(SECRET, context=HERE)
    for attempt in (vault(NEW).open, vault(NEW).rewrap):
        with pytest.raises(UnknownKey) as refused:
            attempt(sealed, context=HERE)
        assert refused.value.key_id == "old"
        assert "Put that key behind the first one in KUBEORCH_ENCRYPTION_KEYS" in str(refused.value)


def test_another_key_under_the_same_id_does_not_open_it() -> None:
    sealed = vault(OLD).seal(SECRET, context=HERE)
    with pytest.raises(Unopenable):
        vault(Key("old", NEW.secret)).open(sealed, context=HERE)


def test_the_key_id_is_bound_too() -> None:
    """The same key under two ids: which of them sealed it is not for the database to say."""
    sealed = vault(OLD).seal(SECRET, context=HERE)
    with pytest.raises(Unopenable):
        vault(OLD, Key("copy", OLD.secret)).open(replace(sealed, key_id="copy"), context=HERE)


def test_rewrapping_moves_it_under_the_first_key_and_leaves_the_secret_alone() -> None:
    before = vault(OLD).seal(SECRET, context=HERE)
    after = vault(NEW, OLD).rewrap(before, context=HERE)
    assert after.key_id == "new"
    assert (after.nonce, after.ciphertext) == (before.nonce, before.ciphertext)
    assert after.wrapped_key != before.wrapped_key
    assert vault(NEW).open(after, context=HERE) == SECRET
    with pytest.raises(UnknownKey):
        vault(OLD).open(after, context=HERE)


def test_a_secret_that_is_spoilt_moves_as_it_is() -> None:
    """Wrapping does not look at the secret, so it cannot make one that is spoilt look whole."""
    before = vault(OLD).seal(SECRET, context=HERE)
    spoilt = replace(before, ciphertext=flipped(before.ciphertext, 0))
    moved = vault(NEW, OLD).rewrap(spoilt, context=HERE)
    with pytest.raises(Unopenable):
        vault(NEW).open(moved, context=HERE)


def test_keys_for_encryption_are_called_so() -> None:
    with pytest.raises(BadKey, match=r"^There is no encryption key\. Make one with: "):
        KeyRing.parse([], ENCRYPTION)
    with pytest.raises(BadKey, match=r"^The encryption key 'k1' has 5 bytes, it needs 32\."):
        KeyRing.parse([f"k1:{base64.b64encode(b'short').decode()}"], ENCRYPTION)
