"""A chat that people have: the bot is held off, the person's rights are not, and each outcome leads the flow on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.command import CloseTicket, Command, OpenRequest, OpenTicket, ReturnTicket, Send, Transcribe, Unsay
from bot.domain.event import AgentWrote, HandoffChanged, MessageReceived
from bot.domain.ids import EventId, Words
from tests.engine.phone import Phone, book, text

HELP = """
flow: repairs
title: Repairs
language: en
purpose: support
starts: [{words: [broken]}]
data:
  what: {type: text, keep: 30 days}
  secret: {type: text, keep: 30 days}
steps:
  - ask: What is broken?
    into: what
  - ask: What is it called?
    into: secret
  - handoff:
      team: front_desk
      about: Something is broken
      share: [what]
      wait: 10 minutes
      silent_after: 15 minutes
      texts:
        queued: "You are number {place}."
        took_over: "{agent} has read about {what}."
        ended: "Bye, {what}."
    outcomes:
      nobody: [{say: "Nobody came."}, end]
      left: [{say: "You left."}, end]
  - say: "Solved, {secret}."
  - end
"""
BARE = """
flow: plain
title: Plain
language: en
purpose: support
starts: [{words: [talk]}]
steps:
  - handoff: {team: front_desk}
  - end
"""
SILENT = """
flow: again
title: Again
language: en
purpose: support
starts: [{words: [twice]}]
steps:
  - handoff: {team: front_desk}
    outcomes:
      agent_silent: [{say: "Sorry, once more."}, {go: second, at_most: 1}]
  - end
  - id: second
    handoff: {team: orders}
  - end
"""


def phone(**flows: str) -> Phone:
    """Somebody who has seen the notice, with a staffed and open desk."""
    made = Phone(book(**({"repairs": HELP, "plain": BARE, "again": SILENT} | flows)))
    made.say("hello")
    made.conversation = replace(made.conversation, frames=(), slots=(), timers=())
    made.rules.open = made.rules.staffed = True
    made.commands.clear()
    return made


class Desk:
    """What people do with the newest ticket."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.count = 0

    @property
    def ticket(self) -> str:
        return self.phone.conversation.ticket

    def does(self, outcome: str, ticket: str = "", values: Mapping[str, Any] | None = None) -> list[str]:
        self.count += 1
        event = HandoffChanged(
            EventId(f"d{self.count:023x}"), self.phone.now, ticket or self.ticket, outcome, values or {}
        )
        return [text(one) for one in self.phone.play(event)]

    def takes(self, agent: str = "Maria") -> list[str]:
        return self.does("took_over", values={"agent": agent})

    def writes(self, words: str, ticket: str = "") -> list[Send]:
        self.count += 1
        event = AgentWrote(EventId(f"d{self.count:023x}"), self.phone.now, ticket or self.ticket, "maria", Words(words))
        return self.phone.play(event)


def waiting(**flows: str) -> tuple[Phone, Desk]:
    """Somebody in the queue with the flow `repairs`."""
    person = phone(**flows)
    person.say("broken")
    person.say("the lamp")
    person.say("Lucy")
    return person, Desk(person)


def talking(**flows: str) -> tuple[Phone, Desk]:
    person, desk = waiting(**flows)
    desk.takes()
    return person, desk


def of(person: Phone, kind: type[Command]) -> list[Any]:
    return [one for one in person.commands if isinstance(one, kind)]


def lines(person: Phone) -> list[tuple[str, str, str]]:
    return [(one.direction, one.kind, one.words) for one in of(person, Transcribe)]


def test_only_the_fields_a_flow_shares_reach_the_ticket() -> None:
    person, _ = waiting()
    [ticket] = of(person, OpenTicket)
    assert (dict(ticket.shared), ticket.about, ticket.team) == (
        {"what": "the lamp"},
        "Something is broken",
        "front_desk",
    )
    assert person.conversation.owner == "queue"


def test_nothing_said_before_the_handoff_is_written_down() -> None:
    person, _ = waiting()
    assert lines(person) == []


def test_the_place_in_the_queue_is_told_when_it_is_known() -> None:
    _, desk = waiting()
    assert desk.does("queued", values={"place": 3}) == ["You are number 3."]


def test_the_bot_is_silent_while_somebody_waits_or_talks() -> None:
    person, desk = waiting()
    assert person.say("hello?") == []
    desk.takes()
    assert person.say("news") == []
    assert person.say("order status") == []
    assert [words for _, _, words in lines(person) if words in ("hello?", "news", "order status")] == [
        "hello?", "news", "order status",
    ]  # fmt: skip


