"""What becomes of a message after it was accepted: sent, delivered, read or failed, told to the bot by webhook."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

from bot.simulator.chat import Bubble, moved
from bot.simulator.envelope import StatusNews, status, undeliverable
from bot.simulator.errors import GraphError
from bot.simulator.people import Person
from bot.simulator.world import World

ALL = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Mischief:
    """Which statuses get lost, and how many seconds later the others come; for the next `times` messages (None: all)."""

    lose: frozenset[str] = frozenset()
    delay: float = 0.0
    times: int | None = None


class Statuses:
    """Follows each message of the business to its end. Ends its tasks when closed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._mischief = Mischief()
        self._tasks: set[asyncio.Task[None]] = set()
        self._offline: dict[str, list[str]] = {}

    def misbehave(self, mischief: Mischief) -> None:
        """Loses or delays statuses from now on."""
        self._mischief = mischief

    def follow(self, person: Person, bubble: Bubble, error: GraphError | None = None) -> None:
        """Lets a message take its course in the background: to failed where there is an error."""
        self._start(self._course(person.key, bubble.id, self._next_mischief(), error))

    def nobody(self, address: str, news: StatusNews) -> None:
        """Tells that a message to an address nobody has could not be delivered."""
        self._start(self._later(address, news))

    def read(self, person: Person) -> None:
        """The person has the chat open: all that was delivered is read now."""
        for bubble in self._world.chats[person.key].received():
            if bubble.status == "delivered":
                self._tell(person.key, bubble.id, "read", frozenset())

    def back_online(self, person: Person) -> None:
        """Delivers what waited for the phone."""
        for message_id in self._offline.pop(person.key, []):
            self._start(self._arrive(person.key, message_id, Mischief()))

    @property
    def busy(self) -> bool:
        """Whether some message has not reached its last status yet."""
        return bool(self._tasks)

    async def settled(self) -> None:
        """Returns when every message has reached the last status it can reach now."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def close(self) -> None:
        """Stops following."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next_mischief(self) -> Mischief:
        mischief = self._mischief
        if mischief.times is not None:
            left = mischief.times - 1
            self._mischief = Mischief(mischief.lose, mischief.delay, left) if left > 0 else Mischief()
        return mischief

    async def _course(self, key: str, message_id: str, mischief: Mischief, error: GraphError | None) -> None:
        await asyncio.sleep(self._world.settings.status_delay + mischief.delay)
        if error is not None:
            self._tell(key, message_id, "failed", mischief.lose, error)
            return
        self._tell(key, message_id, "sent", mischief.lose)
        bubble = self._world.chats[key].find(message_id)
        if bubble is None or bubble.kind == "reaction":
            return  # Meta: a reaction yields only sent
        if self._world.people[key].online:
            await self._arrive(key, message_id, mischief)
        else:
            self._offline.setdefault(key, []).append(message_id)

    async def _arrive(self, key: str, message_id: str, mischief: Mischief) -> None:
        await asyncio.sleep(self._world.settings.status_delay)
        self._tell(key, message_id, "delivered", mischief.lose)
        if self._world.settings.auto_read:
            await asyncio.sleep(self._world.settings.status_delay)
            self._tell(key, message_id, "read", mischief.lose)

    async def _later(self, address: str, news: StatusNews) -> None:
        await asyncio.sleep(self._world.settings.status_delay)
        self._world.courier.send(undeliverable(self._world.business, address, news))

    def _tell(
        self, key: str, message_id: str, name: str, lost: frozenset[str], error: GraphError | None = None
    ) -> None:
        person = self._world.people[key]
        if name == "read" and not person.receipts:
            return
        code = error.code if error else 0
        bubble = self._world.change_bubble(person, message_id, lambda old: moved(old, name, code))
        if bubble is None or name in lost:
            return
        news = StatusNews(
            message_id, name, int(self._world.clock()), bubble.to_number, bubble.callback_data, bubble.category,
            bubble.category == "service", error.in_webhook() if error else None,
        )  # fmt: skip
        self._world.courier.send(status(self._world.business, person, news))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
