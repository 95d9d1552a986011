"""Conversation documents: who loses a race changes nothing, and what is sealed stays sealed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import bson
import pytest

from bot.domain.conversation import Conversation
from bot.domain.errors import Unreadable
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.domain.message import TextMessage
from bot.privacy.keyring import Keyring
from bot.runtime.ports import Stored
from bot.storage.conversations import LARGEST, SEEN_KEPT, SEEN_MOST, ConversationTooLarge
from tests.storage.shelf import (
    DAY,
    NOW,
    SECOND,
    Shelf,
    commands,
    event,
    everything,
    following,
    lease,
    send,
    turn,
)

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]


async def claimed(shelf: Shelf, stored: Stored, *, token: str = "a" * 32, standing: int = 0) -> Stored | None:
    command = stored.pending[0].id
    return await shelf.conversations.claim(stored.conversation.person, token, command, "c" * 32, standing, NOW)


# -- reading what was written ---------------------------------------------------------------------------------------------


async def test_a_conversation_comes_back_as_it_was(shelf: Shelf, process: Process) -> None:
    """Every field, clear or sealed, and every kind of command survive the database, also for another process."""
    person = await shelf.somebody()
    change = turn(None, everything(person), *commands(person), events=(event(1), event(2)), lease=lease(), due=NOW)
    written = await shelf.conversations.commit(change)
    found = await process().conversations.find(person)
    for stored in (written, found):
        assert stored is not None
        assert stored.conversation == everything(person)
        assert tuple(one.command for one in stored.pending) == commands(person)
        assert stored.seen == {event(1), event(2)}
        assert stored.lease == lease()
    assert stored.pending[0].not_before == NOW + DAY


async def test_fields_at_their_default_leave_the_document(shelf: Shelf) -> None:
    """What a turn ends is not left behind: neither clear nor sealed (GDPR art. 5(1)(e))."""
    person = await shelf.somebody()
    before = await shelf.conversations.commit(turn(None, everything(person), lease=lease(), due=NOW))
    assert before is not None
    plain = Conversation(person, version=2, created_at=NOW)
    assert await shelf.conversations.commit(turn(before, plain)) is not None
    [row] = await shelf.rows("conversations")
    assert set(row) == {"_id", "v", "g", "created_at", "touched", "sweep_at", "seen", "pending", "lease"}


async def test_nobody_has_no_conversation(shelf: Shelf) -> None:
    assert await shelf.conversations.find(PersonId("0" * 32)) is None


# -- the guarded commit ---------------------------------------------------------------------------------------------------


async def test_one_of_fifty_commits_on_one_version_wins(shelf: Shelf, process: Process) -> None:
    """The others get None and nothing of theirs is stored."""
    person = await shelf.somebody()
    before = await shelf.begun(person)
    shelves = [shelf, process(), process()]
    for one in shelves:
        assert await one.conversations.find(person) is not None

    async def one(number: int) -> Stored | None:
        after = following(before, misunderstood=number + 1)
        change = turn(before, after, send(person, 2, number), events=(event(100 + number),))
        return await shelves[number % 3].conversations.commit(change)

    results = await asyncio.gather(*(one(number) for number in range(50)))
    [winner] = [number for number, result in enumerate(results) if result is not None]
    found = await shelf.conversations.find(person)
    assert found is not None
    assert found == results[winner]
    assert found.conversation.version == 2
    assert found.conversation.misunderstood == winner + 1
    assert found.seen == {event(1), event(100 + winner)}
    assert [one.id for one in found.pending] == [send(person, 2, winner).id]


async def test_one_of_twenty_creations_wins(shelf: Shelf) -> None:
    person = await shelf.somebody()
    first = [Conversation(person, version=1, misunderstood=number) for number in range(20)]
    results = await asyncio.gather(*(shelf.conversations.commit(turn(None, one)) for one in first))
    [winner] = [result for result in results if result is not None]
    assert await shelf.conversations.find(person) == winner


async def test_a_commit_loses_when_the_lease_changed_hands(shelf: Shelf) -> None:
    """The process that carried commands out meanwhile may have sent what this turn would cancel."""
    person = await shelf.somebody()
    before = await shelf.begun(person)
    assert await shelf.conversations.commit(turn(before, following(before), due=NOW)) is not None
    stale = await shelf.conversations.find(person)
    assert stale is not None
    [taken] = await shelf.conversations.take([person], lease("b" * 32), NOW)
    assert await shelf.conversations.commit(turn(stale, following(stale))) is None
    assert await shelf.conversations.commit(turn(taken, following(taken))) is not None


async def test_a_commit_without_a_lease_leaves_the_standing_one(shelf: Shelf) -> None:
    person = await shelf.somebody()
    before = await shelf.conversations.commit(turn(None, Conversation(person, version=1), lease=lease()))
    assert before is not None
    after = await shelf.conversations.commit(turn(before, following(before)))
    assert after is not None
    assert after.lease == lease()


@pytest.mark.parametrize("version", [pytest.param(1, id="the same version"), pytest.param(0, id="an older version")])
async def test_a_commit_that_does_not_move_on_is_refused(shelf: Shelf, version: int) -> None:
    """With an equal version the guard would let two writers win."""
    person = await shelf.somebody()
    before = await shelf.begun(person)
    with pytest.raises(ValueError, match="version"):
        await shelf.conversations.commit(turn(before, replace(before.conversation, version=version)))


async def test_an_erased_person_is_not_created_again(shelf: Shelf, process: Process) -> None:
    """Also not by a process that remembers the key: it goes before the document, and is asked for in the vault itself."""
    person = await shelf.somebody()
    other = process()
    assert await other.subjects.find(person) is not None
    await shelf.subjects.destroy(person)
    assert await other.conversations.commit(turn(None, Conversation(person, version=1))) is None
    assert await shelf.rows("conversations") == []


async def test_a_deleted_document_is_not_upserted(shelf: Shelf) -> None:
    """Guarded writes to a conversation that an erasure took do nothing (decisions.md 10)."""
    person = await shelf.somebody()
    before = await shelf.conversations.commit(
        turn(None, Conversation(person, version=1), send(person), lease=lease(), due=NOW)
    )
    assert before is not None
    await shelf.mongo.collection("conversations").delete_many({})
    command = before.pending[0].id
    conversations = shelf.conversations
    assert await conversations.commit(turn(before, following(before))) is None
    assert await claimed(shelf, before) is None
    assert await conversations.settle(person, "a" * 32, command) is None
    assert await conversations.defer(person, "a" * 32, command, 1, NOW) is None
    assert not await conversations.renew(person, lease())
    assert not await conversations.release(person, "a" * 32, 1, None, [])
    assert await conversations.take([person], lease("b" * 32), NOW + DAY) == []
    assert await shelf.rows("conversations") == []


# -- what is seen ---------------------------------------------------------------------------------------------------------


async def test_ids_older_than_eight_days_leave_at_the_next_commit(shelf: Shelf) -> None:
    """WhatsApp delivers again for seven days; what is older serves nothing (GDPR art. 5(1)(e))."""
    person = await shelf.somebody()
    before = await shelf.begun(person)
    later = NOW + SEEN_KEPT
    soon = later - SECOND
    middle = await shelf.conversations.commit(turn(before, following(before), events=(event(2),), now=soon))
    assert middle is not None
    assert middle.seen == {event(1), event(2)}
    after = await shelf.conversations.commit(turn(middle, following(middle), events=(event(3),), now=later))
    assert after is not None
    assert after.seen == {event(2), event(3)}


async def test_ids_that_do_not_fit_are_still_known(shelf: Shelf, process: Process) -> None:
    """More than the document holds go to pages, and a redelivery of any of them is recognised."""
    person = await shelf.somebody()
    stored = await shelf.begun(person)
    batch = 173
    for start in range(2, 2 + 7 * batch, batch):
        events = tuple(event(number) for number in range(start, start + batch))
        after = await shelf.conversations.commit(turn(stored, following(stored), events=events))
        assert after is not None
        stored = after
    [row] = await shelf.rows("conversations")
    assert len(row["seen"]) == SEEN_MOST
    everything_seen = {event(number) for number in range(1, 2 + 7 * batch)}
    found = await process().conversations.find(person)
    assert found is not None
    assert found.seen == everything_seen
    pages = await shelf.rows("seen_pages")
    assert all(page["person"] == person and page["expires"] == NOW + SEEN_KEPT for page in pages)


async def test_a_conversation_that_would_grow_too_large_is_refused_in_whole(shelf: Shelf) -> None:
    """The limit counts what is pending already; the refused turn leaves no trace, and what is stored is below it."""
    person = await shelf.somebody()
    stored = await shelf.begun(person)
    words = TextMessage("x" * 9_000)
    for version in range(2, 2 + 54):
        after = await shelf.conversations.commit(turn(stored, following(stored), send(person, version, message=words)))
        assert after is not None
        stored = after
    last = turn(stored, following(stored), send(person, 100, message=words))
    with pytest.raises(ConversationTooLarge, match="512 KiB"):
        await shelf.conversations.commit(last)
    assert await shelf.conversations.find(person) == stored
    [row] = await shelf.rows("conversations")
    assert 0.9 * LARGEST < len(bson.encode(row)) <= LARGEST


async def test_a_first_turn_that_is_too_large_is_refused(shelf: Shelf) -> None:
    person = await shelf.somebody()
    huge = Conversation(person, version=1, slots=({"words": "x" * LARGEST},))
    with pytest.raises(ConversationTooLarge):
        await shelf.conversations.commit(turn(None, huge))
    assert await shelf.rows("conversations") == []


# -- what cannot be read --------------------------------------------------------------------------------------------------


async def test_an_unreadable_part_leaves_the_clear_fields(shelf: Shelf) -> None:
    """A changed bit makes the conversation unreadable, never lost (decisions.md 3)."""
    person = await shelf.somebody()
    await shelf.conversations.commit(turn(None, everything(person), *commands(person)))
    [row] = await shelf.rows("conversations")
    broken = row["p"][:-1] + bytes([row["p"][-1] ^ 1])
    await shelf.mongo.collection("conversations").update_one({"_id": person}, {"$set": {"p": broken}})
    found = await shelf.conversations.find(person)
    assert found is not None
    assert not found.conversation.readable
    assert found.conversation == replace(everything(person), slots=(), held=None, readable=False)
    assert found.pending[0].command == commands(person)[0]


async def test_sealed_parts_cannot_change_places(shelf: Shelf) -> None:
    """Another person's sealed part is not opened here, nor is a command's in another's place."""
    persons = [await shelf.somebody(Address(PhoneNumber(f"+1555010011{number}"))) for number in range(2)]
    for person in persons:
        await shelf.conversations.commit(turn(None, everything(person), send(person), send(person, 1, 1)))
    rows = await shelf.rows("conversations")
    collection = shelf.mongo.collection("conversations")
    await collection.update_one({"_id": rows[0]["_id"]}, {"$set": {"p": rows[1]["p"]}})
    swapped = {"pending.0.p": rows[0]["pending"][1]["p"]}
    await collection.update_one({"_id": rows[0]["_id"]}, {"$set": swapped})
    found = await shelf.conversations.find(rows[0]["_id"])
    assert found is not None
    assert not found.conversation.readable
    assert [one.command is None for one in found.pending] == [True, False]


