"""Signing keys in the settings: production starts with good ones, or says how to make one."""

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.settings import Environment, Settings
from tests.accounts import KEY


def production(monkeypatch: pytest.MonkeyPatch, keys: str | None) -> Settings:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db/?replicaSet=rs0")
    if keys is not None:
        monkeypatch.setenv("KUBEORCH_SIGNING_KEYS", keys)
    return Settings(environment=Environment.PRODUCTION)


def test_good_keys_are_taken_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = production(monkeypatch, f'["{KEY}"]')
    assert settings.signing_keys[0].get_secret_value() == KEY
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (None, "required in production"),
        ("[]", "required in production"),
        ('["k1:c2hvcnQ"]', "has 5 bytes"),
        ('["changeme"]', "id:key"),
        (f'["k1:{"A" * 43}"]', "not random"),
        (f'["{KEY}", "{KEY}"]', "same id"),
    ],
)
def test_other_keys_are_refused_with_the_way_to_make_one(
    monkeypatch: pytest.MonkeyPatch, keys: str | None, says: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        production(monkeypatch, keys)
    (problem,) = refused.value.errors(include_input=False)
    assert says in problem["msg"]
    assert "same id" in says or "secrets.token_urlsafe(32)" in problem["msg"]
    assert "c2hvcnQ" not in str(refused.value)


def test_keys_that_are_no_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError):
        production(monkeypatch, KEY)
