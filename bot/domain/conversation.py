"""What is known of one person's conversation between two turns. Immutable; a turn makes a new one.

Fields marked `PRIVATE` are stored encrypted under the person's own key; all others are clear so that a STOP can be written
even when the encrypted part cannot be read (decisions.md 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.domain.consent import NO_CONSENT, Consent
from bot.domain.ids import EventId, PersonId, Wamid, Words
from bot.domain.plain import PRIVATE

EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frame:
    """One open flow. The innermost stands last; its slots are at the same index of `Conversation.slots`.

    Attributes:
        version: content hash of the flow's definition the conversation stays on.
        step: state in the flow's machine.
        question: id of the question that is open, or empty.
        waiting: id of the call or ticket whose answer is awaited, or empty.
        counts: how often each bounded jump or repeat was taken.
        trail: steps of the questions answered that one can go back to, the last one last.
    """

    flow: str
    version: str
    step: str
    question: str = ""
    asked_at: datetime | None = None
    tries: int = 0
    waiting: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    trail: tuple[str, ...] = ()


WINDOW = timedelta(hours=24)
"""How long free text may be sent, from the provider's time of a person's message (Meta: customer service window)."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something due later, of the conversation (`frame` is -1) or of the open flow at that depth."""

    id: str
    name: str
    due: datetime
    frame: int = -1
    step: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class HeldWords:
    """What the person wrote first, kept at most 24 hours while notice or language is settled (decisions.md 31)."""

    words: Words
    id: EventId
    wamid: Wamid
    until: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """One person's conversation.

    Attributes:
        version: grows by one with every committed turn.
        standing: grows by one whenever anything the gate looks at changes; the claim is conditional on it (decisions.md 13).
        talk: new, notified or active.
        owner: bot, queue, agent or left.
        stopped: scope (`all`, `marketing` or a purpose) to the time since when nothing is sent of our own accord for it.
        paused_until: marketing is held until then, after an unclear wish (decisions.md 5).
        window_until: until when free-form messages are allowed (Meta: 24-hour customer service window).
        hushed: the person stopped while people had the chat, so these wait until the person writes again (decisions.md 1).
        doubted_since: since when somebody else may have this number or account: after a long silence, or when the account changed. Until
            somebody of ours made sure who it is, data are not given out (decisions.md 23; GDPR art. 12(6), 32).
        quiet_until: the bot is silent until then, because somebody else speaks with the person; `quiet_since` is the time of the
            last word about it.
        notice: content hash of the notice last shown.
        recorded_at: time of the last consent event; the next one is later (`privacy.consent.fold` reads them in order).
        misunderstood: how often in a row nothing could be made of a message.
        slots: the open flows' values, parallel to `frames`.
        readable: False when the encrypted part could not be read; never stored.
    """

    person: PersonId
    version: int = 0
    standing: int = 0
    created_at: datetime | None = None
    last_inbound_at: datetime | None = None
    language: str = ""
    language_chosen: bool = False
    country: str = ""
    talk: str = "new"
    owner: str = "bot"
    stopped: Mapping[str, datetime] = field(default_factory=dict)
    stop_confirmed_at: datetime | None = None
    restricted: bool = False
    erasing: bool = False
    paused_until: datetime | None = None
    window_until: datetime | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    notice: str = ""
    notice_at: datetime | None = None
    recorded_at: datetime | None = None
    frames: tuple[Frame, ...] = ()
    timers: tuple[Timer, ...] = ()
    ticket: str = ""
    hushed: bool = False
    doubted_since: datetime | None = None
    misunderstood: int = 0
    quiet_since: datetime | None = None
    quiet_until: datetime | None = None
    slots: tuple[Mapping[str, Any], ...] = field(default=(), metadata=PRIVATE)
    held: HeldWords | None = field(default=None, metadata=PRIVATE)
    readable: bool = True

    def consent(self, purpose: str) -> Consent:
        """The consent for `purpose`; unknown when it was never asked."""
        return self.consents.get(purpose, NO_CONSENT)

    def with_consent(self, purpose: str, consent: Consent) -> "Conversation":
        return replace(self, consents={**self.consents, purpose: consent})

    def window_open(self, now: datetime) -> bool:
        return self.window_until is not None and now < self.window_until

    def heard(self, at: datetime, step_up_after: timedelta) -> "Conversation":
        """After a message of the person at `at`: the window is open, and a silence of `step_up_after` before it leaves a doubt.

        Somebody who was imported and never wrote was silent since the import.
        """
        last = self.last_inbound_at or self.created_at or at
        doubted = at if at - last >= step_up_after else self.doubted_since
        window = max(self.window_until or at + WINDOW, at + WINDOW)
        return replace(self, window_until=window, last_inbound_at=max(last, at), doubted_since=doubted)

    @property
    def next_due(self) -> datetime | None:
        """When the earliest timer is due, or None."""
        return min((timer.due for timer in self.timers), default=None)


GATE_FIELDS = ("stopped", "restricted", "erasing", "paused_until", "window_until", "consents", "quiet_until", "hushed")
"""The fields `privacy.policy` decides by; any change of them moves `standing`."""


def same_standing(before: Conversation, after: Conversation) -> bool:
    """Whether the gate would see the same conversation before and after."""
    return all(getattr(before, name) == getattr(after, name) for name in GATE_FIELDS)
