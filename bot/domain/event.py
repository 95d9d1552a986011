"""What happened: the values that `engine.advance` is told. Each has an id by which it is played once only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from bot.domain.ids import EventId, Wamid, Words
from bot.domain.intent import NO_INTENT, Intent
from bot.domain.opt_in import OptInRequest


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A person said or tapped something.

    Attributes:
        id: keyed hash of the message id.
        at: the provider's time of the message (UTC), which opens the 24-hour window.
        kind: text, tap (reply button or list row), template_tap (quick reply of a template), image, audio, video, document,
            sticker, location, contacts, order, form, reaction, edited, revoked or unsupported.
        words: the text, caption, button or row title; empty where there is none.
        option: the wire id or payload of what was tapped.
        wamid: the message id, needed as evidence and for read marks; never stored in clear.
        reply_to: keyed hash of the message it answers, if any; `reply_wamid` is that id itself, for the evidence of a consent.
        intent: what the privacy intents made of it.
        data: typed extras (a location's coordinates, a media id) that flows may ask for; dropped otherwise.
        opt_in: the open website request that this may be the answer to, of this very sender; None where there is none.
    """

    id: EventId
    at: datetime
    kind: str = "text"
    words: Words = Words("")
    option: str = ""
    wamid: Wamid = Wamid("")
    reply_to: EventId | None = None
    reply_wamid: Wamid = Wamid("")
    intent: Intent = NO_INTENT
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    opt_in: OptInRequest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A connector answered; `outcome` is ok, not_found, refused, failed or slow, `values` the declared fields only."""

    id: EventId
    at: datetime
    call: str
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer came due; `due` is the time it was set for, which may lie long ago after an outage."""

    id: EventId
    at: datetime
    timer: str
    due: datetime


@dataclass(frozen=True, slots=True)
class SendRequested:
    """Somebody of ours (operator, campaign, API) wants a template, or with an empty one a text, sent for a purpose.

    The gate decides later.
    """

    id: EventId
    at: datetime
    purpose: str
    template: str
    parameters: tuple[str, ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FlowRequested:
    """Somebody of ours wants a flow started for this person.

    `own_accord`: the person did not ask for it, so what it says needs the basis of its purpose, also while the window is open.
    """

    id: EventId
    at: datetime
    flow: str
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    own_accord: bool = False


@dataclass(frozen=True, slots=True)
class ConsentImported:
    """A consent given elsewhere at `given_at`, with the evidence of that day: the words shown, the answer, the notice and where."""

    id: EventId
    at: datetime
    purpose: str
    given_at: datetime
    wording: Words
    answer: Words
    source: str
    notice_hash: str
    language: str


@dataclass(frozen=True, slots=True)
class RightExercised:
    """Somebody of ours carries out a right of the person: `right` is erase, restrict, unrestrict, object, rectify or withdraw.

    `doubt` notes that the account changed, `vouch` that somebody made sure who the person is (GDPR art. 12(6)). `register` only enters a
    request to be answered. `received_at` is when the person asked; `value` is the scope of an objection or a
    withdrawal, the language of a rectification, the kind of a request.
    """

    id: EventId
    at: datetime
    right: str
    received_at: datetime
    value: str = ""


@dataclass(frozen=True, slots=True)
class HandoffChanged:
    """The ticket moved.

    Attributes:
        outcome: `queued` (it has its place), `took_over`, `requeued` (back to a team), `ask_stop` (ask the person what they meant), or
            how it ended: `resolved`, `nobody`, `agent_silent`, `closed` or `left`.
        values: `place` in the queue, or the `agent`'s name as the person may read it.
    """

    id: EventId
    at: datetime
    ticket: str
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AgentWrote:
    """An agent answers in a chat that is theirs: in own words, or by a template with its values.

    Attributes:
        agent: the agent's account; never shown to the person.
    """

    id: EventId
    at: datetime
    ticket: str
    agent: str
    words: Words = Words("")
    template: str = ""
    parameters: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class PreferenceChanged:
    """Meta's own switch for marketing messages: `stop` or `resume` (Meta: webhooks/reference/user_preferences)."""

    id: EventId
    at: datetime
    value: str
    category: str = "marketing_messages"


@dataclass(frozen=True, slots=True)
class ColleagueSpoke:
    """A person of the business, or Meta's agent, speaks on the same number: the bot is silent until `until`; None: it may speak again."""

    id: EventId
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ErasureSettled:
    """The erasure asked for by a command is complete (`done`) or was called off (`cancelled`)."""

    id: EventId
    at: datetime
    outcome: str


Event: TypeAlias = (
    MessageReceived
    | CallAnswered
    | TimerFired
    | SendRequested
    | FlowRequested
    | RightExercised
    | ConsentImported
    | HandoffChanged
    | AgentWrote
    | PreferenceChanged
    | ErasureSettled
    | ColleagueSpoke
)
