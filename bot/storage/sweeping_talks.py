"""Conversations under the sweeper: fields that are past their time, and people who have not written for years.

A field goes by one update that names the version and the lease it was decided on. A person goes in steps, marked so that no turn
begins on them meanwhile and a crash is resumed: identities, address, and the conversation last.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId, PersonId
from bot.privacy import retention
from bot.privacy.crypto import DataKey
from bot.privacy.retention import Due, Facts, Periods, Report, Visit, Waiting
from bot.storage.documents import CONVERSATIONS, conversation_fields, stored
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.subjects import COLLECTION as SUBJECTS
from bot.storage.subjects import Subjects

GRACE = timedelta(hours=1)
"""What looks left behind for less than this may belong to somebody who is just being admitted or erased."""

_STAY = frozenset({"RecordConsent", "OpenRequest", "SettleRequest", "Erase"})
"""Proof and rights are never dropped unfinished."""


class TalkSweep:
    """One pass over the conversations whose time to be looked at has come."""

    def __init__(self, mongo: Mongo, subjects: Subjects, periods: Periods) -> None:
        self._rows = mongo.collection(CONVERSATIONS)
        self._identities = mongo.collection("identities")
        self._vault = mongo.vault[SUBJECTS]
        self._subjects = subjects
        self._periods = periods

    @reaches
    async def run(self, visit: Visit) -> None:
        """Null matches rows of before `sweep_at` existed, by the same index. What is handled moves beyond the index's range."""
        found = self._rows.find({"$or": [{"sweep_at": {"$lte": visit.now}}, {"sweep_at": None}]}, {"_id": 1})
        async for row in found:
            document = await self._rows.find_one({"_id": row["_id"]})
            if document is not None:
                await self._one(document, visit)

    async def _one(self, document: Document, visit: Visit) -> None:
        person, report = PersonId(document["_id"]), visit.report
        if not await self._subjects.stands(person):
            await self._orphan(document, visit)
            return
        if "leaving" in document:
            if visit.delete:
                await self._leave(person, visit)
            else:
                await self._tell(person, [Due("with_person", "*")], report)
            return
        key = await self._key(person)
        facts = _facts(document, key, visit.now)
        due, again = retention.of_conversation(facts, visit.now, self._periods)
        late = sum(one.stays and one.since + self._periods.lasts["pending"] <= visit.now for one in facts.waiting)
        if late:
            report.overdue["pending"] = report.overdue.get("pending", 0) + late
        if not visit.delete:
            await self._tell(person, due, report)
        elif _leased(document, visit.now):
            return  # somebody is at it this moment; it is looked at again in the next run
        elif any(one.fields == "*" for one in due):
            await self._begin_leaving(document, visit)
        elif due:
            await self._unset(document, facts, due, key, visit)
        else:
            await self._rows.update_one(_guard(document), {"$set": {"sweep_at": again}})

    async def _key(self, person: PersonId) -> DataKey | None:
        key = await self._subjects.key(person)
        self._subjects.forget(person)  # a pass over everybody must not fill the cache of keys
        return key

    async def _tell(self, person: PersonId, due: list[Due], report: Report) -> None:
        for one in due:
            report.add(CONVERSATIONS, one.rule, one.fields, one.count)
            if one.fields == "*":
                report.add("identities", one.rule, "*", await self._identities.count_documents({"person": person}))
                addressed = {"_id": person, "address": {"$exists": True}}
                report.add(SUBJECTS, one.rule, "address", await self._vault.count_documents(addressed))

    # -- fields --------------------------------------------------------------------------------------------------------

    async def _unset(self, document: Document, facts: Facts, due: list[Due], key: DataKey | None, visit: Visit) -> None:
        """One guarded update; `sweep_at` stays as it is, so that the next look says when to look again."""
        try:
            fields, gone = conversation_fields(retention.swept(facts.conversation, due), key)
        except Unreadable:
            return  # the key is out of reach: what cannot be sealed again stays as it is until it is not
        update: Document = {"$set": {**fields, "sweep_at": visit.now}, "$unset": dict.fromkeys(gone, "")}
        pulled = _pulled(due, facts, self._periods, visit.now)
        if pulled:
            update["$pull"] = pulled
        person = PersonId(document["_id"])
        result = await self._rows.update_one(_guard(document), update)
        if not result.matched_count:
            return  # a turn was faster; it set its own time to be looked at
        for one in due:
            visit.report.add(CONVERSATIONS, one.rule, one.fields, one.count)
        after = await self._rows.find_one({"_id": person, "v": fields["v"]})
        if after is None:
            return  # a turn has changed it since; nothing can be said of ours any more
        left, again = retention.of_conversation(
            _facts(after, await self._key(person), visit.now), visit.now, self._periods
        )
        visit.report.unverified += sum(one.count for one in left if one.fields != "*")
        if not left:
            await self._rows.update_one(_guard(after), {"$set": {"sweep_at": again}})

    # -- people --------------------------------------------------------------------------------------------------------

    async def _begin_leaving(self, document: Document, visit: Visit) -> None:
        """From here on no turn begins on them (`erasing`); a message in the middle comes again and makes somebody new."""
        change = {"$set": {"erasing": True, "leaving": visit.now, "sweep_at": visit.now}, "$inc": {"v": 1, "g": 1}}
        result = await self._rows.update_one(_guard(document), change)
        if result.matched_count:
            await self._leave(PersonId(document["_id"]), visit)

    async def _leave(self, person: PersonId, visit: Visit) -> None:
        """Each step may be done again; the key stays while it opens the proof of a consent (`sweeping_people`)."""
        now, report = visit.now, visit.report
        gone = await self._identities.delete_many({"person": person})
        report.add("identities", "with_person", "*", gone.deleted_count)
        addressed = {"_id": person, "address": {"$exists": True}}
        hidden = await self._vault.update_one(addressed, {"$unset": {"address": ""}, "$set": {"sweep_at": now}})
        report.add(SUBJECTS, "with_person", "address", hidden.modified_count)
        done = await self._rows.delete_one({"_id": person, "leaving": {"$exists": True}})
        report.add(CONVERSATIONS, "with_person", "*", done.deleted_count)
        self._subjects.forget(person)
        report.unverified += await self._identities.count_documents({"person": person})
        report.unverified += await self._vault.count_documents(addressed)
        report.unverified += await self._rows.count_documents({"_id": person})

    async def _orphan(self, document: Document, visit: Visit) -> None:
        """Nobody's: its person was erased while a turn was being written. An erasure under way takes its own rows away."""
        if document.get("touched", visit.now) > visit.now - GRACE:
            return
        if not visit.delete:
            visit.report.add(CONVERSATIONS, "orphan")
            return
        done = await self._rows.delete_one({"_id": document["_id"], "v": document["v"]})
        visit.report.add(CONVERSATIONS, "orphan", "*", done.deleted_count)


