"""The life of a consent, one per purpose: the states, the moves, and the fields of its evidence (GDPR art. 7).

Withdrawing takes one move from every state in which a consent could exist, because it must be as easy as giving it was
(GDPR art. 7(3)). Nothing reaches `given` but through `pending_confirmation`: the double opt-in.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.ids import CommandId
from bot.domain.machine import Machine

UNKNOWN, REQUESTED, PENDING = "unknown", "requested", "pending_confirmation"
GIVEN, REFUSED, WITHDRAWN, EXPIRED, INVALIDATED = "given", "refused", "withdrawn", "expired", "invalidated"

STATES = (UNKNOWN, REQUESTED, PENDING, GIVEN, REFUSED, WITHDRAWN, EXPIRED, INVALIDATED)

# Decisions.md 9. `ask` opens a request, `first_yes` and `confirm` are the two steps, `yes` is the one step of a purpose
# whose law asks for no second. A refusal or an expiry is not a withdrawal: nothing had been given.
MOVES = [
    ("ask", UNKNOWN, REQUESTED),
    ("ask", REQUESTED, REQUESTED),
    ("ask", PENDING, REQUESTED),
    ("ask", REFUSED, REQUESTED),
    ("ask", WITHDRAWN, REQUESTED),
    ("ask", EXPIRED, REQUESTED),
    ("ask", INVALIDATED, REQUESTED),
    ("first_yes", REQUESTED, PENDING),
    ("confirm", PENDING, GIVEN),
    ("yes", REQUESTED, GIVEN),
    ("refuse", REQUESTED, REFUSED),
    ("refuse", PENDING, REFUSED),
    ("expire", REQUESTED, EXPIRED),
    ("expire", PENDING, EXPIRED),
    ("expire", GIVEN, EXPIRED),
    ("withdraw", UNKNOWN, WITHDRAWN),
    ("withdraw", REQUESTED, WITHDRAWN),
    ("withdraw", PENDING, WITHDRAWN),
    ("withdraw", GIVEN, WITHDRAWN),
    ("withdraw", REFUSED, REFUSED),
    ("withdraw", WITHDRAWN, WITHDRAWN),
    ("withdraw", EXPIRED, WITHDRAWN),
    ("withdraw", INVALIDATED, WITHDRAWN),
    ("invalidate", GIVEN, INVALIDATED),
]

MACHINE = Machine("consent", states=STATES, initial=UNKNOWN, moves=MOVES)

CONFIRMATION_WAITS = timedelta(hours=48)
"""How long the second yes may take before the request expires (decisions.md 9)."""

CONSENT_LASTS = timedelta(days=730)
"""How long a given consent holds before it is asked for again (EDPB 05/2020; decisions.md 39)."""

ASK_AGAIN_BEFORE = timedelta(days=30)
"""How long before its end a consent is asked for again (EDPB 05/2020; privacy.md 2.2)."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Where one purpose stands for one person; a projection of the ledger's events.

    Attributes:
        since: when this state was reached (UTC).
        request: id that joins the first and the second yes; single use.
        expires: until when the open request may be answered.
        valid_until: until when a given consent holds.
        event: the ledger event that led here.
        notice: content hash of the notice that had been shown.
        purpose_hash: content hash of the purpose's words that were agreed to.
        asked_again: when the person was asked to let it go on; None while nobody asked.
    """

    state: str = UNKNOWN
    since: datetime | None = None
    request: str = ""
    expires: datetime | None = None
    valid_until: datetime | None = None
    event: CommandId = CommandId("")
    notice: str = ""
    purpose_hash: str = ""
    asked_again: datetime | None = None

    @property
    def renewal_opens(self) -> datetime | None:
        """From when on a given consent may be asked for again, so that it does not end unnoticed; None when it has no end."""
        return self.valid_until - ASK_AGAIN_BEFORE if self.state == GIVEN and self.valid_until is not None else None

    def renewal_due(self, now: datetime) -> bool:
        """Whether a live consent should be asked for again now."""
        opens = self.renewal_opens
        return self.is_live(now) and opens is not None and now >= opens

    def is_live(self, now: datetime) -> bool:
        """Whether messages may rest on it at `now`: given, and not past its end."""
        return self.state == GIVEN and (self.valid_until is None or now < self.valid_until)

    def is_open(self, now: datetime) -> bool:
        """Whether the person may still answer its request at `now`."""
        return self.state in (REQUESTED, PENDING) and (self.expires is None or now < self.expires)

    def moved(self, trigger: str, now: datetime, **changes: object) -> "Consent":
        """The consent after `trigger`. Raises `IllegalMove` when the table has no such move."""
        return replace(self, state=MACHINE.apply(self.state, trigger), since=now, **changes)  # type: ignore[arg-type]


NO_CONSENT = Consent()
