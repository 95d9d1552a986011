"""What a screen shows of a chat and of a person, by role: masked here and not in the page (console.md, "Masking in the API").

Pure: takes what was read and who looks; leaves out what they may not see.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.console import texts
from bot.domain.business import Business
from bot.domain.conversation import Conversation
from bot.handoff.roles import Field, Staff, sees
from bot.handoff.routing import fits
from bot.handoff.service import Done, waited
from bot.handoff.ticket import Line, Ticket, pseudonym
from bot.handoff.values import There

TARGET = timedelta(minutes=5)
"""How soon somebody should be answered; half of it colours the waiting time, all of it colours it more."""

SOON = timedelta(hours=2)
_BLANK = re.compile(r"\{\{\s*(\d+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Glance:
    """The little of a conversation that a list shows; clear fields only."""

    window_until: datetime | None = None
    stopped: bool = False
    pending: bool = False
    restricted: bool = False
    erasing: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One chat in the list."""

    id: str
    who: str
    last: str = field(repr=False)
    team: str
    owner: str
    waits: timedelta | None
    late: int
    unread: int
    urgent: bool
    window: str
    badge: str
    fit: bool
    state: str
    outcome: str
    labels: tuple[str, ...]
    viewers: tuple[str, ...]


def row(
    ticket: Ticket, staff: Staff, glance: Glance, now: datetime, *, names: Mapping[str, str], there: Sequence[There]
) -> Row:
    """A chat as its line in the list."""
    waits = waited(ticket, now)
    viewers = tuple(
        sorted({names.get(one.staff, one.staff) for one in there if one.viewing == ticket.id and one.staff != staff.id})
    )
    return Row(
        ticket.id, pseudonym(ticket.person), ticket.last if sees(staff, Field.WORDS) else "", ticket.team,
        names.get(ticket.owner, ""), waits, lateness(waits), ticket.unread if ticket.owner in ("", staff.id) else 0, ticket.urgent,
        window(glance.window_until, now), "STOP" if glance.stopped else "pending" if glance.pending else "",
        ticket.state == "queued" and fits(staff, ticket), ticket.state, ticket.outcome, ticket.labels, viewers,
    )  # fmt: skip


def lateness(waits: timedelta | None) -> int:
    """0 in time, 1 from half of the target on, 2 beyond it."""
    if waits is None:
        return 0
    return 2 if waits > TARGET else 1 if waits > TARGET / 2 else 0


def window(until: datetime | None, now: datetime) -> str:
    """`open`, `soon` (less than two hours) or `shut` (Meta: customer service window)."""
    if until is None or until <= now:
        return "shut"
    return "soon" if until - now < SOON else "open"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of the thread as it is shown."""

    id: str
    side: str
    who: str
    at: datetime
    kind: str
    words: str = field(repr=False)
    icon: str = ""
    fate: str = ""
    why: str = ""
    code: int = 0
    failed: bool = False
    gone: bool = False
    day: date | None = None


def bubbles(lines: Sequence[Line], staff: Staff, names: Mapping[str, str]) -> list[Bubble]:
    """The transcript; words only for roles that may read them."""
    shown: list[Bubble] = []
    last: date | None = None
    for line in lines:
        day = line.at.date() if line.at.date() != last else None
        last = line.at.date()
        shown.append(_bubble(line, staff, names, day))
    return shown


def _bubble(line: Line, staff: Staff, names: Mapping[str, str], day: date | None) -> Bubble:
    words = line.words if sees(staff, Field.WORDS) else ""
    refused = line.fate.partition(":")[2]
    failed = line.fate == "failed" or bool(refused)
    icon, fate = texts.FATES.get("failed" if failed else line.fate, ("", ""))
    why = texts.REFUSALS.get(refused, texts.NOT_ALLOWED) if refused else ""
    if line.fate == "failed":
        why = texts.META.get(line.code, texts.META_OTHER)
    return Bubble(
        line.id, line.direction, names.get(line.by, line.by), line.at, line.kind, words, icon, fate, why, line.code, failed, line.gone,
        day,
    )  # fmt: skip


# -- the composer ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """A template as the picker lists it; `locked` says why it cannot be sent now."""

    name: str
    title: str
    text: str
    blanks: int
    purpose: str
    locked: str = ""


@dataclass(frozen=True, slots=True)
class Composer:
    """What the server lets this agent write now. `why` says in words why there is no free reply."""

    mine: bool
    reply: bool
    why: str = ""
    until: datetime | None = None
    hushed: bool = False

    @property
    def state(self) -> str:
        """Changes when the composer has to be made anew."""
        return f"{self.mine}-{self.reply}-{self.why[:20]}"


def composer(ticket: Ticket, talk: Conversation | None, staff: Staff, now: datetime) -> Composer:
    """Which modes exist; decided again when something is sent, and by the gate when it goes out."""
    mine = ticket.owner == staff.id and ticket.is_open
    if talk is None or talk.erasing:
        return Composer(mine=False, reply=False, why=texts.REFUSALS["erasing"])
    until = talk.window_until
    why = ""
    if talk.restricted:
        why = texts.REFUSALS["restricted"]
    elif talk.hushed:
        why = texts.DONE[Done.STOPPED]
    elif not talk.window_open(now):
        why = texts.REFUSALS["window_closed"]
    return Composer(mine, mine and not why, why, until, talk.hushed)


def choices(business: Business, language: str, refusals: Mapping[str, str]) -> list[Choice]:
    """The templates an agent can pick, in the person's language; those that may not go out now are listed and locked."""
    found = []
    for name, declared in business.templates.items():
        if declared.category == "authentication" or _is_own(declared.payloads):
            continue
        tag = _nearest(declared.languages, language)
        text = declared.languages[tag]
        refusal = refusals.get(name, "")
        locked = texts.REFUSALS.get(refusal, texts.NOT_ALLOWED) if refusal else ""
        title = business.purposes[declared.purpose].title
        found.append(Choice(name, name.replace("_", " "), text, blanks(declared.languages), title, locked))
    return found


