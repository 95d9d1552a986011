"""Consents that end soon are asked for again: once, with the full information, and never against a no (EDPB 05/2020)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.command import RecordConsent, Send
from bot.domain.event import PreferenceChanged
from bot.domain.ids import EventId
from bot.domain.message import ButtonsMessage, TemplateMessage
from bot.engine.book import Book
from bot.privacy.consent import check_event, fold
from tests.engine.phone import Phone, book

BEFORE_THE_END = timedelta(days=701)
"""Within the last month of a consent of 730 days."""


def signed_up(known: Book | None = None) -> Phone:
    phone = Phone(known or book())
    phone.say("newsletter")
    phone.tap("Yes, please")
    phone.tap("Confirm")
    assert phone.conversation.consent("newsletter").state == "given"
    return phone


def later(phone: Phone, length: timedelta) -> list[str]:
    """Time passes and nobody writes; what is sent meanwhile."""
    return phone.wait(length)


def asks(said: list[str]) -> bool:
    return any("Would you like it to go on?" in one for one in said)


def with_template() -> Book:
    known = book()
    business = known.business
    news = business.templates["monthly_news"].model_copy(
        update={
            "languages": {"en": "Your newsletter ends soon."},
            "payloads": ("recado:renew:newsletter", "recado:stop:newsletter"),
        }
    )
    purpose = business.purposes["newsletter"].model_copy(update={"renewal": "go_on"})
    changed = business.model_copy(
        update={
            "templates": {**business.templates, "go_on": news},
            "purposes": {**business.purposes, "newsletter": purpose},
        }
    )
    return replace(known, business=changed)


def test_whoever_writes_in_the_last_month_is_asked_after_their_answer_and_once() -> None:
    phone = signed_up()
    assert not asks(later(phone, BEFORE_THE_END))
    said = phone.say("hello")
    assert asks(said)
    assert not asks(said[:1]), "the answer comes first"
    assert "23 November 2028" in said[-1] or "2028" in said[-1]
    assert "STOP" in said[-1]
    phone.say("help")
    later(phone, timedelta(days=8))
    assert not asks(phone.say("hello"))


def test_yes_lengthens_the_consent_and_is_on_record_with_the_words() -> None:
    phone = signed_up()
    ends = phone.conversation.consent("newsletter").valid_until
    later(phone, BEFORE_THE_END)
    phone.say("hello")
    said = phone.tap("Yes, go on")
    consent = phone.conversation.consent("newsletter")
    assert "now holds until" in said[0]
    assert ends is not None
    assert consent.valid_until is not None
    assert consent.valid_until - ends > timedelta(days=600)
    records = [one for one in phone.commands if isinstance(one, RecordConsent)]
    (again,) = [one for one in records if one.event_type == "reaffirmed"]
    assert check_event(again) == []
    assert "Would you like it to go on?" in again.prompt_text
    assert fold(records)["newsletter"].valid_until == consent.valid_until
    assert len([timer for timer in phone.conversation.timers if timer.name == "renewal"]) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param("No, end it now", "withdrawn", id="no"),
        pytest.param("no", "withdrawn", id="a typed no"),
        pytest.param("ok", "given", id="a weak word is no answer"),
        pytest.param("👍", "given", id="nor is a thumb"),
    ],
)
def test_any_other_answer_lengthens_nothing(answer: str, state: str) -> None:
    phone = signed_up()
    later(phone, BEFORE_THE_END)
    phone.say("hello")
    before = phone.conversation.consent("newsletter").valid_until
    phone.say(answer)
    consent = phone.conversation.consent("newsletter")
    assert consent.state == state
    assert state != "given" or consent.valid_until == before


def test_silence_lets_it_end() -> None:
    phone = signed_up()
    later(phone, BEFORE_THE_END)
    phone.say("hello")
    later(phone, timedelta(days=31))
    phone.say("hello")
    assert phone.conversation.consent("newsletter").state == "expired"
    assert [one.event_type for one in phone.commands if isinstance(one, RecordConsent)][-1] == "expired"


def test_whoever_is_silent_gets_the_template_of_the_purpose_under_the_consent_that_stands() -> None:
    phone = signed_up(with_template())
    later(phone, BEFORE_THE_END)
    sent = [one for one in phone.heard if isinstance(one.message, TemplateMessage)]
    assert [
        (one.message.name, one.reason, one.purpose) for one in sent if isinstance(one.message, TemplateMessage)
    ] == [("go_on", "business", "newsletter")]
    question = phone.press("recado:renew:newsletter")
    assert asks(question)
    phone.tap("Yes, go on")
    assert phone.conversation.consent("newsletter").valid_until > phone.now + timedelta(days=700)  # type: ignore[operator]


def test_a_template_button_that_is_out_of_date_renews_nothing() -> None:
    phone = signed_up(with_template())
    assert not asks(phone.press("recado:renew:newsletter"))
    assert not asks(phone.press("recado:renew:nothing"))


@pytest.mark.parametrize("how", ["STOP", "meta"])
def test_nobody_who_stopped_is_asked_back(how: str) -> None:
    phone = signed_up(with_template())
    if how == "STOP":
        phone.say("STOP")
    else:
        phone.play(PreferenceChanged(EventId("e" * 24), phone.now, "stop"))
    heard = len(phone.heard)
    later(phone, BEFORE_THE_END)
    assert len(phone.heard) == heard
    assert not asks(phone.say("hello"))


def test_an_agents_chat_is_not_interrupted() -> None:
    phone = signed_up()
    later(phone, BEFORE_THE_END)
    phone.conversation = replace(phone.conversation, owner="agent")
    assert not asks(phone.say("hello"))


def test_the_question_has_two_equal_buttons() -> None:
    phone = signed_up()
    later(phone, BEFORE_THE_END)
    phone.say("hello")
    question = phone.heard[-1]
    assert isinstance(question, Send)
    assert isinstance(question.message, ButtonsMessage)
    assert [option.title for option in question.message.options] == ["Yes, go on", "No, end it now"]
