"""Each event gets one place, without a gap, whoever tries and whenever somebody is killed; heads say what stands."""

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
import pytest

from bot.domain.errors import RetryLater
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber, command_id
from bot.privacy.erasure import row_actions
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.heads import sign_head
from bot.privacy.ledger.leaves import Entry, commitment, place
from bot.privacy.ledger.report import Report
from bot.privacy.ledger.tree import included, inclusion_proof, root
from bot.privacy.ledger.verify import Verifier
from bot.runtime.ports import Lease
from bot.runtime.sequencer import LedgerBroken, Sequencer
from bot.storage.anchors import FileDrop, read_heads
from bot.storage.documents import unseal
from bot.storage.leaves import MongoLeaves
from tests.storage.conftest import fresh_keyring
from tests.storage.shelf import Fuse, Shelf, Ticking, consent_event, settings_of

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
MINUTE = timedelta(minutes=1)


class Numbers:
    """Ids that differ from process to process."""

    def __init__(self, name: str) -> None:
        self._name = name

    def event(self, outside_id: str) -> Any:
        raise AssertionError(outside_id)

    def random(self) -> str:
        return self._name


def sequencer(shelf: Shelf, name: str = "one", anchor: FileDrop | None = None) -> Sequencer:
    return Sequencer(MongoLeaves(shelf.mongo), shelf.keyring.sign, anchor, Numbers(name), shelf.clock, every=MINUTE)


async def recorded(shelf: Shelf, count: int, *, first: int = 0, person: PersonId | None = None) -> list[CommandId]:
    someone = person or await shelf.somebody()
    ids = [command_id(someone, first + number, 1) for number in range(count)]
    for one in ids:
        await shelf.ledger.record(someone, consent_event(one), shelf.clock.now())
    return ids


async def checked(shelf: Shelf, outside: Any = ()) -> Report:
    """The verification of what is stored now."""
    leaves = MongoLeaves(shelf.mongo)
    verifier = Verifier(shelf.keyring.verifying_keys(), await leaves.heads(), outside, own_keys=False)
    async for entry in leaves.entries():
        verifier.entry(entry)
    async for batch in leaves.unsequenced(None, 100):
        for event, _ in batch:
            verifier.loose(event, None)
    return verifier.finish()


async def places(shelf: Shelf) -> list[Entry]:
    return [entry async for entry in MongoLeaves(shelf.mongo).entries()]


async def test_every_event_gets_its_place_and_a_signed_head(shelf: Shelf) -> None:
    ids = await recorded(shelf, 7)
    assert await sequencer(shelf).look() == 7
    stored = await places(shelf)
    assert [entry.event for entry in stored] == ["open:2026-05", *sorted(ids)]
    assert [entry.id for entry in stored] == [place("2026-05", number) for number in range(8)]
    [head] = await MongoLeaves(shelf.mongo).heads()
    assert (head.epoch, head.size, head.root) == ("2026-05", 8, root([entry.leaf for entry in stored]))
    report = await checked(shelf)
    assert report.well, report.findings
    assert (report.events, report.unsequenced, report.unanchored) == (7, 0, 0)


async def test_an_event_without_a_place_is_counted(shelf: Shelf) -> None:
    await recorded(shelf, 2)
    await sequencer(shelf).look()
    await recorded(shelf, 3, first=2)
    report = await checked(shelf)
    assert report.well
    assert (report.events, report.unsequenced, report.unanchored) == (2, 3, 3)


async def test_a_second_look_does_nothing(shelf: Shelf, clock: Ticking) -> None:
    await recorded(shelf, 3)
    one = sequencer(shelf)
    assert await one.look() == 3
    before = [await shelf.rows(name) for name in ("ledger_leaves", "ledger_heads")]
    clock.time += 5 * MINUTE
    assert await one.look() == 0
    assert [await shelf.rows(name) for name in ("ledger_leaves", "ledger_heads")] == before


async def test_only_one_process_leads_until_its_lease_runs_out(shelf: Shelf, process: Process, clock: Ticking) -> None:
    first, second = sequencer(shelf, "one"), sequencer(process(), "two")
    await recorded(shelf, 1)
    assert await first.look() == 1
    await recorded(shelf, 1, first=1)
    assert await second.look() == 0
    clock.time += MINUTE
    assert await second.look() == 1
    await recorded(shelf, 1, first=2)
    assert await first.look() == 0


