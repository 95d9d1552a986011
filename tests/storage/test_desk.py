"""What waits for a human: tickets, requests with their clock, and dead letters."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bson
import pytest

from bot.domain import plain
from bot.domain.command import CloseTicket, OpenRequest, OpenTicket, SettleRequest
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.privacy.keyring import Keyring
from bot.runtime.ports import DeadLetter
from tests.storage.shelf import DAY, NAME, NOW, SECOND, SECRETS, TYPED, Shelf, send

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]

ID = CommandId("1" * 32)
TICKET = OpenTicket(ID, "k" * 32, "desk", "pt", urgent=True, about=TYPED, shared={"name": NAME})
REQUEST = OpenRequest(ID, "access", NOW, "open", "pt", TYPED)


async def opened(shelf: Shelf, collection: str, row: dict[str, Any]) -> dict[str, Any]:
    """The sealed part of a row."""
    key = await shelf.subjects.key(row["person"])
    assert key is not None
    place = {"collection": collection, "row": row["_id"], "field": "p", "person": row["person"]}
    return bson.decode(key.unseal(bytes(row["p"]), **place))


async def test_a_ticket_is_opened_once_with_its_words_sealed(shelf: Shelf) -> None:
    person = await shelf.somebody()
    for _ in range(2):
        await shelf.desk.open_ticket(person, TICKET, NOW)
    [row] = await shelf.rows("tickets")
    assert (row["_id"], row["person"], row["state"], row["team"], row["urgent"]) == (
        "k" * 32,
        person,
        "queued",
        "desk",
        True,
    )
    assert await opened(shelf, "tickets", row) == {"about": TYPED, "shared": {"name": NAME}}
    assert [secret for secret in SECRETS if secret in repr(row)] == []


async def test_a_ticket_is_closed_by_its_person_and_once(shelf: Shelf) -> None:
    person, other = await shelf.somebody(), await shelf.somebody(Address(phone=PhoneNumber("+447700900123")))
    await shelf.desk.open_ticket(person, TICKET, NOW)
    await shelf.desk.close_ticket(other, CloseTicket(ID, "k" * 32, "left"), NOW)
    assert (await shelf.rows("tickets"))[0]["state"] == "queued"
    await shelf.desk.close_ticket(person, CloseTicket(ID, "k" * 32, "resolved"), NOW + SECOND)
    await shelf.desk.close_ticket(person, CloseTicket(ID, "k" * 32, "left"), NOW + DAY)
    [row] = await shelf.rows("tickets")
    assert (row["state"], row["outcome"], row["closed_at"]) == ("closed", "resolved", NOW + SECOND)
    assert row["expires"] == NOW + SECOND + timedelta(days=30)


async def test_opening_a_closed_ticket_again_does_not_open_it(shelf: Shelf) -> None:
    """A command that is carried out twice, the second time late, brings nothing back."""
    person = await shelf.somebody()
    await shelf.desk.open_ticket(person, TICKET, NOW)
    await shelf.desk.close_ticket(person, CloseTicket(ID, "k" * 32, "resolved"), NOW)
    await shelf.desk.open_ticket(person, TICKET, NOW)
    assert (await shelf.rows("tickets"))[0]["state"] == "closed"


@pytest.mark.parametrize(
    ("status", "state", "closed"),
    [
        pytest.param("open", "received", None, id="waits for an answer"),
        pytest.param("unsure", "unsure", None, id="waits for a human to say what was meant"),
        pytest.param("done", "answered", NOW + DAY, id="was answered at once"),
    ],
)
async def test_a_request_has_its_clock(shelf: Shelf, status: str, state: str, closed: object) -> None:
    """It runs from the message, not from when it was written down (GDPR art. 12(3); EDPB 01/2022)."""
    person = await shelf.somebody()
    for _ in range(2):
        await shelf.desk.open_request(person, OpenRequest(ID, "access", NOW, status, "pt", TYPED), NOW + DAY)
    [row] = await shelf.rows("requests")
    assert (row["state"], row["received_at"], row.get("closed_at"), row["law"]) == (state, NOW, closed, "gdpr")
    assert NOW + timedelta(days=28) < row["due_at"] < NOW + timedelta(days=35)
    assert await opened(shelf, "requests", row) == {"words": TYPED}
    subject = await shelf.subjects.find(person)
    assert subject is not None
    assert row["subject_ref"] == subject.ref


async def test_a_second_wish_of_a_kind_joins_the_first(shelf: Shelf) -> None:
    """One request with both words and the earlier clock, however often it is repeated (privacy.md T15)."""
    person = await shelf.somebody()
    first = OpenRequest(ID, "rectify", NOW, "open", "pt", "my street")
    second = OpenRequest(CommandId("2" * 32), "rectify", NOW + DAY, "open", "pt", "and my name")
    for one in (first, second, second, first):
        await shelf.desk.open_request(person, one, NOW)
    [row] = await shelf.rows("requests")
    assert (row["_id"], row["received_at"]) == (ID, NOW)
    assert await opened(shelf, "requests", row) == {"words": "my street\nand my name"}


async def test_a_wish_that_turns_out_to_be_older_moves_the_clock_back(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.desk.open_request(person, OpenRequest(ID, "erase", NOW, "open", "pt", ""), NOW)
    [before] = await shelf.rows("requests")
    older = OpenRequest(CommandId("2" * 32), "erase", NOW - 5 * DAY, "open", "pt", "")
    await shelf.desk.open_request(person, older, NOW)
    [row] = await shelf.rows("requests")
    assert row["received_at"] == NOW - 5 * DAY
    assert row["due_at"] < before["due_at"]


@pytest.mark.parametrize(("outcome", "state"), [("answered", "answered"), ("cancelled", "cancelled")])
async def test_settling_closes_what_is_open_of_the_kind(shelf: Shelf, outcome: str, state: str) -> None:
    person = await shelf.somebody()
    await shelf.desk.open_request(person, REQUEST, NOW)
    await shelf.desk.open_request(person, OpenRequest(CommandId("2" * 32), "erase", NOW, "open", "pt", ""), NOW)
    for _ in range(2):
        await shelf.desk.settle_request(person, SettleRequest(CommandId("3" * 32), "access", outcome), NOW + DAY)
    rows = {row["kind"]: row for row in await shelf.rows("requests")}
    assert (rows["access"]["state"], rows["access"]["closed_at"]) == (state, NOW + DAY)
    assert "closed_at" not in rows["erase"]


async def test_a_wish_after_one_was_closed_is_a_new_one(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.desk.open_request(person, REQUEST, NOW)
    await shelf.desk.settle_request(person, SettleRequest(CommandId("3" * 32), "access", "answered"), NOW)
    await shelf.desk.open_request(person, OpenRequest(CommandId("2" * 32), "access", NOW + DAY, "open", "pt", ""), NOW)
    assert [row["state"] for row in await shelf.rows("requests")] == ["answered", "received"]


async def test_a_request_is_kept_without_the_key(shelf: Shelf, process: Process, other_keyring: Keyring) -> None:
    """The clock runs whether or not the words can be sealed; unsealed they are never written."""
    person = await shelf.somebody()
    await process(other_keyring).desk.open_request(person, REQUEST, NOW)
    [row] = await shelf.rows("requests")
    assert (row["person"], row["kind"], row["state"]) == (person, "access", "received")
    assert "p" not in row
    assert TYPED not in repr(row)


async def test_a_dead_letter_keeps_what_failed_for_seven_days(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.desk.put(DeadLetter(person, "command", "Send", "meta_131000", send(person)), NOW)
    [row] = await shelf.rows("dead_letters")
    assert (row["kind"], row["name"], row["reason"]) == ("command", "Send", "meta_131000")
    assert row["expires"] == NOW + timedelta(days=7)
    assert plain.decode((await opened(shelf, "dead_letters", row))["content"]) == send(person)
    assert [secret for secret in SECRETS if secret in repr(row)] == []


async def test_a_dead_letter_of_somebody_without_a_key_has_no_content(shelf: Shelf) -> None:
    gone = PersonId("f" * 32)
    await shelf.desk.put(DeadLetter(gone, "command", "Send", "unreadable", send(gone)), NOW)
    [row] = await shelf.rows("dead_letters")
    assert "p" not in row
    assert TYPED not in repr(row)
