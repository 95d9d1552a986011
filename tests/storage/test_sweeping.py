"""The clock moved past each retention leaves nothing, seen on the raw driver, and the report equals what was deleted."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.command import CloseTicket, OpenRequest, OpenTicket, Suppress
from bot.domain.consent import Consent
from bot.domain.conversation import Frame, HeldWords, Timer
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, CommandId, EventId, PersonId, PhoneNumber, Wamid, Words
from bot.privacy import retention
from bot.privacy.inventory import COLLECTIONS
from bot.privacy.retention import Periods, Report
from bot.runtime.ports import Lease
from bot.runtime.sequencer import Sequencer
from bot.storage.leases import Leases
from bot.storage.leaves import MongoLeaves
from bot.storage.replay_file import ReplayFile
from bot.storage.replays import Replays
from bot.storage.sweeping import MongoSweeper
from tests.privacy.test_retention import DEFAULTS
from tests.storage.shelf import (
    ADDRESS,
    DAY,
    NAME,
    NOW,
    SECOND,
    TYPED,
    WAMID,
    Fuse,
    Shelf,
    Ticking,
    consent_event,
    event,
    following,
    lease,
    send,
    settings_of,
    turn,
    whole_life,
)

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
YEAR = 365 * DAY
RUI = Address(phone=PhoneNumber("+447700900123"))
ABOUT_NOBODY = {"flow_versions", "texts", "schema", "locks", "key_checks", "ledger_heads"}


def sweeper(shelf: Shelf, periods: Periods = DEFAULTS, file: Path | None = None) -> MongoSweeper:
    replays = Replays(shelf.mongo, ReplayFile(file) if file else None)
    return MongoSweeper(shelf.mongo, shelf.keyring, shelf.subjects, replays, shelf.clock, periods)


async def raw(shelf: Shelf) -> Counter[str]:
    """Rows by collection, without those about nobody."""
    found = Counter([name async for name, _ in shelf.mongo.scan()])
    return Counter({name: count for name, count in found.items() if name not in ABOUT_NOBODY})


async def field(shelf: Shelf, collection: str, path: str) -> list[Any]:
    """What stands at a path in the rows of a collection."""
    return [row[path] for row in await shelf.rows(collection) if path in row]


def quiet(person: PersonId, **facts: Any) -> dict[str, Any]:
    return {"last_inbound_at": NOW, "language": "pt", **facts}


async def swept(shelf: Shelf, after: timedelta, periods: Periods = DEFAULTS) -> Report:
    """Moves the clock, holds the preview against the run, and the run against a second one."""
    shelf.clock.time = NOW + after
    shelf.subjects._known.clear()
    told = await sweeper(shelf, periods).due()
    done = await sweeper(shelf, periods).sweep()
    assert done.counts == told.counts, "what was announced is what was deleted"
    assert done.unverified == 0
    return done


# -- each class by itself -----------------------------------------------------------------------------------------------------


async def talk_with(shelf: Shelf, **facts: Any) -> PersonId:
    person = await shelf.somebody()
    await shelf.begun(person, **quiet(person, **facts))
    return person


async def open_flow(shelf: Shelf) -> None:
    await talk_with(
        shelf, frames=(Frame("order", "v" * 32, "ask", "q", NOW),), slots=({"order": TYPED},),
        timers=(Timer("t", "idle", NOW + DAY, 0), Timer("r", "renewal", NOW + YEAR)),
    )  # fmt: skip


async def first_words(shelf: Shelf) -> None:
    await talk_with(shelf, held=HeldWords(Words(TYPED), event(9), Wamid(WAMID), NOW + DAY))


async def command(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.begun(person, send(person), **quiet(person))


async def request(shelf: Shelf) -> None:
    person = await talk_with(shelf)
    await shelf.desk.open_request(person, OpenRequest(CommandId("d" * 32), "access", NOW, "done", "pt", TYPED), NOW)


async def sent(shelf: Shelf) -> None:
    person = await talk_with(shelf)
    await shelf.sends.start("c" * 32, person, send(person), NOW)


async def ticket(shelf: Shelf) -> None:
    person = await talk_with(shelf)
    opened = OpenTicket(CommandId("e" * 32), "e" * 32, "desk", "pt", False, "order", "ask", TYPED, {"name": NAME})
    await shelf.desk.open_ticket(person, opened, NOW)
    await shelf.desk.close_ticket(person, CloseTicket(CommandId("f" * 32), "e" * 32, "resolved"), NOW)


async def stopped(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(RUI, [Suppress("all", NOW, "keyword")])


async def proof(shelf: Shelf) -> None:
    person = await talk_with(shelf)
    withdrawn = replace(
        consent_event(CommandId("1" * 32)), event_type="withdrawn", state_after="withdrawn", valid_until=None
    )
    await shelf.ledger.record(person, withdrawn, NOW)


async def website(shelf: Shelf) -> None:
    """A request that nobody answered, by a process that ended before it was over."""
    row = {
        "_id": "a" * 32,
        "i": ["b" * 64],
        "state": "sent",
        "asked_at": NOW,
        "until": NOW + 2 * DAY,
        "expires": NOW + 30 * DAY,
    }
    sealed = {"kid": shelf.keyring.current_kid("kek"), "key": b"wrapped", "p": b"sealed", "open": "b" * 64, "n": 1}
    await shelf.mongo.collection("opt_in_requests").insert_one(row | sealed)


CLASSES = [
    pytest.param(website, "opt_in_open", 2 * DAY, ("opt_in_requests", "p"), id="opt_in_open"),
    pytest.param(website, "opt_in", 30 * DAY, ("opt_in_requests", "_id"), id="opt_in"),
    pytest.param(first_words, "held", DAY, ("conversations", "p"), id="held"),
    pytest.param(open_flow, "flow", 7 * DAY, ("conversations", "p"), id="flow"),
    pytest.param(command, "pending", 7 * DAY, ("conversations", "pending"), id="pending"),
    pytest.param(command, "seen", 8 * DAY, ("conversations", "seen"), id="seen"),
    pytest.param(talk_with, "with_person", 730 * DAY, ("conversations", "_id"), id="with_person"),
    pytest.param(request, "request_words", 30 * DAY, ("requests", "p"), id="request_words"),
    pytest.param(request, "request", 3 * YEAR, ("requests", "_id"), id="request"),
    pytest.param(sent, "sent", 30 * DAY, ("sends", "_id"), id="sent"),
    pytest.param(ticket, "transcript", 30 * DAY, ("tickets", "_id"), id="transcript"),
    pytest.param(stopped, "objection", 3 * YEAR, ("suppressions", "_id"), id="objection"),
    pytest.param(stopped, "replay", 36 * DAY, ("replay", "_id"), id="replay"),
    pytest.param(proof, "evidence", 3 * YEAR, ("evidence", "_id"), id="evidence"),
]


@pytest.mark.parametrize(("begin", "rule", "lasts", "where"), CLASSES)
async def test_a_class_stays_for_its_time_and_not_a_moment_longer(
    shelf: Shelf, begin: Callable[[Shelf], Any], rule: str, lasts: timedelta, where: tuple[str, str]
) -> None:
    await begin(shelf)

    before = await swept(shelf, lasts - timedelta(milliseconds=1))
    assert rule not in {name for _, name, _ in before.counts}
    assert await field(shelf, *where), "it is still there"
    done = await swept(shelf, lasts)

    assert rule in {name for _, name, _ in done.counts}
    assert [one for one in await field(shelf, *where) if one not in ([], {})] == []
    while (await swept(shelf, lasts)).counts:
        """The keys of those who left follow in the next run."""
    assert rule not in {name for _, name, _ in (await swept(shelf, lasts)).counts}


async def test_a_flow_goes_and_its_person_stays(shelf: Shelf) -> None:
    """The encrypted part is opened, reduced and sealed again: the first words that are still held stay readable."""
    person = await talk_with(
        shelf, frames=(Frame("order", "v" * 32, "ask", "q", NOW),), slots=({"order": TYPED},),
        held=HeldWords(Words(TYPED), event(9), Wamid(WAMID), NOW + 9 * DAY),
        timers=(Timer("t", "idle", NOW + DAY, 0), Timer("r", "renewal", NOW + YEAR)), stopped={"all": NOW},
    )  # fmt: skip
    await swept(shelf, 8 * DAY)
    stored = await shelf.conversations.find(person)
    assert stored is not None
    after = stored.conversation
    assert (after.frames, after.slots, after.readable, after.stopped) == ((), (), True, {"all": NOW})
    assert after.held is not None
    assert after.held.words == Words(TYPED)
    assert [one.name for one in after.timers] == ["renewal"]
    assert after.version == 2
    again = await shelf.conversations.commit(turn(stored, following(stored, language="en"), now=shelf.clock.time))
    assert again is not None, "the next turn goes on from there"


# -- a whole life -------------------------------------------------------------------------------------------------------------


async def test_past_every_retention_nothing_is_left(shelf: Shelf) -> None:
    """Rows of every collection the bot writes, ten years on: all gone but the ledger's skeleton, which is pruned with its epoch."""
    person = await whole_life(shelf)
    calm = {
        "restricted": False,
        "owner": "bot",
        "ticket": "",
        "consents": {"n": Consent("given", NOW, valid_until=NOW + YEAR)},
    }
    before = await shelf.conversations.find(person)
    assert before is not None
    await shelf.mongo.collection("conversations").update_one({"_id": person}, {"$unset": {"lease": ""}})
    before = await shelf.conversations.find(person)
    assert before is not None
    assert await shelf.conversations.commit(turn(before, following(before, **calm), lease=None, now=NOW))
    rights = {"$set": {"pending": []}}  # carried out, as the outbox does
    await shelf.mongo.collection("conversations").update_one({"_id": person}, rights)
    await shelf.mongo.collection("requests").update_many({}, {"$set": {"closed_at": NOW, "state": "answered"}})
    written = set(await raw(shelf))
    assert written >= {
        "conversations", "identities", "subjects", "evidence", "suppressions", "requests", "tickets", "sends", "dead_letters",
        "seen_pages", "replay",
    }  # fmt: skip
    start, total = await raw(shelf), Counter[str]()
    for years in (1, 2, 3, 4, 5, 6, 10):
        while (done := await swept(shelf, years * YEAR)).counts:
            total.update(rows_of(done))
    left = await raw(shelf)
    assert set(left) == {"ledger"}
    assert total == start - left, "the report equals what was deleted"
    assert done.overdue == {}


