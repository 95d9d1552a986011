"""Brings rows under the newest keys while the bot runs: wrapped data keys, identity rows, and suppressions of people who are known.

Every step may be done again, by whoever comes next: what was moved is found under the new key, what was not is found under the old
one, and a row goes only when its successor stands. Nobody who was erased meanwhile is made again (decisions.md 10, 19).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.ids import Address, PersonId
from bot.privacy.keyring import IdentityId, Keyring, WrappedKey
from bot.storage.key_use import WRAPPED, rows_of
from bot.storage.mongo import Document, Mongo, insert_once, reaches, upsert
from bot.storage.replays import Replays
from bot.storage.subjects import Subjects

BATCH = 200


@dataclass
class Rewrapped:
    """What was done.

    Attributes:
        moved: collection to rows that stand under the newest key now.
        left: rows of former numbers and of nobody who is known, which nothing can be hashed anew from.
        unreadable: rows whose old key is not here or does not open them.
    """

    moved: dict[str, int] = field(default_factory=dict)
    left: int = 0
    unreadable: int = 0

    def add(self, collection: str, count: int = 1) -> None:
        self.moved[collection] = self.moved.get(collection, 0) + count


class Rewrapping:
    """One pass over everything that stands under an older key."""

    def __init__(self, mongo: Mongo, keyring: Keyring, subjects: Subjects, replays: Replays) -> None:
        self._mongo = mongo
        self._keyring = keyring
        self._subjects = subjects
        self._replays = replays
        self._told: Callable[[int], None] = _nobody

    @reaches
    async def total(self) -> int:
        """About how many rows a run will look at, for a progress bar."""
        found = 0
        for name in WRAPPED:
            found += await rows_of(self._mongo, name).count_documents(
                {"kid": {"$ne": self._keyring.current_kid("kek")}}
            )
        index, suppression = self._keyring.current_index_kid, self._keyring.current_suppression_kid
        found += await self._mongo.collection("identities").count_documents({"kid": {"$ne": index}})
        if await self._mongo.collection("suppressions").find_one({"kid": {"$ne": suppression}}, {"_id": 1}) is not None:
            found += await self._mongo.vault["subjects"].estimated_document_count()
        return int(found)

    async def run(self, *, told: Callable[[int], None] | None = None) -> Rewrapped:
        """`told` hears of every batch how many rows were looked at.

        Raises `RetryLater` when the database is out of reach; the next run goes on from there.
        """
        self._told = told or _nobody
        done = Rewrapped()
        for name in WRAPPED:
            await self._wrap_anew(name, done)
        await self._index_anew(done)
        await self._suppress_anew(done)
        return done

    # -- wrapped keys --------------------------------------------------------------------------------------------------

    @reaches
    async def _wrap_anew(self, name: str, done: Rewrapped) -> None:
        rows, current = rows_of(self._mongo, name), self._keyring.current_kid("kek")
        async for batch in _batches(rows, {"kid": {"$exists": True, "$ne": current}}, {"kid": 1, "key": 1}):
            # Rows of website requests that are over hold no key any more.
            for row in batch:
                try:
                    again = self._keyring.rewrapped(PersonId(row["_id"]), WrappedKey(row["kid"], bytes(row["key"])))
                except Unreadable:
                    done.unreadable += 1
                    continue
                if again is None:
                    continue
                # Guarded by what was read: an erasure's deletion is never undone, another rewrap's result never replaced.
                guard = {"_id": row["_id"], "kid": row["kid"], "key": row["key"]}
                result = await rows.update_one(guard, {"$set": {"kid": again.kid, "key": again.sealed}})
                done.add(name, result.modified_count)
            self._told(len(batch))

    # -- who somebody is -----------------------------------------------------------------------------------------------

    @reaches
    async def _index_anew(self, done: Rewrapped) -> None:
        rows, current = self._mongo.collection("identities"), self._keyring.current_index_kid
        async for batch in _batches(rows, {"kid": {"$ne": current}}):
            for person in dict.fromkeys(row["person"] for row in batch):
                mine = [row for row in batch if row["person"] == person]
                await self._identities_anew(PersonId(person), mine, done)
            self._told(len(batch))

    async def _identities_anew(self, person: PersonId, old: list[Document], done: Rewrapped) -> None:
        rows, current = self._mongo.collection("identities"), self._keyring.current_index_kid
        address = await self._address(person)
        if address is None:
            done.left += len(old)
            return
        successors = _successors(self._keyring.identity_ids(address), current)
        for row in old:
            new = successors.get(row["_id"])
            if new is None:
                done.left += 1  # a former number or id: the address holds the newest alone
                continue
            facts = {"person": person, "kind": row["kind"], "kid": current, "since": row["since"]}
            if "making" in row:
                continue  # still being made, or swept soon
            await insert_once(rows, {"_id": new, **facts})
            if not await self._subjects.stands(person):
                # Erased meanwhile: the key goes first there, so what came too late is found here.
                await rows.delete_many({"person": person})
                return
            # Where the successor is somebody else's by now (a number that was given on), the old row says nothing true any more.
            result = await rows.delete_one({"_id": row["_id"], "person": person})
            done.add("identities", result.deleted_count)

    # -- who wants no messages -----------------------------------------------------------------------------------------

    @reaches
    async def _suppress_anew(self, done: Rewrapped) -> None:
        """Only of people we still know: after an erasure there is no number left to hash anew (privacy.md 2.9)."""
        rows, current = self._mongo.collection("suppressions"), self._keyring.current_suppression_kid
        if await rows.find_one({"kid": {"$ne": current}}, {"_id": 1}) is None:
            return
        async for batch in _batches(self._mongo.vault["subjects"], {}, {"_id": 1}):
            for subject in batch:
                address = await self._address(PersonId(subject["_id"]))
                if address is not None:
                    await self._suppressions_anew(address, done)
            self._told(len(batch))
        done.left += await rows.count_documents({"kid": {"$ne": current}})

    async def _suppressions_anew(self, address: Address, done: Rewrapped) -> None:
        rows, current = self._mongo.collection("suppressions"), self._keyring.current_suppression_kid
        successors = _successors(self._keyring.suppression_ids(address), current)
        old = await rows.find({"i": {"$in": list(successors)}}).to_list(None) if successors else []
        for row in old:
            new = successors[row["i"]]
            fixed = {"i": new, "kid": current, "scope": row["scope"], "source": row["source"]}
            times = {name: row[name] for name in ("since", "hit_at", "expires") if name in row}
            # The new row first: at every moment one of the two forbids. A lift in between may leave the new one: it only forbids.
            await upsert(rows, f"{new}:{row['scope']}", {"$set": fixed, "$max": times})
            await self._replays.suppression_moved(row["_id"], f"{new}:{row['scope']}", fixed)
            result = await rows.delete_one({"_id": row["_id"]})
            done.add("suppressions", result.deleted_count)

    async def _address(self, person: PersonId) -> Address | None:
        subject = await self._subjects.openable(person)
        self._subjects.forget(person)  # a pass over everybody must not fill the cache of keys
        return subject.address if subject else None


def _successors(ids: "tuple[IdentityId, ...]", current: str) -> dict[str, str]:
    """Id under an older key to the id of the same identity under the current one: every version lists them in one order."""
    mine = [one.id for one in ids if one.kid == current]
    older: dict[str, str] = {}
    for kid in dict.fromkeys(one.kid for one in ids if one.kid != current):
        older |= dict(zip((one.id for one in ids if one.kid == kid), mine, strict=True))
    return older


async def _batches(rows: Any, query: Document, fields: Document | None = None) -> AsyncIterator[list[Document]]:
    """Everything that matches, in the order of the ids, so many at a time: each row once, however many stay as they are."""
    last: Any = None
    while True:
        after = {**query, "_id": {"$gt": last}} if last is not None else query
        batch = await rows.find(after, fields).sort("_id", 1).limit(BATCH).to_list(None)
        if not batch:
            return
        yield batch
        last = batch[-1]["_id"]


def _nobody(_: int) -> None:
    """Nobody watches."""