def _guard(document: Mapping[str, Any]) -> Document:
    """The document as it was read, with nobody at it."""
    lease = document.get("lease")
    free: Document = {"lease": {"$exists": False}} if lease is None else {"lease.t": lease["t"], "lease.u": lease["u"]}
    return {"_id": document["_id"], "v": document["v"], "pending.id": _pending_ids(document), **free}


def _pending_ids(document: Mapping[str, Any]) -> Any:
    """The commands as they were read: the outbox settles them without a new version."""
    ids = [row["id"] for row in document.get("pending", ())]
    return {"$all": ids} if ids else {"$exists": False}


def _leased(document: Mapping[str, Any], now: datetime) -> bool:
    lease = document.get("lease")
    return lease is not None and lease["u"] > now


def _facts(document: Mapping[str, Any], key: DataKey | None, now: datetime) -> Facts:
    loaded = stored(document, key)
    touched = document.get("touched") or loaded.conversation.created_at or now
    waiting = [
        Waiting(
            CommandId(row["id"]),
            max(row.get("at", touched), row.get("nb") or row.get("at", touched)),
            row["c"]["_"] in _STAY,
        )
        for row in document.get("pending", ())
    ]
    return Facts(loaded.conversation, touched, tuple(at for _, at in loaded.seen_at), waiting)


def _pulled(due: list[Due], facts: Facts, periods: Periods, now: datetime) -> Document:
    """What leaves the document's two lists."""
    pulled: Document = {}
    for one in due:
        if one.rule == "seen":
            pulled["seen"] = {"t": {"$lte": now - periods.lasts["seen"]}}
        elif one.rule == "pending":
            over = [row.id for row in facts.waiting if not row.stays and row.since + periods.lasts["pending"] <= now]
            pulled["pending"] = {"id": {"$in": over}}
    return pulled
