"""`ask` and `menu`: one question, its options, and what is made of the answer."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from bot.domain.event import Event, MessageReceived, TimerFired
from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.expressions import condition
from bot.engine.play import Play
from bot.engine.steps import typed
from bot.engine.steps.control import fields_of

SKIP = "_skip"

GIVEN_BY_BUTTON = frozenset({"location", "phone"})
"""Types for which WhatsApp has a button of its own, so that nobody needs to type them (Meta: location request, request_contact_info)."""


def plain(words: str) -> str:
    """Words compared loosely: case, accents, punctuation and spaces at the ends do not count."""
    flat = "".join(one for one in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in flat).split())


def answer_to(play: Play, event: Event) -> str | None:
    """The key tapped, if the event is a tap on the innermost open question; a stale tap answers nothing (decisions.md 4)."""
    frame = play.frame
    if not isinstance(event, MessageReceived) or frame is None or not frame.question:
        return None
    question, colon, key = event.option.partition(":")
    return key if colon and question == frame.question else None


def chosen(play: Play, event: MessageReceived, options: Mapping[str, schema.Option]) -> str | None:
    """The key of the option tapped, written, numbered, or clearly agreed or declined to."""
    tapped = answer_to(play, event)
    if tapped is not None:
        return tapped if tapped == SKIP else _known_as(play, tapped, options)
    said = plain(event.words.value)
    if not said or event.option:
        return None
    for key, option in options.items():
        known = (option.label, play.render(option.label), *option.words, *(play.render(word) for word in option.words))
        if any(plain(word) == said for word in known):
            return key
    keys = list(options)
    if said.isascii() and said.isdigit() and 0 < int(said[:4]) <= len(keys):
        return keys[int(said) - 1]
    if set(options) <= {"yes", "no"}:
        return play.world.rules.says(event.words.value, play.language) or None
    return None


def _known_as(play: Play, key: str, options: Mapping[str, schema.Option]) -> str | None:
    """The option a button stands for, also when it was sent before the option got another key."""
    frame = play.frame
    renamed = play.flow_of(frame).flow.renamed if frame is not None else {}
    return next((one for one in (key, renamed.get(key)) if one in options), None)


def shown(play: Play, options: Mapping[str, schema.Option]) -> dict[str, schema.Option]:
    """The options whose condition holds."""
    fields = fields_of(play)
    return {
        key: option for key, option in options.items() if not option.when or condition(option.when, fields).holds(play)
    }


def _options_of(play: Play, step: schema.Ask) -> Mapping[str, schema.Option]:
    """The step's own options, those of its field, or yes and no for a yes/no field."""
    if step.options:
        return shown(play, step.options)
    frame = play.frame
    declared = play.flow_of(frame).flow.data.get(step.into) if frame else None
    if declared is None:
        return {}
    if declared.type == "yes_no":
        return {"yes": schema.Option(label="Yes"), "no": schema.Option(label="No")}
    if isinstance(declared.options, Mapping):
        return {key: schema.Option(label=label) for key, label in declared.options.items()}
    return {name: schema.Option(label=name) for name in declared.options}


def enter_ask(play: Play, node: Node) -> str | None:
    step = node.step
    assert isinstance(step, schema.Ask)  # noqa: S101 - the compiler pairs verb and model
    if step.known == "skip" and play.value(step.into) is not None:
        return "skipped"
    play.update_frame(tries=0)
    typed.forget(play)
    text = play.render(step.ask) + (f"\n{play.render(step.hint)}" if step.hint else "")
    _pose(play, step, text)
    return None


def _pose(play: Play, step: schema.Ask | schema.Menu, text: str) -> None:
    options = _options_of(play, step) if isinstance(step, schema.Ask) else shown(play, step.options)
    wire = [(key, play.render(option.label), play.render(option.description) if option.description else "")
            for key, option in options.items()]  # fmt: skip
    if isinstance(step, schema.Ask) and step.optional:
        wire.append((SKIP, play.render("Skip"), ""))
    gives = _type_of(play, step) if isinstance(step, schema.Ask) and not wire else ""
    question, _ = play.ask(text, tuple(wire), gives=gives if gives in GIVEN_BY_BUTTON else "")
    play.set_timer("silence", step.wait, question)


def _silent(play: Play, event: Event) -> bool:
    frame = play.frame
    return isinstance(event, TimerFired) and frame is not None and event.timer == "silence"