def test_the_take_over_is_told_in_the_author_s_words() -> None:
    _, desk = waiting()
    assert desk.takes("Maria") == ["Maria has read about the lamp."]


def test_an_agent_s_words_go_out_with_their_own_reason_and_are_written_down_with_their_fate() -> None:
    person, desk = talking()
    [send] = desk.writes("Have you tried the switch?")
    assert (send.reason, send.purpose, text(send)) == ("agent", "", "Have you tried the switch?")
    line = of(person, Transcribe)[-1]
    assert (line.direction, line.by, line.send, line.words) == ("out", "maria", send.id, "Have you tried the switch?")


@pytest.mark.parametrize(
    "state", [pytest.param("queue", id="still in the queue"), pytest.param("back", id="given back")]
)
def test_an_agent_who_does_not_have_the_chat_writes_nothing(state: str) -> None:
    person, desk = waiting()
    ticket = desk.ticket
    if state == "back":
        desk.takes()
        desk.does("resolved")
    before = len(of(person, Transcribe))
    assert desk.writes("Hello", ticket) == []
    assert len(of(person, Transcribe)) == before


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        pytest.param("resolved", ["Bye, the lamp.\n\nSolved, Lucy."], id="solved"),
        pytest.param("left", ["Bye, the lamp.\n\nYou left."], id="the person has gone"),
        pytest.param("nobody", ["Bye, the lamp.\n\nNobody came."], id="somebody must see to it later"),
    ],
)
def test_given_back_the_flow_goes_on_by_the_outcome(outcome: str, said: list[str]) -> None:
    person, desk = talking()
    heard = desk.does(outcome)
    assert "\n\n".join(heard) == "\n\n".join(said)
    assert (person.conversation.owner, person.conversation.ticket, person.conversation.frames) == ("bot", "", ())
    assert [one for one in person.conversation.timers if one.name.startswith("handoff")] == []


def test_an_outcome_the_flow_left_out_goes_on_below() -> None:
    person = phone()
    person.say("talk")
    desk = Desk(person)
    desk.takes()
    assert desk.does("left") == ["The chat with our colleague is over. The assistant answers again."]
    assert person.conversation.frames == ()


def test_old_news_of_another_ticket_changes_nothing() -> None:
    person, desk = talking()
    before = person.conversation
    assert desk.does("resolved", ticket="f" * 32) == []
    assert (person.conversation.owner, person.conversation.ticket) == (before.owner, before.ticket)


def test_nobody_comes_in_time() -> None:
    person, desk = waiting()
    ticket = desk.ticket
    assert person.wait(timedelta(minutes=11)) == ["Nobody came."]
    assert (person.conversation.owner, person.conversation.ticket) == ("bot", ticket)
    assert [(one.ticket, one.outcome) for one in of(person, ReturnTicket)] == [(ticket, "nobody")]


def test_whom_the_bot_went_on_with_can_still_be_answered() -> None:
    person, desk = waiting()
    person.wait(timedelta(minutes=11))
    person.say("order status")
    assert desk.takes() == ["Maria is here now."]
    assert (person.conversation.owner, person.conversation.frames) == ("agent", ())
    assert person.say("CL12345") == []


def test_where_the_flow_does_not_say_it_the_way_to_reach_somebody_is_told() -> None:
    person = phone()
    person.say("talk")
    assert "by phone at" in person.wait(timedelta(minutes=11))[0]


def test_closed_hours_are_told_at_once_and_nobody_waits() -> None:
    person = phone()
    person.rules.open = False
    person.say("talk")
    [ticket] = of(person, OpenTicket)
    assert (ticket.outcome, person.conversation.owner) == ("closed", "bot")


def test_without_anybody_to_answer_nobody_waits() -> None:
    person = phone()
    person.rules.staffed = False
    person.say("talk")
    [ticket] = of(person, OpenTicket)
    assert (ticket.outcome, person.conversation.owner) == ("nobody", "bot")


def test_a_silent_agent_loses_the_chat_to_the_queue() -> None:
    person, desk = talking()
    desk.writes("One moment")
    person.say("and?")
    person.say("hello?")
    assert person.wait(timedelta(minutes=16)) == ["Sorry for the wait. I have asked somebody else."]
    assert person.conversation.owner == "queue"
    assert [one.outcome for one in of(person, ReturnTicket)] == ["agent_silent"]
    assert person.wait(timedelta(minutes=11)) == ["Nobody came."]


