"""`send`: a template, which the gate lets out or not."""

from bot.domain.message import TemplateMessage
from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.play import Play


def template(play: Play, name: str, parameters: tuple[str, ...]) -> TemplateMessage:
    """A declared template in the person's language, or the nearest it has."""
    declared = play.world.book.business.templates[name]
    wanted = play.language
    languages = declared.languages
    base = wanted.split("-", maxsplit=1)[0]
    language = wanted if wanted in languages else base if base in languages else next(iter(languages))
    return TemplateMessage(name, language, parameters, buttons=declared.payloads)


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
