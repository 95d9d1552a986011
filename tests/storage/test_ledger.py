"""The proof of consent: inserted once, without words, and sealed words beside it that the commitment binds."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import bson
import pytest

from bot.domain.errors import RetryLater
from bot.domain.ids import CommandId, command_id
from bot.privacy.ledger.leaves import commitment
from tests.storage.shelf import DAY, NOW, SECRETS, SHOWN, TYPED, Shelf, consent_event

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]


async def recorded(shelf: Shelf) -> CommandId:
    person = await shelf.somebody()
    command = command_id(person, 1, 1)
    await shelf.ledger.record(person, consent_event(command), NOW)
    return command


async def test_an_event_is_recorded_with_all_its_clear_fields(shelf: Shelf) -> None:
    assert not await shelf.ledger.holds(CommandId("0" * 32))
    command = await recorded(shelf)
    assert await shelf.ledger.holds(command)
    [row] = await shelf.rows("ledger")
    event = consent_event(command)
    for name in (
        "event_type",
        "purpose",
        "state_after",
        "purpose_hash",
        "notice_hash",
        "previous",
        "valid_until",
        "occurred_at",
    ):
        assert row[name] == getattr(event, name), name
    assert row["recorded_at"] == NOW


async def test_the_ledger_names_the_person_by_reference_only(shelf: Shelf) -> None:
    """The row outlives the person, so nothing of it may lead back to them (GDPR art. 17(3)(e), recital 26)."""
    await recorded(shelf)
    [subject] = await shelf.rows("subjects")
    [row] = await shelf.rows("ledger")
    assert row["subject_ref"] == subject["subject_ref"]
    text = repr(row)
    assert [secret for secret in (*SECRETS, subject["_id"]) if secret in text] == []


async def test_repeating_a_record_changes_nothing(shelf: Shelf, process: Process) -> None:
    """Also by ten at once, also with other facts: the first stands (insert only)."""
    command = await recorded(shelf)
    before = [await shelf.rows("ledger"), await shelf.rows("evidence")]
    person = await shelf.somebody()
    changed = replace(consent_event(command), state_after="withdrawn", answer_text="never said")
    shelves = [shelf, process()]
    await asyncio.gather(*(shelves[number % 2].ledger.record(person, changed, NOW + DAY) for number in range(10)))
    assert [await shelf.rows("ledger"), await shelf.rows("evidence")] == before


async def test_a_record_that_broke_off_halfway_is_completed(shelf: Shelf) -> None:
    """The words are written first; a crash before the event leaves nothing that holds, and the repetition completes it."""
    command = await recorded(shelf)
    await shelf.mongo.collection("ledger").delete_many({})
    assert not await shelf.ledger.holds(command)
    await shelf.ledger.record(await shelf.somebody(), consent_event(command), NOW)
    assert await shelf.ledger.holds(command)


async def test_the_commitment_binds_the_words(shelf: Shelf) -> None:
    """Whoever has salt and words can check them; other words, another salt or another event give another hash."""
    command = await recorded(shelf)
    [row], [evidence], [subject] = [await shelf.rows(name) for name in ("ledger", "evidence", "subjects")]
    key = await shelf.subjects.key(subject["_id"])
    assert key is not None
    place = {"collection": "evidence", "row": command, "field": "p", "person": subject["_id"]}
    words = bson.decode(key.unseal(bytes(evidence["p"]), **place))
    assert (words["prompt_text"], words["answer_text"]) == (SHOWN, TYPED)
    salt = bytes(subject["salt"])
    assert bytes(row["commit"]) == commitment(salt, command, words)
    others = {
        commitment(salt, command, {**words, "answer_text": "no"}),
        commitment(bytes(32), command, words),
        commitment(salt, "0" * 32, words),
    }
    assert bytes(row["commit"]) not in others


async def test_an_erased_person_gets_no_new_evidence(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.subjects.destroy(person)
    with pytest.raises(RetryLater):
        await shelf.ledger.record(person, consent_event(CommandId("0" * 32)), NOW)
    assert await shelf.rows("ledger") == await shelf.rows("evidence") == []
