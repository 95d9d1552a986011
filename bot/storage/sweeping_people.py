"""What is left of people under the sweeper: keys that open nothing any more, and rows of somebody who was never fully made.

A key outlives its conversation only while it opens the proof of a consent or another row; then it goes, and backups with it.
"""

from datetime import datetime, timedelta

from bot.privacy.inventory import COLLECTIONS
from bot.privacy.retention import Visit
from bot.storage.key_use import rows_of
from bot.storage.mongo import Document, Mongo, reaches

GRACE = timedelta(hours=1)
"""Somebody younger than this may be in the middle of being admitted."""

UNUSED = timedelta(days=8)
"""Whoever was admitted and never got a conversation: Meta would have delivered the message again by then."""

LOOK_AGAIN, LOOK_SOON = timedelta(days=30), timedelta(days=1)
"""At people who have a conversation; and at those of whom only other rows are left."""

_WITH_PERSON = ("identities", "subjects")


def _needing() -> tuple[str, ...]:
    """The collections whose rows need the person's key or mean that the person is still here, by the register."""
    return tuple(
        name for name, one in COLLECTIONS.items()
        if one.found_as == "person" and one.on_erasure != "keep" and name not in _WITH_PERSON
    )  # fmt: skip


class PeopleSweep:
    """Passes over half-made identities and over the vault."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._identities = mongo.collection("identities")
        self._vault = mongo.vault["subjects"]

    @reaches
    async def half_made(self, visit: Visit) -> None:
        """Identities whose making was cut off: of nobody where the key never stood, else simply made by now."""
        now, delete, report = visit.now, visit.delete, visit.report
        async for row in self._identities.find({"making": {"$lte": now - GRACE}}):
            if await self._vault.find_one({"_id": row["person"]}, {"_id": 1}) is not None:
                if delete:
                    await self._identities.update_one(
                        {"_id": row["_id"], "making": row["making"]}, {"$unset": {"making": ""}}
                    )
                continue
            if not delete:
                report.add("identities", "orphan")
                continue
            mine = {"_id": row["_id"], "person": row["person"]}
            report.add("identities", "orphan", "*", (await self._identities.delete_one(mine)).deleted_count)
            report.unverified += await self._identities.count_documents(mine)

    @reaches
    async def nobody_s(self, visit: Visit) -> None:
        """Keys of the vault that open nothing: of people who left, and of those whose admission was cut off."""
        now, delete, report = visit.now, visit.delete, visit.report
        due = {"$or": [{"sweep_at": {"$lte": now}}, {"sweep_at": None, "created_at": {"$lte": now - GRACE}}]}
        async for row in self._vault.find(due, {"_id": 1, "sweep_at": 1, "created_at": 1}):
            person = row["_id"]
            needed_by = await self._needed(person)
            if needed_by or await self._coming(person, now):
                if delete:
                    again = now + (LOOK_AGAIN if needed_by == "conversations" else LOOK_SOON)
                    as_read = {"_id": person, "sweep_at": row.get("sweep_at")}
                    await self._vault.update_one(as_read, {"$set": {"sweep_at": again}})
                continue
            rule = "with_sealed" if row.get("sweep_at") else "orphan"
            if not delete:
                report.add("subjects", rule)
                report.add("identities", "orphan", "*", await self._identities.count_documents({"person": person}))
                continue
            # The key first: a turn that is about to begin with them finds nobody and makes somebody new (decisions.md 16).
            gone = await self._vault.delete_one({"_id": person, "created_at": row["created_at"]})
            report.add("subjects", rule, "*", gone.deleted_count)
            known = await self._identities.delete_many({"person": person})
            report.add("identities", "orphan", "*", known.deleted_count)
            report.unverified += await self._vault.count_documents({"_id": person})
            report.unverified += await self._identities.count_documents({"person": person})

    async def _needed(self, person: str) -> str:
        """The first collection with a row of theirs, the conversation before all others; empty where there is none."""
        for name in _needing():
            query: Document = {COLLECTIONS[name].found_by: person}
            if await rows_of(self._mongo, name).find_one(query, {"_id": 1}) is not None:
                return name
        return ""

    async def _coming(self, person: str, now: datetime) -> bool:
        """Whether they were admitted lately and may still get a conversation."""
        newest = await self._identities.find({"person": person}, {"since": 1}).sort("since", -1).limit(1).to_list(None)
        return bool(newest) and newest[0]["since"] > now - UNUSED
