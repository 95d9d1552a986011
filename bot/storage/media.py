"""Files people sent because a flow asked for one: in sealed pieces under their own key, gone at their time (GDPR art. 5(1)(e), 32).

Pieces of a quarter MiB instead of one document, because a document ends at 16 MiB (MongoDB: limits) and a piece can be sealed, moved and
deleted by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId, PersonId
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

MEDIA, PIECES = "media", "media_chunks"
PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is known of a file without opening it; `refused` says why there is none."""

    id: str
    kind: str
    mime_type: str
    size: int
    at: datetime
    refused: str = ""


class MongoMedia:
    """Files by the id of the command that fetched them."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._rows = mongo.collection(MEDIA)
        self._pieces = mongo.collection(PIECES)
        self._subjects = subjects

    @reaches
    async def stands(self, media: CommandId) -> bool:
        """Whether this one was taken over, or refused, already."""
        return await self._rows.find_one({"_id": media}, {"_id": 1}) is not None

    @reaches
    async def put(
        self, person: PersonId, media: CommandId, content: bytes, *, kind: str, mime_type: str, expires: datetime,
        now: datetime,
    ) -> None:  # fmt: skip
        """The pieces first, then the row that says they are whole; doing it again changes nothing. Raises `Unreadable` without a key."""
        key = await self._subjects.key(person)
        count = (len(content) + PIECE - 1) // PIECE
        for place in range(count):
            name = f"{media}:{place}"
            piece = {"b": content[place * PIECE : (place + 1) * PIECE]}
            sealed = seal(key, piece, collection=PIECES, row=name, field="p", person=person)
            await insert_once(self._pieces, {"_id": name, "person": person, "expires": expires, "p": sealed})
        row = {
            "_id": media, "person": person, "kind": kind, "mime_type": mime_type, "size": len(content), "pieces": count, "at": now,
            "expires": expires,
        }  # fmt: skip
        await insert_once(self._rows, row)
        if not await self._subjects.stands(person):
            # An erasure was faster: the key is gone, and so goes what was sealed under it (decisions.md 16).
            await self._rows.delete_one({"_id": media})
            await self._pieces.delete_many({"person": person})

    @reaches
    async def refuse(
        self, person: PersonId, media: CommandId, why: str, *, kind: str, expires: datetime, now: datetime
    ) -> None:
        """Puts on record that a file was not taken over, so that people do not look for it."""
        row = {"_id": media, "person": person, "kind": kind, "refused": why, "at": now, "expires": expires}
        await insert_once(self._rows, row)

    @reaches
    async def of_person(self, person: PersonId, since: datetime) -> Sequence[KeptFile]:
        """Their files since then, oldest first."""
        rows = await self._rows.find({"person": person, "at": {"$gte": since}}).sort("at", 1).to_list(200)
        return [_kept(row) for row in rows]

    @reaches
    async def find(self, person: PersonId, media: str) -> KeptFile | None:
        """One file of this person; None for another's."""
        row = await self._rows.find_one({"_id": media, "person": person})
        return _kept(row) if row is not None else None

    @reaches
    async def read(self, person: PersonId, media: str) -> bytes | None:
        """The content; None where there is none. Raises `Unreadable` when a piece is missing or damaged, never half a file."""
        row = await self._rows.find_one({"_id": media, "person": person})
        if row is None or row.get("refused"):
            return None
        key = await self._subjects.key(person)
        if key is None:
            return None
        parts = []
        for place in range(row["pieces"]):
            piece = await self._pieces.find_one({"_id": f"{media}:{place}", "person": person})
            if piece is None:
                raise Unreadable("a piece of the file is missing")
            opened = unseal(key, piece["p"], collection=PIECES, row=piece["_id"], field="p", person=person)
            parts.append(bytes(opened["b"]))
        return b"".join(parts)


def _kept(row: Document) -> KeptFile:
    return KeptFile(
        row["_id"], row["kind"], row.get("mime_type", ""), row.get("size", 0), row["at"], row.get("refused", "")
    )
