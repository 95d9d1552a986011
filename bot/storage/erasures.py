"""The storage's half of an erasure: replay entry, tombstones, the job with a key of its own, and the rows (decisions.md 16)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import ReturnDocument

from bot.domain import plain
from bot.domain.command import Erase
from bot.domain.errors import RetryLater, Unreadable
from bot.domain.ids import CommandId, PersonId
from bot.privacy.erasure import JOB_LASTS, row_actions
from bot.privacy.keyring import Keyring, WrappedKey
from bot.runtime.ports import ErasureJob, Lease, Stored
from bot.storage.documents import seal, unseal
from bot.storage.merges import MERGES
from bot.storage.mongo import Document, Mongo, insert_all_once, insert_once, reaches
from bot.storage.people import TOMBSTONE_KEPT, TOMBSTONES
from bot.storage.replays import Replays
from bot.storage.subjects import Subjects

JOBS = "erasure_jobs"
AT_ONCE = 16
BEGINNERS_LEASE = timedelta(minutes=2)
"""Whoever began an erasure finishes it, unless it crashes."""


class MongoErasures:
    """The runtime's `Erasures`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, keyring: Keyring, replays: Replays | None = None) -> None:
        self._mongo = mongo
        self._replays = replays or Replays(mongo)
        self._jobs = mongo.collection(JOBS)
        self._subjects = subjects
        self._keyring = keyring

    @reaches
    async def begin(self, stored: Stored, command: Erase, now: datetime) -> ErasureJob:
        """What finishing needs is written before what it is needed for goes."""
        person = stored.conversation.person
        subject = await self._subjects.find(person)
        known = await self._jobs.find_one({"_id": command.id})
        if known is not None:
            return self._opened(known)
        if subject is None:
            raise RetryLater("the person's key is gone without a job; an operator must look")
        await self._refuse_while_merging(person)
        await self._replays.erased(command.id, person, subject.ref, now)
        for place, (former, ref) in enumerate(await self._subjects.merged_into(person)):
            # An older backup holds them as somebody of their own.
            await self._replays.erased(CommandId(f"{command.id}:{place}"), former, ref, now)
        await self._bury(stored, now)
        key, wrapped = self._keyring.new_data_key(PersonId(command.id))
        private = {
            "address": plain.encode(subject.address), "receipt": plain.encode(command.receipt),
            "window_until": stored.conversation.window_until,
        }  # fmt: skip
        row = {
            "_id": command.id, "person": person, "subject_ref": subject.ref, "step": "job", "requested_at": command.requested_at,
            "lease": {"t": command.id, "u": now + BEGINNERS_LEASE}, "language": command.language, "expires": now + JOB_LASTS,
            "kid": wrapped.kid, "key": wrapped.sealed,
            "p": seal(key, private, collection=JOBS, row=command.id, field="p", person=PersonId(command.id)),
        }  # fmt: skip
        await insert_once(self._jobs, row)
        found = await self._jobs.find_one({"_id": command.id})
        return self._opened(found or row)

    async def _refuse_while_merging(self, person: PersonId) -> None:
        """Rows of somebody who is about to become this person would be left. A merge takes moments; the erasure waits for it."""
        if await self._mongo.collection(MERGES).find_one({"person": person, "expires": None}, {"_id": 1}) is not None:
            raise RetryLater("somebody is being merged into this person")

    async def _bury(self, stored: Stored, now: datetime) -> None:
        """Ids of answered messages, so that a late redelivery does not bring the person back."""
        rows = [{"_id": event, "expires": now + TOMBSTONE_KEPT} for event in sorted(stored.seen)]
        await insert_all_once(self._mongo.collection(TOMBSTONES), rows)

    def _opened(self, row: Document) -> ErasureJob:
        key = self._keyring.open_data_key(PersonId(row["_id"]), WrappedKey(row["kid"], bytes(row["key"])))
        private = unseal(key, row["p"], collection=JOBS, row=row["_id"], field="p", person=PersonId(row["_id"]))
        return ErasureJob(
            row["_id"], PersonId(row["person"]), row["step"], row["language"], plain.decode(private["address"]),
            plain.decode(private["receipt"]), private["window_until"], row.get("steps", {}).get("key"),
        )  # fmt: skip

    @reaches
    async def reference_of(self, person: PersonId) -> str:
        """The reference of somebody who is being erased, whose key may be gone already; empty for anybody else."""
        row = await self._jobs.find_one({"person": person}, {"subject_ref": 1})
        return str(row["subject_ref"]) if row is not None else ""

    @reaches
    async def destroy_key(self, job: ErasureJob, now: datetime) -> ErasureJob:
        await self._subjects.destroy(job.person)
        await self._jobs.update_one({"_id": job.id, "steps.key": {"$exists": False}}, {"$set": {"steps.key": now}})
        return await self.finished(job, "key")

    @reaches
    async def delete_rows(self, job: ErasureJob) -> None:
        """By the register, so that no collection can be forgotten."""
        for action in row_actions():
            rows = self._mongo.collection(action.collection)
            found = {action.found_by: self._named(job, action.found_as)}
            if action.delete:
                await rows.delete_many(found)
            else:
                await rows.update_many(found, {"$unset": dict.fromkeys(action.unset, "")})

    def _named(self, job: ErasureJob, found_as: str) -> object:
        """What the rows of this person hold: the person, or hashes of their number where nobody was made known yet."""
        if found_as != "identity_id":
            return job.person
        return {"$in": [one.id for one in self._keyring.identity_ids(job.address)] if job.address else []}

    @reaches
    async def finished(self, job: ErasureJob, step: str) -> ErasureJob:
        """Notes a finished step. Raises `RetryLater` when another process went on with the job: one of the two goes on alone."""
        row = await self._jobs.find_one_and_update(
            {"_id": job.id, "step": job.done}, {"$set": {"step": step}}, return_document=ReturnDocument.AFTER
        )
        if row is None:
            raise RetryLater("another process went on with the job")
        return self._opened(row)

    @reaches
    async def close(self, job: ErasureJob, now: datetime) -> None:
        """The request is answered, on record without its content; then the job goes with its key."""
        row = await self._jobs.find_one({"_id": job.id}, {"subject_ref": 1})
        if row is not None:
            asked = {"subject_ref": row["subject_ref"], "kind": "erase", "closed_at": {"$exists": False}}
            answered = {"$set": {"state": "answered", "closed_at": now}}
            await self._mongo.collection("requests").update_many(asked, answered)
        await self._jobs.delete_one({"_id": job.id})

    @reaches
    async def unfinished(self, lease: Lease, now: datetime) -> Sequence[ErasureJob]:
        free = {"$or": [{"lease": {"$exists": False}}, {"lease.u": {"$lte": now}}]}
        waiting = await self._jobs.find(free, {"_id": 1}).limit(AT_ONCE).to_list(None)
        ids = [row["_id"] for row in waiting]
        if not ids:
            return []
        await self._jobs.update_many(
            {"_id": {"$in": ids}, **free}, {"$set": {"lease": {"t": lease.token, "u": lease.until}}}
        )
        jobs = []
        async for row in self._jobs.find({"_id": {"$in": ids}, "lease.t": lease.token}):
            try:
                jobs.append(self._opened(row))
            except Unreadable:
                continue  # its wrapping key is not here: another installation's, or an operator must look (metric)
        return jobs
