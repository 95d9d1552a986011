"""One event, one turn: load, decide, commit by one guarded write (architecture.md 1-3). What must be done about it comes after.

Order: one bounded mailbox per person in this process; what waits is played together and committed once (decisions.md 6).
Between processes the version guard decides; who loses loads again and plays again, which is free because turns are pure.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.domain.command import Command, Suppress
from bot.domain.conversation import Conversation, same_standing
from bot.domain.errors import RetryLater, Unreadable
from bot.domain.event import Event, MessageReceived, PreferenceChanged
from bot.domain.ids import Address, PersonId
from bot.domain.inbound import DeliveryStatus, IdentityChange, Inbound, InboundMessage, PreferenceSignal
from bot.domain.intent import Decision
from bot.domain.turn import Turn
from bot.privacy.numbers import country as country_of
from bot.runtime.mailbox import Mailboxes
from bot.runtime.ports import (
    Clock,
    Commit,
    Conversations,
    DeadLetter,
    DeadLetters,
    Engine,
    Ids,
    Lease,
    Pending,
    People,
    Sends,
    Stored,
    Suppressions,
    Wishes,
)

logger = logging.getLogger(__name__)

OLDEST = timedelta(days=7, hours=1)
"""Older messages are refused: Meta redelivers for 7 days, and nothing signed says how old a webhook is (whatsapp.md 1.2)."""

AHEAD = timedelta(minutes=10)
"""A message from further in the future than clocks differ counts as sent now, so that it opens no longer window."""

LEASE = timedelta(seconds=30)
TRIES = 12
PENDING_MOST = 100

_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)

Started = Callable[[Stored, Lease], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn needs of the outside."""

    engine: Engine
    conversations: Conversations
    people: People
    suppressions: Suppressions
    sends: Sends
    dead_letters: DeadLetters
    wishes: Wishes
    ids: Ids
    clock: Clock


@dataclass(slots=True)
class _Played:
    """The result of one or more events played in memory."""

    conversation: Conversation
    commands: list[Command] = field(default_factory=list)
    suppress: list[Suppress] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    stopping: bool = False


