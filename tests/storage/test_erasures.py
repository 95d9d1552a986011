"""An erasure cut off anywhere is finished by whoever looks next, and leaves nobody behind (GDPR art. 17)."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from bot.domain.command import Erase
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber, command_id
from bot.domain.message import TextMessage
from bot.privacy.erasure import STEPS, next_step
from bot.privacy.keyring import Keyring
from bot.runtime.ports import ErasureJob, Stored
from tests.e2e import traces
from tests.storage.shelf import (
    ADDRESS,
    DAY,
    NOW,
    SECOND,
    SECRETS,
    SHOWN,
    Fuse,
    Shelf,
    Ticking,
    event,
    following,
    lease,
    settings_of,
    turn,
    whole_life,
)

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
RECEIPT = TextMessage(SHOWN)


@pytest.fixture
async def fused(
    process: Process, mongo_uri: str, database_name: str, keyring: Keyring, clock: Ticking
) -> AsyncIterator[tuple[Shelf, Fuse]]:
    """A process whose way to the database can be cut."""
    fuse = Fuse()
    shelf = Shelf(settings_of(mongo_uri, database_name), keyring, clock, fuse)
    yield shelf, fuse
    shelf.mongo.close()


def erase(person: PersonId) -> Erase:
    return Erase(command_id(person, 2, 0), NOW, "pt", RECEIPT)


async def asked(shelf: Shelf, address: Address = ADDRESS) -> Stored:
    """Somebody with a whole life asked to be erased, and the turn is committed."""
    person = await whole_life(shelf, address)
    before = await shelf.conversations.find(person)
    assert before is not None
    after = following(before, erasing=True, standing=before.conversation.standing + 1)
    stored = await shelf.conversations.commit(turn(before, after, erase(person), events=(event(3),), due=NOW))
    assert stored is not None
    return stored


async def finish(shelf: Shelf, job: ErasureJob) -> None:
    """The steps in their order, as the runtime takes them."""
    while (step := next_step(job.done)) is not None:
        if step.name == "key":
            job = await shelf.erasures.destroy_key(job, NOW)
        elif step.name == "close":
            await shelf.erasures.close(job, NOW)
            return
        else:
            if step.name == "rows":
                await shelf.erasures.delete_rows(job)
            job = await shelf.erasures.finished(job, step.name)


async def taken_up(shelf: Shelf, person: PersonId, later: int) -> None:
    """What a process does that finds work left behind: the job row drives, or the pending command where there is none yet."""
    now = NOW + later * DAY
    jobs = await shelf.erasures.unfinished(lease(f"{later:032x}", until=now + SECOND), now)
    stored = await shelf.conversations.find(person)
    if not jobs and stored is not None:
        jobs = [await shelf.erasures.begin(stored, erase(person), NOW)]
    for job in jobs:
        await finish(shelf, job)


def remaining(uri: str, name: str) -> set[str]:
    both = (name, f"{name}_vault")
    return {collection for collection, _ in traces.documents(uri, both)} - traces.ABOUT_NOBODY


def where_found(uri: str, name: str, *secrets: str) -> list[str]:
    return traces.found(uri, (name, f"{name}_vault"), secrets)


# -- the whole way --------------------------------------------------------------------------------------------------------


async def test_an_erased_person_is_found_nowhere(shelf: Shelf, mongo_uri: str, database_name: str) -> None:
    """Neither number, user id, name, words nor message id: in clear, base64 or hex, in any field of any collection."""
    stored = await asked(shelf)
    person = stored.conversation.person
    await finish(shelf, await shelf.erasures.begin(stored, erase(person), NOW))
    assert where_found(mongo_uri, database_name, *SECRETS) == []
    assert remaining(mongo_uri, database_name) == set(traces.KEPT)
    assert where_found(mongo_uri, database_name, person) == ["audit_log: secret 0", "replay: secret 0"]
    assert await shelf.people.recognise(ADDRESS, NOW) is None
    assert await shelf.people.address(person) is None
    assert await shelf.people.gone([event(1), event(2), event(3), event(4)]) == {event(1), event(2), event(3)}


async def test_the_search_finds_what_is_hidden(shelf: Shelf, mongo_uri: str, database_name: str) -> None:
    """The test above could not fail if the search saw nothing."""
    number, words = SECRETS[0], SECRETS[4]
    rows = shelf.mongo.collection("locks")
    await rows.insert_one({"_id": "plain", "holder": f"to {words}!"})
    await rows.insert_one({"_id": "b64", "holder": base64.b64encode(b"x" + number.encode() + b"y").decode()})
    await rows.insert_one({"_id": "hex", "holder": {"deep": [bytes.fromhex(number.encode().hex())]}})
    assert where_found(mongo_uri, database_name, words, number) == ["locks: secret 0", "locks: secret 1"]
    for row_id in ("plain", "b64"):
        await rows.delete_one({"_id": row_id})
    assert where_found(mongo_uri, database_name, words, number) == ["locks: secret 1"]


async def test_what_is_kept_says_nothing_of_the_request(shelf: Shelf) -> None:
    """The request row loses person and words and is answered; the suppression stands; the skeleton keeps its commitment."""
    stored = await asked(shelf)
    await finish(shelf, await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW))
    [request] = await shelf.rows("requests")
    assert (request["state"], request["closed_at"]) == ("answered", NOW)
    assert not {"person", "p"} & set(request)
    assert await shelf.suppressions.standing(ADDRESS) == {"newsletter": NOW}
    [skeleton] = await shelf.rows("ledger")
    assert skeleton["state_after"] == "given"
    [replay] = [row for row in await shelf.rows("replay") if row["kind"] == "erasure"]
    assert (replay["kind"], replay["person"]) == ("erasure", stored.conversation.person)


async def test_others_are_left_alone(shelf: Shelf) -> None:
    other = await whole_life(shelf, Address(phone=PhoneNumber("+447700900123")))
    before = await shelf.copies.rows_of(other)
    stored = await asked(shelf)
    await finish(shelf, await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW))
    assert await shelf.copies.rows_of(other) == before


async def test_the_job_holds_what_finishing_needs(shelf: Shelf, process: Process) -> None:
    """Address and receipt are readable after the person's key is gone, under the job's own key alone."""
    stored = await asked(shelf)
    job = await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    gone = await shelf.erasures.destroy_key(job, NOW + SECOND)
    assert (gone.done, gone.key_gone_at) == ("key", NOW + SECOND)
    [found] = await process().erasures.unfinished(lease(), NOW + DAY)
    assert found == gone
    assert (found.address, found.receipt, found.language) == (ADDRESS, RECEIPT, "pt")
    assert found.window_until == stored.conversation.window_until


# -- cut off --------------------------------------------------------------------------------------------------------------


def _addresses() -> Iterator[Address]:
    for number in range(200):
        yield Address(PhoneNumber(f"+1555011{number:04d}"), Bsuid(f"US.7{number:019d}"))


@pytest.mark.parametrize(
    "arrives", [pytest.param(False, id="before it arrives"), pytest.param(True, id="before the answer")]
)
async def test_an_erasure_cut_off_at_any_operation_is_finished_by_the_next(
    shelf: Shelf, fused: tuple[Shelf, Fuse], mongo_uri: str, database_name: str, arrives: bool
) -> None:
    """For each single database operation of an erasure: cut off there, taken up by another process, complete all the same."""
    broken, fuse = fused
    cut, secrets = 0, list(SECRETS)
    for address in _addresses():
        stored = await asked(shelf, address)
        person = stored.conversation.person
        secrets += [address.phone.value[1:], address.bsuid.value]  # type: ignore[union-attr]
        fuse.left, fuse.arrives = cut, arrives
        try:
            await finish(broken, await broken.erasures.begin(stored, erase(person), NOW))
        except RetryLater:
            fuse.left = None
            await taken_up(shelf, person, 1)
        else:
            break
        assert await shelf.people.recognise(address, NOW) is None
        cut += 1
    assert cut > len(STEPS)
    assert where_found(mongo_uri, database_name, *secrets) == []
    assert remaining(mongo_uri, database_name) == set(traces.KEPT)
    assert {row["state"] for row in await shelf.rows("requests")} == {"answered"}
    assert len([row for row in await shelf.rows("replay") if row["kind"] == "erasure"]) == cut + 1


async def test_every_step_may_be_done_again(shelf: Shelf) -> None:
    """A process that begins anew gets the job as it stands; the address in it is not overwritten by what is already gone."""
    stored = await asked(shelf)
    command = erase(stored.conversation.person)
    first = await shelf.erasures.begin(stored, command, NOW)
    assert await shelf.erasures.begin(stored, command, NOW + SECOND) == first
    job = await shelf.erasures.destroy_key(first, NOW)
    again = await shelf.erasures.begin(stored, command, NOW + SECOND)
    assert again == job
    assert again.address == ADDRESS
    for _ in range(2):
        await shelf.erasures.delete_rows(job)
    for _ in range(2):
        await shelf.erasures.close(job, NOW)
    assert await shelf.rows("erasure_jobs") == []


async def test_an_erasure_without_key_and_job_asks_for_a_human(shelf: Shelf) -> None:
    """Nothing is guessed: the command stays and is tried again (fail closed)."""
    stored = await asked(shelf)
    await shelf.subjects.destroy(stored.conversation.person)
    with pytest.raises(RetryLater, match="operator"):
        await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)


async def test_of_two_who_work_on_one_job_one_goes_on(shelf: Shelf, process: Process) -> None:
    """So that the person gets one receipt, though a lease ran out while its owner still worked."""
    stored = await asked(shelf)
    job = await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    job = await shelf.erasures.destroy_key(job, NOW)
    shelves = [shelf, process()]
    results = await asyncio.gather(
        *(shelves[number % 2].erasures.finished(job, "rows") for number in range(10)), return_exceptions=True
    )
    assert [one.done for one in results if isinstance(one, ErasureJob)] == ["rows"]
    assert sum(isinstance(one, RetryLater) for one in results) == 9


async def test_a_job_is_taken_up_by_one_process_and_only_when_nobody_works_on_it(
    shelf: Shelf, process: Process
) -> None:
    stored = await asked(shelf)
    await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    assert await shelf.erasures.unfinished(lease("b" * 32), NOW + SECOND) == []
    shelves = [process() for _ in range(4)]
    leases = [lease(f"{number:032x}", until=NOW + 2 * DAY) for number in range(4)]
    taken = await asyncio.gather(
        *(one.erasures.unfinished(own, NOW + DAY) for one, own in zip(shelves, leases, strict=True))
    )
    assert sum(len(one) for one in taken) == 1


async def test_a_job_that_cannot_be_opened_does_not_stop_the_others(
    shelf: Shelf, process: Process, other_keyring: Keyring
) -> None:
    """A job of other keys is left for an operator."""
    stored = await asked(shelf)
    await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    assert await process(other_keyring).erasures.unfinished(lease("b" * 32, until=NOW + DAY), NOW + DAY) == []
    assert len(await shelf.erasures.unfinished(lease("c" * 32), NOW + 2 * DAY)) == 1
