"""The answer to a website's request, heard on the phone: both steps on record, nothing where anything speaks against it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.business import purpose_hash
from bot.domain.command import Notify, RecordConsent
from bot.domain.event import MessageReceived
from bot.domain.ids import EventId, Wamid, Words
from bot.domain.opt_in import OptInRequest, payload
from bot.privacy import intents
from bot.privacy.consent import check_event, fold, not_honoured
from tests.engine.phone import NOW, Phone, book, subscribed, text

BOOK = book()
ASKED = NOW - timedelta(minutes=5, milliseconds=250)
REQUEST = OptInRequest(
    "c" * 32, "newsletter", "en", ASKED, ASKED + timedelta(hours=48), "website https://shop.example", "f" * 32, "n" * 32,
    purpose_hash(BOOK.business.purposes["newsletter"]), "confirm_sign_up/en",
    "Tick what you would like", "Yes, our newsletter", "Do you want that?\n[Yes, please]",
)  # fmt: skip


@pytest.fixture
def phone() -> Phone:
    return Phone(BOOK)


def answers(
    phone: Phone, words: str = "Yes, please", *, kind: str = "yes", request: OptInRequest | None = REQUEST,
    typed: bool = False, at: datetime | None = None,
) -> list[str]:  # fmt: skip
    """The person answers the confirming message; what they hear."""
    event = phone._event(
        words, option="" if typed else payload(kind, REQUEST.id), kind="text" if typed else "template_tap"
    )
    event = replace(event, opt_in=request, reply_wamid=Wamid("wamid.template"), at=at or event.at)
    return [text(one) for one in phone.play(event)]


def test_who_asks_back_is_told_where_the_number_is_from_and_sees_the_notice_first(phone: Phone) -> None:
    """GDPR art. 13, 14(2)(f)."""
    for words in ("who are you?", "why do you have my number?", "stop the reminders about my order"):
        stranger = Phone(BOOK)
        said = answers(stranger, words, typed=True)
        assert said[0].startswith("The privacy notice"), words
        assert any("entered in the sign-up form on https://shop.example" in one for one in said), words


def test_whoever_wrote_before_is_not_told_again(phone: Phone) -> None:
    phone.say("hello")
    said = answers(phone, "who are you?", typed=True)
    assert not any("sign-up form" in one for one in said)


def recorded(phone: Phone) -> list[RecordConsent]:
    return [one for one in phone.commands if isinstance(one, RecordConsent) and one.purpose == "newsletter"]


def assert_nothing_was_given(phone: Phone) -> None:
    assert not phone.conversation.consent("newsletter").is_live(phone.now)
    assert "confirmed" not in [one.event_type for one in recorded(phone)]


def test_a_yes_gives_the_consent_with_both_steps_on_record(phone: Phone) -> None:
    said = answers(phone)
    asked, ticked, confirmed = recorded(phone)
    assert [one.event_type for one in (asked, ticked, confirmed)] == ["requested", "first_step", "confirmed"]
    assert said[0] == "The privacy notice of Casa Lua."
    assert said[1].startswith("Thank you, that is confirmed. You get from Casa Lua: our newsletter.")
    assert phone.conversation.consent("newsletter").is_live(phone.now)
    assert phone.conversation.talk == "active"
    assert [one.event for one in phone.commands if isinstance(one, Notify)] == ["consent.given"]
    assert (asked.occurred_at, ticked.occurred_at, confirmed.occurred_at) == (ASKED, ASKED, phone.now)
    assert (ticked.answer_kind, ticked.answer_text, ticked.prompt_text) == ("web_box", REQUEST.label, REQUEST.wording)
    assert (confirmed.prompt_text, confirmed.answer_text) == (REQUEST.confirmation, "Yes, please")
    assert (confirmed.template, confirmed.source) == (REQUEST.template, "website https://shop.example")
    assert confirmed.prompt_wamid == Wamid("wamid.template")
    assert {one.request for one in (asked, ticked, confirmed)} == {REQUEST.id}
    assert (ticked.previous, confirmed.previous) == (asked.id, ticked.id)


def test_every_event_holds_what_proof_needs(phone: Phone) -> None:
    answers(phone)
    assert [check_event(one) for one in recorded(phone)] == [[], [], []]


def test_the_conversation_says_what_the_ledger_adds_up_to(phone: Phone) -> None:
    answers(phone)
    assert fold(recorded(phone))["newsletter"] == phone.conversation.consent("newsletter")
    assert not_honoured(recorded(phone)) == []


def test_the_receipt_waits_for_the_record(phone: Phone) -> None:
    answers(phone)
    receipt = phone.heard[-1]
    assert receipt.relies_on == recorded(phone)[-1].id


@pytest.mark.parametrize("words", ["Yes", "yes please", "YES!"])
def test_a_clear_typed_yes_is_an_answer(phone: Phone, words: str) -> None:
    answers(phone, words, typed=True)
    assert [one.event_type for one in recorded(phone)] == ["requested", "first_step", "confirmed"]


@pytest.mark.parametrize("words", ["ok", "👍", "hm fine I guess", "sim", "hello", "what is this?"])
def test_weak_words_and_other_languages_are_no_answer(phone: Phone, words: str) -> None:
    answers(phone, words, typed=True)
    assert_nothing_was_given(phone)


def test_a_typed_no_ends_it_on_record(phone: Phone) -> None:
    said = answers(phone, "No", typed=True)
    assert "we do not sign you up" in said[-1]
    assert [one.event_type for one in recorded(phone)] == ["requested", "refused"]
    assert fold(recorded(phone))["newsletter"].state == phone.conversation.consent("newsletter").state == "refused"
    assert [check_event(one) for one in recorded(phone)] == [[], []]


@pytest.mark.parametrize("request_", [pytest.param(REQUEST, id="open"), pytest.param(None, id="over or nobody's")])
def test_not_me_suppresses_whatever_became_of_the_request(phone: Phone, request_: OptInRequest | None) -> None:
    said = answers(phone, "That was not me", kind="not-me", request=request_)
    assert said == [one for one in said if "somebody gave us your number" in one]
    assert phone.last is not None
    assert [one.scope for one in phone.last.suppress] == ["marketing"]
    assert "marketing" in phone.conversation.stopped
    assert_nothing_was_given(phone)
    answers(phone)
    assert_nothing_was_given(phone)


def test_a_request_that_is_over_changes_nothing_and_says_so(phone: Phone) -> None:
    said = answers(phone, request=None)
    assert "no longer open" in said[-1]
    assert recorded(phone) == []


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(timedelta(hours=48), id="played when it is over"),
        pytest.param(timedelta(days=6), id="delivered a week late"),
    ],
)
def test_a_yes_after_its_time_changes_nothing(phone: Phone, late: timedelta) -> None:
    said_at = phone.now
    phone.now += late
    assert "no longer open" in answers(phone, at=said_at)[-1]
    assert_nothing_was_given(phone)


def test_a_stop_after_the_form_outweighs_the_yes(phone: Phone) -> None:
    phone.say("STOP")
    assert "no longer open" in answers(phone)[-1]
    assert_nothing_was_given(phone)


def test_a_stop_after_the_yes_takes_it_back(phone: Phone) -> None:
    answers(phone)
    phone.say("stop")
    assert_live_never_again(phone)


def assert_live_never_again(phone: Phone) -> None:
    assert not phone.conversation.consent("newsletter").is_live(phone.now)
    answers(phone)
    assert not phone.conversation.consent("newsletter").is_live(phone.now)
    assert fold(recorded(phone))["newsletter"].state == "withdrawn"


def test_whoever_has_the_consent_already_is_asked_nothing_and_nothing_is_written(phone: Phone) -> None:
    subscribed(phone)
    before = len(recorded(phone))
    answers(phone)
    assert len(recorded(phone)) == before


def test_the_second_tap_writes_nothing(phone: Phone) -> None:
    answers(phone)
    answers(phone)
    assert phone.records().count("confirmed") == 1


def test_what_the_person_said_in_the_chat_since_counts_more(phone: Phone) -> None:
    """A question for the same purpose was answered with no in the meantime."""
    phone.say("news")
    phone.tap("No, thanks")
    answers(phone)
    assert_nothing_was_given(phone)


def test_an_open_question_is_asked_again_after_the_receipt(phone: Phone) -> None:
    phone.say("where is my order")
    said = answers(phone)
    assert said[-1] == "What is your order number? It has two letters and five digits."
    assert phone.conversation.consent("newsletter").is_live(phone.now)


def test_a_stranger_is_answered_in_the_language_of_the_page(phone: Phone) -> None:
    answers(phone, request=replace(REQUEST, language="pt"))
    assert phone.conversation.language == "pt"


def test_somebody_known_keeps_their_language(phone: Phone) -> None:
    phone.say("hello")
    answers(phone, request=replace(REQUEST, language="pt"))
    assert phone.conversation.language == "en"


def test_a_clock_behind_ours_does_not_put_the_answer_before_the_question(phone: Phone) -> None:
    answers(phone, at=ASKED - timedelta(seconds=3))
    assert fold(recorded(phone))["newsletter"] == phone.conversation.consent("newsletter")
    assert phone.conversation.consent("newsletter").is_live(phone.now)


def test_a_purpose_that_is_no_longer_declared_gives_nothing(phone: Phone) -> None:
    said = answers(phone, request=replace(REQUEST, purpose="gone"))
    assert "no longer open" in said[-1]


def test_a_label_that_says_stop_stops(phone: Phone) -> None:
    """Typed words go to the intents first, so a stop is never read as an answer (decisions.md 4)."""
    answers(phone, "stop please", typed=True)
    assert phone.conversation.stopped
    assert_nothing_was_given(phone)


def test_a_dead_letter_can_hold_such_an_event() -> None:
    """Everything of a failed turn can be stored and read back."""
    from bot.domain import plain
    from bot.runtime import playing

    assert playing
    intent = intents.understand("Yes", language="en")
    event = MessageReceived(EventId("e" * 24), NOW, "text", Words("Yes"), intent=replace(intent), opt_in=REQUEST)
    stripped = replace(event, intent=MessageReceived(EventId("x"), NOW).intent)
    assert plain.decode(plain.encode(stripped)) == stripped
