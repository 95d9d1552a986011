"""One event being played: the conversation under change, what is to be said, and the commands gathered so far.

Made for one call of `Engine.advance` and dropped after it; everything that leaves it is immutable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.command import Command, RecordConsent, Send, Suppress
from bot.domain.conversation import Conversation, Frame, Timer
from bot.domain.event import Event, FlowRequested, HandoffChanged, MessageReceived
from bot.domain.ids import CommandId, command_id, question_id
from bot.domain.message import (
    AskMessage,
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    Option,
    OutMessage,
    TemplateMessage,
    TextMessage,
)
from bot.engine.book import Book
from bot.engine.compiler import CompiledFlow, Node
from bot.engine.linter import BUTTON_BODY, BUTTONS, TEXT_BODY, units
from bot.engine.ports import Rules, Texts, Values
from bot.engine.text import Text, parse

REASONS: Mapping[str, str] = {
    "first_contact": "notice", "stop": "stop_confirmation", "stop_unsure": "rights", "delete_me": "rights", "my_data": "rights",
    "correct": "rights", "restrict": "rights", "object": "rights", "complaint": "rights", "privacy": "rights",
    "notice_changed": "notice", "website_source": "notice", "stop_one": "stop_confirmation", "stop_advertising": "stop_confirmation",
}  # fmt: skip
"""Built-in flows whose messages need no consent, by the gate's names; all others answer what was asked."""

ABOUT_ANOTHER = frozenset({"leave_offer", "resume_offer", "back", "idle"})
"""Built-in flows that only speak of the flow below them."""


class EngineDefect(RuntimeError):
    """A flow cannot be carried on; the turn is not committed and the person gets an apology."""


@dataclass(slots=True)
class World:
    """What the engine was given at start, and its cache of cut texts (bounded by the catalogs)."""

    book: Book
    texts: Texts
    values: Values
    rules: Rules
    cut: dict[str, Text] = field(default_factory=dict)

    def text(self, text: str) -> Text:
        known = self.cut.get(text)
        if known is None:
            known = self.cut[text] = parse(text)
        return known


