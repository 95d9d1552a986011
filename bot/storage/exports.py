"""Copies of their data that people may fetch once: sealed under their own key, found by a link, opened by a code (GDPR art. 15, 20).

Neither link nor code stands in the database: the row's `_id` is a hash of the link's 128 random bits, and the code is hashed with them,
so whoever reads the database can neither follow the link nor guess the code.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pymongo import ReturnDocument

from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId, PersonId
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Mongo, reaches
from bot.storage.subjects import Subjects

EXPORTS = "exports"
LASTS = timedelta(hours=72)
TRIES = 5
"""How often a code may be tried; then the link is over (6 digits: one chance in 200,000)."""

AGAIN_WITHIN = timedelta(minutes=10)
"""For so long a download that broke off may be begun once more."""

LARGEST = 8 * 1024 * 1024
"""Bytes of a document; a person's copy has some kilobytes, and a row may have 16 MiB (MongoDB: limits)."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What is fetched."""

    language: str
    document: bytes = field(repr=False)


class MongoExports:
    """Links and what lies behind them."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._rows = mongo.collection(EXPORTS)
        self._subjects = subjects

    @reaches
    async def put(
        self, person: PersonId, command: CommandId, document: bytes, *, token: str, code: str, language: str, now: datetime
    ) -> None:  # fmt: skip
        """Keeps a copy for `LASTS`; an older link of the same request ends. Raises `Unreadable` without the person's key."""
        if len(document) > LARGEST:
            raise ValueError("the copy is too large for one row")
        key = await self._subjects.key(person)
        name = _name(token)
        sealed = seal(key, {"document": document}, collection=EXPORTS, row=name, field="p", person=person)
        await self._rows.delete_many({"person": person, "command": command})
        await self._rows.insert_one(
            {
                "_id": name,
                "code": _code(token, code),
                "person": person,
                "command": command,
                "made_at": now,
                "tries": 0,
                "language": language,
                "expires": now + LASTS,
                "p": sealed,
            }
        )

    @reaches
    async def fetch(self, token: str, code: str, now: datetime) -> Copy | None:
        """The copy, once; None for a wrong code, a link that is over, fetched or unknown, which nobody can tell apart.

        Whoever got it says what came of it: `handed_over` or `broke_off`. Without a word the copy goes after `AGAIN_WITHIN`.
        """
        name = _name(token)
        open_ = {"_id": name, "fetched_at": {"$exists": False}, "tries": {"$lt": TRIES}, "expires": {"$gt": now}}
        row = await self._rows.find_one_and_update(open_, {"$inc": {"tries": 1}}, return_document=ReturnDocument.AFTER)
        if row is None or not hmac.compare_digest(row["code"], _code(token, code)):
            return None
        person = PersonId(row["person"])
        key = await self._subjects.key(person)
        if key is None:
            return None
        try:
            opened = unseal(key, row["p"], collection=EXPORTS, row=name, field="p", person=person)
        except Unreadable:
            return None
        # Of two who hold the code at once one gets it; from here on the sealed copy has minutes left (GDPR art. 5(1)(c)).
        taken = await self._rows.update_one(
            {"_id": name, "fetched_at": {"$exists": False}},
            {"$set": {"fetched_at": now}, "$min": {"expires": now + AGAIN_WITHIN}},
        )
        return Copy(row["language"], bytes(opened["document"])) if taken.modified_count else None

    @reaches
    async def handed_over(self, token: str) -> None:
        """The last byte went out: the sealed copy goes."""
        await self._rows.update_one({"_id": _name(token), "fetched_at": {"$exists": True}}, {"$unset": {"p": ""}})

    @reaches
    async def broke_off(self, token: str) -> None:
        """The connection ended before: the same code fetches it once more, within `AGAIN_WITHIN` of the first time."""
        begun = {
            "_id": _name(token),
            "fetched_at": {"$exists": True},
            "again": {"$exists": False},
            "p": {"$exists": True},
        }
        await self._rows.update_one(begun, {"$unset": {"fetched_at": ""}, "$set": {"again": True}})


def _name(token: str) -> str:
    return hashlib.sha256(f"export:{token}".encode()).hexdigest()


def _code(token: str, code: str) -> str:
    return hmac.new(token.encode(), code.encode(), hashlib.sha256).hexdigest()
