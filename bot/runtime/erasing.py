"""Drives an erasure through its steps, from the pending command or from the job row a crash left behind (decisions.md 16)."""

import asyncio
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.command import Erase, Send
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId, PersonId
from bot.privacy.erasure import next_step, not_before
from bot.privacy.policy import Allowed, decide
from bot.runtime.ports import Channel, Clock, ErasureJob, Erasures, Ids, Receivers, Stored

logger = logging.getLogger(__name__)


class Erasing:
    """Every step may be done again; none is skipped. What remains afterwards is named in `privacy.erasure.kept`."""

    def __init__(
        self, erasures: Erasures, receivers: Receivers, channel: Channel, business: Business, ids: Ids, clock: Clock
    ) -> None:
        self._erasures = erasures
        self._receivers = receivers
        self._channel = channel
        self._business = business
        self._ids = ids
        self._clock = clock

    async def run(self, stored: Stored, command: Erase) -> None:
        """From the pending command to the end. The consent events before it are in the ledger: commands go in order."""
        job = await self._erasures.begin(stored, command, self._clock.now())
        await self.resume(job)

    async def resume(self, job: ErasureJob) -> None:
        """From the job row to the end. Raises `RetryLater` when something is out of reach; the job row stays."""
        while (step := next_step(job.done)) is not None:
            now = self._clock.now()
            earliest = not_before(step, job.key_gone_at)
            if earliest is not None and earliest > now:
                await asyncio.sleep((earliest - now).total_seconds())
                continue
            if step.name == "key":
                job = await self._erasures.destroy_key(job, now)
                continue
            if step.name == "rows":
                await self._erasures.delete_rows(job)
            elif step.name == "receivers":
                await self._receivers.erase(job.person, job.address, now)
            elif step.name == "receipt":
                # Noted first: a crash in between costs the receipt, never a second one to somebody who is gone.
                job = await self._erasures.finished(job, step.name)
                await self._receipt(job, now)
                continue
            elif step.name == "close":
                await self._erasures.close(job)
                logger.info("erasure complete", extra={"job": job.id})
                return
            job = await self._erasures.finished(job, step.name)

    async def _receipt(self, job: ErasureJob, now: datetime) -> None:
        """Through the gate like every message: it decides on the window and on nothing else, because nothing else is left."""
        if job.address is None:
            return
        send = Send(CommandId(job.id), "erasure_receipt", job.receipt)
        nobody = Conversation(PersonId(job.person), erasing=True, window_until=job.window_until)
        zone = ZoneInfo(self._business.time_zone)
        verdict = decide(send, nobody, self._business, now=now, zone=zone, sent_in_period=0, suppressed={})
        if isinstance(verdict, Allowed):
            await self._channel.send(job.address, job.receipt, self._ids.random())
