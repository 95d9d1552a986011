"""A material change: people are told, and asked anew before anything rests on their old consent (GDPR art. 4(11), 13(3))."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.business import purpose_hash
from bot.domain.command import RecordConsent, Send
from bot.domain.message import OutMessage
from bot.engine.book import Book
from bot.privacy.consent import check_event, fold
from tests.engine.phone import Phone, book
from tests.engine.test_opting_in import REQUEST, answers
from tests.engine.test_renewing import signed_up

CHANGED = "What you agreed to get"
TOLD = "has changed since you were last told"


def with_other_words(known: Book, **changes: object) -> Book:
    purpose = known.business.purposes["newsletter"].model_copy(update={"frequency": "every day", **changes})
    return replace(
        known,
        business=known.business.model_copy(update={"purposes": {**known.business.purposes, "newsletter": purpose}}),
    )


def under_other_words() -> Phone:
    """Somebody signed up; then the business changes what the newsletter is."""
    phone = signed_up()
    return phone.with_book(with_other_words(book()))


def records(phone: Phone) -> list[RecordConsent]:
    return [one for one in phone.commands if isinstance(one, RecordConsent) and one.purpose == "newsletter"]


def test_whoever_writes_is_asked_for_the_new_words_after_the_answer_and_once() -> None:
    phone = under_other_words()
    said = phone.say("hello")
    assert CHANGED in said[-1]
    assert "every day" in said[-1]
    assert "STOP" in said[-1]
    assert not any(CHANGED in one for one in said[:-1])
    phone.wait(timedelta(days=40))
    assert not any(CHANGED in one for one in phone.say("hello"))


def test_yes_puts_the_new_words_on_record_and_the_consent_covers_them() -> None:
    phone = under_other_words()
    phone.say("hello")
    assert "now holds until" in phone.tap("Yes, I agree")[0]
    consent = phone.conversation.consent("newsletter")
    assert phone.book.business.purposes["newsletter"].covers(consent.purpose_hash)
    assert records(phone)[-1].event_type == "reaffirmed"
    assert fold(records(phone))["newsletter"] == consent
    assert "every day" in records(phone)[-1].prompt_text
    assert not any(CHANGED in one for one in phone.say("hello"))


def test_no_withdraws_and_nobody_asks_again() -> None:
    phone = under_other_words()
    phone.say("hello")
    phone.tap("No, end it")
    assert phone.conversation.consent("newsletter").state == "withdrawn"
    assert not any(CHANGED in one for one in phone.say("hello"))


def test_who_says_nothing_keeps_what_stood_and_it_carries_nothing() -> None:
    phone = under_other_words()
    phone.say("hello")
    phone.wait(timedelta(days=40))
    consent = phone.conversation.consent("newsletter")
    assert consent.state == "given"
    assert not phone.book.business.purposes["newsletter"].covers(consent.purpose_hash)


def test_who_asks_for_it_is_asked_twice_again_and_the_old_consent_is_invalid() -> None:
    phone = under_other_words()
    phone.say("newsletter")
    assert [one.event_type for one in records(phone)[-2:]] == ["invalidated", "requested"]
    phone.tap("Yes, please")
    phone.tap("Confirm")
    assert phone.conversation.consent("newsletter").state == "given"
    for one in records(phone):
        check_event(one)
    assert fold(records(phone))["newsletter"].state == "given"


def test_a_flow_sees_that_nothing_stands_any_more() -> None:
    assert "You already get our news" not in under_other_words().say("newsletter")[0]


def test_who_asks_for_it_on_the_website_agrees_to_the_new_words_there() -> None:
    phone = under_other_words()
    request = replace(REQUEST, asked_at=phone.now + timedelta(seconds=5), expires=phone.now + timedelta(hours=48),
                      purpose_hash=purpose_hash(phone.book.business.purposes["newsletter"]))  # fmt: skip
    answers(phone, request=request)
    assert phone.conversation.consent("newsletter").purpose_hash == request.purpose_hash
    assert fold(records(phone))["newsletter"] == phone.conversation.consent("newsletter")
    assert [one.event_type for one in records(phone)][-4:] == ["invalidated", "requested", "first_step", "confirmed"]


def test_who_stopped_is_not_asked() -> None:
    phone = under_other_words()
    phone.say("STOP")
    assert not any(CHANGED in one for one in phone.say("hello"))


def test_words_that_mean_the_same_ask_nobody() -> None:
    phone = signed_up().with_book(with_other_words(book(), frequency="at most four times a month", quiet="20:00-09:00"))
    known = phone.book.business.purposes["newsletter"]
    agreed = phone.conversation.consent("newsletter").purpose_hash
    covers = known.with_covered(frozenset({agreed}))
    phone = phone.with_book(replace(phone.book, business=phone.book.business.model_copy(update={"purposes": {
        **phone.book.business.purposes, "newsletter": covers}})))  # fmt: skip
    assert not any(CHANGED in one for one in phone.say("hello"))


# -- the notice ------------------------------------------------------------------------------------------------------------


def notices(sent: list[OutMessage]) -> int:
    return sum("The privacy notice of" in str(getattr(one, "body", "")) for one in sent)


def test_a_changed_notice_is_shown_after_the_answer_once_and_is_on_record() -> None:
    phone = signed_up()
    phone.rules.current_notice = "c" * 32
    said = phone.say("help")
    assert TOLD in "".join(said)
    assert not any(TOLD in one for one in said[:1])
    assert phone.conversation.notice == "c" * 32
    shown = [one for one in phone.commands if isinstance(one, RecordConsent) and one.event_type == "notice_shown"]
    assert shown[-1].notice_hash == "c" * 32
    assert not any(TOLD in one for one in phone.say("help"))
    assert {one.reason for one in phone.commands if isinstance(one, Send) and TOLD in str(one.message)} == {"notice"}


def test_it_does_not_come_between_a_question_and_its_answer() -> None:
    phone = signed_up()
    phone.say("my data")
    phone.rules.current_notice = "c" * 32
    assert not any(TOLD in one for one in phone.say("banana"))
    assert any(TOLD in one for one in phone.tap("See my data"))


def test_a_stop_is_confirmed_and_nothing_else_is_said() -> None:
    phone = signed_up()
    phone.rules.current_notice = "c" * 32
    said = phone.say("STOP")
    assert not any(TOLD in one for one in said)
