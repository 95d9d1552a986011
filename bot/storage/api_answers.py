"""What the REST API answered to an `Idempotency-Key`, so that the same request again is answered alike and does nothing (RFC 9110 9.2.2).

Keys and bodies stand here as keyed hashes. Answers hold references and states, never a person's data: those are read anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.privacy.crypto import random_token
from bot.storage.mongo import Document, Mongo, insert_once, reaches

COLLECTION = "api_answers"
KEPT = timedelta(days=1)
LEASE = timedelta(seconds=60)
"""How long whoever began a request has it for themselves; after that its sender may have it done by another process."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands under a key.

    Attributes:
        state: `mine`: nothing was begun, or whoever began is gone. `working`: another does it now. `done`: it was answered.
            `other`: the key was used for another request.
        token: with `mine`, what `keep` and `drop` are told.
    """

    state: str
    token: str = ""
    status: int = 0
    answer: Mapping[str, Any] = field(default_factory=dict)


class MongoAnswers:
    """Rows of `api_answers`."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.collection(COLLECTION)

    @reaches
    async def claim(self, key: str, body: str, now: datetime) -> Claim:
        """Begins the request of this key, or says how it stands. `key` and `body` are keyed hashes."""
        token = random_token()
        row: Document = {
            "_id": key,
            "body": body,
            "state": "working",
            "t": token,
            "u": now + LEASE,
            "expires": now + KEPT,
        }
        if await insert_once(self._rows, row):
            return Claim("mine", token)
        stands = await self._rows.find_one({"_id": key})
        if stands is None:
            return Claim("working")  # it has just been dropped: whoever asks again gets it
        if stands["body"] != body:
            return Claim("other")
        if stands["state"] == "done":
            return Claim("done", status=stands["status"], answer=stands["answer"])
        if stands["u"] <= now:
            gone = {"_id": key, "state": "working", "t": stands["t"]}
            taken = await self._rows.update_one(gone, {"$set": {"t": token, "u": now + LEASE}})
            if taken.matched_count:
                return Claim("mine", token)
        return Claim("working")

    @reaches
    async def keep(self, key: str, token: str, status: int, answer: Mapping[str, Any]) -> None:
        """The answer, for everybody who sends the same again."""
        change = {"$set": {"state": "done", "status": status, "answer": dict(answer)}, "$unset": {"t": "", "u": ""}}
        await self._rows.update_one({"_id": key, "t": token}, change)

    @reaches
    async def drop(self, key: str, token: str) -> None:
        """It could not be done now, and may be tried again under the same key."""
        await self._rows.delete_one({"_id": key, "t": token})
