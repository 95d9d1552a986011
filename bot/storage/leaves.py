"""The places of the ledger's tree and its signed heads: rows that are inserted and never changed (decisions.md 17).

A place's name is `epoch:number`, so it can be taken once; the index on `event` is unique, so an event has one place. Bodies of events
are made from `ledger` rows; only the lines that open and close an epoch are kept here in full.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError

from bot.domain.errors import RetryLater
from bot.privacy.ledger.heads import TreeHead, from_plain
from bot.privacy.ledger.leaves import Entry, body_of, place
from bot.runtime.ports import Lease
from bot.runtime.sequencer import LedgerBroken
from bot.storage.ledger import LEDGER
from bot.storage.mongo import Document, Mongo, insert_once, reaches

LEAVES, HEADS, LOCKS = "ledger_leaves", "ledger_heads", "locks"
LOCK = "ledger-sequencer"
_DUPLICATE = 11000
_AT_ONCE = 500


class MongoLeaves:
    """The runtime's `Leaves`."""

    def __init__(self, mongo: Mongo) -> None:
        self._events = mongo.collection(LEDGER)
        self._leaves = mongo.collection(LEAVES)
        self._heads = mongo.collection(HEADS)
        self._locks = mongo.collection(LOCKS)

    @reaches
    async def lead(self, lease: Lease, now: datetime) -> bool:
        free = {"_id": LOCK, "$or": [{"u": {"$lte": now}}, {"t": lease.token}]}
        taken = {"$set": {"t": lease.token, "u": lease.until}}
        if (await self._locks.update_one(free, taken)).matched_count:
            return True
        return await insert_once(self._locks, {"_id": LOCK, "t": lease.token, "u": lease.until})

    @reaches
    async def tail(self) -> Entry | None:
        rows = await self._leaves.find({}).sort("_id", -1).limit(1).to_list(None)
        return _entry(rows[0], None) if rows else None

    async def hashes(self, epoch: str, start: int) -> AsyncIterator[bytes]:
        expected = start
        async for rows in _batches(self._of(epoch, start)):
            for row in rows:
                if row["_id"] != place(epoch, expected):
                    raise LedgerBroken(f"the ledger has a gap at {place(epoch, expected)}")
                expected += 1
                yield bytes(row["leaf"])

    def _of(self, epoch: str, start: int) -> Any:
        # `;` follows `:` in ASCII: everything of this epoch and nothing of the next.
        found = {"_id": {"$gte": place(epoch, start), "$lt": f"{epoch};"}}
        return self._leaves.find(found).sort("_id", 1)

    async def unsequenced(self, since: datetime | None, limit: int) -> AsyncIterator[Sequence[tuple[str, bytes]]]:
        found = {} if since is None else {"recorded_at": {"$gte": since}}
        waiting: list[tuple[str, bytes]] = []
        async for rows in _batches(self._events.find(found).sort([("recorded_at", 1), ("_id", 1)])):
            placed = await self._placed([row["_id"] for row in rows])
            waiting += [(row["_id"], body_of(row)) for row in rows if row["_id"] not in placed]
            while len(waiting) >= limit:
                yield waiting[:limit]
                waiting = waiting[limit:]
        if waiting:
            yield waiting

    @reaches
    async def _placed(self, events: Sequence[str]) -> frozenset[str]:
        found = await self._leaves.find({"event": {"$in": list(events)}}, {"event": 1}).to_list(None)
        return frozenset(row["event"] for row in found)

    @reaches
    async def append(self, entries: Sequence[Entry]) -> bool:
        rows = [_row(one) for one in entries]
        try:
            await self._leaves.insert_many(rows, ordered=True)
        except DuplicateKeyError:
            return False
        except BulkWriteError as problem:
            details = problem.details or {}
            if any(one["code"] != _DUPLICATE for one in details.get("writeErrors", ())):
                raise RetryLater("the database did not take every place of the ledger") from None
            return False
        return True

    @reaches
    async def last_head(self, epoch: str) -> TreeHead | None:
        found = {"_id": {"$gte": f"{epoch}:0", "$lt": f"{epoch}::"}}
        rows = await self._heads.find(found).sort("_id", -1).limit(1).to_list(None)
        return _head(rows[0]) if rows else None

    @reaches
    async def put_head(self, head: TreeHead) -> None:
        await insert_once(self._heads, {"_id": head.id, **head.plain()})

    # -- for verification and export -------------------------------------------------------------------------------------

    @reaches
    async def heads(self) -> Sequence[TreeHead]:
        """Every head that is stored, in order. Raises `Unreadable` for one that is damaged."""
        return [_head(row) for row in await self._heads.find({}).sort("_id", 1).to_list(None)]

    async def entries(self) -> AsyncIterator[Entry]:
        """Every place in its order, with the body made from the event as it is stored now."""
        async for rows in _batches(self._leaves.find({}).sort("_id", 1)):
            bodies = await self._bodies([row["event"] for row in rows])
            for row in rows:
                yield _entry(row, bodies.get(row["event"]))

    @reaches
    async def entry_of(self, event: str) -> Entry | None:
        """The place of one event with its body, or None before it has one."""
        row = await self._leaves.find_one({"event": event})
        return _entry(row, (await self._bodies([event])).get(event)) if row else None

    @reaches
    async def _bodies(self, events: Sequence[str]) -> dict[str, bytes]:
        found = await self._events.find({"_id": {"$in": list(events)}}).to_list(None)
        return {row["_id"]: body_of(row) for row in found}

    @reaches
    async def prune(self, pruned: TreeHead) -> int:
        """Deletes the events and leaves of an epoch whose evidence period is over, and keeps that word; returns how many places.

        The bot's own database user may not do this; an operator's may. The signed word stands first, so that a crash in between
        leaves an epoch that says it was pruned, and repeating completes it.
        """
        await self.put_head(pruned)
        count = 0
        while rows := await self._of(pruned.epoch, 0).limit(_AT_ONCE).to_list(None):
            await self._events.delete_many({"_id": {"$in": [row["event"] for row in rows]}})
            gone = await self._leaves.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
            count += gone.deleted_count
        return count


async def _batches(cursor: Any) -> AsyncIterator[list[Document]]:
    while batch := await _some(cursor):
        yield batch


@reaches
async def _some(cursor: Any) -> list[Document]:
    batch: list[Document] = await cursor.to_list(_AT_ONCE)
    return batch


def _row(entry: Entry) -> Document:
    row: Document = {"_id": entry.id, "event": entry.event, "leaf": entry.leaf}
    # An event's body is its row in `ledger`; a line that opens or closes an epoch has no other place.
    return {**row, "body": entry.body} if entry.is_marker else row


def _entry(row: Document, body: bytes | None) -> Entry:
    epoch, _, seq = str(row["_id"]).partition(":")
    own = bytes(row["body"]) if "body" in row else None
    return Entry(epoch, int(seq), row["event"], bytes(row["leaf"]), own if own is not None else body)


def _head(row: Document) -> TreeHead:
    head = from_plain({name: value for name, value in row.items() if name != "_id"})
    if head.id != row["_id"]:
        raise LedgerBroken(f"the head {row['_id']} says to be {head.id}")
    return head
