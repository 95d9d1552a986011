"""The website's half of a consent: sees to the confirming message, and finds the request that an answer belongs to.

Nobody becomes known by a form that anybody can fill in: until the holder of the number answers there is only the request's own row
(decisions.md 16, 24). The message goes through the gate like every other, to known people and strangers in the same way; a stop
ends every open request of its number before it is committed itself, and the claim is conditional on the request being open, so
that none is claimed after a STOP (decisions.md 13).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.command import Command, RecordConsent, Send, Suppress
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.event import Event, MessageReceived
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.domain.message import TemplateMessage
from bot.domain.opt_in import OptInRequest, read_payload
from bot.privacy.numbers import time_zone
from bot.privacy.opt_in import as_the_gate_sees
from bot.privacy.policy import OPT_IN, WITHOUT_CONSENT, Allowed, Code, Held, Refused, decide
from bot.runtime import ports, retry
from bot.runtime.figures import Figures
from bot.runtime.hands import post
from bot.runtime.ports import Channel, Clock, Conversations, Ids, Lease, OptIns, OptInWork, People, Suppressions

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
PAUSE = 2.0
"""Seconds between two looks for requests that another process took in."""

SPOKEN_MOST = 40
"""Characters of a typed message that may be the answer to a confirming message."""

TRIES = 5

Words = Callable[[OptInRequest], tuple[TemplateMessage, str]]
"""The confirming message of a request, and its exact words."""


@dataclass(frozen=True, slots=True)
class OptInParts:
    """What the website's requests need of the outside."""

    business: Business
    opt_ins: OptIns
    conversations: Conversations
    people: People
    suppressions: Suppressions
    channel: Channel
    ids: Ids
    clock: Clock
    words: Words


