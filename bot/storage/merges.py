"""The storage's half of a merge: the job row, the rows sealed anew, the identities and the key (decisions.md 2).

Every step may be done again: what was moved is found under the winner, what was not is found under the loser. The ledger is insert
only, so the loser's events keep their reference; the winner's vault row remembers it with its salt.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import RetryLater, Unreadable
from bot.domain.ids import Address, PersonId
from bot.privacy.crypto import DataKey
from bot.privacy.erasure import row_actions
from bot.privacy.inventory import COLLECTIONS, Kept
from bot.privacy.keyring import Keyring
from bot.runtime.merging import STEPS, MergeJob
from bot.runtime.ports import Lease
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

MERGES = "merges"
KEPT = timedelta(days=8)
"""How long a finished merge is remembered: as long as Meta may deliver what was said before it."""

AT_ONCE = 16
_OTHERWISE = frozenset({"identities", "conversations", MERGES})
"""Collections of people whose rows move in a step of their own, or not at all."""

_OUTLIVE = ("audit_log",)
"""What an erasure keeps and a person may still ask for: who looked at them belongs to whom they turned out to be."""


class MongoMerges:
    """The runtime's `Merges`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, keyring: Keyring) -> None:
        self._mongo = mongo
        self._jobs = mongo.collection(MERGES)
        self._identities = mongo.collection("identities")
        self._subjects = subjects
        self._keyring = keyring

    @reaches
    async def begin(self, job: MergeJob, lease: Lease, now: datetime, *, shut: bool) -> MergeJob:
        """As the port says. Looked for others after it stands, so of two that cross at most one goes on."""
        row = await self._jobs.find_one({"_id": job.loser})
        if row is not None and row["step"] == STEPS[-1]:
            raise RetryLater("the merge is done; whoever asks finds the winner the next time")
        if row is None:
            if shut:
                raise RetryLater("an erasure is under way")
            new = {"_id": job.loser, "person": job.winner, "step": "", "at": now, "lease": _lease(lease)}
            await insert_once(self._jobs, new)
        elif not await self._leased(job.loser, lease, now):
            raise RetryLater("somebody works on this merge")
        crossing = {"step": {"$ne": STEPS[-1]}, "$or": [{"_id": job.winner}, {"person": job.loser}]}
        if await self._jobs.find_one(crossing, {"_id": 1}) is not None:
            await self._jobs.delete_one({"_id": job.loser, "step": ""})
            raise RetryLater("one of the two is part of another merge")
        standing = await self._jobs.find_one({"_id": job.loser})
        if standing is None or standing["lease"]["t"] != lease.token:
            raise RetryLater("somebody works on this merge")
        return _job(standing)

    async def _leased(self, loser: PersonId, lease: Lease, now: datetime) -> bool:
        free = {"_id": loser, "lease.u": {"$lte": now}}
        return bool((await self._jobs.update_one(free, {"$set": {"lease": _lease(lease)}})).matched_count)

    @reaches
    async def twin(self, person: PersonId, address: Address) -> PersonId | None:
        if address.phone is None or not (address.bsuid or address.parent_bsuid):
            return None
        ids = [one.id for one in self._keyring.identity_ids(Address(address.phone))]
        rows = await self._identities.find({"_id": {"$in": ids}, "person": {"$ne": person}}).to_list(None)
        for row in rows:
            scoped = {"person": row["person"], "kind": {"$in": ["bsuid", "parent_bsuid"]}}
            if "making" not in row and await self._identities.find_one(scoped, {"_id": 1}) is None:
                return PersonId(row["person"])
        return None

    # -- rows ----------------------------------------------------------------------------------------------------------

    @reaches
    async def move_rows(self, job: MergeJob) -> None:
        """By the register, so that no collection can be forgotten."""
        keys: tuple[DataKey, DataKey] | None = None
        for action in row_actions():
            if action.found_as != "person" or action.collection in _OTHERWISE:
                continue
            rows = self._mongo.collection(action.collection)
            async for row in rows.find({action.found_by: job.loser}):
                if keys is None and _sealed(action.collection, row):
                    keys = await self._keys(job)
                change = self._anew(action.collection, row, job, keys)
                # Guarded by the owner: what an erasure took meanwhile stays gone, what was moved stays moved.
                await rows.update_one({"_id": row["_id"], action.found_by: job.loser}, change)
        for name in _OUTLIVE:
            await self._mongo.collection(name).update_many({"person": job.loser}, {"$set": {"person": job.winner}})

    async def _keys(self, job: MergeJob) -> tuple[DataKey, DataKey]:
        old, new = await self._subjects.key(job.loser), await self._subjects.key(job.winner)
        if old is None or new is None:
            raise RetryLater("one of the keys cannot be opened now")
        return old, new

    @staticmethod
    def _anew(collection: str, row: Document, job: MergeJob, keys: tuple[DataKey, DataKey] | None) -> Document:
        change: dict[str, Any] = {"$set": {"person": job.winner}}
        if keys is None:
            return change
        for name in _sealed(collection, row):
            place = {"collection": collection, "row": str(row["_id"]), "field": name}
            try:
                opened = unseal(keys[0], row[name], person=job.loser, **place)
            except Unreadable:
                # It could not be read before either; without its sealed part the row still says what it clearly says.
                change.setdefault("$unset", {})[name] = ""
                continue
            change["$set"][name] = seal(keys[1], opened, person=job.winner, **place)
        return change

    @reaches
    async def move_identities(self, job: MergeJob) -> None:
        await self._identities.update_many({"person": job.loser}, {"$set": {"person": job.winner}})

    async def move_key(self, job: MergeJob) -> None:
        await self._subjects.absorb(job.winner, job.loser)

    @reaches
    async def drop_conversation(self, job: MergeJob) -> None:
        await self._mongo.collection("conversations").delete_one({"_id": job.loser})

    # -- the job -------------------------------------------------------------------------------------------------------

    @reaches
    async def finished(self, job: MergeJob, step: str, now: datetime) -> MergeJob:
        """Raises `RetryLater` when another process went on with the job: one of the two goes on alone."""
        over = step == STEPS[-1]
        change: Document = {"$set": {"step": step, **({"expires": now + KEPT} if over else {})}}
        result = await self._jobs.update_one({"_id": job.loser, "step": job.done}, change)
        if not result.matched_count:
            raise RetryLater("another process went on with the merge")
        return MergeJob(job.loser, job.winner, step)

    @reaches
    async def give_back(self, job: MergeJob, now: datetime) -> None:
        """As the port says."""
        unfinished = {"_id": job.loser, "step": {"$ne": STEPS[-1]}}
        await self._jobs.update_one(unfinished, {"$set": {"lease.u": now}})

    @reaches
    async def unfinished(self, lease: Lease, now: datetime) -> Sequence[MergeJob]:
        waiting = {"step": {"$ne": STEPS[-1]}, "lease.u": {"$lte": now}}
        ids = [row["_id"] for row in await self._jobs.find(waiting, {"_id": 1}).limit(AT_ONCE).to_list(None)]
        if not ids:
            return []
        await self._jobs.update_many({"_id": {"$in": ids}, **waiting}, {"$set": {"lease": _lease(lease)}})
        return [_job(row) async for row in self._jobs.find({"_id": {"$in": ids}, "lease.t": lease.token})]


def _sealed(collection: str, row: Document) -> list[str]:
    """The fields of this row that are sealed under its person's key, by the register."""
    names = (one.path for one in COLLECTIONS[collection].fields if one.kept is Kept.ENCRYPTED)
    return [name for name in names if "/" not in name and "." not in name and isinstance(row.get(name), bytes)]


def _lease(lease: Lease) -> Document:
    return {"t": lease.token, "u": lease.until}


def _job(row: Document) -> MergeJob:
    return MergeJob(PersonId(row["_id"]), PersonId(row["person"]), row["step"])
