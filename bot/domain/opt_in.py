"""A consent asked for on the website: what was shown there, until when its confirmation waits, and whether it may still count.

The form is only the first step and says nothing of who filled it in. The second one is an answer on the phone that the number
belongs to (GDPR art. 7(1); decisions.md 9). Pure values and rules; where requests are kept is not known here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.consent import Consent
from bot.domain.plain import PRIVATE, register

PAYLOAD = "recado:opt-in:"
"""What the quick replies of a confirming template send back begins with: `recado:opt-in:<kind>:<request>`."""

YES, NO, NOT_ME = "yes", "no", "not-me"
KINDS = (YES, NO, NOT_ME)
NEEDED = (YES, NOT_ME)
"""Replies a confirming template must offer: who was signed up by somebody else must be able to say so with one tap."""


@dataclass(frozen=True, slots=True)
class OptInRequest:
    """One request, for one purpose, of one number.

    Attributes:
        id: random to everybody outside, 32 hex digits; stands in the buttons of its template and nowhere else outside.
        expires: until when the confirmation may come.
        source: which page the form stood on: `website`, or the address of the site that embeds it.
        form_version: content hash of all words of the form.
        template: name and language of the confirming template, once it is sent.
        wording: the exact words beside the box.
        label: the exact words of the box.
        confirmation: the exact words of the confirming template with its buttons.
    """

    id: str
    purpose: str
    language: str
    asked_at: datetime
    expires: datetime
    source: str
    form_version: str
    notice_hash: str
    purpose_hash: str
    template: str = ""
    wording: str = field(default="", metadata=PRIVATE, repr=False)
    label: str = field(default="", metadata=PRIVATE, repr=False)
    confirmation: str = field(default="", metadata=PRIVATE, repr=False)


register(OptInRequest)


def payload(kind: str, request: str) -> str:
    """What a quick reply of the confirming template of `request` sends back."""
    return f"{PAYLOAD}{kind}:{request}"


def read_payload(option: str) -> tuple[str, str] | None:
    """(kind, request) of what a quick reply sent back, or None when it is none of ours."""
    kind, _, request = option.removeprefix(PAYLOAD).partition(":")
    return (kind, request) if option.startswith(PAYLOAD) and kind in KINDS and request else None


def counts(
    request: OptInRequest, consent: Consent, stops: Iterable[datetime], *, said_at: datetime, now: datetime
) -> bool:
    """Whether an answer to `request` decides about its consent.

    In doubt it does not: both the time of the answer and the time it is played must lie before the request's end, no stop that
    covers the purpose may stand, however old (a form that anybody can fill in brings nobody back), and whatever was said of this
    purpose in the chat since the request, or in its very second, outweighs it.

    Args:
        request: as the website made it.
        consent: where the purpose stands now.
        stops: since when each stop stands that covers the purpose.
        said_at: the provider's time of the answer.
        now: when it is played.
    """
    if max(said_at, now) >= request.expires or any(True for _ in stops):
        return False
    return consent.since is None or consent.since < request.asked_at.replace(microsecond=0)
