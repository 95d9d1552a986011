"""Runs the sweeper on schedule in every process that works; leases see to it that one is at a part at a time.

What is due and how it goes is the sweeper's; here it is only begun, counted and told.
"""

import asyncio
import logging
from random import uniform
from typing import Protocol

from bot.domain.errors import RetryLater
from bot.observability.metrics import Registry
from bot.privacy.retention import Report

logger = logging.getLogger(__name__)

EVERY = 600.0
"""Seconds between two runs. An hour would do for the periods; a person whose leaving was cut off is waited for less long."""


class Sweeper(Protocol):
    async def sweep(self) -> Report:
        """Deletes what is due, verified. Raises `RetryLater` when the database is out of reach."""


class Sweeping:
    """The schedule."""

    def __init__(self, sweeper: Sweeper, registry: Registry, *, every: float = EVERY) -> None:
        self._sweeper = sweeper
        self._every = every
        self._swept = registry.counter(
            "recado_retention_deleted_total", "What retention deleted, by collection and class.", ("collection", "rule")
        )
        self._unverified = registry.counter(
            "recado_retention_unverified_total", "What was still there after it was deleted; look at it at once."
        )
        self._overdue = registry.gauge(
            "recado_retention_overdue", "Records past their time that must not be dropped unfinished."
        )

    async def run(self) -> None:
        """Until it is cancelled; nothing that goes wrong in one run keeps the next from being made."""
        while True:
            # Not all processes of an installation at the same moment, and none while the others start.
            await asyncio.sleep(uniform(0.5, 1.0) * self._every)  # noqa: S311 - jitter, not a secret
            try:
                await self.once()
            except RetryLater:
                continue
            except Exception as problem:  # noqa: BLE001 - the schedule is what brings everything back
                logger.error("retention failed", extra={"reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content

    async def once(self) -> Report:
        """One run, counted."""
        report = await self._sweeper.sweep()
        for (collection, rule, _), count in report.counts.items():
            self._swept.add(count, collection=collection, rule=rule)
        self._overdue.put(sum(report.overdue.values()))
        if report.unverified:
            self._unverified.add(report.unverified)
            logger.error("retention not verified", extra={"count": report.unverified})
        return report