async def test_a_late_writers_event_is_found(shelf: Shelf, clock: Ticking) -> None:
    """Recorded a while ago by its own clock, and inserted only now."""
    one = sequencer(shelf)
    await one.look()
    for behind in (timedelta(seconds=10), timedelta(minutes=40), timedelta(days=3)):
        clock.time += timedelta(hours=7)
        now, clock.time = clock.time, clock.time - behind
        await recorded(shelf, 1, first=int(behind.total_seconds()))
        clock.time = now
        assert await one.look() == 1


async def test_a_head_is_signed_at_most_once_a_minute(shelf: Shelf, clock: Ticking) -> None:
    one = sequencer(shelf)
    for number in range(12):
        await recorded(shelf, 1, first=number)
        await one.look()
        clock.time += timedelta(seconds=20)
    sizes = [head.size for head in await MongoLeaves(shelf.mongo).heads()]
    assert sizes == [2, 5, 8, 11]


async def test_the_epochs_hang_together(shelf: Shelf, clock: Ticking) -> None:
    """A month ends with a line that closes it; the next begins with the root of all of it."""
    one = sequencer(shelf)
    for month in (5, 6, 8):
        clock.time = datetime(2026, month, 3, tzinfo=UTC)
        await recorded(shelf, 2, first=month * 10)
        assert await one.look() == 2
    markers = [entry.id + " " + entry.event for entry in await places(shelf) if entry.is_marker]
    assert markers == [
        "2026-05:0000000000 open:2026-05", "2026-05:0000000003 close:2026-05", "2026-06:0000000000 open:2026-06",
        "2026-06:0000000003 close:2026-06", "2026-08:0000000000 open:2026-08",
    ]  # fmt: skip
    assert (await checked(shelf)).well


async def test_a_clock_set_back_opens_no_closed_epoch(shelf: Shelf, clock: Ticking) -> None:
    one = sequencer(shelf)
    for now in (
        datetime(2026, 6, 30, 23, 59, tzinfo=UTC),
        datetime(2026, 7, 1, tzinfo=UTC),
        datetime(2026, 6, 29, tzinfo=UTC),
    ):
        clock.time = now
        await recorded(shelf, 1, first=now.day)
        assert await one.look() == 1
    assert [entry.epoch for entry in await places(shelf) if not entry.is_marker] == ["2026-06", "2026-07", "2026-07"]
    assert (await checked(shelf)).well


async def test_a_process_that_fell_behind_cannot_write(shelf: Shelf, process: Process, clock: Ticking) -> None:
    """Its lease ran out while it slept; its place is taken or its epoch closed, so nothing of it arrives."""
    await recorded(shelf, 1)
    await sequencer(shelf).look()
    leaves, tail = MongoLeaves(process().mongo), (await places(shelf))[-1]
    clock.time = datetime(2026, 6, 1, tzinfo=UTC)
    await recorded(shelf, 1, first=1)
    await sequencer(shelf).look()
    late = [Entry(tail.epoch, tail.seq + number, f"late{number}", bytes(32), None) for number in (1, 2)]
    assert not await leaves.append(late)
    assert (await checked(shelf)).well


async def test_an_event_cannot_have_two_places(shelf: Shelf) -> None:
    [event] = await recorded(shelf, 1)
    await sequencer(shelf).look()
    tail = (await places(shelf))[-1]
    assert not await MongoLeaves(shelf.mongo).append([replace(tail, seq=tail.seq + 1)])
    assert [entry.event for entry in await places(shelf)].count(event) == 1


async def test_nothing_is_signed_over_leaves_that_are_not_those_signed_before(
    shelf: Shelf, process: Process, clock: Ticking
) -> None:
    await recorded(shelf, 5)
    await sequencer(shelf).look()
    await shelf.mongo.main["ledger_leaves"].update_one({"_id": place("2026-05", 3)}, {"$set": {"leaf": bytes(32)}})
    clock.time += 2 * MINUTE
    await recorded(shelf, 1, first=5)
    with pytest.raises(LedgerBroken):
        await sequencer(process(), "two").look()
    assert len(await shelf.rows("ledger_heads")) == 1


