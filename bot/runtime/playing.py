"""Plays events in memory: each message through the intents by itself, then the engine; a STOP survives every defect.

Nothing here waits or writes. The same events on the same conversation give the same result, so a lost race costs nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain import event as events
from bot.domain import plain
from bot.domain.command import Command, Suppress
from bot.domain.conversation import Conversation, same_standing
from bot.domain.event import ColleagueSpoke, Event, MessageReceived, PreferenceChanged, TimerFired
from bot.domain.ids import EventId
from bot.domain.intent import NO_INTENT, Decision
from bot.domain.turn import Turn
from bot.runtime import silence
from bot.runtime.ports import DeadLetter, Engine, Wishes

FORM_ANSWERS = 50
"""Texts of one form that are looked at for a wish to stop."""

logger = logging.getLogger(__name__)

# Dead letters keep the event itself, sealed, so that an operator can play it again.
plain.register(
    events.MessageReceived, events.CallAnswered, events.TimerFired, events.SendRequested, events.FlowRequested,
    events.RightExercised, events.ConsentImported, events.HandoffChanged, events.AgentWrote, events.PreferenceChanged,
    events.ErasureSettled, events.ColleagueSpoke,
)  # fmt: skip


@dataclass(slots=True)
class Played:
    """What some events led to, before anything of it is written.

    Attributes:
        done: the events that were played.
        held: whether others had to be left for later, because too much is pending or an erasure has begun.
        stopping: whether one of them was a decided STOP.
    """

    conversation: Conversation
    commands: list[Command] = field(default_factory=list)
    suppress: list[Suppress] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    done: list[EventId] = field(default_factory=list)
    held: bool = False
    stopping: bool = False


def play(
    engine: Engine,
    wishes: Wishes,
    conversation: Conversation,
    coming: Sequence[Event],
    now: datetime,
    *,
    room: int,
    broken: str = "",
) -> Played:
    """All events in order, as one turn whose `standing` moves when the gate would see something else than before.

    Args:
        engine: the pure middle.
        wishes: the privacy intents.
        conversation: as it is stored.
        coming: events that were not played yet.
        now: UTC.
        room: how many commands more may become pending; without room only a decided STOP is played (decisions.md 11).
        broken: why the engine's own turn cannot be used, e.g. because it could not be stored; empty in the ordinary case.
    """
    played = Played(conversation)
    for event in coming:
        if played.conversation.erasing:
            # Whatever comes after the wish to be erased belongs to a person who is not known yet (decisions.md 16).
            played.held = True
            break
        heard, trouble = _understood(wishes, played.conversation, event, now)
        stops = wants_stop(heard)
        if len(played.commands) >= room and not stops:
            played.held = True
            continue
        played.stopping = played.stopping or stops
        turn = _advanced(engine, played, heard, now, broken or trouble)
        # What a fallback leaves holds nothing sealed any more, so the next event of the batch finds it readable.
        played.conversation = replace(turn.conversation, readable=True)
        played.commands.extend(turn.commands)
        played.suppress.extend(turn.suppress)
        played.done.append(event.id)
    moved = not same_standing(conversation, played.conversation)
    played.conversation = replace(played.conversation, standing=conversation.standing + moved)
    return played


def wants_stop(event: Event) -> bool:
    """Whether the event is a decided wish to stop, by word or by Meta's own switch."""
    if isinstance(event, MessageReceived):
        return event.intent.decision is Decision.STOP
    return isinstance(event, PreferenceChanged) and event.value == "stop"


def _understood(wishes: Wishes, conversation: Conversation, event: Event, now: datetime) -> tuple[Event, str]:
    """(the event with the intents' reading, what went wrong in reading it)."""
    if not isinstance(event, MessageReceived):
        return event, ""
    language, flow_open = conversation.language or None, bool(conversation.frames)
    try:
        intent = wishes.understand(event.words.value, language=language, flow_open=flow_open)
        for answer in _answers(event):
            # Each by itself, and only a decided wish to stop counts: what else a form says is for the flow that asked.
            found = wishes.understand(answer, language=language, flow_open=flow_open)
            if found.decision is Decision.STOP:
                intent = found
                break
    except Exception as problem:  # noqa: BLE001 - poison must not stop the line (architecture.md 8)
        return event, type(problem).__name__
    heard = replace(event, intent=intent)
    return (silence.as_stop(heard) if silence.is_quiet(conversation, now) else heard), ""


def _answers(event: MessageReceived) -> list[str]:
    """The texts somebody typed into a form, without its token: they go to the intents too (decisions.md 4)."""
    found: list[str] = []
    left = (
        [value for name, value in event.data.get("flow", {}).items() if name != "flow_token"]
        if event.kind == "form"
        else []
    )
    while left and len(found) < FORM_ANSWERS:
        one = left.pop(0)
        if isinstance(one, str) and one:
            found.append(one)
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, list | tuple):
            left.extend(one)
    return found


def _advanced(engine: Engine, played: Played, event: Event, now: datetime, broken: str) -> Turn:
    """The engine's turn; a wish to stop is never lost to a defect (decisions.md 3), anything else gets an apology."""
    conversation = played.conversation
    if isinstance(event, ColleagueSpoke):
        return silence.spoken(conversation, event)
    if isinstance(event, MessageReceived) and silence.is_quiet(conversation, now) and not conversation.erasing:
        if wants_stop(event):
            return engine.stop(conversation, event, now)
        return silence.listened(engine.heard(conversation, event), event, now)
    reason = broken or ("" if conversation.readable else "unreadable")
    if not reason:
        try:
            return engine.advance(conversation, event, now)
        except Exception as problem:  # noqa: BLE001 - poison must not stop the line (architecture.md 8)
            reason = type(problem).__name__
    logger.error("turn failed", extra={"person": conversation.person, "kind": type(event).__name__, "reason": reason})
    whole = replace(conversation, readable=True)
    if wants_stop(event):
        return engine.stop(whole, event, now)
    content = replace(event, intent=NO_INTENT) if isinstance(event, MessageReceived) else event
    played.letters.append(DeadLetter(conversation.person, "event", type(event).__name__, reason, content))
    return engine.apologise(_without_its_timer(whole, event), event, now)


def _without_its_timer(conversation: Conversation, event: Event) -> Conversation:
    """A timer that cannot be played goes with its dead letter; left in the document it would come due again at once, for ever."""
    if not isinstance(event, TimerFired):
        return conversation
    return replace(conversation, timers=tuple(one for one in conversation.timers if one.id != event.timer))
