"""Customers of the example shop on a virtual clock, with the real engine, flows, intents and gate, and an onlooker who notes what they did.

The onlooker never looks into the bot: it knows what people wrote and tapped, when that was taken, and what reached their phones.
From that alone it says whether a message of our own accord was lawful.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from bot.app.ground import HeardWishes
from bot.app.project import load_catalog, load_project
from bot.app.rules import BusinessRules
from bot.domain.command import RecordConsent, Send
from bot.domain.errors import RetryLater
from bot.domain.event import SendRequested
from bot.domain.ids import Address, EventId, PersonId, Wamid, Words
from bot.domain.inbound import Inbound, InboundMessage, PreferenceSignal
from bot.domain.message import ButtonsMessage, ListMessage, OutMessage, TemplateMessage
from bot.engine.advance import Engine
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.privacy.consent import check_event, fold
from bot.runtime.ports import Accepted, Refused
from tests.runtime.fakes import Disk, Meta, Row, names
from tests.runtime.virtual import VirtualClock, play_out
from tests.runtime.world import ANA, BEN, EVE, Cast, Process

PROJECT = Path(__file__).parents[2]
PEOPLE = (ANA, BEN, EVE)
PURPOSE = "newsletter"
TEMPLATE = "monthly_news"

FIRST_YES = {"Yes, please", "Sim, por favor", "Sí, por favor"}
SECOND_YES = {"Confirm", "Confirmar"}
GO_ON = {"Yes, go on", "Sim, continuar", "Sí, continuar"}
SAID_YES = {"yes", "sim", "sí", "yes please", "confirm"}
STOPS = {"STOP", "stop", "parar", "unsubscribe", "remove me from your list pls"}
MAYBE_STOPS = {"cancel", "stop the reminders about my order"}
"""Asked about or a STOP, as the moment has it (decisions.md 5)."""

ASKED_STOPS = ("stop", "parar", "no more", "nothing more", "unsubscribe")
COME_BACK = {"START", "start"}
LEAVES = {"recado:stop:newsletter"}

WORDS = (
    "newsletter", "newsletter", "newsletter", "yes", "yes", "sim", "ok", "👍", "fine whatever", "no", "STOP", "parar", "unsubscribe",
    "remove me from your list pls", "START", "delete my data", "my data", "help", "hello", "order", "PT12345", "1000-001", "agent",
    "in english please", "em português por favor", "cancel", "stop the reminders about my order", "why do you have my number?",
)  # fmt: skip


SIGNED_UP_WORDS = ("newsletter", "yes", "yes")
"""What brings somebody to a consent by typing."""


@cache
def shop() -> Cast:
    """The example business as `serve` would play it."""
    book = load_project(PROJECT).book
    assert book is not None
    business = book.business
    catalog = load_catalog(PROJECT, offered=business.languages, default=business.language)
    engine = Engine(book, Languages(catalog), TypedValues(), BusinessRules(business, catalog))
    return Cast(engine, HeardWishes(business), business)


@dataclass(frozen=True)
class Shown:
    """A message that reached a phone."""

    at: datetime
    send: Send
    message: OutMessage


@dataclass
class Act:
    """Something a person did. `ended` is when Meta's delivery of it was answered with 200; None until then.

    `narrow`: it stops one purpose; a stop of everything after it is another stop, and is confirmed as such.
    """

    kind: str
    began: datetime
    question: str = ""
    shown_at: datetime | None = None
    ended: datetime | None = None
    narrow: bool = False

    def surely_before(self, moment: datetime) -> bool:
        return self.ended is not None and self.ended <= moment

    def maybe_after(self, moment: datetime) -> bool:
        return self.ended is None or self.ended > moment


class Phones(Meta):
    """Meta with the phones behind it: keeps what arrived, for the people to tap on."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.disk = disk
        self.shown: dict[str, list[Shown]] = {}
        self.clock = VirtualClock()

    async def send(self, to: Address, message: OutMessage, callback: str) -> Accepted | Refused:
        name = names(to)[0]
        send = self.disk.sends[callback].send
        fate = self.plan(name)
        if fate in ("ok", "mute"):
            self.shown.setdefault(name, []).append(Shown(self.clock.now(), send, message))
            self.told(callback, "sent")
        await asyncio.sleep(self.takes())
        return {"ok": Accepted(Wamid(f"w.{callback}")), "busy": Refused(131056, "safe", 6.0)}.get(
            fate, Refused(0, "unknown")
        )