async def test_heads_are_dropped_once_and_again_after_a_refusal(shelf: Shelf, clock: Ticking, tmp_path: Path) -> None:
    folder = tmp_path / "anchor"
    one = sequencer(shelf, anchor=FileDrop(folder))
    await recorded(shelf, 2)
    await one.look()
    folder.mkdir()
    await one.look()
    heads, troubles = read_heads(folder)
    assert (heads, troubles) == (list(await MongoLeaves(shelf.mongo).heads()), [])
    clock.time += 2 * MINUTE
    await one.look()
    await sequencer(shelf, anchor=FileDrop(folder)).look()
    assert len(list(folder.iterdir())) == 1


async def test_a_head_that_was_cut_short_is_dropped_anew(shelf: Shelf, tmp_path: Path) -> None:
    await recorded(shelf, 1)
    await sequencer(shelf).look()
    [head] = await MongoLeaves(shelf.mongo).heads()
    await FileDrop(tmp_path).drop(head)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:50])
    await FileDrop(tmp_path).drop(head)
    heads, troubles = read_heads(tmp_path)
    assert heads == [head]
    assert len(troubles) == 1


@pytest.mark.parametrize(
    "arrives", [pytest.param(False, id="lost on its way"), pytest.param(True, id="only its answer lost")]
)
async def test_cut_off_at_any_write_nothing_is_left_out_or_doubled(
    shelf: Shelf, mongo_uri: str, database_name: str, keyring: Keyring, clock: Ticking, arrives: bool
) -> None:
    """Each single write fails once, in a month that ends meanwhile, and another process goes on."""
    expected: list[str] = []
    for step in range(14):
        fuse = Fuse()
        broken = Shelf(settings_of(mongo_uri, database_name), keyring, clock, fuse)
        expected += await recorded(shelf, 3, first=step * 10)
        clock.time += timedelta(days=11)
        one = sequencer(broken, f"broken{step}")
        fuse.left, fuse.arrives = step % 9, arrives
        try:
            await one.look()
        except RetryLater:
            clock.time += MINUTE
        broken.mongo.close()
        await until_done(sequencer(shelf, f"well{step}"), clock)
    report = await checked(shelf)
    assert report.well, report.findings
    assert sorted(entry.event for entry in await places(shelf) if not entry.is_marker) == sorted(expected)


async def until_done(one: Sequencer, clock: Ticking) -> None:
    for _ in range(8):
        clock.time += timedelta(minutes=2)
        try:
            if await one.look() == 0:
                return
        except RetryLater:
            continue
    raise AssertionError("it does not come to an end")


async def test_eight_at_once_leave_no_gap_and_double_nothing(shelf: Shelf, process: Process) -> None:
    """Without any lease, over connections of their own: what keeps order is the places themselves."""
    shelves = [process() for _ in range(8)]
    people = [await shelf.somebody()]
    expected: list[str] = []

    class Unled(MongoLeaves):
        async def lead(self, lease: Lease, now: datetime) -> bool:
            del lease, now
            return True

    async def work(number: int) -> None:
        own = shelves[number]
        one = Sequencer(Unled(own.mongo), own.keyring.sign, None, Numbers(str(number)), own.clock, every=timedelta())
        for turn in range(5):
            expected.extend(await recorded(own, 4, first=1000 * number + 10 * turn, person=people[0]))
            try:
                await one.look()
            except RetryLater:
                continue

    await asyncio.gather(*(work(number) for number in range(8)))
    last = Sequencer(Unled(shelf.mongo), shelf.keyring.sign, None, Numbers("last"), shelf.clock, every=timedelta())
    await until_done(last, shelf.clock)
    report = await checked(shelf)
    assert report.well, report.findings
    assert (report.events, report.unsequenced) == (160, 0)
    assert sorted(entry.event for entry in await places(shelf) if not entry.is_marker) == sorted(expected)


async def killed_while_sequencing(uri: str, database: str, folder: Path, wait: float) -> None:
    command = [sys.executable, "-m", "tests.storage.sequencing", uri, database, str(folder)]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    line = await child.stdout.readline()
    assert line == b"begun\n"
    await asyncio.sleep(wait)
    child.send_signal(signal.SIGKILL)
    await child.wait()


