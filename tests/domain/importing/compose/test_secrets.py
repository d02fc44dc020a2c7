"""Secrets never become part of a canvas, a note or an error."""

from typing import Any

import pytest

from app.domain.importing.secrecy import (
    for_kubernetes,
    for_shell,
    hide,
    hide_words,
    holds_secret,
    is_secret,
    is_secret_content,
    looks_secret,
    mark,
)
from tests.domain.importing.compose.reading import (
    notes,
    read,
    read_service,
    service,
    workload,
    written,
)

SECRET_NAMES = [
    "PASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "PGPASSWORD",
    "dbPassword",
    "DB_PWD",
    "REDIS_PASS",
    "SECRET",
    "SECRET_KEY_BASE",
    "CLIENT_SECRET",
    "GITHUB_TOKEN",
    "API_KEY",
    "APIKEY",
    "OPENAI_API_KEY",
    "APP_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "PRIVATE_KEY",
    "AUTH_SALT",
    "CREDENTIALS",
    "RABBITMQ_ERLANG_COOKIE",
    "--requirepass",
    "NEO4J_AUTH",
    "REDISCLI_AUTH",
    "SESSION_JWT",
    "TS_AUTHKEY",
]
PLAIN_NAMES = [
    "USER",
    "PWD",
    "KEY",
    "PUBLIC_KEY",
    "PARTITION_KEY",
    "POSTGRES_PASSWORD_FILE",
    "TOKEN_URL",
    "TOKEN_TTL",
    "PASSWORD_MIN_LENGTH",
    "MAX_TOKENS",
    "KEYCLOAK_VERSION",
    "COMPASS",
    "MONKEY",
    "",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_looks_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_name_does_not(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:hunter22@db:5432/x",
        "redis://:hunter22@cache",
        "jdbc:mysql://a:hunter22@b/c?d=e",
        "user:hunter22@tcp(db:3306)/x",
        "Server=db;User=sa;Password=hunter22;",
        "jdbc:postgresql://db/x?password=hunter22",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----",
        "--requirepass hunter22",
        "-Ddb.password=hunter22",
        "run --api-key=hunter22 --x",
        "api-key=hunter22,x=y",
        "curl -H 'Authorization: Bearer hunter22' http://web",
    ],
)
def test_a_text_says_a_secret_itself(text: str) -> None:
    assert holds_secret(text)
    assert is_secret("ANYTHING", text)
    assert "hunter22" not in hide(text, "X")


@pytest.mark.parametrize(
    "text",
    [
        "http://web:80/path@here",
        "postgres://user@db/x",
        f"postgres://user:{mark('A')}@db",
        "mail me@example.com: now",
        "--password-file /run/secrets/x",
        "--token $TOKEN",
        "-----BEGIN CERTIFICATE-----",
        "key: value",
        "authorization: enabled",
    ],
)
def test_a_text_does_not(text: str) -> None:
    assert not holds_secret(text)


@pytest.mark.parametrize("value", ["yes", "TRUE", "0", "1", "off", ""])
def test_a_switch_is_no_secret(value: str) -> None:
    assert not is_secret("MYSQL_ALLOW_EMPTY_PASSWORD", value)


