"""The register: what is open comes first, each step moves the clock as its law says, and no step is taken twice."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.command import OpenRequest
from bot.domain.errors import IllegalMove
from bot.domain.ids import Address, CommandId, PhoneNumber
from bot.observability.metrics import Registry
from bot.runtime.deadlines import Deadlines, Standing
from bot.storage.register import MongoRegister
from tests.storage.shelf import DAY, NOW, TYPED, Shelf

pytestmark = pytest.mark.mongo

BRITON = Address(phone=PhoneNumber("+447700900123"))


async def opened(shelf: Shelf, kind: str = "access", *, status: str = "open", name: str = "1") -> MongoRegister:
    person = await shelf.somebody(BRITON)
    await shelf.desk.open_request(person, OpenRequest(CommandId(name * 32), kind, NOW, status, "en", TYPED), NOW)
    return MongoRegister(shelf.mongo, shelf.subjects, zone=ZoneInfo("Europe/Lisbon"))


async def test_words_are_shown_only_where_asked_for(shelf: Shelf) -> None:
    register = await opened(shelf)
    [listed] = await register.all()
    assert listed.words is None
    assert TYPED not in repr(listed)
    shown = await register.find("1" * 32, words=True)
    assert shown is not None
    assert shown.words == TYPED
    assert TYPED not in repr(shown)


async def test_an_extension_after_the_term_is_none(shelf: Shelf) -> None:
    """GDPR art. 12(3): the person is told within the first month."""
    register = await opened(shelf)
    with pytest.raises(ValueError, match="first term is over"):
        await register.move("1" * 32, "extend", NOW + 40 * DAY, because="two systems")
    [row] = await shelf.rows("requests")
    assert row["state"] == "received"


async def test_what_stands_still_is_listed_last(shelf: Shelf) -> None:
    register = await opened(shelf)
    person = await shelf.somebody(BRITON)
    await shelf.desk.open_request(person, OpenRequest(CommandId("2" * 32), "erase", NOW + DAY, "open", "en", ""), NOW)
    await shelf.mongo.collection("requests").update_one({"_id": "1" * 32}, {"$set": {"due_at": None}})
    assert [one.id for one in await register.all()] == ["2" * 32, "1" * 32]


async def test_what_stands_open_is_counted_by_its_clock(shelf: Shelf) -> None:
    register = await opened(shelf)
    person = await shelf.somebody(BRITON)
    await shelf.desk.open_request(
        person, OpenRequest(CommandId("2" * 32), "erase", NOW - 27 * DAY, "open", "en", ""), NOW
    )
    await shelf.desk.open_request(
        person, OpenRequest(CommandId("3" * 32), "object", NOW - 50 * DAY, "open", "en", ""), NOW
    )
    await shelf.desk.open_request(
        person, OpenRequest(CommandId("4" * 32), "rectify", NOW - 90 * DAY, "done", "en", ""), NOW
    )
    registry = Registry()
    assert await Deadlines(register, shelf.clock, registry).once() == Standing(open=3, overdue=1, soon=1)
    assert "recado_requests_overdue 1" in registry.text()


async def test_while_waiting_it_can_be_refused(shelf: Shelf) -> None:
    register = await opened(shelf)
    await register.move("1" * 32, "wait", NOW + DAY)
    refused = await register.move("1" * 32, "refuse", NOW + 2 * DAY, because="nobody could be identified")
    assert refused is not None
    assert refused.state == "refused"


async def test_an_extension_adds_two_months_and_says_why(shelf: Shelf) -> None:
    register = await opened(shelf)
    [before] = await register.all()
    after = await register.move(before.id, "extend", NOW + DAY, because="two systems")
    assert after is not None
    assert before.due_at is not None
    assert after.due_at is not None
    assert timedelta(days=55) < after.due_at - before.due_at < timedelta(days=68)
    assert (after.state, after.because) == ("extended", "two systems")


async def test_a_wait_stands_still_only_where_the_law_lets_it(shelf: Shelf) -> None:
    """The register opens under the shortest law of person and business; a British business lets the clock stand for a Briton."""
    register = await opened(shelf)
    [one] = await register.all()
    waiting = await register.move(one.id, "wait", NOW + DAY)
    assert waiting is not None
    assert (waiting.due_at is None) == (one.law == "uk")
    gone_on = await register.move(one.id, "go_on", NOW + 4 * DAY)
    assert gone_on is not None
    assert one.due_at is not None
    assert gone_on.due_at is not None
    assert gone_on.due_at >= one.due_at
    assert [(pause.since, pause.until) for pause in gone_on.pauses] == [(NOW + DAY, NOW + 4 * DAY)]


@pytest.mark.parametrize(
    ("status", "steps", "state"),
    [
        pytest.param("unsure", ["understand", "answer"], "answered", id="unsure, understood, answered"),
        pytest.param("unsure", ["dismiss"], "cancelled", id="unsure, dismissed"),
        pytest.param("open", ["refuse"], "refused", id="refused"),
        pytest.param("open", ["extend", "wait", "go_on", "answer"], "answered", id="the long way"),
    ],
)
async def test_a_request_goes_its_way_and_is_closed_once(
    shelf: Shelf, status: str, steps: list[str], state: str
) -> None:
    register = await opened(shelf, status=status)
    for step in steps:
        await register.move("1" * 32, step, NOW + DAY, because="because")
    found = await register.find("1" * 32)
    assert found is not None
    assert (found.state, found.closed_at) == (state, NOW + DAY)
    assert await register.all() == []
    assert len(await register.all(closed=True)) == 1
    with pytest.raises(IllegalMove):
        await register.move("1" * 32, "answer", NOW + 2 * DAY)


async def test_two_who_close_it_at_once_close_it_once(shelf: Shelf) -> None:
    register = await opened(shelf)
    done = await asyncio.gather(*(register.move("1" * 32, "answer", NOW) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, IllegalMove) for one in done) == 3


async def test_what_is_overdue_is_told(shelf: Shelf) -> None:
    register = await opened(shelf)
    [one] = await register.all()
    assert not one.overdue(NOW + 27 * DAY)
    assert one.overdue(NOW + 60 * DAY)


async def test_an_unknown_request_is_none(shelf: Shelf) -> None:
    register = await opened(shelf)
    assert await register.find("9" * 32) is None
    assert await register.move("9" * 32, "answer", NOW) is None
