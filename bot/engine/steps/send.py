"""`send`: a template, which the gate lets out or not."""

from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.play import Play
from bot.engine.templates import template


def enter(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.SendStep)  # noqa: S101 - the compiler pairs verb and model
    refused = play.world.rules.may_send(play.conversation, step.send, play.now)
    if refused:
        return refused
    play.flush()
    parameters = tuple(play.world.texts.show(play.value(name), "", play.language, play.zone) for name in step.with_)
    play.send(template(play, step.send, parameters))
    return "sent"
