"""What must be done about a turn: plain values, committed with the turn and carried out after it, in order, at least once.

Ids are derived (decisions.md 7), so doing a command twice is harmless wherever the other side lets us. `PRIVATE` fields are
stored encrypted under the person's own key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from bot.domain.ids import CommandId, Wamid
from bot.domain.message import OutMessage
from bot.domain.plain import PRIVATE, register


@dataclass(frozen=True, slots=True)
class Send:
    """A message to the person, with the reason for which it may go out.

    Attributes:
        reason: why this is lawful without asking further, or what it needs. `answer`: the person asked (GDPR art. 6(1)(b), (f)).
            `stop_confirmation`, `erasure_receipt`, `rights`, `notice`: legal messages. `opt_in_confirmation`: the second step of
            a double opt-in. `business`: sent of our own accord, so the purpose's basis must hold.
        purpose: a purpose of business.yaml; empty for legal messages and plain answers.
        category: service, utility, marketing or authentication, as Meta counts them.
        relies_on: the RecordConsent that must be in the ledger before this may go out.
        not_before: held until then (quiet hours).
        expires: dropped with a record when it could not be sent by then.
    """

    id: CommandId
    reason: str
    message: OutMessage = field(metadata=PRIVATE)
    purpose: str = ""
    category: str = "service"
    relies_on: CommandId = CommandId("")
    not_before: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """One consent event for the ledger: insert only, `_id` is the command's id (GDPR art. 7(1); privacy.md 3.2).

    The person's `subject_ref`, the commitment and the signatures are added by the ledger.
    """

    id: CommandId
    event_type: str
    occurred_at: datetime
    purpose: str = ""
    state_after: str = ""
    scope: str = ""
    basis: str = ""
    consent_type: str = ""
    purpose_hash: str = ""
    request: str = ""
    step: str = ""
    request_expires_at: datetime | None = None
    notice_hash: str = ""
    notice_language: str = ""
    template: str = ""
    flow: str = ""
    flow_version: str = ""
    answer_kind: str = ""
    matcher_rule: str = ""
    matcher_version: str = ""
    matcher_decision: str = ""
    source: str = ""
    withdrawal_method: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    actor: str = "subject"
    previous: CommandId = CommandId("")
    prompt_text: str = field(default="", metadata=PRIVATE)
    answer_text: str = field(default="", metadata=PRIVATE)
    answer_id: str = field(default="", metadata=PRIVATE)
    prompt_wamid: Wamid = field(default=Wamid(""), metadata=PRIVATE)
    answer_wamid: Wamid = field(default=Wamid(""), metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class Call:
    """A question to one of the business's systems, by the name of a connector action; the answer comes back as an event."""

    id: CommandId
    action: str
    arguments: Mapping[str, Any] = field(metadata=PRIVATE)
    save: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=8)
    retries: int = 0
    once_per: str = field(default="", metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A chat for people: only the fields that the flow shares reach the agent."""

    id: CommandId
    ticket: str
    team: str
    language: str
    urgent: bool = False
    flow: str = ""
    step: str = ""
    about: str = field(default="", metadata=PRIVATE)
    shared: Mapping[str, Any] = field(default_factory=dict, metadata=PRIVATE)
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class CloseTicket:
    """The person or the flow has no more need of the ticket."""

    id: CommandId
    ticket: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ReturnTicket:
    """The ticket waits in its queue again: `outcome` is `nobody` (waited too long, the bot went on) or `agent_silent`."""

    id: CommandId
    ticket: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Transcribe:
    """One line of a chat that people of the business have, from the handoff on (privacy.md 2.8).

    Attributes:
        direction: `in` (the person), `out` (an agent), `bot` or `event` (what happened; `kind` says what).
        at: the provider's time of what the person said, else ours.
        by: account of the agent who wrote it.
        send: the `Send` it went out with, whose fate is shown beside it.
        message: keyed id of what the person said, by which it can be taken back.
    """

    id: CommandId
    ticket: str
    direction: str
    at: datetime
    kind: str = "text"
    by: str = ""
    send: str = ""
    message: str = ""
    words: str = field(default="", metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class Unsay:
    """The person took a message back: what was kept of it goes (decisions.md 4)."""

    id: CommandId
    ticket: str
    message: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tells the business's systems what happened to a consent or a subject (GDPR art. 19)."""

    id: CommandId
    event: str
    purpose: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A data subject's request with its clock (GDPR art. 12(3)); `kind` is access, erase, rectify, restrict, object or complaint.

    `status` is `open`, `unsure` (a human decides what was meant) or `done` (answered at once). A person has one open request of a
    kind: another one adds its words to it, and the clock runs from the first.
    """

    id: CommandId
    kind: str
    received_at: datetime
    status: str = "open"
    language: str = ""
    words: str = field(default="", metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """The person's open requests of a kind are closed: `answered`, or `cancelled` because they took it back.

    `by` is the command whose message answers them: where that never went out, they stay open (GDPR art. 12(3)).
    """

    id: CommandId
    kind: str
    outcome: str
    by: CommandId = CommandId("")


@dataclass(frozen=True, slots=True)
class Export:
    """The person's data: shown in the chat (`show`), as a file (`file`), or what they agreed to (`consents`) (GDPR art. 7(1), 15, 20)."""

    id: CommandId
    form: str
    language: str


@dataclass(frozen=True, slots=True)
class Erase:
    """Everything about the person goes, in the steps of decisions.md 16 (GDPR art. 17); `receipt` is sent when it is done."""

    id: CommandId
    requested_at: datetime
    language: str
    receipt: OutMessage = field(metadata=PRIVATE)


@dataclass(frozen=True, slots=True)
class FetchMedia:
    """Takes over a file the person sent because it was asked for; it is kept under this command's id for `lasts`.

    `kind` is image, video, audio, document or sticker; `sha256` is what Meta announced. The file's name is not kept: names tell names.
    """

    id: CommandId
    kind: str
    media: str = field(metadata=PRIVATE)
    sha256: str = field(default="", metadata=PRIVATE)
    lasts: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Shows the person that the message was seen."""

    id: CommandId
    wamid: Wamid = field(metadata=PRIVATE)


Command: TypeAlias = (
    Send
    | RecordConsent
    | Call
    | OpenTicket
    | CloseTicket
    | ReturnTicket
    | Transcribe
    | Unsay
    | Notify
    | OpenRequest
    | SettleRequest
    | Export
    | Erase
    | MarkRead
    | FetchMedia
)


@dataclass(frozen=True, slots=True)
class Suppress:
    """Not a command of the pending list: the keyed suppression rows are written before the turn itself (decisions.md 13)."""

    scope: str
    since: datetime
    source: str


# Here and not where turns are: a ledger's export is checked by processes that never play a turn.
register(
    Send, RecordConsent, Call, OpenTicket, CloseTicket, ReturnTicket, Transcribe, Unsay, Notify, OpenRequest,
    SettleRequest, Export, Erase, MarkRead, FetchMedia,
)  # fmt: skip
