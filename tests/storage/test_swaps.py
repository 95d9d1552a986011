"""A ciphertext opens in its own place alone: moved to another person, row or field, or changed by one bit, it is nothing at all."""

from collections.abc import Callable
from typing import Any

import bson
import pytest

from bot.domain.errors import Unreadable
from bot.domain.ids import Address, PersonId, PhoneNumber
from bot.privacy.inventory import COLLECTIONS, Kept
from bot.storage.documents import stored
from bot.storage.key_use import rows_of
from tests.storage.shelf import NAME, SHOWN, TYPED, Shelf, whole_life

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]
RUI, EVA = Address(phone=PhoneNumber("+447700900123")), Address(phone=PhoneNumber("+447700900124"))
SEALED = {
    (name, field.path)
    for name, table in COLLECTIONS.items()
    for field in table.fields
    if field.kept is Kept.ENCRYPTED and "/" not in field.path and "." not in field.path and table.found_as == "person"
}
TRIED = {
    ("conversations", "p"), ("subjects", "key"), ("subjects", "address"), ("evidence", "p"), ("requests", "p"), ("tickets", "p"),
    ("dead_letters", "p"),
}  # fmt: skip


def test_every_sealed_field_that_is_written_is_tried() -> None:
    """The others: named for the copy of an opened address, not written yet, under an erasure's own key, or tried where
    they are written: test_media, tests/console, tests/e2e/test_console."""
    others = {
        ("subjects", "p"),
        ("transcripts", "p"),
        ("exports", "p"),
        ("erasure_jobs", "key"),
        ("erasure_jobs", "p"),
        ("media_chunks", "p"),
        ("notes", "p"),
        ("drafts", "p"),
        ("tickets", "last"),
    }
    assert others >= SEALED - TRIED
    assert TRIED <= SEALED


async def of_both(shelf: Shelf, collection: str, path: str, persons: list[PersonId]) -> list[dict[str, Any]]:
    """One raw row of each of the two with something at that path."""
    table, rows = COLLECTIONS[collection], rows_of(shelf.mongo, collection)
    return [await rows.find_one({table.found_by: person, path: {"$type": "binData"}}) for person in persons]


@pytest.mark.parametrize(("collection", "path"), [pytest.param(*one, id=".".join(one)) for one in sorted(TRIED)])
async def test_what_is_swapped_between_two_people_opens_for_neither(
    shelf: Shelf, process: Process, collection: str, path: str
) -> None:
    persons = [await whole_life(shelf, RUI), await whole_life(shelf, EVA)]
    found = await of_both(shelf, collection, path, persons)
    first, second = found
    rows = rows_of(shelf.mongo, collection)
    await rows.update_one({"_id": first["_id"]}, {"$set": {path: second[path]}})
    await rows.update_one({"_id": second["_id"]}, {"$set": {path: first[path]}})

    after = process()
    for person in persons:
        if path == "key":
            with pytest.raises(Unreadable):
                await after.subjects.find(person)
            continue
        if path == "address":
            assert await after.people.address(person) is None
            continue
        copy = await after.copies.rows_of(person)
        opened = [row[path] for row in copy[collection] if row["_id"] in (first["_id"], second["_id"])]
        assert opened == [{}]
        conversation = await after.conversations.find(person)
        assert conversation is not None
        assert conversation.conversation.readable == (collection != "conversations")


async def test_what_is_swapped_between_two_fields_of_one_person_opens_in_neither(
    shelf: Shelf, process: Process
) -> None:
    """The conversation's own part in the place of a command's, a ticket's in that of a request's, and the other way round."""
    person = await whole_life(shelf)
    conversations = shelf.mongo.collection("conversations")
    row = await conversations.find_one({"_id": person})
    await conversations.update_one({"_id": person}, {"$set": {"p": row["pending"][0]["p"], "pending.0.p": row["p"]}})
    ticket, request = [
        await shelf.mongo.collection(name).find_one({"person": person}) for name in ("tickets", "requests")
    ]
    await shelf.mongo.collection("tickets").update_one({"_id": ticket["_id"]}, {"$set": {"p": request["p"]}})
    await shelf.mongo.collection("requests").update_one({"_id": request["_id"]}, {"$set": {"p": ticket["p"]}})

    after = process()
    found = await after.conversations.find(person)
    assert found is not None
    assert not found.conversation.readable
    assert found.pending[0].command is None
    assert found.pending[2].command is not None, "the others open"
    copy = await after.copies.rows_of(person)
    assert (copy["tickets"][0]["p"], copy["requests"][0]["p"]) == ({}, {})


async def test_two_commands_of_one_person_cannot_be_exchanged(shelf: Shelf, process: Process) -> None:
    """A message that was to follow a refusal may not be put in the place of another."""
    person = await whole_life(shelf)
    conversations = shelf.mongo.collection("conversations")
    row = await conversations.find_one({"_id": person})
    sealed = [place for place, one in enumerate(row["pending"]) if "p" in one][:2]
    first, second = (row["pending"][place]["p"] for place in sealed)
    await conversations.update_one(
        {"_id": person}, {"$set": {f"pending.{sealed[0]}.p": second, f"pending.{sealed[1]}.p": first}}
    )
    found = await process().conversations.find(person)
    assert found is not None
    assert [found.pending[place].command for place in sealed] == [None, None]


async def test_a_flipped_bit_is_noticed_wherever_it_stands(shelf: Shelf) -> None:
    """Every byte of a conversation's sealed part and of a wrapped key, one bit each: unreadable, never something else."""
    person = await whole_life(shelf)
    key = await shelf.subjects.key(person)
    row = await shelf.mongo.collection("conversations").find_one({"_id": person})
    sealed = bytes(row["p"])
    assert stored(row, key).conversation.readable
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        opened = stored({**row, "p": bytes(changed)}, key).conversation
        assert not opened.readable, place
        assert not {TYPED, NAME, SHOWN} & {str(value) for slot in opened.slots for value in slot.values()}
    subject = await shelf.mongo.vault["subjects"].find_one({"_id": person})
    for place in range(len(subject["key"])):
        changed = bytearray(subject["key"])
        changed[place] ^= 1 << place % 8
        await shelf.mongo.vault["subjects"].update_one({"_id": person}, {"$set": {"key": bson.Binary(bytes(changed))}})
        shelf.subjects.forget(person)
        with pytest.raises(Unreadable):
            await shelf.subjects.find(person)