VALUE = "hunter22"
PLACES: list[dict[str, Any]] = [
    {"environment": {"DB_PASSWORD": VALUE}},
    {"environment": [f"DB_PASSWORD={VALUE}"]},
    {"environment": ["DB_PASSWORD"]},
    {"environment": {"URL": f"http://a:{VALUE}@b"}},
    {"environment": {"OPTIONS": f"--password={VALUE}"}},
    {"environment": {"PLAIN": "${DB_PASSWORD}"}},
    {"environment": {"PLAIN": "a ${DB_PASSWORD:-hunter22} b"}},
    {"env_file": "web.env"},
    {"command": f"run --password {VALUE}"},
    {"command": ["run", "--password", VALUE]},
    {"command": ["run", f"--password={VALUE}"]},
    {"command": ["run", "--url", f"http://a:{VALUE}@b"]},
    {"command": "run $DB_PASSWORD"},
    {"entrypoint": f"sh -c 'run --token \"{VALUE}\"'"},
    {"healthcheck": {"test": f"check --password {VALUE}"}},
    {"healthcheck": {"test": ["CMD", "check", "--password", VALUE]}},
    {"healthcheck": {"test": ["CMD-SHELL", "check -a ${DB_PASSWORD}"]}},
    {"labels": {"auth.password": VALUE}},
    {"labels": [f"url=http://a:{VALUE}@b"]},
    {"annotations": {"note": "${DB_PASSWORD}"}},
    {"image": f"user:{VALUE}@registry.example.com/web"},
    {"image": "web:${DB_PASSWORD}"},
    {"hostname": "${DB_PASSWORD}"},
    {"ports": ["${DB_PASSWORD}:80"]},
    {"volumes": ["./${DB_PASSWORD}:/x"]},
    {"user": "${DB_PASSWORD}"},
    {"deploy": {"replicas": "${DB_PASSWORD}"}},
    {"profiles": ["${DB_PASSWORD}"]},
    {"networks": {"default": {"aliases": ["${DB_PASSWORD}"]}}},
    {"build": {"args": {"DB_PASSWORD": VALUE}}},
    {"post_start": [{"command": VALUE}]},
    {"unknown": VALUE},
]


@pytest.mark.parametrize("keys", PLACES, ids=str)
def test_a_secret_is_kept_nowhere(keys: dict[str, Any]) -> None:
    given = {
        "files": {"web.env": f"DB_PASSWORD={VALUE}\nURL=http://a:$DB_PASSWORD@b\n"},
        "variables": {"DB_PASSWORD": VALUE},
    }
    result = read(service(**keys), profiles=["*"], **given)
    assert VALUE not in repr(result)
    assert "\x00" not in repr(result)


def test_the_value_of_a_secret_variable_is_given_on_deploy() -> None:
    result = read_service(environment={"DB_PASSWORD": VALUE, "USER": "me"})
    assert workload(result) == {
        "env": {"USER": "me"},
        "env_keys": [{"id": "DB_PASSWORD", "name": "DB_PASSWORD"}],
    }
    assert notes(result) == [
        "secret_left_out services.web.environment.DB_PASSWORD: DB_PASSWORD is secret, so its value "
        "is not kept: give it when the workflow deploys."
    ]


def test_a_text_with_a_secret_refers_to_a_variable_of_the_container() -> None:
    result = read_service(
        environment={"URL": "db://me:${DB_PASSWORD}@db", "OWN": "$DB_PASSWORD"},
        command=["run", "--password=${DB_PASSWORD}", "$MY_TOKEN"],
    )
    assert workload(result) == {
        "args": ["run", "--password=$(OWN)", "$(MY_TOKEN)"],
        "env": {"URL": "db://me:$(OWN)@db"},
        "env_keys": [{"id": "OWN", "name": "OWN"}, {"id": "MY_TOKEN", "name": "MY_TOKEN"}],
    }


def test_a_variable_of_the_same_name_with_another_value_is_left_alone() -> None:
    result = read_service(environment={"TOKEN": "abcdef"}, command="run ${TOKEN}")
    assert [key["name"] for key in workload(result)["env_keys"]] == ["TOKEN", "TOKEN_2"]
    assert workload(result)["args"] == ["run", "$(TOKEN_2)"]


