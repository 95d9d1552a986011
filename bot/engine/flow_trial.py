"""Plays one test of a flow against the engine: a phone that says and taps, a clock, stubbed connectors, and what must hold.

Pure: the engine, the clock of the test and the reading of words are given. Between two turns the conversation is written out and
read back, as storage does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain import plain
from bot.domain.business import purpose_hash
from bot.domain.command import Call, Command, OpenRequest, OpenTicket, RecordConsent, Send
from bot.domain.consent import NO_CONSENT
from bot.domain.conversation import Conversation
from bot.domain.event import CallAnswered, Event, FlowRequested, HandoffChanged, MessageReceived, TimerFired
from bot.domain.ids import EventId, PersonId, Wamid, Words
from bot.domain.intent import Intent
from bot.domain.message import TemplateMessage
from bot.engine.advance import Engine
from bot.engine.flow_tests import Bot, Expect, FlowTest, Line, User
from bot.engine.play import EngineDefect

PERSON = PersonId("7e57" * 8)
MOST_ANSWERS = 50
"""Connector answers one line may bring; beyond it a flow and its stub talk for ever."""

Understand = Callable[[str, str, bool], Intent]
"""Words, language and whether a flow is open, to what the privacy intents make of them."""


class Unmet(AssertionError):
    """A line of a test that does not hold; the message says what was there instead."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test. `line` is the index in `talk` that failed, or None; `transcript` is the conversation as it went."""

    line: int | None = None
    reason: str = ""
    transcript: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.reason


