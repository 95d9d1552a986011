"""How fast one person may be written to (Meta: pair rate, 45 in a burst, one per 6 s). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

BURST = 45.0
PER_TOKEN = timedelta(seconds=6)
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens left at a time; a fresh one is full."""

    tokens: float = BURST
    at: datetime | None = None


def take(bucket: Bucket, now: datetime) -> tuple[Bucket, timedelta]:
    """(bucket after taking a token, zero) or (bucket as it was, time to wait for the next token)."""
    gained = (now - bucket.at) / PER_TOKEN if bucket.at is not None else 0.0
    tokens = min(BURST, bucket.tokens + max(gained, 0.0))
    # A wait that floats had rounded away would let a message out without its token.
    if tokens >= 1 - _HAIR:
        return Bucket(max(tokens - 1, 0.0), now), timedelta()
    return bucket, PER_TOKEN * (1 - tokens)
