"""A restored backup forgets nobody's wish: who was erased stays erased, who stopped stays stopped (GDPR art. 7(3), 17, 21(3))."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.command import RecordConsent, Suppress
from bot.domain.consent import Consent
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.storage.ledger import MongoLedger
from bot.storage.replaying import Behind, Replaying, refuse_behind, refuse_too_old, seen_alive
from bot.storage.replays import BACKUPS_LIVE, ReplayedLedger, Replays
from tests.e2e.traces import KEPT
from tests.storage.shelf import (
    ADDRESS,
    DAY,
    NOW,
    SECRETS,
    Fuse,
    Shelf,
    Ticking,
    consent_event,
    following,
    settings_of,
    turn,
    whole_life,
)
from tests.storage.test_erasures import asked, erase, finish, remaining, where_found

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
RUI = Address(phone=PhoneNumber("+447700900123"))
EVA = Address(phone=PhoneNumber("+447700900124"))


async def backup(shelf: Shelf) -> dict[str, list[dict[str, Any]]]:
    """The main database as it stands; the vault has a cycle of its own."""
    names = await shelf.mongo.main.list_collection_names()
    return {name: await shelf.mongo.main[name].find({}).to_list(None) for name in names}


async def restore(shelf: Shelf, copy: dict[str, list[dict[str, Any]]]) -> None:
    for name in set(await shelf.mongo.main.list_collection_names()) | set(copy):
        await shelf.mongo.main[name].delete_many({})
        if copy.get(name):
            await shelf.mongo.main[name].insert_many(copy[name])


def replaying(shelf: Shelf) -> Replaying:
    return Replaying(shelf.mongo, Replays(shelf.mongo))


async def replay(shelf: Shelf) -> Behind:
    return await replaying(shelf).run(shelf.subjects, shelf.keyring, NOW)


async def given(shelf: Shelf, address: Address) -> PersonId:
    """Somebody who consented to the newsletter."""
    person = await shelf.somebody(address)
    await shelf.begun(person, consents={"newsletter": Consent("given", NOW - DAY, "r", None, NOW + DAY)})
    return person


async def withdraw(shelf: Shelf, person: PersonId, number: str = "1") -> None:
    """As the bot does it: the turn first, then its record."""
    before = await shelf.conversations.find(person)
    assert before is not None
    event = RecordConsent(CommandId(number * 32), "withdrawn", NOW, "newsletter", "withdrawn")
    consents = {"newsletter": Consent("withdrawn", NOW, event=event.id)}
    assert await shelf.conversations.commit(turn(before, following(before, consents=consents), due=NOW))
    ledger = MongoLedger(shelf.mongo, shelf.subjects, jurisdiction="gdpr", controller="Casa Exemplo Lda.")
    await ReplayedLedger(ledger, Replays(shelf.mongo)).record(person, event, NOW)


async def a_life_after_the_backup(shelf: Shelf) -> tuple[dict[str, list[dict[str, Any]]], dict[str, PersonId]]:
    """(the backup, who): one is erased after it, one stops, one withdraws."""
    stopped, withdrew = await given(shelf, RUI), await given(shelf, EVA)
    erased = await whole_life(shelf)
    copy = await backup(shelf)
    before = await shelf.conversations.find(erased)
    assert before is not None
    after = following(before, erasing=True)
    stored = await shelf.conversations.commit(turn(before, after, erase(erased), due=NOW))
    assert stored is not None
    assert not await replaying(shelf).behind(NOW), "an erasure that is asked for and not begun is not behind"
    job = await shelf.erasures.begin(stored, erase(erased), NOW)
    assert not await replaying(shelf).behind(NOW), "nor is one under way"
    await finish(shelf, job)
    await shelf.suppressions.suppress(RUI, [Suppress("all", NOW, "keyword")])
    await withdraw(shelf, withdrew)
    assert not await replaying(shelf).behind(NOW)
    return copy, {"erased": erased, "stopped": stopped, "withdrew": withdrew}


async def test_after_a_restore_the_wishes_are_done_again(
    shelf: Shelf, process: Process, mongo_uri: str, database_name: str
) -> None:
    copy, who = await a_life_after_the_backup(shelf)
    await restore(shelf, copy)
    other = process()
    unreadable = await other.conversations.find(who["erased"])
    assert unreadable is None or not unreadable.conversation.readable, "unreadable even before the replay"
    assert where_found(mongo_uri, database_name, *SECRETS) == []
    missing = await replaying(shelf).behind(NOW)
    assert (missing.erasures, missing.suppressions, missing.withdrawals) == (1, 1, 1)
    with pytest.raises(SettingsProblem, match="recado replay-erasures"):
        await refuse_behind(shelf.mongo, Replays(shelf.mongo), NOW)

    assert await replay(other) == missing

    await refuse_behind(shelf.mongo, Replays(shelf.mongo), NOW)
    last = process()
    assert await last.conversations.find(who["erased"]) is None
    assert await last.people.recognise(ADDRESS, NOW) is None
    assert set(await last.copies.rows_of(who["erased"])) == {"replay", "audit_log"}
    assert await last.suppressions.standing(RUI) == {"all": NOW}
    stopped = await last.conversations.find(who["stopped"])
    assert stopped is not None
    assert stopped.conversation.stopped == {"all": NOW}
    assert stopped.conversation.standing == 1
    withdrew = await last.conversations.find(who["withdrew"])
    assert withdrew is not None
    assert withdrew.conversation.consent("newsletter").state == "withdrawn"
    assert withdrew.conversation.consent("newsletter").valid_until is None
    assert await replay(last) == Behind()
    assert remaining(mongo_uri, database_name) >= set(KEPT) - {"tombstones"}


async def test_late_redeliveries_do_not_bring_the_erased_back(shelf: Shelf) -> None:
    copy, who = await a_life_after_the_backup(shelf)
    seen = [bytes(row["i"]).hex() for row in copy["conversations"] for row in row["seen"] if row]
    await restore(shelf, copy)
    await replay(shelf)
    [row] = [row for row in copy["conversations"] if row["_id"] == who["erased"]]
    own = {bytes(one["i"]).hex() for one in row["seen"]}
    assert set(await shelf.people.gone(seen)) >= own  # type: ignore[arg-type]


async def test_a_vault_of_before_does_not_give_the_key_back(shelf: Shelf, process: Process) -> None:
    """Somebody restores the vault too, but keeps its list: the person's key goes again."""
    person = await whole_life(shelf)
    [key] = [row for row in await shelf.rows("subjects") if row["_id"] == person]
    stored = await asked(shelf, RUI)
    await finish(shelf, await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW))
    await Replays(shelf.mongo).erased(CommandId("e" * 32), person, "r" * 32, NOW)
    assert (await replaying(shelf).behind(NOW)).erasures == 1
    await replay(process())
    assert key not in await shelf.rows("subjects")
    assert set(await process().copies.rows_of(person)) == {"replay", "audit_log"}