def rows_of(report: Report) -> Counter[str]:
    """Whole rows by collection."""
    found = Counter[str]()
    for (collection, _, fields), count in report.counts.items():
        found[collection] += count if fields == "*" else 0
    return +found


async def test_the_proof_outlives_the_person_and_takes_the_key_with_it(shelf: Shelf) -> None:
    """Two years silent: nobody can be found or written to any more; the words of the consent are kept, then go with their key."""
    await proof(shelf)
    [person] = await field(shelf, "subjects", "_id")
    await swept(shelf, 730 * DAY)
    assert await raw(shelf) == {"subjects": 1, "evidence": 1, "ledger": 1}
    [row] = await shelf.rows("subjects")
    assert "address" not in row
    assert await shelf.people.recognise(ADDRESS, shelf.clock.time) is None
    assert await shelf.people.address(person) is None
    assert (await shelf.copies.rows_of(person))["evidence"][0]["p"]["answer_text"] == TYPED
    await swept(shelf, 3 * YEAR)
    await swept(shelf, 3 * YEAR)
    assert await raw(shelf) == {"ledger": 1}


async def test_somebody_who_is_forgotten_may_come_back_as_somebody_new(shelf: Shelf) -> None:
    person = await talk_with(shelf)
    await swept(shelf, 730 * DAY)
    new = await shelf.people.admit(ADDRESS, shelf.clock.time)
    assert new != person
    assert await shelf.conversations.find(new) is None


