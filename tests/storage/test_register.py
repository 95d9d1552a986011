"""What is stored is what the register names, and a person's copy shows it opened (GDPR art. 15, 30)."""

from collections.abc import Callable, Iterator
from typing import Any

import bson
import pytest

from bot.domain.errors import Unreadable
from bot.domain.ids import Address, Bsuid, CommandId, PhoneNumber
from bot.domain.inbound import AccountNotice
from bot.handoff.roles import Staff
from bot.handoff.values import Canned, Passkey
from bot.privacy.access import ApiKey
from bot.privacy.inventory import COLLECTIONS, unlisted
from bot.privacy.keyring import Keyring
from bot.storage import key_use, replaying
from bot.storage.api_answers import MongoAnswers
from bot.storage.api_keys import MongoApiKeys
from bot.storage.channel import MongoChannelHealth
from bot.storage.desks import MongoDesks
from bot.storage.media import MongoMedia
from bot.storage.staff import MongoSessions, MongoStaff
from tests.e2e import traces
from tests.storage.shelf import DAY, NAME, NOW, SECRETS, SHOWN, TYPED, Shelf, whole_life
from tests.storage.test_erasures import asked, erase
from tests.storage.test_merges import merging

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]


async def test_every_stored_field_is_in_the_register(shelf: Shelf) -> None:
    """A field that nobody listed would be in no record, no copy and no erasure."""
    stored = await asked(shelf)
    await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    await shelf.published.flow("order_status", "v" * 32, "pt", b"flow: order_status", NOW)
    await shelf.published.text("notice", "main", "n" * 32, "pt", "We keep little.", NOW)
    await key_use.confirm(shelf.mongo, shelf.keyring)
    await replaying.seen_alive(shelf.mongo, NOW)
    about = {"message_template_name": "reminder", "message_template_language": "en_US"}
    health = MongoChannelHealth(shelf.mongo)
    await health.note(AccountNotice("account_update", "DISABLED_UPDATE"), NOW)
    await health.note(AccountNotice("message_template_status_update", "PAUSED", about), NOW)
    winner, loser = (
        await shelf.somebody(Address(bsuid=Bsuid("US.One1"))),
        await shelf.somebody(Address(bsuid=Bsuid("US.Two2"))),
    )
    await shelf.begun(winner)
    await merging(shelf, shelf.clock, shelf.keyring).run(winner, loser)
    files = MongoMedia(shelf.mongo, shelf.subjects)
    await files.put(winner, CommandId("d" * 32), b"x", kind="image", mime_type="image/png", expires=NOW, now=NOW)
    await files.refuse(winner, CommandId("e" * 32), "too_large", kind="image", expires=NOW, now=NOW)
    await staffed(shelf)
    found: dict[str, set[str]] = {}
    async for name, document in shelf.mongo.scan():
        found.setdefault(name, set()).update(unlisted(name, document))
    assert {name: sorted(paths) for name, paths in found.items() if paths} == {}
    not_written_yet = {"exports", "locks", "ledger_leaves", "ledger_heads"}
    assert set(found) >= {"conversations", "subjects", "evidence", "erasure_jobs", "replay", "tombstones"}
    assert set(COLLECTIONS) - set(found) == not_written_yet


async def staffed(shelf: Shelf) -> None:
    """Accounts of the console and keys of the business's systems."""
    staff, sessions = MongoStaff(shelf.mongo, shelf.keyring), MongoSessions(shelf.mongo, idle=DAY, lasts=DAY)
    await staff.add(Staff("maria", "Maria", "agent", ("desk",)), NOW)
    await staff.set_password("maria", "$argon2id$x", NOW)
    await staff.set_code_secret("maria", "JBSWY3DPEHPK3PXP", NOW)
    await staff.add_passkey(Passkey("k1", "maria", b"public", 0, "phone", NOW), NOW)
    _, session = await sessions.begin("maria", NOW)
    await sessions.live(session, NOW, viewing="t", typing=True)
    await sessions.challenge(b"c" * 32, NOW)
    await MongoDesks(shelf.mongo, shelf.subjects).put_canned(Canned("", "hello", "Good day."), NOW)
    await MongoApiKeys(shelf.mongo).add(ApiKey("0a1b2c3d", "crm", ("consents",), "f" * 64, NOW))
    await MongoAnswers(shelf.mongo).claim("a" * 64, "b" * 64, NOW)


async def test_fields_stand_as_the_register_says(shelf: Shelf, mongo_uri: str, database_name: str) -> None:
    """What is listed as encrypted is, and what is listed as a hash is one; a field in clear under such a name is found."""
    stored = await asked(shelf)
    await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    both = (database_name, f"{database_name}_vault")
    assert traces.strangers(mongo_uri, both) == []
    person = stored.conversation.person
    await shelf.mongo.collection("conversations").update_one(
        {"_id": person}, {"$set": {"p": "Anabela", "nickname": "Ana"}}
    )
    await shelf.mongo.vault["subjects"].update_one({"_id": person}, {"$set": {"address": bson.encode({"phone": "1"})}})
    await shelf.mongo.collection("sends").update_many({"w": {"$exists": True}}, {"$set": {"w": "wamid.X"}})
    assert traces.strangers(mongo_uri, both) == [
        "conversations.nickname: not listed", "conversations.p: not kept as encrypted", "sends.w: not kept as hash",
        "subjects.address: not kept as encrypted",
    ]  # fmt: skip


