"""Conversation documents: one guarded write a turn (decisions.md 10), and the small guarded writes of the outbox."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import bson
from pymongo import ReturnDocument

from bot.domain.ids import CommandId, EventId, PersonId
from bot.privacy.crypto import DataKey
from bot.runtime.ports import Commit, Lease, Stored
from bot.storage.documents import CONVERSATIONS, Loaded, conversation_fields, first_look, pending_row, seen_row, stored
from bot.storage.mongo import Document, Mongo, insert_once, reaches, upsert
from bot.storage.subjects import Subjects

SEEN_KEPT = timedelta(days=8)
SEEN_MOST = 512
SEEN_PAGES = "seen_pages"
LARGEST = 512 * 1024
"""Bytes a conversation may have (decisions.md 11)."""

_SEEN_ROOM = SEEN_MOST * 48
"""Bytes kept free for the seen ids: 41 each at most."""

DUE_WINDOW = 256


class ConversationTooLarge(RuntimeError):
    """A turn would make the document larger than is allowed; it is not committed."""


class MongoConversations:
    """The runtime's `Conversations`."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._rows = mongo.collection(CONVERSATIONS)
        self._pages = mongo.collection(SEEN_PAGES)
        self._subjects = subjects

    @reaches
    async def find(self, person: PersonId) -> Stored | None:
        """One read by `_id`, and a second only where ids had to leave the document."""
        document = await self._rows.find_one({"_id": person})
        return await self._opened(document)

    async def _opened(self, document: Document | None) -> Loaded | None:
        if document is None:
            return None
        person = PersonId(document["_id"])
        key = await self._subjects.key(person)
        return stored(document, key, await self._older(document))

    async def _older(self, document: Document) -> frozenset[EventId]:
        """Ids that had to leave the document: looked up only where it is full."""
        if len(document.get("seen", ())) < SEEN_MOST:
            return frozenset()
        pages = await self._pages.find({"person": document["_id"]}).to_list(None)
        return frozenset(EventId(bytes(one).hex()) for page in pages for one in page["ids"])

    @reaches
    async def commit(self, change: Commit) -> Stored | None:
        """One guarded update, or one insert for a new person; an existing document is never upserted (decisions.md 10).

        Raises:
            ConversationTooLarge: the document would exceed `LARGEST`; nothing was written.
            Unreadable: something private must be written and the person's key cannot be opened; nothing was written.
            ValueError: the version does not grow, so the guard would guard nothing.
        """
        person, before = change.after.person, change.before
        key = await self._subjects.key(person)
        # Nobody is made again who was erased: their key goes before their document, so it is asked for once more (GDPR art. 17).
        if (key is None or before is None) and not await self._subjects.stands(person):
            return None
        if before is None:
            return await self._created(change, key)
        if not isinstance(before, Loaded) or change.after.version <= before.conversation.version:
            raise ValueError("a commit builds on what was loaded here, and moves the version on")
        update = _update(change, before, key)
        await self._turn_page(change, before)
        guard: Document = {"_id": person, "v": before.conversation.version, **_lease_as_read(before)}
        document = await self._rows.find_one_and_update(guard, update, return_document=ReturnDocument.AFTER)
        return await self._opened(document)

    async def _created(self, change: Commit, key: DataKey | None) -> Stored | None:
        fields, _ = _fields(change, key)
        pending = [pending_row(command, change.after.person, key, change.now) for command in change.commands]
        seen = [seen_row(event, change.now) for event in change.events]
        document = {"_id": change.after.person, **fields, "seen": seen, "pending": pending}
        _refuse_too_large(document, 0)
        return await self._opened(document) if await insert_once(self._rows, document) else None

    async def _turn_page(self, change: Commit, before: Loaded) -> None:
        """Keeps the ids that are about to leave a full document; written first, and harmless to repeat."""
        leaving = _seen_after(change, before)[:-SEEN_MOST]
        if not leaving:
            return
        person = change.after.person
        ids = [bytes.fromhex(event) for event, _ in leaving]
        page = {"$addToSet": {"ids": {"$each": ids}}, "$set": {"person": person, "expires": change.now + SEEN_KEPT}}
        await upsert(self._pages, f"{person}:{before.conversation.version // SEEN_MOST}", page)

    @reaches
    async def due(self, now: datetime, limit: int) -> Sequence[PersonId]:
        cursor = self._rows.find({"work_due": {"$lte": now}}, {"_id": 1}).limit(DUE_WINDOW)
        found = [PersonId(row["_id"]) async for row in cursor]
        random.shuffle(found)
        return found[:limit]

    @reaches
    async def take(self, persons: Sequence[PersonId], lease: Lease, now: datetime) -> Sequence[Stored]:
        free = {"$or": [{"lease": {"$exists": False}}, {"lease.u": {"$lte": now}}]}
        guard = {"_id": {"$in": list(persons)}, "work_due": {"$lte": now}, **free}
        taken = {"$set": {"lease": {"t": lease.token, "u": lease.until}, "work_due": lease.until}}
        await self._rows.update_many(guard, taken)
        won: list[Stored] = []
        async for document in self._rows.find({"_id": {"$in": list(persons)}, "lease.t": lease.token}):
            opened = await self._opened(document)
            if opened is not None:
                won.append(opened)
        return won

    @reaches
    async def claim(
        self, person: PersonId, token: str, command: CommandId, callback: str, standing: int, now: datetime
    ) -> Stored | None:
        unclaimed = {"id": command, "$or": [{"s": "waiting"}, {"cb": callback}]}
        guard = {"_id": person, "lease.t": token, "g": standing, "pending": {"$elemMatch": unclaimed}}
        change = {"pending.$[c].s": "sending", "pending.$[c].cb": callback, "pending.$[c].ca": now}
        return await self._changed(guard, {"$set": change}, command)

    @reaches
    async def settle(self, person: PersonId, token: str, command: CommandId) -> Stored | None:
        return await self._changed({"_id": person, "lease.t": token}, {"$pull": {"pending": {"id": command}}})

    @reaches
    async def defer(
        self,
        person: PersonId,
        token: str,
        command: CommandId,
        attempts: int,
        not_before: datetime,
        *,
        state: str = "waiting",
    ) -> Stored | None:
        change = {"pending.$[c].n": attempts, "pending.$[c].nb": not_before, "pending.$[c].s": state}
        return await self._changed({"_id": person, "lease.t": token, "pending.id": command}, {"$set": change}, command)

    async def _changed(self, guard: Document, update: Document, command: CommandId | None = None) -> Stored | None:
        filters = [{"c.id": command}] if command is not None else None
        document = await self._rows.find_one_and_update(
            guard, update, return_document=ReturnDocument.AFTER, array_filters=filters
        )
        return await self._opened(document)

    @reaches
    async def release(
        self, person: PersonId, token: str, version: int, due: datetime | None, known: Sequence[CommandId]
    ) -> bool:
        news = {"$elemMatch": {"id": {"$nin": list(known)}}}
        guard = {"_id": person, "lease.t": token, "v": version, "pending": {"$not": news}}
        update: Document = {"$unset": {"lease": ""}}
        if due is None:
            update["$unset"]["work_due"] = ""
        else:
            update["$set"] = {"work_due": due}
        result = await self._rows.update_one(guard, update)
        return bool(result.matched_count)

    @reaches
    async def renew(self, person: PersonId, lease: Lease) -> bool:
        guard = {"_id": person, "lease.t": lease.token}
        result = await self._rows.update_one(guard, {"$set": {"lease.u": lease.until, "work_due": lease.until}})
        return bool(result.matched_count)


