"""Places for boxes that have none: connected boxes in layers from left to right, without overlap.

Every group of connected boxes is laid out for itself, and the groups are set in rows like words on
a page; so a canvas of many small applications reads as such. Linear but for the sorting.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
_SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """The room of one box, with the space to its neighbours, in pixels."""

    width: float = 340
    height: float = 96


def layered(
    boxes: Sequence[str], arrows: Iterable[tuple[str, str]], cell: Cell | None = None
) -> dict[str, Point]:
    """The top left corner of every box, from 0 on. Deterministic for the order of `boxes`.

    Arrows are (from, to); those of boxes that are not there, or of a box to itself, don't count.
    """
    cell = cell or Cell()
    known = set(boxes)
    pairs = [(a, b) for a, b in arrows if a != b and a in known and b in known]
    groups = _groups(boxes, pairs)
    linked = sorted((g for g in groups if len(g) > 1), key=len, reverse=True)
    blocks = [_columns(group, pairs_of) for group, pairs_of in _with_pairs(linked, pairs)]
    single = [group[0] for group in groups if len(group) == 1]
    side = math.ceil(math.sqrt(len(single)))
    grid = [single[i::side] for i in range(side)]
    return _set([*blocks, grid] if grid else blocks, cell, flat=grid)


def _groups(boxes: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The connected groups, in the order of their first box."""
    near: dict[str, list[str]] = {box: [] for box in boxes}
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    seen: set[str] = set()
    groups = []
    place = {box: i for i, box in enumerate(boxes)}
    for box in boxes:
        if box in seen:
            continue
        seen.add(box)
        group, waiting = [], [box]
        while waiting:
            current = waiting.pop()
            group.append(current)
            for other in near[current]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        groups.append(sorted(group, key=place.__getitem__))
    return groups


def _with_pairs(
    groups: Sequence[list[str]], pairs: Sequence[tuple[str, str]]
) -> list[tuple[list[str], list[tuple[str, str]]]]:
    group_of = {box: i for i, group in enumerate(groups) for box in group}
    found: list[list[tuple[str, str]]] = [[] for _ in groups]
    for a, b in pairs:
        found[group_of[a]].append((a, b))
    return list(zip(groups, found, strict=True))


def _columns(group: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The boxes of a group in columns, every arrow to the right; high columns are split."""
    layer = _layers(group, pairs)
    columns: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    for box in group:
        columns[layer[box]].append(box)
    columns = [column for column in columns if column]
    _untangle(columns, pairs)
    most = max(6, math.ceil(1.5 * math.sqrt(len(group))))
    split: list[list[str]] = []
    for column in columns:
        parts = math.ceil(len(column) / most)
        size = math.ceil(len(column) / parts)
        split.extend(column[i : i + size] for i in range(0, len(column), size))
    return split


def _layers(group: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way to each box; a box where nothing ends stands just before its target."""
    out: dict[str, list[str]] = {box: [] for box in group}
    missing = dict.fromkeys(group, 0)
    for a, b in pairs:
        out[a].append(b)
        missing[b] += 1
    first = [box for box in group if not missing[box]]
    layer = dict.fromkeys(group, 0)
    done: set[str] = set()
    left = list(reversed(group))
    waiting = deque(first)
    while len(done) < len(group):
        if not waiting:  # a circle: begin somewhere in it
            while left[-1] in done:
                left.pop()
            waiting.append(left[-1])
        box = waiting.popleft()
        if box in done:
            continue
        done.add(box)
        for other in out[box]:
            missing[other] -= 1
            if other not in done:
                layer[other] = max(layer[other], layer[box] + 1)
                if not missing[other]:
                    waiting.append(other)
    for box in first:
        layer[box] = max(0, min((layer[other] for other in out[box]), default=1) - 1)
    return layer


def _untangle(columns: list[list[str]], pairs: Sequence[tuple[str, str]]) -> None:
    """Sorts every column by where its boxes' neighbours are, back and forth."""
    near: dict[str, list[str]] = {}
    for a, b in pairs:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    height = {box: i / len(column) for column in columns for i, box in enumerate(column)}
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            middle = {box: sum(height[o] for o in near[box]) / len(near[box]) for box in column}
            column.sort(key=middle.__getitem__)
            height.update((box, i / len(column)) for i, box in enumerate(column))


def _set(blocks: Sequence[Sequence[Sequence[str]]], cell: Cell, flat: object) -> dict[str, Point]:
    """The blocks in rows, about half as wide again as high in all.

    The columns of a block are centred, but for those of the block `flat`.
    """
    sizes = [
        (len(block) * cell.width, max(len(column) for column in block) * cell.height)
        for block in blocks
    ]
    area = sum(width * height for width, height in sizes)
    wide = max([math.sqrt(2.4 * area), *(width for width, _ in sizes)], default=0)
    placed: dict[str, Point] = {}
    x = y = high = 0.0
    for block, (width, height) in zip(blocks, sizes, strict=True):
        if x and x + width > wide:
            x, y, high = 0.0, y + high + cell.height / 2, 0.0
        for i, column in enumerate(block):
            top = y if block is flat else y + (height - len(column) * cell.height) / 2
            placed.update(
                (box, (x + i * cell.width, top + row * cell.height))
                for row, box in enumerate(column)
            )
        x, high = x + width + cell.width / 4, max(high, height)
    return placed


def spread(points: Mapping[str, Point], cell: Cell | None = None) -> dict[str, Point] | None:
    """Given places without overlap, from 0 on: stretched, and with large gaps made smaller.

    None when they say too little: all in one place, or so many on top of each other that the
    picture would be another one.
    """
    cell = cell or Cell()
    if len(points) > 1 and len(set(points.values())) == 1:
        return None
    near = dict(
        zip(
            points,
            zip(
                _closer([x for x, _ in points.values()], 2 * cell.width),
                _closer([y for _, y in points.values()], 3 * cell.height),
                strict=True,
            ),
            strict=True,
        )
    )
    for scale in (1.0, 1.25, 1.5, 2.0, 3.0):
        scaled = {box: (x * scale, y * scale) for box, (x, y) in near.items()}
        placed, moved = _apart(scaled, cell)
        if not moved:
            return placed
    return placed if moved <= len(points) / 5 else None


def _closer(values: Sequence[float], most: float) -> list[float]:
    """The values from 0 on, in their order, with no gap greater than `most`."""
    place: dict[float, float] = {}
    last, now = 0.0, 0.0
    for value in sorted(set(values)):
        now += min(value - last, most) if place else 0.0
        place[value], last = now, value
    return [place[value] for value in values]


def _apart(points: Mapping[str, Point], cell: Cell) -> tuple[dict[str, Point], int]:
    """The same places without overlap, and how many had to move down for it."""
    columns: dict[int, list[Point]] = {}
    placed: dict[str, Point] = {}
    moved = 0
    for box, (x, y) in sorted(points.items(), key=lambda item: (item[1][1], item[1][0], item[0])):
        column = math.floor(x / cell.width)
        beside = [p for i in (-1, 0, 1) for p in columns.get(column + i, ())]
        free = y
        for other_x, other_y in sorted(beside, key=lambda p: p[1]):
            if abs(other_x - x) < cell.width and abs(other_y - free) < cell.height:
                free = other_y + cell.height
        moved += free != y
        placed[box] = (x, free)
        columns.setdefault(column, []).append((x, free))
    return {box: placed[box] for box in points}, moved
