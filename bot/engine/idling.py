"""Somebody who does not go on: a flow's `idle` says when they are reminded, when the flow is over, and what is done then.

The reminder comes once for each question, in the chat while the service window is open, later only by the template that `idle` names
(Meta: customer service window). What comes after silence is a matter of outcomes: `idle: then` stands where a question has no `silent`.
"""

from dataclasses import replace

from bot.domain.conversation import Frame, Timer
from bot.engine.interrupting import IDLE
from bot.engine.play import Play
from bot.engine.templates import template

REMINDER = "idle"
"""Name of the timer of the reminder."""

SILENCE = "silence"
"""Name of the timer that every question sets for itself."""

_ASKING = frozenset({"ask", "menu", "confirm", "rate"})
"""Verbs whose `wait` a flow may say for all of them; a consent's is part of its record."""


def watch(play: Play) -> None:
    """After a turn: sets the times for the question that is open now, where its flow has an `idle` and they are not set yet."""
    frame = play.frame
    if frame is None or not frame.question or frame.asked_at is None:
        return
    idle = play.flow_of(frame).flow.idle
    depth = len(play.conversation.frames) - 1
    _shorten(play, frame, depth)
    known = any(
        one.name == REMINDER and one.frame == depth and one.question == frame.question
        for one in play.conversation.timers
    )
    if idle.remind_after is not None and not known and not frame.counts.get(_reminded(frame)):
        play.set_timer(REMINDER, frame.asked_at + idle.remind_after - play.now, frame.question)


def _shorten(play: Play, frame: Frame, depth: int) -> None:
    """A question without a `wait` of its own waits as long as its flow says; once reminded, for what is left of that."""
    flow, node = play.flow_of(frame).flow, play.node_of(frame)
    if "idle" not in flow.model_fields_set or node.verb not in _ASKING or "wait" in node.step.model_fields_set:
        return
    length = flow.idle.after
    if flow.idle.remind_after is not None and frame.counts.get(_reminded(frame)):
        length -= flow.idle.remind_after
    mine = (SILENCE, depth, frame.question)
    due = (frame.asked_at or play.now) + length
    play.set(
        timers=tuple(
            replace(one, due=due) if (one.name, one.frame, one.question) == mine else one
            for one in play.conversation.timers
        )
    )


def _reminded(frame: Frame) -> str:
    return f"idle:{frame.step}"


def came_due(play: Play, timer: Timer) -> bool:
    """Reminds of the question the timer was set for, if it is still the innermost; True when a flow was opened for that."""
    frame = play.frame
    if frame is None or timer.frame != len(play.conversation.frames) - 1 or frame.question != timer.question:
        return False
    play.update_frame(counts={**frame.counts, _reminded(frame): 1})
    idle = play.flow_of(frame).flow.idle
    if play.conversation.window_open(play.now):
        play.push(IDLE)
        return True
    if idle.template in play.world.book.business.templates:
        play.send(template(play, idle.template, ()))
    return False