async def test_sealed_data_of_a_later_version_make_it_unreadable(shelf: Shelf) -> None:
    """A kind this program does not know hides the private part, not the person's wish to be left alone."""
    person = await shelf.somebody()
    await shelf.begun(person, stopped={"all": NOW})
    subject = await shelf.subjects.find(person)
    assert subject is not None
    strange = {"slots": [{"_": "KindOfNextYear", "v": 1}]}
    sealed = subject.key.seal(bson.encode(strange), collection="conversations", row=person, field="p", person=person)
    await shelf.mongo.collection("conversations").update_one({"_id": person}, {"$set": {"p": sealed}})
    found = await shelf.conversations.find(person)
    assert found is not None
    assert not found.conversation.readable
    assert found.conversation.stopped == {"all": NOW}


async def test_a_stop_is_written_without_the_key(shelf: Shelf, process: Process, other_keyring: Keyring) -> None:
    """With the wrapping key gone, what holds nothing private is committed, and what does is refused in whole (decisions.md 3)."""
    person = await shelf.somebody()
    await shelf.conversations.commit(turn(None, everything(person), send(person)))
    lost = process(other_keyring)
    found = await lost.conversations.find(person)
    assert found is not None
    assert not found.conversation.readable
    assert found.pending[0].command is None
    after = following(found, stopped={"all": NOW}, standing=4, frames=(), readable=True)
    with pytest.raises(Unreadable):
        await lost.conversations.commit(turn(found, after, send(person, 2)))
    assert await lost.conversations.find(person) == found
    written = await lost.conversations.commit(turn(found, after))
    assert written is not None
    assert written.conversation.stopped == {"all": NOW}
    assert written.conversation.standing == 4


