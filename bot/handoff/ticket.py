"""A chat handed to people: its states as a table, and what is known of it. Nothing here waits, reads or writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.ids import PersonId
from bot.domain.machine import Machine

QUEUED, OWNED, SNOOZED, GIVEN_BACK, CLOSED = "queued", "owned", "snoozed", "given_back", "closed"

MACHINE = Machine(
    "ticket",
    states=(QUEUED, OWNED, SNOOZED, GIVEN_BACK, CLOSED),
    initial=QUEUED,
    moves=(
        ("claim", QUEUED, OWNED),
        ("pass", OWNED, OWNED),
        ("pass", SNOOZED, OWNED),
        ("requeue", OWNED, QUEUED),
        ("requeue", SNOOZED, QUEUED),
        ("requeue", QUEUED, QUEUED),
        ("snooze", OWNED, SNOOZED),
        ("wake", SNOOZED, OWNED),
        ("give_back", OWNED, GIVEN_BACK),
        ("give_back", SNOOZED, GIVEN_BACK),
        ("close", QUEUED, CLOSED),
        ("close", OWNED, CLOSED),
        ("close", SNOOZED, CLOSED),
    ),
)
"""Who answers a chat: at most one agent, from `claim` on, until it goes back to the queue, to the bot or ends."""

OPEN = (QUEUED, OWNED, SNOOZED)
ENDED = (GIVEN_BACK, CLOSED)

OUTCOMES = ("resolved", "nobody", "agent_silent", "closed", "left")
"""What the flow hears when the chat comes back (flow-language.md, `handoff`)."""

BY_AGENT = ("resolved", "left", "nobody")
"""What an agent may give back with: solved, the person has gone, or somebody must see to it later."""


def from_states(trigger: str) -> tuple[str, ...]:
    """The states a trigger is possible in: what a guarded update asks for."""
    return tuple(source for name, source, _ in MACHINE.moves if name == trigger)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One chat for people.

    Attributes:
        state: of `MACHINE`.
        owner: account of the agent who has it, or empty.
        waits_since: when the person began to wait for an answer; None while nothing of theirs is unanswered.
        outcome: how it ended, or why it still waits though the bot went on (`nobody`, `closed`, `agent_silent`).
        unread: lines of the person nobody has looked at.
        version: grows with every change, for the stream of the console.
        about, shared: what the flow gave along; the only things an agent learns from before.
    """

    id: str
    person: PersonId
    team: str
    state: str
    language: str = ""
    urgent: bool = False
    flow: str = ""
    step: str = ""
    owner: str = ""
    opened_at: datetime | None = None
    owned_at: datetime | None = None
    closed_at: datetime | None = None
    waits_since: datetime | None = None
    last_at: datetime | None = None
    snoozed_until: datetime | None = None
    expires: datetime | None = None
    outcome: str = ""
    unread: int = 0
    version: int = 0
    labels: tuple[str, ...] = ()
    about: str = field(default="", repr=False)
    shared: Mapping[str, Any] = field(default_factory=dict, repr=False)
    last: str = field(default="", repr=False)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript.

    Attributes:
        direction: `in`, `out`, `bot` or `event`.
        send: the command it went out with; `fate` is what became of that, `code` Meta's reason where it failed.
    """

    id: str
    at: datetime
    direction: str
    kind: str
    by: str = ""
    send: str = ""
    words: str = field(default="", repr=False)
    fate: str = ""
    code: int = 0
    gone: bool = False


def pseudonym(person: PersonId) -> str:
    """`P-4821`: a name for the screen that says nothing about anybody and is the same wherever the person is shown."""
    number = int(person[:12], 16) % 10**6
    return f"P-{number:06d}"
