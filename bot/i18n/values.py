"""Values as people type them: dates, times, lengths of time, numbers, money, telephone numbers, e-mail addresses.

The one door to the parsers behind it. What can mean two things is `unclear` and asked about; nothing is guessed silently.
Every answer is read in bounded time: a value is short, and what is longer is no value.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel import Locale, UnknownLocaleError

from bot.domain.values import Reading
from bot.i18n import amounts, contacts, guessing
from bot.i18n.catalog import base
from bot.i18n.moments import Context, Days, Moment, lengths, moments
from bot.i18n.vocabulary import vocabulary

LONGEST = 100
"""Characters of an answer that can be a value."""

MOST_CHOICES = 4
"""Readings people are asked to choose from; more would be a riddle."""

WRONG = Reading("wrong")
ENGLISH_ORDERS = {
    "US": "MDY",
    "PH": "MDY",
    "GB": "DMY",
    "IE": "DMY",
    "AU": "DMY",
    "NZ": "DMY",
    "IN": "DMY",
    "MT": "DMY",
    "ZA": "YMD",
}


class TypedValues:
    """The engine's `Values`."""

    def __init__(self, *, currency: str = "EUR") -> None:
        """`currency` is the money that amounts are asked in."""
        self._currency = currency

    def read(self, kind: str, words: str, language: str, now: datetime, country: str, tense: str = "") -> Reading:
        """The value of `kind` in these words. `now` is the moment on the person's own clock; never raises.

        `tense` (`future`, `past` or empty) says which of the days a word like "Friday" can mean is asked for.
        """
        text = words.strip()
        if not text or len(text) > LONGEST:
            return WRONG
        if kind == "email":
            return contacts.email(text)
        if kind == "phone":
            return contacts.phone(text, country)
        if kind in ("number", "whole_number", "money"):
            return amounts.number(kind, text, language, self._currency)
        if kind == "duration":
            return _chosen(lengths(text, vocabulary(language)), sure=True)
        if kind not in ("date", "time", "datetime"):
            return WRONG
        context = Context(now, tense, date_order(language, country))
        found = moments(text, vocabulary(language), context)
        read = {"date": _dates, "time": _times, "datetime": _datetimes}[kind](found, context)
        return read if read is not None else _guessed(kind, text, language, context)


def date_order(language: str, country: str) -> str:
    """`DMY`, `MDY` or `YMD` as dates in figures are written there; empty where the language alone does not say (English)."""
    region = language.replace("_", "-").partition("-")[2].upper() or country.upper()
    if base(language).casefold() == "en":
        order = ENGLISH_ORDERS.get(region, "")
        return order if order in ("DMY", "MDY") else ""
    for tag in (f"{base(language)}-{region}", base(language)):
        try:
            pattern = str(Locale.parse(tag, sep="-").date_formats["short"].pattern)
        except (ValueError, UnknownLocaleError):
            continue
        order = "".join(dict.fromkeys(one.upper() for one in pattern if one in "dMy"))
        return "MDY" if order.startswith("M") else "DMY"
    return "DMY"


def _chosen(values: Iterable[Any], *, sure: bool) -> Reading:
    """One sure value is the value; several, or one that is not sure, are asked about; too many are none."""
    known = tuple(dict.fromkeys(values))
    if not known or len(known) > MOST_CHOICES:
        return WRONG
    return Reading("ok", known[0]) if sure and len(known) == 1 else Reading("unclear", choices=known)


def _dates(found: Iterable[Moment], _: Context) -> Reading | None:
    """Days; a time of day beside one is let go, but not without asking."""
    named = [one for one in found if one.days]
    plain = [one for one in named if one.clock is None] or named
    if not plain:
        return None
    days = [day for one in plain if one.days for day in one.days.days]
    return _chosen(days, sure=all(one.days.sure and one.clock is None for one in plain if one.days))


def _times(found: Iterable[Moment], _: Context) -> Reading | None:
    clocks = [(one.clock, one.days) for one in found if one.clock]
    alone = [(clock, days) for clock, days in clocks if days is None] or clocks
    if not alone:
        at = next((one.at for one in found if one.at), None)
        return _chosen([at.time().replace(second=0, microsecond=0, tzinfo=None)], sure=False) if at else None
    return _chosen((one for clock, _ in alone for one in clock.times()), sure=all(days is None for _, days in alone))


def _datetimes(found: Iterable[Moment], context: Context) -> Reading | None:
    """Moments in UTC. A time without a day is of today or tomorrow, and asked about; a day without a time lacks it."""
    several = list(found)
    whole = [one for one in several if one.days and one.clock] or [one for one in several if one.at]
    if whole:
        values = [moment for one in whole for moment in _moments_of(one, context)]
        sure = all(one.at is not None or (one.days is not None and one.days.sure) for one in whole)
        return _chosen(values, sure=sure and all(_is_shown(one, whole, context) for one in values))
    clock = next((one.clock for one in several if one.clock), None)
    if clock is not None:
        near = Days((context.today, context.today + timedelta(days=1)))
        values = list(_moments_of(Moment(near, clock), context))
        wanted = [one for one in values if one >= context.now or context.tense == "past"]
        return _chosen(sorted(wanted)[: len(clock.times())], sure=False)
    return Reading("wrong", reason="time") if any(one.days for one in several) else None


def _moments_of(one: Moment, context: Context) -> Iterable[datetime]:
    if one.at is not None:
        yield one.at.astimezone(UTC).replace(second=0, microsecond=0)
    elif one.days is not None and one.clock is not None:
        ends = [day + timedelta(days=1) for day in one.days.days] if one.clock.turn else []
        yield from (_moment(day, at, context) for day in (*one.days.days, *ends) for at in one.clock.times())


def _is_shown(moment: datetime, said: Iterable[Moment], context: Context) -> bool:
    """Whether clocks there do show the time that was said; they leave one hour out when summer time begins."""
    local = moment.astimezone(context.now.tzinfo)
    return any(one.at is not None or (one.clock is not None and local.time() in one.clock.times()) for one in said)


def _moment(day: date, at: time, context: Context) -> datetime:
    """The moment at which clocks there show that day and time; one that a change of clocks leaves out is the one right after it."""
    return datetime.combine(day, at, tzinfo=context.now.tzinfo).astimezone(UTC)


def _guessed(kind: str, text: str, language: str, context: Context) -> Reading:
    """What the parser behind all languages makes of it, as a question."""
    if kind == "time":
        return WRONG
    found = guessing.guess(text, language, context)
    if found is None:
        return WRONG
    if kind == "date":
        return Reading("unclear", choices=(found.date(),))
    if (found.hour, found.minute) in ((0, 0), (context.now.hour, context.now.minute)):
        return Reading("wrong", reason="time")
    return Reading("unclear", choices=(_moment(found.date(), found.time(), context),))
