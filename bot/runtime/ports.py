"""What the runtime needs from outside, in its own words. `bot.app` hands in the concrete parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.domain.command import (
    Call,
    CloseTicket,
    Command,
    Erase,
    Export,
    FetchMedia,
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
from bot.domain.event import Event, MessageReceived
from bot.domain.ids import Address, CommandId, EventId, PersonId, PhoneNumber, Wamid
from bot.domain.inbound import AccountNotice
from bot.domain.intent import Intent
from bot.domain.message import OutMessage
from bot.domain.opt_in import OptInRequest
from bot.domain.turn import Turn
from bot.runtime.channel import AccountState, TemplateState


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to carry out one conversation's commands until `until`; every write under it names the token."""

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """A committed command that is not done yet.

    Attributes:
        command: None when its encrypted part cannot be read (it goes to the dead letters).
        state: `waiting`, or `sending` from its claim until its answer.
        callback: random id under which the send is known outside (`biz_opaque_callback_data`), set by the claim.
        claimed_at: when the claim was written; more than 2 s later it must be claimed again (decisions.md 13).
    """

    id: CommandId
    command: Command | None
    state: str = "waiting"
    attempts: int = 0
    not_before: datetime | None = None
    callback: str = ""
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation as it stands in the database, with what the runtime keeps beside it."""

    conversation: Conversation
    pending: tuple[Pending, ...] = ()
    seen: frozenset[EventId] = frozenset()
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """That nothing can be done for a conversation any more, as far as its worker knows.

    Attributes:
        version: the conversation it knows.
        due: when somebody must look again, or None.
        known: the commands that stay.
    """

    version: int
    due: datetime | None
    known: tuple[CommandId, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """One guarded write: it happens when the stored version and lease are still those of `before`, or not at all.

    Attributes:
        before: None creates the conversation (its identities were admitted already).
        events: the ids that are now among the seen.
        lease: taken with the commit by the process that will carry the commands out; None leaves the standing one.
        due: when somebody must look at this conversation again (recovery or a timer), or None.
        now: the time of the write.
    """

    before: Stored | None
    after: Conversation
    commands: tuple[Command, ...]
    events: tuple[EventId, ...]
    lease: Lease | None
    due: datetime | None
    now: datetime


class Conversations(Protocol):
    """Conversation documents. Every method raises `RetryLater` when the database cannot be reached."""

    async def find(self, person: PersonId) -> Stored | None:
        """The stored conversation; with an unreadable encrypted part it comes with `conversation.readable` False."""

    async def commit(self, change: Commit) -> Stored | None:
        """What stands after the write, or None when it lost the race (nothing was changed; load and play again)."""

    async def due(self, now: datetime, limit: int) -> Sequence[PersonId]:
        """Some people whose work or timers are overdue; not the oldest first (decisions.md 12)."""

    async def take(self, persons: Sequence[PersonId], lease: Lease, now: datetime) -> Sequence[Stored]:
        """Leases those whose lease has run out; returns only the ones that were won."""

    async def claim(
        self, person: PersonId, token: str, command: CommandId, callback: str, standing: int, now: datetime
    ) -> Stored | None:
        """Marks a send as under way, if lease and standing are still these; None when not (decide again)."""

    async def settle(
        self, person: PersonId, token: str, command: CommandId, *, over: Over | None = None
    ) -> Stored | None:
        """Takes a finished command off; None when the lease is gone.

        With `over` the lease is given back in the same write, unless something came in that the caller does not know of; the
        answer's `lease` tells.
        """

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
        """Leaves a command for later, as `waiting` or still `sending` where its outcome is unknown; None when the lease is gone."""

    async def release(
        self, person: PersonId, token: str, version: int, due: datetime | None, known: Sequence[CommandId]
    ) -> bool:
        """Gives the lease back and notes when to look again; False when new work or a new turn came in (go on) or it is gone."""

    async def renew(self, person: PersonId, lease: Lease) -> bool:
        """Prolongs the lease with this token; False when it is gone."""


class People(Protocol):
    """Who somebody is. Identities are kept as keyed hashes (decisions.md 2). Raises `RetryLater` when out of reach."""

    async def recognise(self, address: Address, now: datetime) -> PersonId | None:
        """The person these identities belong to; a number whose BSUID changed without notice belongs to nobody yet."""

    async def admit(self, address: Address, now: datetime) -> PersonId:
        """A person for these identities: the known one, or a new one with an own key. Safe to repeat and to race."""

    async def bind(self, person: PersonId, address: Address, now: datetime) -> None:
        """Adds identities to a known person and keeps the newest address for sending; idempotent."""

    async def address(self, person: PersonId) -> Address | None:
        """Where to send to; None for an erased person."""

    async def gone(self, events: Sequence[EventId]) -> frozenset[EventId]:
        """Those of the ids that an erased person had already been answered for (tombstones, decisions.md 16)."""


class Suppressions(Protocol):
    """Who wants no messages, under keyed hashes that outlive erasure (GDPR art. 21(3); decisions.md 40)."""

    async def suppress(self, address: Address, suppressions: Sequence[Suppress]) -> None:
        """Writes the rows for every known identity and number variant; idempotent."""

    async def standing(self, address: Address) -> Mapping[str, datetime]:
        """Scope to since-when for these identities, from the stored rows."""

    async def lift(self, address: Address, scopes: Sequence[str]) -> None:
        """Removes rows after a fresh double opt-in; idempotent."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message; delivery is told by statuses."""

    wamid: Wamid


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta did not take the message.

    Attributes:
        code: Meta's error code, or 0 without one.
        replay: `safe` (refused before processing), `never`, or `unknown` (the message may have gone out).
        after: seconds to wait before a safe replay.
        opt_out: the person stopped marketing from this business (131050).
        halt: sending as a whole should stop (token, account).
    """

    code: int
    replay: str
    after: float = 0.0
    opt_out: bool = False
    halt: bool = False


class Channel(Protocol):
    """Sends one message. Never raises for an answer of Meta; the outbox alone holds it (architecture.md 6)."""

    async def send(self, to: Address, message: OutMessage, callback: str) -> Accepted | Refused: ...

    async def mark_read(self, wamid: Wamid) -> None: ...


class Sends(Protocol):
    """What went out, by random callback id; no wamid in clear (decisions.md 14)."""

    async def start(self, callback: str, person: PersonId, send: Send, now: datetime) -> None: ...

    async def accepted(self, callback: str, wamid: Wamid, now: datetime) -> None: ...

    async def outcome(self, callback: str) -> str | None:
        """The highest status known (`started` < `accepted` < `sent` < `delivered` < `read`; `failed`), or None."""

    async def count(self, person: PersonId, send: Send, since: datetime) -> int:
        """How many messages of the same reason and purpose were handed over since then, this one left out."""

    async def refused(self, person: PersonId, send: Send, reason: str, now: datetime) -> None:
        """Puts a refusal of the gate on record."""

    async def status(self, callback: str, wamid: Wamid, status: str, at: datetime, code: int, pricing: str) -> None:
        """Applies a status as a lattice: a late `sent` never overwrites `delivered`. Unknown ids are ignored."""

    async def of_command(self, person: PersonId, command: str) -> tuple[str, str] | None:
        """(highest status or `refused`, why) of the message a command of this person sent; None where none was begun."""

    async def recipient(self, callback: str, wamid: Wamid) -> PersonId | None:
        """Who a message went to, by our callback id or Meta's message id; None when it is none of ours."""


