"""Carries out what turns committed: in order per person, under a lease, at least once, and every send through the gate.

Nobody sends past it (architecture.md 6). Calls to other systems run beside the line, so that a slow one holds up nobody.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from bot.domain.command import (
    Call,
    CloseTicket,
    Command,
    Erase,
    Export,
    FetchMedia,
    MarkRead,
    Notify,
    OpenRequest,
    OpenTicket,
    RecordConsent,
    ReturnTicket,
    Send,
    SettleRequest,
    Transcribe,
    Unsay,
)
from bot.domain.consent import GIVEN
from bot.domain.errors import RetryLater
from bot.domain.event import CallAnswered, HandoffChanged
from bot.domain.ids import CommandId, PersonId
from bot.privacy.policy import Allowed, Held, Refused
from bot.privacy.suppression import lifted_by
from bot.runtime.erasing import Erasing
from bot.runtime.failures import Failures
from bot.runtime.figures import Figures
from bot.runtime.hands import Hands
from bot.runtime.line import due, next_ready, over_after
from bot.runtime.ports import CallResult, Lease, Pending, Stored
from bot.runtime.sending import Sender
from bot.runtime.turn import LEASE, Turns

__all__ = ["Hands", "Outbox"]

logger = logging.getLogger(__name__)

ERASURE_LOOKS_AGAIN = timedelta(minutes=1)
"""How long what cannot be read waits while an erasure runs."""

_NOT_OUT = frozenset({"refused", "failed", "started"})
"""States of a message that the person did not get, as far as anybody knows."""

GLANCE = 1.0
"""Seconds between two looks at the line while only a call is under way: a STOP's confirmation does not wait for it."""

CALL_SLACK = 5.0


