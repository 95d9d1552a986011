"""When stored data go: the periods by class and purpose, and what of a row is due at a given moment (GDPR art. 5(1)(e)).

Pure: facts and a time in, names out. Who reads and deletes is `storage.sweeping`; the defaults stand in `inventory` (privacy.md 2.8).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.business import Business, duration
from bot.domain.conversation import Conversation
from bot.domain.errors import SettingsProblem
from bot.domain.ids import CommandId
from bot.privacy import inventory
from bot.privacy.inventory import Retention

_YEAR = timedelta(days=365)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which lengths an operator may choose, and why not beyond."""

    least: timedelta
    most: timedelta
    why: str


BOUNDS: Mapping[str, Bounds] = {
    "with_person": Bounds(30 * DAY, 3 * _YEAR, "people who do not write any more are forgotten within three years (CNIL)"),
    "flow": Bounds(DAY, 7 * DAY, "an unfinished flow is held for days, not for weeks (privacy.md 2.8)"),
    "evidence": Bounds(_YEAR, 10 * _YEAR, "a consent is proved while claims may be brought, not for ever (GDPR art. 7(1), 17(3)(e))"),
    "objection": Bounds(3 * _YEAR, 10 * _YEAR, "an objection is remembered for three years at least (CNIL; GDPR art. 21(3))"),
    "request": Bounds(_YEAR, 6 * _YEAR, "that a request was answered must be shown while a complaint may come (GDPR art. 12, 77)"),
    "request_words": Bounds(timedelta(), 90 * DAY, "its words serve the answer alone (GDPR art. 5(1)(b))"),
    "transcript": Bounds(DAY, 30 * DAY, "chats with people of the business are kept for a month at most (decisions.md 39)"),
    "dead_letter": Bounds(DAY, 7 * DAY, "what failed is looked at within a week or not at all"),
}  # fmt: skip
"""The periods that may be changed. The others follow from how Meta, backups and the program work (`inventory`)."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How long each class is kept here.

    Attributes:
        lasts: by the name of the retention.
        proofs: by purpose: the proof of its consent after the consent's end.
        flows: by flow: what it holds, where its purpose says less than the class does.
    """

    lasts: Mapping[str, timedelta]
    proofs: Mapping[str, timedelta] = field(default_factory=dict)
    flows: Mapping[str, timedelta] = field(default_factory=dict)

    def proof(self, purpose: str) -> timedelta:
        """How long the evidence of a purpose is kept after the end of its consent."""
        return self.proofs.get(purpose, self.lasts["evidence"])

    def flow(self, flows: Iterable[str]) -> timedelta:
        """How long what these open flows hold is kept: the shortest of theirs and the class's."""
        return min([self.lasts["flow"], *(self.flows[one] for one in flows if one in self.flows)])


def retentions() -> Mapping[str, Retention]:
    """Every retention of the register by its name."""
    return {one.retention.name: one.retention for table in inventory.COLLECTIONS.values() for one in table.fields}


def periods(business: Business, purposes_of_flows: Mapping[str, str], *, objection: timedelta | None = None) -> Periods:
    """The periods of this business.

    Args:
        business: its `retention`, and `keep_at_most` and `keep_proof` of its purposes.
        purposes_of_flows: flow to the purpose it serves.
        objection: the setting `RECADO_PRIVACY__SUPPRESSION_LASTS`, which wins over the file.

    Raises:
        SettingsProblem: for a class that is not known or cannot be changed, and for a length outside its bounds.
    """
    lasts = {name: one.lasts for name, one in retentions().items() if one.lasts is not None}
    for name, length in business.retention.items():
        lasts[name] = _within(name, length, f"business.yaml, retention, {name}")
    if objection is not None:
        lasts["objection"] = _within("objection", objection, "RECADO_PRIVACY__SUPPRESSION_LASTS")
    proofs = {}
    flows = {}
    for name, purpose in business.purposes.items():
        if (told := _proof(purpose.keep_proof)) is not None:
            proofs[name] = _within("evidence", told, f"business.yaml, purposes, {name}, keep_proof")
    for flow, purpose_name in purposes_of_flows.items():
        served = business.purposes.get(purpose_name)
        if served is not None and served.keep_at_most is not None:
            flows[flow] = served.keep_at_most
    return Periods(lasts, proofs, flows)