async def test_records_that_must_be_made_are_kept_and_reported(shelf: Shelf) -> None:
    """A consent that never came onto the ledger is no rubbish (GDPR art. 7(1))."""
    person = await shelf.somebody()
    await shelf.begun(person, consent_event(CommandId("1" * 32)), **quiet(person))
    done = await swept(shelf, 10 * YEAR)
    assert done.overdue == {"pending": 1}
    assert len((await field(shelf, "conversations", "pending"))[0]) == 1


# -- beside a living bot ------------------------------------------------------------------------------------------------------


async def test_a_turn_at_the_same_moment_wins(shelf: Shelf, process: Process) -> None:
    """Whatever stands between the sweeper's look and its write, the turn is neither lost nor half undone, and nobody is made again."""
    await open_flow(shelf)
    [person] = await field(shelf, "conversations", "_id")
    other, shelf.clock.time = process(), NOW + 7 * DAY
    real = shelf.subjects.key

    async def meanwhile(one: PersonId) -> Any:
        """The person answers just after the document was read."""
        shelf.subjects.key = real  # type: ignore[method-assign]
        before = await other.conversations.find(person)
        assert before is not None
        after = following(before, last_inbound_at=shelf.clock.time, slots=({"order": "a new word"},))
        assert await other.conversations.commit(turn(before, after, now=shelf.clock.time))
        return await real(one)

    shelf.subjects.key = meanwhile  # type: ignore[method-assign]
    done = await sweeper(shelf).sweep()

    assert done.counts == {}
    stored = await other.conversations.find(person)
    assert stored is not None
    assert stored.conversation.slots == ({"order": "a new word"},)
    assert len(stored.conversation.frames) == 1


