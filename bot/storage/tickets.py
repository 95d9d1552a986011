"""Tickets and transcripts: one guarded update a move, lines sealed under the person's key, and an event for the screens.

Who has a chat is decided here and nowhere else: a claim is one update that asks for the state it changes (issue: claim race).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from bot.domain import plain
from bot.domain.command import CloseTicket, OpenTicket, ReturnTicket, Transcribe, Unsay
from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.handoff import ticket as chats
from bot.handoff.ticket import OPEN, QUEUED, SNOOZED, Line, Ticket
from bot.privacy.crypto import DataKey
from bot.storage.console_events import MongoConsoleEvents
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

TICKETS, TRANSCRIPTS = "tickets", "transcripts"
KEPT = timedelta(days=30)
LAST_SHOWN = 80
LINES_AT_MOST = 500
_OPENED = ("team", "language", "urgent", "flow", "step", "outcome")
_CLEAR = (
    "state", "language", "urgent", "flow", "step", "owner", "opened_at", "owned_at", "closed_at", "waits_since", "last_at",
    "snoozed_until", "expires", "outcome", "unread",
)  # fmt: skip


class MongoTickets:
    """Rows of tickets and of their transcripts."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._tickets = mongo.collection(TICKETS)
        self._lines = mongo.collection(TRANSCRIPTS)
        self._sends = mongo.collection("sends")
        self._subjects = subjects
        self.events = MongoConsoleEvents(mongo)

    # -- what turns ask for ----------------------------------------------------------------------------------------------

    @reaches
    async def open(self, person: PersonId, ticket: OpenTicket, now: datetime) -> int:
        """A new ticket; its place in the queue, or 0 where nobody waits. Repeating it changes nothing."""
        clear, private = plain.split(ticket)
        row: Document = {name: clear[name] for name in _OPENED if name in clear}
        row |= {
            "_id": ticket.ticket, "person": person, "state": chats.MACHINE.initial, "opened_at": now, "last_at": now,
            "waits_since": now, "unread": 0, "v": 1, "expires": now + KEPT,
        }  # fmt: skip
        key = await self._subjects.key(person) if private else None
        if key is not None:
            row["p"] = seal(key, private, collection=TICKETS, row=row["_id"], field="p", person=person)
        if await insert_once(self._tickets, row):
            await self.events.append(ticket.team, "queued", ticket.ticket, now)
        return 0 if ticket.outcome else await self._place(ticket, now)

    async def _place(self, ticket: OpenTicket, now: datetime) -> int:
        """From 1: who waits live in the same team, urgent ones before all others."""
        waiting: Document = {"team": ticket.team, "state": QUEUED, "outcome": None, "_id": {"$ne": ticket.ticket}}
        mine = await self._tickets.find_one({"_id": ticket.ticket}, {"opened_at": 1})
        earlier = {"opened_at": {"$lt": mine["opened_at"] if mine else now}}
        before = [{"urgent": True, **earlier}] if ticket.urgent else [{"urgent": True}, earlier]
        return 1 + int(await self._tickets.count_documents({**waiting, "$or": before}))

    @reaches
    async def close(self, person: PersonId, close: CloseTicket, now: datetime) -> None:
        await self.move(
            close.ticket,
            "close",
            now,
            {"outcome": close.outcome, "closed_at": now, "expires": now + KEPT},
            person=person,
        )

    @reaches
    async def back_in_queue(self, person: PersonId, back: ReturnTicket, now: datetime) -> None:
        await self.move(back.ticket, "requeue", now, {"outcome": back.outcome, "owner": ""}, person=person)

    @reaches
    async def transcribe(self, person: PersonId, line: Transcribe, now: datetime) -> None:
        """Keeps a line; without the person's key only that there was one. A repetition changes nothing."""
        key = await self._subjects.key(person)
        clear, private = plain.split(line)
        row: Document = {
            name: clear[name]
            for name in ("ticket", "direction", "kind", "at", "by", "send", "message")
            if name in clear
        }
        row |= {"_id": line.id, "person": person, "expires": now + KEPT}
        if private and key is not None:
            row["p"] = seal(key, private, collection=TRANSCRIPTS, row=line.id, field="p", person=person)
        if await insert_once(self._lines, row):
            await self._counted(person, line, key, now)

    async def _counted(self, person: PersonId, line: Transcribe, key: DataKey | None, now: datetime) -> None:
        """What the list of chats shows of a new line."""
        change: Document = {"$set": {"last_at": line.at, "expires": now + KEPT}, "$inc": {"v": 1}}
        if line.direction in ("in", "out") and key is not None:
            last = {"words": line.words[:LAST_SHOWN]}
            change["$set"]["last"] = seal(key, last, collection=TICKETS, row=line.ticket, field="last", person=person)
        if line.direction == "in":
            change["$inc"]["unread"] = 1
        if line.direction == "out":
            change["$unset"] = {"waits_since": ""}
        row = await self._tickets.find_one_and_update(
            {"_id": line.ticket, "person": person}, change, return_document=ReturnDocument.AFTER
        )
        if row is None:
            return
        if line.direction == "in":
            await self._tickets.update_one(
                {"_id": line.ticket, "waits_since": None}, {"$set": {"waits_since": line.at}}
            )
            if row["state"] == SNOOZED:
                await self.move(line.ticket, "wake", now)
        await self.events.append(row["team"], "line", line.ticket, now, by=line.by)

    @reaches
    async def unsay(self, person: PersonId, command: Unsay, now: datetime) -> None:
        """What was kept of a message goes, here and in the list (decisions.md 4)."""
        mine = {"ticket": command.ticket, "person": person, "message": command.message}
        gone = await self._lines.update_many(mine, {"$set": {"gone": True}, "$unset": {"p": ""}})
        if gone.matched_count:
            row = await self._tickets.find_one_and_update(
                {"_id": command.ticket, "person": person}, {"$unset": {"last": ""}, "$inc": {"v": 1}}
            )
            if row is not None:
                await self.events.append(row["team"], "line", command.ticket, now)

    # -- moves -------------------------------------------------------------------------------------------------------------

    @reaches
    async def move(
        self, ticket: str, trigger: str, now: datetime, changes: Mapping[str, Any] | None = None, *, owner: str | None = None,
        person: PersonId | None = None,
    ) -> Ticket | None:  # fmt: skip
        """One move of the machine as one guarded update; None where it is not possible (any more).

        Args:
            ticket: which.
            trigger: of `chats.MACHINE`; the update asks for a state in which it is possible.
            now: the time of the move.
            changes: fields set along; an empty `owner` and empty texts are unset.
            owner: the move is possible for this owner alone; None for whoever has it.
            person: asked for as well, where the caller knows it.
        """
        for source in chats.from_states(trigger):
            guard: Document = {"_id": ticket, "state": source}
            guard |= {"owner": owner} if owner is not None else {}
            guard |= {"person": person} if person is not None else {}
            given = dict(changes or {})
            gone = {name: "" for name, value in given.items() if value in ("", None)}
            update: Document = {
                "$set": {"state": chats.MACHINE.apply(source, trigger)}
                | {k: v for k, v in given.items() if k not in gone},
                "$inc": {"v": 1},
                **({"$unset": gone} if gone else {}),
            }
            row = await self._tickets.find_one_and_update(guard, update, return_document=ReturnDocument.AFTER)
            if row is not None:
                await self.events.append(row["team"], trigger, ticket, now, by=row.get("owner", ""))
                return await self._opened(row)
        return None

    @reaches
    async def claim(self, ticket: str, staff: str, now: datetime) -> Ticket | None:
        """Unowned to mine in one update; None when somebody else was faster or it is over."""
        return await self.move(ticket, "claim", now, {"owner": staff, "owned_at": now, "outcome": ""})

    @reaches
    async def change(self, ticket: str, now: datetime, changes: Mapping[str, Any], kind: str) -> Ticket | None:
        """Sets fields that are no move, of an open or ended ticket: labels, unread, team."""
        row = await self._tickets.find_one_and_update(
            {"_id": ticket}, {"$set": dict(changes), "$inc": {"v": 1}}, return_document=ReturnDocument.AFTER
        )
        if row is None:
            return None
        await self.events.append(row["team"], kind, ticket, now)
        return await self._opened(row)

    @reaches
    async def fate_changed(self, person: PersonId, now: datetime) -> None:
        """A message that went to this person was delivered, read or failed: whoever has their chat open is shown so."""
        row = await self._tickets.find_one({"person": person, "state": {"$in": list(OPEN)}}, {"team": 1})
        if row is not None:
            await self.events.append(row["team"], "status", row["_id"], now)

    async def told(self, team: str, kind: str, ticket: str, now: datetime, *, by: str = "") -> None:
        """An event for the screens that is no change of the row itself."""
        await self.events.append(team, kind, ticket, now, by=by)

    # -- reading -----------------------------------------------------------------------------------------------------------

    @reaches
    async def find(self, ticket: str) -> Ticket | None:
        row = await self._tickets.find_one({"_id": ticket})
        return await self._opened(row) if row is not None else None

    @reaches
    async def listed(self, query: Mapping[str, Any], *, most: int = 100, newest: bool = False) -> list[Ticket]:
        """Tickets of these teams and states: urgent first, then who waits longest."""
        order = [("last_at", -1)] if newest else [("urgent", -1), ("opened_at", 1)]
        rows = await self._tickets.find(dict(query)).sort(order).limit(most).to_list(None)
        return [await self._opened(row) for row in rows]

    @reaches
    async def counts(self, teams: Sequence[str]) -> list[tuple[str, str, str, int]]:
        """(team, state, owner, how many) of the open tickets."""
        groups = {"$group": {"_id": {"t": "$team", "s": "$state", "o": "$owner"}, "n": {"$sum": 1}}}
        match = {"$match": {"team": {"$in": list(teams)}, "state": {"$in": list(OPEN)}}}
        rows = self._tickets.aggregate([match, groups])
        return [(row["_id"]["t"], row["_id"]["s"], row["_id"].get("o") or "", row["n"]) async for row in rows]

    @reaches
    async def sleepers(self, now: datetime) -> list[str]:
        """Snoozed tickets whose time has come."""
        rows = self._tickets.find({"state": SNOOZED, "snoozed_until": {"$lte": now}}, {"_id": 1}).limit(100)
        return [row["_id"] async for row in rows]

    @reaches
    async def lines(self, ticket: Ticket) -> list[Line]:
        """The transcript, oldest first, with what became of each message that went out."""
        key = await self._subjects.key(ticket.person)
        found = (
            await self._lines.find({"ticket": ticket.id})
            .sort([("at", -1), ("_id", 1)])
            .limit(LINES_AT_MOST)
            .to_list(None)
        )
        sent = {row["send"] for row in found if row.get("send")}
        fates = (
            {
                row["command"]: row
                async for row in self._sends.find({"person": ticket.person, "command": {"$in": list(sent)}})
            }
            if sent
            else {}
        )
        return [self._line(row, key, fates) for row in reversed(found)]

    @staticmethod
    def _line(row: Document, key: DataKey | None, fates: Mapping[str, Document]) -> Line:
        words = _words(row, key, TRANSCRIPTS, "p")
        fate = fates.get(row.get("send", ""), {})
        return Line(
            row["_id"], row["at"], row["direction"], row.get("kind", "text"), row.get("by", ""), row.get("send", ""), words,
            _fate(fate) if row.get("send") else "", fate.get("code", 0), bool(row.get("gone")),
        )  # fmt: skip

    async def _opened(self, row: Document) -> Ticket:
        person = PersonId(row["person"])
        key = await self._subjects.key(person)
        private: dict[str, Any] = {}
        if key is not None and row.get("p") is not None:
            try:
                private = unseal(key, row["p"], collection=TICKETS, row=row["_id"], field="p", person=person)
            except Unreadable:
                private = {}
        clear = {name: row[name] for name in _CLEAR if row.get(name) is not None}
        return Ticket(
            row["_id"], person, row["team"], version=row.get("v", 0), labels=tuple(row.get("labels", ())),
            about=str(private.get("about", "")), shared=plain.decode(private.get("shared", {})) or {},
            last=_words(row, key, TICKETS, "last"), **clear,
        )  # fmt: skip


_FATES = {0: "waiting", 1: "accepted", 2: "sent", 3: "delivered", 4: "read", 5: "read", 6: "failed"}


def _fate(row: Mapping[str, Any]) -> str:
    if row.get("refused"):
        return f"refused:{row['refused']}"
    return _FATES.get(row.get("rank", 0), "waiting") if row else "waiting"


def _words(row: Document, key: DataKey | None, collection: str, field: str) -> str:
    if key is None or row.get(field) is None:
        return ""
    try:
        opened = unseal(
            key, row[field], collection=collection, row=row["_id"], field=field, person=PersonId(row["person"])
        )
    except Unreadable:
        return ""
    return str(opened.get("words", ""))