def _within(name: str, length: timedelta, where: str) -> timedelta:
    bounds = BOUNDS.get(name)
    if bounds is None:
        raise SettingsProblem(f"{where}: there is no such class to change; there are {', '.join(BOUNDS)}")
    if not bounds.least <= length <= bounds.most:
        raise SettingsProblem(
            f"{where}: {length.days} days is outside {bounds.least.days} to {bounds.most.days} days, because {bounds.why}"
        )
    return length


def _proof(words: str) -> timedelta | None:
    """`3 years after withdrawal` says three years; words without a length say nothing."""
    match = re.match(r"\d{1,5}\s+[a-z]+", words.strip().lower())
    if match is None:
        return None
    try:
        length = duration(match[0])
    except ValueError:
        return None
    return length if isinstance(length, timedelta) else None


# -- a conversation ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending command as retention sees it. `stays`: proof and rights are never dropped unfinished, only reported."""

    id: CommandId
    since: datetime
    stays: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a stored conversation."""

    conversation: Conversation
    touched: datetime
    seen: Sequence[datetime] = ()
    waiting: Sequence[Waiting] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is past its time.

    Attributes:
        rule: name of the retention.
        fields: what goes; `*` is the whole row.
        count: how many (ids, commands, or 1).
    """

    rule: str
    fields: str
    count: int = 1


def of_conversation(facts: Facts, now: datetime, periods: Periods) -> tuple[list[Due], datetime]:
    """(what is due at `now`, when to look again). A person who is due as a whole is the only thing that is due then."""
    moments = _moments(facts, periods)
    due = [
        Due(rule, fields, sum(one <= now for one in times)) for (rule, fields), times in moments.items()
        if any(one <= now for one in times)
    ]  # fmt: skip
    if any(one.fields == "*" for one in due):
        due = [one for one in due if one.fields == "*"]
    later = [one for times in moments.values() for one in times if one > now]
    return due, min(later, default=now + 30 * DAY)


def _moments(facts: Facts, periods: Periods) -> dict[tuple[str, str], list[datetime]]:
    """(retention, fields) to the moments at which each of them is past its time."""
    conversation, found = facts.conversation, {}
    if conversation.held is not None:
        found["held", "p/held"] = [conversation.held.until]
    if conversation.frames or any(conversation.slots) or not conversation.readable:
        begun = _flow_since(facts)
        found["flow", "frames timers p/slots"] = [begun + periods.flow(one.flow for one in conversation.frames)]
    if facts.seen:
        found["seen", "seen"] = [one + periods.lasts["seen"] for one in facts.seen]
    dropped = [one.since + periods.lasts["pending"] for one in facts.waiting if not one.stays]
    if dropped:
        found["pending", "pending"] = dropped
    if _may_leave(facts):
        last = conversation.last_inbound_at or conversation.created_at or facts.touched
        ends = [one.valid_until for one in conversation.consents.values() if one.state == "given" and one.valid_until]
        found["with_person", "*"] = [max([last + periods.lasts["with_person"], *ends])]
    return found


def _flow_since(facts: Facts) -> datetime:
    """The last word on either side: of the person, or the question of an open flow; else the last turn."""
    conversation = facts.conversation
    asked = [one.asked_at for one in conversation.frames if one.asked_at is not None]
    known = [one for one in (conversation.last_inbound_at, *asked) if one is not None]
    if conversation.frames and not asked:
        known.append(facts.touched)  # opened by the business, waiting for a system or a person
    return max(known, default=facts.touched)


def _may_leave(facts: Facts) -> bool:
    """Not while an erasure, a ticket, or a record that must be kept is under way."""
    conversation = facts.conversation
    open_ended = any(one.state == "given" and one.valid_until is None for one in conversation.consents.values())
    return not (conversation.erasing or conversation.ticket or open_ended or any(one.stays for one in facts.waiting))


def swept(conversation: Conversation, due: Sequence[Due]) -> Conversation:
    """The conversation without what is due of it, one version on."""
    rules = {one.rule for one in due}
    after = replace(conversation, version=conversation.version + 1)
    if "held" in rules:
        after = replace(after, held=None)
    if "flow" in rules:
        after = replace(after, frames=(), slots=(), timers=tuple(one for one in after.timers if one.frame < 0))
    return after


