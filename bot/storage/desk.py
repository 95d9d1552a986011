"""Tickets for people of the business, requests of data subjects, and dead letters: what waits for a human."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from bot.domain import plain
from bot.domain.command import CloseTicket, OpenRequest, OpenTicket, ReturnTicket, Transcribe, Unsay
from bot.domain.ids import PersonId
from bot.privacy.crypto import random_token
from bot.privacy.numbers import country as country_of
from bot.privacy.requests import due_at, law_of, state_at_opening
from bot.runtime.ports import DeadLetter
from bot.storage.documents import seal
from bot.storage.mongo import Mongo, insert_once, reaches
from bot.storage.subjects import Subjects
from bot.storage.tickets import MongoTickets

REQUESTS, DEAD_LETTERS = "requests", "dead_letters"
DEAD_KEPT = timedelta(days=7)


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
