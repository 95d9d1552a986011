"""Conversation documents: one guarded write a turn (decisions.md 10), and the small guarded writes of the outbox.

All of them go in bulks with whatever else waits (`bulks`). So each knows its own write again in the row as it stands afterwards:
a turn by its events, a claim by its random callback, everything else by the lease it was made under.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import bson

from bot.domain.ids import CommandId, EventId, PersonId
from bot.privacy.crypto import DataKey
from bot.runtime.ports import Commit, Lease, Over, Stored
from bot.storage.bulks import Bulks
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

    def __init__(self, mongo: Mongo, subjects: Subjects, *, told: Callable[[int], None] | None = None) -> None:
        """`told` hears how many writes each bulk held."""
        self._rows = mongo.collection(CONVERSATIONS)
        self._bulks = Bulks(self._rows, told=told)
        self._pages = mongo.collection(SEEN_PAGES)
        self._subjects = subjects

    @reaches
    async def find(self, person: PersonId) -> Stored | None:
        """One read by `_id`, and a second only where ids had to leave the document."""
        found = await self._bulks.read(person)
        return await self._opened(found.get(person))

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
        row = await self._bulks.update(person, guard, update, alone=not change.events)
        return await self._opened(row) if _holds_all(row, change.events) else None

    async def _created(self, change: Commit, key: DataKey | None) -> Stored | None:
        fields, _ = _fields(change, key)
        pending = [pending_row(command, change.after.person, key, change.now) for command in change.commands]
        seen = [seen_row(event, change.now) for event in change.events]
        document = {"_id": change.after.person, **fields, "seen": seen, "pending": pending}
        _refuse_too_large(document, 0)
        if not change.events:
            return await self._opened(document) if await insert_once(self._rows, document) else None
        row = await self._bulks.insert(document)
        return await self._opened(row) if _holds_all(row, change.events) else None

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
        row = await self._bulks.update(person, guard, {"$set": change}, filters=[{"c.id": command}])
        entry = _entry(row, command)
        # The time tells a claim that was renewed from the one before it, whose standing may have been another.
        ours = entry is not None and entry.get("cb") == callback and entry.get("ca") == now
        return await self._opened(row) if ours else None

    @reaches
    async def settle(
        self, person: PersonId, token: str, command: CommandId, *, over: Over | None = None
    ) -> Stored | None:
        pull: Document = {"$pull": {"pending": {"id": command}}}
        if over is not None:
            guard = _quiet(person, token, over.version, [command, *over.known])
            row = await self._bulks.update(person, guard, pull | _given_back(over.due))
            if row is not None and "lease" not in row:
                return await self._opened(row)
        row = await self._bulks.update(person, {"_id": person, "lease.t": token}, pull)
        return await self._opened(row) if row is not None and _leased(row, token) else None

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
        guard = {"_id": person, "lease.t": token, "pending.id": command}
        row = await self._bulks.update(person, guard, {"$set": change}, filters=[{"c.id": command}])
        deferred = row is not None and _leased(row, token) and _entry(row, command) is not None
        return await self._opened(row) if deferred else None

    @reaches
    async def release(
        self, person: PersonId, token: str, version: int, due: datetime | None, known: Sequence[CommandId]
    ) -> bool:
        row = await self._bulks.update(person, _quiet(person, token, version, known), _given_back(due))
        return row is not None and "lease" not in row

    @reaches
    async def renew(self, person: PersonId, lease: Lease) -> bool:
        guard = {"_id": person, "lease.t": lease.token}
        row = await self._bulks.update(person, guard, {"$set": {"lease.u": lease.until, "work_due": lease.until}})
        return row is not None and _leased(row, lease.token)


def _holds_all(row: Document | None, events: Sequence[EventId]) -> bool:
    """Whether these events are among the seen ones of the row: then their turn is committed, whoever wrote it."""
    if row is None:
        return False
    wanted = {bytes.fromhex(event) for event in events}
    return wanted <= {bytes(one["i"]) for one in row.get("seen", ())}


def _entry(row: Document | None, command: CommandId) -> Document | None:
    return next((one for one in row.get("pending", ()) if one["id"] == command), None) if row is not None else None


def _leased(row: Document, token: str) -> bool:
    lease = row.get("lease")
    return lease is not None and lease["t"] == token


def _quiet(person: PersonId, token: str, version: int, known: Sequence[CommandId]) -> Document:
    """Matches while no turn and no command came in that is not known."""
    news = {"$elemMatch": {"id": {"$nin": list(known)}}}
    return {"_id": person, "lease.t": token, "v": version, "pending": {"$not": news}}


def _given_back(due: datetime | None) -> Document:
    """The lease goes; `due` is when to look again."""
    if due is None:
        return {"$unset": {"lease": "", "work_due": ""}}
    return {"$unset": {"lease": ""}, "$set": {"work_due": due}}


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
