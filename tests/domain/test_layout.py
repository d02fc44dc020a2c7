"""Places for boxes: layers, groups, and given places without overlap."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.layout import Cell, Point, layered, spread

CELL = Cell(10, 10)
BOXES = [f"n{i}" for i in range(9)]
ARROWS = st.lists(st.tuples(st.sampled_from(BOXES), st.sampled_from([*BOXES, "gone"])), max_size=20)


def apart(points: list[Point]) -> bool:
    return all(
        abs(x - u) >= CELL.width - 1e-6 or abs(y - v) >= CELL.height - 1e-6
        for i, (x, y) in enumerate(points)
        for u, v in points[:i]
    )


def test_nothing() -> None:
    assert layered([], []) == {}
    assert spread({}) == {}


def test_an_arrow_leads_to_the_right() -> None:
    placed = layered(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")], CELL)
    assert placed == {"a": (0, 0), "b": (10, 0), "c": (20, 0)}


def test_a_box_where_nothing_ends_stands_next_to_its_target() -> None:
    placed = layered(["a", "b", "c", "late"], [("a", "b"), ("b", "c"), ("late", "c")], CELL)
    assert placed["late"][0] == placed["b"][0]


def test_a_circle_is_laid_out_too() -> None:
    placed = layered(["a", "b"], [("a", "b"), ("b", "a"), ("a", "a")], CELL)
    assert apart(list(placed.values()))


def test_groups_stand_apart_the_largest_first_and_single_boxes_in_a_square() -> None:
    placed = layered(["x", "a", "b", "y", "z", "w", "c"], [("a", "b"), ("b", "c")], CELL)
    assert placed["a"] == (0, 0)
    singles = [placed[box] for box in "xyzw"]
    assert len({x for x, _ in singles}) == len({y for _, y in singles}) == 2


@given(ARROWS)
def test_no_boxes_overlap_and_none_is_lost(arrows: list[tuple[str, str]]) -> None:
    placed = layered(BOXES, arrows, CELL)
    assert sorted(placed) == BOXES
    assert apart(list(placed.values()))
    assert min(x for x, _ in placed.values()) == 0
    assert all(y >= 0 for _, y in placed.values())


def test_given_places_keep_their_distances() -> None:
    points: dict[str, Point] = {"a": (-5, 7), "b": (10, 7), "c": (-5, 30)}
    assert spread(points, CELL) == {"a": (0, 0), "b": (15, 0), "c": (0, 23)}


def test_close_boxes_are_stretched_apart() -> None:
    assert spread({"a": (0, 0), "b": (8, 0)}, CELL) == {"a": (0, 0), "b": (10, 0)}


def test_a_large_gap_is_made_smaller() -> None:
    assert spread({"a": (-1e9, 0), "b": (1e9, 1e9)}, CELL) == {"a": (0, 0), "b": (20, 30)}


def test_one_place_for_all_says_nothing() -> None:
    assert spread({"a": (3, 3), "b": (3, 3)}, CELL) is None
    assert spread({"a": (3, 3)}, CELL) == {"a": (0, 0)}


COORDINATES = st.one_of(st.integers(0, 40), st.floats(-1e9, 1e9))


@given(st.dictionaries(st.sampled_from(BOXES), st.tuples(COORDINATES, COORDINATES)))
def test_given_places_never_overlap(points: dict[str, Point]) -> None:
    placed = spread(points, CELL)
    assert placed is None or (placed.keys() == points.keys() and apart(list(placed.values())))
