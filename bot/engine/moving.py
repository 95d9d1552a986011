"""People who stand in an older version of a flow whose new one says where renamed things went: they go on in the new one.

A conversation stays on the version it started in. Only where the newest version has a `renamed` map, and everything the person stands on
is found in it under its new name, they are moved: the step, the fields they gave, the option they chose, what was counted, their timers.
Nothing is moved half. Pure; it happens when their next event comes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.conversation import Conversation, Frame, Timer
from bot.engine.book import Book
from bot.engine.compiler import CompiledFlow
from bot.engine.evolution import changes, renamed_to

_COUNTED = ("go:", "stay:", "idle:")


def moved(conversation: Conversation, book: Book) -> Conversation:
    """The conversation with every open flow moved that can be; the same one when there is none."""
    for depth, frame in enumerate(conversation.frames):
        new, old = book.flows.get(frame.flow), book.flow(frame.flow, frame.version)
        if new is not None and new.version != frame.version and _fits(frame, old, new):
            conversation = _moved(conversation, depth, new)
    return conversation


def _fits(frame: Frame, old: CompiledFlow | None, new: CompiledFlow) -> bool:
    """Whether the new version has a place for all a person stands on. A step without a name must be the very same step."""
    if old is None:  # published by a program this one cannot read: a step of that name is the best there is
        here = renamed_to(frame.step, new.flow.renamed, new.nodes)
        return here in new.nodes and new.nodes[here].step.id == here
    node = old.nodes.get(frame.step)
    if not new.flow.renamed or node is None or any(changes(frame.step, old, new)):
        return False
    return bool(node.step.id) or new.nodes[frame.step].step == node.step


def _moved(conversation: Conversation, depth: int, new: CompiledFlow) -> Conversation:
    renamed, frame = new.flow.renamed, conversation.frames[depth]
    step = renamed_to(frame.step, renamed, new.nodes)
    trail = tuple(renamed_to(one, renamed, new.nodes) for one in frame.trail)
    there = replace(
        frame,
        version=new.version,
        step=step,
        trail=trail if all(one in new.nodes and new.nodes[one].step.id for one in trail) else (),
        counts={_count(name, new): times for name, times in frame.counts.items()},
    )
    frames = (*conversation.frames[:depth], there, *conversation.frames[depth + 1 :])
    timers = tuple(_timer(one, depth, frame.step, step) for one in conversation.timers)
    slots = conversation.slots
    if depth < len(slots):
        slots = (*slots[:depth], _values(slots[depth], new), *slots[depth + 1 :])
    return replace(conversation, frames=frames, timers=timers, slots=slots)


def _timer(timer: Timer, depth: int, before: str, after: str) -> Timer:
    return replace(timer, step=after) if timer.frame == depth and timer.step == before else timer


def _count(name: str, new: CompiledFlow) -> str:
    kind = next((one for one in _COUNTED if name.startswith(one)), "")
    return kind + renamed_to(name.removeprefix(kind), new.flow.renamed, new.nodes) if kind else name


def _values(values: Mapping[str, Any], new: CompiledFlow) -> dict[str, Any]:
    """Fields under their new names; a choice that bears a renamed key gets the new one."""
    found = {}
    for name, value in values.items():
        field = renamed_to(name, new.flow.renamed, new.flow.data)
        declared = new.flow.data.get(field)
        if declared is not None and declared.type == "choice" and isinstance(value, str):
            value = renamed_to(value, new.flow.renamed, _options(field, new))  # noqa: PLW2901 - the value under its new name
        found[field] = value
    return found


def _options(field: str, flow: CompiledFlow) -> set[str]:
    """The keys a choice may have: those declared with the field, and those of the questions that fill it."""
    own = set(flow.flow.data[field].options)
    for node in flow.nodes.values():
        if getattr(node.step, "into", "") == field:
            own |= set(getattr(node.step, "options", {}))
    return own
