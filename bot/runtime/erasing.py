"""Drives an erasure through its steps, from the pending command or from the job row a crash left behind (decisions.md 16)."""

import asyncio
import logging
from datetime import datetime, timedelta
from random import random
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.command import Erase, Send
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, CommandId, PersonId
from bot.privacy.erasure import next_step, not_before
from bot.privacy.policy import Allowed, decide
from bot.runtime import retry
from bot.runtime.hands import post
from bot.runtime.ports import Channel, Clock, ErasureJob, Erasures, Ids, Receivers, Refused, Stored

logger = logging.getLogger(__name__)

RECEIPT_TRIES = 3


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
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self, stored: Stored, command: Erase) -> None:
        """From the pending command on. The consent events before it are in the ledger: records go in order (`line`)."""
        job = await self._erasures.begin(stored, command, self._clock.now())
        await self.resume(job)

    async def resume(self, job: ErasureJob) -> None:
        """From the job row on, as far as it can go now; what must wait for the key caches goes on by itself.

        Raises `RetryLater` when something is out of reach; the job row stays and is taken up again.
        """
        while (step := next_step(job.done)) is not None:
            now = self._clock.now()
            earliest = not_before(step, job.key_gone_at)
            if earliest is not None and earliest > now:
                task = asyncio.create_task(self._resumed(job, earliest - now))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
                return
            if step.name == "key":
                job = await self._erasures.destroy_key(job, now)
                continue
            if step.name == "close":
                await self._erasures.close(job, now)
                logger.info("erasure complete", extra={"job": job.id})
                return
            await self._step(step.name, job, now)
            job = await self._erasures.finished(job, step.name)
            if step.name == "receipt":
                # Noted before it is sent: a crash in between costs the receipt, never a second one to somebody who is gone.
                await self._receipt(job, now)

    async def _step(self, name: str, job: ErasureJob, now: datetime) -> None:
        if name == "rows":
            await self._erasures.delete_rows(job)
        elif name == "receivers":
            await self._receivers.erase(job.person, job.address, now)

    async def _resumed(self, job: ErasureJob, wait: timedelta) -> None:
        """Holds no place of the worker while it waits. What goes wrong is taken up from the job row by whoever looks next."""
        await asyncio.sleep(wait.total_seconds())
        try:
            await self.resume(job)
        except RetryLater:
            return
        except Exception as problem:  # noqa: BLE001 - the job row stays
            logger.error("erasure interrupted", extra={"job": job.id, "reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content

    async def stop(self) -> None:
        """Leaves what waits to others; every step may be done again."""
        for task in list(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _receipt(self, job: ErasureJob, now: datetime) -> None:
        """Through the gate like every message: it decides on the window and on nothing else, because nothing else is left."""
        if job.address is None:
            return
        send = Send(CommandId(job.id), "erasure_receipt", job.receipt)
        nobody = Conversation(PersonId(job.person), erasing=True, window_until=job.window_until)
        zone = ZoneInfo(self._business.time_zone)
        verdict = decide(send, nobody, self._business, now=now, zone=zone, sent_in_period=0, suppressed={})
        if isinstance(verdict, Allowed):
            await self._posted(job, job.address)

    async def _posted(self, job: ErasureJob, address: Address) -> None:
        """Tried again only where Meta surely did not take it. No row is left of it: the person is gone (decisions.md 16)."""
        for attempt in range(1, RECEIPT_TRIES + 1):
            result = await post(self._channel, address, job.receipt, self._ids.random())
            if not isinstance(result, Refused) or result.replay != "safe":
                return
            first = timedelta(seconds=max(result.after, 1.0))
            await asyncio.sleep(retry.delay(attempt, first, random()).total_seconds())  # noqa: S311 - jitter, not a secret
