"""Which agent a chat fits: language, skills, load, team and whether they are there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import PersonId
from bot.handoff.roles import Staff
from bot.handoff.routing import Present, best, can_take, fits, in_order
from bot.handoff.ticket import Ticket

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
TICKET = Ticket("t", PersonId("a" * 32), "orders", "queued", "pt", flow="order_status", opened_at=NOW)
MARIA = Staff("maria", "Maria", "agent", ("orders",), ("pt",), ("order_status",))
BRUNO = Staff("bruno", "Bruno", "agent", ("orders",))


@pytest.mark.parametrize(
    ("changes", "load"),
    [
        pytest.param({"teams": ("front_desk",)}, 0, id="another team"),
        pytest.param({"away": True}, 0, id="away"),
        pytest.param({"disabled": True}, 0, id="disabled"),
        pytest.param({"role": "auditor"}, 0, id="a role without chats"),
        pytest.param({"most": 3}, 3, id="no hand free"),
    ],
)
def test_who_cannot_take_a_chat(changes: dict[str, object], load: int) -> None:
    assert not can_take(Present(replace(MARIA, **changes), load), TICKET)  # type: ignore[arg-type]
    assert best(TICKET, [Present(replace(MARIA, **changes), load)]) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("people", "wins"),
    [
        pytest.param([(replace(MARIA, languages=("de",)), 0), (BRUNO, 4)], "bruno", id="language before load"),
        pytest.param([(MARIA, 3), (BRUNO, 0)], "maria", id="skill before load"),
        pytest.param([(replace(MARIA, skills=()), 3), (BRUNO, 1)], "bruno", id="then the less busy"),
        pytest.param([(replace(MARIA, skills=()), 1), (BRUNO, 1)], "bruno", id="else always the same"),
    ],
)
def test_who_gets_it(people: list[tuple[Staff, int]], wins: str) -> None:
    present = [Present(*one) for one in people]
    for order in (present, present[::-1]):
        found = best(TICKET, order)
        assert found is not None
        assert found.id == wins


def test_the_queue_begins_with_what_is_urgent_then_what_fits_then_who_waits_longest() -> None:
    late = replace(TICKET, id="left", outcome="nobody", opened_at=NOW - timedelta(days=1))
    urgent = replace(TICKET, id="urgent", urgent=True, language="fi", opened_at=NOW)
    foreign = replace(TICKET, id="foreign", language="fi", opened_at=NOW - timedelta(hours=1))
    mine = replace(TICKET, id="mine", opened_at=NOW - timedelta(minutes=1))
    older = replace(TICKET, id="older", opened_at=NOW - timedelta(minutes=9))
    assert [one.id for one in in_order([late, foreign, mine, older, urgent], MARIA)] == [
        "urgent", "older", "mine", "foreign", "left",
    ]  # fmt: skip
    assert fits(MARIA, mine)
    assert not fits(MARIA, foreign)


@given(st.lists(st.tuples(st.sampled_from(["pt", "en", "fi"]), st.booleans(), st.integers(0, 99)), max_size=12))
def test_the_queue_loses_and_invents_nothing(rows: list[tuple[str, bool, int]]) -> None:
    tickets = [
        replace(TICKET, id=str(n), language=language, urgent=urgent, opened_at=NOW + timedelta(minutes=after))
        for n, (language, urgent, after) in enumerate(rows)
    ]
    assert sorted(one.id for one in in_order(tickets, BRUNO)) == sorted(one.id for one in tickets)
