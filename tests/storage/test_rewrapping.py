"""Rows come under the newest keys while others work with them; nobody is lost, doubled or brought back."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.command import Suppress
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber
from bot.privacy import key_files
from bot.storage import key_use
from bot.storage.replaying import Replaying
from bot.storage.replays import Replays
from bot.storage.rewrapping import Rewrapped, Rewrapping
from tests.storage.keys import Keys
from tests.storage.shelf import ADDRESS, NOW, TYPED, Fuse, Shelf, settings_of, whole_life
from tests.storage.test_erasures import asked, erase

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "rotated")


def people(count: int) -> list[Address]:
    return [Address(PhoneNumber(f"+447700900{n:03}"), Bsuid(f"GB.9911002200330044{n:04}")) for n in range(count)]


async def rewrap(shelf: Shelf) -> Rewrapped:
    return await Rewrapping(shelf.mongo, shelf.keyring, shelf.subjects, Replays(shelf.mongo)).run()


async def test_after_a_rewrap_nothing_needs_the_old_keys(process: Process, keys: Keys) -> None:
    """Wrapped keys, an erasure's own key, identities and suppressions; the people are the same, and so is what they said."""
    first = process(keys.ring())
    person = await whole_life(first)
    stored = await asked(first, Address(PhoneNumber("+15550100123")))
    await first.erasures.begin(stored, erase(stored.conversation.person), NOW)
    old = {kind: keys.ring().current_kid(kind) for kind in ("kek", "index", "suppression")}
    keys.rotate("kek", "index", "suppression")
    second = process(keys.ring())

    done = await rewrap(second)

    counts = await key_use.counts(second.mongo, second.keyring)
    assert {kind: counts[kind][kid] for kind, kid in old.items()} == {"kek": 0, "index": 0, "suppression": 0}
    assert (done.left, done.unreadable) == (0, 0)
    assert set(done.moved) == {"subjects", "erasure_jobs", "opt_in_requests", "identities", "suppressions"}
    for kind, kid in old.items():
        key_files.drop_version(keys.folder / kind, kind, kid, keys.time)
        await key_use.retire(second.mongo, kid)
    third = process(keys.ring())
    await key_use.confirm(third.mongo, third.keyring)
    assert await third.people.recognise(ADDRESS, NOW) == person
    stored = await third.conversations.find(person)
    assert stored is not None
    assert stored.conversation.slots[0]["order"] == TYPED
    assert await third.suppressions.standing(ADDRESS) == {"newsletter": NOW}
    assert not await Replaying(third.mongo, Replays(third.mongo)).behind(NOW)
    assert sum((await rewrap(third)).moved.values()) == 0


async def test_what_was_suppressed_by_somebody_erased_stays_under_its_key(process: Process, keys: Keys) -> None:
    """Nothing is left to hash anew, and the STOP holds all the same (privacy.md 2.9)."""
    first = process(keys.ring())
    await first.suppressions.suppress(ADDRESS, [Suppress("all", NOW, "keyword")])
    keys.rotate("suppression")
    second = process(keys.ring())

    done = await rewrap(second)

    assert (done.moved, done.left) == ({}, 2)
    assert await second.suppressions.standing(ADDRESS) == {"all": NOW}


async def test_a_rewrap_cut_off_at_any_operation_is_finished_by_the_next(
    process: Process, keys: Keys, mongo_uri: str, database_name: str
) -> None:
    """Before each single database operation, and after it: everybody is still known, readable and stopped."""
    shelf = process(keys.ring())
    person = await whole_life(shelf)
    for arrives in (False, True):
        cut, finished = 0, False
        while not finished:
            keys.rotate("kek", "index", "suppression")
            fuse = Fuse()
            broken = Shelf(settings_of(mongo_uri, database_name), keys.ring(), shelf.clock, fuse)
            fuse.left, fuse.arrives = cut, arrives
            try:
                await rewrap(broken)
                finished = True
            except RetryLater:
                cut += 1
            finally:
                broken.mongo.close()
            after = process(keys.ring())
            assert await after.people.recognise(ADDRESS, NOW) == person
            assert (await after.conversations.find(person)).conversation.readable  # type: ignore[union-attr]
            assert await after.suppressions.standing(ADDRESS) == {"newsletter": NOW}
            assert not await Replaying(after.mongo, Replays(after.mongo)).behind(NOW)
            await rewrap(after)
            counts = await key_use.counts(after.mongo, after.keyring)
            for kind in ("kek", "index", "suppression"):
                assert {kid for kid, rows in counts[kind].items() if rows} == {after.keyring.current_kid(kind)}
            after.mongo.close()
        assert cut >= 8


