"""Which agent a chat fits best: team, language, skills, load and hours. Pure: who is there is told, and the caller decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.handoff.roles import Action, Staff, may, reaches
from bot.handoff.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Present:
    """An agent who is there, with the chats they have now."""

    staff: Staff
    load: int


def can_take(present: Present, ticket: Ticket) -> bool:
    """Whether the agent may have this chat now: in its team, not away, and with a hand free."""
    staff = present.staff
    return (
        may(staff, Action.CHATS_CLAIM) and reaches(staff, ticket.team) and not staff.away and present.load < staff.most
    )


def speaks(staff: Staff, language: str) -> bool:
    """Whether the agent answers in this language; who names none answers in all."""
    base = language.partition("-")[0]
    return not staff.languages or not language or any(one.partition("-")[0] == base for one in staff.languages)


def best(ticket: Ticket, people: Iterable[Present]) -> Staff | None:
    """Whom the chat is offered to: language first, then skills, then the least busy; the same people give the same answer."""
    able = [one for one in people if can_take(one, ticket)]
    return min(able, key=lambda one: _order(one, ticket)).staff if able else None


def fits(staff: Staff, ticket: Ticket) -> bool:
    """Whether a chat in the queue is marked as one for this agent."""
    return speaks(staff, ticket.language) and (not staff.skills or bool(_wanted(ticket) & set(staff.skills)))


def in_order(tickets: Sequence[Ticket], staff: Staff) -> list[Ticket]:
    """The queue as this agent sees it: urgent first, then what fits them, then who waits longest."""
    return sorted(tickets, key=lambda one: (not one.urgent, bool(one.outcome), not fits(staff, one), _since(one)))


def _order(one: Present, ticket: Ticket) -> tuple[bool, int, float, str]:
    skills = len(_wanted(ticket) & set(one.staff.skills))
    return (not speaks(one.staff, ticket.language), -skills, one.load / max(one.staff.most, 1), one.staff.id)


def _wanted(ticket: Ticket) -> set[str]:
    """What somebody should know for this chat: the flow it came from, and its labels."""
    return {ticket.flow, *ticket.labels} - {""}


def _since(ticket: Ticket) -> float:
    return ticket.opened_at.timestamp() if ticket.opened_at is not None else 0.0