async def test_what_somebody_works_on_is_left_to_them(shelf: Shelf) -> None:
    person = await shelf.somebody()
    change = turn(None, replace(following(await shelf.begun(person, **quiet(person)))), lease=None)
    before = await shelf.conversations.find(person)
    assert before is not None
    busy = lease(until=NOW + 731 * DAY)
    assert await shelf.conversations.commit(turn(before, change.after, lease=busy, due=NOW))
    assert (await swept_unchecked(shelf, 730 * DAY)).counts == {}
    assert await shelf.conversations.find(person) is not None


async def swept_unchecked(shelf: Shelf, after: timedelta) -> Report:
    shelf.clock.time = NOW + after
    return await sweeper(shelf).sweep()


async def test_a_message_while_somebody_leaves_comes_again(shelf: Shelf, mongo_uri: str, database_name: str) -> None:
    """Cut off at every operation: either they are still who they were, or no turn can begin on them until the next run."""
    cut, finished = 0, False
    while not finished:
        shelf.clock.time = NOW
        person = await talk_with(shelf)
        shelf.clock.time = NOW + 730 * DAY
        fuse = Fuse()
        broken = Shelf(settings_of(mongo_uri, database_name), shelf.keyring, shelf.clock, fuse)
        fuse.left, fuse.arrives = cut, cut % 2 == 1
        try:
            await sweeper(broken).sweep()
            finished = True
        except RetryLater:
            cut += 1
        finally:
            broken.mongo.close()
        stored = await shelf.conversations.find(person)
        known = await shelf.people.recognise(ADDRESS, shelf.clock.time)
        assert stored is None or stored.conversation.erasing or known == person
        await shelf.mongo.collection("locks").delete_many({})  # the killed process's lease runs out
        await sweeper(shelf).sweep()
        shelf.subjects._known.clear()
        assert await shelf.conversations.find(person) is None
        assert await shelf.people.recognise(ADDRESS, shelf.clock.time) is None
        await sweeper(shelf).sweep()
        await sweeper(shelf).sweep()
        assert await raw(shelf) == {}
    assert cut > 12


