"""Waking up whoever waits for a change: tests and pages. No content passes here."""

import asyncio


class Signal:
    """A counter of changes one can wait on; nobody misses a change made between looking and waiting."""

    def __init__(self) -> None:
        self.version = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Something changed."""
        self.version += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def after(self, version: int, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's deadline is a plain number of seconds
        """Return once the counter is past `version`: True, or False when `timeout` seconds went by first."""
        if self.version > version:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True
