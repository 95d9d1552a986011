"""What becomes of a command that did not work out: later, or the dead letters. The line goes on in either case."""

from datetime import timedelta
from random import random

from bot.domain.command import Notify
from bot.runtime import retry
from bot.runtime.figures import Figures
from bot.runtime.hands import Hands
from bot.runtime.ports import DeadLetter, Lease, Pending, Stored

FIRST = timedelta(seconds=2)

OURS = frozenset({"RetryLater", "slow_claim"})
"""Causes that lie with the database; only a notice raises `RetryLater` for the system it goes to."""


class Failures:
    """Puts commands off and gives them up; both return what stands then, None when the lease is gone."""

    def __init__(self, hands: Hands, figures: Figures) -> None:
        self._hands = hands
        self._figures = figures

    async def later(
        self, stored: Stored, pending: Pending, lease: Lease, reason: str, *, first: timedelta = FIRST
    ) -> Stored | None:
        """Counts a failed try; the next one comes after `first` and then ever longer, or never (decisions.md 12).

        What was under way before this try may have gone out: it stays so, and failing to learn its outcome is no try. A database
        that is slow or away says nothing about the command, so that is none either: however long it lasts, nothing is given up
        for it and no backoff keeps the line closed after it.
        """
        if pending.state == "sending":
            until = self._hands.clock.now() + first
            return await self._hands.conversations.defer(
                stored.conversation.person, lease.token, pending.id, pending.attempts, until, state="sending"
            )
        if reason in OURS and not isinstance(pending.command, Notify):
            self._figures.deferred.add(kind=_name(pending), reason=reason)
            until = self._hands.clock.now() + first * (1 + random())  # noqa: S311 - jitter, not a secret
            return await self._hands.conversations.defer(
                stored.conversation.person, lease.token, pending.id, pending.attempts, until
            )
        attempts = pending.attempts + 1
        if retry.gives_up(pending.command, attempts):
            return await self.dead(stored, pending, lease, reason)
        self._figures.deferred.add(kind=_name(pending), reason=reason)
        until = self._hands.clock.now() + retry.delay(attempts, first, random())  # noqa: S311 - jitter, not a secret
        return await self._hands.conversations.defer(
            stored.conversation.person, lease.token, pending.id, attempts, until
        )

    async def dead(self, stored: Stored, pending: Pending, lease: Lease, reason: str) -> Stored | None:
        """Keeps what failed for an operator, sealed, and takes it off."""
        person = stored.conversation.person
        self._figures.dead.add(kind=_name(pending), reason=reason)
        letter = DeadLetter(person, "command", _name(pending), reason, pending.command)
        await self._hands.dead_letters.put(letter, self._hands.clock.now())
        return await self._hands.conversations.settle(person, lease.token, pending.id)


def _name(pending: Pending) -> str:
    return type(pending.command).__name__ if pending.command is not None else "unreadable"