async def test_two_sweepers_share_the_work_and_count_it_once(shelf: Shelf, process: Process) -> None:
    for number in range(30):
        person = await shelf.somebody(Address(phone=PhoneNumber(f"+4477009001{number:02}")))
        await shelf.sends.start(f"{number:032x}", person, send(person), NOW)
        await shelf.begun(person, **quiet(person))
    shelf.clock.time = NOW + 731 * DAY
    shelves = [shelf, process(), process()]
    reports = await asyncio.gather(*(sweeper(one).sweep() for one in shelves for _ in range(2)))
    while (again := await sweeper(shelf).sweep()).counts:
        reports.append(again)
    assert all(report.unverified == 0 for report in reports)
    total = sum(map(rows_of, reports), Counter())
    assert total == {"sends": 30, "conversations": 30, "identities": 30, "subjects": 30}
    assert await raw(shelf) == {}


async def test_the_lease_of_a_killed_process_runs_out(shelf: Shelf) -> None:
    leases = Leases(shelf.mongo)
    assert await leases.take("job", Lease("a", NOW + DAY), NOW)
    assert not await leases.take("job", Lease("b", NOW + DAY), NOW + SECOND)
    assert await leases.take("job", Lease("a", NOW + 2 * DAY), NOW + SECOND), "its holder prolongs it"
    assert await leases.take("job", Lease("b", NOW + 3 * DAY), NOW + 2 * DAY)
    await leases.give_back("job", Lease("a", NOW))
    assert not await leases.take("job", Lease("c", NOW + 3 * DAY), NOW + 2 * DAY), "what is another's is not given back"
    await leases.give_back("job", Lease("b", NOW))
    assert await leases.take("job", Lease("c", NOW + 3 * DAY), NOW + 2 * DAY)


# -- what crashes leave ---------------------------------------------------------------------------------------------------------


async def test_a_key_without_a_person_goes_after_an_hour(shelf: Shelf) -> None:
    """A crash between the key and the first identity."""
    await shelf.subjects.create(PersonId("a" * 32), ADDRESS, NOW)
    assert (await swept(shelf, timedelta(minutes=59))).counts == {}
    assert (await swept(shelf, timedelta(hours=1))).counts == {("subjects", "orphan", "*"): 1}
    assert await raw(shelf) == {}


