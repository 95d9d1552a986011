"""Mailboxes: what comes for one key is handled one batch at a time, in order; different keys side by side, within a bound.

A mailbox exists only while something waits in it, so nothing grows with the number of people (peers.md 42).
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.domain.errors import RetryLater

Item = TypeVar("Item")


@dataclass(slots=True)
class _Box(Generic[Item]):
    waiting: list[tuple[Item, asyncio.Future[bool]]] = field(default_factory=list)


class Mailboxes(Generic[Item]):
    """Hands batches to `handle`: everything that waited for one key while the batch before was handled."""

    def __init__(
        self,
        handle: Callable[[Sequence[Item]], Awaitable[None]],
        *,
        most_waiting: int,
        most_each: int = 100,
        batch: int = 20,
        side_by_side: int = 64,
    ) -> None:
        """`most_waiting` counts all items not handled yet, `most_each` those of one key, `batch` those handled together."""
        self._handle = handle
        self._most = most_waiting
        self._most_each = most_each
        self._batch = batch
        self._boxes: dict[Hashable, _Box[Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(side_by_side)
        self._waiting = 0

    def __len__(self) -> int:
        """How many keys have something waiting."""
        return len(self._boxes)

    async def put(self, items: Sequence[tuple[Hashable, Item]]) -> bool:
        """Waits until all were handled; True when one of them failed. Raises `RetryLater` at once when too much waits.

        A caller that is cancelled leaves its items to be handled all the same.
        """
        if self._waiting + len(items) > self._most:
            raise RetryLater("too many messages wait")
        if any(len(box.waiting) >= self._most_each for key, _ in items if (box := self._boxes.get(key)) is not None):
            raise RetryLater("too many messages of one sender wait")
        futures = [self._add(key, item) for key, item in items]
        results = await asyncio.gather(*futures)
        return not all(results)

    def _add(self, key: Hashable, item: Item) -> asyncio.Future[bool]:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        box = self._boxes.get(key)
        if box is None:
            box = self._boxes[key] = _Box()
            task = asyncio.create_task(self._work(key, box))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        box.waiting.append((item, future))
        return future

    async def _work(self, key: Hashable, box: _Box[Item]) -> None:
        """Ends, and takes the mailbox away, when nothing waits any more; also when it is cancelled at a stop."""
        try:
            while box.waiting:
                async with self._places:
                    batch, box.waiting = box.waiting[: self._batch], box.waiting[self._batch :]
                    await self._handled(batch)
        finally:
            del self._boxes[key]
            for _, future in box.waiting:
                self._told(future, done=False)

    async def _handled(self, batch: Sequence[tuple[Item, asyncio.Future[bool]]]) -> None:
        done = False
        try:
            await self._handle([item for item, _ in batch])
            done = True
        except Exception:  # noqa: BLE001 - the caller is told; it answers 503 and everything comes again
            done = False
        finally:
            for _, future in batch:
                self._told(future, done=done)

    def _told(self, future: asyncio.Future[bool], *, done: bool) -> None:
        self._waiting -= 1
        if not future.done():
            future.set_result(done)

    async def drain(self) -> None:
        """Returns when nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