def test_an_agent_who_answered_is_not_silent() -> None:
    person, desk = talking()
    person.say("and?")
    desk.writes("One moment")
    assert person.wait(timedelta(minutes=30)) == []
    assert person.conversation.owner == "agent"


def test_a_flow_may_say_itself_what_comes_of_silence() -> None:
    person = phone()
    person.say("twice")
    desk = Desk(person)
    first = desk.ticket
    desk.takes()
    assert person.wait(timedelta(minutes=16)) == ["Sorry, once more."]
    assert (first, "agent_silent") in [(one.ticket, one.outcome) for one in of(person, CloseTicket)]
    assert [one.team for one in of(person, OpenTicket)] == ["front_desk", "orders"]
    assert person.conversation.owner == "queue"


def test_whoever_was_answered_and_stays_away_a_day_has_left() -> None:
    person, desk = talking()
    desk.writes("Have you tried the switch?")
    person.wait(timedelta(hours=25))
    assert [one.outcome for one in of(person, CloseTicket)] == ["left"]
    assert (person.conversation.owner, person.conversation.frames) == ("bot", ())


def test_a_second_handoff_closes_the_first_ticket() -> None:
    person = phone()
    person.rules.open = False
    person.say("talk")
    first = person.conversation.ticket
    person.say("talk")
    assert [(one.ticket, one.outcome) for one in of(person, CloseTicket)] == [(first, "repeated")]


# -- rights ------------------------------------------------------------------------------------------------------------------


def test_stop_acts_at_once_and_the_chat_stays_with_its_agent() -> None:
    person, desk = talking()
    said = person.say("STOP")
    assert any("no more messages" in one for one in said)
    now = person.conversation
    assert (now.owner, now.ticket, now.hushed, "all" in now.stopped) == ("agent", desk.ticket, True, True)
    assert ("event", "stop", "") in lines(person)


def test_after_a_stop_the_agent_waits_until_the_person_writes_again() -> None:
    person, desk = talking()
    person.say("STOP")
    assert person.conversation.hushed
    person.say("but do look at my lamp")
    assert not person.conversation.hushed
    assert text(desk.writes("I do")[0]) == "I do"


def test_a_stop_of_the_newsletter_alone_does_not_hush_the_agent() -> None:
    person, _ = talking()
    person.press("recado:stop:newsletter")
    assert "newsletter" in person.conversation.stopped
    assert not person.conversation.hushed


def test_an_unclear_stop_pauses_silently_and_shows_the_agent_a_line() -> None:
    person, desk = talking()
    assert person.say("cancel") == []
    assert person.conversation.paused_until is not None
    assert ("event", "unsure", "cancel") in lines(person)
    assert "stop sending you messages?" in desk.does("ask_stop")[0]


def test_deletion_works_while_an_agent_has_the_chat() -> None:
    person, _ = talking()
    assert "cannot be brought back" in " ".join(person.say("delete my data"))
    person.tap("Delete my data")
    person.tap("Yes, delete it")
    assert person.conversation.erasing


def test_words_to_the_agent_neither_delete_nor_cancel_a_deletion() -> None:
    person, _ = talking()
    person.say("delete my data")
    assert person.say("yes") == []
    assert not person.conversation.erasing
    assert lines(person)[-1][0:3:2] == ("in", "yes")


def test_a_complaint_is_kept_while_an_agent_has_the_chat() -> None:
    person, _ = talking()
    person.say("I want to complain about how you use my data")
    person.say("You write too much")
    assert "complaint" in [one.kind for one in of(person, OpenRequest)]


def test_wishes_that_are_no_rights_are_told_to_the_agent() -> None:
    person, _ = talking()
    assert person.say("I want to talk to a human") == []
    assert lines(person)[-1] == ("in", "text", "I want to talk to a human")


def test_a_message_taken_back_is_forgotten() -> None:
    person, _ = talking()
    person.say("my card is 4111")
    kept = of(person, Transcribe)[-1].message
    event = person._event("", kind="revoked")
    person.play(MessageReceived(event.id, event.at, "revoked", reply_to=EventId(kept)))
    assert [one.message for one in of(person, Unsay)] == [kept]


def test_what_the_bot_says_meanwhile_is_shown_to_the_agent() -> None:
    person, _ = talking()
    person.say("privacy")
    assert [line for line in lines(person) if line[0] == "bot" and "privacy" in line[2].lower()]