class ChannelHealth(Protocol):
    """What Meta says about the account and its templates (`runtime.channel`). Raises `RetryLater` when out of reach."""

    async def note(self, notice: AccountNotice, now: datetime) -> bool:
        """Keeps what a notice says about sending; False when it changes nothing."""

    async def account(self) -> AccountState: ...

    async def template(self, name: str, language: str) -> TemplateState: ...


class Ledger(Protocol):
    async def record(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        """Inserts the event under its command id; a repetition changes nothing."""

    async def holds(self, command: CommandId) -> bool:
        """Whether the event is on record."""


class Desk(Protocol):
    """Tickets for people and requests of data subjects."""

    async def open_ticket(self, person: PersonId, ticket: OpenTicket, now: datetime) -> int:
        """Its place in the queue, from 1; 0 where nobody waits for an answer to it."""

    async def close_ticket(self, person: PersonId, close: CloseTicket, now: datetime) -> None: ...

    async def return_ticket(self, person: PersonId, back: ReturnTicket, now: datetime) -> None:
        """Lets a ticket wait in its queue again; nothing where it is closed."""

    async def transcribe(self, person: PersonId, line: Transcribe, now: datetime) -> None:
        """Keeps one line of the chat, sealed; a repetition changes nothing."""

    async def unsay(self, person: PersonId, command: Unsay, now: datetime) -> None:
        """Deletes the words of a message the person took back."""

    async def open_request(self, person: PersonId, request: OpenRequest, now: datetime) -> None:
        """Opens it, or adds its words to the open one of that kind; a repetition changes nothing."""

    async def settle_request(self, person: PersonId, settled: SettleRequest, now: datetime) -> None:
        """Closes the person's open requests of the kind; nothing where there is none."""


@dataclass(frozen=True, slots=True)
class CallResult:
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Connectors(Protocol):
    async def call(self, call: Call) -> CallResult:
        """Asks one of the business's systems. Never raises for what the other side does."""


class Subscribers(Protocol):
    async def notify(self, person: PersonId, notice: Notify, now: datetime) -> None:
        """Tells the business's systems; raises `RetryLater` when they do not answer."""


@dataclass(frozen=True, slots=True)
class ErasureJob:
    """An erasure under way, with what is needed to finish it once the person's own key is gone (decisions.md 16).

    Attributes:
        done: the last finished step of `privacy.erasure.STEPS`.
    """

    id: str
    person: PersonId
    done: str
    language: str
    address: Address | None = field(repr=False)
    receipt: OutMessage = field(repr=False)
    window_until: datetime | None = None
    key_gone_at: datetime | None = None


class Erasures(Protocol):
    """The storage's half of an erasure; every call may be repeated."""

    async def begin(self, stored: Stored, command: Erase, now: datetime) -> ErasureJob:
        """Replay entry, tombstones and job row; from here on the job row drives (GDPR art. 17)."""

    async def destroy_key(self, job: ErasureJob, now: datetime) -> ErasureJob: ...

    async def delete_rows(self, job: ErasureJob) -> None: ...

    async def finished(self, job: ErasureJob, step: str) -> ErasureJob:
        """Notes a finished step."""

    async def close(self, job: ErasureJob, now: datetime) -> None:
        """Closes the person's request and removes the job with its key."""

    async def unfinished(self, lease: Lease, now: datetime) -> Sequence[ErasureJob]:
        """Jobs nobody works on, leased to the caller."""


class Media(Protocol):
    """Files people sent because they were asked for."""

    async def take_over(self, person: PersonId, command: FetchMedia, now: datetime) -> None:
        """Fetches, cleans and keeps the file, and deletes it at the provider; a repetition changes nothing.

        What cannot be kept (too large, another type, gone) is put on record with its reason. Raises `RetryLater` when the provider or
        the database does not answer.
        """


class Receivers(Protocol):
    """Others that hold data of the person: CRM, contact book, media (GDPR art. 19)."""

    async def erase(self, person: PersonId, address: Address | None, now: datetime) -> None:
        """Raises `RetryLater` when one of them does not answer."""


class Exports(Protocol):
    async def export(self, person: PersonId, command: Export, now: datetime) -> OutMessage:
        """The person's data, or the way to fetch it, as one message."""


@dataclass(frozen=True, slots=True)
class OptInWork:
    """A website request leased to the caller, who sees to its confirming message.

    Attributes:
        begun: it was claimed before, so the message may have gone out.
    """

    request: OptInRequest
    number: PhoneNumber = field(repr=False)
    tries: int = 0
    begun: bool = False


class OptIns(Protocol):
    """Website requests for a consent, kept apart from people until somebody answers (decisions.md 16, 24)."""

    async def ask(self, request: OptInRequest, number: PhoneNumber, now: datetime) -> None:
        """Keeps a request; one of the same id stands already where the form was sent twice."""

    async def take(self, lease: Lease, now: datetime) -> Sequence[OptInWork]:
        """Some requests whose message is due, leased."""

    async def count(self, number: PhoneNumber, since: datetime) -> int:
        """How many confirming messages this number was sent since then, for whatever purpose."""

    async def claim(self, work: OptInWork, token: str, most: int, template: str, words: str, now: datetime) -> bool:
        """Marks its message as under way with the exact words it will show.

        False when the request was ended meanwhile, another one of this number and purpose waits for its answer, or `most` messages
        of the last 30 days are on record: then nothing may be sent.
        """

    async def sent(self, request: str, reply: EventId | None) -> None:
        """The message went out; `reply` is the keyed id that an answer to it names."""

    async def put_off(self, request: str, token: str, tries: int, until: datetime) -> None:
        """Leaves it for later; nothing has gone out."""

    async def end(self, request: str, state: str, *, unsent: bool = False) -> None:
        """Ends an open request with its number and words; `unsent` says that no message went out. Idempotent."""

    async def end_all(self, address: Address, state: str) -> None:
        """Ends every open request of a number."""

    async def expire(self, now: datetime) -> int:
        """Ends those whose time is over; returns how many."""

    async def waiting(
        self, address: Address, now: datetime, *, request: str = "", reply: EventId | None = None
    ) -> OptInRequest | None:
        """The one open request this sender may answer: the named one, the one whose message was answered, or their only one."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A command or event that failed for good; what it held is stored encrypted for 7 days."""

    person: PersonId
    kind: str
    name: str
    reason: str
    content: Command | Event | None = field(default=None, repr=False)


class DeadLetters(Protocol):
    async def put(self, letter: DeadLetter, now: datetime) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC, cut to milliseconds, as the database keeps it."""


class Ids(Protocol):
    """Ids from outside, hashed under the index key."""

    def event(self, outside_id: str) -> EventId: ...

    def random(self) -> str:
        """A fresh 128-bit token in hex."""


class Wishes(Protocol):
    def understand(self, words: str, *, language: str | None, flow_open: bool) -> Intent: ...


class Engine(Protocol):
    """The pure middle (`bot.engine`): no clock, no randomness, no waiting in any of these."""

    def begin(self, person: PersonId, country: str, now: datetime) -> Conversation:
        """A conversation nobody has written in yet."""

    def heard(self, conversation: Conversation, event: MessageReceived) -> Conversation:
        """What a message changes whoever answers it: the window, the last contact, and whether it is still the same person."""

    def advance(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """Where the event leads. May raise on a defect in a flow or an unreadable conversation; nothing is changed then."""

    def stop(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """The effect and the confirmation of a STOP from clear fields and built-in texts alone; never raises (decisions.md 3)."""

    def apologise(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """The turn of an event that `advance` failed on: an apology with the way to a person; never raises (architecture.md 8)."""
