"""What the engine asks of the rooms beside it; `bot.app` hands in the concrete parts. All of it is pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.conversation import Conversation
from bot.domain.values import Reading


class Texts(Protocol):
    """Languages: catalogs and formats (`bot.i18n`)."""

    def translate(self, text: str, language: str) -> str:
        """The text in that language, or along its fallback chain, or as it is."""

    def show(self, value: Any, how: str, language: str, zone: str) -> str:
        """A value as people write it there.

        `how` is empty, date, time, datetime, money, number, phone, join, upper, lower, full (to check it by) or short (a button).
        """

    def plural(self, number: float, language: str) -> str:
        """The CLDR plural category: zero, one, two, few, many or other."""

    def closest(self, language: str) -> str:
        """The offered language nearest to a tag (`pt-BR` for `pt-br`, `es` for `es-AR`), or the business's own."""

    def of_country(self, country: str) -> str:
        """The offered language most spoken in a country (two letters), or the business's own."""

    def name(self, language: str) -> str:
        """The language's name in itself."""

    def wish_of(self, words: str) -> str | None:
        """The offered language a message asks for; empty when another is wanted and which must be asked; None when it is no such wish."""

    def written_in(self, words: str) -> str:
        """The offered language a message is clearly written in, or empty; short messages decide nothing."""


class Values(Protocol):
    """Dates, numbers, money and so on as people type them (`bot.i18n`)."""

    def read(self, kind: str, words: str, language: str, now: datetime, country: str, tense: str = "") -> Reading:
        """The value of `kind` (a value type of the flow language) in these words; `now` is on the person's own clock.

        `tense` (`future`, `past` or empty) is what is asked for. Bounded time for any words; never raises.
        """


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """The first layer of the privacy notice in one language, with the hash that names this very text (GDPR art. 13)."""

    text: str
    hash: str
    language: str
    link: str


class Rules(Protocol):
    """Privacy facts the engine shows or obeys (`bot.privacy`)."""

    def notice(self, language: str) -> ShownNotice: ...

    def informs(self, notice: str) -> bool:
        """Whether who was shown the notice of this hash need not be shown another (GDPR art. 13(3))."""

    def stop_word(self, language: str) -> str: ...

    def start_word(self, language: str) -> str: ...

    def says(self, words: str, language: str) -> str:
        """`yes`, `no` or empty: a clear answer in the language of the question, never a weak affirmation (privacy.md 4.3)."""

    def time_zone(self, country: str) -> str:
        """The time zone of a person of that country, or the business's (decisions.md 32)."""

    def may_send(self, conversation: Conversation, template: str, now: datetime) -> str:
        """Empty when this template would pass the gate now, else the outcome that says why not."""

    def term(self, country: str, language: str) -> str:
        """How long we may take to answer a request of a person of that country, in words: `one month` (GDPR art. 12(3))."""

    def matches(self, pattern: str, value: str) -> bool:
        """Whether a value fits a named pattern of business.yaml; decided in bounded time."""

    def is_open(self, team: str, now: datetime) -> bool:
        """Whether a team is at work."""

    def offers_files(self) -> bool:
        """Whether people can fetch a copy of their data by a link."""

    def is_staffed(self, team: str) -> bool:
        """Whether anybody has an account by which this team's chats can be answered."""


Slots = Mapping[str, Any]
