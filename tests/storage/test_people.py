"""Who somebody is: one person however many ask at once, and no way back to who was erased."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.domain.conversation import Conversation
from bot.domain.ids import Address, Bsuid, EventId, PersonId, PhoneNumber
from bot.privacy.keyring import Keyring
from bot.storage.subjects import REMEMBERED
from tests.storage.conftest import fresh_keyring
from tests.storage.shelf import ADDRESS, BSUID, NOW, NUMBER, SECOND, Shelf, Ticking, turn

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]

PHONE = PhoneNumber(NUMBER)
OTHER_PHONE = PhoneNumber("+447700900123")
THIS, OTHER = Bsuid(BSUID), Bsuid("GB.99110022003300440055")
BRAZIL = (PhoneNumber("+5511987654321"), PhoneNumber("+551187654321"))


async def people_known(shelf: Shelf) -> set[str]:
    """Whoever an identity leads to; every one of them has a key, and nobody else has."""
    persons = {row["person"] for row in await shelf.rows("identities")}
    assert {row["_id"] for row in await shelf.rows("subjects")} == persons
    return persons


async def test_who_is_not_known_is_nobody(shelf: Shelf) -> None:
    assert await shelf.people.recognise(ADDRESS, NOW) is None
    assert await shelf.rows("identities") == []


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(ADDRESS, id="both"),
        pytest.param(Address(phone=PHONE), id="the number alone"),
        pytest.param(Address(bsuid=THIS), id="the user id alone"),
        pytest.param(Address(phone=OTHER_PHONE, bsuid=THIS), id="the user id with a new number"),
    ],
)
async def test_an_admitted_person_is_recognised(shelf: Shelf, process: Process, again: Address) -> None:
    person = await shelf.people.admit(ADDRESS, NOW)
    assert await process().people.recognise(again, NOW) == person
    assert await process().people.admit(again, NOW) == person
    assert await people_known(shelf) == {person}


@pytest.mark.parametrize(
    ("first", "second"), [pytest.param(0, 1, id="with the nine first"), pytest.param(1, 0, id="without it first")]
)
async def test_both_spellings_of_a_number_are_one_person(shelf: Shelf, first: int, second: int) -> None:
    person = await shelf.people.admit(Address(phone=BRAZIL[first]), NOW)
    assert await shelf.people.recognise(Address(phone=BRAZIL[second]), NOW) == person


async def test_a_user_id_is_bound_to_a_number_without_one(shelf: Shelf) -> None:
    """Known by number, then a message with both: the same person, now found by either (decisions.md 2)."""
    person = await shelf.people.admit(Address(phone=PHONE), NOW)
    assert await shelf.people.recognise(ADDRESS, NOW) == person
    await shelf.people.bind(person, ADDRESS, NOW)
    assert await shelf.people.recognise(Address(bsuid=THIS), NOW) == person
    assert await shelf.people.address(person) == ADDRESS


async def test_a_number_with_another_user_id_is_a_new_person(shelf: Shelf) -> None:
    """Numbers are given to new owners: what the old one said is not shown to the new one (decisions.md 2)."""
    old = await shelf.people.admit(ADDRESS, NOW)
    recycled = Address(phone=PHONE, bsuid=OTHER)
    assert await shelf.people.recognise(recycled, NOW) is None
    new = await shelf.people.admit(recycled, NOW)
    assert new != old
    assert await shelf.people.recognise(Address(phone=PHONE), NOW) == new
    assert await shelf.people.recognise(Address(bsuid=THIS), NOW) == old


async def test_nothing_goes_to_the_old_owner_under_a_number_given_on(shelf: Shelf, process: Process) -> None:
    """Else a message for one person reaches another one's phone (GDPR art. 5(1)(f), 32)."""
    old = await shelf.people.admit(ADDRESS, NOW)
    new = await shelf.people.admit(Address(phone=PHONE, bsuid=OTHER), NOW)
    assert await process().people.address(old) == Address(bsuid=THIS)
    assert await process().people.address(new) == Address(phone=PHONE, bsuid=OTHER)


async def test_binding_a_known_person_to_a_given_number_takes_it_over(shelf: Shelf) -> None:
    """Both are known, and the number comes with the second one's user id: the user id decides."""
    first = await shelf.people.admit(ADDRESS, NOW)
    second = await shelf.people.admit(Address(phone=OTHER_PHONE, bsuid=OTHER), NOW)
    moved = Address(phone=PHONE, bsuid=OTHER)
    assert await shelf.people.recognise(moved, NOW) == second
    for _ in range(2):
        await shelf.people.bind(second, moved, NOW)
    assert await shelf.people.recognise(Address(phone=PHONE), NOW) == second
    assert await shelf.people.address(first) == Address(bsuid=THIS)
    assert await shelf.people.address(second) == moved


async def test_a_newer_address_keeps_what_it_does_not_say(shelf: Shelf, process: Process) -> None:
    person = await shelf.people.admit(ADDRESS, NOW)
    await shelf.people.bind(person, Address(bsuid=THIS), NOW)
    assert await process().people.address(person) == ADDRESS
    await shelf.people.bind(person, Address(phone=OTHER_PHONE), NOW)
    assert await process().people.address(person) == Address(OTHER_PHONE, THIS)


# -- races ----------------------------------------------------------------------------------------------------------------

RACES: Sequence[object] = [
    pytest.param([ADDRESS], id="the same address"),
    pytest.param([ADDRESS, Address(phone=PHONE)], id="both, or the number alone"),
    pytest.param([ADDRESS, Address(bsuid=THIS)], id="both, or the user id alone"),
    pytest.param([Address(phone=one) for one in BRAZIL], id="two spellings of a number"),
]