class Play:
    """The state of one turn while it is played."""

    def __init__(self, world: World, conversation: Conversation, event: Event, now: datetime) -> None:
        self.world = world
        self.conversation = replace(conversation, version=conversation.version + 1)
        self.event = event
        self.now = now
        self.commands: list[Command] = []
        self.suppress: list[Suppress] = []
        self.language = conversation.language or world.book.business.language
        self.language_asked: str | None = None
        self._said: list[str] = []
        self._said_under: dict[str, str] = {}
        self._questions = 0

    # -- commands ------------------------------------------------------------------------------------------------------

    def next_id(self) -> CommandId:
        """The id of the command added next (decisions.md 7)."""
        return command_id(self.conversation.person, self.conversation.version, len(self.commands))

    def add(self, command: Command) -> CommandId:
        self.commands.append(command)
        return command.id

    def record(self, event_type: str, *, at: datetime | None = None, **fields: Any) -> CommandId:
        """Adds a consent event with what is the same for all of a turn: flow, notice, language, answer and matcher.

        `at` is for what happened elsewhere before this turn, such as a box ticked on the website.
        """
        said = self.event if isinstance(self.event, MessageReceived) else None
        base: dict[str, Any] = {"notice_hash": self.conversation.notice, "notice_language": self.language}
        frame = self.frame
        if frame is not None:
            base |= {"flow": frame.flow, "flow_version": frame.version}
        if said is not None:
            base |= {
                "answer_kind": said.kind, "answer_text": said.words.value, "answer_id": said.option, "answer_wamid": said.wamid,
                "prompt_wamid": said.reply_wamid, "matcher_rule": said.intent.rule, "matcher_version": said.intent.version,
                "matcher_decision": said.intent.decision.value,
            }  # fmt: skip
        made = RecordConsent(self.next_id(), event_type, at or self.now, **{**base, **fields})
        if at is not None:
            return self.add(made)
        return self.add(
            replace(made, occurred_at=self._occurred(by_person=said is not None and made.actor == "subject"))
        )

    def _occurred(self, *, by_person: bool) -> datetime:
        """What people do bears the provider's time, what we do our own; always later than whatever was decided before.

        The record is read in the order of its times (`privacy.consent.fold`). The provider tells whole seconds and messages come
        late: without this the record of somebody who stopped and asked anew within a second would say the opposite of the bot.
        """
        occurred = self.event.at if by_person else self.now
        last = self.conversation.recorded_at
        if last is not None and occurred <= last:
            occurred = last + timedelta(milliseconds=1)
        self.set(recorded_at=occurred)
        return occurred

    # -- frames --------------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame | None:
        """The innermost open flow."""
        return self.conversation.frames[-1] if self.conversation.frames else None

    def flow_of(self, frame: Frame) -> CompiledFlow:
        """The flow in the version the frame stands on. Raises `EngineDefect` when the book has lost it."""
        found = self.world.book.flow(frame.flow, frame.version)
        if found is None:
            raise EngineDefect(f"flow {frame.flow} is no longer known in the version this conversation stands on")
        return found

    def node_of(self, frame: Frame) -> Node:
        found = self.flow_of(frame).nodes.get(frame.step)
        if found is None:
            raise EngineDefect(f"flow {frame.flow} has no step {frame.step}")
        return found

    def push(self, flow: str, values: Mapping[str, Any] | None = None) -> None:
        """Opens a flow on top of what is open, in its current version."""
        compiled = self.world.book.flows[flow]
        defaults = {
            name: declared.default for name, declared in compiled.flow.data.items() if declared.default is not None
        }
        frame = Frame(compiled.id, compiled.version, compiled.start)
        self._set(frames=(*self.conversation.frames, frame), slots=(*self.slots, {**defaults, **(values or {})}))

    def pop(self) -> Mapping[str, Any]:
        """Closes the innermost flow with its timers; returns the values it held."""
        *frames, _ = self.conversation.frames
        *slots, last = self.slots
        timers = tuple(timer for timer in self.conversation.timers if timer.frame < len(frames))
        self._set(frames=tuple(frames), slots=tuple(slots), timers=timers)
        return last

    def close_all(self) -> None:
        """Closes every open flow."""
        self._set(frames=(), slots=(), timers=tuple(timer for timer in self.conversation.timers if timer.frame < 0))

    def update_frame(self, index: int = -1, **changes: Any) -> None:
        frames = list(self.conversation.frames)
        frames[index] = replace(frames[index], **changes)
        self._set(frames=tuple(frames))

    def count(self, name: str) -> int:
        """How often `name` was counted in this flow, this time included."""
        frame = self.frame
        assert frame is not None  # noqa: S101 - a step runs inside a frame
        times = frame.counts.get(name, 0) + 1
        self.update_frame(counts={**frame.counts, name: times})
        return times

    @property
    def slots(self) -> tuple[Mapping[str, Any], ...]:
        """Values parallel to the frames, also when the encrypted part could not be read."""
        missing = len(self.conversation.frames) - len(self.conversation.slots)
        return (*self.conversation.slots, *({} for _ in range(missing)))

    def put(self, **values: Any) -> None:
        """Gives fields of the innermost flow values; None forgets one."""
        *before, last = self.slots
        merged = {name: value for name, value in {**last, **values}.items() if value is not None}
        self._set(slots=(*before, merged))

    def _set(self, **changes: Any) -> None:
        self.conversation = replace(self.conversation, **changes)

    set = _set

    # -- timers --------------------------------------------------------------------------------------------------------

    def set_timer(self, name: str, after: timedelta, question: str = "") -> None:
        """A timer of the innermost flow; one of the same name there is replaced."""
        depth = len(self.conversation.frames) - 1
        frame = self.conversation.frames[depth]
        kept = tuple(timer for timer in self.conversation.timers if (timer.name, timer.frame) != (name, depth))
        timer_id = question_id(self.conversation.person, self.conversation.version, f"{name}:{depth}:{frame.step}")
        self._set(timers=(*kept, Timer(timer_id, name, self.now + after, depth, frame.step, question)))

    # -- values --------------------------------------------------------------------------------------------------------

    @property
    def zone(self) -> str:
        return self.world.rules.time_zone(self.conversation.country)

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def value(self, name: str) -> Any:
        """The value of a field of the innermost flow, or of one of the built-in names; None when it is not known."""
        head, _, tail = name.partition(".")
        slots = self.slots[-1] if self.slots else {}
        if head in slots:
            value = slots[head]
            return value.get(tail) if tail and isinstance(value, Mapping) else value
        known = _BUILTIN.get(name)
        return known(self) if known else None

    def has_consent(self, purpose: str) -> bool:
        """Whether the person agreed to the purpose as it is now, and that still holds."""
        consent, declared = self.conversation.consent(purpose), self.world.book.business.purposes.get(purpose)
        return consent.is_live(self.now) and declared is not None and declared.covers(consent.purpose_hash)

    def is_open(self, team: str) -> bool:
        return self.world.rules.is_open(team, self.now)

    def is_staffed(self, team: str) -> bool:
        return self.world.rules.is_staffed(team)

    def matches(self, pattern: str, value: str) -> bool:
        return self.world.rules.matches(pattern, value)

    # -- texts ---------------------------------------------------------------------------------------------------------

    def render(self, text: str, **given: Any) -> str:
        """A text of a flow in the person's language, filled in; `given` are values besides those of the flow."""
        translated = self.world.texts.translate(text, self.language)
        return self.world.text(translated).fill(
            lambda name: given[name] if name in given else self._blank(name),
            self._show,
            lambda n: self.world.texts.plural(n, self.language),
        )

    def _blank(self, name: str) -> Any:
        value = self.value(name)
        frame = self.frame
        if isinstance(value, str) and frame is not None:
            declared = self.flow_of(frame).flow.data.get(name)
            if declared is not None and isinstance(declared.options, Mapping) and value in declared.options:
                return self.world.texts.translate(declared.options[value], self.language)
        return value

    def _show(self, value: Any, how: str) -> str:
        return self.world.texts.show(value, how, self.language, self.zone)

    def say(self, text: str) -> None:
        """Says a rendered text; texts in a row become one message (service messages are billed since 2026-10-01)."""
        basis = self._basis()
        if self._said and (basis != self._said_under or units("\n\n".join([*self._said, text])) > TEXT_BODY):
            self.flush()
        self._said.append(text)
        self._said_under = basis

    def flush(self) -> None:
        """Sends what was said so far as one message."""
        if self._said:
            body, self._said = "\n\n".join(self._said), []
            self.send(TextMessage(body), **self._said_under)

    def _basis(self) -> dict[str, str]:
        """The reason for which the innermost flow's messages may go out, and its purpose; what speaks of another one has that one's."""
        open_flows = self.conversation.frames
        frame = next((one for one in reversed(open_flows) if one.flow not in ABOUT_ANOTHER), self.frame)
        if frame is None:
            return {"reason": "answer", "purpose": ""}
        unasked = isinstance(self.event, FlowRequested) and self.event.own_accord
        asked = not unasked and (isinstance(self.event, MessageReceived) or self.conversation.window_open(self.now))
        reason = REASONS.get(frame.flow, "answer" if asked else "business")
        return {"reason": reason, "purpose": self.flow_of(frame).flow.purpose}

    def ask(
        self, text: str, options: tuple[tuple[str, str, str], ...], *, alone: bool = False, gives: str = ""
    ) -> tuple[str, str]:
        """Sends a question with its options (key, title, description) and opens it; returns (question id, exact words shown).

        `gives` puts WhatsApp's own button below by which the person gives a `location` or their `phone` number. `alone`
        keeps it apart from what was said before, as a request for consent must be (GDPR art. 7(2)).
        """
        self._questions += 1
        frame = self.frame
        step = frame.step if frame else ""
        question = question_id(self.conversation.person, self.conversation.version, f"{step}:{self._questions}")
        limit = BUTTON_BODY if options or gives else TEXT_BODY
        body = "\n\n".join([*self._said, text])
        if alone or units(body) > limit or (self._said and self._said_under != self._basis()):
            self.flush()
            body = text
        self._said = []
        wire = tuple(Option(f"{question}:{key}", title, about) for key, title, about in options)
        message: OutMessage
        if not wire:
            message = AskMessage(gives, body) if gives else TextMessage(body)
        elif len(wire) <= BUTTONS:
            message = ButtonsMessage(body, wire)
        else:
            message = ListMessage(body, self.render("Choose"), wire)
        self.send(message)
        self.update_frame(question=question, asked_at=self.now)
        return question, body + "".join(f"\n[{option.title}]" for option in wire)

    def link(self, text: str, label: str, url: str) -> None:
        """A text with a button that opens a page."""
        self.flush()
        self.send(LinkMessage(text, label, url))

    def send(self, message: OutMessage, **fields: Any) -> CommandId:
        """Puts a message among the commands with the reason for which it may go out."""
        base: dict[str, Any] = dict(self._basis())
        if isinstance(message, TemplateMessage):
            declared = self.world.book.business.templates[message.name]
            base = {"reason": "business", "purpose": declared.purpose, "category": declared.category}
        return self.add(Send(self.next_id(), message=message, **{**base, **fields}))


