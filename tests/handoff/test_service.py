"""What agents do with chats: who may, what the conversation is told, and that repeating it does no harm."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.conversation import Conversation
from bot.domain.errors import IllegalMove
from bot.domain.event import AgentWrote, Event, FlowRequested, HandoffChanged
from bot.domain.ids import EventId, PersonId
from bot.handoff.roles import Staff
from bot.handoff.service import Done, Handoffs
from bot.handoff.ticket import MACHINE, Line, Ticket

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PERSON = PersonId("a" * 32)
MARIA, BRUNO = Staff("maria", "Maria Exemplo", "agent", ("desk",)), Staff("bruno", "Bruno Exemplo", "agent", ("desk",))
IN = Line("line1", NOW, "in", "text", words="hello")


@dataclass
class Desk:
    """Tickets, a conversation and a turn, in memory."""

    ticket: Ticket | None = field(default_factory=lambda: Ticket("t", PERSON, "desk", "queued"))
    talk: Conversation | None = field(
        default_factory=lambda: Conversation(PERSON, owner="agent", ticket="t", window_until=NOW + timedelta(hours=1))
    )
    played: list[Event] = field(default_factory=list)
    transcript: list[Line] = field(default_factory=lambda: [IN])
    news: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    async def find(self, _: str) -> Ticket | None:
        return self.ticket

    async def claim(self, ticket: str, staff: str, now: datetime) -> Ticket | None:
        return await self.move(ticket, "claim", now, {"owner": staff, "owned_at": now})

    async def move(
        self, _: str, trigger: str, now: datetime, changes: Mapping[str, Any] | None = None, *, owner: str | None = None, person: Any = None
    ) -> Ticket | None:  # fmt: skip
        del now, person
        if self.ticket is None or (owner is not None and self.ticket.owner != owner):
            return None
        try:
            state = MACHINE.apply(self.ticket.state, trigger)
        except IllegalMove:
            return None
        self.ticket = replace(self.ticket, state=state, version=self.ticket.version + 1, **dict(changes or {}))
        return self.ticket

    async def change(self, _: str, now: datetime, changes: Mapping[str, Any], kind: str) -> Ticket | None:
        del now, kind
        self.ticket = (
            replace(self.ticket, **{k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()})
            if self.ticket
            else None
        )
        return self.ticket

    async def lines(self, _: Ticket) -> list[Line]:
        return self.transcript

    async def told(self, team: str, kind: str, ticket: str, now: datetime, *, by: str = "") -> None:
        del ticket, now, by
        self.news.append((team, kind))

    async def submit(self, _: PersonId, event: Event) -> bool:
        if event.id not in {one.id for one in self.played} and self.talk is not None:
            self.played.append(event)
        return self.talk is not None

    async def conversation(self, _: PersonId) -> Conversation | None:
        return self.talk

    def event(self, outside_id: str) -> EventId:
        return EventId(outside_id)

    def now(self) -> datetime:
        return NOW


def handoffs(desk: Desk) -> Handoffs:
    return Handoffs(desk, desk.submit, desk.conversation, desk, desk)  # type: ignore[arg-type]


def owned(**changes: Any) -> Desk:
    return Desk(replace(Ticket("t", PERSON, "desk", "owned", owner="maria", owned_at=NOW), **changes))


async def test_a_claim_tells_the_person_who_is_there() -> None:
    desk = Desk()
    assert await handoffs(desk).claim(MARIA, "t") is Done.OK
    [event] = desk.played
    assert isinstance(event, HandoffChanged)
    assert (event.outcome, dict(event.values)) == ("took_over", {"agent": "Maria"})


async def test_a_second_claim_of_one_s_own_chat_tells_nothing_twice() -> None:
    desk = Desk()
    for _ in range(2):
        assert await handoffs(desk).claim(MARIA, "t") is Done.OK
    assert len(desk.played) == 1


async def test_who_comes_second_is_told_so() -> None:
    desk = Desk()
    await handoffs(desk).claim(MARIA, "t")
    assert await handoffs(desk).claim(BRUNO, "t") is Done.NOT_YOURS
    assert len(desk.played) == 1


@pytest.mark.parametrize("act", ["give_back", "to_team", "close", "snooze", "write", "hand_to"])
async def test_nobody_acts_on_a_colleague_s_chat(act: str) -> None:
    desk = owned()
    more: dict[str, Any] = {"give_back": ["resolved"], "to_team": ["orders"], "snooze": ["1 hour"], "hand_to": [BRUNO]}
    known: dict[str, Any] = {"once": "a", "seen": None} if act == "write" else {}
    arguments = ["hello"] if act == "write" else more.get(act, [])
    assert await getattr(handoffs(desk), act)(BRUNO, "t", *arguments, **known) is Done.NOT_YOURS
    assert desk.played == []
    assert desk.ticket is not None
    assert (desk.ticket.state, desk.ticket.owner) == ("owned", "maria")


async def test_an_agent_does_not_close_what_is_in_the_queue_but_a_lead_does() -> None:
    desk = Desk()
    assert await handoffs(desk).close(MARIA, "t") is Done.NOT_YOURS
    assert await handoffs(desk).close(MARIA, "t", anybody_s=True) is Done.OK
    assert [one.outcome for one in desk.played if isinstance(one, HandoffChanged)] == ["nobody"]


@pytest.mark.parametrize("outcome", ["resolved", "left", "nobody"])
async def test_given_back_the_flow_hears_the_outcome(outcome: str) -> None:
    desk = owned()
    assert await handoffs(desk).give_back(MARIA, "t", outcome) is Done.OK
    assert [one.outcome for one in desk.played if isinstance(one, HandoffChanged)] == [outcome]
    assert desk.ticket is not None
    assert (desk.ticket.state, desk.ticket.outcome) == ("given_back", outcome)


async def test_an_outcome_that_is_no_agent_s_to_give_changes_nothing() -> None:
    desk = owned()
    assert await handoffs(desk).give_back(MARIA, "t", "agent_silent") is Done.WRONG
    assert desk.played == []


async def test_into_another_team_both_screens_are_told() -> None:
    desk = owned()
    assert await handoffs(desk).to_team(MARIA, "t", "orders") is Done.OK
    assert desk.news == [("desk", "requeue")]
    assert desk.ticket is not None
    assert (desk.ticket.state, desk.ticket.team, desk.ticket.owner) == ("queued", "orders", "")


async def write(desk: Desk, words: str = "hello", seen: str | None = "line1", once: str = "a") -> Done:
    return await handoffs(desk).write(MARIA, "t", words, once=once, seen=seen)


async def test_the_same_sending_is_sent_once() -> None:
    desk = owned()
    assert [await write(desk), await write(desk), await write(desk, once="b")] == [Done.OK] * 3
    assert len([one for one in desk.played if isinstance(one, AgentWrote)]) == 2


@pytest.mark.parametrize(
    ("talk", "outcome"),
    [
        pytest.param({"window_until": NOW}, Done.WINDOW, id="the window is shut"),
        pytest.param({"hushed": True}, Done.STOPPED, id="after a STOP"),
        pytest.param({"restricted": True}, Done.RESTRICTED, id="restricted"),
        pytest.param({"erasing": True}, Done.GONE, id="being erased"),
        pytest.param({"ticket": "other"}, Done.GONE, id="another ticket by now"),
    ],
)
async def test_when_nothing_can_be_written(talk: dict[str, Any], outcome: Done) -> None:
    desk = owned()
    assert desk.talk is not None
    desk.talk = replace(desk.talk, **talk)
    assert await write(desk) is outcome
    assert desk.played == []


async def test_what_came_in_meanwhile_is_read_first() -> None:
    desk = owned()
    desk.transcript.append(Line("line2", NOW, "in", "text", words="forget it"))
    assert await write(desk) is Done.NEWS
    assert await write(desk, seen="line2") is Done.OK


@pytest.mark.parametrize("words", ["", "   ", "x" * 4097])
async def test_nothing_and_too_much_are_not_sent(words: str) -> None:
    desk = owned()
    assert await write(desk, words) is Done.WRONG


async def test_a_take_over_cut_off_half_way_is_finished_before_anything_is_written() -> None:
    desk = owned()
    assert desk.talk is not None
    desk.talk = replace(desk.talk, owner="queue")
    await write(desk)
    assert [getattr(one, "outcome", "wrote") for one in desk.played] == ["took_over", "wrote"]


async def test_nobody_is_left_to_act_for_after_an_erasure() -> None:
    desk = owned()
    desk.talk = None
    assert await write(desk) is Done.GONE
    assert await handoffs(desk).give_back(MARIA, "t", "resolved") is Done.GONE
    desk.ticket = None
    assert await handoffs(desk).claim(MARIA, "t") is Done.GONE


async def test_labels_are_short_and_each_stands_once() -> None:
    desk = owned()
    await handoffs(desk).label("t", [" wet  parcel ", "wet parcel", "", "x" * 90])
    assert desk.ticket is not None
    assert desk.ticket.labels == ("wet parcel", "x" * 40)


async def test_a_right_is_begun_as_the_flow_of_everybody() -> None:
    desk = owned()
    assert desk.ticket is not None
    assert await handoffs(desk).begin_flow(MARIA, desk.ticket, "my_data", once="1") is Done.OK
    assert [one.flow for one in desk.played if isinstance(one, FlowRequested)] == ["my_data"]
