"""What a topic remembers, and what it says honestly that it does not."""

import asyncio
from datetime import UTC, datetime

from app.domain.events import Event
from app.realtime.topics import Topic

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def event(seq: int, key: str | None = None) -> Event:
    return Event("s", seq, "E", {}, None, NOW, key)


def topic(*seqs: int, most: int = 3, most_bytes: int = 1000, size: int = 1) -> Topic:
    made = Topic(most=most, most_bytes=most_bytes)
    for seq in seqs:
        made.push(event(seq), size)
    return made


def held(made: Topic, seqs: range) -> list[int]:
    """The events that it can give, each found behind the one before it."""
    found = [made.after(seq - 1) for seq in seqs]
    return [each.seq for each in found if each is not None]


def test_the_event_behind_a_number_is_found() -> None:
    assert held(topic(4, 5, 6), range(1, 9)) == [4, 5, 6]


def test_an_empty_topic_knows_nothing() -> None:
    made = topic()
    assert made.after(0) is None
    assert not made.reached(0)
    assert not made.outran(0)


def test_it_knows_who_has_everything() -> None:
    made = topic(4, 5)
    assert not made.reached(4)
    assert made.reached(5)
    assert made.reached(6), "a reader of the collection may be ahead of it"


def test_more_than_the_most_makes_room_and_is_said() -> None:
    made = topic(1, 2, 3, 4, 5)
    assert held(made, range(1, 6)) == [3, 4, 5]
    assert made.outran(1)
    assert not made.outran(2), "3 is still held"


def test_size_makes_room_too() -> None:
    made = topic(1, 2, 3, most=100, most_bytes=10, size=4)
    assert held(made, range(1, 4)) == [2, 3]
    made.push(event(4), 11)
    assert held(made, range(1, 5)) == [], "one that is larger than the room is not kept either"
    assert made.outran(3)


def test_a_number_that_does_not_follow_starts_afresh() -> None:
    made = topic(1, 2, 7)
    assert held(made, range(1, 9)) == [7]
    assert not made.outran(2), "what is missing was never here"


def test_what_comes_again_is_not_taken_again() -> None:
    made = topic(1, 2, 2, 1)
    assert held(made, range(1, 4)) == [1, 2]


def test_a_newer_state_makes_an_older_one_worthless() -> None:
    made = Topic(most=3, most_bytes=1000)
    old, other, new = event(1, "a"), event(2, "b"), event(3, "a")
    for each in (old, other, new):
        made.push(each, 1)
    assert [made.superseded(each) for each in (old, other, new)] == [True, False, False]
    assert not made.superseded(event(1)), "an event without a key stands for itself"
    for seq in (4, 5, 6):
        made.push(event(seq), 1)
    assert not made.superseded(old), "what is not held any more makes nothing worthless"


def test_bells_ring_while_they_listen() -> None:
    made = topic()
    bell = asyncio.Event()
    with made.listening(bell):
        assert made.listeners == 1
        made.push(event(1), 1)
        assert bell.is_set()
        bell.clear()
        made.forget()
        assert bell.is_set()
    bell.clear()
    made.push(event(1), 1)
    assert not bell.is_set()
    assert made.listeners == 0
