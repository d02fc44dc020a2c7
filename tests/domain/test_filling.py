"""Values of a plugin that stand in each other's way are faults, never exceptions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plugins import plugins
from app.domain.plugins.filling import body_of

KINDS = [kind for plugin in plugins().values() for kind in plugin.types]
PATHS = st.sampled_from(
    ["spec", "spec[0]", "spec.a", "spec.a[0]", "spec.a.b", "spec[1]", 'spec["x"]', "status", "x"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(PATHS, inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from(KINDS), st.dictionaries(PATHS, VALUES, max_size=4))
def test_any_values_make_a_body_or_faults(kind: object, given_: dict[str, object]) -> None:
    body_of(kind, given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
@pytest.mark.parametrize("spec", [{"a": 1}, {"a": {}}])
def test_a_list_in_the_way_of_an_object_is_a_fault(kind: object, spec: object) -> None:
    _, faults = body_of(kind, {"spec[0]": 1, "spec": spec})  # type: ignore[arg-type]
    assert [fault for fault in faults if fault.fatal]
