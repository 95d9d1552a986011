"""Another topic in the middle of a flow, the way back to it, and the way back to the question before.

A flow's `interrupt` says what a start word of another flow does at an open question: `allow` turns to it at once, `ask` asks before,
`never` takes the words as an answer. Whoever comes back is asked whether to go on; a menu is simply shown again. Rights and a wish to
stop never come here: they go before everything (`bot.engine.router`).
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from bot.domain.conversation import Frame
from bot.domain.event import MessageReceived, TimerFired
from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.expressions import condition
from bot.engine.play import Play
from bot.engine.steps.question import chosen, is_answer, plain

LEAVE, RESUME, BACK, MENU, IDLE = "leave_offer", "resume_offer", "back", "menu", "idle"
"""The built-in flows whose words a business may change; what they do is decided here."""

DEEPEST = 8
"""Open flows above which nothing more is opened on top: whoever wanders that far begins anew."""

TRAIL_MOST = 20

AFTERWARDS = "_afterwards"
"""Value of a flow that asks for a consent: which flow wants it, for which purpose, and with what it is to begin."""

CHOSEN, TARGET, TOPIC = "choice", "to", "said"

_HARMLESS = frozenset({"say", "ask", "menu", "when", "match", "go", "confirm"})
"""Verbs one can go back over: doing them again changes nothing outside this flow. All others end the way back."""

_QUESTION_MOST = 300


def started_by(play: Play, event: MessageReceived) -> str:
    """The flow whose start words, button or template reply this is, and whose `only_if` holds; or empty."""
    said = plain(event.words.value)
    for flow in play.world.book.flows.values():
        for start in flow.flow.starts:
            by_tap = bool(event.option) and event.option in (start.button, start.template_reply)
            by_word = bool(said) and any(said in (plain(word), plain(play.render(word))) for word in start.words)
            if (by_tap or by_word) and _may_start(play, flow.flow):
                return _menu_of(play) if flow.id == MENU else flow.id
    return ""


def wants_menu(play: Play, event: MessageReceived) -> bool:
    """Whether somebody asks for the menu, where the business has one: it is more than the help that those words get elsewhere."""
    words = [word for start in play.world.book.flows[MENU].flow.starts for word in start.words]
    said = plain(event.words.value)
    return _menu_of(play) != MENU and any(said in (plain(word), plain(play.render(word))) for word in words)


def _menu_of(play: Play) -> str:
    start = play.world.book.business.start_flow
    return start if start in play.world.book.flows else MENU


def _may_start(play: Play, flow: schema.Flow) -> bool:
    """`only_if` is about what is known before the flow begins: its own fields are empty then."""
    if not flow.only_if:
        return True
    outside = copy(play)
    outside.conversation = replace(play.conversation, frames=(), slots=())
    return condition(flow.only_if, frozenset(flow.data) | frozenset(flow.inputs)).holds(outside)


def interrupts(play: Play, event: MessageReceived) -> bool:
    """Turns to another flow, or back to the question before, when words at an open question ask for that and are no answer to it."""
    frame = play.frame
    if frame is None:
        return False
    compiled, node = play.flow_of(frame), play.node_of(frame)
    if compiled.flow.interrupt == "never" and compiled.builtin:
        return False
    if compiled.builtin and node.verb not in ("menu", "consent"):
        return False
    if _answers(play, node, event):
        return False
    started = started_by(play, event)
    if started == BACK:
        _go_back(play)
        return True
    opened = [one.flow for one in play.conversation.frames]
    again = started in opened and started != play.world.book.business.start_flow
    if not started or again or started == frame.flow or compiled.flow.interrupt == "never":
        return False
    if compiled.builtin or compiled.flow.interrupt == "allow":
        _turn_to(play, started)
        return True
    if frame.counts.get(_stayed(frame)):
        return False
    play.push(LEAVE, {TOPIC: event.words.value.strip()[:60], TARGET: started})
    return True


def _answers(play: Play, node: Node, event: MessageReceived) -> bool:
    """Whether the words are an answer to the open question: one of its options, or a value that can be read."""
    if isinstance(node.step, schema.Ask):
        return is_answer(play, node.step, event)
    return chosen(play, event, getattr(node.step, "options", {})) is not None


def _stayed(frame: Frame) -> str:
    return f"stay:{frame.step}"


def _turn_to(play: Play, flow: str) -> None:
    if len(play.conversation.frames) >= DEEPEST:
        play.close_all()
    begin(play, flow)


def begin(play: Play, flow: str, values: Mapping[str, Any] | None = None) -> None:
    """Opens a flow; where it needs a consent that is not given, the flow that asks for it comes first (GDPR art. 7)."""
    for purpose in play.world.book.flows[flow].flow.needs_consent:
        asking = "" if play.has_consent(purpose) else _asking(play, purpose)
        if asking and asking != flow:
            play.push(asking, {AFTERWARDS: (flow, purpose, dict(values or {}))})
            return
    play.push(flow, values)


def afterwards(play: Play, values: Mapping[str, Any]) -> bool:
    """After a flow that asked for a consent another one needs: opens that one, if the person agreed; True when it was opened."""
    flow, purpose, given = values.get(AFTERWARDS, ("", "", {}))
    if flow not in play.world.book.flows or not play.has_consent(purpose):
        return False
    begin(play, flow, given)
    return True


def _asking(play: Play, purpose: str) -> str:
    """The first flow that asks for the consent and needs nothing to begin with; the linter sees that there is one."""
    for flow in play.world.book.flows.values():
        if not flow.flow.inputs and any(getattr(node.step, "consent", "") == purpose for node in flow.nodes.values()):
            return flow.id
    return ""


def ended(play: Play, last: Frame, values: Mapping[str, object]) -> bool:
    """Goes on after a flow that lay above an open question; True when that question is to be asked again."""
    frame = play.frame
    assert frame is not None  # noqa: S101 - the caller found the question
    if last.flow == LEAVE:
        target = str(values.get(TARGET, ""))
        if values.get(CHOSEN) == "yes" and target in play.world.book.flows:
            _turn_to(play, target)
            return False
        play.update_frame(counts={**frame.counts, _stayed(frame): 1})
        return not isinstance(play.event, TimerFired)  # whoever is silent hears nothing; the question stays open
    if last.flow == RESUME and values.get(CHOSEN) != "yes":
        _give_up(play)
        return False
    known = play.world.book.flow(last.flow, last.version)
    if last.flow == RESUME or known is None or known.builtin:
        return True
    return not _offers(play)


def _offers(play: Play) -> bool:
    """Asks whether to go on where the person was; False where the question is a menu, which is simply shown again."""
    frame = play.frame
    if frame is None or play.node_of(frame).verb == "menu" or play.flow_of(frame).builtin:
        return False
    play.push(RESUME, {"question": _question(play)})
    return True


def _question(play: Play) -> str:
    frame = play.frame
    assert frame is not None  # noqa: S101 - a question is open
    words = play.render(str(getattr(play.node_of(frame).step, "ask", "")))
    return words if len(words) <= _QUESTION_MOST else words[:_QUESTION_MOST].rsplit(" ", 1)[0] + " …"


def _give_up(play: Play) -> None:
    """Closes the flow a person does not go on with, and all that ran it; another one left open below is offered in its turn."""
    play.pop()
    while play.frame is not None and not play.frame.question:
        play.pop()
    if play.frame is not None:
        _offers(play)


# -- the question before ---------------------------------------------------------------------------------------------------


def answered(play: Play, node: Node) -> None:
    """Remembers a question that was answered, so that one can come back to it."""
    frame = play.frame
    if frame is not None and node.verb in ("ask", "menu"):
        play.update_frame(trail=(*frame.trail, node.state)[-TRAIL_MOST:])


def passed(play: Play, node: Node) -> None:
    """What was done outside cannot be gone back over: the way back ends there."""
    frame = play.frame
    if frame is not None and frame.trail and node.verb not in _HARMLESS:
        play.update_frame(trail=())


def _go_back(play: Play) -> None:
    """The question before once more, its answer forgotten; words that say so where there is none."""
    frame = play.frame
    assert frame is not None  # noqa: S101 - the caller found the question
    if not frame.trail or frame.trail[-1] not in play.flow_of(frame).nodes:
        play.push(BACK)
        return
    *trail, state = frame.trail
    field = getattr(play.flow_of(frame).nodes[state].step, "into", "")
    if field:
        play.put(**{field: None})
    depth = len(play.conversation.frames) - 1
    play.set(timers=tuple(one for one in play.conversation.timers if one.frame != depth))
    play.update_frame(step=state, trail=tuple(trail), question="", tries=0)