def _lease_as_read(before: Stored) -> dict[str, Any]:
    if before.lease is None:
        return {"lease": {"$exists": False}}
    return {"lease.t": before.lease.token}


def _fields(change: Commit, key: DataKey | None) -> tuple[Document, list[str]]:
    """(fields to set, fields to unset) of the document, but for its two lists."""
    fields, gone = conversation_fields(change.after, key)
    fields |= {"touched": change.now, "sweep_at": first_look(change.after, change.now)}
    if change.lease is not None:
        fields["lease"] = {"t": change.lease.token, "u": change.lease.until}
    if change.due is not None:
        fields["work_due"] = change.due
    else:
        gone.append("work_due")
    return fields, gone


def _update(change: Commit, before: Loaded, key: DataKey | None) -> Document:
    fields, gone = _fields(change, key)
    pending = [pending_row(command, change.after.person, key, change.now) for command in change.commands]
    _refuse_too_large({**fields, "pending": pending}, before.pending_bytes)
    seen = _seen_after(change, before)[-SEEN_MOST:]
    push: Document = {"pending": {"$each": pending}} if pending else {}
    oldest = before.seen_at[0][1] if before.seen_at else change.now
    if change.now - oldest >= SEEN_KEPT:
        fields["seen"] = [seen_row(event, at) for event, at in seen]
    else:
        fresh = [seen_row(event, change.now) for event in change.events]
        push["seen"] = {"$each": fresh, "$slice": -SEEN_MOST}
    return {"$set": fields, "$unset": dict.fromkeys(gone, ""), **({"$push": push} if push else {})}


def _seen_after(change: Commit, before: Loaded) -> list[tuple[EventId, datetime]]:
    """The ids that are not older than Meta redelivers, oldest first, with those of this commit."""
    young = [(event, at) for event, at in before.seen_at if change.now - at < SEEN_KEPT]
    return young + [(event, change.now) for event in change.events]


def _refuse_too_large(written: Document, kept: int) -> None:
    """`written` is about to be set or added, `kept` bytes of pending commands stand already."""
    if len(bson.encode(written)) + kept + _SEEN_ROOM > LARGEST:
        raise ConversationTooLarge("the conversation would grow beyond 512 KiB")
