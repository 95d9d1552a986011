# ruff: noqa: ARG002, ARG005 - the ports say which arguments there are
"""The runtime's ports in memory, under the same contract as the database: guarded versions, leases, idempotent ids.

Every call is a place where others get their turn, where the answer or the call itself can be lost, and where a process can die.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.command import (
    Call,
    CloseTicket,
    Erase,
    Export,
    Notify,
    OpenRequest,
    OpenTicket,
    RecordConsent,
    ReturnTicket,
    Send,
    SettleRequest,
    Suppress,
    Transcribe,
    Unsay,
)
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, CommandId, EventId, PersonId, Wamid
from bot.domain.message import OutMessage, TemplateMessage, TextMessage
from bot.runtime.ports import (
    Accepted,
    CallResult,
    Commit,
    DeadLetter,
    ErasureJob,
    Lease,
    Over,
    Pending,
    Refused,
    Stored,
)

T = TypeVar("T")

RANKS = {"started": 0, "accepted": 1, "sent": 2, "delivered": 3, "read": 4, "failed": 6}


class Disk:
    """What all processes share."""

    def __init__(self) -> None:
        self.rows: dict[PersonId, Row] = {}
        self.identities: dict[str, PersonId] = {}
        self.addresses: dict[PersonId, Address] = {}
        self.tombstones: set[EventId] = set()
        self.suppressed: dict[tuple[str, str], datetime] = {}
        self.sends: dict[str, Sent] = {}
        self.refusals: list[tuple[PersonId, CommandId, str]] = []
        self.ledger: dict[CommandId, RecordConsent] = {}
        self.done: list[tuple[str, str]] = []
        self.letters: list[DeadLetter] = []
        self.jobs: dict[str, tuple[ErasureJob, Lease]] = {}
        self.turns: dict[tuple[PersonId, EventId], int] = {}
        self.order: dict[PersonId, list[EventId]] = {}
        self.recorded_for: dict[CommandId, PersonId] = {}
        self.forbidden: list[str] = []
        """What must never be: a business message claimed while a STOP stands in the document."""
        self.watch: Callable[[Row, Send, datetime], None] = self._nothing_after_a_stop

    def _nothing_after_a_stop(self, row: "Row", send: Send, now: datetime) -> None:
        if send.reason == "business" and row.conversation.stopped:
            self.forbidden.append(f"claimed after a STOP: {send.message}")


@dataclass
class Row:
    conversation: Conversation
    pending: list[Pending] = field(default_factory=list)
    seen: set[EventId] = field(default_factory=set)
    lease: Lease | None = None
    due: datetime | None = None

    def stored(self) -> Stored:
        return Stored(self.conversation, tuple(self.pending), frozenset(self.seen), self.lease)


@dataclass
class Sent:
    person: PersonId
    send: Send
    at: datetime
    rank: int = 0


class Line:
    """The way from one process to the disk: it may be slow, lose what it carries, or end for ever."""

    def __init__(self, dice: random.Random | None = None, *, loses: float = 0.0) -> None:
        self.dice = dice
        self.loses = loses
        self.dead = False
        self.broken: dict[str, int] = {}
        """Calls that are lost on purpose: name to how many more times (before they arrive)."""
        self.unanswered: dict[str, int] = {}
        """Calls whose answer is lost on purpose."""
        self.hook: Callable[[str], None] | None = None

    async def carry(self, name: str, action: Callable[[], T]) -> T:
        await self._cross(name, self.broken)
        result = action()
        await self._cross(name, self.unanswered)
        return result

    async def _cross(self, name: str, planned: dict[str, int]) -> None:
        if self.dead:
            await asyncio.Event().wait()
        if self.hook is not None:
            self.hook(name)
        await asyncio.sleep(0 if self.dice is None else self.dice.choice((0, 0, 0, 0.001, 0.01, 0.3)))
        if self.dead:
            await asyncio.Event().wait()
        if planned.get(name, 0) > 0:
            planned[name] -= 1
            raise RetryLater("out of reach")
        if self.dice is not None and self.dice.random() < self.loses:
            raise RetryLater("out of reach")


class MemoryConversations:
    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line
        self.checks_standing = True
        self.largest = 5_000

    async def find(self, person: PersonId) -> Stored | None:
        return await self._line.carry("find", lambda: self._stored(person))

    def _stored(self, person: PersonId) -> Stored | None:
        row = self._disk.rows.get(person)
        return row.stored() if row is not None else None

    async def commit(self, change: Commit) -> Stored | None:
        return await self._line.carry("commit", lambda: self._committed(change))

    def _committed(self, change: Commit) -> Stored | None:
        person = change.after.person
        if len(change.after.language) > self.largest:
            raise OverflowError("too large")
        row = self._disk.rows.get(person)
        if change.before is None:
            if row is not None or person not in self._disk.addresses:
                return None
            row = self._disk.rows[person] = Row(change.after)
        elif row is None or _guard(row.stored()) != _guard(change.before):
            return None
        assert change.before is None or change.after.version > change.before.conversation.version
        row.conversation = change.after
        known = {one.id for one in row.pending}
        for command in change.commands:
            assert command.id not in known, "two commands have one id"
            known.add(command.id)
            row.pending.append(Pending(command.id, command, not_before=getattr(command, "not_before", None)))
        row.seen.update(change.events)
        row.lease = change.lease or row.lease
        row.due = change.due
        for event in change.events:
            self._disk.turns[person, event] = self._disk.turns.get((person, event), 0) + 1
            self._disk.order.setdefault(person, []).append(event)
        return row.stored()

    async def due(self, now: datetime, limit: int) -> Sequence[PersonId]:
        return await self._line.carry(
            "due", lambda: [p for p, row in self._disk.rows.items() if row.due is not None and row.due <= now][:limit]
        )

    async def take(self, persons: Sequence[PersonId], lease: Lease, now: datetime) -> Sequence[Stored]:
        def action() -> list[Stored]:
            won = []
            for person in persons:
                row = self._disk.rows.get(person)
                if row is None or row.due is None or row.due > now:
                    continue
                if row.lease is None or row.lease.until <= now:
                    row.lease, row.due = lease, lease.until
                    won.append(row.stored())
            return won

        return await self._line.carry("take", action)

    async def claim(
        self, person: PersonId, token: str, command: CommandId, callback: str, standing: int, now: datetime
    ) -> Stored | None:
        def action() -> Stored | None:
            row = self._leased(person, token)
            if row is None or (self.checks_standing and row.conversation.standing != standing):
                return None
            place = self._place(row, command)
            if place is None:
                return None
            one = row.pending[place]
            if isinstance(one.command, Send):
                self._disk.watch(row, one.command, now)
            row.pending[place] = replace(one, state="sending", callback=callback, claimed_at=now)
            return row.stored()

        return await self._line.carry("claim", action)

    def _leased(self, person: PersonId, token: str) -> Row | None:
        row = self._disk.rows.get(person)
        return row if row is not None and row.lease is not None and row.lease.token == token else None

    @staticmethod
    def _place(row: Row, command: CommandId) -> int | None:
        return next((place for place, one in enumerate(row.pending) if one.id == command), None)

    async def settle(
        self, person: PersonId, token: str, command: CommandId, *, over: Over | None = None
    ) -> Stored | None:
        def action() -> Stored | None:
            row = self._leased(person, token)
            if row is None:
                return None
            row.pending = [one for one in row.pending if one.id != command]
            left = {one.id for one in row.pending}
            if over is not None and row.conversation.version == over.version and left <= set(over.known):
                row.lease, row.due = None, over.due
            return row.stored()

        return await self._line.carry("settle", action)

    async def defer(
        self,
        person: PersonId,
        token: str,
        command: CommandId,
        attempts: int,
        not_before: datetime,
        *,
        state: str = "waiting",
    ) -> Stored | None:
        def action() -> Stored | None:
            row = self._leased(person, token)
            place = self._place(row, command) if row is not None else None
            if row is None or place is None:
                return None
            row.pending[place] = replace(row.pending[place], attempts=attempts, not_before=not_before, state=state)
            return row.stored()

        return await self._line.carry("defer", action)

    async def release(
        self, person: PersonId, token: str, version: int, due: datetime | None, known: Sequence[CommandId]
    ) -> bool:
        def action() -> bool:
            row = self._leased(person, token)
            if row is None or row.conversation.version != version or {one.id for one in row.pending} - set(known):
                return False
            row.lease, row.due = None, due
            return True

        return await self._line.carry("release", action)

    async def renew(self, person: PersonId, lease: Lease) -> bool:
        def action() -> bool:
            row = self._leased(person, lease.token)
            if row is None:
                return False
            row.lease, row.due = lease, lease.until
            return True

        return await self._line.carry("renew", action)


def _guard(stored: Stored) -> tuple[int, str]:
    return stored.conversation.version, stored.lease.token if stored.lease else ""


def names(address: Address) -> list[str]:
    return [one.value for one in (address.bsuid, address.parent_bsuid, address.phone) if one is not None]


class MemoryPeople:
    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line

    def _known(self, address: Address) -> PersonId | None:
        return next((self._disk.identities[name] for name in names(address) if name in self._disk.identities), None)

    async def recognise(self, address: Address, now: datetime) -> PersonId | None:
        return await self._line.carry("recognise", lambda: self._known(address))

    async def admit(self, address: Address, now: datetime) -> PersonId:
        def action() -> PersonId:
            person = self._known(address) or PersonId(
                hashlib.sha256(f"{names(address)}{now}".encode()).hexdigest()[:32]
            )
            self._bound(person, address)
            return person

        return await self._line.carry("admit", action)

    def _bound(self, person: PersonId, address: Address) -> None:
        for name in names(address):
            self._disk.identities.setdefault(name, person)
        known = self._disk.addresses.get(person, address)
        self._disk.addresses[person] = Address(
            address.phone or known.phone, address.bsuid or known.bsuid, address.parent_bsuid or known.parent_bsuid
        )

    async def bind(self, person: PersonId, address: Address, now: datetime) -> None:
        await self._line.carry("bind", lambda: self._bound(person, address))

    async def address(self, person: PersonId) -> Address | None:
        return await self._line.carry("address", lambda: self._disk.addresses.get(person))

    async def gone(self, events: Sequence[EventId]) -> frozenset[EventId]:
        return await self._line.carry("gone", lambda: frozenset(events) & self._disk.tombstones)


class MemorySuppressions:
    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line

    async def suppress(self, address: Address, suppressions: Sequence[Suppress]) -> None:
        def action() -> None:
            for one in suppressions:
                for name in names(address):
                    self._disk.suppressed[name, one.scope] = one.since

        await self._line.carry("suppress", action)

    async def standing(self, address: Address) -> Mapping[str, datetime]:
        rows = self._disk.suppressed
        return await self._line.carry(
            "standing", lambda: {scope: at for (name, scope), at in rows.items() if name in names(address)}
        )

    async def lift(self, address: Address, scopes: Sequence[str]) -> None:
        def action() -> None:
            for name in names(address):
                for scope in scopes:
                    self._disk.suppressed.pop((name, scope), None)

        await self._line.carry("lift", action)


class MemorySends:
    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line

    async def start(self, callback: str, person: PersonId, send: Send, now: datetime) -> None:
        await self._line.carry("start", lambda: self._disk.sends.setdefault(callback, Sent(person, send, now)))

    async def accepted(self, callback: str, wamid: Wamid, now: datetime) -> None:
        await self._line.carry("accepted", lambda: self._rank(callback, "accepted"))

    def _rank(self, callback: str, status: str) -> None:
        row = self._disk.sends.get(callback)
        if row is not None:
            row.rank = max(row.rank, RANKS[status])

    async def outcome(self, callback: str) -> str | None:
        ranks = {rank: name for name, rank in RANKS.items()}
        rows = self._disk.sends
        return await self._line.carry("outcome", lambda: ranks[rows[callback].rank] if callback in rows else None)

    async def count(self, person: PersonId, send: Send, since: datetime) -> int:
        def action() -> int:
            same = [
                one
                for one in self._disk.sends.values()
                if (one.person, one.send.reason, one.send.purpose) == (person, send.reason, send.purpose)
            ]
            return sum(one.at > since and one.send.id != send.id and one.rank < 6 for one in same)

        return await self._line.carry("count", action)

    async def refused(self, person: PersonId, send: Send, reason: str, now: datetime) -> None:
        await self._line.carry("refused", lambda: self._disk.refusals.append((person, send.id, reason)))

    async def status(self, callback: str, wamid: Wamid, status: str, at: datetime, code: int, pricing: str) -> None:
        await self._line.carry("status", lambda: self._rank(callback, status))

    async def of_command(self, person: PersonId, command: str) -> tuple[str, str] | None:
        def action() -> tuple[str, str] | None:
            ranks = {rank: name for name, rank in RANKS.items()}
            found = [one.rank for one in self._disk.sends.values() if (one.person, one.send.id) == (person, command)]
            why = [reason for who, name, reason in self._disk.refusals if (who, name) == (person, command)]
            if found:
                return ranks[max(found)], ""
            return ("refused", why[0]) if why else None

        return await self._line.carry("of_command", action)

    async def recipient(self, callback: str, wamid: Wamid) -> PersonId | None:
        rows = self._disk.sends
        return await self._line.carry("recipient", lambda: rows[callback].person if callback in rows else None)


class MemoryRest:
    """Ledger, desk, connectors, subscribers, exports, dead letters, receivers: what only takes notes."""

    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line
        self.call_takes = 0.0
        self.call_outcome = "ok"

    async def record(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        def action() -> None:
            self._disk.ledger.setdefault(event.id, event)
            self._disk.recorded_for[event.id] = person

        await self._line.carry("record", action)

    async def holds(self, command: CommandId) -> bool:
        return await self._line.carry("holds", lambda: command in self._disk.ledger)

    async def open_ticket(self, person: PersonId, ticket: OpenTicket, now: datetime) -> int:
        await self._line.carry("ticket", lambda: self._disk.done.append(("ticket", ticket.ticket)))
        return 0

    async def return_ticket(self, person: PersonId, back: ReturnTicket, now: datetime) -> None:
        await self._line.carry("return", lambda: self._disk.done.append(("return", back.ticket)))

    async def transcribe(self, person: PersonId, line: Transcribe, now: datetime) -> None:
        await self._line.carry("transcribe", lambda: self._disk.done.append(("line", line.id)))

    async def unsay(self, person: PersonId, command: Unsay, now: datetime) -> None:
        await self._line.carry("unsay", lambda: self._disk.done.append(("unsay", command.message)))

    async def close_ticket(self, person: PersonId, close: CloseTicket, now: datetime) -> None:
        await self._line.carry("close", lambda: self._disk.done.append(("close", close.ticket)))

    async def open_request(self, person: PersonId, request: OpenRequest, now: datetime) -> None:
        await self._line.carry("request", lambda: self._disk.done.append(("request", request.kind)))

    async def settle_request(self, person: PersonId, settled: SettleRequest, now: datetime) -> None:
        await self._line.carry("settle", lambda: self._disk.done.append(("settle", settled.kind)))

    async def call(self, call: Call) -> CallResult:
        await self._line.carry("call", lambda: self._disk.done.append(("call", call.id)))
        await asyncio.sleep(self.call_takes)
        return CallResult(self.call_outcome)

    async def notify(self, person: PersonId, notice: Notify, now: datetime) -> None:
        await self._line.carry("notify", lambda: self._disk.done.append(("notify", notice.event)))

    async def export(self, person: PersonId, command: Export, now: datetime) -> OutMessage:
        return await self._line.carry("export", lambda: TextMessage("your data"))

    async def put(self, letter: DeadLetter, now: datetime) -> None:
        await self._line.carry("put", lambda: self._disk.letters.append(letter))

    async def erase(self, person: PersonId, address: Address | None, now: datetime) -> None:
        await self._line.carry("erase", lambda: self._disk.done.append(("erase", person)))


class MemoryErasures:
    def __init__(self, disk: Disk, line: Line) -> None:
        self._disk = disk
        self._line = line

    async def begin(self, stored: Stored, command: Erase, now: datetime) -> ErasureJob:
        def action() -> ErasureJob:
            person, conversation = stored.conversation.person, stored.conversation
            self._disk.tombstones |= stored.seen
            made = ErasureJob(
                command.id, person, "job", command.language, self._disk.addresses.get(person), command.receipt,
                conversation.window_until,
            )  # fmt: skip
            lease = Lease(command.id, now + timedelta(minutes=2))
            return self._disk.jobs.setdefault(command.id, (made, lease))[0]

        return await self._line.carry("begin", action)

    def _put(self, job: ErasureJob) -> ErasureJob:
        if job.id not in self._disk.jobs:
            raise RetryLater("closed by another")
        self._disk.jobs[job.id] = (job, self._disk.jobs[job.id][1])
        return job

    async def destroy_key(self, job: ErasureJob, now: datetime) -> ErasureJob:
        def action() -> ErasureJob:
            self._disk.addresses.pop(job.person, None)
            return self._put(replace(job, done="key", key_gone_at=job.key_gone_at or now))

        return await self._line.carry("destroy_key", action)

    async def delete_rows(self, job: ErasureJob) -> None:
        def action() -> None:
            for name in [name for name, person in self._disk.identities.items() if person == job.person]:
                del self._disk.identities[name]
            self._disk.rows.pop(job.person, None)

        await self._line.carry("delete_rows", action)

    async def finished(self, job: ErasureJob, step: str) -> ErasureJob:
        return await self._line.carry("finished", lambda: self._put(replace(job, done=step)))

    async def close(self, job: ErasureJob, now: datetime) -> None:
        await self._line.carry("close_job", lambda: self._disk.jobs.pop(job.id, None))

    async def unfinished(self, lease: Lease, now: datetime) -> Sequence[ErasureJob]:
        def action() -> list[ErasureJob]:
            free = [job for job, held in self._disk.jobs.values() if held.until <= now]
            for job in free:
                self._disk.jobs[job.id] = (job, lease)
            return free

        return await self._line.carry("unfinished", action)


class MemoryIds:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def event(self, outside_id: str) -> EventId:
        return EventId(hashlib.sha256(outside_id.encode()).hexdigest()[:24])

    def random(self) -> str:
        return f"{self._dice.getrandbits(128):032x}"


class Meta:
    """The channel. `plan` says for each POST what becomes of it; without a plan all is well.

    ok: taken and answered. mute: taken, and the answer is lost. lost: not taken, and no answer. busy, never, opt_out, halt: Meta's
    refusals. hang: taken, and the answer never comes. raise: the client breaks.
    """

    def __init__(self) -> None:
        self.plan: Callable[[str], str] = lambda body: "ok"
        self.takes: Callable[[], float] = lambda: 0.05
        self.arrived: list[tuple[str, str]] = []
        self.posts: list[tuple[str, str, datetime | None]] = []
        self.read: list[str] = []
        self.under_way: dict[str, int] = {}
        self.most_under_way = 0
        self.told: Callable[[str, str], None] = lambda callback, status: None

    async def send(self, to: Address, message: OutMessage, callback: str) -> Accepted | Refused:
        assert isinstance(message, TextMessage | TemplateMessage)
        name, body = names(to)[0], message.body if isinstance(message, TextMessage) else f"template {message.name}"
        fate = self.plan(body)
        self.posts.append((name, body, None))
        self.under_way[name] = self.under_way.get(name, 0) + 1
        self.most_under_way = max(self.most_under_way, self.under_way[name])
        try:
            return await self._fate(fate, name, body, callback)
        finally:
            self.under_way[name] -= 1

    async def _fate(self, fate: str, name: str, body: str, callback: str) -> Accepted | Refused:
        if fate in ("ok", "mute", "hang"):
            self.arrived.append((name, body))
            self.told(callback, "sent")
        await asyncio.sleep(3600 if fate == "hang" else self.takes())
        if fate == "raise":
            raise ConnectionResetError("broke off")
        answers = {
            "ok": Accepted(Wamid(f"wamid.{callback}")), "mute": Refused(0, "unknown"), "lost": Refused(0, "unknown"),
            "busy": Refused(131056, "safe", 6.0), "never": Refused(131026, "never"), "opt_out": Refused(131050, "never", opt_out=True),
            "halt": Refused(190, "safe", 60.0, halt=True), "paused": Refused(132015, "never"),
        }  # fmt: skip
        return answers[fate]

    async def mark_read(self, wamid: Wamid) -> None:
        self.read.append(wamid.value)

    def bodies(self, name: str | None = None) -> list[str]:
        return [body for who, body in self.arrived if name in (None, who)]
