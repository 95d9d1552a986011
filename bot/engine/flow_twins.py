"""The same test of a flow held in another language, beside the one it was written in: step for step it must come to the same.

A tests file is written in one language. Held in another, what people say is said in that language where a catalog knows the words (start
words, buttons), and what the bot says is compared by its shape: as many messages, as many buttons, none left untranslated. What is
expected of steps, fields, consents and calls is expected there too. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.domain.command import Send
from bot.engine.flow_tests import FlowTest, Line, User
from bot.engine.flow_trial import Outcome, Talk, Unmet, body, shown, titles
from bot.engine.play import EngineDefect

TELLING = 24
"""Texts that are shorter may be the same in two languages: a name, a number, `OK`."""

Translate = Callable[[str, str], str]


@dataclass
class Twins:
    """One test under way in two languages at once."""

    own: Talk
    other: Talk
    translate: Translate

    def run(self) -> Outcome:
        """Plays all lines in both; the transcript is the other language's. Never raises for what stands in the test."""
        at = None
        self.other.conversation = replace(self.other.conversation, language_chosen=True)
        try:
            self.own.begin()
            self.other.begin()
            self._alike()
            for number, line in enumerate(self.own.test.talk):
                at = number
                self._line(line)
        except (Unmet, EngineDefect) as problem:
            return Outcome(at, str(problem), tuple(self.other.transcript), tuple(self.other.flows))
        return Outcome(transcript=tuple(self.other.transcript), flows=tuple(self.other.flows))

    @property
    def _language(self) -> str:
        return self.other.test.given.language

    def _line(self, line: Line) -> None:
        said = self._said(line)  # before the next message comes to either
        self.own.line(line)
        if line.bot is not None:
            return  # what is said is compared by its shape
        if line.expect is not None:
            without = line.expect.model_copy(update={"language": None})
            self.other.line(line.model_copy(update={"expect": without}))
            return
        self.other.line(said)
        self._alike()

    def _said(self, line: Line) -> Line:
        """What the person says, in the other language: the button in the same place, or the words a catalog knows."""
        if line.user is None:
            return line
        if line.user.button:
            return line.model_copy(update={"user": User(button=self._button(line.user.button))})
        words = line.user.in_.get(self._language) or self.translate(line.user.words, self._language)
        return line.model_copy(update={"user": line.user.model_copy(update={"words": words})})

    def _button(self, title: str) -> str:
        """The title that stands where this one stood on the newest message that had it."""
        for mine, theirs in zip(reversed(self.own.sent), reversed(self.other.sent), strict=False):
            if title in titles(mine) and len(titles(theirs)) == len(titles(mine)):
                return titles(theirs)[titles(mine).index(title)]
        raise Unmet(f"nothing to tap says `{title}`")

    def _alike(self) -> None:
        mine, theirs = (_sends(one) for one in (self.own, self.other))
        if [_shape(one) for one in mine] != [_shape(one) for one in theirs]:
            raise Unmet(
                f"`{' · '.join(map(shown, theirs))}` came; in the language of the file: `{' · '.join(map(shown, mine))}`"
            )
        if self.own.conversation.language == self.other.conversation.language:
            return  # the person asked for that one
        for one, other in zip(mine, theirs, strict=True):
            if body(one) == body(other) and len(body(one)) >= TELLING and _are_words(body(one)):
                raise Unmet(f"`{shown(other)}` is not translated")


def in_language(test: FlowTest, language: str) -> FlowTest:
    """The test with a person of another language."""
    return test.model_copy(update={"given": test.given.model_copy(update={"language": language})})


def _sends(talk: Talk) -> list[Send]:
    return [one for one in talk.since if isinstance(one, Send)]


def _shape(send: Send) -> tuple[str, int]:
    return type(send.message).__name__, len(titles(send))


def _are_words(text: str) -> bool:
    return sum(one.isalpha() for one in text) > len(text) // 2
