"""Website requests over the wire: under their own key, at most three a number, ended with everything in them."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.ids import Address, Bsuid, PhoneNumber
from bot.privacy.policy import Limit
from bot.runtime.ports import OptInWork
from tests.storage.shelf import (
    ADDRESS,
    DAY,
    NOW,
    NUMBER,
    SECOND,
    SECRETS,
    SHOWN,
    Shelf,
    Ticking,
    event,
    lease,
    opt_in,
    signed_up,
)

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
PHONE = PhoneNumber(NUMBER)
OTHER = Address(PhoneNumber("+447700900123"))
BRAZIL = (PhoneNumber("+5511987654321"), PhoneNumber("+551187654321"))


async def row(shelf: Shelf, number: int = 1) -> dict[str, object]:
    found = {one["_id"]: one for one in await shelf.rows("opt_in_requests")}
    return found[opt_in(number).id]


async def taken(shelf: Shelf, token: str = "a" * 32) -> list[OptInWork]:
    now = shelf.clock.now()
    return list(await shelf.opt_ins.take(lease(token, until=now + 30 * SECOND), now))


async def claimed(shelf: Shelf, work: OptInWork, token: str = "a" * 32) -> bool:
    return await shelf.opt_ins.claim(work, token, 3, "confirm/pt", SHOWN, shelf.clock.now())


async def test_what_is_asked_is_what_is_taken(shelf: Shelf, process: Process) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    (work,) = await taken(process())
    assert (work.request, work.number, work.tries, work.begun) == (opt_in(), PHONE, 0, False)


async def test_nobody_is_made_known_and_nothing_stands_in_clear(shelf: Shelf) -> None:
    await signed_up(shelf)
    assert await shelf.rows("subjects") == await shelf.rows("identities") == []
    async for name, document in shelf.mongo.scan():
        assert [secret for secret in (*SECRETS, "192.0.2.7") if secret in repr(document)] == [], name


async def test_the_same_form_sent_many_times_is_one_request(shelf: Shelf, process: Process) -> None:
    shelves = [shelf, process()]
    await asyncio.gather(*(shelves[n % 2].opt_ins.ask(opt_in(), PHONE, NOW) for n in range(8)))
    assert len(await shelf.rows("opt_in_requests")) == 1


async def test_only_one_of_many_processes_gets_a_request(shelf: Shelf, process: Process) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    shelves = [shelf, process(), process()]
    found = await asyncio.gather(
        *(taken(one, token) for one, token in zip(shelves, ("a" * 32, "b" * 32, "c" * 32), strict=True))
    )
    assert sorted(len(one) for one in found) == [0, 0, 1]


async def test_what_a_crashed_process_held_comes_back_after_its_lease(shelf: Shelf, clock: Ticking) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    (work,) = await taken(shelf)
    assert await claimed(shelf, work)
    assert await taken(shelf, "b" * 32) == []
    clock.time += 31 * SECOND
    (again,) = await taken(shelf, "b" * 32)
    assert again.begun


async def test_at_most_three_messages_whoever_races(shelf: Shelf, process: Process) -> None:
    """Ten requests of both spellings of a number, for ten purposes, claimed at once from two processes."""
    other = process()
    for number in range(10):
        await shelf.opt_ins.ask(opt_in(number, purpose=f"purpose{number}"), BRAZIL[number % 2], NOW)
    works = await taken(shelf)
    assert len(works) == 10
    won = await asyncio.gather(*(claimed((shelf, other)[n % 2], work) for n, work in enumerate(works)))
    assert sum(won) == 3
    assert await shelf.opt_ins.count(BRAZIL[0], NOW - DAY) == await shelf.opt_ins.count(BRAZIL[1], NOW - DAY) == 3
    assert await shelf.opt_ins.count(PHONE, NOW - DAY) == 0


async def test_one_request_for_a_purpose_waits_at_a_time(shelf: Shelf, clock: Ticking) -> None:
    await signed_up(shelf)
    await signed_up(shelf, request=opt_in(2))
    assert (await row(shelf, 2))["state"] == "asked"
    clock.time += 2 * DAY + SECOND
    await signed_up(shelf, request=opt_in(3, asked_at=clock.time, expires=clock.time + 2 * DAY))
    assert [(await row(shelf, n))["state"] for n in (1, 3)] == ["expired", "sent"]


@pytest.mark.parametrize("how", ["answered", "stopped", "expired"])
async def test_its_end_takes_key_number_and_words(shelf: Shelf, clock: Ticking, how: str) -> None:
    request = await signed_up(shelf)
    if how == "stopped":
        await shelf.opt_ins.end_all(ADDRESS, "stopped")
    elif how == "expired":
        clock.time += 2 * DAY
        assert await shelf.opt_ins.expire(clock.time) == 1
    else:
        await shelf.opt_ins.end(request.id, "answered")
    left = await row(shelf)
    assert left["state"] == how
    assert set(left) & {"p", "key", "kid", "open", "lease", "w"} == set()
    assert await shelf.opt_ins.waiting(ADDRESS, NOW, request=request.id) is None
    assert await shelf.opt_ins.count(PHONE, NOW - DAY) == 1
    await shelf.opt_ins.end(request.id, "again")
    assert (await row(shelf))["state"] == how


async def test_nothing_is_claimed_after_a_stop(shelf: Shelf) -> None:
    """The stop ends it before it is committed itself; the claim then finds nothing (decisions.md 13)."""
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    (work,) = await taken(shelf)
    await shelf.opt_ins.end_all(ADDRESS, "stopped")
    assert not await claimed(shelf, work)


async def test_a_message_that_never_went_out_does_not_count(shelf: Shelf) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    (work,) = await taken(shelf)
    assert await claimed(shelf, work)
    await shelf.opt_ins.end(work.request.id, "undeliverable", unsent=True)
    assert await shelf.opt_ins.count(PHONE, NOW - DAY) == 0


async def test_what_is_put_off_comes_back_when_it_is_due(shelf: Shelf, clock: Ticking) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    (work,) = await taken(shelf)
    assert await claimed(shelf, work)
    await shelf.opt_ins.put_off(work.request.id, "a" * 32, 1, NOW + 60 * SECOND)
    assert await taken(shelf) == []
    clock.time += 61 * SECOND
    (again,) = await taken(shelf)
    assert (again.tries, again.begun) == (1, False)
    assert await claimed(shelf, again)


BSUID_ONLY = Address(bsuid=Bsuid("GB.99110022003300440055"))


@pytest.mark.parametrize(
    ("sender", "names", "found"),
    [
        pytest.param(ADDRESS, {"request": opt_in().id}, True, id="the button, from its number"),
        pytest.param(ADDRESS, {"reply": event(7)}, True, id="a quoted answer, from its number"),
        pytest.param(ADDRESS, {}, True, id="a plain answer, from its number"),
        pytest.param(OTHER, {"request": opt_in().id}, False, id="the button, from another number"),
        pytest.param(OTHER, {"reply": event(7)}, False, id="a quoted answer, from another number"),
        pytest.param(OTHER, {}, False, id="a plain answer, from another number"),
        pytest.param(BSUID_ONLY, {"request": opt_in().id, "reply": event(7)}, True, id="its own message's button, number hidden"),
        pytest.param(BSUID_ONLY, {"request": opt_in().id, "reply": event(8)}, False, id="another message's button, number hidden"),
        pytest.param(BSUID_ONLY, {"request": opt_in().id}, False, id="a button of no message, number hidden"),
        pytest.param(BSUID_ONLY, {}, False, id="a plain answer, number hidden"),
        pytest.param(ADDRESS, {"request": "0" * 32}, False, id="an unknown request"),
    ],
)  # fmt: skip
async def test_who_may_answer(shelf: Shelf, sender: Address, names: dict[str, object], found: bool) -> None:
    await signed_up(shelf)
    request = await shelf.opt_ins.waiting(sender, NOW + SECOND, **names)  # type: ignore[arg-type]
    assert (request is not None) is found
    if request is not None:
        assert (request.template, request.confirmation, request.wording) == ("confirm/pt", SHOWN, SHOWN)


async def test_both_spellings_of_a_number_are_one_sender(shelf: Shelf) -> None:
    await signed_up(shelf, Address(BRAZIL[0]))
    assert await shelf.opt_ins.waiting(Address(BRAZIL[1]), NOW + SECOND) is not None


async def test_a_plain_answer_to_two_requests_answers_neither(shelf: Shelf) -> None:
    await signed_up(shelf)
    await signed_up(shelf, request=opt_in(2, purpose="tips"))
    assert await shelf.opt_ins.waiting(ADDRESS, NOW + SECOND) is None
    assert await shelf.opt_ins.waiting(ADDRESS, NOW + SECOND, request=opt_in(2).id) is not None


async def test_a_request_that_is_over_cannot_be_answered_even_before_the_sweep(shelf: Shelf) -> None:
    request = await signed_up(shelf)
    assert await shelf.opt_ins.waiting(ADDRESS, request.expires - SECOND, request=request.id) is not None
    assert await shelf.opt_ins.waiting(ADDRESS, request.expires, request=request.id) is None


async def test_a_row_sealed_elsewhere_is_ended_not_retried(shelf: Shelf) -> None:
    await shelf.opt_ins.ask(opt_in(), PHONE, NOW)
    damaged = {"$set": {"p": b"\x01" + bytes(60)}}
    await shelf.mongo.collection("opt_in_requests").update_one({"_id": opt_in().id}, damaged)
    assert await taken(shelf) == []
    assert (await row(shelf))["state"] == "unreadable"


# -- pace -----------------------------------------------------------------------------------------------------------------


async def test_a_client_is_counted_in_its_own_stretch_of_time(shelf: Shelf, process: Process) -> None:
    limit, other = Limit(3, timedelta(minutes=10)), process()
    found = await asyncio.gather(
        *((shelf, other)[n % 2].pace.within("client", "192.0.2.7", limit, NOW) for n in range(6))
    )
    assert sum(found) == 3
    assert await shelf.pace.within("client", "192.0.2.8", limit, NOW)
    assert await shelf.pace.within("client", "192.0.2.7", limit, NOW + timedelta(minutes=10))


async def test_an_address_is_kept_as_a_keyed_hash_for_minutes(shelf: Shelf) -> None:
    await shelf.pace.within("client", "192.0.2.7", Limit(3, timedelta(minutes=10)), NOW)
    (counted,) = await shelf.rows("pace")
    assert "192.0.2" not in repr(counted)
    assert counted["expires"] - NOW <= timedelta(minutes=10)
