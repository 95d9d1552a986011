"""Rules of suppression: what each scope covers, how long it is remembered, and when a hit renews it.

Pure. The rows stand under keyed hashes (`keyring.suppression_ids`) and outlive an erasure; only the gate and the import filter
read them (GDPR art. 21(3); privacy.md 2.9).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

ALL = "all"
MARKETING = "marketing"

LASTS = timedelta(days=3 * 365)
"""How long a STOP is remembered after it was last needed (decisions.md 39; CNIL: at least three years)."""

RENEWED_AT_MOST_EVERY = timedelta(days=30)
"""A hit moves the expiry at most monthly, so that the row's times do not trace how often somebody was looked up."""

_COVERS_EVERYTHING = (ALL, "unclear", "")


def covers(scope: str, *, purpose: str, category: str) -> bool:
    """Whether a stop of `scope` forbids a message we send of our own accord for `purpose` in Meta's `category`.

    `all` covers everything, `marketing` every marketing message, a purpose's id that purpose. A scope that says nothing counts
    as `all`: doubt is the person's.
    """
    if scope in _COVERS_EVERYTHING:
        return True
    return category == MARKETING if scope == MARKETING else scope == purpose


def standing(*sources: Mapping[str, datetime]) -> dict[str, datetime]:
    """Scope to since-when over several sources (the conversation's flags, the rows); the latest wish counts.

    The latest, because only what a person asks for after it may bring messages back.
    """
    merged: dict[str, datetime] = {}
    for source in sources:
        for scope, since in source.items():
            merged[scope] = max(since, merged.get(scope, since))
    return merged


def first_cover(scopes: Iterable[str], *, purpose: str, category: str) -> str | None:
    """The scope that forbids such a message, the widest first, or None."""
    covering = [scope for scope in scopes if covers(scope, purpose=purpose, category=category)]
    return min(covering, key=lambda scope: (scope not in _COVERS_EVERYTHING, scope != MARKETING, scope), default=None)


def expires_at(since: datetime, hit_at: datetime | None = None, *, lasts: timedelta = LASTS) -> datetime:
    """When a row goes: `lasts` after the STOP or the last hit that renewed it, whichever is later."""
    return max(since, hit_at or since) + lasts


def is_standing(since: datetime, hit_at: datetime | None, now: datetime, *, lasts: timedelta = LASTS) -> bool:
    """Whether the row still forbids at `now`; also before the sweeper came."""
    return now < expires_at(since, hit_at, lasts=lasts)


def renewal(since: datetime, hit_at: datetime | None, now: datetime) -> datetime | None:
    """The `hit_at` to write when the row was needed at `now`, or None when it was renewed within the last month."""
    last = max(since, hit_at or since)
    return now if now - last >= RENEWED_AT_MOST_EVERY else None


def lifted_by(purposes: Iterable[str], scopes: Iterable[str], *, marketing: Iterable[str]) -> tuple[str, ...]:
    """The scopes that a fresh double opt-in to `purposes` lifts (Meta's own `resume` lifts nothing that the person said).

    Args:
        purposes: what was newly agreed to.
        scopes: what stands.
        marketing: the purposes whose messages are marketing.

    Returns:
        The purpose's own scope; also `all`, and `marketing` for a marketing purpose: whoever confirms twice that they want messages
        takes the wider no back. Other purposes stay protected, because their consents were withdrawn with the STOP.
    """
    agreed = set(purposes)
    wanted = agreed | set(_COVERS_EVERYTHING) if agreed else set()
    if agreed & set(marketing):
        wanted.add(MARKETING)
    return tuple(scope for scope in scopes if scope in wanted)
