"""One event, one turn: load, decide, commit by one guarded write (architecture.md 1-3). What must be done about it comes after.

Order: one bounded mailbox per person in this process; what waits is played together and committed once (decisions.md 6).
Between processes the version guard decides; who loses loads again and plays again, which is free because turns are pure.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from bot.domain.command import Command, Suppress
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater, Unreadable
from bot.domain.event import ColleagueSpoke, ConsentImported, Event, MessageReceived, PreferenceChanged, RightExercised
from bot.domain.ids import Address, EventId, PersonId, command_id
from bot.domain.inbound import (
    AccountNotice,
    DeliveryStatus,
    HumanEcho,
    IdentityChange,
    Inbound,
    InboundMessage,
    PreferenceSignal,
    Unknown,
)
from bot.privacy.numbers import country as country_of
from bot.privacy.suppression import standing as together
from bot.runtime import silence
from bot.runtime.arrivals import AHEAD, Arrived, Spoken, adds_to, believed, box_of, events_of, in_order, merged
from bot.runtime.figures import Figures, known_price
from bot.runtime.line import due
from bot.runtime.mailbox import Mailboxes
from bot.runtime.merging import Merging
from bot.runtime.opting_in import OptingIn
from bot.runtime.playing import Played, play
from bot.runtime.ports import (
    ChannelHealth,
    Clock,
    Commit,
    Conversations,
    DeadLetters,
    Engine,
    Ids,
    Lease,
    People,
    Sends,
    Stored,
    Suppressions,
    Wishes,
)

logger = logging.getLogger(__name__)

OLDEST = timedelta(days=7, hours=1)
"""Older messages are refused: Meta redelivers for 7 days, and nothing signed says how old a webhook is (whatsapp.md 1.2)."""

STOPPED_MARKETING = 131050
"""Meta's code for a person who switched this business's marketing off (whatsapp.md 3.9)."""

LEASE = timedelta(seconds=30)
TRIES = 12
PENDING_MOST = 100
STATUSES_AT_ONCE = 16

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
    opting_in: OptingIn | None = None
    health: ChannelHealth | None = None
    merging: Merging | None = None


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose turn it is. `address` is None for events of our own, which never make anybody known."""

    person: PersonId
    address: Address | None = None
    stopped: Mapping[str, datetime] | None = None


