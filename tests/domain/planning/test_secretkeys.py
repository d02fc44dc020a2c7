"""Secret values: which are needed, and how they go in; the values themselves are nowhere."""

import base64
from typing import Any

import pytest

from app.domain.planning.objects import ObjectKey
from app.domain.planning.secretkeys import (
    VALUES_MANAGER,
    SecretKeys,
    ValuesMethod,
    differing,
    is_frozen,
    rehearsed,
    secret_keys,
    values_write,
)
from tests.domain.planning.scenes import OTHER, WORKFLOW, manifest, on_cluster
from tests.domain.test_golden import CASES, compiled

PASSWORD = manifest("Secret", "db", keys=("user", "password"), type="Opaque")
LABELS = {
    "app.kubernetes.io/instance": WORKFLOW,
    "app.kubernetes.io/managed-by": "kubeorch",
    "kubeorch.io/workflow-id": WORKFLOW,
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def live(*keys: str, ours: tuple[str, ...] | None = None, **fields: Any) -> dict[str, Any]:
    """A live Secret with these keys, of which `ours` were written by the manager of the values."""
    owned = {f"f:{key}": {} for key in (keys if ours is None else ours)}
    managed = [
        {"manager": "kubeorch", "operation": "Apply", "fieldsV1": {"f:type": {}}},
        {"manager": VALUES_MANAGER, "operation": "Update", "fieldsV1": {"f:data": owned}},
    ]
    data = {key: b64(f"old {key}") for key in keys}
    return on_cluster(PASSWORD, uid="u1", data=data, metadata={"managedFields": managed}, **fields)


def keys(**told: tuple[str, ...]) -> SecretKeys:
    none: dict[str, tuple[str, ...]] = dict.fromkeys(("present", "given", "missing", "stale"), ())
    key = ObjectKey("v1", "Secret", "shop", "db")
    return SecretKeys("n1", key, ("password", "user"), **{**none, **told})


def test_nothing_there_and_nothing_given() -> None:
    assert secret_keys(PASSWORD, None, ()) == keys(missing=("password", "user"))


def test_what_is_given_is_not_missing() -> None:
    assert secret_keys(PASSWORD, None, {"user"}) == keys(given=("user",), missing=("password",))


def test_what_is_there_is_kept() -> None:
    found = secret_keys(PASSWORD, live("user", "password"), ())
    assert found == keys(present=("password", "user"))


def test_what_the_canvas_lost_goes_if_we_put_it_there() -> None:
    found = secret_keys(PASSWORD, live("user", "password", "old"), ())
    assert found == keys(present=("password", "user"), stale=("old",))
    theirs = live("user", "password", "old", ours=("user", "password"))
    assert secret_keys(PASSWORD, theirs, ()) == keys(present=("password", "user"))


def test_a_replaced_one_keeps_nothing() -> None:
    found = secret_keys(PASSWORD, live("user", "password", "old"), ["user"], replaced=True)
    assert found == keys(given=("user",), missing=("password",))


def test_a_value_for_no_key() -> None:
    assert secret_keys(PASSWORD, None, {"user", "pass"}) == keys(
        given=("user",), missing=("password",), unknown=("pass",)
    )


def test_nothing_is_written_without_values() -> None:
    assert values_write(PASSWORD, live("user"), (), workflow_id=WORKFLOW) is None
    assert values_write(PASSWORD, None, (), workflow_id=WORKFLOW) is None


def test_a_new_secret_carries_its_values_and_what_never_changes() -> None:
    write = values_write(PASSWORD, None, {"user"}, workflow_id=WORKFLOW)
    assert write is not None
    assert (write.method, write.uid) == (ValuesMethod.CREATE, None)
    assert write.body({"user": "ünder", "more": "x"}) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "labels": LABELS},
        "type": "Opaque",
        "data": {"user": b64("ünder")},
    }