_BUILTIN: Mapping[str, Any] = {
    "person.language": lambda play: play.language,
    "person.first_contact": lambda play: play.conversation.talk != "active",
    "person.language_asked": lambda play: play.language_asked,
    "business.languages": lambda play: play.world.book.business.languages,
    "language.name": lambda play: play.world.texts.name(play.language),
    "answer.text": lambda play: play.event.words.value if isinstance(play.event, MessageReceived) else None,
    "business.name": lambda play: play.world.book.business.name,
    "business.email": lambda play: play.world.book.business.controller.email,
    "business.phone": lambda play: play.world.book.business.controller.phone,
    "business.link": lambda play: play.world.rules.notice(play.language).link,
    "business.authority": lambda play: play.world.texts.translate(
        play.world.book.business.notice.complaint, play.language
    ),
    "law.term": lambda play: play.world.rules.term(play.conversation.country, play.language),
    "dpo.email": lambda play: play.world.book.business.dpo.email or play.world.book.business.controller.email,
    "agent": lambda play: play.event.values.get("agent") if isinstance(play.event, HandoffChanged) else None,
    "place": lambda play: play.event.values.get("place") if isinstance(play.event, HandoffChanged) else None,
    "words.stop": lambda play: play.world.rules.stop_word(play.language),
    "words.start": lambda play: play.world.rules.start_word(play.language),
}
