"""Whether and when something is tried again: a decision apart from acting on it. Pure; chance comes in as an argument."""

from datetime import timedelta

from bot.domain.command import Command, Erase, MarkRead, Notify

GIVE_UP_AFTER = 5
"""Failed tries after which a command goes to the dead letters and the line goes on (decisions.md 12)."""

NOTICES_GIVE_UP_AFTER = 40
"""About six hours: a receiver must hear of a withdrawal (GDPR art. 19), and nobody waits behind the notice."""

LONGEST = timedelta(minutes=10)

AMBIGUOUS_FOR = timedelta(seconds=60)
"""How long a send whose outcome is unknown waits for its status before it is sent again (decisions.md 12)."""

LOOK_AGAIN = timedelta(seconds=10)
"""How often such a send asks meanwhile whether its status has come."""

CLAIM_HOLDS = timedelta(seconds=2)
"""A claim older than this must be made again before the message goes out (decisions.md 13)."""


def delay(attempts: int, first: timedelta, chance: float) -> timedelta:
    """How long to wait after the `attempts`-th failure: `first`, then four times as long each time, at most ten minutes.

    Never shorter than `first`, which may be what Meta asked for (whatsapp.md 3.9, code 131056: 4^X). `chance` lies in [0, 1) and
    draws up to half as much on top, so that processes do not come back together.
    """
    full: timedelta = max(min(first * 4 ** min(max(attempts - 1, 0), 10), LONGEST), first)
    return full + full / 2 * chance


def gives_up(command: Command | None, attempts: int) -> bool:
    """Whether so many failures are enough for this command. An erasure is never given up (GDPR art. 17)."""
    if isinstance(command, Erase):
        return False
    if isinstance(command, Notify):
        return attempts >= NOTICES_GIVE_UP_AFTER
    return attempts >= (1 if isinstance(command, MarkRead) else GIVE_UP_AFTER)
