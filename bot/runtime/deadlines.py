"""How the requests of data subjects stand against their clocks, as figures that can raise an alarm (GDPR art. 12(3))."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.errors import RetryLater
from bot.observability.metrics import Registry
from bot.runtime.ports import Clock

logger = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between two looks."""

SOON = timedelta(days=7)
"""What is due within it counts as due soon."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many requests are open; of these, how many should have been answered by now, and how many are due soon."""

    open: int
    overdue: int
    soon: int


class Requests(Protocol):
    async def standing(self, now: datetime, soon: timedelta) -> Standing:
        """Raises `RetryLater` when the database is out of reach."""


class Deadlines:
    """Looks at the register on schedule."""

    def __init__(self, requests: Requests, clock: Clock, registry: Registry, *, every: float = EVERY) -> None:
        self._requests = requests
        self._clock = clock
        self._every = every
        self._open = registry.gauge("recado_requests_open", "Requests of data subjects that are not closed.")
        self._overdue = registry.gauge(
            "recado_requests_overdue", "Of these, those that should have been answered by now."
        )
        self._soon = registry.gauge("recado_requests_due_soon", "Of these, those that are due within seven days.")

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.once()
            except RetryLater:
                logger.warning("requests not counted")
            await asyncio.sleep(self._every)

    async def once(self) -> Standing:
        """One look."""
        found = await self._requests.standing(self._clock.now(), SOON)
        self._open.put(found.open)
        self._overdue.put(found.overdue)
        self._soon.put(found.soon)
        return found
