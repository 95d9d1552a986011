"""Which of a declared template's languages a person gets, and its values by name where it has named ones."""

from bot.domain.message import TemplateMessage
from bot.domain.template_text import are_named, values_of
from bot.engine.play import Play


def template(play: Play, name: str, parameters: tuple[str, ...]) -> TemplateMessage:
    """A declared template in the person's language, or the nearest it has."""
    declared = play.world.book.business.templates[name]
    wanted = play.language
    languages = declared.languages
    base = wanted.split("-", maxsplit=1)[0]
    language = wanted if wanted in languages else base if base in languages else next(iter(languages))
    values = values_of(languages[language])
    names = values if are_named(values) and len(values) == len(parameters) else ()
    return TemplateMessage(name, language, parameters, names, declared.payloads)
