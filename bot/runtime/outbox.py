"""Carries out what turns committed: in order per person, under a lease, at least once, and every send through the gate.

The gate decides inside the claim (decisions.md 13): the claim is a write that is conditional on the very standing the gate
saw, and the POST begins in the same task at once. So nothing is claimed after a STOP's commit.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import random
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.command import (
    Call,
    CloseTicket,
    Command,
    Erase,
    Export,
    MarkRead,
    Notify,
    OpenRequest,
    OpenTicket,
    RecordConsent,
    Send,
)
from bot.domain.errors import RetryLater
from bot.domain.event import CallAnswered, PreferenceChanged
from bot.domain.ids import Address, PersonId
from bot.privacy.numbers import time_zone
from bot.privacy.policy import Allowed, Code, Held, Refused, decide, limit
from bot.runtime import ports, retry
from bot.runtime.erasing import Erasing
from bot.runtime.pace import Bucket, take
from bot.runtime.ports import Lease, Pending, Stored
from bot.runtime.turn import LEASE, Turns, due_of

logger = logging.getLogger(__name__)

OVERTAKES = frozenset({"stop_confirmation", "erasure_receipt"})
"""Confirmations that do not wait behind older messages (decisions.md 12)."""

BUCKETS = 4096


@dataclass(frozen=True, slots=True)
class Hands:
    """What the outbox does things with."""

    business: Business
    conversations: ports.Conversations
    people: ports.People
    suppressions: ports.Suppressions
    sends: ports.Sends
    ledger: ports.Ledger
    desk: ports.Desk
    connectors: ports.Connectors
    subscribers: ports.Subscribers
    exports: ports.Exports
    dead_letters: ports.DeadLetters
    channel: ports.Channel
    ids: ports.Ids
    clock: ports.Clock


class Outbox:
    """Works off leased conversations; `work` may be called for many side by side."""

    def __init__(self, hands: Hands, turns: Turns, erasing: Erasing) -> None:
        self._hands = hands
        self._turns = turns
        self._erasing = erasing
        self._buckets: OrderedDict[PersonId, Bucket] = OrderedDict()

    async def work(self, stored: Stored, lease: Lease) -> None:
        """Does what is ready, gives the lease back, and notes when to look again. Raises only `RetryLater`."""
        person = stored.conversation.person
        while True:
            now = self._hands.clock.now()
            lease = await self._kept(person, lease, now)
            pending = next_ready(stored.pending, now)
            if pending is None:
                if await self._given_back(stored, lease):
                    return
                found = await self._hands.conversations.find(person)
            else:
                found = await self._done(stored, pending, lease)
            if found is None or found.lease is None or found.lease.token != lease.token:
                return
            stored = found

    async def _kept(self, person: PersonId, lease: Lease, now: datetime) -> Lease:
        if lease.until - now > LEASE / 2:
            return lease
        fresh = Lease(lease.token, now + LEASE)
        if not await self._hands.conversations.renew(person, fresh):
            raise RetryLater("the lease is gone")
        return fresh

    async def _given_back(self, stored: Stored, lease: Lease) -> bool:
        conversation = stored.conversation
        waits = [one for one in stored.pending if one.not_before is not None]
        due = due_of(conversation, waits) if waits or conversation.timers else None
        known = [one.id for one in stored.pending]
        return await self._hands.conversations.release(
            conversation.person, lease.token, conversation.version, due, known
        )

    # -- one command ---------------------------------------------------------------------------------------------------

    async def _done(self, stored: Stored, pending: Pending, lease: Lease) -> Stored | None:
        """The stored conversation after one command was carried out, put off or given up."""
        command, person = pending.command, stored.conversation.person
        if command is None:
            return await self._dead(stored, pending, lease, "unreadable")
        try:
            if isinstance(command, Erase):
                await self._erasing.run(stored, command)
                return None
            if isinstance(command, Send):
                return await self._send(stored, pending, command, lease)
            if isinstance(command, Export):
                message = await self._hands.exports.export(person, command, self._hands.clock.now())
                return await self._send(stored, pending, Send(command.id, "rights", message), lease)
            await self._act(stored, command)
        except RetryLater:
            return await self._later(stored, pending, lease, timedelta(seconds=2), "RetryLater")
        except Exception as problem:  # noqa: BLE001 - one command must not stop the line (decisions.md 12)
            reason = type(problem).__name__
            logger.error("command failed", extra={"person": person, "command": type(command).__name__, "error": reason})  # noqa: TRY400
            return await self._later(stored, pending, lease, timedelta(seconds=2), reason)
        return await self._hands.conversations.settle(person, lease.token, pending.id)

    async def _act(self, stored: Stored, command: Command) -> None:
        """The commands that are no messages; each is harmless to repeat because its id names it outside too."""
        hands, person, now = self._hands, stored.conversation.person, self._hands.clock.now()
        if isinstance(command, RecordConsent):
            await hands.ledger.record(person, command, now)
        elif isinstance(command, Call):
            await self._call(person, command)
        elif isinstance(command, OpenTicket):
            await hands.desk.open_ticket(person, command, now)
        elif isinstance(command, CloseTicket):
            await hands.desk.close_ticket(person, command, now)
        elif isinstance(command, OpenRequest):
            await hands.desk.open_request(person, command, now)
        elif isinstance(command, Notify):
            await hands.subscribers.notify(person, command, now)
        elif isinstance(command, MarkRead):
            await hands.channel.mark_read(command.wamid)

    async def _call(self, person: PersonId, call: Call) -> None:
        """A slow system is cut off at its timeout; the answer is an event, once (its id comes of the call's)."""
        result = await self._hands.connectors.call(call)
        event = CallAnswered(
            self._hands.ids.event(f"call:{call.id}"), self._hands.clock.now(), call.id, result.outcome, result.values
        )
        await self._turns.submit(person, event)

    # -- messages ------------------------------------------------------------------------------------------------------

    async def _send(self, stored: Stored, pending: Pending, send: Send, lease: Lease) -> Stored | None:
        hands, person = self._hands, stored.conversation.person
        if pending.state == "sending":
            settled = await self._uncertain(stored, pending, lease)
            if settled is not _SEND_AGAIN:
                return settled if isinstance(settled, Stored) else None
        address = await hands.people.address(person)
        if address is None:
            return await hands.conversations.settle(person, lease.token, pending.id)
        now = hands.clock.now()
        verdict = await self._verdict(stored, send, address, now)
        if isinstance(verdict, Refused):
            await hands.sends.refused(person, send, verdict.code.value, now)
            return await hands.conversations.settle(person, lease.token, pending.id)
        if isinstance(verdict, Held):
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, verdict.until)
        wait = self._paced(person, now)
        if wait:
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, now + wait)
        return await self._claimed(stored, pending, send, lease, address)

    async def _verdict(self, stored: Stored, send: Send, address: Address, now: datetime) -> Allowed | Refused | Held:
        """The gate's answer on what stands in the database now; suppression in full for what nobody asked for (decisions.md 40)."""
        hands, conversation = self._hands, stored.conversation
        if send.relies_on and not await hands.ledger.holds(send.relies_on):
            return Refused(Code.UNRECORDED, "the consent it relies on is not in the ledger")
        ours = send.reason in ("business", "opt_in_confirmation")
        suppressed: Mapping[str, datetime] = await hands.suppressions.standing(address) if ours else {}
        capped = limit(send, hands.business)
        count = await hands.sends.count(conversation.person, send, now - capped.period) if capped else 0
        zone = ZoneInfo(time_zone(address, business_zone=hands.business.time_zone))
        return decide(
            send, conversation, hands.business, now=now, zone=zone, sent_in_period=count, suppressed=suppressed
        )

    async def _claimed(
        self, stored: Stored, pending: Pending, send: Send, lease: Lease, address: Address
    ) -> Stored | None:
        """Claim and POST in one go; a claim that lost its standing leads back to the gate."""
        hands, person = self._hands, stored.conversation.person
        callback = hands.ids.random()
        now = hands.clock.now()
        claimed = await hands.conversations.claim(
            person, lease.token, pending.id, callback, stored.conversation.standing, now
        )
        if claimed is None:
            return await hands.conversations.find(person)
        await hands.sends.start(callback, person, send, now)
        if hands.clock.now() - now > retry.CLAIM_HOLDS:
            # Too long ago to be sure, and nothing went out: decide and claim again.
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, now)
        result = await hands.channel.send(address, send.message, callback)
        if isinstance(result, ports.Accepted):
            await hands.sends.accepted(callback, result.wamid, hands.clock.now())
            return await hands.conversations.settle(person, lease.token, pending.id)
        return await self._refused_by_meta(claimed, replace(pending, callback=callback), result, lease)

    async def _refused_by_meta(
        self, stored: Stored, pending: Pending, result: ports.Refused, lease: Lease
    ) -> Stored | None:
        hands, person = self._hands, stored.conversation.person
        logger.warning("send refused", extra={"person": person, "code": result.code, "replay": result.replay})
        if result.replay == "unknown":
            wait = hands.clock.now() + retry.AMBIGUOUS_FOR
            return await hands.conversations.defer(
                person, lease.token, pending.id, pending.attempts + 1, wait, state="sending"
            )
        if result.opt_out:
            event = PreferenceChanged(hands.ids.event(f"131050:{pending.id}"), hands.clock.now(), "stop")
            await self._turns.submit(person, event)
        if result.replay == "never":
            return await self._dead(stored, pending, lease, f"meta-{result.code}")
        attempts = 1 if result.halt else None
        return await self._later(
            stored, pending, lease, timedelta(seconds=max(result.after, 1.0)), f"meta-{result.code}", attempts
        )

    async def _uncertain(self, stored: Stored, pending: Pending, lease: Lease) -> "Stored | _Again | None":
        """A send that may have gone out: its status decides; without one for a minute it is sent again (decisions.md 12)."""
        hands, person = self._hands, stored.conversation.person
        outcome = await hands.sends.outcome(pending.callback) if pending.callback else None
        if outcome not in (None, "started"):
            return await hands.conversations.settle(person, lease.token, pending.id)
        known_until = (pending.claimed_at or hands.clock.now()) + retry.AMBIGUOUS_FOR
        if hands.clock.now() < known_until:
            return await hands.conversations.defer(
                person, lease.token, pending.id, pending.attempts, known_until, state="sending"
            )
        logger.warning("ambiguous send repeated", extra={"person": person, "command": pending.id})
        return _SEND_AGAIN

    def _paced(self, person: PersonId, now: datetime) -> timedelta:
        bucket, wait = take(self._buckets.pop(person, Bucket()), now)
        self._buckets[person] = bucket
        while len(self._buckets) > BUCKETS:
            self._buckets.popitem(last=False)
        return wait

    # -- failures ------------------------------------------------------------------------------------------------------

    async def _later(
        self, stored: Stored, pending: Pending, lease: Lease, first: timedelta, reason: str, attempts: int | None = None
    ) -> Stored | None:
        """Puts a command off, or gives it up after five failures; `attempts` fixed keeps it for as long as it takes."""
        tries = pending.attempts + 1 if attempts is None else attempts
        if retry.gives_up(tries):
            return await self._dead(stored, pending, lease, reason)
        until = self._hands.clock.now() + retry.delay(tries, first, random())  # noqa: S311 - jitter, not a secret
        return await self._hands.conversations.defer(stored.conversation.person, lease.token, pending.id, tries, until)

    async def _dead(self, stored: Stored, pending: Pending, lease: Lease, reason: str) -> Stored | None:
        """Keeps what failed for an operator, encrypted, and lets the line go on."""
        person = stored.conversation.person
        name = type(pending.command).__name__ if pending.command is not None else "unreadable"
        letter = ports.DeadLetter(person, "command", name, reason, pending.command)
        await self._hands.dead_letters.put(letter, self._hands.clock.now())
        return await self._hands.conversations.settle(person, lease.token, pending.id)


class _Again:
    """Says that an uncertain send is to be sent again."""


_SEND_AGAIN = _Again()


def next_ready(pending: Sequence[Pending], now: datetime) -> Pending | None:
    """What to do next. A message that is being retried holds back the messages behind it; what the gate holds does not."""
    blocked = False
    for one in pending:
        send = isinstance(one.command, Send | Export)
        overtakes = isinstance(one.command, Send) and one.command.reason in OVERTAKES
        ready = one.not_before is None or one.not_before <= now
        if ready and (not send or not blocked or overtakes):
            return one
        if send and not ready and (one.attempts or one.state == "sending"):
            blocked = True
    return None
