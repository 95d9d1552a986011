"""Tells pages, terminals and waiting tests what has just changed. Nothing is kept: who subscribes late asks for the state."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

News = dict[str, object]

ROOM = 20_000


class Reader:
    """One subscription."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[News | None] = asyncio.Queue(ROOM)

    async def next(self, seconds: float) -> News | None:
        """The next news; None at the end of the stream. Raises TimeoutError when none came in time."""
        return await asyncio.wait_for(self._queue.get(), seconds)

    def give(self, news: News | None) -> bool:
        """Hands news over; a reader that fell too far behind is ended instead and has to ask for the state again."""
        if not self._queue.full():
            self._queue.put_nowait(news)
            return True
        self._queue.get_nowait()
        self._queue.put_nowait(None)
        return False


class Feed:
    """Fan-out of news to all readers, without waiting for any."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._closed = False

    def tell(self, news: News) -> None:
        """Hands news to every reader."""
        for reader in tuple(self._readers):
            if not reader.give(news):
                self._readers.discard(reader)

    @contextmanager
    def subscribed(self) -> Iterator[Reader]:
        """A reader of the news from now on."""
        reader = Reader()
        if self._closed:
            reader.give(None)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """Ends every reader."""
        self._closed = True
        for reader in tuple(self._readers):
            reader.give(None)
