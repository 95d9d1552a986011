"""Consent from its evidence: what the ledger's events add up to, and whether an event holds all that proof needs (GDPR art. 7(1)).

Pure; the states and moves are `domain.consent`'s. Whatever order events arrive in, the same set of events gives the same answer,
and doubt ends restrictively (privacy.md 3.4).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.command import RecordConsent
from bot.domain.consent import GIVEN, MACHINE, NO_CONSENT, PENDING, REFUSED, REQUESTED, WITHDRAWN, Consent
from bot.domain.ids import CommandId
from bot.privacy.suppression import ALL, MARKETING

ONE_STEP = "expressed"
"""`consent_type` of a request whose purpose needs one yes only; every other request needs two."""

# What each kind of event must hold to be proof; privacy.md 3.2. `answer` stands for the words or the button.
_SHOWN = (
    "purpose",
    "state_after",
    "request",
    "purpose_hash",
    "notice_hash",
    "notice_language",
    "prompt_text",
    "workflow",
)
_ANSWERED = (*_SHOWN, "step", "answer_kind", "answer")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "notice_shown": ("notice_hash", "notice_language"),
    "requested": (*_SHOWN, "step", "basis", "consent_type", "request_expires_at", "withdrawal_method"),
    "first_step": (*_ANSWERED, "basis", "consent_type", "request_expires_at", "previous"),
    "confirmed": (*_ANSWERED, "basis", "consent_type", "valid_from", "valid_until", "withdrawal_method", "previous"),
    "refused": ("purpose", "state_after", "request"),
    "withdrawn": ("purpose", "state_after", "withdrawal_method"),
    "objected": ("withdrawal_method", "extent"),
    "expired": ("purpose", "state_after"),
    "reaffirmed": (*_ANSWERED, "valid_until"),
    "superseded": ("purpose", "state_after"),
    "invalidated": ("purpose", "state_after"),
    "imported": ("purpose", "state_after", "source"),
    "suppressed": ("scope",),
    "suppression_lifted": ("scope",),
    "restricted": (),
    "restriction_lifted": (),
    "receipt_issued": ("previous",),
    "erased": (),
}

_IMPORTED_GIVEN = (
    "basis",
    "purpose_hash",
    "notice_hash",
    "notice_language",
    "prompt_text",
    "answer_kind",
    "answer",
    "valid_from",
)
"""An import reaches `given` only with the evidence of its day (privacy.md 3.4, T7)."""

_STATE_AFTER = {
    "requested": REQUESTED, "first_step": PENDING, "confirmed": GIVEN, "refused": REFUSED, "withdrawn": WITHDRAWN,
    "expired": "expired", "invalidated": "invalidated",
}  # fmt: skip

_EITHER: Mapping[str, tuple[str, ...]] = {
    "answer": ("answer_text", "answer_id"),
    "workflow": ("flow_version", "source"),
    "extent": ("purpose", "scope"),
}
"""Requirements that any one of several fields meets."""


def check_event(event: RecordConsent) -> list[str]:
    """The fields that are missing, or say another thing than the kind of event does; empty when the event is complete.

    `answer` means the words or the button, `workflow` the flow's version or the form, `extent` a purpose or a scope.
    """
    required = REQUIRED.get(event.event_type)
    if required is None:
        return ["event_type"]
    if event.event_type == "imported" and event.state_after == GIVEN:
        required = (*required, *_IMPORTED_GIVEN)
    missing = [name for name in required if not any(getattr(event, one) for one in _EITHER.get(name, (name,)))]
    wanted = _STATE_AFTER.get(event.event_type)
    if wanted and event.state_after and event.state_after != wanted:
        missing.append("state_after")
    if event.occurred_at.tzinfo is None:
        missing.append("occurred_at")
    return missing


# -- the fold -------------------------------------------------------------------------------------------------------------

# Within one second (all the time the provider tells) what restricts comes last and therefore wins.
_ORDER = {
    name: rank
    for rank, names in enumerate(
        (
            ("imported",),
            ("requested",),
            ("first_step",),
            ("confirmed", "reaffirmed"),
            ("expired", "superseded", "invalidated"),
            ("refused",),
            ("withdrawn", "objected"),
            ("erased",),
        )
    )
    for name in names
}


@dataclass(frozen=True, slots=True)
class _Standing:
    """A purpose on the way through its events."""

    consent: Consent = NO_CONSENT
    one_step: bool = False


def fold(events: Iterable[RecordConsent], *, marketing: Collection[str] = ()) -> dict[str, Consent]:
    """Where each purpose stands after these events of one person, in whatever order they are given.

    A repetition (same id) changes nothing. A yes counts only for the request that is open at that time, before its end, and for a
    double opt-in only after the first yes to the same request; any other yes is passed over. A withdrawal or objection beats what is
    dated earlier or in the same second, also when that arrives later. After an erasure nothing is known.

    Args:
        events: only their clear fields are read.
        marketing: the purposes that an objection to `marketing` covers.

    Returns:
        `since` is when the deciding event occurred, not when it was recorded.
    """
    last: dict[str, _Standing] = {}
    for _, standings in _walk(events, marketing):
        last = standings
    return {purpose: one.consent for purpose, one in last.items()}


def not_honoured(events: Iterable[RecordConsent]) -> list[CommandId]:
    """The ids of recorded yeses that do not lead to a consent: late, without a first step, or to another request."""
    ignored = []
    for event, standings in _walk(events, ()):
        yes = event.event_type in ("first_step", "confirmed", "reaffirmed")
        if yes and standings.get(event.purpose, _Standing()).consent.event != event.id:
            ignored.append(event.id)
    return ignored


def _walk(
    events: Iterable[RecordConsent], marketing: Collection[str]
) -> Iterator[tuple[RecordConsent, dict[str, _Standing]]]:
    """Each event in its order with all standings after it."""
    once = {event.id: event for event in events}
    standings: dict[str, _Standing] = {}
    for event in sorted(once.values(), key=lambda one: (one.occurred_at, _ORDER.get(one.event_type, -1), one.id)):
        if event.event_type == "erased":
            standings = {}
        elif event.event_type == "objected":
            covered = _objected(event, standings, marketing)
            standings = {
                name: _after(one, replace(event, event_type="withdrawn")) if name in covered else one
                for name, one in standings.items()
            }
        elif event.event_type in _ORDER and event.purpose:
            standings = {**standings, event.purpose: _after(standings.get(event.purpose, _Standing()), event)}
        yield event, standings


def _objected(event: RecordConsent, known: Iterable[str], marketing: Collection[str]) -> Collection[str]:
    if event.scope == MARKETING:
        return marketing
    named = event.purpose or (event.scope if event.scope != ALL else "")
    # A scope that says nothing counts as all.
    return (named,) if named else tuple(known)


def _after(before: _Standing, event: RecordConsent) -> _Standing:
    consent = before.consent
    if event.event_type == "requested":
        return _Standing(_asked(consent, event), event.consent_type == ONE_STEP)
    if event.event_type == "imported":
        return replace(before, consent=_imported(consent, event))
    if event.event_type in ("first_step", "confirmed"):
        return replace(before, consent=_agreed(before, event))
    if event.event_type == "reaffirmed":
        if consent.state == GIVEN:
            longer = replace(
                consent, valid_until=event.valid_until, event=event.id, notice=event.notice_hash or consent.notice,
                purpose_hash=event.purpose_hash or consent.purpose_hash,
            )  # fmt: skip
            return replace(before, consent=longer)
        return before
    trigger = {"refused": "refuse", "withdrawn": "withdraw", "expired": "expire"}.get(event.event_type, "invalidate")
    if trigger == "refuse" and consent.state == GIVEN and consent.since == event.occurred_at:
        trigger = "withdraw"  # a yes and a no in one second: the no counts
    stale = event.event_type == "expired" and consent.state != GIVEN and event.request not in ("", consent.request)
    if stale or not MACHINE.allows(consent.state, trigger) or MACHINE.apply(consent.state, trigger) == consent.state:
        return before
    over = consent.moved(trigger, event.occurred_at, request="", expires=None, valid_until=None, event=event.id)
    return replace(before, consent=over)


def _asked(consent: Consent, event: RecordConsent) -> Consent:
    if not MACHINE.allows(consent.state, "ask"):
        return consent
    return consent.moved(
        "ask", event.occurred_at, request=event.request, expires=event.request_expires_at, valid_until=None,
        event=event.id, notice=event.notice_hash, purpose_hash=event.purpose_hash,
    )  # fmt: skip


def _agreed(standing: _Standing, event: RecordConsent) -> Consent:
    """The consent after a yes, or as it was when the yes is late, of another request, or out of turn."""
    consent = standing.consent
    if not event.request or event.request != consent.request or not consent.is_open(event.occurred_at):
        return consent
    if event.event_type == "first_step" and consent.state == REQUESTED and not standing.one_step:
        until = event.request_expires_at or consent.expires
        return consent.moved("first_yes", event.occurred_at, expires=until, event=event.id)
    trigger = "yes" if standing.one_step else "confirm"
    if event.event_type == "first_step" or not MACHINE.allows(consent.state, trigger):
        return consent
    return consent.moved(
        trigger, event.occurred_at, request="", expires=None, valid_until=event.valid_until, event=event.id
    )


def _imported(consent: Consent, event: RecordConsent) -> Consent:
    """A consent given elsewhere before: `given` with its evidence on record, else only a request (privacy.md 3.4)."""
    if not MACHINE.allows(consent.state, "ask"):
        return consent
    asked = consent.moved(
        "ask", event.occurred_at, request=event.request, expires=event.request_expires_at, event=event.id,
        notice=event.notice_hash, purpose_hash=event.purpose_hash,
    )  # fmt: skip
    # The words themselves are checked when the import is recorded; here the clear part of the evidence must stand.
    proven = event.state_after == GIVEN and event.source and event.notice_hash and event.purpose_hash
    # Who said no here is not brought back by a list from elsewhere.
    if not proven or consent.state in (WITHDRAWN, REFUSED):
        return asked
    return asked.moved("yes", event.occurred_at, request="", expires=None, valid_until=event.valid_until)
