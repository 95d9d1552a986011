"""Answers that are values, in a conversation: what is doubtful is asked about, bounds are kept, pictures are kept by reference."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.command import FetchMedia
from bot.domain.event import MessageReceived
from bot.domain.ids import EventId
from tests.engine.phone import Phone, book, text

FLOW = """flow: mine
title: Mine
purpose: support
starts: [{{words: [begin]}}]
data:
  value: {field}
steps:
  - id: question
    ask: Tell me.
    into: value
    wait: 2 hours
    {more}
    outcomes:
      gave_up: [{{say: You gave up.}}, end]
      silent: [{{say: You are silent.}}, end]
      skipped: [{{say: You skipped it.}}, end]
  - when: [{{if: value is known, then: [{{say: "It is {{value}}."}}]}}]
    else: carry on
  - end
"""


def phone(field: str, more: str = "", *, language: str = "en") -> Phone:
    """A phone whose person was just asked for a value of this field."""
    made = Phone(book(mine=FLOW.format(field=field, more=more)), language=language)
    assert made.say("begin")[-1] == "Tell me."
    return made


def titles(one: Phone) -> list[str]:
    return [option.title for option in getattr(one.heard[-1].message, "options", ())]


def test_a_clear_date_is_taken() -> None:
    one = phone("{type: date, keep: 30 days, expects: future}")

    assert one.say("24 December")[0] == "It is Thursday, December 24, 2026."


@pytest.mark.parametrize(
    ("answer", "day"),
    [
        pytest.param("Dec 4, 2026", "Friday, December 4, 2026", id="tapped"),
        pytest.param("2", "Friday, December 4, 2026", id="by its number"),
        pytest.param("4 December", "Friday, December 4, 2026", id="written out anew"),
        pytest.param("tomorrow", "Tuesday, November 24, 2026", id="another answer altogether"),
    ],
)
def test_a_doubtful_date_is_asked_about(answer: str, day: str) -> None:
    one = phone("{type: date, keep: 30 days, expects: future}")

    asked = one.say("next Friday")
    assert asked == ["Which one do you mean?\n1. Friday, November 27, 2026\n2. Friday, December 4, 2026"]
    assert titles(one) == ["Nov 27, 2026", "Dec 4, 2026", "None of these"]

    said = one.tap(answer) if answer in titles(one) else one.say(answer)
    assert said[0] == f"It is {day}."


def test_none_of_these_is_told_how_to_answer_and_counts_as_a_try() -> None:
    one = phone("{type: date, keep: 30 days, expects: future}", "tries: 2")
    one.say("next Friday")

    assert one.tap("None of these") == ["I did not understand that. Please write a date, for example Dec 2, 2026."]
    one.say("next Friday")
    assert one.tap("None of these")[0] == "You gave up."


def test_doubt_after_doubt_comes_to_an_end() -> None:
    one = phone("{type: time, keep: 30 days}")

    heard = [one.say("8")[0] for _ in range(5)]
    assert heard[:3] == ["Which one do you mean?\n1. 8:00\u202fAM\n2. 8:00\u202fPM"] * 3
    assert heard[3] == "You gave up."


def test_an_old_doubt_is_not_answered_by_a_later_tap() -> None:
    one = phone("{type: date, keep: 30 days, expects: future}", "tries: 5")
    one.say("next Friday")
    stale = one.heard[-1].message.options[0]
    one.say("03/04")

    one.play(one._event(stale.title, option=stale.id, kind="tap"))

    assert one.conversation.frames[-1].flow == "mine"
    assert "value" not in one.conversation.slots[-1]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param("yes", "It is Saturday, November 20, 2027.", id="yes"),
        pytest.param("no", "I did not understand that. Please write a date, for example Dec 2, 2026.", id="no"),
    ],
)
def test_did_you_mean_is_answered_in_words(answer: str, said: str) -> None:
    one = phone("{type: date, keep: 30 days, expects: future}")

    assert one.say("20.11.") == ["Did you mean Saturday, November 20, 2027?"]
    assert titles(one) == ["Yes", "No"]
    assert one.say(answer)[0] == said


def test_bounds_settle_a_doubt_but_not_silently() -> None:
    """Half past three can only be in the afternoon where the shop opens at nine; it is still said back."""
    one = phone('{type: time, keep: 30 days, min: "09:00", max: "18:00"}')

    assert one.say("half past three") == ["Did you mean 3:30\u202fPM?"]
    assert one.tap("Yes")[0] == "It is 3:30\u202fPM."


BOUNDS = [
    pytest.param(
        "{type: date, keep: 30 days, expects: future, max: today plus 60 days}",
        "in 90 days",
        "That is too late. The latest is Friday, January 22, 2027.",
        id="a day too late",
    ),
    pytest.param(
        "{type: date, keep: 30 days, expects: future}",
        "20 November 2026",
        "That is in the past. Please give a later one.",
        id="a day gone by",
    ),
    pytest.param(
        "{type: date, keep: 30 days, expects: past}",
        "1 January 2030",
        "That is in the future. Please give an earlier one.",
        id="a birthday to come",
    ),
    pytest.param(
        '{type: time, keep: 30 days, min: "09:00"}',
        "06:30",
        "That is too early. The earliest is 9:00\u202fAM.",
        id="before opening",
    ),
    pytest.param(
        "{type: whole_number, keep: 30 days, min: 1, max: 8}",
        "12",
        "That is too much. The most is 8.",
        id="too many guests",
    ),
    pytest.param(
        "{type: money, keep: 30 days, min: 5}",
        "4,50 €",
        "That is too little. The least is €5.00.",
        id="too small an amount",
    ),
    pytest.param(
        "{type: duration, keep: 30 days, max: 2 hours}",
        "3 hours",
        "That is too much. The most is 2 hours.",
        id="too long",
    ),
    pytest.param(
        "{type: datetime, keep: 30 days, expects: future, min: now plus 2 hours}",
        "today 10:30 am",
        "That is too early. The earliest is Monday, November 23, 2026, 12:00\u202fPM.",
        id="too soon",
    ),
]


@pytest.mark.parametrize(("field", "answer", "said"), BOUNDS)
def test_what_lies_outside_the_bounds_is_refused_with_the_bound(field: str, answer: str, said: str) -> None:
    assert phone(field, "explain: Another text.").say(answer) == [said]


def test_the_authors_own_words_explain_what_was_not_understood() -> None:
    assert phone("{type: date, keep: 30 days}", "explain: A day, please.").say("banana") == ["A day, please."]


def test_silence_counts_from_the_question_which_is_meant() -> None:
    one = phone("{type: date, keep: 30 days, expects: future}")
    one.say("next Friday")

    assert one.wait(timedelta(hours=3))[0] == "You are silent."


def test_a_day_without_its_time_is_asked_for_the_time() -> None:
    one = phone("{type: datetime, keep: 30 days, expects: future}")

    assert one.say("tomorrow")[0].startswith("Please add the time of day, for example Dec 2, 3:30")
    assert one.say("tomorrow 15:30")[0] == "It is Nov 24, 2026, 3:30:00\u202fPM."


def sent(one: Phone, kind: str, words: str = "", **data: Any) -> list[str]:
    event: MessageReceived = one._event(words, kind=kind)
    return [text(said) for said in one.play(replace(event, id=EventId("f" * 24), data=data))]


MEDIA = [
    pytest.param(
        "image", "image", {"media_id": "m1", "mime_type": "image/jpeg", "filename": "ana.jpg"}, True, id="a photo"
    ),
    pytest.param("image", "document", {"media_id": "m1", "mime_type": "image/png"}, True, id="a photo sent as a file"),
    pytest.param(
        "image", "document", {"media_id": "m1", "mime_type": "application/pdf"}, False, id="a file that is no photo"
    ),
    pytest.param("image", "audio", {"media_id": "m1"}, False, id="a voice message for a photo"),
    pytest.param("document", "document", {"media_id": "m1", "mime_type": "application/pdf"}, True, id="a document"),
    pytest.param("voice", "audio", {"media_id": "m1", "voice": True}, True, id="a voice message"),
    pytest.param("location", "location", {"latitude": 38.7, "longitude": -9.1}, True, id="a place"),
    pytest.param("location", "location", {}, False, id="a place without coordinates"),
]


@pytest.mark.parametrize(("field", "kind", "data", "taken"), MEDIA)
def test_what_is_no_text_is_kept_by_reference(field: str, kind: str, data: dict[str, Any], taken: bool) -> None:
    one = phone(f"{{type: {field}, keep: 30 days}}", "tries: 9")
    said = sent(one, kind, **data)

    assert said[0].startswith("It is") == taken
    if not taken:
        assert said[0].startswith("Please ")


ASKED_TWICE = FLOW.replace('[{{say: "It is {{value}}."}}]', "[{{ask: More?, into: value}}]")


def kept(one: Phone) -> Any:
    return one.conversation.slots[-1]["value"]


def asked_twice(field: str, *, language: str = "en") -> Phone:
    """A phone before a flow that keeps the first answer while it asks on."""
    one = Phone(book(mine=ASKED_TWICE.format(field=field, more="")), language=language)
    one.say("begin")
    return one


def test_no_name_of_a_file_is_kept() -> None:
    one = asked_twice("{type: image, keep: 30 days}")
    sent(one, "image", media_id="m1", mime_type="image/jpeg", filename="ana-silva.jpg", sha256="s")

    fetched = [command for command in one.commands if isinstance(command, FetchMedia)]
    assert kept(one) == {"media": fetched[0].id, "mime_type": "image/jpeg"}
    assert "ana-silva" not in repr(fetched)


def test_a_shared_own_number_is_an_answer() -> None:
    one = asked_twice("{type: phone, keep: 30 days}")
    sent(one, "contacts", phone="+12125550123")

    assert kept(one) == "+12125550123"


def test_a_question_that_may_be_skipped_still_can_be() -> None:
    one = phone("{type: date, keep: 30 days}", "optional: yes")

    assert one.tap("Skip")[0] == "You skipped it."


OUTLIVE = [
    pytest.param("money", "12,50", Decimal("12.50"), id="an amount"),
    pytest.param("date", "24/12/2026", date(2026, 12, 24), id="a day"),
    pytest.param("datetime", "24/12/2026 15:30", datetime(2026, 12, 24, 15, 30, tzinfo=UTC), id="a moment"),
    pytest.param("duration", "90 min", timedelta(minutes=90), id="a length of time"),
    pytest.param("time", "15h30", time(15, 30), id="a time of day"),
]


@pytest.mark.parametrize(("kind", "words", "value"), OUTLIVE)
def test_a_value_is_the_same_after_it_was_written_and_read_back(kind: str, words: str, value: Any) -> None:
    """The phone writes the conversation out and reads it back at each turn."""
    one = asked_twice(f"{{type: {kind}, keep: 30 days}}", language="pt")
    one.say(words)

    assert kept(one) == value


def test_a_sensitive_value_is_never_said_back() -> None:
    """A birthday without its year is in doubt; it is explained how to write it instead of being repeated."""
    one = asked_twice("{type: date, keep: 30 days, sensitive: yes}")

    said = one.say("20 November")

    assert said == ["I did not understand that. Please write a date, for example Dec 2, 2026."]
    assert titles(one) == []
