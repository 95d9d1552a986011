"""Random flows that the linter lets through, and people who do anything in them. Here is only how they are made, no promise.

A flow is drawn as the plain data its file holds and written as JSON, which is YAML too. Each verb has a maker; one that is added to the
language gets its line in `MAKERS`.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot.domain.event import CallAnswered, FlowRequested, HandoffChanged
from bot.domain.ids import EventId
from bot.engine.book import Book
from bot.engine.loader import Loaded, load
from tests.engine.phone import FLOWS, Phone, book

Step = dict[str, Any]

BOOK = book()
BUSINESS = (FLOWS / "business.yaml").read_bytes()
FIELDS: Mapping[str, Any] = {
    "word": {"type": "text", "default": "some"}, "size": {"type": "whole_number", "default": 3},
    "cost": {"type": "number", "default": 2}, "sure": {"type": "yes_no"},
    "day": {"type": "date"}, "hour": {"type": "time"}, "mail": {"type": "email", "default": "ana@example.com"},
    "slot": {"type": "reference", "default": "s1"},
    "colour": {"type": "choice", "options": {"red": "Ruby", "blue": "Azure"}, "default": "red"},
}  # fmt: skip
CONDITIONS = (
    "size is more than 2", "word is known", "not (size is 3) and size is at most 9", "colour is one of red, blue", "slot is empty",
    "has consent newsletter", "now is in opening hours orders", "person.language is en", "word contains o or word starts with s",
)  # fmt: skip
SUMS = ("size + 1", "size * 2 - cost", "max(size, 4)", "round(cost / 2)")
WORDS = (
    "yes", "no", "1", "2", "7", "blue", "Ruby", "ana@example.com", "tomorrow", "24.12.", "half past three", "Ana Exemplo", "", "?", "👍",
    "menu", "back", "help", "news", "where is my order", "hello", "something wild", "CL12345", "1100-001", "{word}", "a" * 5000,
    "cancel", "in english please", "person", "my data", "my name is wrong", "0", "-3", "١٢", "\u202e",
)  # fmt: skip
KINDS = ("text", "text", "text", "image", "audio", "location", "sticker", "reaction", "contacts", "document")
OUTCOMES = ("ok", "not_found", "refused", "failed", "slow")
ENDS = ("resolved", "nobody", "agent_silent", "closed", "left")
MOST_TURNS = 120
"""Turns after which anybody who answers what they are asked, or says nothing at all, is through."""


@dataclass
class Making:
    """A flow being drawn."""

    chance: random.Random
    names: list[str] = field(default_factory=list)
    depth: int = 0
    asked: list[str] = field(default_factory=list)
    others: tuple[str, ...] = ("order_status", "newsletter")

    def some(self, options: Any) -> Any:
        return self.chance.choice(list(options))

    def branch(self) -> list[Any]:
        """Steps inside a step."""
        self.depth += 1
        found = [self.step() for _ in range(self.chance.randint(1, 2 if self.depth < 3 else 1))]
        self.depth -= 1
        return [*found, "end"] if self.chance.random() < 0.4 else found

    def step(self) -> Any:
        leaves = ("say", "set", "withdraw", "end")  # deeper than this nobody nests, nor does the reader read
        some = (
            tuple(MAKERS)
            if self.depth < 3
            else ("ask", "send", "my_data", "call", *leaves)
            if self.depth < 5
            else leaves
        )
        made = MAKERS[self.some(some)](self)
        if self.chance.random() < 0.3 and "id" not in made:
            made["id"] = f"s{len(self.names)}"
            self.names.append(made["id"])
        return made

    def outcomes(self, *names: str) -> Step:
        """Steps for some of the outcomes; the others are left to the engine."""
        found = {name: self.branch() for name in names if self.chance.random() < 0.4}
        return {"outcomes": found} if found else {}

    def options(self) -> Step:
        keys = [f"o{number}" for number in range(self.chance.randint(1, 5))]
        found: Step = {key: f"Choice {key}" for key in keys}
        for key in keys:
            if self.chance.random() < 0.4:
                found[key] = {"label": f"Choice {key}", "words": [f"way {key}"], "then": self.branch()}
            elif self.chance.random() < 0.2 and key != "o0":
                found[key] = {"label": f"Choice {key}", "when": self.some(CONDITIONS)}
        return found

    def flow(self, name: str) -> Step:
        steps = [self.step() for _ in range(self.chance.randint(1, 5))]
        used = [one for one, about in FIELDS.items() if "default" in about or one in self.asked]
        known = " or ".join(f"{one} is known" for one in used)  # whatever is asked for is used
        last = {"when": [{"if": known, "then": [{"say": "So much for that."}]}], "else": "carry on"}
        made: Step = {
            "flow": name, "title": "Wild", "purpose": "appointments", "interrupt": self.some(("allow", "ask", "never")),
            "starts": [{"words": [f"begin {name}"]}], "steps": [*steps, last],
            "data": {one: {"keep": "until_end", **about} for one, about in FIELDS.items() if one in used},
        }  # fmt: skip
        if self.chance.random() < 0.5:
            made["idle"] = {"after": "3 hours", "remind_after": "1 hour", "then": [{"say": "We stop here."}]}
        return made


def _ask(make: Making) -> Step:
    into = make.some([one for one in FIELDS if one != "slot"])
    make.asked.append(into)
    checks = {"size": "size is less than 99", "day": "day is after today", "word": "word is not bad"}
    made: Step = {
        "ask": f"Which {into}?",
        "into": into,
        "wait": "2 hours",
        "tries": make.chance.randint(1, 4),
        **make.outcomes("gave_up", "silent"),
    }
    if into in checks and make.chance.random() < 0.5:
        made["check"] = [{"rule": checks[into], "else": "That does not do."}]
    if make.chance.random() < 0.3:
        made |= {"optional": "yes", **({} if make.chance.random() < 0.5 else {"known": "skip"})}
    return made


def _go(make: Making) -> Step:
    if not make.names:
        return {"say": "There is nowhere to go."}
    return {"go": make.some(make.names), "at_most": make.chance.randint(1, 3)}


def _consent(make: Making) -> Step:
    ask = "May Casa Lua send you its newsletter at most four times a month? You can stop at any time by writing {words.stop}."
    second = {
        "ask": "Casa Lua may write at most four times a month? You can stop at any time by writing {words.stop}.",
        "wait": "48 hours",
    }
    return {
        "consent": "newsletter",
        "ask": ask,
        "double": second,
        "outcomes": {"silent": ["end"], "refused": make.branch()},
    }


def _call(make: Making) -> Step:
    return {"call": "shop.book_time", "with": {"slot": "slot", "name": "word"}, "once_per": "slot",
            "outcomes": {"failed": make.branch(), **make.outcomes("refused", "slow").get("outcomes", {})}}  # fmt: skip


def _handoff(make: Making) -> Step:
    return {
        "handoff": {"team": make.some(("orders", "front_desk")), "about": "Wild", "share": ["word"]},
        **make.outcomes("nobody", "left"),
    }


def _set(make: Making) -> Step:
    ways: tuple[Step, ...] = (
        {"size": make.some(SUMS)},
        {"clear": [make.some(("word", "size", "cost"))]},
        {"count up": "size"},
        {"word": "colour"},
    )
    return {"set": make.some(ways)}


MAKERS: Mapping[str, Callable[[Making], Step]] = {
    "say": lambda make: {"say": make.some(("Well.", "{word} and {size}", "{cost|money} for {slot}", "x" * 4000))},
    "ask": _ask,
    "menu": lambda make: {"menu": "What now?", "wait": "2 hours", "options": make.options(), **make.outcomes("gave_up", "silent")},
    "when": lambda make: {
        "when": [{"if": make.some(CONDITIONS), "then": make.branch()} for _ in range(make.chance.randint(1, 2))], "else": make.branch(),
    },
    "match": lambda make: {"match": "colour", "cases": {"red": make.branch()}, "else": "carry on" if make.depth else make.branch()},
    "set": _set,
    "call": _call,
    "run": lambda make: {"run": make.some(make.others), **make.outcomes("gave_up", "cancelled")},
    "go": _go,
    "consent": _consent,
    "withdraw": lambda make: {"withdraw": make.some(("newsletter", "marketing"))},
    "my_data": lambda make: {"my_data": make.some(("show", "file", "consents"))},
    "handoff": _handoff,
    "send": lambda make: {"send": "monthly_news", "with": ["word"], "purpose": "newsletter", **make.outcomes("no_consent")},
    "end": lambda make: {"end": make.some(("Good bye.", None))},
}  # fmt: skip


def drawn(seed: int) -> Loaded:
    """A random flow `wild`, and a shorter one that it may run, read as files are."""
    chance = random.Random(seed)
    inner = Making(chance, depth=2).flow("inner")
    wild = Making(chance, others=("order_status", "newsletter", "inner")).flow("wild")
    files = {
        "wild.yaml": json.dumps(wild).encode(),
        "inner.yaml": json.dumps(inner).encode(),
        "business.yaml": BUSINESS,
    }
    others = {f"{name}.yaml": (FLOWS / f"{name}.yaml").read_bytes() for name in ("order_status", "newsletter")}
    return load(others | files, require_builtin=False)


def among(made: Book) -> Book:
    """The drawn flows beside the shipped ones."""
    own = {name: made.flows[name] for name in ("wild", "inner")}
    versions = {(flow.id, flow.version): flow for flow in own.values()}
    return Book(BOOK.business, {**BOOK.flows, **own}, {**BOOK.versions, **versions})


class Anybody:
    """A person with a phone and dice. `Phone` writes each conversation out, reads it back and plays each turn twice."""

    def __init__(self, known: Book, seed: int) -> None:
        self.phone = Phone(known)
        self.chance = random.Random(seed)
        self.phone.rules.open = self.chance.random() < 0.5
        self.number = 0

    def id(self) -> EventId:
        self.number += 1
        return EventId(f"e{self.number:023x}")

    @property
    def through(self) -> bool:
        """Whether no flow is open any more, or everything is being erased."""
        return not self.phone.conversation.frames or self.phone.conversation.erasing

    def begins(self, flow: str, values: Mapping[str, Any]) -> None:
        self.phone.conversation = replace(
            self.phone.conversation, talk="active", notice=self.phone.rules.current_notice
        )
        self.phone.say("?", kind="reaction")
        self.phone.play(FlowRequested(self.id(), self.phone.now, flow, values))

    def does_anything(self) -> None:
        """One thing out of all that can happen; nothing happens any more to whom is being erased (decisions.md 16)."""
        if self.phone.conversation.erasing:
            return
        way = self.chance.randrange(12)
        if self._outside(self.chance.random() < 0.7):
            return
        if way < 5:
            self.phone.say(self.chance.choice(WORDS), kind=self.chance.choice(KINDS))
        elif way < 10:
            self._taps(newest=self.chance.random() < 0.8)
        elif way == 10:
            self.phone.wait(timedelta(hours=self.chance.choice((1, 3, 30, 200))))
        else:
            self.phone.press(self.chance.choice(("recado:stop:newsletter", "nothing:at all", "")))

    def answers(self) -> None:
        """As somebody who wants to be through: the last option, or words that fit."""
        if self._outside(True):
            return
        if not self._taps(newest=True, last=True):
            self.phone.say(
                self.chance.choice(("7", "tomorrow", "15:30", "ana@example.com", "CL12345", "1100-001", "yes"))
            )

    def stays_silent(self) -> None:
        if not self._outside(True):
            self.phone.wait(timedelta(days=8))

    def _outside(self, now: bool) -> bool:
        """A system or a person of the business answers, where one is waited for."""
        conversation = self.phone.conversation
        waiting = [frame.waiting for frame in conversation.frames if frame.waiting not in ("", "run")]
        if not now or not waiting:
            return False
        if conversation.ticket and conversation.owner != "bot":
            self.phone.play(
                HandoffChanged(self.id(), self.phone.now, str(conversation.ticket), self.chance.choice(ENDS))
            )
        else:
            outcome = self.chance.choice(OUTCOMES)
            self.phone.play(
                CallAnswered(
                    self.id(), self.phone.now, waiting[-1], outcome, {"status": "sent"} if outcome == "ok" else {}
                )
            )
        return True

    def _taps(self, *, newest: bool, last: bool = False) -> bool:
        sends = [one for one in self.phone.heard if getattr(one.message, "options", ())]
        if not sends or (last and sends[-1] is not next((one for one in reversed(self.phone.heard)), None)):
            return False
        options = (sends[-1] if newest else self.chance.choice(sends)).message.options  # type: ignore[union-attr]
        option = options[-1] if last else self.chance.choice(options)
        self.phone.play(self.phone._event(option.title, option=option.id, kind="tap"))
        return True
