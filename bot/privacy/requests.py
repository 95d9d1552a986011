"""Requests of data subjects: their kinds, their course and their clocks per law. Pure; who answers them lives elsewhere.

The clock starts with the first message that can be read as a request, also when the person does not finish a confirmation step
(EDPB 01/2022; privacy.md 2.3).
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bot.domain.machine import Machine
from bot.privacy.msgid import N_

KINDS = ("access", "erase", "rectify", "restrict", "object", "complaint")

RECEIVED, UNSURE, WAITING, EXTENDED, ANSWERED, REFUSED, CANCELLED = (
    "received", "unsure", "waiting", "extended", "answered", "refused", "cancelled",
)  # fmt: skip

STATES = (RECEIVED, UNSURE, WAITING, EXTENDED, ANSWERED, REFUSED, CANCELLED)

# An unsure wish waits for a human while its clock runs. `wait` stops the clock where the law lets it; a refusal is an answer too
# and names the way to complain (GDPR art. 12(4)).
MOVES = [
    ("understand", UNSURE, RECEIVED),
    ("dismiss", UNSURE, CANCELLED),
    ("wait", RECEIVED, WAITING),
    ("wait", EXTENDED, WAITING),
    ("go_on", WAITING, RECEIVED),
    ("extend", RECEIVED, EXTENDED),
    ("answer", RECEIVED, ANSWERED),
    ("answer", EXTENDED, ANSWERED),
    ("answer", WAITING, ANSWERED),
    ("refuse", RECEIVED, REFUSED),
    ("refuse", EXTENDED, REFUSED),
    ("refuse", WAITING, REFUSED),
    ("cancel", RECEIVED, CANCELLED),
    ("cancel", UNSURE, CANCELLED),
    ("cancel", WAITING, CANCELLED),
    ("cancel", EXTENDED, CANCELLED),
]

MACHINE = Machine("request", states=STATES, initial=RECEIVED, moves=MOVES)

CLOSED = (ANSWERED, REFUSED, CANCELLED)


def state_at_opening(status: str) -> str:
    """The state for the `status` of an OpenRequest: open, unsure or done. Raises `ValueError` for another."""
    try:
        return {"open": RECEIVED, "unsure": UNSURE, "done": ANSWERED}[status]
    except KeyError:
        raise ValueError(f"a request is opened as open, unsure or done, not as {status!r}") from None


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a law says it: calendar months, or days. Exactly one is not zero."""

    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Law:
    """The clock of one law.

    Attributes:
        answer: time to answer.
        extension: what may be added, if the person is told why within `answer`; None where the law has none.
        pauses: the kinds whose clock stops while the person is asked what they mean.
        rolls: a term that ends on a Saturday or Sunday runs to Monday.
        complaint_receipt: time to acknowledge a complaint; None where the general time holds.
        source: the articles.
    """

    answer: Span
    extension: Span | None
    pauses: frozenset[str]
    rolls: bool
    complaint_receipt: Span | None
    source: str


LAWS: Mapping[str, Law] = {
    "gdpr": Law(Span(months=1), Span(months=2), pauses=frozenset(), rolls=True, complaint_receipt=None, source="GDPR art. 12(3)"),
    "uk": Law(Span(months=1), Span(months=2), pauses=frozenset({"access"}), rolls=True, complaint_receipt=Span(days=30),
              source="UK GDPR art. 12A; Data (Use and Access) Act 2025"),
    "lgpd": Law(Span(days=15), None, pauses=frozenset(), rolls=False, complaint_receipt=None, source="LGPD art. 19, II"),
}  # fmt: skip

TERMS: Mapping[tuple[int, int], str] = {(1, 0): N_("one month"), (0, 15): N_("15 days")}
"""The first terms of all laws (months, days) in words."""

_LAW_OF_COUNTRY = {"GB": "uk", "BR": "lgpd"}


def law_of(countries: Iterable[str | None]) -> str:
    """The law whose clock is kept for a person: the shortest of their country's and the business's.

    Args:
        countries: two-letter codes of the person and of the business; unknown ones count as the GDPR's, the strictest of the rest.
    """
    laws = {_LAW_OF_COUNTRY.get((country or "").upper(), "gdpr") for country in countries} or {"gdpr"}
    return min(laws, key=lambda name: (_about(LAWS[name].answer), bool(LAWS[name].pauses), name))


def _about(span: Span) -> int:
    return span.months * 30 + span.days


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which we waited for the person; `until` is None while we still do."""

    since: datetime
    until: datetime | None = None


def due_at(
    kind: str, received_at: datetime, law: str, *, zone: tzinfo, extended: bool = False, pauses: Iterable[Pause] = ()
) -> datetime | None:
    """The last moment (UTC) at which the request is answered in time: the end of that day where the business is.

    A month ends on the day of the same number, or on the last of a shorter month; under the laws of the EU and the United Kingdom a
    term that ends on a Saturday or Sunday runs to Monday (Regulation 1182/71 art. 3(2)-(4); ICO, time limits); holidays are not
    counted in our favour.

    Args:
        kind: one of `KINDS`.
        received_at: the first message that asked (UTC).
        law: a name in `LAWS`.
        zone: the business's time zone.
        extended: the person was told in time that it takes longer.
        pauses: waits for the person, which only some laws take into account.

    Returns:
        None while the clock stands still.

    Raises:
        ValueError: for an unknown kind or law, or an extension that the law does not know.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no request; there are {', '.join(KINDS)}")
    rules = LAWS.get(law)
    if rules is None:
        raise ValueError(f"{law!r} is no known law; there are {', '.join(LAWS)}")
    span = _span(kind, rules, extended=extended)
    waited = timedelta()
    if kind in rules.pauses:
        for pause in pauses:
            if pause.until is None:
                return None
            waited += pause.until - pause.since
    begun = (received_at.astimezone(zone)).date()
    last = _plus_months(begun, span.months) + timedelta(days=span.days)
    last = (datetime.combine(last, datetime.min.time()) + waited).date()
    if rules.rolls:
        last = _next_working_day(last)
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=zone)
    return midnight.astimezone(received_at.tzinfo) - timedelta(milliseconds=1)


def _span(kind: str, rules: Law, *, extended: bool) -> Span:
    span = rules.complaint_receipt if kind == "complaint" and rules.complaint_receipt else rules.answer
    if not extended:
        return span
    if rules.extension is None:
        raise ValueError(f"{rules.source} knows no extension")
    return Span(span.months + rules.extension.months, span.days + rules.extension.days)


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _next_working_day(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)
