"""Fills the engine's port `Rules` from the privacy room and from what the business declares."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId
from bot.domain.message import TemplateMessage
from bot.engine.ports import ShownNotice
from bot.i18n.catalog import Catalog
from bot.privacy import intents
from bot.privacy.notice import Notice, render
from bot.privacy.numbers import zone_of_country
from bot.privacy.policy import Allowed, Code, Held, decide
from bot.privacy.requests import LAWS, TERMS, law_of

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\w{3})(?:-(\w{3}))?\s+(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_ANSWER_MOST = 200

_OUTCOMES = {
    Code.NO_CONSENT: "no_consent", Code.TERMS_CHANGED: "no_consent",
    Code.STOPPED: "opted_out", Code.OBJECTED: "opted_out", Code.WINDOW_CLOSED: "window_closed",
    Code.CAPPED: "capped",
}  # fmt: skip


def term_in_words(law: str, catalog: Catalog, language: str) -> str:
    """The time a law gives for an answer, e.g. `one month`."""
    span = LAWS[law].answer
    return catalog.translate(TERMS[span.months, span.days], language)


class BusinessRules:
    """The engine's `Rules` for one business; everything is made at start."""

    def __init__(self, business: Business, catalog: Catalog, informing: frozenset[str] = frozenset()) -> None:
        """`informing`: hashes of earlier notices that tell a person all that the present one does (`bot.privacy.terms`).

        Raises `SettingsProblem` when the notice cannot be rendered in an offered language. `staffed` is set where people have accounts;
        `always_open` in a demo, which people try out at any hour; `files` is taken back where pages have no public address.
        """
        self._business, self._catalog = business, catalog
        self._notices = {tag: _notice(business, tag, catalog) for tag in business.languages}
        self.staffed: Callable[[str], bool] = lambda _: False
        self.always_open = False
        self.files = True
        self._informing = informing | {one.hash for one in self._notices.values()}
        self._patterns = {name: re.compile(pattern) for name, pattern in business.patterns.items()}

    @property
    def business(self) -> Business:
        return self._business

    @property
    def notices(self) -> Mapping[str, Notice]:
        """The current notice in every offered language."""
        return self._notices

    def notice(self, language: str) -> ShownNotice:
        found = self._notices.get(language) or self._notices[self._business.language]
        return ShownNotice(found.short, found.hash, found.language, found.link)

    def informs(self, notice: str) -> bool:
        return notice in self._informing

    def stop_word(self, language: str) -> str:
        return intents.stop_word(language)

    def start_word(self, language: str) -> str:
        return intents.start_word(language)

    def says(self, words: str, language: str) -> str:
        if len(words) > _ANSWER_MOST:
            return ""
        flags = intents.understand(words, language=language).flags
        return "yes" if "yes" in flags else "no" if "no" in flags else ""

    def time_zone(self, country: str) -> str:
        return zone_of_country(country or None, business_zone=self._business.time_zone)

    def term(self, country: str, language: str) -> str:
        return term_in_words(law_of([country or None, self._business.country or None]), self._catalog, language)

    def matches(self, pattern: str, value: str) -> bool:
        found = self._patterns.get(pattern)
        return found is not None and len(value) <= _ANSWER_MOST and found.fullmatch(value.strip()) is not None

    def may_send(self, conversation: Conversation, template: str, now: datetime) -> str:
        """Asks the gate beforehand, so that a flow can say something better than nothing; the claim asks it again."""
        declared = self._business.templates[template]
        send = Send(CommandId(""), "business", TemplateMessage(template, ""), declared.purpose, declared.category)
        zone = ZoneInfo(self.time_zone(conversation.country))
        verdict = decide(send, conversation, self._business, now=now, zone=zone, sent_in_period=0, suppressed={})
        if isinstance(verdict, Allowed | Held):
            return ""
        return _OUTCOMES.get(verdict.code, "failed")

    def offers_files(self) -> bool:
        return self.files

    def is_staffed(self, team: str) -> bool:
        return self.staffed(team)

    def is_open(self, team: str, now: datetime) -> bool:
        declared = self._business.teams.get(team)
        if declared is None:
            return False
        local = now.astimezone(ZoneInfo(self._business.time_zone))
        return self.always_open or not declared.hours or any(_within(row, local) for row in declared.hours)


def _notice(business: Business, language: str, catalog: Catalog) -> Notice:
    return render(
        business, language, lambda text: catalog.translate(text, language), stop_word=intents.stop_word(language)
    )


def _within(row: str, local: datetime) -> bool:
    """Whether `mon-fri 09:00-17:00` holds now."""
    match = _HOURS.fullmatch(row.strip().lower())
    if match is None or match[1] not in _DAYS or (match[2] or match[1]) not in _DAYS:
        return False
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    today = local.weekday()
    in_days = first <= today <= last if first <= last else today >= first or today <= last
    opens, shuts = time(int(match[3]), int(match[4])), time(int(match[5]) % 24, int(match[6]))
    return in_days and opens <= local.time() < shuts
