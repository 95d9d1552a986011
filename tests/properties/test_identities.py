"""Random histories of numbers and user ids, against an onlooker who knows who is who (decisions.md 2).

People write, stop, change their number (Meta tells of it before, after, or never), hide their number, and get numbers others had.
However it goes: nobody ends up in somebody else's conversation, and a STOP follows its person wherever Meta says they went.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber, Wamid, Words
from bot.domain.inbound import IdentityChange, InboundMessage
from bot.privacy.keyring import Keyring
from bot.runtime.merging import Merging
from bot.runtime.turn import Parts, Turns
from bot.storage.merges import MongoMerges
from tests.runtime.fakes import MemoryIds
from tests.runtime.scripted import ScriptedEngine, ScriptedWishes
from tests.storage.shelf import Shelf, Ticking

pytestmark = pytest.mark.mongo


@dataclass
class Human:
    """The truth about one person. `told`: the bot has a way to know their present user id as theirs; `stopped`: they said so."""

    number: str
    bsuid: str
    hides: bool = False
    stopped: bool = False
    told: bool = True
    late: list[IdentityChange] = field(default_factory=list)

    @property
    def shown(self) -> Address:
        return Address(None if self.hides else PhoneNumber(self.number), Bsuid(self.bsuid))


class World:
    def __init__(self, dice: random.Random, turns: Turns, shelf: Shelf, clock: Ticking) -> None:
        self.dice, self.turns, self.shelf, self.clock = dice, turns, shelf, clock
        self.made = 0
        self.given_up: list[str] = []
        self.humans = [Human(self.new_number(), self.new_bsuid()) for _ in range(3)]
        self.steps: list[str] = []

    def new_number(self) -> str:
        self.made += 1
        return f"+1555010{self.made:04d}"

    def new_bsuid(self) -> str:
        self.made += 1
        return f"US.{self.made:020d}"

    def wamid(self) -> Wamid:
        self.made += 1
        return Wamid(f"wamid.{self.made}")

    @property
    def now(self) -> datetime:
        self.clock.time += timedelta(minutes=self.dice.randint(1, 90))
        return self.clock.time

    async def step(self) -> None:
        who = self.dice.randrange(len(self.humans))
        human = self.humans[who]
        waiting = [index for index, one in enumerate(self.humans) if one.late]
        if waiting and self.dice.random() < 0.4:
            self.steps.append(f"{waiting[0]} late")
            await self.late(self.humans[waiting[0]])
            return
        what = self.dice.choice(["write", "write", "stop", "move", "move", "hide"])
        self.steps.append(f"{who} {what}")
        await getattr(self, what)(human)

    async def write(self, human: Human, words: str = "hush") -> None:
        message = InboundMessage("acc", human.shown, self.wamid(), self.now, "text", Words(words))
        await self.turns.accept([message])

    async def stop(self, human: Human) -> None:
        await self.write(human, "stop")
        human.stopped = True
        human.told = True

    async def hide(self, human: Human) -> None:
        human.hides = not human.hides

    async def move(self, human: Human) -> None:
        """A new number, perhaps one that somebody gave up, and so a new user id; Meta tells of it now, later, or never."""
        before = human.shown
        self.given_up.append(human.number)
        again = self.given_up[:-1] and self.dice.random() < 0.5
        human.number = self.given_up.pop(self.dice.randrange(len(self.given_up) - 1)) if again else self.new_number()
        human.bsuid = self.new_bsuid()
        current = human.shown if self.dice.random() < 0.8 else Address(bsuid=Bsuid(human.bsuid))
        change = IdentityChange("acc", current, before, self.wamid(), self.now)
        told = self.dice.choice(["now", "late", "never"])
        self.steps.append(told)
        if told == "now" and human.told:
            await self.turns.accept([change])
        elif told == "late" and human.told:
            human.late.append(change)
            human.told = False
            if self.dice.random() < 0.7:
                await self.write(human)  # somebody new to the bot, until Meta's word comes
        else:
            # From here on nobody can know that this is the same person.
            human.stopped, human.told, human.late = False, True, []

    async def late(self, human: Human) -> None:
        for change in human.late:
            await self.turns.accept([change])
        human.late, human.told = [], True

    async def look(self) -> None:
        """The onlooker compares."""
        owners: dict[str, int] = {}
        for who, human in enumerate(self.humans):
            address = human.shown
            person = await self.shelf.people.recognise(Address(bsuid=Bsuid(human.bsuid)), self.clock.time)
            if person is None:
                continue
            assert owners.setdefault(person, who) == who, f"two people in one conversation: {self.steps}"
            if not (human.stopped and human.told):
                continue
            stored = await self.shelf.conversations.find(person)
            standing = await self.shelf.suppressions.standing(address)
            assert "all" in standing, f"the STOP stayed behind: {self.steps}"
            if stored is not None:
                assert "all" in stored.conversation.stopped, self.steps
                assert stored.conversation.consent("tips").state != "given", f"a consent was gained: {self.steps}"


async def _history(shelf: Shelf, clock: Ticking, keyring: Keyring, seed: int, length: int) -> None:
    world = await _world(shelf, clock, keyring, seed)
    for _ in range(length):
        await world.step()
        await world.look()


async def _world(shelf: Shelf, clock: Ticking, keyring: Keyring, seed: int) -> World:
    dice = random.Random(seed)
    ids = MemoryIds(dice)
    merges = MongoMerges(shelf.mongo, shelf.subjects, keyring)
    merging = Merging(merges, shelf.conversations, shelf.people, shelf.suppressions, shelf.ledger, ids, clock)
    parts = Parts(
        ScriptedEngine(), shelf.conversations, shelf.people, shelf.suppressions, shelf.sends, shelf.desk, ScriptedWishes(), ids,
        clock, merging=merging,
    )  # fmt: skip
    return World(dice, Turns(parts, None), shelf, clock)


async def test_somebody_who_writes_in_the_very_moment_of_the_change_is_the_same_person(
    shelf: Shelf, clock: Ticking, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deliveries at once: the message is admitted after the change was looked up and before it is bound."""
    world = await _world(shelf, clock, keyring, 1)
    human = world.humans[0]
    await world.write(human)
    before, was = await shelf.people.recognise(human.shown, clock.time), human.shown
    human.number, human.bsuid = world.new_number(), world.new_bsuid()
    bind = shelf.people.bind

    async def meanwhile(person: PersonId, address: Address, now: datetime) -> None:
        monkeypatch.setattr(shelf.people, "bind", bind)
        await world.write(human)
        await bind(person, address, now)

    monkeypatch.setattr(shelf.people, "bind", meanwhile)
    await world.turns.accept([IdentityChange("acc", human.shown, was, world.wamid(), world.now)])

    assert await shelf.people.recognise(human.shown, clock.time) == before
    assert await shelf.people.recognise(was, clock.time) == before


@pytest.mark.parametrize("seed", range(6))
async def test_nobody_is_mixed_up_and_a_stop_follows_its_person(
    shelf: Shelf, clock: Ticking, keyring: Keyring, seed: int
) -> None:
    await _history(shelf, clock, keyring, seed, 40)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1060))
async def test_nobody_is_mixed_up_in_many_histories(shelf: Shelf, clock: Ticking, keyring: Keyring, seed: int) -> None:
    await _history(shelf, clock, keyring, seed, 120)
