"""Whether and when something is tried again: a decision apart from acting on it. Pure; chance comes in as an argument."""

from datetime import timedelta

GIVE_UP_AFTER = 5
"""Failed tries after which a command goes to the dead letters and the line goes on (decisions.md 12)."""

LONGEST = timedelta(minutes=10)

AMBIGUOUS_FOR = timedelta(seconds=60)
"""How long a send whose outcome is unknown waits for its status before it is sent again (decisions.md 12)."""

CLAIM_HOLDS = timedelta(seconds=2)
"""A claim older than this must be made again before the message goes out (decisions.md 13)."""


def delay(attempts: int, first: timedelta, chance: float) -> timedelta:
    """How long to wait after the `attempts`-th failure: doubling from `first`, at most ten minutes, with jitter.

    `chance` lies in [0, 1): half of the wait is fixed, half drawn, so that processes do not come back together.
    """
    full: timedelta = min(first * 2 ** min(max(attempts - 1, 0), 20), LONGEST)
    return full / 2 + full / 2 * chance


def gives_up(attempts: int) -> bool:
    """Whether so many failures are enough."""
    return attempts >= GIVE_UP_AFTER
