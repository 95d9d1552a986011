"""Who read whose data by the REST API, when and for what reason (GDPR art. 5(2), 32); it holds nothing of what was read."""

from datetime import datetime, timedelta

from bot.privacy.crypto import random_token
from bot.storage.mongo import Mongo, reaches

COLLECTION = "access_log"
KEPT = timedelta(days=365)


class MongoAccessLog:
    """Adds rows; nothing changes or removes one before its time."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.collection(COLLECTION)

    @reaches
    async def note(self, *, by: str, name: str, what: str, why: str, subject: str, now: datetime) -> None:
        """`by` and `name` are the key's, `what` the endpoint, `subject` the person's reference, empty for a list of several."""
        row = {
            "_id": random_token(),
            "at": now,
            "by": by,
            "name": name,
            "what": what,
            "why": why,
            "expires": now + KEPT,
        }
        await self._rows.insert_one(row | ({"subject_ref": subject} if subject else {}))
