"""What the symbols of a text mean together: a day, a time of day, a length of time, each with every reading it allows.

Pure. A text is understood whole or not at all: one word that nobody knows ("not", "after") and there is no reading.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.i18n.vocabulary import Symbol, Vocabulary, cut

FAR = 300
"""Days ahead (or back) at which a day named without its year is asked about."""

MINUTES_SAID = frozenset({5, 10, 15, 20, 25})
"""Minutes people say before and after the hour; "3 to 4" is a span and no time of day."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a text is read against: `tense` is future, past or empty; `order` is the order of a date in figures (`DMY`, `MDY`, empty)."""

    now: datetime
    tense: str = ""
    order: str = "DMY"

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True, slots=True)
class Days:
    """The days a text can mean, the likeliest first; not `sure`: asked about even when there is one."""

    days: tuple[date, ...] = ()
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day; not `exact`: it can be the hour before noon or after it.

    `turn` marks the word midnight, which can be the beginning of a day or its end.
    """

    hour: int
    minute: int
    exact: bool
    turn: bool = False

    def times(self) -> tuple[time, ...]:
        if self.exact:
            return (time(self.hour, self.minute),)
        other = (self.hour + 12) % 24
        both = (time(self.hour, self.minute), time(other, self.minute))
        return both if 7 <= self.hour <= 12 else both[::-1]


@dataclass(frozen=True, slots=True)
class Moment:
    """Day and time as far as the text names them; `at` is a moment counted from now ("in two hours")."""

    days: Days | None = None
    clock: Clock | None = None
    at: datetime | None = None


def moments(text: str, words: Vocabulary, context: Context) -> tuple[Moment, ...]:
    """Every whole reading of a text; empty when there is none."""
    found: dict[Moment, None] = {}
    for symbols in cut(text, words):
        kept = [one for one in symbols if one.kind != "fill"]
        periods = [one.value for one in kept if one.kind == "period"]
        rest = [one for one in kept if one.kind != "period"]
        for clock, left in _clocks(rest, words):
            set_to = _by_periods(clock, periods) if clock else None
            if clock is not None and set_to is None:
                continue
            for moment in _with_days(left, set_to, context):
                found.setdefault(moment)
    return tuple(found)


# -- the time of day ------------------------------------------------------------------------------------------------------

_HOUR = frozenset({"num", "hour"})
_NUM = frozenset({"num"})
_PART = frozenset({"num", "quarter", "half"})
_MINUTES = {"quarter": 15, "half": 30}


def _minutes(symbol: Symbol) -> int:
    return _MINUTES.get(symbol.kind, symbol.value if isinstance(symbol.value, int) else -1)


def _shifted(hour: int, minutes: int, *, hour_said: int) -> Clock | None:
    """The time some minutes from the hour, on the half of the day in which the hour was said."""
    if not 0 <= hour_said <= 24:
        return None
    total = (hour * 60 + minutes) % (24 * 60)
    shown = divmod(total, 60)
    exact = hour_said > 12 or hour_said == 0
    return Clock(shown[0] if exact or shown[0] else 12, shown[1], exact)


def _past(minute: Symbol, hour: Symbol, sign: int) -> Clock | None:
    minutes = _minutes(minute)
    if minute.kind == "num" and minutes not in MINUTES_SAID:
        return None
    return _shifted(hour.value, sign * minutes, hour_said=hour.value)


def _plus(hour: Symbol, part: Symbol) -> Clock | None:
    minutes = _minutes(part)
    spoken = 0 <= minutes < 60 and minutes % 5 == 0  # "8 and 9" are two hours
    return _shifted(hour.value, minutes, hour_said=hour.value) if spoken else None


def _on_the_clock(hour: Symbol, _: Symbol, minute: Symbol) -> Clock | None:
    """`15 Uhr 42`."""
    return _shifted(hour.value, minute.value, hour_said=hour.value) if 0 <= minute.value < 60 else None


def _minus(hour: Symbol, part: Symbol) -> Clock | None:
    minutes = _minutes(part)
    return _shifted(hour.value, -minutes, hour_said=hour.value) if 0 < minutes < 60 else None


def _of_clock(one: Symbol, *, exact: bool) -> Clock | None:
    hour, minute, led = one.value
    if not (0 <= hour < 24 and 0 <= minute < 60):
        return None
    return Clock(hour, minute, led or hour > 12 or hour == 0 or exact)


def _half(hour: Symbol, style: str, shift: int = 0) -> Clock | None:
    """Half an hour by the hour: `half vier` is half past three in Dutch, `half four` half past four in English."""
    if not style:
        return None
    return _shifted(hour.value, (30 if style == "after" else -30) + shift, hour_said=hour.value)


_Rule = tuple[tuple[frozenset[str], ...], Callable[..., Clock | None]]


def _rules(words: Vocabulary) -> tuple[_Rule, ...]:
    """Sequences of kinds that name a time of day, with what they make of it."""
    k = frozenset
    style = words.half_style
    rules: list[_Rule] = [
        ((_PART, k({"past"}), _HOUR), lambda a, _, h: _past(a, h, 1)),
        ((_PART, k({"to"}), _HOUR), lambda a, _, h: _past(a, h, -1)),
        ((k({"before"}), _PART, _HOUR), lambda _, a, h: _past(a, h, -1)),
        ((k({"half_to"}), _HOUR), lambda _, h: _half(h, "before")),
        ((k({"half"}), _HOUR), lambda _, h: _half(h, style)),
        ((k({"three_quarters"}), _HOUR), lambda _, h: _minus(h, Symbol("quarter"))),
        ((_HOUR, k({"and"}), _PART), lambda h, _, a: _plus(h, a)),
        ((_HOUR, k({"minus"}), _PART), lambda h, _, a: _minus(h, a)),
        ((_HOUR, k({"oclock"}), k({"and"}), _PART), lambda h, _, __, a: _plus(h, a)),
        ((_HOUR, k({"oclock"}), k({"minus"}), _PART), lambda h, _, __, a: _minus(h, a)),
        ((_HOUR, k({"oclock"}), _NUM), _on_the_clock),
        ((_HOUR, k({"oclock"})), lambda h, _: _shifted(h.value, 0, hour_said=h.value)),
        ((k({"oclock"}), _HOUR), lambda _, h: _shifted(h.value, 0, hour_said=h.value)),
        ((k({"oclock"}), _HOUR, k({"and"}), _PART), lambda _, h, __, a: _plus(h, a)),
        ((k({"oclock"}), _HOUR, k({"minus"}), _PART), lambda _, h, __, a: _minus(h, a)),
        ((k({"hour"}),), lambda h: _shifted(h.value, 0, hour_said=h.value)),
        ((k({"hour"}), _NUM), _plus),
        ((k({"clock"}),), lambda c: _of_clock(c, exact=words.exact_hours)),
        ((k({"clock"}), k({"oclock"})), lambda c, _: _of_clock(c, exact=words.exact_hours)),
        ((k({"oclock"}), k({"clock"})), lambda _, c: _of_clock(c, exact=words.exact_hours)),
        (
            (k({"dot"}), k({"oclock"})),
            lambda d, _: _of_clock(Symbol("clock", (*d.value, False)), exact=words.exact_hours),
        ),
        ((k({"noon"}),), lambda n: Clock(n.value, 0, exact=True, turn=n.value == 0)),
    ]
    if style == "before":
        half = k({"half"})
        rules.append(((_PART, k({"past"}), half, _HOUR), lambda a, _, __, h: _half(h, style, _minutes(a))))
        rules.append(((_PART, k({"to"}), half, _HOUR), lambda a, _, __, h: _half(h, style, -_minutes(a))))
    return tuple(rules)


def _clocks(symbols: Sequence[Symbol], words: Vocabulary) -> Iterator[tuple[Clock | None, Sequence[Symbol]]]:
    """Each time of day that stands somewhere in the symbols, with what is left; then none at all."""
    for kinds, made in _rules(words):
        for at in range(len(symbols) - len(kinds) + 1):
            part = symbols[at : at + len(kinds)]
            if all(one.kind in kind for one, kind in zip(part, kinds, strict=True)):
                clock = made(*part)
                if clock is not None:
                    yield clock, [*symbols[:at], *symbols[at + len(kinds) :]]
    for at, one in enumerate(symbols):
        left = [*symbols[:at], *symbols[at + 1 :]]
        if one.kind == "num" and 0 <= one.value <= 23:
            yield _shifted(one.value, 0, hour_said=one.value), left
        if one.kind == "dot":
            clock = _of_clock(Symbol("clock", (*one.value, False)), exact=words.exact_hours)
            if clock is not None:
                yield clock, left
    yield None, symbols


def _by_periods(clock: Clock, periods: Sequence[str]) -> Clock | None:
    """The time within the parts of the day that are named; None where the two cannot go together."""
    for period in periods:
        hour, noon = clock.hour, clock.hour % 12
        if clock.exact and (hour > 12 or hour == 0):
            if period == "am" and hour:
                return None
            continue
        late = period in ("pm", "afternoon", "evening") and not (period == "evening" and hour == 12)
        late = late or (period == "night" and 6 <= hour <= 11)
        clock = replace(clock, hour=noon + 12 if late else noon, exact=True)
    return clock


# -- the day --------------------------------------------------------------------------------------------------------------


def _with_days(left: Sequence[Symbol], clock: Clock | None, context: Context) -> Iterator[Moment]:
    """The readings of what the time of day left over."""
    if not left:
        if clock is not None:
            yield Moment(clock=clock)
        return
    if clock is None:
        at = _from_now(left, context)
        if at is not None:
            yield Moment(at=at)
    days = _days(left, context)
    if days is not None and days.days:
        yield Moment(days, clock)


def _from_now(symbols: Sequence[Symbol], context: Context) -> datetime | None:
    """`in two hours`, `30 minutes ago`."""
    kinds = tuple(one.kind for one in symbols)
    if kinds in (("in", "half_hour"), ("in", "half", "unit")) and symbols[-1].value in (None, "hour"):
        return context.now + timedelta(minutes=30)
    shift = _relative(symbols)
    if shift is None or shift[1] not in ("minute", "hour"):
        return None
    return context.now + timedelta(**{f"{shift[1]}s": shift[0]})


_AHEAD = {("in", "num", "unit"): (1, 2), ("num", "unit", "from_now"): (0, 1), ("num", "unit", "in"): (0, 1)}
_BACK = {("ago", "num", "unit"): (1, 2), ("num", "unit", "ago"): (0, 1)}


def _relative(symbols: Sequence[Symbol]) -> tuple[int, str] | None:
    """(how many, of which unit) from now, or None."""
    kinds = tuple(one.kind for one in symbols)
    for table, sign in ((_AHEAD, 1), (_BACK, -1)):
        if kinds in table:
            count, unit = (symbols[place].value for place in table[kinds])
            return (sign * count, unit) if count <= 1000 else None
    if kinds in (("in", "unit"), ("unit", "from_now"), ("unit", "ago"), ("ago", "unit")):
        return (-1 if "ago" in kinds else 1), next(one.value for one in symbols if one.kind == "unit")
    if kinds in (("in", "pair"), ("ago", "pair")):
        return (2 if kinds[0] == "in" else -2), symbols[1].value
    return None


def _days(symbols: Sequence[Symbol], context: Context) -> Days | None:
    weekdays = [one.value for one in symbols if one.kind == "weekday"]
    rest = [one for one in symbols if one.kind != "weekday"]
    kinds = tuple(one.kind for one in rest)
    if len(weekdays) > 1:
        return None
    if weekdays and kinds in (
        (),
        ("next",),
        ("this",),
        ("last",),
        ("next", "unit"),
        ("unit", "next"),
        ("this", "unit"),
        ("unit", "this"),
    ):
        return _weekday(weekdays[0], rest, context)
    named = _named(rest, kinds, context)
    if named is None or not weekdays:
        return named
    agreed = tuple(day for day in named.days if day.weekday() == weekdays[0])
    if agreed:
        return Days(agreed, named.sure or len(named.days) > 1)
    return Days((*named.days, *_weekday(weekdays[0], (), context).days), sure=False)


def _named(rest: Sequence[Symbol], kinds: tuple[str, ...], context: Context) -> Days | None:
    """A day named by figures, by its month, or counted from today."""
    values = [one.value for one in rest]
    if kinds == ("iso",):
        return _valid(*values[0])
    if kinds == ("numbers",):
        return _figures(values[0], context)
    if kinds == ("dot",):
        return _figures((*values[0], None, 0), context)
    if kinds == ("offset",):
        return Days((context.today + timedelta(days=values[0]),))
    if kinds in (("ord",), ("num",)):
        return _day_of_month(values[0], context)
    if len(kinds) >= 2 and {kinds[0], kinds[1]} <= {"num", "ord", "month"} and kinds[:2].count("month") == 1:
        day, month = (values[1], values[0]) if kinds[0] == "month" else (values[0], values[1])
        if len(kinds) == 2:
            return _nearest(day, month, context)
        return _valid(values[2], month, day) if len(kinds) == 3 and kinds[2] == "num" and values[2] >= 1000 else None
    shift = _relative(rest)
    return _counted(*shift, context) if shift else None


def _counted(number: int, unit: str, context: Context) -> Days | None:
    if unit in ("day", "week"):
        return Days((context.today + timedelta(days=number * (7 if unit == "week" else 1)),))
    if unit in ("month", "year"):
        months = context.today.year * 12 + context.today.month - 1 + number * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        return _valid(year, month + 1, context.today.day) or _valid(year, month + 1, 28)
    return None


def _valid(year: int, month: int, day: int) -> Days | None:
    made = _date(year, month, day)
    return Days((made,)) if made else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if 1850 <= made.year <= 2200 else None


def _figures(figures: tuple[int, int, int | None, int], context: Context) -> Days | None:
    """A date in figures: by the order of the place, both orders where the place does not say."""
    one, two, year, width = figures
    orders = {"DMY": ((one, two),), "MDY": ((two, one),)}.get(context.order, ((one, two), (two, one)))
    if context.order and not _possible(orders[0]):
        orders, sure = (orders[0][::-1],), False  # 12/24 where the day comes first: understood, and asked about
    else:
        sure = True
    found: dict[date, None] = {}
    for day, month in orders:
        full = None if year is None else _century(year, context) if width == 2 else year
        read = _nearest(day, month, context) if full is None else _valid(full, month, day)
        if read is not None:
            sure = sure and read.sure
            found |= dict.fromkeys(read.days)
    return Days(tuple(found), sure) if found else None


def _possible(pair: tuple[int, int]) -> bool:
    return 1 <= pair[0] <= 31 and 1 <= pair[1] <= 12


def _century(year: int, context: Context) -> int:
    """The full year of two figures: within twenty years ahead, or the hundred before; of the past, not ahead at all."""
    full = context.today.year // 100 * 100 + year
    limit = context.today.year + (0 if context.tense == "past" else 20)
    return full - 100 if full > limit else full


def _nearest(day: int, month: int, context: Context) -> Days | None:
    """A day without its year: the coming one, the one gone by, or both where nothing tells them apart."""
    years = range(context.today.year - 8, context.today.year + 9)
    all_of_them = [made for year in years if (made := _date(year, month, day))]
    coming = next((one for one in all_of_them if one >= context.today), None)
    gone = next((one for one in reversed(all_of_them) if one <= context.today), None)
    if coming is None or gone is None:
        return None
    if context.tense == "past":
        return Days((gone,), (context.today - gone).days <= FAR)
    if context.tense == "future" or (coming - context.today).days <= FAR // 2:
        return Days((coming,), (coming - context.today).days <= FAR)
    return Days((gone, coming), sure=False)


def _day_of_month(day: int, context: Context) -> Days | None:
    """`the 24th`: the coming one, or the one gone by where the past is asked for; always asked about."""
    sign = -1 if context.tense == "past" else 1
    for months in range(3):
        year, month = divmod(context.today.year * 12 + context.today.month - 1 + sign * months, 12)
        made = _date(year, month + 1, day)
        if made is not None and (made - context.today).days * sign >= 0:
            return Days((made,), sure=False)
    return None


def _weekday(weekday: int, rest: Sequence[Symbol], context: Context) -> Days:
    """A day of the week: the coming one, both where "next" can mean either, both where past and future are open."""
    monday = context.today - timedelta(days=context.today.weekday())
    this_week = monday + timedelta(days=weekday)
    coming = this_week if this_week >= context.today else this_week + timedelta(days=7)
    gone = this_week if this_week < context.today else this_week - timedelta(days=7)
    kinds = {one.kind: one.value for one in rest}
    if "unit" in kinds:
        if kinds["unit"] != "week":
            return Days()
        return Days((this_week + timedelta(days=7 if "next" in kinds else 0),))
    if "last" in kinds:
        return Days((gone,), sure=gone < monday)
    if "this" in kinds:
        return Days((coming,), sure=coming == this_week)
    if "next" in kinds:
        later = coming + timedelta(days=7)
        return (
            Days((coming,))
            if coming > this_week
            else Days((later, coming) if coming == context.today else (coming, later), sure=False)
        )
    if context.tense == "past":
        return Days((gone,))
    if coming == context.today:
        return Days((coming, coming + timedelta(days=7)), sure=False)
    return Days((coming,)) if context.tense == "future" else Days((coming, gone), sure=False)


# -- lengths of time ------------------------------------------------------------------------------------------------------

_BELOW_NOUGHT = re.compile(r"(?<![\w-])[-−–]\s?\d")

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def lengths(text: str, words: Vocabulary) -> tuple[timedelta, ...]:
    """The lengths of time a text can mean; months and years have none."""
    found: dict[timedelta, None] = {}
    if _BELOW_NOUGHT.search(text):
        return ()
    for symbols in cut(text, words):
        total = _length([one for one in symbols if one.kind != "fill"])
        if total:
            found.setdefault(total)
    return tuple(found)


def _length(symbols: Sequence[Symbol]) -> timedelta | None:
    seconds, at, last = 0.0, 0, float("inf")
    while at < len(symbols):
        taken = _one_length(symbols, at)
        if taken is None or taken[1] >= last:  # hours, then minutes: "2 hours 2 hours" is said of two things
            return None
        used, last = taken
        seconds, at = seconds + last, at + used
    return timedelta(seconds=seconds) if seconds <= 10 * 365 * 86400 else None


def _one_length(symbols: Sequence[Symbol], at: int) -> tuple[int, float] | None:
    """(symbols used, seconds) of the length that begins here."""
    kinds = tuple(one.kind for one in symbols[at : at + 3])
    values: list[Any] = [one.value for one in symbols[at : at + 3]]
    if kinds[:1] == ("and",) and at:
        later = _one_length(symbols, at + 1)
        if later is None and kinds[1:2] == ("half",) and symbols[at - 1].kind == "unit":
            return 2, _SECONDS.get(symbols[at - 1].value, 0) / 2  # an hour and a half
        return (later[0] + 1, later[1]) if later else None
    if kinds[:1] == ("clock",):
        return 1, values[0][0] * 3600 + values[0][1] * 60
    if kinds[:1] == ("half_hour",):
        return 1, 1800
    if kinds[:1] == ("pair",) and values[0] in _SECONDS:
        return 1, 2 * _SECONDS[values[0]]
    if kinds[:2] == ("half", "unit") and values[1] in _SECONDS:
        return 2, _SECONDS[values[1]] / 2
    if kinds[:2] == ("one_and_a_half", "unit") and values[1] in _SECONDS:
        return 2, _SECONDS[values[1]] * 1.5
    if kinds[:2] == ("num", "unit") and values[1] in _SECONDS:
        return 2, values[0] * _SECONDS[values[1]]
    if kinds[:2] in (("num", "oclock"), ("num", "hour")):
        return 2, values[0] * 3600
    if kinds[:1] == ("unit",) and values[0] in _SECONDS:
        return 1, _SECONDS[values[0]]
    return None