@dataclass
class Talk:
    """One test under way."""

    test: FlowTest
    engine: Engine
    understand: Understand
    now: datetime = field(init=False)
    conversation: Conversation = field(init=False)
    transcript: list[str] = field(default_factory=list)
    sent: list[Send] = field(default_factory=list)
    unheard: list[Send] = field(default_factory=list)
    since: list[Command] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    seen: set[EventId] = field(default_factory=set)
    flows: set[str] = field(default_factory=set)
    last: Event | None = None
    number: int = 0

    def __post_init__(self) -> None:
        given, business = self.test.given, self.engine.world.book.business
        self.now = given.clock.replace(tzinfo=ZoneInfo(business.time_zone)).astimezone(UTC)
        begun = self.engine.begin(PERSON, given.country, self.now)
        language = given.language or business.language
        self.conversation = replace(begun, language=language)
        if not given.new:
            notice = self.engine.world.rules.notice(language)
            self.conversation = replace(self.conversation, talk="active", notice=notice.hash, notice_at=self.now)
        for purpose, state in given.consents.items():
            declared = business.purposes[purpose]
            valid = self.now + declared.lasts if state == "given" else None
            agreed = purpose_hash(declared)
            consent = replace(NO_CONSENT, state=state, since=self.now, valid_until=valid, purpose_hash=agreed)
            self.conversation = self.conversation.with_consent(purpose, consent)

    def run(self) -> Outcome:
        """Plays all lines. Never raises for what stands in the test."""
        at = None
        try:
            self.begin()
            for number, line in enumerate(self.test.talk):
                at = number
                self.line(line)
        except (Unmet, EngineDefect) as problem:
            return Outcome(at, str(problem), tuple(self.transcript), tuple(self.flows))
        return Outcome(transcript=tuple(self.transcript), flows=tuple(self.flows))

    # -- what happens --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the flow where the test gives it values."""
        if self.test.given.fields:
            self._begin(self.test.flow, dict(self.test.given.fields))

    def line(self, line: Line) -> None:
        """One line of the talk. Raises `Unmet` for what does not hold, and `EngineDefect` for a flow that cannot go on."""
        if line.bot is not None:
            self._bot(line.bot)
        elif line.expect is not None:
            Held(self, line.expect).check()
        else:
            self._happens(line)

    def _happens(self, line: Line) -> None:
        self.unheard, self.since = [], []
        if line.user is not None:
            self._user(line.user)
        elif line.clock is not None:
            self._clock(line.clock)
        elif line.start is not None:
            self._begin(line.start.flow, dict(line.start.with_))
        elif line.duplicate and self.last is not None:
            self._note("(the same webhook again)")
            self._play(self.last)
        elif line.agent is not None:
            self._note(f"(the ticket: {line.agent})")
            self._play(HandoffChanged(self._id(), self.now, str(self.conversation.ticket), line.agent))
        else:
            self._note("(the worker dies and another one takes over)")
            self.conversation = plain.join(*plain.split(self.conversation))

    def _begin(self, flow: str, values: dict[str, Any]) -> None:
        if flow not in self.engine.world.book.flows:
            raise Unmet(f"there is no flow called `{flow}`")
        self._note(f"(the business starts {flow})")
        self._play(FlowRequested(self._id(), self.now, flow, values))

    def _user(self, said: User) -> None:
        option, words, kind = "", said.words, said.kind
        if said.button:
            option, words, kind = self._option(said.button), said.button, "tap"
        self._note(f"  user: {f'[{words}]' if option else words or f'({kind})'}")
        self.words.append(words)
        self.now += timedelta(seconds=10)
        intent = self.understand(words, self.conversation.language, bool(self.conversation.frames))
        number = self.number
        self._play(
            MessageReceived(self._id(), self.now, kind, Words(words), option, Wamid(f"wamid.{number}"), intent=intent)
        )

    def _option(self, title: str) -> str:
        for send in reversed(self.sent):
            for option in getattr(send.message, "options", ()):
                if option.title == title:
                    return str(option.id)
        raise Unmet(f"nothing to tap says `{title}`")

    def _clock(self, ahead: timedelta) -> None:
        """Time passes; what comes due is played in its order, at its time."""
        until = self.now + ahead
        self._note(f"({_length(ahead)} pass)")
        while due := [one for one in self.conversation.timers if one.due <= until]:
            timer = min(due, key=lambda one: one.due)
            self.now = max(self.now, timer.due)
            self._play(TimerFired(EventId(timer.id), self.now, timer.id, timer.due))
        self.now = until

    def _play(self, event: Event) -> None:
        """One turn, and the answers of the stubs it asks for. An event that was played is not played again (as the runtime does)."""
        self.last = event
        waiting: list[Event] = [event]
        for _ in range(MOST_ANSWERS):
            if not waiting:
                return
            coming = waiting.pop(0)
            if coming.id in self.seen:
                continue
            self.seen.add(coming.id)
            turn = self.engine.advance(plain.join(*plain.split(self.conversation)), coming, self.now)
            self.conversation = turn.conversation
            self.flows |= {frame.flow for frame in turn.conversation.frames}
            for command in turn.commands:
                self._command(command)
                if isinstance(command, Call):
                    waiting.append(self._stub(command))
        raise Unmet("the flow and its connector answer each other without end")

    def _command(self, command: Command) -> None:
        self.commands.append(command)
        self.since.append(command)
        if isinstance(command, Send):
            self.sent.append(command)
            self.unheard.append(command)
            self._note(f"   bot: {shown(command)}")

    def _stub(self, call: Call) -> CallAnswered:
        stubs = self.test.given.stubs.get(call.action)
        if not stubs:
            raise Unmet(f"`{call.action}` is called, but `given: stubs:` holds no answer for it")
        before = sum(isinstance(one, Call) and one.action == call.action for one in self.commands) - 1
        stub = stubs[min(before, len(stubs) - 1)]
        self._note(f"({call.action} answers {stub.outcome})")
        return CallAnswered(self._id(), self.now, call.id, stub.outcome, dict(stub.values))

    def _id(self) -> EventId:
        self.number += 1
        return EventId(f"{self.number:024x}")

    def _note(self, words: str) -> None:
        self.transcript.append(words)

    # -- what must be said ---------------------------------------------------------------------------------------------

    def _bot(self, wanted: Bot) -> None:
        for index, send in enumerate(self.unheard):
            if _fits(send, wanted):
                del self.unheard[: index + 1]
                return
        came = " · ".join(shown(one) for one in self.unheard) or "nothing"
        raise Unmet(f"no message {_wanted(wanted)}; what came: {came}")


