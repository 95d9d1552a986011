"""Another topic in the middle of a flow, the way back to it and to the question before, and people who fall silent."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from bot.domain.event import FlowRequested
from bot.domain.ids import EventId
from tests.engine.phone import FLOWS, Phone, book, text

HEAD = "flow: walk\ntitle: Walk\npurpose: support\n"
WALK = """starts: [{words: [go for a walk]}]
data:
  name: {type: text, keep: until_end}
  size: {type: whole_number, keep: until_end}
  colour: {type: choice, keep: until_end, options: {green: Green, blue: Blue}}
steps:
  - ask: What is your name?
    into: name
  - ask: How many?
    into: size
  - ask: Which colour?
    into: colour
  - set: {size: size + 1}
  - id: last
    menu: Shall I send {size} in {colour} to {name}?
    options: {send: Send, drop: Forget it}
  - say: Done.
"""
SIDE = """flow: side
title: Side
purpose: support
starts: [{words: [side road]}, {template_reply: SIDEWAYS}]
data: {far: {type: text, keep: until_end}}
steps:
  - ask: How far?
    into: far
  - say: "So {far}."
"""
DEEP = """flow: deep
title: Deep
purpose: support
starts: [{words: [third way]}]
steps:
  - menu: Third?
    options: {on: Onwards, out: Outwards}
