"""One message: through the gate, claimed, posted, settled.

The gate decides inside the claim (decisions.md 13): the claim is a write that is conditional on the very standing the gate
saw, and the POST begins in the same task at once. So nothing is claimed after a STOP's commit.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.command import Send
from bot.domain.event import Event, PreferenceChanged
from bot.domain.ids import Address, PersonId, Wamid
from bot.domain.inbound import AccountNotice
from bot.domain.message import TemplateMessage
from bot.privacy.numbers import time_zone
from bot.privacy.policy import Allowed, Code, Held, Refused, decide, limit
from bot.runtime import ports, retry
from bot.runtime.channel import as_meta_sees_it
from bot.runtime.failures import Failures
from bot.runtime.figures import Figures
from bot.runtime.hands import Hands, post
from bot.runtime.line import OWN_ACCORD, over_after
from bot.runtime.pace import Bucket, take
from bot.runtime.ports import Lease, Pending, Stored
from bot.runtime.silence import is_quiet

logger = logging.getLogger(__name__)

BUCKETS = 4096
"""Pairs whose pace is remembered. Who is forgotten had the oldest bucket; Meta's own refusal (131056) is the second guard."""

HALT = timedelta(seconds=60)
"""How long nothing is sent after Meta refused the account or the token; then one message is tried."""

LOOK_AGAIN = timedelta(minutes=15)
"""How soon a message that waits for the account, or for a colleague, is looked at again."""

CLAIMS = 3

STOPPED_TEMPLATE: Mapping[int, str] = {132015: "PAUSED", 132016: "DISABLED"}
"""Meta's codes that say what has become of a template (whatsapp.md 3.9)."""

Submit = Callable[[PersonId, Event], Awaitable[bool]]


