"""What conversations say about consents, beside the events they came from: for `recado consent` only."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.domain import plain
from bot.domain.command import RecordConsent
from bot.domain.consent import Consent
from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.privacy.ledger.leaves import consent_of
from bot.storage.documents import CONVERSATIONS, unseal
from bot.storage.ledger import EVIDENCE, LEDGER
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.subjects import COLLECTION, Subject, Subjects, named


class Standings:
    """Reads; changes nothing."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._conversations = mongo.collection(CONVERSATIONS)
        self._events = mongo.collection(LEDGER)
        self._words = mongo.collection(EVIDENCE)
        self._vault = mongo.vault[COLLECTION]
        self._subjects = subjects

    async def believed(self) -> AsyncIterator[tuple[str, Mapping[str, Consent]]]:
        """(subject reference, consents by purpose) of everybody who has a conversation and no consent event still on its way."""
        async for row in self._conversations.find({}, {"consents": 1, "pending.c._": 1}):
            underway = any(one.get("c", {}).get("_") == "RecordConsent" for one in row.get("pending", ()))
            ref = await self.ref_of(PersonId(row["_id"]))
            if not underway and ref:
                yield ref, {name: plain.decode(one) for name, one in row.get("consents", {}).items()}

    @reaches
    async def ref_of(self, person: PersonId) -> str:
        """The person's reference in the ledger; empty for somebody who was erased."""
        row = await self._vault.find_one({"_id": person}, {"subject_ref": 1})
        return str(row["subject_ref"]) if row else ""

    @reaches
    async def person_of(self, ref: str) -> PersonId | None:
        """Whom a reference belongs to; None after an erasure."""
        row = await self._vault.find_one(named(ref), {"_id": 1})
        return PersonId(row["_id"]) if row else None

    @reaches
    async def events_of(self, ref: str) -> list[Document]:
        """The rows of one person as they are stored, oldest first."""
        rows: list[Document] = await self._events.find({"subject_ref": ref}).sort("occurred_at", 1).to_list(None)
        return rows

    @reaches
    async def events_for(self, purpose: str, limit: int) -> list[Document]:
        """The newest rows of one purpose."""
        found = self._events.find({"purpose": purpose}).sort("recorded_at", -1).limit(limit)
        rows: list[Document] = await found.to_list(None)
        return rows

    @reaches
    async def event(self, event: str) -> Document | None:
        """One row by its id."""
        row: Document | None = await self._events.find_one({"_id": event})
        return row

    async def histories(self) -> AsyncIterator[list[Document]]:
        """All rows of each person and purpose, oldest first, one group after another."""
        group: list[Document] = []
        order = [("subject_ref", 1), ("purpose", 1), ("occurred_at", 1), ("_id", 1)]
        async for row in self._events.find({"purpose": {"$exists": True}}).sort(order):
            if group and (group[-1]["subject_ref"], group[-1]["purpose"]) != (row["subject_ref"], row["purpose"]):
                yield group
                group = []
            group.append(row)
        if group:
            yield group

    async def consents_of(self, ref: str) -> list[RecordConsent]:
        """The person's events as the fold reads them."""
        return [consent_of(row) for row in await self.events_of(ref)]

    @reaches
    async def words_of(self, subject: Subject, event: str) -> dict[str, Any] | None:
        """The exact words of an event, opened; None where there are none. Raises `Unreadable` for damaged ones."""
        row = await self._words.find_one({"_id": event})
        if row is None:
            return None
        if row["person"] != subject.person:
            raise Unreadable("the words of this event are filed under somebody else")
        return unseal(subject.key, row["p"], collection=EVIDENCE, row=event, field="p", person=subject.person)