async def test_nothing_personal_stands_in_clear(shelf: Shelf) -> None:
    """Number, user id, name, words and message id are sealed or hashed wherever they are kept (GDPR art. 32)."""
    stored = await asked(shelf)
    await shelf.erasures.begin(stored, erase(stored.conversation.person), NOW)
    async for name, document in shelf.mongo.scan():
        assert [secret for secret in SECRETS if secret in repr(document)] == [], name


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _values(one)
    elif isinstance(value, list):
        for one in value:
            yield from _values(one)
    else:
        yield value


async def test_a_copy_holds_every_row_of_the_person_opened(shelf: Shelf, process: Process) -> None:
    person = await whole_life(shelf)
    rows = await process().copies.rows_of(person)
    assert set(rows) == {
        "conversations", "identities", "subjects", "ledger", "evidence", "requests", "tickets", "sends", "dead_letters", "seen_pages",
        "opt_in_requests", "notes", "drafts", "transcripts", "audit_log", "access_log",
    }  # fmt: skip
    [conversation] = rows["conversations"]
    assert conversation["p"]["slots"][0] == {"order": TYPED, "name": NAME}
    assert conversation["pending"][0]["p"]["message"]["body"] == SHOWN
    assert rows["evidence"][0]["p"]["answer_text"] == TYPED
    assert rows["tickets"][0]["p"]["shared"] == {"name": NAME}
    assert rows["requests"][0]["p"] == {"words": TYPED}
    assert "address" not in rows["subjects"][0]


async def test_a_copy_holds_nobody_else(shelf: Shelf) -> None:
    """Two people with the same words: each copy names one person alone (GDPR art. 15(4))."""
    persons = [await whole_life(shelf, Address(phone=PhoneNumber(f"+1555010011{number}"))) for number in range(2)]
    for mine, other in (persons, reversed(persons)):
        rows = await shelf.copies.rows_of(mine)
        assert mine in set(_values(list(rows.values())))
        assert other not in set(_values(list(rows.values())))


async def test_a_copy_is_not_given_by_halves(shelf: Shelf, process: Process, other_keyring: Keyring) -> None:
    """Without the person's key there is no copy, rather than one that leaves out all that is sealed (GDPR art. 12(1))."""
    person = await whole_life(shelf)
    with pytest.raises(Unreadable):
        await process(other_keyring).copies.rows_of(person)


async def test_a_damaged_row_is_shown_without_its_sealed_part(shelf: Shelf) -> None:
    """Ciphertext is nobody's copy; the row's clear fields and all other rows are there."""
    person = await whole_life(shelf)
    damaged = {"$set": {"p": b"damaged", "pending.0.p": b"damaged"}}
    await shelf.mongo.collection("conversations").update_one({"_id": person}, damaged)
    rows = await shelf.copies.rows_of(person)
    [conversation] = rows["conversations"]
    assert (conversation["p"], conversation["pending"][0]["p"], conversation["language"]) == ({}, {}, "pt")
    assert rows["evidence"][0]["p"]["answer_text"] == TYPED


async def test_nobody_has_no_copy(shelf: Shelf) -> None:
    person = await whole_life(shelf)
    await whole_life(shelf, Address(phone=PhoneNumber("+447700900123")))
    stored = await shelf.conversations.find(person)
    assert stored is not None
    job = await shelf.erasures.begin(stored, erase(person), NOW)
    await shelf.erasures.delete_rows(await shelf.erasures.destroy_key(job, NOW))
    assert set(await shelf.copies.rows_of(person)) == {"erasure_jobs", "replay", "audit_log"}


async def test_what_was_published_never_changes(shelf: Shelf) -> None:
    """A record of consent points to texts and flows by their hash; they must stay what they were (GDPR art. 7(1))."""
    for content in (b"first", b"second"):
        await shelf.published.flow("order_status", "v" * 32, "pt", content, NOW)
    await shelf.published.flow("order_status", "w" * 32, "pt", b"next", NOW)
    for words in ("We keep little.", "We keep all."):
        await shelf.published.text("notice", "main", "n" * 32, "pt", words, NOW)
    flows = set(await shelf.published.flows())
    assert flows == {("order_status", "v" * 32, b"first"), ("order_status", "w" * 32, b"next")}
    found = await shelf.published.find_text("n" * 32)
    assert found is not None
    assert (found["content"], found["kind"]) == ("We keep little.", "notice")
    assert await shelf.published.find_text("0" * 32) is None