class Turns:
    """Takes what arrives and what is due, and commits turns."""

    def __init__(self, parts: Parts, started: Started, *, most_waiting: int = 2000) -> None:
        """`started` is told of every commit whose lease this process holds: the outbox goes on from there."""
        self._parts = parts
        self._started = started
        self._boxes: Mailboxes[InboundMessage | PreferenceSignal] = Mailboxes(self._play_box, most_waiting=most_waiting)

    async def accept(self, inbound: Sequence[Inbound]) -> None:
        """Returns when every turn is durable. Raises `RetryLater` when one could not be; those done are recognised next time.

        Messages come before statuses, and a status can neither fail nor hold up the delivery.
        """
        people = [one for one in inbound if isinstance(one, InboundMessage | PreferenceSignal)]
        failed = await self._boxes.put([(_box_of(one.sender), one) for one in people])
        for change in (one for one in inbound if isinstance(one, IdentityChange)):
            failed = await self._guarded(partial(self._moved, change)) or failed
        for status in (one for one in inbound if isinstance(one, DeliveryStatus)):
            await self._guarded(partial(self._status, status))
        if failed:
            raise RetryLater("not every turn could be committed")

    @staticmethod
    async def _guarded(action: Callable[[], Awaitable[None]]) -> bool:
        """Runs one item by itself; True when it failed."""
        try:
            await action()
        except Exception as problem:  # noqa: BLE001 - one bad item must not sink its batch (botpress 15083)
            logger.warning("inbound item failed", extra={"error": type(problem).__name__})
            return True
        return False

    async def _status(self, status: DeliveryStatus) -> None:
        await self._parts.sends.status(
            status.callback, status.wamid, status.status, status.at, status.code, status.pricing
        )

    async def _moved(self, change: IdentityChange) -> None:
        """A new number or id of a known person; who is not known is not made known by it (decisions.md 16)."""
        if change.previous is None:
            return
        now = self._parts.clock.now()
        person = await self._parts.people.recognise(change.previous, now)
        if person is not None:
            await self._parts.people.bind(person, change.current, now)

    # -- messages ------------------------------------------------------------------------------------------------------

    async def _play_box(self, items: Sequence[InboundMessage | PreferenceSignal]) -> None:
        """Everything that waits from one sender, as one commit."""
        parts = self._parts
        now = parts.clock.now()
        address = items[-1].sender
        events = [self._event(item, now) for item in items if now - item.at <= OLDEST]
        if not events:
            return
        person = await parts.people.recognise(address, now)
        stopped: dict[str, datetime] = {}
        if person is None:
            gone = await parts.people.gone([event.id for event in events])
            events = [event for event in events if event.id not in gone and isinstance(event, MessageReceived)]
            if not events:
                return
            person = await parts.people.admit(address, now)
            # Looked up in full when an identity is first seen (decisions.md 40): an erased STOP stays a STOP.
            stopped = dict(await parts.suppressions.standing(address))
        else:
            await parts.people.bind(person, address, now)
        await self._turn(person, events, address, stopped)

    def _event(self, item: InboundMessage | PreferenceSignal, now: datetime) -> MessageReceived | PreferenceChanged:
        ids = self._parts.ids
        if isinstance(item, PreferenceSignal):
            event_id = ids.event(f"preference:{_box_of(item.sender)}:{item.value}:{item.at.isoformat()}")
            return PreferenceChanged(event_id, item.at, item.value, item.category)
        reply = ids.event(item.reply_to.value) if item.reply_to else None
        return MessageReceived(
            ids.event(item.wamid.value), min(item.at, now) if item.at > now + AHEAD else item.at, item.kind, item.words,
            item.option, item.wamid, reply, item.reply_to, data=item.data,
        )  # fmt: skip

    # -- any event -----------------------------------------------------------------------------------------------------

    async def submit(self, person: PersonId, event: Event) -> bool:
        """An event of our own for a known person: True when it was committed now or before, False for nobody.

        Raises `RetryLater` when it could not be committed.
        """
        return await self._turn(person, [event], None, {})

    async def _turn(
        self, person: PersonId, events: Sequence[Event], address: Address | None, stopped: dict[str, datetime]
    ) -> bool:
        parts = self._parts
        for _ in range(TRIES):
            now = parts.clock.now()
            before = await parts.conversations.find(person)
            if before is None and address is None:
                return False
            conversation = before.conversation if before else self._begun(person, address, stopped, now)
            if conversation.erasing:
                raise RetryLater("an erasure is under way; the message comes again when it is done")
            fresh = [event for event in events if before is None or event.id not in before.seen]
            if not fresh:
                return True
            played = self._play(conversation, fresh, now)
            if played.suppress and address is None:
                address = await parts.people.address(person)
            if played.suppress and address is not None:
                await parts.suppressions.suppress(address, played.suppress)
            after = await self._commit(before, played, fresh, now)
            if after is not None:
                for letter in played.letters:
                    await parts.dead_letters.put(letter, now)
                return True
        raise RetryLater("other processes were faster every time")

    def _begun(
        self, person: PersonId, address: Address | None, stopped: dict[str, datetime], now: datetime
    ) -> Conversation:
        country = (country_of(address) if address is not None else None) or ""
        return replace(self._parts.engine.begin(person, country, now), stopped=stopped)

    def _play(self, conversation: Conversation, events: Sequence[Event], now: datetime) -> _Played:
        """All events in memory, each message through the intents by itself (decisions.md 6)."""
        played = _Played(conversation)
        for event in events:
            heard = self._understood(played.conversation, event)
            turn = self._advanced(played, heard, now)
            played.conversation = turn.conversation
            played.commands.extend(turn.commands)
            played.suppress.extend(turn.suppress)
        standing = (
            conversation.standing if same_standing(conversation, played.conversation) else conversation.standing + 1
        )
        played.conversation = replace(played.conversation, standing=standing)
        return played

    def _understood(self, conversation: Conversation, event: Event) -> Event:
        if not isinstance(event, MessageReceived):
            return event
        intent = self._parts.wishes.understand(
            event.words.value, language=conversation.language or None, flow_open=bool(conversation.frames)
        )
        return replace(event, intent=intent)

    def _advanced(self, played: _Played, event: Event, now: datetime) -> Turn:
        """The engine's turn; a wish to stop is never lost to a defect (decisions.md 3), anything else gets an apology."""
        engine, conversation = self._parts.engine, played.conversation
        wish = isinstance(event, MessageReceived) and event.intent.decision is Decision.STOP
        wish = wish or (isinstance(event, PreferenceChanged) and event.value == "stop")
        played.stopping = played.stopping or wish
        if conversation.readable:
            try:
                return engine.advance(conversation, event, now)
            except Exception as problem:  # noqa: BLE001 - poison must not stop the line (architecture.md 8)
                logger.error("turn failed", extra={"person": conversation.person, "error": type(problem).__name__})  # noqa: TRY400
                reason = type(problem).__name__
        else:
            reason = "unreadable"
        if wish:
            return engine.stop(replace(conversation, readable=True), event, now)
        played.letters.append(DeadLetter(conversation.person, "event", type(event).__name__, reason))
        return engine.apologise(replace(conversation, readable=True), event, now)

    async def _commit(
        self, before: Stored | None, played: _Played, events: Sequence[Event], now: datetime
    ) -> Stored | None:
        held = before.lease if before is not None and before.lease is not None and before.lease.until > now else None
        waiting = before.pending if before is not None else ()
        commands = tuple(played.commands)
        if len(waiting) + len(commands) > PENDING_MOST and not played.stopping:
            raise RetryLater("too much waits to be sent to this person")
        lease = None
        if held is None and commands:
            lease = Lease(self._parts.ids.random(), now + LEASE)
        due = lease.until if lease else held.until if held else due_of(played.conversation, waiting)
        change = Commit(before, played.conversation, commands, tuple(event.id for event in events), lease, due, now)
        try:
            after = await self._parts.conversations.commit(change)
        except Unreadable:
            if not played.stopping:
                raise
            # The key is out of reach: the wish itself is written on clear fields, its confirmation is not (decisions.md 3).
            due = due_of(played.conversation, waiting)
            after = await self._parts.conversations.commit(replace(change, commands=(), lease=None, due=due))
            lease = None
        if after is not None and lease is not None:
            self._started(after, lease)
        return after


def due_of(conversation: Conversation, pending: Sequence[Pending]) -> datetime | None:
    """When somebody must look at a conversation again: its timers and what waits to be done, or None."""
    waits = [one.not_before or _AT_ONCE for one in pending]
    return min([*waits, *(timer.due for timer in conversation.timers)], default=None)


def _box_of(address: Address) -> str:
    """Key of the mailbox; lives only while something waits in it."""
    known = address.bsuid or address.parent_bsuid or address.phone
    return known.value if known is not None else ""