async def test_two_rewraps_and_people_writing_at_once(process: Process, keys: Keys) -> None:
    """Rotation under load: two processes admit and find people while two others rewrap; everybody stays one person."""
    shelves = [process(keys.ring()) for _ in range(2)]
    known = {address: await shelves[0].people.admit(address, NOW) for address in people(12)}
    keys.rotate("kek", "index", "suppression")
    for shelf in shelves:
        shelf.keyring.reread()
    addresses = people(24)

    async def write(shelf: Shelf) -> list[PersonId]:
        return [await shelf.people.admit(address, NOW) for address in addresses]

    found = await asyncio.gather(
        write(shelves[0]), write(shelves[1]), rewrap(process(keys.ring())), rewrap(process(keys.ring()))
    )

    assert found[0] == found[1]
    assert len(set(found[0])) == len(addresses)
    assert found[0][:12] == [known[address] for address in addresses[:12]]
    last = process(keys.ring())
    await rewrap(last)
    assert [await last.people.recognise(address, NOW) for address in addresses] == found[0]
    assert await last.mongo.collection("identities").count_documents({}) == 2 * len(addresses)
    assert await last.mongo.vault["subjects"].count_documents({}) == len(addresses)


async def test_one_person_admitted_at_once_under_two_keys_is_one(process: Process, keys: Keys) -> None:
    """Two processes whose clocks differ by the moment at which a new version comes into use."""
    for address in people(8):
        before = process(keys.ring())
        keys.rotate("index")
        after = process(keys.ring())
        before.keyring._now = lambda: keys.time.replace(year=2020)  # its clock has not come so far
        before.keyring.reread()
        assert before.keyring.current_index_kid != after.keyring.current_index_kid
        persons = await asyncio.gather(*(one.people.admit(address, NOW) for one in (before, after, before, after)))
        assert len(set(persons)) == 1
        assert await after.people.recognise(address, NOW) == persons[0]
    assert await after.mongo.vault["subjects"].count_documents({}) == 8


async def test_a_number_that_was_given_on_during_a_rotation_is_the_new_owners(process: Process, keys: Keys) -> None:
    """Its old owner stands under the old key; nothing may be sent to the number for them any more."""
    number = PhoneNumber("+15550100123")
    old = await process(keys.ring()).people.admit(Address(number, Bsuid("US.1")), NOW)
    keys.rotate("index")
    shelf = process(keys.ring())

    new = await shelf.people.admit(Address(number, Bsuid("US.2")), NOW)

    assert new != old
    assert await shelf.people.address(old) == Address(None, Bsuid("US.1"))
    await rewrap(shelf)
    assert await shelf.people.recognise(Address(number), NOW) == new
    assert await shelf.people.recognise(Address(None, Bsuid("US.1")), NOW) == old


async def test_nobody_erased_meanwhile_is_made_again(process: Process, keys: Keys) -> None:
    shelf = process(keys.ring())
    person = await shelf.somebody()
    keys.rotate("kek", "index")
    second = process(keys.ring())
    real = second.subjects.openable

    async def openable(one: PersonId) -> object:
        """The person is erased just after the address was read."""
        subject = await real(one)
        await shelf.subjects.destroy(person)
        return subject

    second.subjects.openable = openable  # type: ignore[assignment,method-assign]
    await rewrap(second)
    assert await second.rows("identities") == []
    assert await second.rows("subjects") == []


# -- which keys a database needs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["kek", "index", "suppression"])
async def test_a_database_is_not_opened_with_the_keys_of_another(
    process: Process, keys: Keys, tmp_path: Path, kind: str
) -> None:
    """A fresh file in the place of a lost one would make strangers of everybody, or forget every STOP."""
    shelf = process(keys.ring())
    await key_use.confirm(shelf.mongo, shelf.keyring)
    await whole_life(shelf)
    (keys.folder / kind).unlink()
    other = Keys(tmp_path / "other")
    (other.folder / kind).rename(keys.folder / kind)
    with pytest.raises(SettingsProblem, match=f"The {kind} key {shelf.keyring.current_kid(kind)}.* is not in the file"):
        await key_use.confirm(shelf.mongo, keys.ring())


@pytest.mark.parametrize("kind", ["kek", "index", "suppression"])
async def test_rows_of_before_the_check_values_tell_it_too(
    process: Process, keys: Keys, tmp_path: Path, kind: str
) -> None:
    shelf = process(keys.ring())
    await whole_life(shelf)
    with pytest.raises(SettingsProblem, match="is not in the file"):
        await key_use.confirm(shelf.mongo, Keys(tmp_path / "other").ring())
    assert await shelf.rows("key_checks") == []


async def test_another_key_under_the_same_name_is_told(process: Process, keys: Keys, tmp_path: Path) -> None:
    shelf = process(keys.ring())
    await key_use.confirm(shelf.mongo, shelf.keyring)
    path, other = keys.folder / "kek", Keys(tmp_path / "other")
    kid = shelf.keyring.current_kid("kek")
    path.write_text((other.folder / "kek").read_text().replace(other.ring().current_kid("kek"), kid))
    with pytest.raises(SettingsProblem, match=f"another key under the name {kid}"):
        await key_use.confirm(shelf.mongo, keys.ring())


async def test_an_older_copy_of_a_key_file_is_told(process: Process, keys: Keys) -> None:
    shelf = process(keys.ring())
    older = (keys.folder / "kek").read_bytes()
    new = keys.rotate("kek")["kek"]
    await key_use.confirm(shelf.mongo, keys.ring())
    (keys.folder / "kek").write_bytes(older)
    with pytest.raises(SettingsProblem, match=new):
        await key_use.confirm(shelf.mongo, keys.ring())
