"""What a plan says of secret values: which are missing, which change, which go."""

import dataclasses

from app.domain.comparing import FieldChange
from app.domain.planning import Observed, PlanAction
from app.domain.planning.plan import MissingKeys
from tests.domain.planning.scenes import (
    SECRET,
    WEB,
    planned,
    refused,
    risks,
    same,
    secret,
)

CREATE, UPDATE, REPLACE = PlanAction.CREATE, PlanAction.UPDATE, PlanAction.REPLACE


def test_missing_values_forbid_a_deploy() -> None:
    plan = planned(Observed(SECRET))
    assert plan.missing_secret_keys == (MissingKeys("n2", ("password", "user")),)
    assert [(p.code, p.node_id, p.message) for p in plan.obstacles] == [
        (
            "SECRET_VALUES_MISSING",
            "n2",
            "Give values for password, user: the cluster does not have them yet.",
        )
    ]
    assert plan.problems == ()


def test_given_values_complete_it() -> None:
    plan = planned(Observed(SECRET), given={"n2": {"user", "password"}})
    assert (plan.objects[0].action, plan.objects[0].changes) == (CREATE, ())
    assert (plan.objects[0].values, plan.obstacles) == (True, ())


def test_a_deploy_without_values_keeps_them() -> None:
    plan = planned(secret("user", "password"))
    assert (plan.is_idle, plan.obstacles, plan.objects[0].values) == (True, (), False)


def test_given_values_change_their_keys_and_no_other() -> None:
    plan = planned(secret("user"), given={"n2": ["user", "password"]})
    assert (plan.objects[0].action, plan.objects[0].values) == (UPDATE, True)
    assert plan.objects[0].changes == (
        FieldChange("data.password", None, "*** (after)"),
        FieldChange("data.user", "*** (before)", "*** (after)"),
    )
    assert plan.obstacles == ()


def test_a_plan_holds_with_the_values_that_are_given_later() -> None:
    seen = secret("user", "password")
    assert planned(seen).hash == planned(seen, given={"n2": ["user"]}).hash


def test_keys_that_the_canvas_lost_are_removed_and_said() -> None:
    plan = planned(secret("user", "password", "old.key"))
    assert plan.objects[0].action is UPDATE
    assert plan.objects[0].changes == (FieldChange("data[old.key]", "*** (before)", None),)
    assert (risks(plan), plan.objects[0].values) == (["DATA_LOSS"], True)


def test_values_that_nobody_asked_for() -> None:
    plan = planned(secret("user", "password"), same(WEB), given={"n2": ["pass"], "n9": ["a"]})
    assert [(p.code, p.node_id) for p in plan.obstacles] == [
        ("SECRET_VALUES_UNKNOWN", "n9"),
        ("SECRET_VALUES_UNKNOWN", "n2"),
    ]


def test_a_frozen_secret_is_replaced_with_all_of_its_values() -> None:
    seen = secret("user", "password", immutable=True)
    assert planned(seen).is_idle
    plan = planned(seen, given={"n2": ["user"]})
    assert (plan.objects[0].action, risks(plan)) == (REPLACE, ["IMMUTABLE_FIELD"])
    assert plan.missing_secret_keys == (MissingKeys("n2", ("password",)),)
    plan = planned(seen, given={"n2": ["user", "password"]})
    assert (plan.obstacles, plan.hash) == ((), planned(seen).hash)


def test_a_secret_of_another_type_is_replaced_with_all_of_its_values() -> None:
    refusal = refused(422, "", ("FieldValueInvalid", "type", ""))
    seen = dataclasses.replace(secret("user", "password"), answer=None, refusal=refusal)
    plan = planned(seen)
    assert plan.objects[0].action is REPLACE
    assert plan.missing_secret_keys == (MissingKeys("n2", ("password", "user")),)
