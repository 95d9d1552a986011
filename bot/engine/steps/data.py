"""`set` and `call`: values from sums and from the business's systems."""

from typing import Any

from bot.domain.command import Call
from bot.domain.event import CallAnswered, Event
from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.expressions import ExpressionProblem, sum_of
from bot.engine.play import Play
from bot.engine.steps.control import fields_of


def enter_set(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.Set)  # noqa: S101 - the compiler pairs verb and model
    for name, value in step.set.items():
        if name == "clear":
            play.put(**dict.fromkeys([value] if isinstance(value, str) else value))
        elif name == "count up":
            play.put(**{value: (play.value(value) or 0) + 1})
        elif name == "add to":
            for field, one in value.items():
                play.put(**{field: (*(play.value(field) or ()), _value(play, one))})
        elif name == "remove from":
            for field, one in value.items():
                gone = _value(play, one)
                play.put(**{field: tuple(kept for kept in play.value(field) or () if kept != gone)})
        elif name == "person.language":
            choose_language(play, str(_value(play, value) or ""))
        else:
            play.put(**{name: _value(play, value)})
    return "done"


def choose_language(play: Play, tag: str) -> None:
    """The person's own choice of language, remembered and used from here on."""
    language = play.world.texts.closest(tag)
    play.set(language=language, language_chosen=True)
    play.language = language


def _value(play: Play, written: Any) -> Any:
    """A sum where it is one, else the text as it stands."""
    if not isinstance(written, str):
        return written
    try:
        return sum_of(written, fields_of(play)).result(play)
    except ExpressionProblem:
        return written


def enter_call(play: Play, node: Node) -> None:
    step = node.step
    assert isinstance(step, schema.Call)  # noqa: S101
    connector, _, name = step.call.partition(".")
    action = play.world.book.business.connectors[connector].actions[name]
    arguments = {wanted: play.value(field) for wanted, field in step.with_.items() if play.value(field) is not None}
    once = str(play.value(step.once_per) or "") if step.once_per else ""
    call = play.add(
        Call(
            play.next_id(), step.call, arguments, tuple(step.save.values()), step.timeout or action.timeout,
            action.retries if step.retries is None else step.retries, once,
        )
    )  # fmt: skip
    play.update_frame(waiting=call, question="")


def hear_call(play: Play, node: Node, event: Event) -> str | None:
    step = node.step
    frame = play.frame
    if not isinstance(event, CallAnswered) or frame is None or event.call != frame.waiting:
        return None
    assert isinstance(step, schema.Call)  # noqa: S101
    play.update_frame(waiting="")
    if event.outcome == "ok":
        play.put(**{field: event.values.get(source) for field, source in step.save.items()})
    return event.outcome
