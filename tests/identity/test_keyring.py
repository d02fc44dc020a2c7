"""Keys in the settings: what is refused and why, and the key that development keeps."""

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest

from app.identity.keyring import BadKey, KeyRing

GOOD = base64.urlsafe_b64encode(bytes(range(1, 33))).decode().rstrip("=")
OTHER = base64.urlsafe_b64encode(bytes(range(101, 133))).decode()


def test_the_first_is_first_and_all_are_found() -> None:
    ring = KeyRing.parse([f"new:{GOOD}", f"old:{OTHER}"])
    assert ring.first.id == "new"
    assert [key.id for key in ring] == ["new", "old"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "id:key"),
        (GOOD, "id:key"),
        (f"bad id:{GOOD}", "id:key"),
        ("k1:", "0 bytes"),
        ("k1:c2hvcnQ", "5 bytes"),
        ("k1:not base64!", "not base64url"),
        ("k1:" + "A" * 43, "not random"),
        ("k1:" + "changeme-" * 6, "not random"),
        (
            "k1:" + base64.b64encode(b"this is the default secret of kubeorch").decode(),
            "not random",
        ),
        ("k1:" + base64.b64encode(b"replace-me-CHANGE_ME-0123456789abcdef").decode(), "not random"),
    ],
)
def test_a_bad_key_is_refused_with_the_way_to_make_one(text: str, says: str) -> None:
    with pytest.raises(BadKey) as refused:
        KeyRing.parse([text])
    assert says in str(refused.value)
    assert "secrets.token_urlsafe(32)" in str(refused.value)


def test_a_refusal_does_not_tell_the_key() -> None:
    with pytest.raises(BadKey) as refused:
        KeyRing.parse(["k1:dG9wc2VjcmV0"])
    assert "dG9wc2VjcmV0" not in str(refused.value)
    assert "topsecret" not in str(refused.value)


def test_no_key_and_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(BadKey, match="no signing key"):
        KeyRing.parse([])
    with pytest.raises(BadKey, match="same id"):
        KeyRing.parse([f"k1:{GOOD}", f"k1:{OTHER}"])


def test_a_key_ring_tells_ids_only() -> None:
    assert repr(KeyRing.parse([f"new:{GOOD}", f"old:{OTHER}"])) == "KeyRing(new, old)"


def test_development_keeps_its_key(tmp_path: Path) -> None:
    path = tmp_path / "data" / "signing-key"
    made = KeyRing.kept_in(path)
    kept = KeyRing.kept_in(path)
    assert made.first == kept.first
    assert [file.name for file in path.parent.iterdir()] == ["signing-key"]


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    path = tmp_path / "signing-key"
    KeyRing.kept_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    KeyRing.kept_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "nonsense", "dev:c2hvcnQ", "dev:\u00e9"])
def test_a_spoilt_key_file_says_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing-key"
    path.write_text(content)
    with pytest.raises(BadKey, match="delete the file") as refused:
        KeyRing.kept_in(path)
    assert str(path) in str(refused.value)


def _key_id(path: Path) -> str:
    return KeyRing.kept_in(path).first.id


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        ids = pool.map(_key_id, [tmp_path / "signing-key"] * 16, chunksize=1)
    assert len(set(ids)) == 1