# -- leases and the claim -------------------------------------------------------------------------------------------------


async def leased(shelf: Shelf, *, count: int = 1) -> Stored:
    person = await shelf.somebody()
    first = Conversation(person, version=1)
    sends = [send(person, 1, position) for position in range(count)]
    stored = await shelf.conversations.commit(turn(None, first, *sends, lease=lease(), due=lease().until))
    assert stored is not None
    return stored


async def test_a_claim_marks_one_command_as_under_way(shelf: Shelf) -> None:
    stored = await leased(shelf, count=3)
    person = stored.conversation.person
    after = await shelf.conversations.claim(person, "a" * 32, stored.pending[1].id, "c" * 32, 0, NOW)
    assert after is not None
    assert [one.state for one in after.pending] == ["waiting", "sending", "waiting"]
    assert after.pending[1].callback == "c" * 32
    assert after.pending[1].claimed_at == NOW


async def test_a_stop_between_reading_and_claiming_fails_the_claim(shelf: Shelf, process: Process) -> None:
    """The standing moved, so the gate must be asked again: nothing is claimed after a STOP's commit (decisions.md 13)."""
    stored = await leased(shelf)
    other = process()
    read = await other.conversations.find(stored.conversation.person)
    assert read is not None
    stopped = following(read, stopped={"all": NOW}, standing=1)
    assert await other.conversations.commit(turn(read, stopped)) is not None
    assert await claimed(shelf, stored, standing=0) is None
    assert await claimed(shelf, stored, standing=1) is not None


