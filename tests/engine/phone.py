"""A phone for the engine alone: says, taps, hears. Between every two turns the conversation is written out and read back."""

import re
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain import plain
from bot.domain.command import Command, RecordConsent, Send
from bot.domain.event import CallAnswered, Event, MessageReceived, TimerFired
from bot.domain.ids import EventId, PersonId, Wamid, Words
from bot.domain.turn import Turn
from bot.engine.advance import Engine
from bot.engine.book import Book
from bot.engine.loader import load
from bot.engine.ports import ShownNotice
from bot.i18n.catalog import Catalog
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.privacy import intents

FLOWS = Path(__file__).parents[2] / "flows"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def files(**own: str) -> dict[str, bytes]:
    """The shipped flows, with some replaced or added by name."""
    shipped = {path.relative_to(FLOWS).as_posix(): path.read_bytes() for path in FLOWS.rglob("*.yaml")}
    return shipped | {f"{name}.yaml": text.encode() for name, text in own.items()}


def book(**own: str) -> Book:
    loaded = load(files(**own))
    assert loaded.book is not None, "\n".join(map(str, loaded.errors))
    return loaded.book


class PlainRules:
    """The engine's port `Rules` with the real intents and a short notice."""

    def __init__(self, known: Book) -> None:
        self.business = known.business
        self.refused = ""
        self.open = False
        self.staffed = False
        self.files = True
        self.current_notice = "n" * 32

    def notice(self, language: str) -> ShownNotice:
        return ShownNotice(
            f"The privacy notice of {self.business.name}.", self.current_notice, language, self.business.notice.link
        )

    def informs(self, notice: str) -> bool:
        return notice == self.current_notice

    def stop_word(self, language: str) -> str:
        return intents.stop_word(language)

    def start_word(self, language: str) -> str:
        return intents.start_word(language)

    def says(self, words: str, language: str) -> str:
        flags = intents.understand(words, language=language).flags
        return "yes" if "yes" in flags else "no" if "no" in flags else ""

    def time_zone(self, _: str) -> str:
        return self.business.time_zone

    def term(self, country: str, _: str) -> str:
        return "15 days" if country == "BR" else "one month"

    def matches(self, pattern: str, value: str) -> bool:
        return re.fullmatch(self.business.patterns[pattern], value) is not None

    def may_send(self, *_: object) -> str:
        return self.refused

    def is_open(self, *_: object) -> bool:
        return self.open

    def offers_files(self) -> bool:
        return self.files

    def is_staffed(self, *_: object) -> bool:
        return self.staffed


@dataclass
class Phone:
    """One person's phone against the engine."""

    book: Book
    now: datetime = NOW
    heard: list[Send] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    last: Turn | None = None
    language: str = "en"

    def __post_init__(self) -> None:
        self.rules = PlainRules(self.book)
        catalog = Catalog({}, offered=self.book.business.languages, default=self.book.business.language)
        self.engine = Engine(self.book, Languages(catalog), TypedValues(), self.rules)
        self.conversation = replace(self.engine.begin(PersonId("ab" * 16), "", self.now), language=self.language)
        self._count = 0

    def with_book(self, known: Book) -> "Phone":
        """The same phone and person after the business changed its flows or words."""
        other = copy(self)
        other.book, other.rules = known, PlainRules(known)
        catalog = Catalog({}, offered=known.business.languages, default=known.business.language)
        other.engine = Engine(known, Languages(catalog), TypedValues(), other.rules)
        return other

    def play(self, event: Event) -> list[Send]:
        """One turn; what is said in it."""
        before = plain.join(*plain.split(self.conversation))
        assert before == self.conversation
        turn = self.engine.advance(before, event, self.now)
        assert turn == self.engine.advance(before, event, self.now), "a turn played again must be the same turn"
        self.last = turn
        self.conversation = plain.join(*plain.split(turn.conversation))
        self.commands += [plain.join(*plain.split(command)) for command in turn.commands]
        said = [command for command in turn.commands if isinstance(command, Send)]
        self.heard += said
        return said

    def _event(self, words: str, *, option: str = "", kind: str = "text") -> MessageReceived:
        self._count += 1
        self.now += timedelta(seconds=10)
        flow_open = bool(self.conversation.frames)
        intent = intents.understand(words, language=self.conversation.language, flow_open=flow_open)
        return MessageReceived(
            EventId(f"{self._count:024x}"),
            self.now,
            kind,
            Words(words),
            option,
            Wamid(f"wamid.{self._count}"),
            intent=intent,
        )

    def say(self, words: str, *, kind: str = "text") -> list[str]:
        """The person writes; the texts that come back."""
        return [text(one) for one in self.play(self._event(words, kind=kind))]

    def tap(self, title: str) -> list[str]:
        """The person taps the newest option with this title."""
        for send in reversed(self.heard):
            for option in getattr(send.message, "options", ()):
                if option.title == title:
                    return [text(one) for one in self.play(self._event(title, option=option.id, kind="tap"))]
        raise AssertionError(f"nothing to tap is called {title!r}")

    def press(self, payload: str) -> list[str]:
        """Taps a quick reply of a template."""
        return [text(one) for one in self.play(self._event("tapped", option=payload, kind="template_tap"))]

    def answer(self, outcome: str, **values: Any) -> list[str]:
        """The system a flow waits for answers."""
        call = self.conversation.frames[-1].waiting
        event = CallAnswered(EventId(f"c{self._count:023x}"), self.now, call, outcome, values)
        return [text(one) for one in self.play(event)]

    def wait(self, length: timedelta) -> list[str]:
        """Time passes; timers that come due are played in order."""
        self.now += length
        said: list[str] = []
        while due := sorted((one for one in self.conversation.timers if one.due <= self.now), key=lambda one: one.due):
            timer = due[0]
            said += [text(one) for one in self.play(TimerFired(EventId(timer.id * 2), self.now, timer.id, timer.due))]
        return said

    def records(self, purpose: str = "newsletter") -> list[str]:
        """Types of the consent events so far, for a purpose."""
        return [
            one.event_type for one in self.commands if isinstance(one, RecordConsent) and one.purpose in (purpose, "")
        ]

    def state(self, purpose: str = "newsletter") -> str:
        return self.conversation.consent(purpose).state


def text(send: Send) -> str:
    return str(getattr(send.message, "body", getattr(send.message, "name", "")))


def subscribed(phone: Phone) -> Phone:
    """A person with the newsletter, twice confirmed."""
    phone.say("news")
    phone.tap("Yes, please")
    phone.tap("Confirm")
    assert phone.state() == "given"
    return phone