class OptingIn:
    """Takes requests in, sends their confirming message, and knows them again when somebody answers."""

    def __init__(self, parts: OptInParts, *, figures: Figures | None = None) -> None:
        self._parts = parts
        self._figures = figures or Figures()
        self._waiting = asyncio.Event()
        self._stopping = False

    async def ask(self, requests: Sequence[OptInRequest], number: PhoneNumber) -> None:
        """Keeps the requests and returns; what follows happens later, so that the answer tells nothing (privacy.md T18).

        Raises `RetryLater` when the database is out of reach.
        """
        now = self._parts.clock.now()
        for request in requests:
            await self._parts.opt_ins.ask(request, number, now)
        self._waiting.set()

    # -- the confirming message ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Sees to requests until `stop`."""
        while not self._stopping:
            found = 0
            try:
                found = await self.look()
            except RetryLater:
                found = 0
            except Exception as problem:  # noqa: BLE001 - the loop is what brings everything back
                logger.error("looking for sign-ups failed", extra={"reason": type(problem).__name__})  # noqa: TRY400
            if not found:
                await self._pause()

    async def _pause(self) -> None:
        self._waiting.clear()
        try:
            await asyncio.wait_for(self._waiting.wait(), PAUSE)
        except TimeoutError:
            return

    def stop(self) -> None:
        """Ends `run` after what it is at; what is left is taken up by others when its lease runs out."""
        self._stopping = True
        self._waiting.set()

    async def look(self) -> int:
        """Ends what is over and sees to some requests that are due; returns how many."""
        parts, now = self._parts, self._parts.clock.now()
        await parts.opt_ins.expire(now)
        lease = Lease(parts.ids.random(), now + LEASE)
        taken = await parts.opt_ins.take(lease, now)
        for work in taken:
            try:
                await self._see_to(work, lease)
            except RetryLater:
                continue  # its lease runs out, and somebody takes it up again
            except Exception as problem:  # noqa: BLE001 - one request must not stop the others
                logger.error("sign-up failed", extra={"reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content
        return len(taken)

    async def _see_to(self, work: OptInWork, lease: Lease) -> None:
        """One request: through the gate, claimed, posted. Known people and strangers go the same way."""
        parts, request = self._parts, work.request
        if work.begun:
            # Whoever claimed it is gone, and nobody knows how far they came: never twice to a number somebody typed.
            await parts.opt_ins.sent(request.id, None)
            return
        verdict = await self._verdict(work)
        if isinstance(verdict, Refused):
            self._figures.gate.add(reason=verdict.code.value)
            await parts.opt_ins.end(request.id, verdict.code.value, unsent=True)
            return
        if isinstance(verdict, Held):
            await parts.opt_ins.put_off(request.id, lease.token, work.tries, verdict.until)
            return
        message, words = parts.words(request)
        limit = WITHOUT_CONSENT[OPT_IN].limit
        most = limit.most if limit is not None else 0
        template = f"{message.name}/{message.language}"
        now = parts.clock.now()
        if not await parts.opt_ins.claim(work, lease.token, most, template, words, now):
            await parts.opt_ins.end(request.id, "repeated", unsent=True)
            return
        if parts.clock.now() - now > retry.CLAIM_HOLDS:
            await parts.opt_ins.put_off(request.id, lease.token, work.tries, parts.clock.now())
            return
        result = await post(parts.channel, Address(phone=work.number), message, parts.ids.random())
        await self._answered(work, lease, result)

    async def _verdict(self, work: OptInWork) -> Allowed | Refused | Held:
        """The gate's answer, from the person's conversation as it stands now or from an empty one."""
        parts, request = self._parts, work.request
        now, address = parts.clock.now(), Address(phone=work.number)
        suppressed = await parts.suppressions.standing(address)
        person = await parts.people.recognise(address, now)
        stored = await parts.conversations.find(person) if person is not None else None
        conversation = stored.conversation if stored is not None else Conversation(PersonId(request.id))
        consent, declared = conversation.consent(request.purpose), parts.business.purposes.get(request.purpose)
        if consent.is_live(now) and declared is not None and declared.covers(consent.purpose_hash):
            return Refused(Code.NOT_REQUESTED, "the consent stands already")
        limit = WITHOUT_CONSENT[OPT_IN].limit
        sent = await parts.opt_ins.count(work.number, now - limit.period) if limit is not None else 0
        message, _ = parts.words(request)
        send = Send(CommandId(request.id), OPT_IN, message, request.purpose, "utility", expires=request.expires)
        zone = ZoneInfo(time_zone(address, business_zone=parts.business.time_zone))
        seen = as_the_gate_sees(conversation, request)
        return decide(send, seen, parts.business, now=now, zone=zone, sent_in_period=sent, suppressed=suppressed)

    async def _answered(self, work: OptInWork, lease: Lease, result: ports.Accepted | ports.Refused) -> None:
        """Tried again only where Meta surely did not take it; a message too few harms less than one too many."""
        parts, request = self._parts, work.request
        if isinstance(result, ports.Accepted):
            self._figures.sends.add(outcome="accepted")
            await parts.opt_ins.sent(request.id, parts.ids.event(result.wamid.value))
            return
        self._figures.sends.add(outcome=result.replay)
        logger.warning("confirming message refused", extra={"code": result.code, "outcome": result.replay})
        now = parts.clock.now()
        if result.opt_out:
            stopped = Suppress("marketing", now, "meta_preference")
            await parts.suppressions.suppress(Address(phone=work.number), [stopped])
        if result.replay == "unknown":
            await parts.opt_ins.sent(request.id, None)
        elif (result.replay == "safe" or result.halt) and work.tries + 1 < TRIES:
            wait = timedelta(seconds=max(result.after, 1.0) * 4**work.tries)
            await parts.opt_ins.put_off(request.id, lease.token, work.tries + 1, now + wait)
        else:
            await parts.opt_ins.end(request.id, "undeliverable", unsent=True)

    # -- the answer ----------------------------------------------------------------------------------------------------

    async def recognised(
        self, events: Sequence[Event], conversation: Conversation, address: Address | None
    ) -> list[Event]:
        """The events, each possible answer to a confirming message with the open request of this very sender.

        Raises `RetryLater` when the database is out of reach: an answer must not be lost.
        """
        if address is None:
            return list(events)
        asking = bool(conversation.frames and conversation.frames[-1].question)
        return [await self._with_request(event, address, asking=asking) for event in events]

    async def _with_request(self, event: Event, address: Address, *, asking: bool) -> Event:
        if not isinstance(event, MessageReceived):
            return event
        tapped = read_payload(event.option)
        spoken = event.kind == "text" and not event.option and 0 < len(event.words.value) <= SPOKEN_MOST
        find = self._parts.opt_ins.waiting
        now = self._parts.clock.now()
        if tapped is not None:
            found = await find(address, now, request=tapped[1], reply=event.reply_to)
        elif spoken and event.reply_to is not None:
            found = await find(address, now, reply=event.reply_to)
        elif spoken and not asking:
            found = await find(address, now)
        else:
            return event
        return replace(event, opt_in=found) if found is not None else event

    async def over(self, commands: Sequence[Command]) -> None:
        """Ends the requests that a committed turn answered. Never fails: who answers again finds their consent as it stands."""
        for one in commands:
            if not isinstance(one, RecordConsent) or not one.source or one.event_type not in ("confirmed", "refused"):
                continue
            try:
                await self._parts.opt_ins.end(one.request, "answered")
            except RetryLater:
                logger.warning("sign-up not closed", extra={"reason": "RetryLater"})

    async def stopped(self, address: Address) -> None:
        """Ends every open request of a number before a stop is committed: what restricts comes first."""
        await self._parts.opt_ins.end_all(address, "stopped")
