"""STOP against messages that are queued, leased, claimed and under way, in ten thousand interleavings (GDPR art. 7(3), 21(3)).

The promise: nothing is claimed after the commit of a STOP; at most one message of a person is under way at that moment, and it is on
record as such (decisions.md 13).
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot.domain.command import Send
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber
from bot.domain.message import OutMessage, TextMessage
from bot.runtime import sending
from bot.runtime.ports import Accepted, Commit, Refused, Stored
from tests.runtime.fakes import Disk, MemoryConversations, Meta, Row, names
from tests.runtime.virtual import VirtualClock, play_out
from tests.runtime.world import Process, message, quiet

PEOPLE = tuple(Address(PhoneNumber(f"+120255501{n:02}"), Bsuid(f"US.Racer{n:05}")) for n in range(20))
TOWNS = 500
"""Times twenty people: ten thousand interleavings in the long form, two thousand in the short."""


@dataclass
class Post:
    name: str
    began: datetime
    ended: datetime | None = None


class Watched(Meta):
    """Meta, noting when each message of our own accord began and ended."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.noted: list[Post] = []
        self.takes = lambda: dice.choice((0.01, 0.1, 0.6, 2.5))

    async def send(self, to: Address, message: OutMessage, callback: str) -> Accepted | Refused:
        assert isinstance(message, TextMessage)
        if not message.body.startswith("n"):
            return await super().send(to, message, callback)
        post = Post(names(to)[0], VirtualClock().now())
        self.noted.append(post)
        try:
            return await super().send(to, message, callback)
        finally:
            post.ended = VirtualClock().now()


@dataclass
class Race:
    """What one town's race showed."""

    claimed_after: int = 0
    most_in_flight: int = 0
    in_flight: int = 0
    counted: float = 0
    sent: int = 0
    refused: int = 0
    stops: dict[PersonId, datetime] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        return not self.claimed_after and self.most_in_flight <= 1 and self.in_flight <= self.counted


def race(seed: int) -> Race:
    """Twenty people with three queued messages each; every one says STOP at some moment, to any of two processes."""

    async def story() -> Race:
        dice = random.Random(seed)
        random.seed(seed)
        disk, found = Disk(), Race()
        meta = Watched(dice)

        def watch(row: Row, send: Send, _: datetime) -> None:
            found.claimed_after += send.reason == "business" and bool(row.conversation.stopped)

        disk.watch = watch
        processes = [Process(disk, meta, seed=dice.getrandbits(32), chaos=True).start() for _ in range(2)]
        _note_stops(processes, found)
        for who in PEOPLE:
            await processes[0].hears(message("hush", who))

        async def life(who: Address) -> None:
            await dice.choice(processes).hears(*(message(f"news n{n}", who) for n in range(3)))
            await asyncio.sleep(dice.choice((0, 0.001, 0.01, 0.05, 0.3, 1.0, 2.0, 4.0)) * dice.random())
            await dice.choice(processes).hears(message("stop", who))

        await asyncio.gather(*map(life, PEOPLE))
        await quiet(disk)
        for one in processes:
            await one.stop(0)
        _judge(disk, meta, processes, found)
        return found

    return play_out(story)


def _note_stops(processes: list[Process], found: Race) -> None:
    """The moment of each STOP's commit, noted where it becomes true."""
    for process in processes:
        committed = process.conversations._committed

        def noting(change: Commit, committed: Any = committed) -> Stored | None:
            after: Stored | None = committed(change)
            if after is not None and change.after.stopped:
                found.stops.setdefault(change.after.person, VirtualClock().now())
            return after

        process.conversations._committed = noting  # type: ignore[method-assign]


def _judge(disk: Disk, meta: Watched, processes: list[Process], found: Race) -> None:
    for person, at in found.stops.items():
        name = names(disk.addresses[person])[0]
        mine = [post for post in meta.noted if post.name == name]
        under_way = [post for post in mine if post.ended is None or post.ended > at]
        found.most_in_flight = max(found.most_in_flight, len(under_way))
        found.in_flight += len(under_way)
    found.sent, found.refused = len(meta.noted), len(disk.refusals)
    found.counted = sum(one.figure("recado_in_flight_at_stop_total") for one in processes)


@pytest.fixture(
    scope="module",
    params=[pytest.param(TOWNS // 5, id="short"), pytest.param(TOWNS, id="long", marks=pytest.mark.long)],
)
def races(request: pytest.FixtureRequest) -> list[Race]:
    return [race(seed) for seed in range(request.param)]


def test_no_send_is_claimed_after_a_stop(races: list[Race]) -> None:
    assert sum(one.claimed_after for one in races) == 0


def test_at_most_one_send_of_a_person_is_under_way_and_that_one_is_on_record(races: list[Race]) -> None:
    assert max(one.most_in_flight for one in races) == 1
    assert all(one.in_flight <= one.counted for one in races)


def test_the_race_was_run(races: list[Race]) -> None:
    """Every person stopped, and the moments of it lie before, between and behind the messages."""
    assert all(len(one.stops) == len(PEOPLE) for one in races)
    sent, refused = sum(one.sent for one in races), sum(one.refused for one in races)
    assert sent > 4 * len(races)
    assert refused > 4 * len(races)
    assert sum(one.in_flight for one in races) > len(races)


# -- planted faults: a test that cannot fail proves nothing --------------------------------------------------------------------


def broken(towns: int = 40) -> bool:
    return any(not race(seed).kept for seed in range(towns))


def test_a_gate_by_read_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the gate looks, and the claim does not look again."""
    real = MemoryConversations.__init__

    def careless(self: MemoryConversations, *arguments: Any) -> None:
        real(self, *arguments)
        self.checks_standing = False

    monkeypatch.setattr(MemoryConversations, "__init__", careless)
    assert broken()


def test_a_gate_by_cache_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the gate and the claim both believe what was read when the work began."""
    remembered: dict[PersonId, Any] = {}
    real = sending.Sender._verdict

    async def cached(self: sending.Sender, stored: Stored, *rest: Any) -> Any:
        person = stored.conversation.person
        if person not in remembered:
            remembered[person] = await real(self, stored, *rest)
        return remembered[person]

    monkeypatch.setattr(sending.Sender, "_verdict", cached)
    found = False
    for seed in range(40):
        remembered.clear()
        found = found or not race(seed).kept
    assert found


def test_a_claim_without_flags_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a STOP does not move what the claim is conditional on."""
    monkeypatch.setattr("bot.runtime.playing.same_standing", lambda *_: True)
    assert broken()