async def test_a_person_without_a_conversation_goes_when_no_message_can_come_any_more(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await swept(shelf, 7 * DAY)
    assert await shelf.people.recognise(ADDRESS, shelf.clock.time) == person
    await swept(shelf, 8 * DAY)
    assert await raw(shelf) == {}


async def test_identities_whose_making_was_cut_off(shelf: Shelf) -> None:
    """Of somebody whose key stands they are simply made by now; of nobody they go."""
    person = await shelf.somebody()
    rows = shelf.mongo.collection("identities")
    await rows.update_many({}, {"$set": {"making": NOW}})
    await rows.insert_one(
        {"_id": "f" * 64, "person": "b" * 32, "kind": "phone", "kid": "k", "since": NOW, "making": NOW}
    )
    assert (await swept(shelf, timedelta(hours=1))).counts == {("identities", "orphan", "*"): 1}
    assert {row["person"] for row in await shelf.rows("identities")} == {person}
    assert await field(shelf, "identities", "making") == []


async def test_a_conversation_of_nobody_goes(shelf: Shelf) -> None:
    """A turn that was written while its person was erased."""
    person = await talk_with(shelf)
    await shelf.subjects.destroy(person)
    await shelf.mongo.collection("identities").delete_many({})
    assert (await swept(shelf, 2 * DAY)).counts == {("conversations", "orphan", "*"): 1}


async def test_rows_of_before_the_sweeper_are_found(shelf: Shelf) -> None:
    await open_flow(shelf)
    await shelf.mongo.collection("conversations").update_many({}, {"$unset": {"sweep_at": "", "touched": ""}})
    done = await swept(shelf, 8 * DAY)
    assert ("conversations", "flow", "frames timers p/slots") in done.counts


async def test_without_the_wrapping_key_what_is_sealed_still_ends(
    shelf: Shelf, process: Process, other_keyring: Any
) -> None:
    """The part that nobody can open goes with its class; the flags in clear stay."""
    await open_flow(shelf)
    lost = process(other_keyring)
    lost.clock.time = NOW + 8 * DAY
    done = await sweeper(lost).sweep()
    assert ("conversations", "flow", "frames timers p/slots") in done.counts
    assert await field(shelf, "conversations", "p") == []


async def test_a_shorter_period_counts_for_rows_that_say_a_later_end(shelf: Shelf) -> None:
    await ticket(shelf)
    shorter = replace(DEFAULTS, lasts={**DEFAULTS.lasts, "transcript": 3 * DAY})
    await swept(shelf, 2 * DAY, shorter)
    assert len(await shelf.rows("tickets")) == 1
    await swept(shelf, 3 * DAY, shorter)
    assert await shelf.rows("tickets") == []


class Named:
    def event(self, outside_id: str) -> EventId:
        return EventId(outside_id)

    def random(self) -> str:
        return "sequencer"


async def sequence(shelf: Shelf) -> None:
    """Gives the events their places and signs heads, as the bot does beside its work."""
    one = Sequencer(MongoLeaves(shelf.mongo), shelf.keyring.sign, None, Named(), shelf.clock, every=timedelta())
    await one.look()
    await one.look()


async def consent(shelf: Shelf, number: int, address: Address, state: str) -> None:
    person = await shelf.somebody(address)
    until = shelf.clock.time + YEAR if state == "given" else None
    event = replace(
        consent_event(CommandId(f"{number:032x}")),
        event_type=state,
        state_after=state,
        occurred_at=shelf.clock.time,
        valid_until=until,
    )
    await shelf.ledger.record(person, event, shelf.clock.time)


async def test_an_epoch_of_the_ledger_goes_when_all_of_its_proofs_are_past_their_time(shelf: Shelf) -> None:
    """One person withdrew then, another's consent ended a year later: both proofs must be over (privacy.md 3.5)."""
    await consent(shelf, 1, ADDRESS, "withdrawn")
    await consent(shelf, 2, RUI, "given")
    await sequence(shelf)
    shelf.clock.time = NOW + 3 * YEAR + DAY
    await consent(shelf, 3, ADDRESS, "withdrawn")
    await sequence(shelf)
    assert ("ledger", "evidence", "*") not in (await swept(shelf, 4 * YEAR - DAY)).counts
    done = await swept(shelf, 4 * YEAR)
    assert done.counts["ledger", "evidence", "*"] == 2
    assert done.counts["ledger_leaves", "evidence", "*"] == 4, "with the lines that open and close it"
    assert {row["_id"] for row in await shelf.rows("ledger")} == {f"{3:032x}"}
    assert {row["_id"].partition(":")[0] for row in await shelf.rows("ledger_leaves")} == {"2029-05"}
    heads = await MongoLeaves(shelf.mongo).heads()
    [word] = [one for one in heads if one.pruned]
    assert (word.epoch, word.size) == ("2026-05", 4)
    assert word.verified_by(shelf.keyring.verifying_keys())
    assert ("ledger", "evidence", "*") not in (await swept(shelf, 4 * YEAR)).counts


async def test_the_replay_file_is_shortened_too(shelf: Shelf, tmp_path: Path, clock: Ticking) -> None:
    path = tmp_path / "replay"
    await Replays(shelf.mongo, ReplayFile(path)).erased(CommandId("e" * 32), PersonId("a" * 32), "r" * 32, NOW)
    clock.time = NOW + 36 * DAY
    assert (await sweeper(shelf, file=path).due()).counts == (await sweeper(shelf, file=path).sweep()).counts
    assert path.read_text() == ""


def test_every_class_that_ends_has_a_case_here() -> None:
    """A new class of the register must be shown to end."""
    shown = {case.values[1] for case in CLASSES}
    by_row = {  # their rows end by `expires`, as those of `sent` do
        field.retention.name
        for name in retention.row_ending()
        for field in COLLECTIONS[name].fields
        if field.path == "expires"
    }
    elsewhere = {"with_sealed", "version", "running"}
    assert set(retention.retentions()) - shown - by_row - elsewhere == set()
