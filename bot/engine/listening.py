"""Which language the bot answers in: the one asked for, else the one a person clearly writes in, else that of their country.

Runs after the intents: it can neither make nor undo a wish to stop, nor any right (decisions.md 3 to 5).
"""

from dataclasses import replace

from bot.domain.event import MessageReceived
from bot.domain.intent import Decision
from bot.engine.play import Play


def heard(play: Play, event: MessageReceived) -> MessageReceived:
    """Settles the language before the message is answered; the event with what was understood of a wish for another one."""
    if event.kind != "text" or event.option:
        return _taken_up(play, event, event.intent.target_language)
    wanted = play.world.texts.wish_of(event.words.value)
    flags = event.intent.flags
    if wanted is not None:
        flags = flags | {"language"}
    elif event.intent.target_language:
        flags = flags - {"language"}  # a language is named, but as in "an English manual"
    event = replace(event, intent=replace(event.intent, flags=flags, target_language=wanted or None))
    if "language" in flags:
        return _taken_up(play, event, wanted)
    if _may_follow(play, event):
        written = play.world.texts.written_in(event.words.value)
        if written and _base(written) != _base(play.language):
            play.set(language=written)
            play.language = written
    return event


def _taken_up(play: Play, event: MessageReceived, wanted: str | None) -> MessageReceived:
    """Remembers the language a person asked for, when it is offered."""
    if "language" in event.intent.flags and wanted:
        language = play.world.texts.closest(wanted)
        if _base(language) == _base(wanted):
            play.set(language=language, language_chosen=True)
            play.language = play.language_asked = language
    return event


def _may_follow(play: Play, event: MessageReceived) -> bool:
    """Whether the words may tell the language: not against a choice, not out of an answer to a question, not beside a wish to stop."""
    known, frame = play.conversation, play.frame
    if known.language_chosen or event.intent.decision is not Decision.NONE or not known.readable:
        return False
    return frame is None or not frame.question or play.node_of(frame).verb == "menu"


def _base(language: str) -> str:
    return language.split("-", maxsplit=1)[0]
