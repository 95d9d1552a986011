"""Finds what is due and sees that it is done: timers, messages that waited, what a crashed process left, erasures.

Any number of workers share the work by leases. A conversation that fails costs nobody else anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.domain.errors import RetryLater
from bot.runtime.erasing import Erasing
from bot.runtime.figures import Figures
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Clock, Conversations, Erasures, Ids, Lease, Stored
from bot.runtime.timers import fired
from bot.runtime.turn import LEASE, Turns

logger = logging.getLogger(__name__)

AT_ONCE = 64
"""Conversations a process works on side by side."""

MOST_WAITING = 1024
"""Conversations that may wait for a place; what comes beyond it is found again when its lease runs out."""

BATCH = 32
PAUSE = 0.5
"""Seconds between two looks for due work when there was none."""

ERASURE_LEASE = timedelta(minutes=2)


class Worker:
    """Owns every task that carries out commands; none outlives `stop`."""

    def __init__(
        self,
        conversations: Conversations,
        erasures: Erasures,
        turns: Turns,
        outbox: Outbox,
        erasing: Erasing,
        ids: Ids,
        clock: Clock,
        *,
        figures: Figures | None = None,
    ) -> None:
        self._conversations = conversations
        self._erasures = erasures
        self._turns = turns
        self._outbox = outbox
        self._erasing = erasing
        self._ids = ids
        self._clock = clock
        self._figures = figures or Figures()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)

    def started(self, stored: Stored, lease: Lease) -> None:
        """A turn of this process was committed under a lease of ours: carry it out at once."""
        if len(self._tasks) >= MOST_WAITING:
            self._figures.overloaded.add(kind="outbox")
            return
        self._spawn(lambda: self._outbox.work(stored, lease))

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(self._safely(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _safely(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._places:
            try:
                await work()
            except RetryLater:
                return  # the lease runs out and somebody takes it up again
            except Exception as problem:  # noqa: BLE001 - one conversation must not stop the others
                logger.error("work failed", extra={"reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content

    async def run(self) -> None:
        """Looks for due work until `stop`."""
        while not self._stopping.is_set():
            found = 0
            try:
                found = await self.look()
            except RetryLater:
                found = 0
            except Exception as problem:  # noqa: BLE001 - the loop is what brings everything back
                logger.error("looking for work failed", extra={"reason": type(problem).__name__})  # noqa: TRY400
            if not found:
                await self._pause(PAUSE)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def look(self) -> int:
        """Takes up some due conversations, erasures and merges; returns how many."""
        now = self._clock.now()
        free = AT_ONCE - len(self._tasks)
        if free <= 0:
            return 0
        persons = await self._conversations.due(now, min(free, BATCH))
        taken = 0
        if persons:
            lease = Lease(self._ids.random(), now + LEASE)
            for stored in await self._conversations.take(persons, lease, now):
                taken += 1
                self._spawn(lambda one=stored: self._take_up(one, lease))  # type: ignore[misc]
        job_lease = Lease(self._ids.random(), now + ERASURE_LEASE)
        for job in await self._erasures.unfinished(job_lease, now):
            taken += 1
            self._spawn(lambda one=job: self._erasing.resume(one))  # type: ignore[misc]
        merging = self._turns.merging
        if merging is not None:
            for merge in await merging.look():
                taken += 1
                self._spawn(lambda one=merge: merging.resume(one))  # type: ignore[misc]
        return taken

    async def _take_up(self, stored: Stored, lease: Lease) -> None:
        """Plays the timers that are due through the same turn as everything else, then the outbox.

        A timer that cannot be played now does not keep the outbox from its work.
        """
        now, person = self._clock.now(), stored.conversation.person
        events = fired(stored, self._ids, now)
        for event in events:
            try:
                await self._turns.submit(person, event)
            except RetryLater:
                break
        current = await self._conversations.find(person) if events else stored
        if current is not None and current.lease is not None and current.lease.token == lease.token:
            await self._outbox.work(current, lease)

    async def stop(self, within: float) -> None:
        """Finishes what is under way, at most `within` seconds; the rest is taken over by others when its lease runs out."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._erasing.stop()