def body(send: Send) -> str:
    """The text of a message, or the name of its template."""
    return str(getattr(send.message, "body", getattr(send.message, "name", "")))


def titles(send: Send) -> tuple[str, ...]:
    return tuple(option.title for option in getattr(send.message, "options", ()))


def shown(send: Send) -> str:
    """A message on one line."""
    buttons = "".join(f" [{title}]" for title in titles(send))
    kind = "template " if isinstance(send.message, TemplateMessage) else ""
    return f"{kind}{' / '.join(body(send).splitlines())}{buttons}"


def _fits(send: Send, wanted: Bot) -> bool:
    if wanted.template:
        return isinstance(send.message, TemplateMessage) and send.message.name == wanted.template
    if wanted.buttons is not None and titles(send) != wanted.buttons:
        return False
    if wanted.text:
        return body(send).strip() == wanted.text.strip()
    return " ".join(wanted.contains.split()).casefold() in " ".join(body(send).split()).casefold()


def _wanted(wanted: Bot) -> str:
    parts = [f"contains `{wanted.contains}`"] if wanted.contains else []
    parts += [f"is `{wanted.text}`"] if wanted.text else []
    parts += [f"is the template `{wanted.template}`"] if wanted.template else []
    parts += [f"has the buttons {list(wanted.buttons)}"] if wanted.buttons is not None else []
    return " and ".join(parts)