async def test_killed_in_the_middle_another_process_goes_on(
    shelf: Shelf, mongo_uri: str, database_name: str, keyring: Keyring, clock: Ticking, tmp_path: Path
) -> None:
    """`kill -9` at moments the scheduler chooses, over the wire, with the months passing quickly."""
    keys = fresh_keyring(tmp_path / "keys")
    expected = await recorded(shelf, 120)
    for number in range(6):
        await killed_while_sequencing(mongo_uri, database_name, tmp_path / "keys", 0.01 + 0.03 * number)
    clock.time = datetime(2030, 1, 1, tzinfo=UTC)
    again = Sequencer(MongoLeaves(shelf.mongo), keys.sign, None, Numbers("again"), clock, every=MINUTE)
    await until_done(again, clock)
    leaves = MongoLeaves(shelf.mongo)
    verifier = Verifier(keys.verifying_keys(), await leaves.heads(), own_keys=False)
    for entry in await places(shelf):
        verifier.entry(entry)
    report = verifier.finish()
    assert report.well, report.findings
    assert sorted(entry.event for entry in await places(shelf) if not entry.is_marker) == sorted(expected)


async def test_after_erasures_every_other_proof_holds(shelf: Shelf, clock: Ticking) -> None:
    """Three of nine people go: their words, salts and keys are nowhere, their leaves verify as before, and so do all others."""
    people = []
    for number in range(9):
        person = await shelf.somebody(Address(PhoneNumber(f"+155501001{number:02}")))
        [event] = await recorded(shelf, 1, person=person)
        people.append((person, event))
    await sequencer(shelf).look()
    before = await places(shelf)
    all_leaves = [entry.leaf for entry in before]
    secrets = {row["_id"]: (bytes(row["salt"]), bytes(row["key"])) for row in await shelf.rows("subjects")}
    sealed = {row["_id"]: bytes(row["p"]) for row in await shelf.rows("evidence")}
    for person, _ in people[::3]:
        await shelf.subjects.destroy(person)
        for action in row_actions():
            if action.delete:
                await shelf.mongo.collection(action.collection).delete_many({action.found_by: person})
    report = await checked(shelf)
    assert report.well, report.findings
    assert await places(shelf) == before
    head = (await MongoLeaves(shelf.mongo).heads())[-1]
    for seq, entry in enumerate(before):
        assert included(entry.leaf, seq, head.size, inclusion_proof(all_leaves, seq), head.root)
    raw = b"".join([bson.encode(row) async for _, row in shelf.mongo.scan()])
    for number, (person, event) in enumerate(people):
        traces = [one in raw for one in (*secrets[person], sealed[event])]
        assert traces == [number % 3 != 0] * 3


async def test_a_pruned_epoch_leaves_its_signed_word(shelf: Shelf, clock: Ticking) -> None:
    """The deletion may break off and be repeated; after it the rest verifies, and without the word it would not."""
    one = sequencer(shelf)
    for month in (5, 6):
        clock.time = datetime(2026, month, 3, tzinfo=UTC)
        await recorded(shelf, 3, first=month * 10)
        await one.look()
    leaves = MongoLeaves(shelf.mongo)
    old = [head for head in await leaves.heads() if head.epoch == "2026-05"][-1]
    word = sign_head(old.epoch, old.size, old.root, clock.time, shelf.keyring.sign, pruned=True)
    assert await leaves.prune(word) == 5
    assert await leaves.prune(word) == 0
    assert len(await shelf.rows("ledger")) == 3
    report = await checked(shelf)
    assert report.well, report.findings
    assert report.pruned == ("2026-05",)
    await recorded(shelf, 1, first=99)
    clock.time += 2 * MINUTE
    assert await sequencer(shelf, "later").look() == 1
    assert (await checked(shelf)).well
    await shelf.mongo.main["ledger_heads"].delete_one({"_id": word.id})
    assert not (await checked(shelf)).well


async def test_the_text_of_a_commitment_cannot_be_guessed_without_the_salt(shelf: Shelf) -> None:
    """Also not by who knows every word and tries them: the salt is 256 random bits (privacy.md 3.6, T3.6)."""
    [event] = await recorded(shelf, 1)
    [row], [subject], [evidence] = [await shelf.rows(name) for name in ("ledger", "subjects", "evidence")]
    words = unseal(
        (await shelf.subjects.key(subject["_id"])),
        evidence["p"],
        collection="evidence",
        row=event,
        field="p",
        person=subject["_id"],
    )  # type: ignore[arg-type]
    assert bytes(row["commit"]) == commitment(bytes(subject["salt"]), event, words)
    guesses = [bytes(32), event.encode(), subject["subject_ref"].encode(), subject["_id"].encode(), b"+15550100188"]
    assert bytes(row["commit"]) not in {commitment(one.ljust(32, b"\0"), event, words) for one in guesses}
    assert len(bytes(subject["salt"])) == 32