# -- evidence ---------------------------------------------------------------------------------------------------------------

_ENDS = frozenset({"withdrawn", "refused", "expired", "invalidated"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """One consent event as the ledger has it."""

    id: str
    purpose: str
    state: str
    occurred_at: datetime
    valid_until: datetime | None = None


def recorded(row: Mapping[str, Any]) -> Recorded:
    """An event from its stored row."""
    return Recorded(
        row["_id"], row.get("purpose", ""), row.get("state_after", ""), row.get("occurred_at") or row["recorded_at"],
        row.get("valid_until"),
    )  # fmt: skip


def evidence_ends(events: Sequence[Recorded], periods: Periods) -> dict[str, datetime | None]:
    """Event to the moment its evidence goes, for one person's events in any order; None while its consent is in force for good.

    An event counts from the end of the consent it belongs to: its withdrawal, refusal or expiry, else the day until which it was
    given; one that was never answered from itself. What belongs to no purpose (a notice, an objection) goes with the last of the rest.
    """
    ends: dict[str, datetime | None] = {}
    ordered = sorted(events, key=lambda one: one.occurred_at)
    for place, event in enumerate(ordered):
        if event.purpose:
            later = [one for one in ordered[place:] if one.purpose == event.purpose]
            end = _end(later)
            ends[event.id] = None if end is None else end + periods.proof(event.purpose)
    last = None if None in ends.values() else max((one for one in ends.values() if one is not None), default=None)
    in_force = None in ends.values()
    for event in ordered:
        if not event.purpose:
            own = event.occurred_at + periods.lasts["evidence"]
            ends[event.id] = None if in_force else max(own, last or own)
    return ends


def _end(later: Sequence[Recorded]) -> datetime | None:
    """The end of the consent that the first of these events belongs to."""
    given: Recorded | None = None
    for event in later:
        if event.state in _ENDS:
            return event.occurred_at
        given = event if event.state == "given" else given
    if given is None:
        return later[-1].occurred_at
    return given.valid_until


# -- rows that end as a whole -----------------------------------------------------------------------------------------------

COUNTED: Mapping[str, tuple[str, str]] = {
    "tickets": ("transcript", "closed_at"),
    "transcripts": ("transcript", "at"),
    "dead_letters": ("dead_letter", "at"),
}
"""Collection to (retention, field counted from), where a business may choose less than the row's own `expires` says."""


def row_ending() -> tuple[str, ...]:
    """The collections whose rows say themselves when they end (`expires`)."""
    return tuple(
        name for name, table in inventory.COLLECTIONS.items() if any(one.path == "expires" for one in table.fields)
    )


# -- what was done ------------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What is due, or what was deleted: the same lines either way, so that one can be held against the other.

    Attributes:
        counts: (collection, retention, fields) to how many; the fields `*` are whole rows.
        unverified: how much was still there when it was read back.
        overdue: kind to how much is past its time and must not be dropped unfinished (a record to be made, a request to be opened).
    """

    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    unverified: int = 0
    overdue: dict[str, int] = field(default_factory=dict)

    def add(self, collection: str, rule: str, fields: str = "*", count: int = 1) -> None:
        if count:
            key = (collection, rule, fields)
            self.counts[key] = self.counts.get(key, 0) + count

    def lines(self) -> list[dict[str, object]]:
        """The counts as rows with the reason in words, in a fixed order."""
        words = {name: one.words for name, one in retentions().items()}
        return [
            {
                "collection": collection,
                "fields": fields,
                "class": rule,
                "count": count,
                "kept": words.get(rule, REASONS.get(rule, "")),
            }
            for (collection, rule, fields), count in sorted(self.counts.items())
        ]


@dataclass(frozen=True, slots=True)
class Visit:
    """One pass over stored data: its time, whether it deletes or only tells, and where it writes what it found."""

    now: datetime
    delete: bool
    report: Report


REASONS: Mapping[str, str] = {
    "orphan": "left by a process that ended while it admitted somebody; nobody can be found by it",
}
"""Words for what no period of the register decides."""