async def test_a_stop_racing_a_claim_never_lets_both_through(shelf: Shelf, process: Process) -> None:
    """In forty races either the claim came first, or it failed."""
    other = process()
    outcomes = set()
    for number in range(40):
        person = await shelf.somebody(Address(PhoneNumber(f"+1555010{number:04d}")))
        first = Conversation(person, version=1)
        stored = await shelf.conversations.commit(turn(None, first, send(person), lease=lease()))
        assert stored is not None
        stop = turn(stored, following(stored, stopped={"all": NOW}, standing=1))
        claim, committed = await asyncio.gather(claimed(shelf, stored), other.conversations.commit(stop))
        assert committed is not None
        was_sending = committed.pending[0].state == "sending"
        assert (claim is not None) == was_sending
        outcomes.add(was_sending)
    assert outcomes


@pytest.mark.parametrize(
    ("token", "standing", "command"),
    [
        pytest.param("b" * 32, 0, None, id="another's lease"),
        pytest.param("a" * 32, 1, None, id="another standing"),
        pytest.param("a" * 32, 0, "0" * 32, id="a command that is gone"),
    ],
)
async def test_a_claim_needs_lease_standing_and_command(
    shelf: Shelf, token: str, standing: int, command: str | None
) -> None:
    stored = await leased(shelf)
    wanted = CommandId(command) if command else stored.pending[0].id
    person = stored.conversation.person
    assert await shelf.conversations.claim(person, token, wanted, "c" * 32, standing, NOW) is None
    assert await shelf.conversations.find(person) == stored


async def test_a_claim_is_made_again_under_its_own_callback_only(shelf: Shelf) -> None:
    """A slow claim may be repeated; a second sender of the same command finds it taken."""
    stored = await leased(shelf)
    person, command = stored.conversation.person, stored.pending[0].id
    claim = shelf.conversations.claim
    assert await claim(person, "a" * 32, command, "c" * 32, 0, NOW) is not None
    again = await claim(person, "a" * 32, command, "c" * 32, 0, NOW + 3 * SECOND)
    assert again is not None
    assert again.pending[0].claimed_at == NOW + 3 * SECOND
    assert await claim(person, "a" * 32, command, "d" * 32, 0, NOW) is None


async def test_settling_takes_off_one_command_once(shelf: Shelf) -> None:
    stored = await leased(shelf, count=3)
    person = stored.conversation.person
    for _ in range(2):
        after = await shelf.conversations.settle(person, "a" * 32, stored.pending[1].id)
        assert after is not None
        assert [one.id for one in after.pending] == [stored.pending[0].id, stored.pending[2].id]
    assert await shelf.conversations.settle(person, "b" * 32, stored.pending[0].id) is None


async def test_a_deferred_command_waits_where_it_stands(shelf: Shelf) -> None:
    stored = await leased(shelf, count=2)
    person, command = stored.conversation.person, stored.pending[0].id
    after = await shelf.conversations.defer(person, "a" * 32, command, 2, NOW + DAY)
    assert after is not None
    assert (after.pending[0].attempts, after.pending[0].not_before, after.pending[0].state) == (2, NOW + DAY, "waiting")
    assert after.pending[1] == stored.pending[1]
    unknown = await shelf.conversations.defer(person, "a" * 32, command, 2, NOW, state="sending")
    assert unknown is not None
    assert unknown.pending[0].state == "sending"
    assert await shelf.conversations.defer(person, "b" * 32, command, 3, NOW) is None


