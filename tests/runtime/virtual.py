"""Time for tests: an event loop on which hours pass at once, and only when nothing else can happen."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Stuck(AssertionError):
    """Everybody waits and no timer runs: a lost wake-up."""


class _Selector(selectors.SelectSelector):
    """Never waits: where a loop would, its clock jumps ahead instead."""

    owner: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if found:
            return found
        if timeout is None:
            raise Stuck("everybody waits for something that never comes")
        self.owner.seconds += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.seconds = 0.0
        selector = _Selector()
        selector.owner = self
        super().__init__(selector)
        self._clock_resolution = (
            1e-6  # after years a float cannot tell nanoseconds, and a timer due now would never be due
        )

    def time(self) -> float:
        return self.seconds


class VirtualClock:
    """The runtime's `Clock`, in step with the loop."""

    def now(self) -> datetime:
        moment = START + timedelta(seconds=asyncio.get_running_loop().time())
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def play_out(story: Callable[[], Awaitable[T]]) -> T:
    """Runs a story to its end on a loop of its own. Whatever it left running is cancelled."""

    async def told() -> T:
        return await story()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(told())
