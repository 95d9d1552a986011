"""Tickets for people of the business, requests of data subjects, and dead letters: what waits for a human."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from bot.domain import plain
from bot.domain.command import CloseTicket, OpenRequest, OpenTicket, ReturnTicket, SettleRequest, Transcribe, Unsay
from bot.domain.ids import PersonId
from bot.privacy.crypto import random_token
from bot.privacy.numbers import country as country_of
from bot.privacy.requests import ANSWERED, CANCELLED, due_at, law_of, state_at_opening
from bot.runtime.ports import DeadLetter
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Mongo, insert_once, reaches
from bot.storage.subjects import Subjects
from bot.storage.tickets import MongoTickets

REQUESTS, DEAD_LETTERS = "requests", "dead_letters"
DEAD_KEPT = timedelta(days=7)
WORDS_KEPT = 8192
"""Characters of what a person wrote about one request; the newest."""

_SETTLED = {"answered": ANSWERED, "cancelled": CANCELLED}


def _open(person: PersonId, kind: str) -> dict[str, Any]:
    return {"person": person, "kind": kind, "closed_at": {"$exists": False}}


class MongoDesk:
    """The runtime's `Desk` and `DeadLetters`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, *, country: str, zone: tzinfo) -> None:
        self._chats = MongoTickets(mongo, subjects)
        self._requests = mongo.collection(REQUESTS)
        self._letters = mongo.collection(DEAD_LETTERS)
        self._subjects = subjects
        self._country = country
        self._zone = zone

    async def open_ticket(self, person: PersonId, ticket: OpenTicket, now: datetime) -> int:
        return await self._chats.open(person, ticket, now)

    async def close_ticket(self, person: PersonId, close: CloseTicket, now: datetime) -> None:
        await self._chats.close(person, close, now)

    async def return_ticket(self, person: PersonId, back: ReturnTicket, now: datetime) -> None:
        await self._chats.back_in_queue(person, back, now)

    async def transcribe(self, person: PersonId, line: Transcribe, now: datetime) -> None:
        await self._chats.transcribe(person, line, now)

    async def unsay(self, person: PersonId, command: Unsay, now: datetime) -> None:
        await self._chats.unsay(person, command, now)

    @reaches
    async def open_request(self, person: PersonId, request: OpenRequest, now: datetime) -> None:
        """The clock runs from the message, not from now (EDPB 01/2022); also where the person's key cannot be opened."""
        if request.status != "done" and await self._added(person, request):
            return
        subject = await self._subjects.openable(person)
        _, private = plain.split(request)
        law = law_of([self._country, country_of(subject.address) if subject and subject.address else None])
        row: dict[str, Any] = {
            "_id": request.id, "person": person, "kind": request.kind, "state": state_at_opening(request.status), "law": law,
            "received_at": request.received_at, "language": request.language,
            "due_at": due_at(request.kind, request.received_at, law, zone=self._zone),
        }  # fmt: skip
        if subject is not None:
            row["subject_ref"] = subject.ref
        if request.status == "done":
            row["closed_at"] = now
        await self._insert(self._requests, REQUESTS, row, private, person)

    async def _added(self, person: PersonId, request: OpenRequest) -> bool:
        """Whether one of the kind is open already: then it has the new words as well, and keeps the earlier clock."""
        row = await self._requests.find_one({**_open(person, request.kind), "_id": {"$ne": request.id}})
        if row is None:
            return False
        change: dict[str, Any] = {}
        if request.received_at < row["received_at"]:
            due = due_at(request.kind, request.received_at, row["law"], zone=self._zone)
            change = {"received_at": request.received_at, "due_at": due}
        sealed = await self._with_words(person, row, request.words) if request.words else None
        if sealed is not None:
            change["p"] = sealed
        if change:
            await self._requests.update_one({"_id": row["_id"], "state": row["state"]}, {"$set": change})
        return True

    async def _with_words(self, person: PersonId, row: Mapping[str, Any], words: str) -> bytes | None:
        key = await self._subjects.key(person)
        if key is None:
            return None
        where = {"collection": REQUESTS, "row": row["_id"], "field": "p", "person": person}
        before = str(unseal(key, row["p"], **where).get("words", "")) if "p" in row else ""
        if words in before:
            return None
        return seal(key, {"words": f"{before}\n{words}".strip()[-WORDS_KEPT:]}, **where)

    @reaches
    async def settle_request(self, person: PersonId, settled: SettleRequest, now: datetime) -> None:
        closed = {"state": _SETTLED[settled.outcome], "closed_at": now, "answer": settled.outcome}
        await self._requests.update_many(_open(person, settled.kind), {"$set": closed})

    @reaches
    async def put(self, letter: DeadLetter, now: datetime) -> None:
        row = {
            "_id": random_token(), "person": letter.person, "kind": letter.kind, "name": letter.name, "reason": letter.reason,
            "at": now, "expires": now + DEAD_KEPT,
        }  # fmt: skip
        private = {"content": plain.encode(letter.content)} if letter.content is not None else {}
        await self._insert(self._letters, DEAD_LETTERS, row, private, letter.person)

    async def _insert(
        self, rows: Any, collection: str, row: dict[str, Any], private: dict[str, Any], person: PersonId
    ) -> None:
        key = await self._subjects.key(person) if private else None
        if key is not None:
            row["p"] = seal(key, private, collection=collection, row=row["_id"], field="p", person=person)
        await insert_once(rows, row)  # the id is derived from the turn
