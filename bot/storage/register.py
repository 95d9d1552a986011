"""The register of data subjects' requests, for those who answer them: what is open, until when, and how it went on (GDPR art. 12(3))."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from bot.domain.errors import RetryLater, Unreadable
from bot.domain.ids import PersonId
from bot.privacy import requests
from bot.privacy.requests import Pause
from bot.runtime.deadlines import Standing
from bot.storage.desk import REQUESTS
from bot.storage.documents import unseal
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.references import REQUEST, whole
from bot.storage.subjects import Subjects

TRIES = 5


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `due_at` is None while its clock stands still; `words` are None unless they were asked for."""

    id: str
    kind: str
    state: str
    law: str
    received_at: datetime
    due_at: datetime | None
    subject_ref: str = ""
    language: str = ""
    closed_at: datetime | None = None
    answer: str = ""
    because: str = ""
    pauses: tuple[Pause, ...] = ()
    words: str | None = field(default=None, repr=False)

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been answered by now."""
        return self.closed_at is None and self.due_at is not None and now > self.due_at


class MongoRegister:
    """Reads and moves requests; opening them is the desk's."""

    def __init__(self, mongo: Mongo, subjects: Subjects, *, zone: tzinfo) -> None:
        """`zone` is the business's: a term ends with its day there."""
        self._mongo = mongo
        self._rows = mongo.collection(REQUESTS)
        self._subjects = subjects
        self._zone = zone

    @reaches
    async def all(self, *, closed: bool = False, most: int = 1000) -> Sequence[Request]:
        """The one due first comes first, those whose clock stands still last; closed ones only where asked for."""
        wanted: Document = {} if closed else {"closed_at": {"$exists": False}}
        running = {**wanted, "due_at": {"$ne": None}}
        rows = await self._rows.find(running, {"p": 0}).sort("due_at", 1).limit(most).to_list(None)
        rows += await self._rows.find({**wanted, "due_at": None}, {"p": 0}).limit(most - len(rows) or 1).to_list(None)
        return [_request(row) for row in rows[:most]]

    @reaches
    async def standing(self, now: datetime, soon: timedelta) -> Standing:
        """Counts for the figures; nobody is read."""
        open_ = {"closed_at": {"$exists": False}}
        overdue = await self._rows.count_documents({**open_, "due_at": {"$lt": now}})
        due = await self._rows.count_documents({**open_, "due_at": {"$gte": now, "$lt": now + soon}})
        return Standing(await self._rows.count_documents(open_), overdue, due)

    async def whole(self, start: str) -> str:
        """The id that begins so, as `references.whole`."""
        return await whole(self._mongo, REQUEST, start)

    @reaches
    async def open_of(self, person: PersonId, kind: str) -> str | None:
        """The id of the person's open request of a kind: the desk adds another one of that kind to it."""
        row = await self._rows.find_one({"person": person, "kind": kind, "closed_at": {"$exists": False}}, {"_id": 1})
        return str(row["_id"]) if row is not None else None

    @reaches
    async def find(self, request: str, *, words: bool = False) -> Request | None:
        """One request by its id; with the person's words where they still stand and their key opens them."""
        row = await self._rows.find_one({"_id": request})
        if row is None:
            return None
        return _request(row, await self._words(row) if words else None)

    async def _words(self, row: Document) -> str:
        if "p" not in row or "person" not in row:
            return ""
        person = PersonId(row["person"])
        try:
            key = await self._subjects.key(person)
            opened = unseal(key, row["p"], collection=REQUESTS, row=row["_id"], field="p", person=person) if key else {}
        except Unreadable:
            return ""
        return str(opened.get("words", ""))

    @reaches
    async def move(self, request: str, trigger: str, now: datetime, *, because: str = "") -> Request | None:
        """Moves a request by a trigger of `privacy.requests.MACHINE`, with its clock; None when there is no such request.

        Raises:
            IllegalMove: the request's state has no such move.
            ValueError: its law knows no extension, or the first term is over.
            RetryLater: others moved it every time.
        """
        for _ in range(TRIES):
            row = await self._rows.find_one({"_id": request})
            if row is None:
                return None
            state = requests.MACHINE.apply(row["state"], trigger)
            change = self._change(row, trigger, state, now, because)
            result = await self._rows.update_one({"_id": request, "state": row["state"]}, {"$set": change})
            if result.matched_count:
                return await self.find(request)
        raise RetryLater("others changed the request every time")

    def _change(self, row: Document, trigger: str, state: str, now: datetime, because: str) -> Document:
        change: Document = {"state": state}
        pauses = [dict(one) for one in row.get("pauses", ())]
        if trigger == "wait":
            pauses.append({"since": now})
        elif pauses and "until" not in pauses[-1]:
            pauses[-1]["until"] = now
        extended = trigger == "extend" or "extended_at" in row
        if trigger == "extend":
            first = requests.due_at(row["kind"], row["received_at"], row["law"], zone=self._zone, pauses=_clock(row))
            if first is not None and now > first:
                raise ValueError("the first term is over; an extension must be told within it (GDPR art. 12(3))")
            change |= {"extended_at": now, "extended_because": because}
        if pauses:
            change["pauses"] = pauses
        if state in requests.CLOSED:
            change |= {"closed_at": now, "answer": because or state}
        clock = _clock({"pauses": pauses})
        due = requests.due_at(
            row["kind"], row["received_at"], row["law"], zone=self._zone, extended=extended, pauses=clock
        )
        return change | {"due_at": due}


def _clock(row: Document) -> tuple[Pause, ...]:
    return tuple(Pause(one["since"], one.get("until")) for one in row.get("pauses", ()))


def _request(row: Document, words: str | None = None) -> Request:
    return Request(
        row["_id"], row["kind"], row["state"], row["law"], row["received_at"], row.get("due_at"), row.get("subject_ref", ""),
        row.get("language", ""), row.get("closed_at"), row.get("answer", ""), row.get("extended_because", ""),
        _clock(row), words,
    )  # fmt: skip