async def test_a_lease_is_given_back_when_nothing_new_came_in(shelf: Shelf) -> None:
    stored = await leased(shelf)
    person, known = stored.conversation.person, [stored.pending[0].id]
    assert await shelf.conversations.release(person, "a" * 32, 1, NOW + DAY, known)
    found = await shelf.conversations.find(person)
    assert found is not None
    assert found.lease is None
    assert await shelf.conversations.due(NOW + DAY - SECOND, 10) == []
    assert await shelf.conversations.due(NOW + DAY, 10) == [person]
    assert not await shelf.conversations.release(person, "a" * 32, 1, None, known)


@pytest.mark.parametrize(
    ("token", "version", "known"),
    [
        pytest.param("b" * 32, 1, True, id="the lease is another's"),
        pytest.param("a" * 32, 2, True, id="a turn came in"),
        pytest.param("a" * 32, 1, False, id="a command came in"),
    ],
)
async def test_a_lease_is_kept_when_something_came_in(shelf: Shelf, token: str, version: int, known: bool) -> None:
    stored = await leased(shelf, count=2)
    person = stored.conversation.person
    ids = [one.id for one in stored.pending][: 2 if known else 1]
    assert not await shelf.conversations.release(person, token, version, None, ids)
    assert await shelf.conversations.find(person) == stored


async def test_a_lease_is_prolonged_by_its_owner_only(shelf: Shelf) -> None:
    stored = await leased(shelf)
    person = stored.conversation.person
    assert await shelf.conversations.renew(person, lease(until=NOW + 60 * SECOND))
    assert not await shelf.conversations.renew(person, lease("b" * 32, until=NOW + DAY))
    found = await shelf.conversations.find(person)
    assert found is not None
    assert found.lease == lease(until=NOW + 60 * SECOND)
    assert await shelf.conversations.due(NOW + 59 * SECOND, 10) == []


async def test_a_lease_that_runs_is_not_taken(shelf: Shelf) -> None:
    stored = await leased(shelf)
    person = stored.conversation.person
    early = await shelf.conversations.take([person], lease("b" * 32), NOW + 29 * SECOND)
    assert early == []
    [won] = await shelf.conversations.take([person], lease("b" * 32, until=NOW + DAY), NOW + 30 * SECOND)
    assert won.lease == lease("b" * 32, until=NOW + DAY)
    assert await claimed(shelf, stored) is None
    assert await claimed(shelf, stored, token="b" * 32) is not None


async def test_two_processes_never_both_take_a_conversation(shelf: Shelf, process: Process) -> None:
    """Forty conversations, five processes at once: each is won by exactly one, and all are won."""
    persons = []
    for number in range(40):
        person = await shelf.somebody(Address(PhoneNumber(f"+1555010{number:04d}")))
        await shelf.conversations.commit(turn(None, Conversation(person, version=1), send(person), due=NOW))
        persons.append(person)
    shelves = [process() for _ in range(5)]
    leases = [lease(f"{number:032x}") for number in range(5)]
    won = await asyncio.gather(
        *(one.conversations.take(persons, own, NOW) for one, own in zip(shelves, leases, strict=True))
    )
    taken = [stored.conversation.person for part in won for stored in part]
    assert sorted(taken) == sorted(persons)
    assert all(stored.lease == own for part, own in zip(won, leases, strict=True) for stored in part)


async def test_due_people_are_found_and_no_more_than_asked_for(shelf: Shelf) -> None:
    """Those whose time has come, at most `limit`, not always the same ones (decisions.md 12)."""
    persons = []
    for number in range(12):
        person = await shelf.somebody(Address(PhoneNumber(f"+1555010{number:04d}")))
        when = NOW + timedelta(hours=number) if number < 11 else None
        await shelf.conversations.commit(turn(None, Conversation(person, version=1), due=when))
        persons.append(person)
    assert sorted(await shelf.conversations.due(NOW + timedelta(hours=4), 100)) == sorted(persons[:5])
    drawn = [frozenset(await shelf.conversations.due(NOW + DAY, 3)) for _ in range(30)]
    assert {len(one) for one in drawn} == {3}
    assert len(set(drawn)) > 1
