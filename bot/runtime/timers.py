"""Timers that came due, as events with ids of their own: however often and wherever they are found, each is played once. Pure."""

from datetime import datetime

from bot.domain.conversation import Timer
from bot.domain.event import TimerFired
from bot.domain.ids import EventId, PersonId
from bot.runtime.ports import Ids, Stored


def fired(stored: Stored, ids: Ids, now: datetime) -> list[TimerFired]:
    """The events of all timers due at `now`, the earliest first; `due` tells the engine how late it is (peers.md 31)."""
    conversation = stored.conversation
    if conversation.erasing:
        return []
    ripe = sorted((timer for timer in conversation.timers if timer.due <= now), key=lambda timer: timer.due)
    return [TimerFired(event_id(ids, conversation.person, timer), now, timer.id, timer.due) for timer in ripe]


def event_id(ids: Ids, person: PersonId, timer: Timer) -> EventId:
    """The same for the same timer set for the same time."""
    return ids.event(f"timer:{person}:{timer.id}:{timer.due.isoformat()}")
