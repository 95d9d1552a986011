"""Tells pages, terminals and waiting tests what has just changed. Nothing is kept: who subscribes late asks for the state."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

News = dict[str, object]

ROOM = 2000


class Feed:
    """Fan-out of news. A reader that falls more than 2,000 news behind is cut off and has to ask for the state again."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[News | None]] = set()
        self._closed = False

    def tell(self, news: News) -> None:
        """Hands news to every reader, without waiting."""
        for queue in tuple(self._queues):
            if queue.full():
                self._queues.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(news)

    @contextmanager
    def subscribed(self) -> Iterator[AsyncIterator[News]]:
        """The news from now on; ends when the feed is closed or the reader was too slow."""
        queue: asyncio.Queue[News | None] = asyncio.Queue(ROOM)
        if self._closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        try:
            yield self._read(queue)
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """Ends every reader."""
        self._closed = True
        for queue in tuple(self._queues):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    @staticmethod
    async def _read(queue: "asyncio.Queue[News | None]") -> AsyncIterator[News]:
        while (news := await queue.get()) is not None:
            yield news
