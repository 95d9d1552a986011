"""Jobs that one process at a time may do: a row of `locks` with an end, so that a killed holder blocks nobody for long."""

from datetime import datetime

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from bot.runtime.ports import Lease
from bot.storage.mongo import Mongo, reaches


class Leases:
    """Rows of `locks`."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.collection("locks")

    @reaches
    async def take(self, job: str, lease: Lease, now: datetime) -> bool:
        """True when the job is this lease's now: it was free, its holder's time was over, or it is renewed."""
        free = {"_id": job, "$or": [{"u": {"$lte": now}}, {"t": lease.token}]}
        change = {"$set": {"t": lease.token, "u": lease.until}}
        try:
            row = await self._rows.find_one_and_update(free, change, upsert=True, return_document=ReturnDocument.AFTER)
        except DuplicateKeyError:
            return False  # somebody else holds it
        return row is not None and row["t"] == lease.token

    @reaches
    async def give_back(self, job: str, lease: Lease) -> None:
        await self._rows.delete_one({"_id": job, "t": lease.token})