class Outbox:
    """Works off leased conversations; `work` may be called for many side by side."""

    def __init__(self, hands: Hands, turns: Turns, erasing: Erasing, *, figures: Figures | None = None) -> None:
        self._hands = hands
        self._turns = turns
        self._erasing = erasing
        figures = figures or Figures()
        self._failures = Failures(hands, figures)
        self._sender = Sender(hands, turns.submit, self._failures, figures)

    async def foresee(self, stored: Stored, send: Send) -> Allowed | Refused | Held:
        """What the gate would say of this message now. Binds nobody: it is asked again inside the claim (decisions.md 13)."""
        return await self._sender.foreseen(stored, send)

    async def work(self, stored: Stored, lease: Lease) -> None:
        """Does what is ready, gives the lease back, and notes when to look again.

        Raises only `RetryLater`: then the lease runs out by itself, and whoever takes it up finds everything as it stands.
        """
        calls: dict[CommandId, asyncio.Task[None]] = {}
        try:
            await self._work(stored, lease, calls)
        finally:
            for task in calls.values():
                task.cancel()
            await asyncio.gather(*calls.values(), return_exceptions=True)

    async def _work(self, stored: Stored, lease: Lease, calls: dict[CommandId, asyncio.Task[None]]) -> None:
        hands, person = self._hands, stored.conversation.person
        while True:
            lease = await self._kept(person, lease)
            found: Stored | None
            pending = next_ready(stored.pending, hands.clock.now(), calls)
            if pending is not None and isinstance(pending.command, Call):
                calls[pending.id] = asyncio.create_task(self._called(stored, pending, pending.command, lease))
                continue
            if pending is not None:
                found = await self._done(stored, pending, lease)
            elif calls:
                await _glanced(calls)
                found = await hands.conversations.find(person)
            elif await self._given_back(stored, lease):
                return
            else:
                found = await hands.conversations.find(person)
            if found is None or found.lease is None or found.lease.token != lease.token:
                return
            stored = found

    async def _kept(self, person: PersonId, lease: Lease) -> Lease:
        """The lease with at least half of its time left, so that whatever comes next ends inside it."""
        now = self._hands.clock.now()
        if lease.until - now > LEASE / 2:
            return lease
        fresh = Lease(lease.token, now + LEASE)
        if not await self._hands.conversations.renew(person, fresh):
            raise RetryLater("the lease is gone")
        return fresh

    async def _given_back(self, stored: Stored, lease: Lease) -> bool:
        conversation = stored.conversation
        again = due(conversation, stored.pending, self._hands.clock.now())
        known = [one.id for one in stored.pending]
        return await self._hands.conversations.release(
            conversation.person, lease.token, conversation.version, again, known
        )

    # -- one command ---------------------------------------------------------------------------------------------------

    async def _done(self, stored: Stored, pending: Pending, lease: Lease) -> Stored | None:
        """What stands after one command was carried out, put off or given up; None when the lease is gone."""
        command, person = pending.command, stored.conversation.person
        try:
            if command is None:
                return await self._unreadable(stored, pending, lease)
            if isinstance(command, Erase):
                await self._erasing.run(stored, command)
                return None
            if isinstance(command, Send):
                return await self._sender.send(stored, pending, command, lease)
            if isinstance(command, Export):
                return await self._exported(stored, pending, command, lease)
            await self._act(stored, command)
            over = over_after(stored, pending.id, self._hands.clock.now())
            return await self._hands.conversations.settle(person, lease.token, pending.id, over=over)
        except RetryLater:
            return await self._failures.later(stored, pending, lease, "RetryLater")
        except Exception as problem:  # noqa: BLE001 - one command must not stop the line (decisions.md 12)
            reason = type(problem).__name__
            logger.error("command failed", extra={"person": person, "kind": type(command).__name__, "reason": reason})  # noqa: TRY400 - no traceback: it may quote content
            return await self._failures.later(stored, pending, lease, reason)

    async def _unreadable(self, stored: Stored, pending: Pending, lease: Lease) -> Stored | None:
        """While an erasure runs nothing is given up: its job deletes the conversation, or the missing key comes back first.

        Dropping the command here could drop the `Erase` itself (GDPR art. 17).
        """
        if stored.conversation.erasing:
            person, until = stored.conversation.person, self._hands.clock.now() + ERASURE_LOOKS_AGAIN
            return await self._hands.conversations.defer(person, lease.token, pending.id, pending.attempts, until)
        return await self._failures.dead(stored, pending, lease, "unreadable")

    async def _exported(self, stored: Stored, pending: Pending, command: Export, lease: Lease) -> Stored | None:
        """The copy is made for one try and sent like any message of the person's rights (GDPR art. 15, 20)."""
        person = stored.conversation.person
        if pending.state == "sending":
            # Whether it went out is asked by its callback alone; nothing needs to be made for that.
            return await self._sender.uncertain(stored, pending, lease)
        message = await self._hands.exports.export(person, command, self._hands.clock.now())
        return await self._sender.send(stored, pending, Send(command.id, "rights", message), lease)

    async def _act(self, stored: Stored, command: Command) -> None:
        """The commands that are no messages; each is harmless to repeat because its id names it outside too."""
        hands, person, now = self._hands, stored.conversation.person, self._hands.clock.now()
        if isinstance(command, RecordConsent):
            await hands.ledger.record(person, command, now)
            await self._lifted(stored, command)
        elif isinstance(command, OpenTicket | CloseTicket | ReturnTicket | Transcribe | Unsay):
            await self._at_desk(person, command, now)
        elif isinstance(command, OpenRequest):
            await hands.desk.open_request(person, command, now)
        elif isinstance(command, SettleRequest):
            await self._settled(person, command, now)
        elif isinstance(command, Notify):
            await hands.subscribers.notify(person, command, now)
        elif isinstance(command, MarkRead):
            await hands.channel.mark_read(command.wamid)
        elif isinstance(command, FetchMedia) and hands.media is not None:
            await hands.media.take_over(person, command, now)

    async def _settled(self, person: PersonId, command: SettleRequest, now: datetime) -> None:
        """An answer that was refused or given up closes nothing: a person sees the request, and its clock goes on (GDPR art. 12(3))."""
        if command.by:
            told = await self._hands.sends.of_command(person, command.by)
            if told is None or told[0] in _NOT_OUT:
                logger.warning("request stays open", extra={"person": person, "kind": command.kind})
                return
        await self._hands.desk.settle_request(person, command, now)

    async def _at_desk(
        self,
        person: PersonId,
        command: OpenTicket | CloseTicket | ReturnTicket | Transcribe | Unsay,
        now: datetime,
    ) -> None:
        """What people of the business see; a ticket's place in the queue comes back as an event (architecture.md 5)."""
        desk = self._hands.desk
        if isinstance(command, CloseTicket):
            await desk.close_ticket(person, command, now)
        elif isinstance(command, ReturnTicket):
            await desk.return_ticket(person, command, now)
        elif isinstance(command, Transcribe):
            await desk.transcribe(person, command, now)
        elif isinstance(command, Unsay):
            await desk.unsay(person, command, now)
        elif place := await desk.open_ticket(person, command, now):
            event = self._hands.ids.event(f"queued:{command.ticket}")
            await self._turns.submit(person, HandoffChanged(event, now, command.ticket, "queued", {"place": place}))

    async def _lifted(self, stored: Stored, record: RecordConsent) -> None:
        """After a fresh double opt-in the rows follow the conversation: what it holds no longer, and nothing newer than the yes."""
        if record.state_after != GIVEN:
            return
        hands, conversation = self._hands, stored.conversation
        address = await hands.people.address(conversation.person)
        if address is None:
            return
        rows = await hands.suppressions.standing(address)
        older = [
            scope for scope, since in rows.items() if since <= record.occurred_at and scope not in conversation.stopped
        ]
        marketing = [name for name, purpose in hands.business.purposes.items() if purpose.sends == "marketing"]
        scopes = lifted_by([record.purpose], older, marketing=marketing)
        if scopes:
            await hands.suppressions.lift(address, scopes)

    # -- beside the line -----------------------------------------------------------------------------------------------

    async def _called(self, stored: Stored, pending: Pending, call: Call, lease: Lease) -> None:
        """Asks a connector and plays its answer as an event, once (its id comes of the call's). Raises only `RetryLater`."""
        hands, person = self._hands, stored.conversation.person
        try:
            result = await self._asked(call)
            event_id = hands.ids.event(f"call:{call.id}")
            await self._turns.submit(
                person, CallAnswered(event_id, hands.clock.now(), call.id, result.outcome, result.values)
            )
            await hands.conversations.settle(person, lease.token, pending.id)
        except RetryLater:
            raise
        except Exception as problem:  # noqa: BLE001 - one command must not stop the line (decisions.md 12)
            await self._failures.later(stored, pending, lease, type(problem).__name__)

    async def _asked(self, call: Call) -> CallResult:
        """The connector's answer, bounded by the call's own timeout and retries; a defect of ours counts as its failure."""
        seconds = call.timeout.total_seconds() * (call.retries + 1) + CALL_SLACK
        try:
            async with asyncio.timeout(seconds):
                return await self._hands.connectors.call(call)
        except TimeoutError:
            return CallResult("slow")
        except Exception as problem:  # noqa: BLE001 - the flow must get an answer, and the person with it
            logger.error("connector failed", extra={"command": call.id, "reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content
            return CallResult("failed")


async def _glanced(calls: dict[CommandId, asyncio.Task[None]]) -> None:
    """Waits for a call to end, or a moment; forgets those that ended. Raises what they raised."""
    ended, _ = await asyncio.wait(calls.values(), timeout=GLANCE, return_when=asyncio.FIRST_COMPLETED)
    for name in [name for name, task in calls.items() if task in ended]:
        calls.pop(name).result()
