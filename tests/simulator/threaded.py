"""A stand-in for Meta in a thread of its own, for commands and clients that are not asynchronous."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bot.simulator import Simulator, SimulatorSettings

T = TypeVar("T")


class Threaded:
    """The running stand-in, and a way to do something inside its loop."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self.simulator = simulator
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def simulator_in_a_thread(settings: SimulatorSettings) -> Iterator[Threaded]:
    """Runs until the block is left."""
    ready, found = threading.Event(), list[Threaded]()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def live() -> None:
        async with Simulator(settings) as simulator:
            found.append(Threaded(simulator, loop))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