def test_the_shell_of_a_health_check_sees_its_variable() -> None:
    result = read_service(healthcheck={"test": ["CMD", "cli", "-a", "$MY_TOKEN", "a b"]})
    assert workload(result)["readiness_probe"]["exec"]["command"] == [
        "/bin/sh",
        "-c",
        """cli -a "${MY_TOKEN}" 'a b'""",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$HOME", "$HOME"),
        ("${HOME}", "${HOME}"),
        ("$(date)", "$$(date)"),
        ("$$", "$$$$"),
        ("$$$(x)", "$$$$$$(x)"),
        ("5$", "5$"),
        (f"a{mark('X')}b", "a$(X)b"),
    ],
)
def test_the_cluster_reads_dollars_as_they_are_meant(text: str, expected: str) -> None:
    assert for_kubernetes(text) == expected


def test_marks_in_a_shell_leave_its_quotes() -> None:
    x = mark("X")
    assert for_shell(f"a {x} 'b{x}c' \"d{x}\"") == "a ${X} 'b'\"${X}\"'c' \"d${X}\""


def test_an_option_may_have_its_value_in_the_next_word() -> None:
    words = ["a", "--token", "abc", "--token-ttl", "5", "--secret", "--flag", "--password", "yes"]
    hidden = hide_words(words, "X")
    assert hidden[2] == mark("TOKEN")
    assert [word for word in hidden if word != hidden[2]] == [w for w in words if w != "abc"]


ENV = f"DB_PASSWORD={VALUE}\nDSN=x-$DB_PASSWORD\nURL=http://a:{VALUE}@b\n"


def test_a_default_made_of_a_secret_refers_to_it() -> None:
    result = read(service(environment={"A": "$DSN"}), files={".env": ENV})
    assert workload(result) == {
        "env": {"A": "x-$(DB_PASSWORD)"},
        "env_keys": [{"id": "DB_PASSWORD", "name": "DB_PASSWORD"}],
    }


NAMES: list[dict[str, Any]] = [
    {"env_file": "$N"},
    {"env_file": [{"path": "$N"}]},
    {"extends": "$N"},
    {"extends": {"file": "$N", "service": "x"}},
    {"depends_on": ["$N"]},
    {"networks": ["$N"]},
    {"configs": ["$N"]},
    {"volumes": ["./a:/$N"]},
    {"profiles": ["$N"]},
    {"container_name": "$N"},
]


@pytest.mark.parametrize("variable", ["DSN", "URL"])
@pytest.mark.parametrize("keys", NAMES, ids=str)
def test_a_default_with_a_secret_is_no_name(keys: dict[str, Any], variable: str) -> None:
    text = service(**keys).replace("$N", f"${variable}")
    result = read(text, files={".env": ENV})
    assert VALUE not in repr(result)
    assert "secret_left_out" in {note.code.value for note in result.notes}


@pytest.mark.parametrize("variable", ["$DSN", "$URL"])
def test_a_default_with_a_secret_names_no_project_and_no_file(variable: str) -> None:
    services = {"web": {"image": "a"}}
    for keys in (
        {"name": variable},
        {"include": [variable]},
        {"include": [{"path": "b", "env_file": variable}]},
    ):
        files = {".env": ENV, "b": service()}
        result = read(written({**keys, "services": services}), files=files)
        assert VALUE not in repr(result)
        assert result.name is None
        assert "secret_left_out" in {note.code.value for note in result.notes}


def test_a_value_whose_name_was_forgotten_is_not_repeated() -> None:
    assert notes(read_service(environment=[VALUE])) == [
        "missing services.web.environment.0: This variable has no value: it is left out. Give it."
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("password: abc", True),
        ("a:\n  - 'db.password' = abcd", True),
        ("\n\n\tapi_key=abc", True),
        ("say password: abc", False),
        ("password: $abc", False),
        ("x" * 300 + "password: abc", False),
        ("x" * 300 + "\npassword: abc", True),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", True),
    ],
)
def test_a_file_of_settings_says_a_secret(content: str, expected: bool) -> None:
    assert is_secret_content(content) is expected


def test_options_in_options_are_read_to_a_depth() -> None:
    assert "hunter22" not in hide("-a=" * 5_000 + "--password=hunter22", "X")
    assert hide("-a=-b=c", "X") == "-a=-b=c"
