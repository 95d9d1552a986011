"""Conversation documents: one guarded write a turn (decisions.md 10), and the small guarded writes of the outbox."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import bson
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from bot.domain.ids import CommandId, EventId, PersonId
from bot.runtime.ports import Commit, Lease, Stored
from bot.storage.documents import CONVERSATIONS, conversation_fields, pending_row, seen_row, stored
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.subjects import Subjects

SEEN_KEPT = timedelta(days=8)
SEEN_MOST = 512
SEEN_PAGES = "seen_pages"
LARGEST = 512 * 1024
"""Bytes a conversation may have (decisions.md 11)."""

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
        document = await self._rows.find_one({"_id": person})
        return await self._opened(document)

    async def _opened(self, document: Document | None) -> Stored | None:
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
        person = change.after.person
        key = await self._subjects.key(person)
        if key is None:
            return None
        now = change.now
        fields, gone = conversation_fields(change.after, key)
        fields["touched"] = now
        rows = [pending_row(command, person, key) for command in change.commands]
        seen = [seen_row(event, now) for event in change.events]
        if change.lease is not None:
            fields["lease"] = {"t": change.lease.token, "u": change.lease.until}
        if change.due is not None:
            fields["work_due"] = change.due
        else:
            gone.append("work_due")
        if len(bson.encode({"f": fields, "p": rows})) > LARGEST:
            raise ConversationTooLarge("the conversation would grow beyond 512 KiB")
        if change.before is None:
            document = {"_id": person, **fields, "seen": seen, "pending": rows}
            try:
                await self._rows.insert_one(document)
            except DuplicateKeyError:
                return None
            return await self._opened(document)
        await self._turn_page(change.before, person, now)
        push: Document = {"seen": {"$each": seen, "$slice": -SEEN_MOST}}
        if rows:
            push["pending"] = {"$each": rows}
        update: Document = {"$set": fields, "$unset": dict.fromkeys(gone, ""), "$push": push}
        guard: Document = {"_id": person, "v": change.before.conversation.version, **_lease_as_read(change.before)}
        document = await self._rows.find_one_and_update(guard, update, return_document=ReturnDocument.AFTER)
        return await self._opened(document)

    async def _turn_page(self, before: Stored, person: PersonId, now: datetime) -> None:
        """Keeps the ids that are about to leave a full document; written first and idempotent."""
        if len(before.seen) < SEEN_MOST:
            return
        document = await self._rows.find_one({"_id": person}, {"seen": 1, "v": 1})
        if document is None or len(document.get("seen", ())) < SEEN_MOST:
            return
        page = f"{person}:{document['v'] // SEEN_MOST}"
        ids = [row["i"] for row in document["seen"] if now - row["t"] < SEEN_KEPT]
        await self._pages.update_one(
            {"_id": page},
            {"$addToSet": {"ids": {"$each": ids}}, "$set": {"person": person, "expires": now + SEEN_KEPT}},
            upsert=True,
        )

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
        guard = {"_id": person, "lease.t": token, "g": standing, "pending.id": command}
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