def blanks(languages: Mapping[str, str]) -> int:
    """How many values a template needs."""
    return max(len(set(_BLANK.findall(text))) for text in languages.values())


def _is_own(payloads: Sequence[str]) -> bool:
    """Templates that the program sends by itself: confirming a sign-up, renewing a consent."""
    return any(one.startswith(("recado:opt-in", "recado:renew")) for one in payloads)


def _nearest(languages: Mapping[str, str], wanted: str) -> str:
    base = wanted.partition("-")[0]
    return wanted if wanted in languages else base if base in languages else next(iter(languages))


# -- the person ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """One purpose in the consent strip: a state in words with its date, never a bare tick."""

    purpose: str
    title: str
    icon: str
    state: str
    since: datetime | None = None
    until: datetime | None = None
    basis: str = ""
    askable: bool = False
    withdrawable: bool = False


_ICONS = {
    "given": "✔",
    "withdrawn": "✖",
    "refused": "✖",
    "stopped": "■",
    "pending_confirmation": "…",
    "requested": "…",
}


def strip(talk: Conversation, business: Business, now: datetime) -> list[Standing]:
    """Every purpose with what the person said to it, or why nothing need be asked."""
    return [_standing(name, talk, business, now) for name in business.purposes]


def _standing(name: str, talk: Conversation, business: Business, now: datetime) -> Standing:
    purpose, consent = business.purposes[name], talk.consent(name)
    marketing = purpose.sends == "marketing"
    stops = [
        since for scope, since in talk.stopped.items() if scope in ("all", name) or (scope == "marketing" and marketing)
    ]
    live = consent.is_live(now)
    if stops and not (live and consent.since is not None and consent.since > max(stops)):
        return Standing(name, purpose.title, _ICONS["stopped"], "stopped", max(stops), None, purpose.basis)
    if purpose.basis not in ("consent", "soft_opt_in"):
        return Standing(name, purpose.title, "–", "not_needed", None, None, purpose.basis, withdrawable=True)
    askable = consent.state in ("unknown", "refused", "withdrawn", "expired", "invalidated")
    return Standing(
        name, purpose.title, _ICONS.get(consent.state, "?"), consent.state, consent.since, consent.valid_until, purpose.basis, askable,
        live,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A field the flow shared, with how long it is still kept."""

    name: str
    value: str = field(repr=False)
    left: timedelta | None


def shared(ticket: Ticket, staff: Staff, now: datetime) -> list[Shown]:
    """What the flow gave along; nothing else of before is loaded."""
    if not sees(staff, Field.SHARED):
        return []
    left = ticket.expires - now if ticket.expires is not None else None
    return [Shown(name.replace("_", " "), str(value), left) for name, value in ticket.shared.items()]


def masked(number: str) -> str:
    """The last three digits of a number, or of an id; enough to compare, not to call."""
    return f"••• ••• {number[-3:]}" if len(number) > 6 else "•••"
