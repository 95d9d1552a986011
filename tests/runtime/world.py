"""Processes of the bot on one disk, with Meta outside: what the stories of these tests are told in."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber, Wamid, Words
from bot.domain.inbound import DeliveryStatus, Inbound, InboundMessage
from bot.observability.metrics import Registry
from bot.runtime.erasing import Erasing
from bot.runtime.figures import Figures
from bot.runtime.outbox import Hands, Outbox
from bot.runtime.ports import ChannelHealth, Engine, Lease, Stored, Wishes
from bot.runtime.turn import Parts, Turns
from bot.runtime.worker import Worker
from tests.privacy.sample import BUSINESS
from tests.runtime.fakes import (
    Disk,
    Line,
    MemoryConversations,
    MemoryErasures,
    MemoryIds,
    MemoryPeople,
    MemoryRest,
    MemorySends,
    MemorySuppressions,
    Meta,
)
from tests.runtime.scripted import ScriptedEngine, ScriptedWishes
from tests.runtime.virtual import VirtualClock

ANA = Address(phone=PhoneNumber("+12025550101"), bsuid=Bsuid("US.Ana0000001"))
BEN = Address(phone=PhoneNumber("+12025550102"), bsuid=Bsuid("US.Ben0000001"))
EVE = Address(phone=PhoneNumber("+12025550103"), bsuid=Bsuid("US.Eve0000001"))


@dataclass(frozen=True)
class Cast:
    """What a process plays: an engine, the intents it hears with, and whose business it is."""

    engine: Engine
    wishes: Wishes
    business: Business


class Process:
    """One `recado serve`."""

    def __init__(
        self,
        disk: Disk,
        meta: Meta,
        *,
        seed: int = 0,
        loses: float = 0.0,
        chaos: bool = False,
        health: ChannelHealth | None = None,
        cast: Cast | None = None,
    ) -> None:
        dice = random.Random(seed)
        cast = cast or Cast(ScriptedEngine(), ScriptedWishes(), BUSINESS)
        self.disk, self.meta = disk, meta
        self.clock = VirtualClock()
        self.line = Line(dice if chaos else None, loses=loses)
        self.registry = Registry()
        figures = Figures(self.registry)
        self.ids = MemoryIds(dice)
        self.conversations = MemoryConversations(disk, self.line)
        self.people = MemoryPeople(disk, self.line)
        self.suppressions = MemorySuppressions(disk, self.line)
        self.sends = MemorySends(disk, self.line)
        self.rest = MemoryRest(disk, self.line)
        self.erasures = MemoryErasures(disk, self.line)
        parts = Parts(
            cast.engine, self.conversations, self.people, self.suppressions, self.sends, self.rest, cast.wishes,
            self.ids, self.clock, health=health,
        )  # fmt: skip
        self.turns = Turns(parts, self._started, figures=figures)
        erasing = Erasing(self.erasures, self.rest, meta, cast.business, self.ids, self.clock)
        hands = Hands(
            cast.business, self.conversations, self.people, self.suppressions, self.sends, self.rest, self.rest, self.rest,
            self.rest, self.rest, self.rest, meta, self.ids, self.clock, health,
        )  # fmt: skip
        self.outbox = Outbox(hands, self.turns, erasing, figures=figures)
        self.worker = Worker(
            self.conversations, self.erasures, self.turns, self.outbox, erasing, self.ids, self.clock, figures=figures
        )
        self._loop: asyncio.Task[None] | None = None

    def _started(self, stored: Stored, lease: Lease) -> None:
        """Before its start a process leaves what it committed to recovery."""
        if self._loop is not None:
            self.worker.started(stored, lease)

    def start(self) -> "Process":
        self._loop = asyncio.create_task(self.worker.run())
        return self

    async def stop(self, within: float = 20.0) -> None:
        await self.worker.stop(within)
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    def kill(self) -> None:
        """From here on nothing this process does reaches anything."""
        self.line.dead = True

    async def hears(self, *inbound: Inbound) -> None:
        """A delivery of Meta's, brought again until it is taken, as Meta does."""
        for _ in range(200):
            try:
                await self.turns.accept(inbound)
            except RetryLater:
                await asyncio.sleep(5)
                continue
            return
        raise AssertionError("a delivery is never taken")

    def figure(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = [line for line in self.registry.text().splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


_serial = iter(range(10**9))


def message(words: str, sender: Address = ANA, *, at: datetime | None = None, wamid: str = "") -> InboundMessage:
    """A text of a person; without an id of its own it is a new one."""
    when = at or VirtualClock().now()
    return InboundMessage("acc", sender, Wamid(wamid or f"wamid.{next(_serial)}"), when, "text", Words(words))


def status(callback: str, word: str = "sent") -> DeliveryStatus:
    return DeliveryStatus("acc", Wamid("wamid.s"), callback, word, VirtualClock().now())


def person_of(disk: Disk, address: Address = ANA) -> PersonId:
    assert address.bsuid is not None
    return disk.identities[address.bsuid.value]


async def quiet(disk: Disk, *, within: float = 3600.0) -> None:
    """Returns when nothing is pending and no lease is held; fails when that does not come about."""
    deadline = asyncio.get_running_loop().time() + within
    while any(row.pending or row.lease for row in disk.rows.values()) or disk.jobs:
        left = [
            (type(one.command).__name__, one.state, one.attempts) for row in disk.rows.values() for one in row.pending
        ]
        assert asyncio.get_running_loop().time() < deadline, f"still waiting: {left}"
        await asyncio.sleep(1)


def pending_bodies(disk: Disk) -> list[str]:
    commands = (one.command for row in disk.rows.values() for one in row.pending)
    return [getattr(command.message, "body", "") for command in commands if isinstance(command, Send)]


def replies(words: Iterable[str]) -> list[str]:
    return [f"re: {one}" for one in words]


HOUR = timedelta(hours=1)
