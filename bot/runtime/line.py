"""Which of a person's pending commands comes next, and when somebody must look again. Pure.

Messages keep their order, records and tickets keep theirs; what talks to other systems holds nobody up and waits for nobody.
A confirmation of a STOP or an erasure goes before every other message (decisions.md 12).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import Enum

from bot.domain.command import Call, Command, Export, FetchMedia, MarkRead, Notify, Send, SettleRequest
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId
from bot.runtime.ports import Over, Pending, Stored

OVERTAKES = frozenset({"stop_confirmation", "erasure_receipt"})
"""Reasons of the messages that do not wait behind older ones (decisions.md 12)."""

OWN_ACCORD = frozenset({"business", "opt_in_confirmation"})
"""Reasons of the messages that nobody waits for: while the gate holds them, answers go past them."""


class Lane(Enum):
    """What a command waits for, and whom it holds up."""

    WORDS = "words"
    RECORDS = "records"
    ASIDE = "aside"


def lane(command: Command | None) -> Lane:
    """The lane of a command: what a message settles waits for that message.

    One that cannot be read waits for nobody, because it only goes to the dead letters.
    """
    if isinstance(command, Send | Export) or (isinstance(command, SettleRequest) and command.by):
        return Lane.WORDS
    if command is None or isinstance(command, Call | Notify | MarkRead | FetchMedia):
        return Lane.ASIDE
    return Lane.RECORDS


def next_ready(pending: Sequence[Pending], now: datetime, busy: Collection[str] = ()) -> Pending | None:
    """The command to carry out at `now`, or None; `busy` are ids that are being carried out beside the line.

    A message waits for every earlier record and for every earlier message that holds the line; records (consents, tickets,
    requests, the erasure) wait for each other alone, so a `Send` finds the consent it relies on in the ledger.
    """
    urgent = _overtaking(pending, now)
    if urgent is not None:
        return urgent
    words_held = records_held = False
    for one in pending:
        own = lane(one.command)
        waits = {Lane.WORDS: words_held or records_held, Lane.RECORDS: records_held, Lane.ASIDE: False}[own]
        if _ready(one, now) and not waits and one.id not in busy:
            return one
        records_held = records_held or own is Lane.RECORDS
        words_held = words_held or (own is Lane.WORDS and _holds(one))
    return None


def _overtaking(pending: Sequence[Pending], now: datetime) -> Pending | None:
    """A confirmation that is ready, or the record before it that is."""
    for place, one in enumerate(pending):
        if not isinstance(one.command, Send) or one.command.reason not in OVERTAKES or not _ready(one, now):
            continue
        records = [earlier for earlier in pending[:place] if lane(earlier.command) is Lane.RECORDS]
        if records and _ready(records[0], now):
            return records[0]
        if all(earlier.id != one.command.relies_on for earlier in records):
            return one
    return None


def _ready(one: Pending, now: datetime) -> bool:
    return one.not_before is None or one.not_before <= now


def _holds(one: Pending) -> bool:
    """Whether a message keeps later ones waiting: not while the gate alone holds it until some hour of its own."""
    if one.attempts or one.state == "sending" or not isinstance(one.command, Send):
        return True
    return one.command.reason not in OWN_ACCORD and one.command.not_before is None


def due(conversation: Conversation, pending: Sequence[Pending], now: datetime) -> datetime | None:
    """When somebody must look at the conversation again: `now` when something can be done already, None when never.

    Timers of a person who is being erased fire no more (decisions.md 16).
    """
    if next_ready(pending, now) is not None:
        return now
    hours = sorted({one.not_before for one in pending if one.not_before is not None and one.not_before > now})
    work = next((hour for hour in hours if next_ready(pending, hour) is not None), None)
    timers = [] if conversation.erasing else [timer.due for timer in conversation.timers]
    return min([*timers, *([work] if work else [])], default=None)


def over_after(stored: Stored, command: CommandId, now: datetime) -> Over | None:
    """What stands once this command is settled, where nothing can be done then; None where the work goes on."""
    left = tuple(one for one in stored.pending if one.id != command)
    again = due(stored.conversation, left, now)
    if again is not None and again <= now:
        return None
    return Over(stored.conversation.version, again, tuple(one.id for one in left))
