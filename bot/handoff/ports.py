"""What the handoff needs from outside, in its own words. `bot.app` hands in the concrete parts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.domain.conversation import Conversation
from bot.domain.event import Event
from bot.domain.ids import EventId, PersonId
from bot.handoff.ticket import Line, Ticket

Submit = Callable[[PersonId, Event], Awaitable[bool]]
"""Plays an event through the one turn: True when it is committed, False for nobody. Raises `RetryLater`."""

Talk = Callable[[PersonId], Awaitable[Conversation | None]]
"""A person's conversation as it stands in the database now."""


class Tickets(Protocol):
    """Ticket rows. Every method raises `RetryLater` when the database cannot be reached."""

    async def find(self, ticket: str) -> Ticket | None: ...

    async def claim(self, ticket: str, staff: str, now: datetime) -> Ticket | None:
        """Unowned to this account in one update; None when somebody else was faster or it is over."""

    async def move(
        self, ticket: str, trigger: str, now: datetime, changes: Mapping[str, Any] | None = None, *, owner: str | None = None,
        person: PersonId | None = None,
    ) -> Ticket | None:  # fmt: skip
        """One move of the machine, if it is possible for this owner; None where it is not (any more)."""

    async def change(self, ticket: str, now: datetime, changes: Mapping[str, Any], kind: str) -> Ticket | None:
        """Sets fields that are no move."""

    async def listed(self, query: Mapping[str, Any], *, most: int = 100, newest: bool = False) -> list[Ticket]: ...

    async def counts(self, teams: Sequence[str]) -> list[tuple[str, str, str, int]]:
        """(team, state, owner, how many) of the open tickets."""

    async def lines(self, ticket: Ticket) -> list[Line]: ...

    async def sleepers(self, now: datetime) -> list[str]:
        """Snoozed tickets whose time has come."""

    async def told(self, team: str, kind: str, ticket: str, now: datetime, *, by: str = "") -> None:
        """Lets the screens know of something that is no change of the row itself."""


class Clock(Protocol):
    def now(self) -> datetime: ...


class Ids(Protocol):
    def event(self, outside_id: str) -> EventId: ...
