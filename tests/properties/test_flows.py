"""Whatever people do in whatever flow: it never breaks, it comes to an end, and it is the same when played again (issue 3).

`tests.engine.phone.Phone` writes every conversation out and reads it back before each turn, and plays each turn twice.
"""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.domain import plain
from bot.engine.book import Book
from bot.engine.diagram import mermaid, svg
from tests.properties.wild import BOOK, MOST_TURNS, Anybody, among, drawn

SEEDS = st.integers(0, 2**32)
VALUES = {
    "text": "some",
    "reference": "newsletter",
    "date": "2026-12-24",
    "choice": "red",
    "yes_no": True,
    "whole_number": 3,
}

long = pytest.mark.long


def came_through(anybody: Anybody, how: str) -> None:
    """Plays on in one manner until no flow is open; fails where that takes too long."""
    for _ in range(MOST_TURNS):
        if anybody.through:
            return
        getattr(anybody, how)()
    open_ = [(frame.flow, frame.step, frame.waiting) for frame in anybody.phone.conversation.frames]
    raise AssertionError(f"still open after {MOST_TURNS} turns: {open_}")


def anything_in(anybody: Anybody, turns: int) -> None:
    for _ in range(turns):
        anybody.does_anything()


def in_a_shipped_flow(seed: int, turns: int) -> None:
    names = sorted(BOOK.flows)
    flow = BOOK.flows[names[seed % len(names)]]
    anybody = Anybody(BOOK, seed)
    anybody.begins(flow.id, {name: VALUES.get(one.type, "some") for name, one in flow.flow.inputs.items()})
    anything_in(anybody, turns)
    came_through(anybody, "stays_silent")


def valid(seed: int) -> Book:
    """A random book. Only a field whose one question nobody can reach makes it invalid; such a draw is not counted."""
    loaded = drawn(seed)
    assert {one.code for one in loaded.errors} <= {"read-early"}, "\n".join(map(str, loaded.errors))
    assume(loaded.book is not None)
    assert loaded.book is not None
    return loaded.book


def in_a_random_flow(seed: int, turns: int, how: str) -> None:
    made = valid(seed)
    flow = made.flows["wild"]
    assert ET.fromstring(svg(flow)).tag.endswith("svg")  # noqa: S314 - made a moment ago by ourselves
    assert mermaid(flow).count("\n") > len(flow.nodes)
    anybody = Anybody(among(made), seed)
    anybody.begins("wild", {})
    anything_in(anybody, turns)
    came_through(anybody, how)


def story(seed: int) -> list[object]:
    """Every command of a random talk, as storage would hold it."""
    made = valid(seed)
    anybody = Anybody(among(made), seed)
    anybody.begins("wild", {})
    anything_in(anybody, 8)
    return [plain.split(one) for one in anybody.phone.commands]


@given(SEEDS)
@settings(max_examples=50)
def test_whatever_people_do_in_a_shipped_flow_it_ends(seed: int) -> None:
    in_a_shipped_flow(seed, 8)


@given(SEEDS)
@settings(max_examples=24)
def test_whatever_people_do_in_a_random_flow_it_ends(seed: int) -> None:
    in_a_random_flow(seed, 8, "stays_silent")


@given(SEEDS)
@settings(max_examples=24)
def test_a_random_flow_can_be_finished(seed: int) -> None:
    in_a_random_flow(seed, 0, "answers")


@given(SEEDS)
@settings(max_examples=10)
def test_a_whole_talk_played_again_is_the_same_talk(seed: int) -> None:
    assert story(seed) == story(seed)


@long
@given(SEEDS)
@settings(max_examples=1500)
def test_whatever_people_do_for_long_in_any_flow_it_ends(seed: int) -> None:
    in_a_shipped_flow(seed, 40)
    in_a_random_flow(seed, 40, "stays_silent")
    in_a_random_flow(seed, 3, "answers")
