"""Keys in the settings: production starts with good ones, or says how to make one."""

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.settings import Environment, Settings
from tests.accounts import KEY

VARIABLES = ("KUBEORCH_SIGNING_KEYS", "KUBEORCH_ENCRYPTION_KEYS")


def production(
    monkeypatch: pytest.MonkeyPatch, keys: str | None, variable: str = VARIABLES[0]
) -> Settings:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db/?replicaSet=rs0")
    for name in VARIABLES:
        monkeypatch.setenv(name, f'["{KEY}"]')
    if keys is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, keys)
    return Settings(environment=Environment.PRODUCTION)


def test_good_keys_are_taken_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = production(monkeypatch, f'["{KEY}"]')
    assert settings.signing_keys[0].get_secret_value() == KEY
    assert settings.encryption_keys[0].get_secret_value() == KEY
    assert KEY not in repr(settings)


@pytest.mark.parametrize("variable", VARIABLES)
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
    monkeypatch: pytest.MonkeyPatch, keys: str | None, says: str, variable: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        production(monkeypatch, keys, variable)
    (problem,) = refused.value.errors(include_input=False)
    assert says in problem["msg"]
    purpose = variable.removeprefix("KUBEORCH_").removesuffix("_KEYS").lower()
    assert (variable if "required" in says else f"{purpose} key") in problem["msg"]
    assert "same id" in says or "secrets.token_urlsafe(32)" in problem["msg"]
    assert "c2hvcnQ" not in str(refused.value)


def test_keys_that_are_no_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError):
        production(monkeypatch, KEY)