def _length(ahead: timedelta) -> str:
    hours, rest = divmod(int(ahead.total_seconds()), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"


@dataclass
class Held:
    """The checks of one `expect` line."""

    talk: Talk
    wanted: Expect

    def check(self) -> None:
        """Raises `Unmet` for the first thing that does not hold."""
        for reason in self._unmet():
            raise Unmet(reason)

    def _unmet(self) -> Iterator[str]:
        wanted, now = self.wanted, self.talk.conversation
        frame = now.frames[-1] if now.frames else None
        yield from self._differs("step", wanted.step, frame.step if frame else "none")
        yield from self._differs("flow", wanted.flow, frame.flow if frame else "none")
        yield from self._differs("language", wanted.language, now.language)
        yield from self._differs("erasing", wanted.erasing, now.erasing)
        if wanted.suppressed is not None and wanted.suppressed not in now.stopped:
            yield f"`{wanted.suppressed}` is not stopped; stopped: {', '.join(now.stopped) or 'nothing'}"
        yield from self._fields()
        yield from self._messages()
        yield from self._consent()
        yield from self._outside()
        yield from self._clear()

    @staticmethod
    def _differs(name: str, wanted: object, is_: object) -> Iterator[str]:
        if wanted is not None and wanted != is_:
            yield f"{name} is `{is_}`, not `{wanted}`"

    def _fields(self) -> Iterator[str]:
        slots = self.talk.conversation.slots[-1] if self.talk.conversation.slots else {}
        for name, value in (self.wanted.field or {}).items():
            if str(slots.get(name)) != str(value):
                yield f"field `{name}` is `{slots.get(name)}`, not `{value}`"
        held = {name for values in self.talk.conversation.slots for name in values}
        yield from (f"`{name}` is not stored" for name in self.wanted.stored if name not in held)
        yield from (f"`{name}` is stored" for name in self.wanted.not_stored if name in held)

    def _messages(self) -> Iterator[str]:
        came = [one for one in self.talk.since if isinstance(one, Send)]
        names = [one.message.name for one in came if isinstance(one.message, TemplateMessage)]
        wanted = self.wanted
        if wanted.messages_sent is not None and len(came) != wanted.messages_sent:
            yield f"{len(came)} messages were sent, not {wanted.messages_sent}"
        if wanted.sent is not None and wanted.sent not in names:
            yield f"the template `{wanted.sent}` was not sent; sent: {', '.join(names) or 'none'}"
        if wanted.not_sent is not None and (wanted.not_sent in names or (wanted.not_sent == "any_template" and names)):
            yield f"the template `{names[0]}` was sent"

    def _consent(self) -> Iterator[str]:
        wanted = self.wanted.consent
        if wanted is None:
            return
        state = self.talk.conversation.consent(wanted.purpose).state
        state = "pending" if state == "pending_confirmation" else state
        yield from self._differs(f"consent `{wanted.purpose}`", wanted.state.removesuffix("_confirmation"), state)
        record = [one for one in self.talk.commands if isinstance(one, RecordConsent) and one.purpose == wanted.purpose]
        for part in wanted.evidence:
            names = EVIDENCE.get(part, (part,))
            if not any(str(getattr(one, name, "")) not in ("", "None") for one in record for name in names):
                yield f"the record of `{wanted.purpose}` holds no {part}"

    def _outside(self) -> Iterator[str]:
        tickets = [one for one in self.talk.since if isinstance(one, OpenTicket)]
        handoff, called = self.wanted.handoff, self.wanted.called
        if handoff is not None and handoff.team not in [one.team for one in tickets]:
            yield f"no ticket for `{handoff.team}`; tickets: {', '.join(one.team for one in tickets) or 'none'}"
        elif handoff is not None and handoff.shared is not None:
            shared = sorted(next(one for one in tickets if one.team == handoff.team).shared)
            yield from self._differs("what the ticket shares", sorted(handoff.shared), shared)
        if called is not None:
            calls = [one for one in self.talk.commands if isinstance(one, Call) and one.action == called.action]
            if not calls or (called.times is not None and len(calls) != called.times):
                yield f"`{called.action}` was called {len(calls)} times"
            elif called.with_ is not None:
                given = {name: str(value) for name, value in calls[-1].arguments.items()}
                wanted = {name: str(value) for name, value in called.with_.items()}
                yield from self._differs(f"what `{called.action}` was sent", wanted, given)
        kinds = [one.kind for one in self.talk.commands if isinstance(one, OpenRequest)]
        if self.wanted.request is not None and self.wanted.request not in kinds:
            yield f"no request `{self.wanted.request}` was opened; opened: {', '.join(kinds) or 'none'}"

    def _clear(self) -> Iterator[str]:
        """What is stored without encryption, and so may stand in a log, holds none of these values (privacy.md 2)."""
        parts = [plain.split(self.talk.conversation)[0], *(plain.split(one)[0] for one in self.talk.commands)]
        clear = set(_leaves(parts))
        for name in self.wanted.log_has_no:
            values = self.talk.words if name == "text" else [slots.get(name) for slots in self.talk.conversation.slots]
            own = [
                str(value)
                for value in values
                if value is not None and str(value) not in self.talk.engine.world.book.flows
            ]
            if any(_stands_in(value, clear) for value in own):
                yield f"`{name}` stands in a part that is not encrypted"


TELLING, LONG_ENOUGH = 4, 8
"""Shorter values than the first (a 5, an ok) stand anywhere by chance, as names of flows do; from the second on a value is also
looked for inside longer texts."""


def _stands_in(value: str, clear: set[str]) -> bool:
    exact = len(value) >= TELLING and value in clear
    return exact or (len(value) >= LONG_ENOUGH and any(value in one for one in clear))


def _leaves(value: Any) -> Iterator[str]:
    """All texts inside plain data, keys included."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from (*_leaves(key), *_leaves(one))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _leaves(one)
    else:
        yield str(value)


EVIDENCE = {
    "question_id": ("prompt_wamid", "id"), "answer_id": ("answer_wamid",), "notice_version": ("notice_hash",), "notice": ("notice_hash",),
    "language": ("notice_language",), "text": ("prompt_text",), "answer": ("answer_text",), "time": ("occurred_at",),
    "flow": ("flow",), "method": ("source", "withdrawal_method"),
}  # fmt: skip
"""Words of a tests file for parts of the consent record."""