@pytest.mark.parametrize("addresses", RACES)
async def test_many_who_admit_at_once_admit_one_person(
    shelf: Shelf, process: Process, addresses: list[Address]
) -> None:
    """Fifty at once in three processes: one person, one key, and no other row left behind."""
    shelves = [shelf, process(), process()]
    admitted = await asyncio.gather(
        *(shelves[number % 3].people.admit(addresses[number % len(addresses)], NOW) for number in range(50))
    )
    assert set(admitted) == await people_known(shelf)
    assert len(set(admitted)) == 1


async def test_fifty_races_of_two_leave_fifty_people(shelf: Shelf, process: Process) -> None:
    """A message with both identities against one with the number alone, each time in two processes."""
    other = process()
    for number in range(50):
        phone = PhoneNumber(f"+1555010{number:04d}")
        both = Address(phone=phone, bsuid=Bsuid(f"US.{number:020d}"))
        pair = await asyncio.gather(shelf.people.admit(both, NOW), other.people.admit(Address(phone=phone), NOW))
        assert len(set(pair)) == 1
    assert len(await people_known(shelf)) == 50


async def test_new_owners_racing_for_a_number_are_one_person(shelf: Shelf, process: Process) -> None:
    old = await shelf.people.admit(ADDRESS, NOW)
    recycled = Address(phone=PHONE, bsuid=OTHER)
    shelves = [shelf, process()]
    admitted = await asyncio.gather(*(shelves[number % 2].people.admit(recycled, NOW) for number in range(20)))
    assert len(set(admitted)) == 1
    assert await people_known(shelf) == {old, admitted[0]}


# -- erased, unreadable, rotated ------------------------------------------------------------------------------------------


async def test_identities_bound_too_late_do_not_lead_to_an_erased_person(shelf: Shelf) -> None:
    """A process that read before the erasure and writes after it takes its rows back; the next message makes somebody new."""
    person = await shelf.people.admit(ADDRESS, NOW)
    await shelf.subjects.destroy(person)
    await shelf.people.bind(person, Address(phone=OTHER_PHONE, bsuid=THIS), NOW)
    assert await shelf.rows("identities") == []
    again = await shelf.people.admit(ADDRESS, NOW)
    assert again != person
    assert await people_known(shelf) == {again}


async def test_an_erasure_in_the_middle_of_binding_is_noticed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key was there when it was asked for and is gone when the rows are written: they go again (GDPR art. 17)."""
    person = await shelf.people.admit(Address(bsuid=THIS), NOW)
    asks = shelf.subjects.stands

    async def erased_right_after(who: PersonId) -> bool:
        stood = await asks(who)
        await shelf.subjects.destroy(who)
        await shelf.mongo.collection("identities").delete_many({"person": who})
        return stood

    monkeypatch.setattr(shelf.subjects, "stands", erased_right_after)
    await shelf.people.bind(person, ADDRESS, NOW)
    assert await shelf.rows("identities") == []


async def test_an_admission_heals_an_identity_that_leads_to_nobody(shelf: Shelf) -> None:
    """Else somebody who was erased could never write again."""
    person = await shelf.people.admit(ADDRESS, NOW)
    await shelf.subjects.destroy(person)
    assert await shelf.people.admit(ADDRESS, NOW) != person


async def test_an_erased_person_has_no_address(shelf: Shelf) -> None:
    person = await shelf.people.admit(ADDRESS, NOW)
    await shelf.subjects.destroy(person)
    assert await shelf.people.address(person) is None


async def test_another_process_forgets_a_key_in_time(shelf: Shelf, process: Process, clock: Ticking) -> None:
    """No cache outlives the time after which an erasure is called complete (decisions.md 16)."""
    person = await shelf.people.admit(ADDRESS, NOW)
    other = process()
    assert await other.people.address(person) == ADDRESS
    await shelf.subjects.destroy(person)
    clock.time += REMEMBERED
    assert await other.people.address(person) is None
    assert await other.subjects.key(person) is None


async def test_without_the_wrapping_key_people_are_still_recognised(
    shelf: Shelf, process: Process, keyring: Keyring, tmp_path: Path
) -> None:
    """A STOP finds its person by hashes alone (decisions.md 3)."""
    person = await shelf.people.admit(ADDRESS, NOW)
    lost = process(_with_another_kek(keyring, tmp_path))
    assert await lost.people.recognise(ADDRESS, NOW) == person
    assert await lost.people.address(person) is None
    await lost.people.bind(person, Address(OTHER_PHONE, THIS), NOW)
    assert await lost.people.recognise(Address(phone=OTHER_PHONE), NOW) == person
    assert await shelf.people.address(person) == ADDRESS


def _with_another_kek(keyring: Keyring, folder: Path) -> Keyring:
    """The same hashes, but no way to open what was wrapped."""
    fresh = fresh_keyring(folder / "fresh")
    return Keyring(**{**keyring._files, "kek": fresh._files["kek"]})


async def test_tombstones_say_which_events_were_answered(shelf: Shelf) -> None:
    rows = shelf.mongo.collection("tombstones")
    await rows.insert_one({"_id": "a" * 24, "expires": NOW + SECOND})
    asked = [EventId("a" * 24), EventId("b" * 24)]
    assert await shelf.people.gone(asked) == {EventId("a" * 24)}


async def test_the_loser_of_an_admission_cannot_be_written_to(shelf: Shelf) -> None:
    """Whoever saw the loser's person for a moment gets None from the commit and looks again."""
    loser = PersonId("f" * 32)
    await shelf.subjects.create(loser, ADDRESS, NOW)
    await shelf.subjects.destroy(loser)
    assert await shelf.conversations.commit(turn(None, Conversation(loser, version=1))) is None
