"""What agents do with chats: each act is one guarded move of the ticket, then an event through the same turn as everything else.

Nothing here sends: an agent's words become a `Send` of the conversation, which the gate decides on and the outbox carries out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.conversation import Conversation
from bot.domain.event import AgentWrote, FlowRequested, HandoffChanged
from bot.domain.ids import Words
from bot.handoff.ports import Clock, Ids, Submit, Talk, Tickets
from bot.handoff.roles import Staff
from bot.handoff.ticket import BY_AGENT, Line, Ticket

SNOOZES = {"1 hour": timedelta(hours=1), "3 hours": timedelta(hours=3), "tomorrow": timedelta(hours=20)}
WORDS_MOST = 4096
LABELS_MOST, LABEL_MOST = 12, 40


class Done(StrEnum):
    """What came of an act; everything but `OK` changed nothing."""

    OK = "ok"
    GONE = "gone"
    NOT_YOURS = "not_yours"
    NEWS = "news"
    WINDOW = "window"
    STOPPED = "stopped"
    RESTRICTED = "restricted"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Handoffs:
    """The acts. `Staff` was let in before: who may is asked by the caller (`roles.may`, `roles.reaches`)."""

    tickets: Tickets
    submit: Submit
    talk: Talk
    ids: Ids
    clock: Clock

    # -- who has it ------------------------------------------------------------------------------------------------------

    async def claim(self, staff: Staff, ticket: str) -> Done:
        """Takes a chat out of the queue; `NOT_YOURS` when somebody was faster."""
        won = await self.tickets.claim(ticket, staff.id, self.clock.now())
        if won is None:
            found = await self.tickets.find(ticket)
            if found is None or found.owner != staff.id or not found.is_open:
                return Done.GONE if found is None else Done.NOT_YOURS
            won = found  # mine already: a take-over cut off half-way is finished now
        return await self._took(won, staff)

    async def _took(self, ticket: Ticket, staff: Staff) -> Done:
        """Tells the conversation; the same take-over is told once, however often it is tried."""
        event = self.ids.event(f"took:{ticket.id}:{staff.id}:{ticket.owned_at}")
        change = HandoffChanged(event, self.clock.now(), ticket.id, "took_over", {"agent": staff.shown})
        return Done.OK if await self.submit(ticket.person, change) else Done.GONE

    async def hand_to(self, staff: Staff, ticket: str, colleague: Staff, *, anybody_s: bool = False) -> Done:
        """Passes a chat on to a colleague; `anybody_s` for leads, who may take one away."""
        now = self.clock.now()
        changes = {"owner": colleague.id, "owned_at": now, "snoozed_until": None}
        moved = await self.tickets.move(ticket, "pass", now, changes, owner=None if anybody_s else staff.id)
        return Done.NOT_YOURS if moved is None else await self._took(moved, colleague)

    async def to_team(self, staff: Staff, ticket: str, team: str, *, anybody_s: bool = False) -> Done:
        """Puts a chat into the queue of a team; its screens hear of it, and those of the team it leaves."""
        before, refusal = await self._ending(staff, ticket, anybody_s=anybody_s)
        if before is None:
            return refusal
        now = self.clock.now()
        if before.owner and await self._ended(before, "requeued") is not Done.OK:
            return Done.GONE
        changes = {"owner": "", "team": team, "snoozed_until": None, "outcome": "" if before.owner else before.outcome}
        moved = await self.tickets.move(ticket, "requeue", now, changes, owner=before.owner or None)
        if moved is not None and before.team != team:
            await self.tickets.told(before.team, "requeue", ticket, now, by=staff.id)
        return Done.NOT_YOURS if moved is None else Done.OK

    # -- how it ends -----------------------------------------------------------------------------------------------------

    async def give_back(self, staff: Staff, ticket: str, outcome: str) -> Done:
        """The bot has the chat again, and the flow goes on by the outcome."""
        if outcome not in BY_AGENT:
            return Done.WRONG
        before, refusal = await self._ending(staff, ticket, anybody_s=False)
        if before is None:
            return refusal
        if await self._ended(before, outcome) is not Done.OK:
            return Done.GONE
        now = self.clock.now()
        changes = {"outcome": outcome, "closed_at": now}
        moved = await self.tickets.move(ticket, "give_back", now, changes, owner=staff.id)
        return Done.NOT_YOURS if moved is None else Done.OK

    async def close(self, staff: Staff, ticket: str, *, anybody_s: bool = False) -> Done:
        """Ends a chat: solved where somebody had it; nobody came where it still was in the queue."""
        before, refusal = await self._ending(staff, ticket, anybody_s=anybody_s)
        if before is None:
            return refusal
        outcome = "resolved" if before.owner else "nobody"
        if await self._ended(before, outcome) is not Done.OK:
            return Done.GONE
        now = self.clock.now()
        changes = {"outcome": outcome, "closed_at": now}
        moved = await self.tickets.move(ticket, "close", now, changes, owner=before.owner or None)
        return Done.NOT_YOURS if moved is None else Done.OK

    async def _ending(self, staff: Staff, ticket: str, *, anybody_s: bool) -> tuple[Ticket | None, Done]:
        """The open chat, if this agent may end it; else why not.

        The conversation is told before the ticket moves: cut off between the two, the chat still is the agent's, who ends it again.
        """
        found = await self.tickets.find(ticket)
        if found is None:
            return None, Done.GONE
        if not found.is_open or (found.owner != staff.id and not anybody_s):
            return None, Done.NOT_YOURS
        return found, Done.OK

    async def _ended(self, ticket: Ticket, outcome: str) -> Done:
        event = self.ids.event(f"{outcome}:{ticket.id}:{ticket.version}")
        change = HandoffChanged(event, self.clock.now(), ticket.id, outcome)
        return Done.OK if await self.submit(ticket.person, change) else Done.GONE

    # -- while it lasts --------------------------------------------------------------------------------------------------

    async def snooze(self, staff: Staff, ticket: str, length: str) -> Done:
        """Out of sight until the time comes or the person writes."""
        if length not in SNOOZES:
            return Done.WRONG
        now = self.clock.now()
        until = {"snoozed_until": now + SNOOZES[length]}
        moved = await self.tickets.move(ticket, "snooze", now, until, owner=staff.id)
        return Done.NOT_YOURS if moved is None else Done.OK

    async def wake(self, ticket: str, *, staff: Staff | None = None) -> Done:
        """Back in sight, by its agent's hand or because its time has come."""
        owner = staff.id if staff is not None else None
        moved = await self.tickets.move(ticket, "wake", self.clock.now(), {"snoozed_until": None}, owner=owner)
        return Done.NOT_YOURS if moved is None else Done.OK

    async def wake_all_due(self) -> int:
        """Wakes what was snoozed until now; how many."""
        due = await self.tickets.sleepers(self.clock.now())
        return sum([await self.wake(one) is Done.OK for one in due])

    async def label(self, ticket: str, labels: Sequence[str]) -> Done:
        """Sets the labels: short words, each once, in the order given."""
        tidy = tuple(dict.fromkeys(" ".join(one.split())[:LABEL_MOST] for one in labels if one.strip()))
        changed = await self.tickets.change(ticket, self.clock.now(), {"labels": list(tidy[:LABELS_MOST])}, "labels")
        return Done.GONE if changed is None else Done.OK

    async def seen(self, staff: Staff, ticket: Ticket) -> None:
        """Its agent has looked: nothing is unread any more."""
        if ticket.owner == staff.id and ticket.unread:
            await self.tickets.change(ticket.id, self.clock.now(), {"unread": 0}, "seen")

    # -- words -----------------------------------------------------------------------------------------------------------

    async def write(self, staff: Staff, ticket: str, words: str, *, once: str, seen: str | None) -> Done:
        """An answer in own words. Decides again what the composer was told; the gate decides last.

        Args:
            staff: who writes; only the chat's own agent may.
            ticket: which chat.
            words: at most `WORDS_MOST` characters.
            once: the page's own id of this sending: the same one is sent once.
            seen: id of the newest line of the person that the page showed; None sends whatever came since.
        """
        text = words.strip()
        if not text or len(text) > WORDS_MOST or not once:
            return Done.WRONG
        found, talk, refusal = await self._mine(staff, ticket)
        if refusal is not None or found is None or talk is None:
            return refusal or Done.GONE
        if not talk.window_open(self.clock.now()):
            return Done.WINDOW
        if seen is not None and newest_of_person(await self.tickets.lines(found)) != seen:
            return Done.NEWS
        event = self.ids.event(f"reply:{ticket}:{staff.id}:{once}")
        wrote = AgentWrote(event, self.clock.now(), ticket, staff.id, Words(text))
        return Done.OK if await self.submit(found.person, wrote) else Done.GONE

    async def send_template(
        self, staff: Staff, ticket: str, template: str, parameters: tuple[str, ...], *, once: str
    ) -> Done:
        """A template in the person's language; whether its purpose allows it the caller has asked and the gate asks again."""
        found, _, refusal = await self._mine(staff, ticket)
        if refusal is not None or found is None or not once:
            return refusal or Done.GONE
        event = self.ids.event(f"template:{ticket}:{staff.id}:{once}")
        wrote = AgentWrote(event, self.clock.now(), ticket, staff.id, template=template, parameters=parameters)
        return Done.OK if await self.submit(found.person, wrote) else Done.GONE

    async def _mine(self, staff: Staff, ticket: str) -> tuple[Ticket | None, Conversation | None, Done | None]:
        """The chat and its conversation, if this agent may write in it now; a take-over cut off half-way is finished first."""
        found = await self.tickets.find(ticket)
        if found is None:
            return None, None, Done.GONE
        if found.owner != staff.id or not found.is_open:
            return found, None, Done.NOT_YOURS
        talk = await self.talk(found.person)
        if talk is not None and talk.owner != "agent" and talk.ticket == ticket:
            await self._took(found, staff)
            talk = await self.talk(found.person)
        if talk is None or talk.erasing or talk.ticket != ticket:
            return found, None, Done.GONE
        if talk.restricted:
            return found, talk, Done.RESTRICTED
        return found, talk, Done.STOPPED if talk.hushed else None

    async def ask_stop(self, staff: Staff, ticket: str) -> Done:
        """Has the bot ask what an unclear wish to stop meant (decisions.md 5)."""
        found, _, refusal = await self._mine(staff, ticket)
        if found is None or refusal in (Done.GONE, Done.NOT_YOURS):
            return refusal or Done.GONE
        return await self._ended(found, "ask_stop")

    async def begin_flow(self, staff: Staff, ticket: Ticket, flow: str, *, once: str) -> Done:
        """Has the bot carry out a right or ask for a consent, in the flow that does it for everybody."""
        event = self.ids.event(f"flow:{ticket.id}:{staff.id}:{flow}:{once}")
        done = await self.submit(ticket.person, FlowRequested(event, self.clock.now(), flow))
        return Done.OK if done else Done.GONE


def newest_of_person(lines: Sequence[Line]) -> str:
    """Id of the last thing the person said, or empty."""
    return next((one.id for one in reversed(lines) if one.direction == "in"), "")


def waited(ticket: Ticket, now: datetime) -> timedelta | None:
    """How long the person has been waiting for an answer; None while nothing of theirs is open."""
    return now - ticket.waits_since if ticket.waits_since is not None and ticket.is_open else None