class Turns:
    """Takes what arrives and what is due, and commits turns."""

    def __init__(
        self, parts: Parts, started: Started | None, *, most_waiting: int = 2000, figures: Figures | None = None
    ) -> None:
        """`started` is told of every commit whose lease this process holds: the outbox goes on from there.

        None where this process carries nothing out (`serve --web`, `send`): it takes no lease, so that a worker may at once.
        """
        self._parts = parts
        self._started = started
        self._figures = figures or Figures()
        self._posts = count()
        self._boxes: Mailboxes[Arrived] = Mailboxes(self._play_box, most_waiting=most_waiting)

    @property
    def merging(self) -> Merging | None:
        """Where two people become one; a merge that was cut off is gone on with by whoever looks for it."""
        return self._parts.merging

    async def accept(self, inbound: Sequence[Inbound]) -> None:
        """Returns when every turn is durable. Raises `RetryLater` when one could not be; those done are recognised next time.

        Messages come before statuses, and a status can neither fail nor hold up the delivery. An item that fails does not keep
        the others from being done.
        """
        post = next(self._posts)
        failed = False
        for change in (one for one in inbound if isinstance(one, IdentityChange)):
            # First, so that the messages beside it find the person they belong to.
            failed = not await self._moved(change) or failed
        for echo in (one for one in inbound if isinstance(one, HumanEcho)):
            # Before what is said in the same delivery: a colleague is answering it.
            failed = not await self._echoed(echo) or failed
        spoken = [one for one in inbound if isinstance(one, InboundMessage | PreferenceSignal)]
        if spoken:
            failed = await self._boxes.put([(box_of(one.sender), Arrived(one, post)) for one in spoken]) or failed
        statuses = [one for one in inbound if isinstance(one, DeliveryStatus)]
        for status in statuses:
            if status.code == STOPPED_MARKETING:
                failed = not await self._refused_marketing(status) or failed
        for notice in (one for one in inbound if isinstance(one, AccountNotice)):
            failed = not await self._noted(notice) or failed
        if failed:
            # The statuses come again together with what failed.
            raise RetryLater("not every turn could be committed")
        for start in range(0, len(statuses), STATUSES_AT_ONCE):
            await asyncio.gather(*(self._status(one) for one in statuses[start : start + STATUSES_AT_ONCE]))
        for other in inbound:
            if isinstance(other, Unknown):
                self._figures.ignored.add(kind="Unknown", reason=other.kind)

    async def submit(self, person: PersonId, event: Event) -> bool:
        """An event of our own for a known person: True when it was committed now or before, False for nobody.

        A person who is being erased is nobody already (decisions.md 16). Raises `RetryLater` when it could not be committed.
        """
        for _ in range(TRIES):
            done = await self._attempt(_Who(person), [event])
            if done is not None:
                return done
        raise RetryLater("other writers were faster every time")

    async def drain(self) -> None:
        """Returns when no message waits in this process."""
        await self._boxes.drain()

    # -- what is no turn -----------------------------------------------------------------------------------------------

    async def _status(self, status: DeliveryStatus) -> None:
        """Never fails: losing a tick harms nobody, a delivery that comes again does (botpress 15083)."""
        at = believed(status.at, self._parts.clock.now())
        try:
            await self._parts.sends.status(
                status.callback, status.wamid, status.status, at, status.code, status.pricing
            )
            if status.pricing and status.status in ("delivered", "read"):
                # Meta puts the price in one of the two only, so each message counts once (whatsapp.md 1.6).
                self._figures.priced.add(category=known_price(status.pricing), kind=known_price(status.pricing_type))
        except Exception as problem:  # noqa: BLE001 - whatever it is, it must not fail the delivery (decisions.md 14)
            logger.warning("status not applied", extra={"reason": type(problem).__name__})
            self._figures.ignored.add(kind="DeliveryStatus", reason="failed")

    async def _refused_marketing(self, status: DeliveryStatus) -> bool:
        """131050: the person stopped marketing at Meta; as good as their own word (GDPR art. 21(3)). False when it must come again."""
        parts, now = self._parts, self._parts.clock.now()
        try:
            person = await parts.sends.recipient(status.callback, status.wamid)
            if person is not None:
                name = parts.ids.event(f"131050:{status.callback or status.wamid.value}")
                await self.submit(person, PreferenceChanged(name, believed(status.at, now), "stop"))
            else:
                self._figures.ignored.add(kind="DeliveryStatus", reason="nobody")
        except Exception as problem:  # noqa: BLE001 - one bad item must not sink its batch (botpress 15083)
            logger.warning("stop of marketing not applied", extra={"reason": type(problem).__name__})
            return False
        return True

    async def _echoed(self, echo: HumanEcho) -> bool:
        """Somebody else speaks with a known person, or gave the thread back; nobody is made known by it. False when it failed."""
        parts, now = self._parts, self._parts.clock.now()
        at = believed(echo.at, now)
        if echo.to is None or now - at > OLDEST:
            self._figures.ignored.add(kind="HumanEcho", reason="no_recipient" if echo.to is None else "too_old")
            return True
        try:
            person = await parts.people.recognise(echo.to, now)
            if person is None:
                self._figures.ignored.add(kind="HumanEcho", reason="nobody")
                return True
            seed = echo.wamid.value or f"{box_of(echo.to)}:{echo.at.isoformat()}"
            event = ColleagueSpoke(parts.ids.event(f"{echo.kind}:{seed}"), at, silence.until_of(echo, at))
            await self.submit(person, event)
        except Exception as problem:  # noqa: BLE001 - one bad item must not sink its batch (botpress 15083)
            logger.warning("echo not applied", extra={"reason": type(problem).__name__})
            return False
        return True

    async def _noted(self, notice: AccountNotice) -> bool:
        """Tells the operators, and keeps what it says about sending. False when it could not be kept."""
        self._figures.notices.add(kind=notice.field_name)
        logger.warning("notice of Meta", extra={"field": notice.field_name, "code": notice.event})
        try:
            health = self._parts.health
            if health is None or not await health.note(notice, self._parts.clock.now()):
                self._figures.ignored.add(kind="AccountNotice", reason="no_turn")
        except Exception as problem:  # noqa: BLE001 - one bad item must not sink its batch (botpress 15083)
            logger.warning("notice not kept", extra={"reason": type(problem).__name__})
            return False
        return True

    async def _moved(self, change: IdentityChange) -> bool:
        """A new number or id of a known person; who is not known is not made known by it (decisions.md 16). False when it failed."""
        parts, now = self._parts, self._parts.clock.now()
        if change.previous is None:
            self._figures.ignored.add(kind="IdentityChange", reason="no_previous")
            return True
        try:
            # What was suppressed for the old identity holds for the new one, whoever else learns of it first.
            stopped = await parts.suppressions.standing(change.previous)
            rows = [Suppress(scope, since, "identity_change") for scope, since in stopped.items()]
            if rows:
                await parts.suppressions.suppress(change.current, rows)
            person = await parts.people.recognise(change.previous, now)
            if person is None:
                self._figures.ignored.add(kind="IdentityChange", reason="nobody")
                return True
            person = await self._joined(person, change.current)
            if change.current.bsuid is not None and change.previous.bsuid not in (None, change.current.bsuid):
                # Whoever has the account now gets nothing of what is known until somebody made sure who it is (decisions.md 23).
                doubt = RightExercised(parts.ids.event(f"doubt:{change.wamid.value}"), now, "doubt", now)
                await self.submit(person, doubt)
        except Exception as problem:  # noqa: BLE001 - one bad item must not sink its batch (botpress 15083)
            logger.warning("identity change not applied", extra={"reason": type(problem).__name__})
            return False
        return True

    async def _joined(self, person: PersonId, current: Address) -> PersonId:
        """Who both the old and the new identities lead to from now on; also where somebody wrote under the new id before, or just now.

        Looked at again after it was bound: a message in another delivery may have been faster. A number alone proves nothing: it may
        have been given on, and nobody gets another one's history by it (GDPR art. 5(1)(f)).
        """
        people, merging, now = self._parts.people, self._parts.merging, self._parts.clock.now()
        for _ in range(TRIES):
            owner = await people.recognise(current, now)
            if owner is not None and owner != person and _is_scoped(current):
                if merging is None:
                    self._figures.ignored.add(kind="IdentityChange", reason="two_people")
                    return person
                person = await merging.run(person, owner)
            await people.bind(person, current, now)
            if not _is_scoped(current) or await people.recognise(current, now) == person:
                return person
        raise RetryLater("somebody is admitted under the new id at this moment")

    # -- what people say -----------------------------------------------------------------------------------------------

    async def _play_box(self, arrived: Sequence[Arrived]) -> None:
        """Everything that waits from one sender, as one commit."""
        now = self._parts.clock.now()
        items = [item for item in in_order(arrived) if now - item.at <= OLDEST]
        if len(items) < len(arrived):
            self._figures.ignored.add(len(arrived) - len(items), kind="InboundMessage", reason="too_old")
        events = list({made.id: made for item in items for made in events_of(item, self._parts.ids, now)}.values())
        if not events:
            return
        address = merged([item.sender for item in items])
        begun = asyncio.get_running_loop().time()
        for _ in range(TRIES):
            who = await self._who(address, items, events)
            if who is None or await self._attempt(who, events) is not None:
                self._figures.turn_time.observe(asyncio.get_running_loop().time() - begun)
                return
        raise RetryLater("other writers were faster every time")

    async def _who(self, address: Address, items: Sequence[Spoken], coming: Sequence[Event]) -> _Who | None:
        """The person of this address, made known by a message of theirs alone; None when there is nothing to do."""
        people, now = self._parts.people, self._parts.clock.now()
        person = await people.recognise(address, now)
        if person is not None:
            known = await people.address(person)
            if known is not None and not adds_to(known, address):
                return _Who(person, address)
            if self._parts.merging is not None and (twin := await self._parts.merging.twin(person, address)):
                person = await self._parts.merging.run(person, twin)
            await people.bind(person, address, now)
            return _Who(person, address, await self._parts.suppressions.standing(address))
        gone = await people.gone([event.id for event in coming])
        if any(isinstance(event, MessageReceived) and event.id not in gone for event in coming):
            return _Who(await people.admit(address, now), address)
        await self._suppressed_unknown(address, items)
        return None

    async def _suppressed_unknown(self, address: Address, items: Sequence[Spoken]) -> None:
        """Meta's switch of somebody we do not know: nobody is made known by it, and it holds all the same (GDPR art. 21(3))."""
        stops = [one for one in items if isinstance(one, PreferenceSignal) and one.value == "stop"]
        if stops and self._parts.opting_in is not None:
            await self._parts.opting_in.stopped(address)
        if stops:
            since = believed(stops[-1].at, self._parts.clock.now())
            await self._parts.suppressions.suppress(address, [Suppress("marketing", since, "meta_preference")])
        self._figures.ignored.add(kind="unknown_person", reason="suppressed" if stops else "erased_or_no_message")

    async def introduce(self, address: Address, event: ConsentImported) -> PersonId | None:
        """An event of our own for somebody who may be unknown: an import with evidence is, beside a message, all that makes one known.

        Returns who they are, or None while they are being erased. Raises `RetryLater` when it could not be committed.
        """
        parts = self._parts
        for _ in range(TRIES):
            now = parts.clock.now()
            person = await parts.people.recognise(address, now) or await parts.people.admit(address, now)
            done = await self._attempt(_Who(person, address), [event])
            if done is not None:
                return person if done else None
        raise RetryLater("other writers were faster every time")

    async def carry_out_again(self, person: PersonId, command: Command, once: EventId) -> bool:
        """Puts a command that was given up into the person's line anew; the gate and all else decide as if it had just been made.

        Returns False for nobody, or somebody who is being erased. Doing it twice under the same `once` changes nothing. Raises
        `RetryLater` when it could not be committed.
        """
        for _ in range(TRIES):
            now = self._parts.clock.now()
            before = await self._parts.conversations.find(person)
            if before is None or before.conversation.erasing:
                return False
            if once in before.seen:
                return True
            version = before.conversation.version + 1
            renewed = replace(command, id=command_id(person, version, 0))
            played = Played(replace(before.conversation, version=version), commands=[renewed], done=[once])
            if await self._commit(_Who(person), before, played, now) is not None:
                return True
        raise RetryLater("other writers were faster every time")

    # -- one try -------------------------------------------------------------------------------------------------------

    async def _attempt(self, who: _Who, coming: Sequence[Event]) -> bool | None:
        """True when committed now or before, False for nobody, None when another writer was faster."""
        now = self._parts.clock.now()
        before = await self._parts.conversations.find(who.person)
        begun = (before.conversation, before.seen) if before is not None else await self._begun(who, coming, now)
        if begun is None:
            return False
        conversation, seen = _also_stopped(begun[0], who.stopped), begun[1]
        seen |= await self._answered_to_somebody_gone(conversation, coming)
        fresh = [event for event in coming if event.id not in seen]
        if not fresh:
            return True
        if conversation.erasing:
            if who.address is None:
                return False
            raise RetryLater("an erasure is under way; the message comes again when it is done")
        if self._parts.opting_in is not None:
            fresh = await self._parts.opting_in.recognised(fresh, conversation, who.address)
        played, after = await self._written(who, before, conversation, fresh, now)
        if after is None:
            self._figures.races.add()
            return None
        await self._committed(after, played, now)
        if played.held:
            raise RetryLater("too much waits for this person, or they are being erased")
        return True

    async def _answered_to_somebody_gone(
        self, conversation: Conversation, coming: Sequence[Event]
    ) -> frozenset[EventId]:
        """What an erased person had been answered, brought again by Meta after they began anew (decisions.md 16).

        An erasure leaves a suppression, so nobody without one pays for this look; clocks may differ by `AHEAD`.
        """
        if not conversation.stopped or conversation.created_at is None:
            return frozenset()
        old = [event.id for event in coming if event.at <= conversation.created_at + AHEAD]
        return await self._parts.people.gone(old) if old else frozenset()

    async def _begun(
        self, who: _Who, coming: Sequence[Event], now: datetime
    ) -> tuple[Conversation, frozenset[EventId]] | None:
        """A conversation for somebody who wrote and has none, and those of the events an erased one had answered already."""
        if who.address is None:
            return None
        gone = await self._parts.people.gone([event.id for event in coming])
        if not any(isinstance(event, MessageReceived | ConsentImported) and event.id not in gone for event in coming):
            return None
        # Looked up in full when an identity is first seen (decisions.md 40): an erased STOP stays a STOP.
        stopped = dict(await self._parts.suppressions.standing(who.address))
        begun = self._parts.engine.begin(who.person, country_of(who.address) or "", now)
        return replace(begun, stopped=stopped), gone

    async def _written(
        self, who: _Who, before: Stored | None, conversation: Conversation, fresh: Sequence[Event], now: datetime
    ) -> tuple[Played, Stored | None]:
        """Plays and commits; what cannot be stored is played again as a failed turn (architecture.md 8)."""
        parts = self._parts
        room = PENDING_MOST - (len(before.pending) if before is not None else 0)
        played = play(parts.engine, parts.wishes, conversation, fresh, now, room=room)
        if not played.done:
            raise RetryLater("too much waits to be sent to this person")
        try:
            return played, await self._commit(who, before, played, now)
        except RetryLater:
            raise
        except Exception as problem:  # noqa: BLE001 - poison must not stop the line
            reason = type(problem).__name__
        logger.error("turn cannot be stored", extra={"person": who.person, "reason": reason})
        played = play(parts.engine, parts.wishes, conversation, fresh, now, room=room, broken=reason)
        try:
            return played, await self._commit(who, before, played, now)
        except Unreadable:
            if not played.stopping:
                raise
        # The key is out of reach: the wish itself is written on clear fields, its confirmation is not (decisions.md 3).
        played.commands.clear()
        return played, await self._commit(who, before, played, now)

    async def _commit(self, who: _Who, before: Stored | None, played: Played, now: datetime) -> Stored | None:
        """Suppression rows first, because they only ever forbid (decisions.md 13); then the one guarded write."""
        parts = self._parts
        if played.suppress:
            known = await parts.people.address(who.person)
            addresses = [one for one in (known, who.address) if one is not None]
            if addresses:
                await parts.suppressions.suppress(merged(addresses), played.suppress)
            if addresses and parts.opting_in is not None:
                await parts.opting_in.stopped(merged(addresses))
        waiting = before.pending if before is not None else ()
        held = before.lease if before is not None and before.lease is not None and before.lease.until > now else None
        works = self._started is not None
        lease = Lease(parts.ids.random(), now + LEASE) if works and held is None and played.commands else None
        standing = lease or held
        again = standing.until if standing is not None else due(played.conversation, waiting, now)
        if standing is None and played.commands:
            again = now  # for whichever process works
        change = Commit(before, played.conversation, tuple(played.commands), tuple(played.done), lease, again, now)
        after = await parts.conversations.commit(change)
        if after is not None and lease is not None and self._started is not None:
            self._started(after, lease)
        return after

    async def _committed(self, after: Stored, played: Played, now: datetime) -> None:
        """What is told about a turn once it is durable."""
        if self._parts.opting_in is not None:
            await self._parts.opting_in.over(played.commands)
        self._figures.turns.add(len(played.done) - len(played.letters), outcome="played")
        if played.stopping:
            said = played.conversation.last_inbound_at or now
            self._figures.stops.observe(max((now - said).total_seconds(), 0.0))
            # As it stood in the commit itself: a message may have been claimed after the turn was read.
            self._figures.in_flight.add(sum(one.state == "sending" for one in after.pending))
        for letter in played.letters:
            self._figures.turns.add(outcome="failed")
            self._figures.dead.add(kind=letter.name, reason=letter.reason)
            try:
                await self._parts.dead_letters.put(letter, now)
            except Exception as problem:  # noqa: BLE001 - the turn is durable; only the copy for operators is missing
                logger.error(  # noqa: TRY400 - no traceback: it may quote content
                    "dead letter not kept", extra={"person": letter.person, "reason": type(problem).__name__}
                )


def _is_scoped(address: Address) -> bool:
    return address.bsuid is not None or address.parent_bsuid is not None


def _also_stopped(conversation: Conversation, stopped: Mapping[str, datetime] | None) -> Conversation:
    """The conversation with what was suppressed for an identity that has just become this person's."""
    if not stopped:
        return conversation
    both = together(conversation.stopped, stopped)
    if both == conversation.stopped:
        return conversation
    return replace(conversation, stopped=both, standing=conversation.standing + 1)
