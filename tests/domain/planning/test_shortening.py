"""A plan that is shown and kept has a bound, and the same hash."""

from app.domain.planning.shortening import shortened
from tests.domain.planning.scenes import manifest
from tests.domain.planning.test_plan import planned, updated

FIRST, SECOND = (manifest("ConfigMap", name, data={}) for name in ("a", "b"))
PLAN = planned(updated(FIRST, "data.k", "x" * 60), updated(SECOND, "data.k", "y" * 60))


def test_a_plan_that_fits_stays_as_it_is() -> None:
    assert shortened(PLAN) == PLAN


def test_changes_beyond_the_bound_are_counted_and_the_hash_is_the_same() -> None:
    brief = shortened(PLAN, most=100)
    assert [len(one.changes) for one in brief.objects] == [1, 0]
    assert [risk.message for risk in brief.objects[1].risks] == [
        f"Not shown of {brief.objects[1].key}: 1 change."
    ]
    assert brief.hash == PLAN.hash
    assert [one.changes for one in shortened(PLAN, most=0).objects] == [(), ()]
