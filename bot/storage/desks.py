"""What agents keep beside a chat: notes, drafts and canned replies; and the log of who looked at what (GDPR art. 5(2), 32)."""

from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.handoff.ticket import Ticket
from bot.handoff.values import Canned, Looked, Note
from bot.privacy.crypto import random_token
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, reaches, upsert
from bot.storage.subjects import Subjects

NOTES, DRAFTS, CANNED, LOG = "notes", "drafts", "canned_replies", "audit_log"
KEPT = timedelta(days=30)
DRAFT_KEPT = timedelta(days=7)
LOG_KEPT = timedelta(days=365)


class MongoDesks:
    """Notes, drafts, canned replies and the log."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._notes = mongo.collection(NOTES)
        self._drafts = mongo.collection(DRAFTS)
        self._canned = mongo.collection(CANNED)
        self._log = mongo.collection(LOG)
        self._subjects = subjects

    # -- notes -------------------------------------------------------------------------------------------------------------

    @reaches
    async def note(self, ticket: Ticket, staff: str, words: str, now: datetime) -> None:
        """Keeps a note, sealed. Raises `Unreadable` when the person's key is gone."""
        await self._keep(self._notes, NOTES, random_token(), ticket, staff, words, (now, now + KEPT))

    @reaches
    async def notes(self, ticket: Ticket) -> list[Note]:
        """The notes of a chat, oldest first."""
        rows = await self._notes.find({"ticket": ticket.id}).sort("at", 1).to_list(None)
        key = await self._subjects.key(ticket.person)
        found = []
        for row in rows:
            words = _words(row, key, NOTES) if key is not None else ""
            found.append(Note(row["_id"], row["at"], row["by"], words, bool(row.get("gone"))))
        return found

    @reaches
    async def take_back(self, note: str, staff: str) -> bool:
        """Deletes the words of one's own note; that there was one stays to be seen."""
        mine = {"_id": note, "by": staff}
        return bool((await self._notes.update_one(mine, {"$set": {"gone": True}, "$unset": {"p": ""}})).modified_count)

    # -- drafts ------------------------------------------------------------------------------------------------------------

    @reaches
    async def draft(self, ticket: Ticket, staff: str, mode: str, words: str, now: datetime) -> None:
        """Keeps what somebody has begun to write, apart for reply and note; nothing deletes it."""
        row_id = f"{ticket.id}:{staff}:{mode}"
        await self._drafts.delete_one({"_id": row_id})
        if words:
            await self._keep(self._drafts, DRAFTS, row_id, ticket, staff, words, (now, now + DRAFT_KEPT))

    @reaches
    async def drafts(self, ticket: Ticket, staff: str) -> dict[str, str]:
        rows = await self._drafts.find({"ticket": ticket.id, "by": staff}).to_list(None)
        key = await self._subjects.key(ticket.person)
        return {row["_id"].rpartition(":")[2]: _words(row, key, DRAFTS) for row in rows} if key is not None else {}

    async def _keep(
        self, rows: Any, collection: str, row_id: str, ticket: Ticket, staff: str, words: str, times: tuple[datetime, datetime]
    ) -> None:  # fmt: skip
        key = await self._subjects.key(ticket.person)
        sealed = seal(key, {"words": words}, collection=collection, row=row_id, field="p", person=ticket.person)
        at, expires = times
        await rows.insert_one(
            {"_id": row_id, "ticket": ticket.id, "person": ticket.person, "by": staff, "at": at, "expires": expires, "p": sealed}
        )  # fmt: skip

    # -- canned replies ------------------------------------------------------------------------------------------------------

    @reaches
    async def canned(self, teams: tuple[str, ...]) -> list[Canned]:
        """Those for everybody and those of the teams, by name."""
        rows = await self._canned.find({"team": {"$in": ["", *teams]}}).sort("name", 1).to_list(None)
        return [
            Canned(row["_id"], row["name"], row["text"], row["team"], row["language"], row["purpose"]) for row in rows
        ]

    @reaches
    async def put_canned(self, canned: Canned, now: datetime) -> None:
        facts = {name: getattr(canned, name) for name in ("name", "text", "team", "language", "purpose")}
        await upsert(self._canned, canned.id or random_token(), {"$set": {**facts, "at": now}})

    @reaches
    async def drop_canned(self, canned: str) -> None:
        await self._canned.delete_one({"_id": canned})

    # -- the log ---------------------------------------------------------------------------------------------------------------

    @reaches
    async def log(self, looked: Looked) -> None:
        """Adds a line. Written before what it tells of is shown: without it nothing is shown."""
        facts = {name: getattr(looked, name) for name in ("staff", "action", "person", "ticket", "why", "what")}
        facts = {name: value for name, value in facts.items() if value}
        await self._log.insert_one({"_id": random_token(), "at": looked.at, **facts, "expires": looked.at + LOG_KEPT})

    @reaches
    async def logged(self, query: dict[str, Any], *, most: int = 200) -> list[Looked]:
        """The newest lines first."""
        rows = await self._log.find(query).sort("at", -1).limit(most).to_list(None)
        return [
            Looked(
                row["at"], row["staff"], row["action"], row.get("person", ""), row.get("ticket", ""), row.get("why", ""),
                row.get("what", ""),
            )
            for row in rows
        ]  # fmt: skip


def _words(row: Document, key: Any, collection: str) -> str:
    if "p" not in row:
        return ""
    try:
        opened = unseal(key, row["p"], collection=collection, row=row["_id"], field="p", person=PersonId(row["person"]))
    except Unreadable:
        return ""
    return str(opened["words"])