def test_a_live_one_is_patched_key_by_key() -> None:
    write = values_write(PASSWORD, live("user", "old"), {"password"}, workflow_id=WORKFLOW)
    assert write is not None
    assert write.method is ValuesMethod.PATCH
    assert write.body({"password": "p"}) == {
        "metadata": {"uid": "u1", "resourceVersion": "7"},
        "data": {"password": b64("p"), "old": None},
    }


def test_keys_are_removed_without_any_value() -> None:
    write = values_write(PASSWORD, live("user", "password", "old"), (), workflow_id=WORKFLOW)
    assert write is not None
    assert write.body({}) == {
        "metadata": {"uid": "u1", "resourceVersion": "7"},
        "data": {"old": None},
    }


def test_a_replaced_one_is_made_anew() -> None:
    write = values_write(
        PASSWORD, live("user", "old"), {"user", "password"}, workflow_id=WORKFLOW, replaced=True
    )
    assert write is not None
    assert (write.method, write.uid, write.removes) == (ValuesMethod.REPLACE, "u1", ())
    assert write.body({"user": "", "password": "p"})["data"] == {"user": "", "password": b64("p")}


def test_a_value_that_is_not_there_is_named_and_no_other_is_told() -> None:
    write = values_write(PASSWORD, None, {"user", "password"}, workflow_id=WORKFLOW)
    assert write is not None
    with pytest.raises(KeyError) as raised:
        write.body({"password": "hunter2"})
    assert str(raised.value) == "'user'"


def test_the_labels_are_those_of_the_workflow() -> None:
    write = values_write(PASSWORD, None, {"user"}, workflow_id=OTHER)
    assert write is not None
    assert dict(write.labels)["kubeorch.io/workflow-id"] == OTHER


def test_what_is_the_same_need_not_be_written() -> None:
    there = live("user", "password")
    assert differing(there, {"user": "old user", "password": "new"}) == ("password",)
    assert differing(None, {"user": ""}) == ("user",)


def test_frozen() -> None:
    assert is_frozen(live("user", immutable=True))
    assert not is_frozen(live("user"))
    assert not is_frozen(None)


def test_a_dry_run_has_what_the_type_requires() -> None:
    tls = manifest("Secret", type="kubernetes.io/tls", keys=("tls.crt", "tls.key"))
    assert rehearsed(tls, None) == {**tls.object, "data": {"tls.crt": "", "tls.key": ""}}
    registry = manifest("Secret", type="kubernetes.io/dockerconfigjson")
    assert rehearsed(registry, None)["data"] == {".dockerconfigjson": b64("{}")}
    assert "data" not in tls.object


def test_a_dry_run_of_another_type_carries_the_keys_that_are_not_there_yet() -> None:
    """Else it is refused for them, too, and nobody sees that only the type is in the way."""
    tls = manifest("Secret", type="kubernetes.io/tls", keys=("tls.crt", "tls.key"))
    before = on_cluster(manifest("Secret", type="Opaque"), data={"tls.crt": b64("mine")})
    assert rehearsed(tls, before)["data"] == {"tls.key": ""}


def test_a_dry_run_of_others_is_the_manifest() -> None:
    tls = manifest("Secret", type="kubernetes.io/tls", keys=("tls.crt", "tls.key"))
    for made, there in (
        (PASSWORD, None),
        (tls, on_cluster(tls)),
        (manifest("Secret", type="example.test/own"), None),
        (manifest("Deployment"), None),
    ):
        assert rehearsed(made, there) == made.object


def test_every_compiled_secret_says_its_keys_and_has_no_value() -> None:
    """Secret nodes, and the Secrets that are made for `envKeys`."""
    secrets = [m for case in CASES for m in compiled(case) if m.kind == "Secret"]
    assert {m.name.partition("-")[0] for m in secrets} >= {"password", "env"}
    for made in secrets:
        assert {"data", "stringData"} & made.object.keys() == set()
        assert secret_keys(made, None, made.keys).missing == ()
        assert secret_keys(made, None, ()).missing == tuple(sorted(made.keys))