@dataclass
class Town:
    """The shop, its customers, and the onlooker."""

    seed: int
    chaos: bool = True
    loses: float = 0.0
    twice: bool = False
    disk: Disk = field(default_factory=Disk)
    acts: dict[str, list[Act]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    everybody: list[Process] = field(default_factory=list)
    delivered: list[tuple[Inbound, Act]] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    campaigns: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        random.seed(self.seed)  # the jitter of retries, so that a history can be told again
        self.phones = Phones(self.disk)
        self.clock = VirtualClock()
        self.disk.watch = self.claimed
        self.serial = 0
        if self.chaos:
            fates = ("ok",) * 14 + ("mute", "lost", "busy")
            self.phones.plan = lambda _: self.dice.choice(fates)
            self.phones.takes = lambda: self.dice.choice((0.02, 0.1, 1.0, 4.0))

    # -- the bot -----------------------------------------------------------------------------------------------------------

    def begin(self, count: int = 1) -> None:
        for _ in range(count):
            one = Process(
                self.disk, self.phones, seed=self.dice.getrandbits(32), loses=self.loses, chaos=self.chaos, cast=shop()
            )
            self.everybody.append(one)
            self.processes.append(one.start())

    def kill(self) -> None:
        count = len(self.processes)
        while self.processes:
            self.processes.pop().kill()
        self.begin(count)

    async def outage(self, length: timedelta) -> None:
        """Nothing of ours runs for so long; deliveries under way first come to their end, as Meta brings them again."""
        await self.settle()
        count = len(self.processes)
        while self.processes:
            await self.processes.pop().stop(0)
        await asyncio.sleep(length.total_seconds())
        self.begin(count)

    async def settle(self) -> None:
        """Until everything said is played and nothing more can be sent soon."""
        while pending := [task for task in self.tasks if not task.done()]:
            await asyncio.wait(pending)
        for task in self.tasks:
            task.result()
        self.tasks.clear()
        for _ in range(4000):
            soon = self.clock.now() + timedelta(minutes=10)
            busy = [
                one
                for row in self.disk.rows.values()
                for one in row.pending
                if not one.not_before or one.not_before <= soon
            ]
            timed = [
                timer
                for row in self.disk.rows.values()
                for timer in row.conversation.timers
                if timer.due <= self.clock.now()
            ]
            if not busy and not timed and not self.disk.jobs:
                return
            await asyncio.sleep(1)
        raise AssertionError("something never comes to rest")

    # -- the people --------------------------------------------------------------------------------------------------------

    def says(self, who: Address, words: str) -> None:
        kinds = {"stop": STOPS, "yes": SAID_YES, "back": COME_BACK, "maybe": MAYBE_STOPS}
        kind = next((kind for kind, known in kinds.items() if words in known), "")
        self._deliver(
            who,
            InboundMessage("acc", who, self._wamid(), self.clock.now(), "text", Words(words)),
            Act(kind, self.clock.now()),
        )

    def taps(self, who: Address, which: int) -> None:
        """One of the newest things to tap on this phone, the last first; also what is long out of date."""
        choices = [
            (shown, option, "tap")
            for shown in reversed(self.phones.shown.get(names(who)[0], [])[-6:])
            for option in _options(shown)
        ]
        if not choices:
            self.says(who, "hello")
            return
        shown, (option, title), _ = choices[which % len(choices)]
        kind = "stop" if option in LEAVES else "yes" if title in FIRST_YES | SECOND_YES else ""
        if title in GO_ON:
            kind = "renew"
        if not kind and title.lower().startswith(ASKED_STOPS):
            kind = "maybe"
        event_kind = "template_tap" if isinstance(shown.message, TemplateMessage) else "tap"
        message = InboundMessage("acc", who, self._wamid(), self.clock.now(), event_kind, Words(title), option)
        self._deliver(who, message, Act(kind, self.clock.now(), str(shown.send.id), shown.at, narrow=option in LEAVES))

    def switches_off(self, who: Address) -> None:
        """Meta's own switch for marketing."""
        self._deliver(
            who,
            PreferenceSignal("acc", who, "stop", "marketing_messages", self.clock.now()),
            Act("off", self.clock.now()),
        )

    def _wamid(self) -> Wamid:
        self.serial += 1
        return Wamid(f"wamid.{self.serial}")

    def _deliver(self, who: Address, inbound: Inbound, act: Act) -> None:
        self.acts.setdefault(names(who)[0], []).append(act)
        self.delivered.append((inbound, act))
        self.tasks.append(asyncio.get_running_loop().create_task(self._brought(inbound, act)))

    async def _brought(self, inbound: Inbound, act: Act) -> None:
        times = 2 if self.twice else 1
        while times:
            if not self.processes:
                await asyncio.sleep(1)
                continue
            try:
                async with asyncio.timeout(10):
                    await self.dice.choice(self.processes).turns.accept([inbound])
            except (RetryLater, TimeoutError):
                await asyncio.sleep(self.dice.choice((1, 5)) if self.chaos else 1)
                continue
            act.ended = act.ended or self.clock.now()
            times -= 1

    def again(self, which: int) -> None:
        """Meta brings something old once more."""
        if self.delivered:
            inbound, act = self.delivered[which % len(self.delivered)]
            self.tasks.append(asyncio.get_running_loop().create_task(self._brought(inbound, act)))

    # -- the business ------------------------------------------------------------------------------------------------------

    def campaign(self) -> None:
        self.campaigns += 1
        for person in list(self.disk.rows):
            event = SendRequested(
                EventId(f"{self.campaigns:012x}{person[:12]}"), self.clock.now(), PURPOSE, TEMPLATE, ("new lamps",)
            )
            self.tasks.append(asyncio.get_running_loop().create_task(self._submitted(person, event)))

    async def _submitted(self, person: PersonId, event: SendRequested) -> None:
        for _ in range(50):
            if self.processes:
                try:
                    async with asyncio.timeout(10):
                        await self.dice.choice(self.processes).turns.submit(person, event)
                    return
                except (RetryLater, TimeoutError):
                    pass
            await asyncio.sleep(1)

    # -- the onlooker ------------------------------------------------------------------------------------------------------

    def claimed(self, row: Row, send: Send, now: datetime) -> None:
        """Called at the very moment a message is claimed for sending."""
        if send.reason != "business":
            return
        address = self.disk.addresses.get(row.conversation.person)
        name = names(address)[0] if address else ""
        # Whoever was erased and writes again is somebody new; what the person before them agreed to is gone.
        if not self.agreed(name, now, born=row.conversation.created_at or now):
            self.wrong.append(f"{send.purpose} sent to {name} at {now} without two yeses that stand")

    def agreed(self, name: str, now: datetime, *, born: datetime) -> bool:
        """Whether this person said yes twice, in time, since they last said no."""
        acts = [act for act in self.acts.get(name, []) if act.maybe_after(born - timedelta(seconds=1))]
        no = max((act.began for act in acts if act.kind in ("stop", "off") and act.surely_before(now)), default=None)
        yeses = [act for act in acts if act.kind == "yes" and act.began <= now and (no is None or act.maybe_after(no))]
        renewals = [act for act in acts if act.kind in ("yes", "renew") and act.began <= now]
        return any(self._double(one, two, renewals, now) for one in yeses for two in yeses if one is not two)

    @staticmethod
    def _double(one: Act, two: Act, renewals: list[Act], now: datetime) -> bool:
        if one.question and one.question == two.question:
            return False
        if two.shown_at is not None and two.shown_at < one.began:
            return False
        late = two.began - (one.ended or one.began)
        lasts = timedelta(days=731)
        ends = (two.ended or now) + lasts
        for again in sorted(renewals, key=lambda act: act.began):
            ends = max(ends, (again.ended or now) + lasts) if again.began <= ends else ends
        return timedelta(minutes=-10) <= late <= timedelta(hours=49) and now <= ends

    def check(self) -> None:
        """What must hold at the end of any history."""
        assert not self.wrong, self.wrong[0]
        assert set(self.disk.turns.values()) <= {1}
        self._one_confirmation()
        self._records()

    def _one_confirmation(self) -> None:
        for name, acts in self.acts.items():
            said = Counter(
                shown.send.id for shown in self.phones.shown.get(name, []) if shown.send.reason == "stop_confirmation"
            )
            # Whoever does anything between two stops may have come back by it; whoever does nothing is confirmed once.
            stops = ("stop", "off", "maybe")
            before = zip([None, *acts], acts, strict=False)
            episodes = sum(
                act.kind in stops
                and not (
                    last
                    and last.kind == "stop"
                    and act.narrow >= last.narrow
                    and act.began - last.began < timedelta(hours=23)
                )
                for last, act in before
            )
            assert len(said) <= episodes, f"{len(said)} confirmations of {episodes} stops"

    def _records(self) -> None:
        kept: dict[PersonId, list[RecordConsent]] = {}
        for event in self.disk.ledger.values():
            kept.setdefault(self.disk.recorded_for[event.id], []).append(event)
        for person, row in self.disk.rows.items():
            told = fold(kept.get(person, []), marketing=[PURPOSE])
            for purpose, consent in row.conversation.consents.items():
                assert told[purpose].state == consent.state, (
                    f"the record says {told[purpose].state}, the bot {consent.state}"
                )
        for event in self.disk.ledger.values():
            assert not check_event(event), f"{event.event_type} lacks {check_event(event)}"


def _options(shown: Shown) -> list[tuple[str, str]]:
    message = shown.message
    if isinstance(message, ButtonsMessage | ListMessage):
        return [(option.id, option.title) for option in message.options]
    if isinstance(message, TemplateMessage):
        return [(payload, "Stop the newsletter") for payload in message.buttons]
    return []


Step = tuple[str, int, object]


def live(
    seed: int, steps: list[Step], *, processes: int = 1, chaos: bool = True, loses: float = 0.0, twice: bool = False
) -> Town:
    """Plays a history to its end and returns the town as it is then."""

    async def story() -> Town:
        town = Town(seed, chaos, loses, twice)
        town.begin(processes)
        for verb, number, what in steps:
            await _step(town, verb, number, what)
        await town.settle()
        for one in town.everybody:
            await one.stop(0)
        return town

    return play_out(story)


async def _step(town: Town, verb: str, number: int, what: object) -> None:
    who = PEOPLE[number % len(PEOPLE)]
    if verb == "say":
        town.says(who, str(what))
    elif verb == "tap":
        assert isinstance(what, int)
        town.taps(who, what)
    elif verb == "off":
        town.switches_off(who)
    elif verb == "campaign":
        town.campaign()
    elif verb == "again":
        town.again(number)
    elif verb == "kill":
        town.kill()
    elif verb == "outage":
        assert isinstance(what, timedelta)
        await town.outage(what)
    elif verb == "pause":
        assert isinstance(what, float)
        await asyncio.sleep(what)
    else:
        await town.settle()
