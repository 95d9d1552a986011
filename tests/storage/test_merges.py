"""Two people become one over the wire, whatever crashes in between (decisions.md 2)."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.domain.command import Erase, Suppress
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, Bsuid, CommandId, EventId, PersonId, PhoneNumber
from bot.domain.message import TextMessage
from bot.privacy.keyring import Keyring
from bot.runtime.merging import LEASE, STEPS, Merging
from bot.runtime.ports import Stored
from bot.storage.merges import MERGES, MongoMerges
from tests.storage.shelf import (
    NAME,
    NOW,
    SHOWN,
    TYPED,
    Fuse,
    Shelf,
    Ticking,
    everything,
    send,
    settings_of,
    turn,
    whole_life,
)

pytestmark = pytest.mark.mongo


class Ids:
    """Readable ids; each token is another one."""

    def __init__(self) -> None:
        self._n = 0

    def event(self, outside_id: str) -> EventId:
        return EventId(f"{abs(hash(outside_id)) % 16**24:024x}")

    def random(self) -> str:
        self._n += 1
        return f"{self._n:032x}"


def merging(shelf: Shelf, clock: Ticking, keyring: Keyring, ids: Ids | None = None) -> Merging:
    merges = MongoMerges(shelf.mongo, shelf.subjects, keyring)
    return Merging(merges, shelf.conversations, shelf.people, shelf.suppressions, shelf.ledger, ids or Ids(), clock)


def addresses(number: int) -> tuple[Address, Address]:
    """One person before and after a change of number, which gave them another user id too."""
    return (
        Address(PhoneNumber(f"+1555010{2 * number:04d}"), Bsuid(f"US.Before{number:08d}")),
        Address(PhoneNumber(f"+1555011{2 * number:04d}"), Bsuid(f"US.After{number:08d}")),
    )


async def two_lives(shelf: Shelf, number: int = 0) -> tuple[PersonId, PersonId]:
    """The winner with a consent; the loser with everything there can be, and a STOP."""
    old, new = addresses(number)
    winner = await shelf.somebody(old)
    stored = await shelf.begun(winner, consents=everything(winner).consents, window_until=NOW)
    assert stored is not None
    loser = await whole_life(shelf, new)
    return winner, loser


async def united(shelf: Shelf, winner: PersonId, loser: PersonId, number: int = 0) -> Stored:
    """Nothing leads to the loser any more, nothing of theirs is lost, and nobody gained a consent."""
    old, new = addresses(number)
    kept = await shelf.conversations.find(winner)
    assert kept is not None
    for address in (old, new, Address(old.phone), Address(bsuid=new.bsuid)):
        assert await shelf.people.recognise(address, NOW) == winner
    left = {name for name, row in [one async for one in shelf.mongo.scan()] if loser in (row.get("person"), row["_id"])}
    assert left == {MERGES}
    assert kept.conversation.restricted is True
    assert set(kept.conversation.stopped) == {"marketing", "newsletter"}
    assert kept.conversation.consent("newsletter").state == "withdrawn"
    for address in (old, new):
        assert {"newsletter", "marketing"} <= set(await shelf.suppressions.standing(address))
    return kept


async def test_nothing_of_the_loser_is_lost_or_unreadable(shelf: Shelf, clock: Ticking, keyring: Keyring) -> None:
    winner, loser = await two_lives(shelf)
    before = await shelf.copies.rows_of(loser)
    references = {row["subject_ref"] for row in await shelf.rows("subjects")}

    assert await merging(shelf, clock, keyring).run(winner, loser) == winner

    kept = await united(shelf, winner, loser)
    after = await shelf.copies.rows_of(winner)
    for name, rows in before.items():
        if name in ("conversations", "subjects", "identities"):
            continue
        mine = {row["_id"]: row for row in after[name]}
        for row in rows:
            assert mine[row["_id"]].get("p") == row.get("p"), name
    assert {row["subject_ref"] for row in after["ledger"]} <= references
    assert len(after["evidence"]) == len(before["evidence"]) + 1, "and the event that was still on its way"
    subject = await shelf.subjects.find(winner)
    assert subject is not None
    assert set(subject.references) == references
    assert await shelf.subjects.by_reference(subject.former[0]) == winner
    assert (await shelf.people.address(winner)) == addresses(0)[1]
    told = [type(one.command).__name__ for one in kept.pending]
    assert "Call" not in told
    assert "Send" not in told, "the loser's only message was sent of our own accord"
    assert {"OpenTicket", "OpenRequest", "Export"} <= set(told)


async def test_a_consent_given_under_the_old_identity_ends_on_record(
    shelf: Shelf, clock: Ticking, keyring: Keyring
) -> None:
    winner, loser = await two_lives(shelf)
    subject = await shelf.subjects.find(loser)
    assert subject is not None

    await merging(shelf, clock, keyring).run(winner, loser)

    rows = [row for row in await shelf.rows("ledger") if row["subject_ref"] == subject.ref]
    assert [row["purpose"] for row in rows if row["event_type"] == "invalidated"] == ["newsletter"]


@pytest.fixture
async def fused(
    mongo_uri: str, database_name: str, keyring: Keyring, clock: Ticking
) -> AsyncIterator[Callable[[], tuple[Shelf, Fuse]]]:
    made: list[Shelf] = []

    def process() -> tuple[Shelf, Fuse]:
        fuse = Fuse()
        made.append(Shelf(settings_of(mongo_uri, database_name), keyring, clock, fuse))
        return made[-1], fuse

    yield process
    for shelf in made:
        shelf.mongo.close()


async def _killed_everywhere(
    shelf: Shelf,
    fused: Callable[[], tuple[Shelf, Fuse]],
    clock: Ticking,
    keyring: Keyring,
    *,
    arrives: bool,
    every: int,
) -> int:
    """Kills a merge before each `every`th operation, lets another process go on, and looks at the outcome. Returns how many kills."""
    ids = Ids()
    for number, cut in enumerate(range(0, 2000, every)):
        winner, loser = await two_lives(shelf, number)
        broken, fuse = fused()
        fuse.left, fuse.arrives = cut, arrives
        try:
            await merging(broken, clock, keyring, ids).run(winner, loser)
        except RetryLater:
            fuse.left = None
        else:
            return number
        clock.time += 2 * LEASE
        another = merging(shelf, clock, keyring, ids)
        for job in await another.look():
            await another.resume(job)
        # Meta brings the word about the change again; nothing more is to do, or it is done now.
        owner = await shelf.people.recognise(addresses(number)[1], NOW)
        if owner == loser:
            await another.run(winner, loser)
        await united(shelf, winner, loser, number)
        await _swept(shelf)
    raise AssertionError("the merge never ended")


async def _swept(shelf: Shelf) -> None:
    """The next story begins with nothing."""
    for name in ("identities", "conversations", "suppressions", MERGES, "ledger", "evidence", "requests", "sends", "tickets",
                 "dead_letters", "seen_pages", "opt_in_requests", "exports"):  # fmt: skip
        await shelf.mongo.collection(name).delete_many({})
    await shelf.mongo.vault["subjects"].delete_many({})
    await shelf.mongo.vault["replay"].delete_many({})


@pytest.mark.parametrize(
    "arrives", [pytest.param(False, id="before it arrives"), pytest.param(True, id="before its answer")]
)
async def test_a_merge_that_is_killed_is_gone_on_with(
    shelf: Shelf, fused: Callable[[], tuple[Shelf, Fuse]], clock: Ticking, keyring: Keyring, arrives: bool
) -> None:
    kills = await _killed_everywhere(shelf, fused, clock, keyring, arrives=arrives, every=6)
    assert kills > len(STEPS)


@pytest.mark.long
@pytest.mark.parametrize("arrives", [False, True])
async def test_a_merge_may_be_killed_at_every_operation(
    shelf: Shelf, fused: Callable[[], tuple[Shelf, Fuse]], clock: Ticking, keyring: Keyring, arrives: bool
) -> None:
    await _killed_everywhere(shelf, fused, clock, keyring, arrives=arrives, every=1)


async def test_of_two_merges_that_cross_at_most_one_goes_on(shelf: Shelf, clock: Ticking, keyring: Keyring) -> None:
    ids = Ids()
    winner, loser = await two_lives(shelf)
    third = await shelf.somebody(Address(PhoneNumber("+447700900123")))
    await shelf.begun(third)
    one = merging(shelf, clock, keyring, ids)
    await shelf.mongo.collection(MERGES).insert_one(
        {"_id": loser, "person": winner, "step": "", "at": NOW, "lease": {"t": "x", "u": NOW + LEASE}}
    )

    for mine, theirs in ((loser, winner), (third, winner), (winner, loser)):
        with pytest.raises(RetryLater):
            await one.run(mine, theirs)
    clock.time += 2 * LEASE
    for job in await one.look():
        await one.resume(job)
    await united(shelf, winner, loser)
    with pytest.raises(RetryLater):
        await one.run(winner, loser)


async def test_an_erasure_and_a_merge_wait_for_each_other(shelf: Shelf, clock: Ticking, keyring: Keyring) -> None:
    """What is moving to somebody who is being erased would be left behind."""
    winner, loser = await two_lives(shelf)
    stored = await shelf.conversations.find(winner)
    assert stored is not None
    job = {"_id": loser, "person": winner, "step": "rows", "at": NOW, "lease": {"t": "x", "u": NOW}}
    await shelf.mongo.collection(MERGES).insert_one(job)
    command = Erase(CommandId("e" * 32), NOW, "en", TextMessage("done"))
    with pytest.raises(RetryLater):
        await shelf.erasures.begin(stored, command, NOW)

    await shelf.mongo.collection(MERGES).delete_many({})
    going = Conversation(winner, version=9, erasing=True)
    assert await shelf.conversations.commit(turn(stored, going)) is not None
    with pytest.raises(RetryLater, match="erasure"):
        await merging(shelf, clock, keyring).run(winner, loser)
    with pytest.raises(RetryLater, match="erasure"):
        await merging(shelf, clock, keyring).run(loser, winner)


async def test_erasing_who_remains_takes_the_other_one_too_and_tells_older_backups(
    shelf: Shelf, clock: Ticking, keyring: Keyring
) -> None:
    winner, loser = await two_lives(shelf)
    await merging(shelf, clock, keyring).run(winner, loser)
    stored = await shelf.conversations.find(winner)
    assert stored is not None

    job = await shelf.erasures.begin(stored, Erase(CommandId("e" * 32), NOW, "en", TextMessage("done")), NOW)
    job = await shelf.erasures.destroy_key(job, NOW)
    await shelf.erasures.delete_rows(job)

    assert {row["person"] for row in await shelf.rows("replay") if row["kind"] == "erasure"} == {winner, loser}
    assert await shelf.rows("subjects") == []
    held: list[Any] = [row async for name, row in shelf.mongo.scan() if name not in ("replay", "erasure_jobs")]
    assert not any(secret in repr(held) for secret in (TYPED, SHOWN, NAME))
    for name in ("evidence", "tickets", "sends", "dead_letters", "identities", "conversations", MERGES):
        assert await shelf.rows(name) == [], name


async def test_a_number_alone_and_a_user_id_alone_are_one_person_once_they_come_together(
    shelf: Shelf, clock: Ticking, keyring: Keyring
) -> None:
    """A number bound to no user id, and a message with both (decisions.md 2). A number of somebody with a user id was given on."""
    phone, bsuid, other = PhoneNumber("+15550100199"), Bsuid("US.New1"), Bsuid("US.Old1")
    by_number = await shelf.somebody(Address(phone))
    by_id = await shelf.somebody(Address(bsuid=bsuid))
    await shelf.begun(by_number, send(by_number), stopped={"all": NOW})
    await shelf.begun(by_id)
    both = Address(phone, bsuid)
    one = merging(shelf, clock, keyring)

    assert await one.twin(by_id, both) == by_number
    assert await one.twin(by_id, Address(bsuid=bsuid)) is None
    assert await one.run(by_id, by_number) == by_id
    kept = await shelf.conversations.find(by_id)
    assert kept is not None
    assert set(kept.conversation.stopped) == {"all"}
    assert [type(pending.command).__name__ for pending in kept.pending] == ["Send"], "the answer that was owed"
    assert await shelf.people.recognise(Address(phone), NOW) == by_id

    stranger = await shelf.people.admit(Address(phone, other), NOW)
    assert stranger != by_id, "the number was given on"
    assert await one.twin(stranger, Address(phone, other)) is None


async def test_who_never_said_a_word_gives_way(shelf: Shelf, clock: Ticking, keyring: Keyring) -> None:
    old, new = addresses(1)
    silent, spoken = await shelf.somebody(old), await shelf.somebody(new)
    await shelf.begun(spoken, stopped={"marketing": NOW})
    await shelf.suppressions.suppress(old, [Suppress("all", NOW, "keyword")])

    assert await merging(shelf, clock, keyring).run(silent, spoken) == spoken
    assert await shelf.people.recognise(old, NOW) == spoken
    assert set(await shelf.suppressions.standing(old)) == {"all"}