class Sender:
    """Sends what is leased to this process. Each method returns what stands afterwards, None when the lease is gone."""

    def __init__(self, hands: Hands, submit: Submit, failures: Failures, figures: Figures) -> None:
        self._hands = hands
        self._submit = submit
        self._failures = failures
        self._figures = figures
        self._buckets: OrderedDict[PersonId, Bucket] = OrderedDict()
        self._halted_until: datetime | None = None

    async def send(self, stored: Stored, pending: Pending, send: Send, lease: Lease) -> Stored | None:
        """Sends, refuses or puts off one message. Raises `RetryLater` only while nothing has gone out."""
        hands, person = self._hands, stored.conversation.person
        if pending.state == "sending":
            return await self.uncertain(stored, pending, lease)
        now = hands.clock.now()
        address = await hands.people.address(person)
        if address is None:
            self._figures.gate.add(reason="no_address")
            await hands.sends.refused(person, send, "no_address", now)
            return await hands.conversations.settle(person, lease.token, pending.id)
        if is_quiet(stored.conversation, now) and send.reason == "answer":
            # Somebody else speaks: an answer that waited would come between (whatsapp.md 1.7).
            self._figures.gate.add(reason="colleague_speaks")
            await hands.sends.refused(person, send, "colleague_speaks", now)
            return await hands.conversations.settle(person, lease.token, pending.id)
        wait = await self._held_back(stored, send, now)
        if wait is not None:
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, wait)
        verdict = await self._verdict(stored, send, address, now)
        if isinstance(verdict, Refused):
            self._figures.gate.add(reason=verdict.code.value)
            await hands.sends.refused(person, send, verdict.code.value, now)
            return await self._settled(stored, pending, lease)
        if isinstance(verdict, Held):
            # What the gate holds has not failed: its count begins anew, and answers go past it (`line`).
            return await hands.conversations.defer(person, lease.token, pending.id, 0, verdict.until)
        until = self._not_yet(person, now)
        if until is not None:
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, until)
        return await self._claimed(stored, pending, send, lease, address)

    async def foreseen(self, stored: Stored, send: Send) -> Allowed | Refused | Held:
        """The gate's answer as things stand, for whoever asks before a message is put into the line; the claim asks again."""
        address = await self._hands.people.address(stored.conversation.person)
        if address is None:
            return Refused(Code.NOT_REQUESTED, "there is no address to send to")
        return await self._verdict(stored, send, address, self._hands.clock.now())

    async def _verdict(self, stored: Stored, send: Send, address: Address, now: datetime) -> Allowed | Refused | Held:
        """The gate's answer on what stands in the database now; suppression in full for what nobody asked for (decisions.md 40)."""
        hands, conversation = self._hands, stored.conversation
        if send.relies_on and not await hands.ledger.holds(send.relies_on):
            return Refused(Code.UNRECORDED, "the consent it relies on is not in the ledger")
        business = hands.business
        if hands.health is not None and isinstance(send.message, TemplateMessage):
            state = await hands.health.template(send.message.name, send.message.language)
            if not state.sendable:
                return Refused(Code.TEMPLATE_STOPPED, "Meta does not let this template out now")
            send, business = as_meta_sees_it(send, business, state)
        own = send.reason in OWN_ACCORD
        suppressed: Mapping[str, datetime] = await hands.suppressions.standing(address) if own else {}
        capped = limit(send, business)
        sent = await hands.sends.count(conversation.person, send, now - capped.period) if capped else 0
        zone = ZoneInfo(time_zone(address, business_zone=hands.business.time_zone))
        return decide(send, conversation, business, now=now, zone=zone, sent_in_period=sent, suppressed=suppressed)

    async def _held_back(self, stored: Stored, send: Send, now: datetime) -> datetime | None:
        """When to look again at a message that waits for the account, or for a colleague who speaks; None when it need not.

        Soon, whatever end was named: good news of Meta, or of the colleague, may come before it.
        """
        own, health = send.reason in OWN_ACCORD, self._hands.health
        halted = health is not None and (await health.account()).wait(now, own_accord=own) is not None
        return now + LOOK_AGAIN if halted or (own and is_quiet(stored.conversation, now)) else None

    def _not_yet(self, person: PersonId, now: datetime) -> datetime | None:
        """Until when this message waits for the account or for the person's pace; takes a token when it need not."""
        if self._halted_until is not None and now < self._halted_until:
            return self._halted_until
        bucket, wait = take(self._buckets.pop(person, Bucket()), now)
        self._buckets[person] = bucket
        while len(self._buckets) > BUCKETS:
            self._buckets.popitem(last=False)
        return now + wait if wait else None

    # -- claim and POST ------------------------------------------------------------------------------------------------

    async def _claimed(
        self, stored: Stored, pending: Pending, send: Send, lease: Lease, address: Address
    ) -> Stored | None:
        """Claim and POST in one go; a claim that lost its standing leads back to the gate."""
        hands, person = self._hands, stored.conversation.person
        standing = stored.conversation.standing
        callback = hands.ids.random()
        started = False
        for _ in range(CLAIMS):
            now = hands.clock.now()
            claimed = await hands.conversations.claim(person, lease.token, pending.id, callback, standing, now)
            if claimed is None:
                return await hands.conversations.find(person)
            if not started:
                await hands.sends.start(callback, person, send, now)
                started = True
            if hands.clock.now() - now <= retry.CLAIM_HOLDS:
                result = await post(hands.channel, address, send.message, callback)
                return await self._answered(stored, pending, callback, result, lease)
        # The database is too slow to be sure of anything, and nothing went out.
        return await self._failures.later(stored, pending, lease, "slow_claim")

    async def _answered(
        self, stored: Stored, pending: Pending, callback: str, result: ports.Accepted | ports.Refused, lease: Lease
    ) -> Stored | None:
        """From here on the message may be out. What fails now leaves it `sending`, so its row or its status decides later."""
        try:
            if isinstance(result, ports.Refused):
                return await self._refused(stored, pending, callback, result, lease)
            return await self._accepted(stored, pending, callback, result, lease)
        except Exception as problem:  # noqa: BLE001 - not even a defect may lead to a second message
            logger.error(  # noqa: TRY400 - no traceback: it may quote content
                "answer of a send not written", extra={"callback": callback, "reason": type(problem).__name__}
            )
            return None

    async def _accepted(
        self, stored: Stored, pending: Pending, callback: str, result: ports.Accepted, lease: Lease
    ) -> Stored | None:
        hands = self._hands
        self._figures.sends.add(outcome="accepted")
        asked = stored.conversation.last_inbound_at
        if asked is not None and isinstance(pending.command, Send) and pending.command.reason == "answer":
            self._figures.replies.observe(max((hands.clock.now() - asked).total_seconds(), 0.0))
        if self._halted_until is not None:
            self._halted_until = None
            self._figures.halted.put(0)
        await hands.sends.accepted(callback, result.wamid, hands.clock.now())
        return await self._settled(stored, pending, lease)

    async def _settled(self, stored: Stored, pending: Pending, lease: Lease) -> Stored | None:
        """Takes the message off, and gives the lease back with it where nothing else waits."""
        over = over_after(stored, pending.id, self._hands.clock.now())
        return await self._hands.conversations.settle(stored.conversation.person, lease.token, pending.id, over=over)

    async def _refused(
        self, stored: Stored, pending: Pending, callback: str, result: ports.Refused, lease: Lease
    ) -> Stored | None:
        hands, person, now = self._hands, stored.conversation.person, self._hands.clock.now()
        self._figures.sends.add(outcome=result.replay)
        logger.warning("send refused", extra={"person": person, "code": result.code, "outcome": result.replay})
        if result.halt:
            self._halted_until = now + HALT
            self._figures.halted.put(1)
            return await hands.conversations.defer(
                person, lease.token, pending.id, pending.attempts, self._halted_until
            )
        if result.replay == "unknown":
            return await hands.conversations.defer(
                person, lease.token, pending.id, pending.attempts, now + retry.LOOK_AGAIN, state="sending"
            )
        reason = f"meta_{result.code}"
        if result.replay == "safe":
            first = timedelta(seconds=max(result.after, 1.0))
            return await self._failures.later(stored, pending, lease, reason, first=first)
        if result.opt_out:
            # The person's own choice at Meta: nothing for an operator to mend (whatsapp.md 3.9, 131050).
            await self._submit(person, PreferenceChanged(hands.ids.event(f"131050:{pending.id}"), now, "stop"))
            await hands.sends.status(callback, Wamid(""), "failed", now, result.code, "")
            return await hands.conversations.settle(person, lease.token, pending.id)
        await self._learnt(pending, result.code, now)
        after = await self._failures.dead(stored, pending, lease, reason)
        await hands.sends.status(callback, Wamid(""), "failed", now, result.code, "")
        return after

    async def _learnt(self, pending: Pending, code: int, now: datetime) -> None:
        """A template that Meta says is paused or disabled is not tried again, should the webhook about it have been missed."""
        message = pending.command.message if isinstance(pending.command, Send) else None
        event, health = STOPPED_TEMPLATE.get(code), self._hands.health
        if event and health is not None and isinstance(message, TemplateMessage):
            about = {"message_template_name": message.name, "message_template_language": message.language}
            await health.note(AccountNotice("message_template_status_update", event, about), now)

    # -- what may have gone out ----------------------------------------------------------------------------------------

    async def uncertain(self, stored: Stored, pending: Pending, lease: Lease) -> Stored | None:
        """A send that was claimed and not settled: what is known of it decides; after a minute without word it is sent again."""
        hands, person, now = self._hands, stored.conversation.person, self._hands.clock.now()
        outcome = await hands.sends.outcome(pending.callback) if pending.callback else None
        if outcome is None:
            # Its row is written before the POST, so without one nothing went out.
            return await hands.conversations.defer(person, lease.token, pending.id, pending.attempts, now)
        if outcome != "started":
            return await self._settled(stored, pending, lease)
        patience = (pending.claimed_at or now - retry.AMBIGUOUS_FOR) + retry.AMBIGUOUS_FOR
        if now < patience:
            until = min(patience, now + retry.LOOK_AGAIN)
            return await hands.conversations.defer(
                person, lease.token, pending.id, pending.attempts, until, state="sending"
            )
        attempts = pending.attempts + 1
        if retry.gives_up(pending.command, attempts):
            return await self._failures.dead(stored, pending, lease, "no_answer")
        self._figures.repeated.add()
        logger.warning("ambiguous send repeated", extra={"person": person, "command": pending.id})
        return await hands.conversations.defer(person, lease.token, pending.id, attempts, now)
