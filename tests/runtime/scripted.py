# ruff: noqa: ARG002 - the ports say which arguments there are
"""A tiny engine whose every move a test can foresee: the words of a message say what it leads to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.business import purpose_hash
from bot.domain.command import (
    Call,
    Command,
    Erase,
    Export,
    MarkRead,
    Notify,
    OpenTicket,
    RecordConsent,
    Send,
    SettleRequest,
    Suppress,
)
from bot.domain.consent import Consent
from bot.domain.conversation import WINDOW, Conversation, Timer
from bot.domain.event import CallAnswered, Event, MessageReceived, PreferenceChanged, SendRequested, TimerFired
from bot.domain.ids import CommandId, PersonId, command_id
from bot.domain.intent import NO_INTENT, Decision, Intent
from bot.domain.message import TextMessage
from bot.domain.turn import Turn
from tests.privacy.sample import BUSINESS


class ScriptedWishes:
    def understand(self, words: str, *, language: str | None, flow_open: bool) -> Intent:
        if words == "unintelligible":
            raise LookupError("the intents are broken")
        return Intent(Decision.STOP, "all") if words.strip().lower() == "stop" else NO_INTENT


class _Draft:
    """One turn while it is written."""

    def __init__(self, conversation: Conversation, event: Event, now: datetime) -> None:
        self.conversation = replace(conversation, version=conversation.version + 1)
        self.now = now
        self.commands: list[Command] = []
        self.suppress: list[Suppress] = []
        if isinstance(event, MessageReceived):
            known = conversation.window_until
            until = event.at + WINDOW
            self.set(window_until=until if known is None else max(until, known), last_inbound_at=event.at)

    def set(self, **changes: object) -> None:
        self.conversation = replace(self.conversation, **changes)  # type: ignore[arg-type]

    def id(self) -> CommandId:
        return command_id(self.conversation.person, self.conversation.version, len(self.commands))

    def add(self, make: Callable[[CommandId], Command]) -> None:
        self.commands.append(make(self.id()))

    def say(self, body: str, reason: str = "answer", **fields: object) -> None:
        self.add(lambda name: Send(name, reason, TextMessage(body), **fields))  # type: ignore[arg-type]

    def news(self, body: str) -> None:
        self.say(body, "business", purpose="tips", category="utility")

    def export(self, kind: str) -> None:
        copy = self.id()
        self.add(lambda name: Export(name, "show", "en"))
        if kind:
            self.add(lambda name: SettleRequest(name, kind, "answered", copy))

    def stop(self, source: str) -> None:
        self.set(stopped={**self.conversation.stopped, "all": self.now}, frames=(), consents={})
        self.suppress.append(Suppress("all", self.now, source))

    def turn(self) -> Turn:
        return Turn(self.conversation, tuple(self.commands), tuple(self.suppress))


class ScriptedEngine:
    """`say X`, `news X`, `call`, `timer N`, `record`, `notify`, `ticket`, `export`, `erase`, `boom`, `huge`; stop by intent."""

    def begin(self, person: PersonId, country: str, now: datetime) -> Conversation:
        # Older than any stop of the stories: a newer yes would rightly outweigh it (`policy`).
        agreed = purpose_hash(BUSINESS.purposes["tips"])
        consent = Consent("given", now - timedelta(days=1), valid_until=now + timedelta(days=700), purpose_hash=agreed)
        return Conversation(person, created_at=now, country=country, consents={"tips": consent})

    def heard(self, conversation: Conversation, event: MessageReceived) -> Conversation:
        return conversation.heard(event.at, timedelta(days=90))

    def advance(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        draft = _Draft(conversation, event, now)
        if conversation.erasing:
            return draft.turn()
        if isinstance(event, MessageReceived):
            self._heard(draft, event)
        elif isinstance(event, CallAnswered):
            draft.say(f"answer: {event.outcome}")
        elif isinstance(event, TimerFired):
            if event.timer.startswith("boom"):
                raise ArithmeticError("a defect in what a timer leads to")
            draft.set(timers=tuple(timer for timer in draft.conversation.timers if timer.id != event.timer))
            draft.say(f"timer: {event.timer}")
        elif isinstance(event, SendRequested):
            draft.news(event.template)
        elif isinstance(event, PreferenceChanged) and event.value == "stop":
            draft.stop("meta_preference")
        return draft.turn()

    def _heard(self, draft: _Draft, event: MessageReceived) -> None:
        words = event.words.value
        verb, _, rest = words.partition(" ")
        if event.intent.decision is Decision.STOP:
            draft.stop("word")
            draft.say("stopped", "stop_confirmation")
        elif verb == "boom":
            raise ArithmeticError("a defect in a flow")
        elif verb == "news":
            draft.news(rest)
        elif verb == "call":
            draft.add(lambda name: Call(name, "crm.ask", {}, timeout=timedelta(seconds=8)))
        elif verb in ("timer", "boomtimer"):
            due = draft.now + timedelta(seconds=float(rest))
            timer = Timer(f"{verb.removesuffix('imer')}{draft.conversation.version}", "t", due, -1)
            draft.set(timers=(*draft.conversation.timers, timer))
        elif verb == "record":
            record = draft.id()
            draft.add(lambda name: RecordConsent(name, "confirmed", draft.now, purpose="tips", state_after="given"))
            draft.say(rest, "answer", relies_on=record)
        elif verb == "notify":
            draft.add(lambda name: Notify(name, "consent.withdrawn"))
            draft.say(rest)
        elif verb == "ticket":
            draft.add(lambda name: OpenTicket(name, rest, "support", "en"))
        elif verb == "export":
            draft.export(rest)
        elif verb == "read":
            draft.add(lambda name: MarkRead(name, event.wamid))
        elif verb == "erase":
            draft.add(lambda name: Erase(name, draft.now, "en", TextMessage("erased")))
            draft.set(erasing=True)
        elif verb == "huge":
            draft.set(language="x" * 10_000)
        elif verb != "hush":
            draft.say(f"re: {words}")

    def stop(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        draft = _Draft(replace(conversation, slots=(), held=None), event, now)
        draft.stop("word")
        draft.say("stopped", "stop_confirmation")
        return draft.turn()

    def apologise(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        draft = _Draft(replace(conversation, slots=(), held=None, frames=()), event, now)
        if isinstance(event, MessageReceived):
            draft.say("sorry")
        return draft.turn()