"""
BUSINESS = (
    (FLOWS / "business.yaml")
    .read_text()
    .replace(
        "templates:\n",
        "templates:\n  news_soon:\n    category: utility\n    purpose: support\n    languages: {en: One question is open.}\n",
    )
)
OFFER = "You wrote “side road”."
RESUME = "Shall we go on where we were? The question was:"


made_of = cache(book)


def phone(head: str = "", **own: str) -> Phone:
    made = Phone(made_of(walk=HEAD + head + WALK, side=SIDE, deep=DEEP, **own))
    made.say("hello")
    made.conversation = replace(made.conversation, frames=(), slots=(), timers=())
    return made


def where(one: Phone) -> list[str]:
    return [frame.flow for frame in one.conversation.frames]


def test_it_is_asked_before_another_topic_and_offered_to_go_on_after_it() -> None:
    one = phone()
    one.say("go for a walk")
    one.say("Ana")

    assert one.say("side road")[0].startswith(OFFER)
    assert one.tap("Yes, now") == ["How far?"]
    assert one.say("very") == ["So very.\n\n" + RESUME + "\nHow many?"]
    assert one.tap("Yes, go on") == ["How many?"]
    one.say("2")
    one.tap("Green")
    assert text(one.heard[-1]) == "Shall I send 3 in Green to Ana?"


def test_whoever_stays_is_asked_the_question_again_and_may_answer_with_those_words() -> None:
    one = phone()
    one.say("go for a walk")

    assert one.say("side road")[0].startswith(OFFER)
    assert one.tap("No, go on here") == ["What is your name?"]
    assert one.say("side road") == ["How many?"]
    assert one.conversation.slots[-1]["name"] == "side road"


def test_whoever_does_not_go_on_has_nothing_open() -> None:
    one = phone()
    one.say("go for a walk")
    one.say("side road")
    one.tap("Yes, now")
    one.say("far")

    assert one.tap("No, leave it") == ["All right, we leave it at that."]
    assert where(one) == []


@pytest.mark.parametrize("answer", ["whatever", "", "wait"], ids=["other words", "nothing", "silence"])
def test_an_offer_that_is_not_taken_leaves_nothing_open(answer: str) -> None:
    one = phone()
    one.say("go for a walk")
    one.say("side road")
    one.tap("Yes, now")
    one.say("far")
    if answer == "wait":
        one.wait(timedelta(days=3))
    else:
        one.say(answer)
        one.say(answer)

    assert where(one) == []


def test_topics_left_in_the_middle_are_offered_one_after_the_other() -> None:
    one = phone()
    one.say("go for a walk")
    one.say("side road")
    one.tap("Yes, now")
    one.say("third way")
    one.tap("Yes, now")

    assert one.tap("Onwards")[0] == RESUME + "\nHow far?"
    assert one.tap("No, leave it")[-1] == "All right, we leave it at that.\n\n" + RESUME + "\nWhat is your name?"
    one.tap("Yes, go on")
    assert where(one) == ["walk"]


def test_allow_turns_to_the_other_topic_at_once() -> None:
    one = phone("interrupt: allow\n")
    one.say("go for a walk")

    assert one.say("side road") == ["How far?"]
    assert one.say("far")[0].endswith(RESUME + "\nWhat is your name?")


def test_never_takes_the_words_as_an_answer() -> None:
    one = phone("interrupt: never\n")
    one.say("go for a walk")

    assert one.say("side road") == ["How many?"]
    assert one.say("side road")[0].startswith("I did not understand that. Please write a number")
    assert where(one) == ["walk"]


def test_a_menu_is_shown_again_without_an_offer() -> None:
    one = phone()
    for words in ("go for a walk", "Ana", "2"):
        one.say(words)
    one.tap("Green")
    one.say("side road")
    one.tap("Yes, now")

    assert one.say("far") == ["So far.\n\nShall I send 3 in Green to Ana?"]


def test_a_button_of_a_template_is_another_topic_too() -> None:
    one = phone()
    one.say("go for a walk")

    assert one.press("SIDEWAYS")[0].startswith("You wrote “tapped”.")


@pytest.mark.parametrize("said", ["Green", "blue", "1"])
def test_an_answer_is_no_other_topic(said: str) -> None:
    """Also where a flow starts with that very word."""
    one = phone(red=DEEP.replace("deep", "reddish").replace("third way", "green, blue"))
    for words in ("go for a walk", "Ana", "2"):
        one.say(words)

    assert one.say(said)[0].startswith("Shall I send 3")


def test_menu_opens_what_greets_people() -> None:
    one = phone()

    assert one.say("menu") == ["How can I help you?"]


def test_menu_in_a_flow_is_another_topic() -> None:
    one = phone()
    one.say("go for a walk")
    one.say("Menu!")
    one.tap("Yes, now")

    assert where(one) == ["walk", "welcome"]


def test_nobody_gets_lost_in_ever_deeper_topics() -> None:
    one = phone("interrupt: allow\n")
    for _ in range(30):
        one.say("menu")
        one.say("go for a walk")

    assert len(one.conversation.frames) <= 9


def test_a_flow_whose_condition_does_not_hold_is_not_started() -> None:
    secret = 'flow: secret\ntitle: Secret\npurpose: support\nonly_if: person.language is "de"\n'
    secret += "starts: [{words: [open sesame]}]\nsteps: [say: Open.]\n"
    one = phone(secret=secret)

    assert one.say("open sesame") == ["How can I help you?"]
    other = Phone(one.book, language="de")
    assert other.say("open sesame")[-1] == "Open."


def test_back_asks_the_question_before_and_forgets_its_answer() -> None:
    one = phone()
    for words in ("go for a walk", "Ana", "2"):
        one.say(words)

    assert one.say("back") == ["How many?"]
    assert "size" not in one.conversation.slots[-1]
    assert one.say("go back") == ["What is your name?"]
    assert one.say("back") == [
        "I cannot go back any further here. Write HELP to see what I can do.\n\nWhat is your name?"
    ]
    for words in ("Bea", "4"):
        one.say(words)
    assert one.tap("Blue") == ["Shall I send 5 in Blue to Bea?"]


def test_back_stops_at_what_cannot_be_done_twice() -> None:
    """A sum that was reckoned would be reckoned twice."""
    one = phone()
    for words in ("go for a walk", "Ana", "2"):
        one.say(words)
    one.tap("Green")

    assert one.say("back")[0].startswith("I cannot go back any further here.")


IDLE = "idle: {remind_after: 20 minutes, after: 2 hours, then: [{say: We stop here.}]}\n"


def test_whoever_falls_silent_is_reminded_once_and_then_left_alone() -> None:
    one = phone(IDLE)
    one.say("go for a walk")

    assert one.wait(timedelta(minutes=19)) == []
    assert one.wait(timedelta(minutes=1)) == ["Are you still there? One question is open:\n\nWhat is your name?"]
    assert one.wait(timedelta(minutes=99)) == []
    assert one.wait(timedelta(minutes=1)) == ["We stop here."]
    assert where(one) == []


def test_a_late_answer_after_the_reminder_counts() -> None:
    one = phone(IDLE)
    one.say("go for a walk")
    one.wait(timedelta(minutes=90))

    assert one.say("Ana") == ["How many?"]
    assert one.wait(timedelta(minutes=30)) == ["Are you still there? One question is open:\n\nHow many?"]


def test_a_question_with_a_wait_or_a_silence_of_its_own_keeps_it() -> None:
    flow = WALK.replace(
        "into: name", "into: name\n    wait: 10 minutes\n    outcomes: {silent: [{say: Too late.}, end]}"
    )
    one = Phone(book(walk=HEAD + IDLE + flow, side=SIDE))
    one.say("go for a walk")

    assert one.wait(timedelta(minutes=11)) == ["Too late."]


def test_outside_the_window_nobody_is_reminded_without_a_template() -> None:
    head = "idle: {remind_after: 30 hours, after: 3 days, template: news_soon}\n"
    one = Phone(book(walk=HEAD + head + WALK, business=BUSINESS))
    one.say("go for a walk")

    assert one.wait(timedelta(hours=31)) == ["news_soon"]
    one = Phone(book(walk=HEAD + IDLE.replace("20 minutes", "23 hours").replace("2 hours", "3 days") + WALK))
    one.say("go for a walk")
    one.conversation = replace(one.conversation, window_until=one.now)
    assert one.wait(timedelta(hours=24)) == []


def test_a_second_silence_ends_the_flow() -> None:
    """What is done after a silence may ask again, but never for ever."""
    head = "idle: {after: 1 hour, then: [{menu: 'Go on?', options: {a: Go on, b: Not now}}]}\n"
    one = phone(head)
    one.say("go for a walk")

    assert one.wait(timedelta(hours=1)) == ["Go on?"]
    assert one.wait(timedelta(hours=30)) == []
    assert where(one) == []


CLUB = """flow: club
title: Club
purpose: support
needs_consent: [newsletter]
starts: [{words: [tea club]}]
steps: [say: Welcome to the club.]
"""


def test_a_flow_that_needs_a_consent_asks_for_it_first() -> None:
    one = phone(club=CLUB)

    assert one.say("tea club")[-1].startswith("May Casa Lua send you its newsletter")
    one.tap("Yes, please")
    assert "Welcome to the club." not in " ".join(map(text, one.heard)), "the second yes is needed"
    assert one.tap("Confirm")[-1].endswith("Welcome to the club.")
    assert one.say("tea club") == ["Welcome to the club."]


def test_without_the_consent_it_does_not_begin() -> None:
    one = phone(club=CLUB)
    one.say("tea club")

    assert one.tap("No, thanks") == ["No problem. You will not get any news from us."]
    assert where(one) == []


def test_a_consent_asked_for_in_the_middle_leads_to_the_flow_and_back() -> None:
    one = phone(club=CLUB)
    one.say("go for a walk")
    one.say("tea club")
    one.tap("Yes, now")
    one.tap("Yes, please")

    said = one.tap("Confirm")
    assert "Welcome to the club." in said[-2] + said[-1]
    assert said[-1].endswith("What is your name?")
    assert where(one) == ["walk", "resume_offer"]


def test_whoever_of_us_starts_a_flow_needs_the_consent_too() -> None:
    one = phone(club=CLUB)
    said = one.play(FlowRequested(EventId("f" * 24), one.now, "club"))

    assert text(said[-1]).startswith("May Casa Lua send you its newsletter")
