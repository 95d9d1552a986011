"""The gate: whether one message may go out now. One pure function, asked when a send is queued and again inside its claim.

It fails closed: a reason, purpose, category or template it does not know is refused. What needs no consent is the named list
`WITHOUT_CONSENT`, each with its article and its limits; everything else rests on a purpose of business.yaml. Nothing here
sends, counts or remembers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TypeAlias

from bot.domain.business import Business, Purpose, Template
from bot.domain.command import Send
from bot.domain.consent import REFUSED as CONSENT_REFUSED
from bot.domain.consent import WITHDRAWN
from bot.domain.conversation import Conversation
from bot.domain.message import TemplateMessage
from bot.privacy import intents, suppression
from bot.privacy.suppression import MARKETING

BUSINESS = "business"
OPT_IN = "opt_in_confirmation"
AGENT = "agent"

STOP_PAYLOAD = "recado:stop"
"""How the payload of a quick reply begins whose tap is a STOP."""

CATEGORIES = ("service", "utility", MARKETING, "authentication")


class Code(StrEnum):
    """Why the gate refused; stands in records and metrics, so it names no person and no purpose."""

    UNKNOWN_REASON = "unknown_reason"
    UNKNOWN_PURPOSE = "unknown_purpose"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_TEMPLATE = "unknown_template"
    TEMPLATE_MISMATCH = "template_mismatch"
    TEMPLATE_STOPPED = "template_stopped"
    NO_WAY_OUT = "no_way_out"
    MISDECLARED = "misdeclared"
    EXPIRED = "expired"
    ERASING = "erasing"
    RESTRICTED = "restricted"
    STOPPED = "stopped"
    NO_CONSENT = "no_consent"
    TERMS_CHANGED = "terms_changed"
    OBJECTED = "objected"
    NOT_REQUESTED = "not_requested"
    PROMOTIONAL = "promotional"
    WINDOW_CLOSED = "window_closed"
    CAPPED = "capped"
    UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True)
class Allowed:
    """May be sent now."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Must not be sent, now or later; put on record, not retried. `words` say why, for operators."""

    code: Code
    words: str


@dataclass(frozen=True, slots=True)
class Held:
    """May not be sent before `until` (UTC); ask again then."""

    until: datetime