def hear_ask(play: Play, node: Node, event: Event) -> str | None:
    step = node.step
    assert isinstance(step, schema.Ask)  # noqa: S101
    if _silent(play, event):
        return "silent"
    if not isinstance(event, MessageReceived):
        return None
    options = _options_of(play, step)
    if options or (answer_to(play, event) and not typed.being_settled(play)):
        key = chosen(play, event, options)
        if key == SKIP:
            return _closed(play, "skipped")
        if key is None:
            return _again(play, step, play.render(step.explain or NOT_AN_OPTION))
        value: Any = key == "yes" if _type_of(play, step) == "yes_no" else key
    else:
        heard = _read(play, step, event)
        if heard.value is None:
            return _doubted(play, step, heard)
        value = heard.value
    before = play.value(step.into)
    play.put(**{step.into: value})
    for check in step.check:
        if not condition(check.rule, fields_of(play)).holds(play):
            play.put(**{step.into: before})
            return _again(play, step, play.render(check.otherwise))
    key_outcome = f"answered:{value}"
    machine = play.flow_of(play.conversation.frames[-1]).machine
    return _closed(play, key_outcome if options and machine.allows(node.state, key_outcome) else "answered")


def is_answer(play: Play, step: schema.Ask, event: MessageReceived) -> bool:
    """Whether a message chooses an option or can be read as the value asked for; where any words would do, only a tap is one."""
    if answer_to(play, event) is not None:
        return True
    options = _options_of(play, step)
    if options:
        return chosen(play, event, options) is not None
    return typed.can_be(play, _type_of(play, step), event)


def _doubted(play: Play, step: schema.Ask, heard: typed.Heard) -> str | None:
    """Goes on after an answer that gave no value yet: says why, or waits for which reading was meant."""
    frame = play.frame
    assert frame is not None  # noqa: S101
    if heard.refusal:
        own = play.render(step.explain) if step.explain and not heard.precise else ""
        return _again(play, step, own or heard.refusal)
    play.update_frame(tries=frame.tries + heard.again)
    if frame.tries + heard.again >= step.tries:
        return _closed(play, "gave_up")
    play.set_timer("silence", step.wait, frame.question)
    return None


NOT_AN_OPTION = "Please tap one of the options, or write its name."


def _declared(play: Play, step: schema.Ask) -> schema.DataField | schema.Input:
    frame = play.frame
    assert frame is not None  # noqa: S101
    flow = play.flow_of(frame).flow
    return flow.data.get(step.into) or flow.inputs[step.into]


def _type_of(play: Play, step: schema.Ask) -> str:
    return _declared(play, step).type


def _read(play: Play, step: schema.Ask, event: MessageReceived) -> typed.Heard:
    """The value of an answer that is no choice."""
    declared = _declared(play, step)
    if declared.type not in ("text", "long_text", "reference"):
        last = play.conversation.frames[-1].tries + 1 >= step.tries
        return typed.hear(play, declared, event, answer_to(play, event), last=last)
    words = event.words.value.strip()
    pattern = declared.pattern if isinstance(declared, schema.DataField) else ""
    if event.kind not in typed.SPOKEN or not words or (pattern and not play.matches(pattern, words)):
        return typed.Heard(refusal=typed.explain(play, declared.type))
    return typed.Heard(words[:4096])


def _again(play: Play, step: schema.Ask | schema.Menu, text: str) -> str | None:
    """Asks again with the reason, as the person reads it, instead of the question; at most `tries` times."""
    frame = play.frame
    assert frame is not None  # noqa: S101
    tries = frame.tries + 1
    play.update_frame(tries=tries)
    if tries >= step.tries:
        return _closed(play, "gave_up")
    _pose(play, step, text)
    return None


def _closed(play: Play, outcome: str) -> str:
    play.update_frame(question="", tries=0)
    return outcome


def enter_menu(play: Play, node: Node) -> None:
    step = node.step
    assert isinstance(step, schema.Menu)  # noqa: S101
    play.update_frame(tries=0)
    _pose(play, step, play.render(step.menu))


def hear_menu(play: Play, node: Node, event: Event) -> str | None:
    step = node.step
    assert isinstance(step, schema.Menu)  # noqa: S101
    if _silent(play, event):
        return "silent"
    if not isinstance(event, MessageReceived):
        return None
    key = chosen(play, event, shown(play, step.options))
    if key is None:
        return _again(play, step, play.render(step.explain or NOT_AN_OPTION))
    play.update_frame(question="", tries=0)
    machine = play.flow_of(play.conversation.frames[-1]).machine
    return f"answered:{key}" if machine.allows(node.state, f"answered:{key}") else "answered"
