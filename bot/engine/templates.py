"""Which of a declared template's languages a person gets."""

from bot.domain.message import TemplateMessage
from bot.engine.play import Play


def template(play: Play, name: str, parameters: tuple[str, ...]) -> TemplateMessage:
    """A declared template in the person's language, or the nearest it has."""
    declared = play.world.book.business.templates[name]
    wanted = play.language
    languages = declared.languages
    base = wanted.split("-", maxsplit=1)[0]
    language = wanted if wanted in languages else base if base in languages else next(iter(languages))
    return TemplateMessage(name, language, parameters, buttons=declared.payloads)