Verdict: TypeAlias = Allowed | Refused | Held


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in any stretch of `period`."""

    most: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class WithoutConsent:
    """A kind of message that needs no consent.

    Attributes:
        law: why it is lawful without.
        by_template: may also go out when the 24-hour window is shut, as a utility template.
        while_restricted: may go out while processing is restricted (GDPR art. 18).
        while_erasing: may go out while the person is being erased.
    """

    law: str
    by_template: bool = False
    while_restricted: bool = True
    while_erasing: bool = False
    limit: Limit | None = None


_DAY = timedelta(days=1)
_MONTH = timedelta(days=30)

WITHOUT_CONSENT: Mapping[str, WithoutConsent] = {
    # The person asked; a stopped or restricted person is answered too (decisions.md 1). Only where they wrote within 24 hours.
    "answer": WithoutConsent("GDPR art. 6(1)(b), (f): the person asked"),
    # A person of the business answers in a chat that was handed to them. Whoever said STOP there writes first (decisions.md 1).
    AGENT: WithoutConsent("GDPR art. 6(1)(b), (f): the person asked for somebody", while_restricted=False),
    # One a STOP, short, inside the window, no offer (privacy.md 7.1; FCC 47 CFR 64.1200(a)(12)). The engine confirms a STOP once;
    # several a day happen only where the person came back in between, and this bounds them.
    "stop_confirmation": WithoutConsent("GDPR art. 12(3), 7(3)", while_erasing=True, limit=Limit(5, _DAY)),
    "erasure_receipt": WithoutConsent("GDPR art. 12(3), 17", while_erasing=True, limit=Limit(1, _DAY)),
    "rights": WithoutConsent("GDPR art. 12(3), 15 to 22", by_template=True, while_erasing=True),
    "notice": WithoutConsent("GDPR art. 13, 14, 21(4)", by_template=True),
    # The second step of a double opt-in, possibly to a stranger whose number somebody else typed: few, and never advertising
    # (privacy.md 6.2, T3; GDPR art. 6(1)(f), 7(1)).
    OPT_IN: WithoutConsent(
        "GDPR art. 6(1)(f), 7(1)", by_template=True, while_restricted=False, limit=Limit(3, _MONTH)
    ),
}  # fmt: skip
"""Everything that may be sent without the basis of a purpose. Nothing in it may be promotional."""

_CONSENT_BASES = ("consent", "soft_opt_in")


def decide(
    send: Send, conversation: Conversation, business: Business, *, now: datetime, zone: tzinfo, sent_in_period: int,
    suppressed: Mapping[str, datetime],
) -> Verdict:  # fmt: skip
    """Whether `send` may go out to this person at `now`.

    Args:
        send: the message with its stated reason.
        conversation: as it stands in the database now; never from a cache (decisions.md 13).
        business: what the business declared.
        now: UTC.
        zone: the person's time zone, for quiet hours.
        sent_in_period: how many such messages went out to the person within `limit(send, business).period`; 0 without a limit.
        suppressed: scope to since-when of the suppression rows; may be empty where decisions.md 40 lets the flags do.

    Returns:
        A refusal before a hold before a yes. Never raises for what people declared or asked for.
    """
    refusal = _refusal(send, conversation, business, now, sent_in_period, suppressed)
    if refusal is not None:
        return refusal
    try:
        until = _held_until(send, conversation, business, now, zone)
    except ValueError:
        return Refused(Code.MISDECLARED, "the purpose's quiet hours cannot be read; write them like 21:00-08:00")
    if until is None:
        return Allowed()
    if send.expires is not None and until >= send.expires:
        return Refused(Code.EXPIRED, "it would have to wait until after its own end")
    return Held(until)


def limit(send: Send, business: Business) -> Limit | None:
    """What the caller counts for `sent_in_period`, by person, reason and purpose; None when nothing limits such messages."""
    if send.reason != BUSINESS:
        kind = WITHOUT_CONSENT.get(send.reason)
        return kind.limit if kind else None
    purpose = business.purposes.get(send.purpose)
    return _declared_cap(purpose) if purpose else None


def way_out_needed(send: Send) -> bool:
    """Whether the message must say how to stop: everything sent of our own accord and every notice (decisions.md 39).

    Only one-time codes are left out, whose text Meta fixes.
    """
    return send.reason in (BUSINESS, OPT_IN, "notice") and send.category != "authentication"


_WORD = re.compile(r"\w+")


def says_way_out(template: Template, language: str) -> bool:
    """Whether a template tells its reader how to stop: a word that is a STOP in body or footer, or a button that stops."""
    if any(payload.startswith(STOP_PAYLOAD) for payload in template.payloads):
        return True
    text = f"{template.languages.get(language, '')} {template.footer.get(language, '')}"
    words = _WORD.findall(text)
    if {word.casefold() for word in words} & {word.casefold() for word in intents.stop_words(language)}:
        return True
    shouted = {word for word in words if word.isupper() and len(word) > 2}
    return any(intents.understand(word, language=language).decision is intents.Decision.STOP for word in shouted)


# -- refusals, in the order they are looked at -----------------------------------------------------------------------------


def _refusal(
    send: Send, conversation: Conversation, business: Business, now: datetime, sent: int, suppressed: Mapping[str, datetime]
) -> Refused | None:  # fmt: skip
    if (
        refused := _unknown(send, business)
        or _over(send, now)
        or _flags(send, conversation)
        or _template(send, business)
    ):
        return refused
    if send.reason == BUSINESS:
        refused = _own_accord(send, conversation, business, now, suppressed)
    else:
        refused = _without_consent(send, conversation, now, suppressed)
    return refused or _window(send, conversation, now) or _cap(send, business, sent)


def _unknown(send: Send, business: Business) -> Refused | None:
    if send.reason != BUSINESS and send.reason not in WITHOUT_CONSENT:
        return Refused(Code.UNKNOWN_REASON, "nothing is known by which such a message would be lawful")
    needs_purpose = send.reason in (BUSINESS, OPT_IN)
    if (send.purpose or needs_purpose) and send.purpose not in business.purposes:
        return Refused(Code.UNKNOWN_PURPOSE, "the purpose is not declared in business.yaml")
    if send.category not in CATEGORIES:
        return Refused(Code.UNKNOWN_CATEGORY, "the category is none of Meta's")
    return None


def _over(send: Send, now: datetime) -> Refused | None:
    if send.expires is not None and now >= send.expires:
        return Refused(Code.EXPIRED, "it could not be sent in time")
    return None


def _flags(send: Send, conversation: Conversation) -> Refused | None:
    kind = WITHOUT_CONSENT.get(send.reason)
    if conversation.erasing and not (kind and kind.while_erasing):
        return Refused(Code.ERASING, "the person's data are being erased (GDPR art. 17)")
    if conversation.restricted and not (kind and kind.while_restricted):
        return Refused(Code.RESTRICTED, "the use of the person's data is restricted (GDPR art. 18)")
    return None


def _template(send: Send, business: Business) -> Refused | None:
    if not isinstance(send.message, TemplateMessage):
        if send.category == "authentication":
            return Refused(Code.TEMPLATE_MISMATCH, "one-time codes go out as authentication templates only")
        return None
    template = business.templates.get(send.message.name)
    if template is None:
        return Refused(Code.UNKNOWN_TEMPLATE, "the template is not declared in business.yaml")
    if way_out_needed(send) and not says_way_out(template, send.message.language):
        return Refused(
            Code.NO_WAY_OUT, "the template does not say how to stop, in its own language (GDPR art. 7(3), 21(4))"
        )
    if send.reason != BUSINESS:
        if template.category == MARKETING:
            return Refused(Code.PROMOTIONAL, "a marketing template may go out under a purpose only")
        return None
    purpose = business.purposes[send.purpose]
    if template.purpose != send.purpose:
        return Refused(Code.TEMPLATE_MISMATCH, "the template belongs to another purpose")
    if not template.category == send.category == purpose.sends:
        return Refused(Code.TEMPLATE_MISMATCH, "template, message and purpose are not of the same category")
    return None


def _own_accord(
    send: Send, conversation: Conversation, business: Business, now: datetime, suppressed: Mapping[str, datetime]
) -> Refused | None:
    purpose = business.purposes[send.purpose]
    if send.category == MARKETING != purpose.sends:
        return Refused(Code.PROMOTIONAL, "this purpose does not send marketing (GDPR art. 5(1)(b))")
    # A marketing purpose stays one whatever a single message calls itself.
    consent = conversation.consent(send.purpose)
    # Two fresh yes to this purpose outweigh an older no, for this purpose alone (privacy.md 4.3.12).
    again = consent.since if consent.is_live(now) and purpose.covers(consent.purpose_hash) else None
    stopped = {
        scope: since
        for scope, since in suppression.standing(conversation.stopped, suppressed).items()
        if again is None or since >= again
    }
    if suppression.first_cover(stopped, purpose=send.purpose, category=purpose.sends) is not None:
        return Refused(Code.STOPPED, "the person wants no such messages (GDPR art. 7(3), 21(3))")
    # A soft opt-in is on record like a consent, with its sale (ePrivacy art. 13(2)); without a record there is none.
    if purpose.basis in _CONSENT_BASES and not consent.is_live(now):
        return Refused(Code.NO_CONSENT, "no consent stands for this purpose (GDPR art. 6(1)(a), 7)")
    if purpose.basis in _CONSENT_BASES and not purpose.covers(consent.purpose_hash):
        return Refused(Code.TERMS_CHANGED, "what was agreed to has changed since (GDPR art. 4(11), 7; EDPB 05/2020)")
    if purpose.basis == "legitimate_interest" and consent.state in (WITHDRAWN, CONSENT_REFUSED):
        return Refused(Code.OBJECTED, "the person objected to this purpose (GDPR art. 21(1))")
    return None


def _without_consent(
    send: Send, conversation: Conversation, now: datetime, suppressed: Mapping[str, datetime]
) -> Refused | None:
    if send.category == MARKETING:
        return Refused(Code.PROMOTIONAL, "a message without consent may not be promotional")
    if send.reason == AGENT and conversation.hushed:
        return Refused(Code.STOPPED, "the person wants no messages; an agent waits until they write again")
    if send.reason != OPT_IN:
        return None
    request = conversation.consent(send.purpose)
    if not request.is_open(now):
        return Refused(Code.NOT_REQUESTED, "no request for this consent is open")
    stopped = suppression.standing(conversation.stopped, suppressed)
    since = [
        when for scope, when in stopped.items() if suppression.covers(scope, purpose=send.purpose, category=MARKETING)
    ]
    # Somebody who stopped may come back, but only by their own words in the chat: never by a form that anybody can fill in.
    asked_again = request.since is not None and all(when < request.since for when in since)
    if since and not (asked_again and conversation.window_open(now)):
        return Refused(
            Code.STOPPED, "the person wants no messages and did not ask for this in the chat (GDPR art. 21(3))"
        )
    return None


def _window(send: Send, conversation: Conversation, now: datetime) -> Refused | None:
    if conversation.window_open(now):
        return None
    kind = WITHOUT_CONSENT.get(send.reason)
    if not isinstance(send.message, TemplateMessage):
        return Refused(
            Code.WINDOW_CLOSED, "outside the 24-hour window only templates may be sent (Meta: customer service window)"
        )
    if kind is not None and not kind.by_template:
        return Refused(Code.WINDOW_CLOSED, "such a message answers somebody, and nobody wrote in the last 24 hours")
    return None


def _cap(send: Send, business: Business, sent_in_period: int) -> Refused | None:
    try:
        most = limit(send, business)
    except ValueError:
        return Refused(Code.MISDECLARED, "the purpose's `at_most` cannot be read; write it like `4 per month`")
    if most is not None and sent_in_period >= most.most:
        return Refused(Code.CAPPED, "as many as were promised have been sent already")
    return None


# -- holds ----------------------------------------------------------------------------------------------------------------


def _held_until(
    send: Send, conversation: Conversation, business: Business, now: datetime, zone: tzinfo
) -> datetime | None:
    """The latest of all reasons to wait, or None. Raises `ValueError` for quiet hours that cannot be read."""
    untils = [send.not_before, _pause(send, conversation, business, now)]
    if send.reason == BUSINESS:
        untils.append(quiet_until(business.purposes[send.purpose].quiet, now, zone))
    return max((until for until in untils if until is not None and until > now), default=None)


def _pause(send: Send, conversation: Conversation, business: Business, now: datetime) -> datetime | None:
    """After an unclear wish, what rests on consent or is marketing waits (decisions.md 5)."""
    if send.reason == BUSINESS:
        purpose = business.purposes[send.purpose]
        touched = purpose.sends == MARKETING or purpose.basis in _CONSENT_BASES
    else:
        touched = send.reason == OPT_IN and not conversation.window_open(now)
    return conversation.paused_until if touched else None


def quiet_until(quiet: str, now: datetime, zone: tzinfo) -> datetime | None:
    """When the quiet hours that `now` lies in end (UTC), or None outside them.

    Args:
        quiet: `21:00-08:00`, in the person's own clock; it may pass midnight; empty for none.
        now: UTC.
        zone: the person's.

    Raises:
        ValueError: when `quiet` is not two times of day.
    """
    if not quiet:
        return None
    begin, end = (time.fromisoformat(part) for part in quiet.split("-"))
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    inside = begin <= clock < end if begin <= end else clock >= begin or clock < end
    if not inside:
        return None
    day = local.date() + (_DAY if clock >= end else timedelta())
    ends = datetime.combine(day, end, tzinfo=zone).astimezone(now.tzinfo)
    # Where the clock is set back, the end's first occurrence may have passed while the quiet hours repeat.
    return ends if ends > now else datetime.combine(day, end, tzinfo=zone).replace(fold=1).astimezone(now.tzinfo)


_CAP = re.compile(r"(\d+) per (day|week|month)")
_PERIODS = {"day": _DAY, "week": timedelta(days=7), "month": _MONTH}


def _declared_cap(purpose: Purpose) -> Limit | None:
    if not purpose.at_most:
        return None
    match = _CAP.fullmatch(purpose.at_most)
    if match is None:
        raise ValueError("`at_most` is written like `4 per month`")
    return Limit(int(match[1]), _PERIODS[match[2]])