async def test_a_replay_cut_off_at_any_operation_is_finished_by_the_next(
    shelf: Shelf, mongo_uri: str, database_name: str, clock: Ticking
) -> None:
    """Until all is done the database counts as behind, so that `serve` goes on refusing."""
    copy, who = await a_life_after_the_backup(shelf)
    for arrives in (False, True):
        cut, whole = 0, False
        while not whole:
            await restore(shelf, copy)
            fuse = Fuse()
            broken = Shelf(settings_of(mongo_uri, database_name), shelf.keyring, clock, fuse)
            fuse.left, fuse.arrives = cut, arrives
            try:
                await replay(broken)
                whole = True
            except RetryLater:
                cut += 1
                if not arrives:
                    assert await replaying(shelf).behind(NOW)
            finally:
                broken.mongo.close()
            await replay(shelf)
            assert not await replaying(shelf).behind(NOW)
            assert await shelf.conversations.find(who["erased"]) is None
            stopped = await shelf.conversations.find(who["stopped"])
            assert stopped is not None
            assert stopped.conversation.stopped == {"all": NOW}
            assert await shelf.suppressions.standing(RUI) == {"all": NOW}
        assert cut > 8


async def test_a_yes_after_the_withdrawal_stays_a_yes(shelf: Shelf) -> None:
    person = await given(shelf, RUI)
    await withdraw(shelf, person)
    before = await shelf.conversations.find(person)
    assert before is not None
    again = {"newsletter": Consent("given", NOW + DAY)}
    assert await shelf.conversations.commit(turn(before, following(before, consents=again), due=NOW))
    assert await replay(shelf) == Behind()
    stored = await shelf.conversations.find(person)
    assert stored is not None
    assert stored.conversation.consent("newsletter").state == "given"


async def test_a_lifted_stop_is_not_asked_for_any_more(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(RUI, [Suppress("all", NOW, "keyword"), Suppress("tips", NOW, "keyword")])
    await shelf.suppressions.lift(RUI, ["all"])
    assert not await replaying(shelf).behind(NOW)
    await shelf.mongo.collection("suppressions").delete_many({})
    await replay(shelf)
    assert await shelf.suppressions.standing(RUI) == {"tips": NOW}


async def test_an_entry_never_outlives_its_row(shelf: Shelf) -> None:
    """A STOP imported with an old date ends soon, and its end is no older database."""
    long_ago = NOW - timedelta(days=3 * 365 - 5)
    await shelf.suppressions.suppress(RUI, [Suppress("all", long_ago, "import")])
    await shelf.mongo.collection("suppressions").delete_many({})
    assert await replaying(shelf).behind(NOW + timedelta(days=4))
    assert not await replaying(shelf).behind(NOW + timedelta(days=5))


async def test_a_backup_older_than_the_list_is_refused(shelf: Shelf) -> None:
    """Who was erased before the list begins would come back, and nobody could tell."""
    await whole_life(shelf)
    await seen_alive(shelf.mongo, NOW)
    await refuse_too_old(shelf.mongo)
    copy = await backup(shelf)
    for days, fits in ((30, True), (BACKUPS_LIVE.days, False)):
        await seen_alive(shelf.mongo, NOW + timedelta(days=days))
        await restore(shelf, copy)
        if fits:
            await refuse_too_old(shelf.mongo)
            continue
        with pytest.raises(SettingsProblem, match=f"is {days} days older than the vault"):
            await refuse_too_old(shelf.mongo)
    await restore(shelf, {name: rows for name, rows in copy.items() if name != "schema"})
    with pytest.raises(SettingsProblem, match="does not say when it was last in use"):
        await refuse_too_old(shelf.mongo)
    await restore(shelf, {})
    await refuse_too_old(shelf.mongo)


async def test_the_list_names_nobody(shelf: Shelf) -> None:
    await a_life_after_the_backup(shelf)
    text = repr(await shelf.rows("replay"))
    assert [secret for secret in (*SECRETS, RUI.phone.value[1:]) if secret in text] == []  # type: ignore[union-attr]


async def test_other_records_are_not_on_the_list(shelf: Shelf) -> None:
    person = await given(shelf, RUI)
    ledger = MongoLedger(shelf.mongo, shelf.subjects, jurisdiction="gdpr", controller="Casa Exemplo Lda.")
    remembering = ReplayedLedger(ledger, Replays(shelf.mongo))
    event = replace(consent_event(CommandId("1" * 32)), id=CommandId("2" * 32))
    await remembering.record(person, event, NOW)
    assert await remembering.holds(event.id)
    assert await shelf.rows("replay") == []
