"""Tickets as rows: one owner however many reach for them, lines sealed, events numbered without a gap."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.command import CloseTicket, OpenTicket, ReturnTicket, Transcribe, Unsay
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.handoff.ticket import MACHINE, Ticket, from_states
from bot.storage.console_events import MongoConsoleEvents
from bot.storage.tickets import MongoTickets
from tests.storage.shelf import NAME, NOW, SECOND, SECRETS, TYPED, Shelf

pytestmark = pytest.mark.mongo

TICKET = OpenTicket(CommandId("1" * 32), "k" * 32, "desk", "pt", about="Lamp", shared={"name": NAME})


def line(number: int, direction: str, words: str = TYPED, **more: Any) -> Transcribe:
    at = NOW + SECOND * number
    return Transcribe(CommandId(f"{number:032x}"), TICKET.ticket, direction, at, words=words, **more)


async def opened(shelf: Shelf) -> tuple[MongoTickets, PersonId]:
    tickets = MongoTickets(shelf.mongo, shelf.subjects)
    person = await shelf.somebody()
    await tickets.open(person, TICKET, NOW)
    return tickets, person


async def found(tickets: MongoTickets) -> Ticket:
    ticket = await tickets.find(TICKET.ticket)
    assert ticket is not None
    return ticket


async def test_of_many_who_reach_for_a_chat_one_gets_it(shelf: Shelf) -> None:
    tickets, _ = await opened(shelf)
    tried = await asyncio.gather(*(tickets.claim(TICKET.ticket, f"agent{n}", NOW) for n in range(12)))
    won = [one.owner for one in tried if one is not None]
    assert len(won) == 1
    assert (await found(tickets)).owner == won[0]


@pytest.mark.parametrize("trigger", sorted({name for name, _, _ in MACHINE.moves}))
@pytest.mark.parametrize("state", MACHINE.states)
async def test_the_rows_move_as_the_machine_does(shelf: Shelf, state: str, trigger: str) -> None:
    tickets, _ = await opened(shelf)
    await shelf.mongo.collection("tickets").update_one({"_id": TICKET.ticket}, {"$set": {"state": state}})
    moved = await tickets.move(TICKET.ticket, trigger, NOW)
    if state in from_states(trigger):
        assert moved is not None
        assert moved.state == MACHINE.apply(state, trigger)
    else:
        assert moved is None
        assert (await found(tickets)).state == state


async def test_only_its_owner_moves_an_owned_chat(shelf: Shelf) -> None:
    tickets, _ = await opened(shelf)
    await tickets.claim(TICKET.ticket, "maria", NOW)
    assert await tickets.move(TICKET.ticket, "give_back", NOW, owner="bruno") is None
    assert await tickets.move(TICKET.ticket, "give_back", NOW, owner="maria") is not None


async def test_the_place_counts_who_waits_before_and_urgent_ones_go_first(shelf: Shelf) -> None:
    tickets, person = await opened(shelf)
    second = replace(TICKET, ticket="l" * 32)
    urgent = replace(TICKET, ticket="m" * 32, urgent=True)
    elsewhere = replace(TICKET, ticket="n" * 32, team="orders")
    late = replace(TICKET, ticket="o" * 32, outcome="closed")
    places = [await tickets.open(person, one, NOW + SECOND) for one in (second, urgent, elsewhere, late)]
    assert places == [2, 1, 1, 0]


async def test_lines_are_sealed_and_read_in_order_once(shelf: Shelf) -> None:
    tickets, _ = await opened(shelf)
    person = (await found(tickets)).person
    for one in (line(2, "out", "Tell me", by="maria"), line(1, "in"), line(1, "in")):
        await tickets.transcribe(person, one, NOW)
    read = await tickets.lines(await found(tickets))
    assert [(one.direction, one.words) for one in read] == [("in", TYPED), ("out", "Tell me")]
    raw = repr(await shelf.rows("transcripts")) + repr(await shelf.rows("tickets"))
    assert [secret for secret in SECRETS if secret in raw] == []


async def test_a_line_of_the_person_is_unread_and_waits_until_it_is_answered(shelf: Shelf) -> None:
    tickets, person = await opened(shelf)
    await tickets.transcribe(person, line(1, "out"), NOW)
    assert (await found(tickets)).waits_since is None
    await tickets.transcribe(person, line(2, "in", "Hello"), NOW)
    await tickets.transcribe(person, line(3, "in", "Anybody?"), NOW)
    now = await found(tickets)
    assert (now.unread, now.waits_since, now.last) == (2, NOW + 2 * SECOND, "Anybody?")


async def test_a_snoozed_chat_wakes_when_the_person_writes(shelf: Shelf) -> None:
    tickets, person = await opened(shelf)
    await tickets.claim(TICKET.ticket, "maria", NOW)
    await tickets.move(TICKET.ticket, "snooze", NOW, {"snoozed_until": NOW + timedelta(hours=2)})
    await tickets.transcribe(person, line(1, "in"), NOW)
    assert ((await found(tickets)).state, (await found(tickets)).owner) == ("owned", "maria")


async def test_what_is_taken_back_is_gone_here_and_in_the_list(shelf: Shelf) -> None:
    tickets, person = await opened(shelf)
    await tickets.transcribe(person, line(1, "in", message="ab" * 12), NOW)
    await tickets.unsay(person, Unsay(CommandId("9" * 32), TICKET.ticket, "ab" * 12), NOW)
    [read] = await tickets.lines(await found(tickets))
    assert (read.words, read.gone, (await found(tickets)).last) == ("", True, "")


async def test_nobody_else_s_person_closes_returns_or_writes(shelf: Shelf) -> None:
    tickets, _ = await opened(shelf)
    other = await shelf.somebody(Address(phone=PhoneNumber("+447700900123")))
    await tickets.close(other, CloseTicket(CommandId("2" * 32), TICKET.ticket, "left"), NOW)
    await tickets.back_in_queue(other, ReturnTicket(CommandId("3" * 32), TICKET.ticket, "nobody"), NOW)
    await tickets.transcribe(other, line(1, "in"), NOW)
    now = await found(tickets)
    assert (now.state, now.outcome, now.unread) == ("queued", "", 0)


async def test_events_are_numbered_without_a_gap_by_many_writers(shelf: Shelf) -> None:
    writers = [MongoConsoleEvents(shelf.mongo) for _ in range(4)]
    await asyncio.gather(*(one.append("desk", "line", f"{n:032x}", NOW) for one in writers for n in range(10)))
    seen = await writers[0].after({"desk": 0})
    assert sorted(one.seq for one in seen) == list(range(1, 41))
    assert [one.seq for one in await writers[0].after({"desk": 38})] == [39, 40]


async def test_an_event_says_nothing_of_what_was_said(shelf: Shelf) -> None:
    tickets, person = await opened(shelf)
    await tickets.transcribe(person, line(1, "in"), NOW)
    raw = repr(await shelf.rows("console_events"))
    assert [secret for secret in SECRETS if secret in raw] == []
    assert person not in raw
