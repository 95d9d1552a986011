"""Conversations with the shipped flows: a person says, the bot says, the record holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.command import Call, Erase, Export, Notify, OpenRequest, OpenTicket, RecordConsent, SettleRequest
from bot.domain.event import PreferenceChanged, RightExercised, SendRequested
from bot.domain.ids import EventId
from bot.domain.intent import Decision
from tests.engine.phone import Phone, book, subscribed, text

BOOK = book()


@pytest.fixture
def phone() -> Phone:
    return Phone(BOOK)


def test_the_first_words_are_answered_after_the_notice(phone: Phone) -> None:
    said = phone.say("where is my order")

    assert said == ["The privacy notice of Casa Lua.", "What is your order number? It has two letters and five digits."]
    assert phone.conversation.talk == "active"
    assert phone.conversation.held is None
    assert phone.records("") == ["notice_shown"]


def test_the_notice_is_shown_once(phone: Phone) -> None:
    phone.say("hello")
    phone.say("help")

    assert [one.reason for one in phone.heard].count("notice") == 1


def test_consent_takes_two_yes_and_both_are_on_record_with_their_exact_words(phone: Phone) -> None:
    subscribed(phone)
    events = {one.event_type: one for one in phone.commands if isinstance(one, RecordConsent)}

    assert phone.records() == ["notice_shown", "requested", "first_step", "confirmed"]
    assert events["requested"].prompt_text.startswith("May Casa Lua send you its newsletter")
    assert "[Yes, please]" in events["requested"].prompt_text
    assert events["first_step"].answer_text == "Yes, please"
    assert events["first_step"].answer_wamid.value.startswith("wamid.")
    assert events["confirmed"].prompt_text.startswith("Please confirm once more")
    assert events["confirmed"].request == events["requested"].request
    assert events["confirmed"].valid_until == phone.now + timedelta(days=730)
    assert phone.conversation.consent("newsletter").event == events["confirmed"].id


def test_the_question_of_a_consent_stands_alone(phone: Phone) -> None:
    """GDPR art. 7(2): distinguishable from the other matters."""
    said = phone.say("news")

    assert said[-1].startswith("May Casa Lua send you")
    assert "notice" not in said[-1]


@pytest.mark.parametrize("words", ["ok", "👍", "okay", "sure whatever", "hm fine I guess", "k"])
def test_weak_affirmations_are_no_consent(phone: Phone, words: str) -> None:
    phone.say("news")
    phone.say(words)

    assert phone.state() == "requested"


@pytest.mark.parametrize("words", ["yes", "Yes!", "Yes, please", "YES PLEASE"])
def test_a_clear_yes_in_words_is_the_first_step_only(phone: Phone, words: str) -> None:
    phone.say("news")
    phone.say(words)

    assert phone.state() == "pending_confirmation"


@pytest.mark.parametrize("words", ["no", "No, thanks", "nope"])
def test_a_refusal_is_an_outcome_and_stays_one(phone: Phone, words: str) -> None:
    phone.say("news")
    said = phone.say(words)

    assert phone.state() == "refused"
    assert said == ["No problem. You will not get any news from us."]


def test_a_tap_on_the_first_question_does_not_confirm(phone: Phone) -> None:
    """A stale tap never gives consent (decisions.md 4)."""
    phone.say("news")
    first = phone.heard[-1].message.options[0].id  # type: ignore[union-attr]
    phone.tap("Yes, please")
    phone.play(phone._event("Yes, please", option=first, kind="tap"))

    assert phone.state() == "pending_confirmation"


def test_silence_lets_the_request_expire_without_a_word(phone: Phone) -> None:
    phone.say("news")
    phone.tap("Yes, please")

    assert phone.wait(timedelta(hours=49)) == []
    assert phone.state() == "expired"
    assert phone.conversation.frames == ()


def test_a_confirmation_after_its_time_gives_nothing(phone: Phone) -> None:
    phone.say("news")
    phone.tap("Yes, please")
    phone.now += timedelta(hours=49)
    phone.tap("Confirm")

    assert phone.state() == "expired"


def test_unclear_answers_are_explained_and_end_unanswered_not_as_a_refusal(phone: Phone) -> None:
    """The record must not hold a no that nobody said."""
    phone.say("news")
    assert phone.say("banana")[0] == "Please tap one of the options, or write its name."
    phone.say("sure")
    said = phone.say("whatever")

    assert phone.state() == "expired"
    assert "refused" not in phone.records()
    assert said == ["Let us leave it here for now. Write HELP to see what I can do, or PERSON to reach a human being."]


STATES = [
    pytest.param([], id="before anything"),
    pytest.param(["hello"], id="in the menu"),
    pytest.param(["where is my order"], id="in a question"),
    pytest.param(["where is my order", "CL12345", "1100-001"], id="waiting for a system"),
    pytest.param(["news"], id="asked for consent"),
    pytest.param(["news", "yes"], id="asked to confirm"),
    pytest.param(["delete my data"], id="asked whether to delete"),
    pytest.param(["support", "my data"], id="in a built-in flow"),
]


@pytest.mark.parametrize(
    "words", ["STOP", "stop", "Stop!", "s t o p", "unsubscribe", "parar", "СТОП", "🛑", "please stop"]
)
@pytest.mark.parametrize("before", STATES)
def test_stop_works_from_every_state_at_once(before: list[str], words: str) -> None:
    phone = Phone(BOOK)
    for one in before:
        phone.say(one)
    said = phone.say(words)

    assert len(said) == 1
    assert said[0].startswith("Done: Casa Lua sends you no more messages")
    assert "START" in said[0]
    assert phone.heard[-1].reason == "stop_confirmation"
    assert phone.conversation.frames == ()
    assert "all" in phone.conversation.stopped
    assert phone.last is not None
    assert [one.scope for one in phone.last.suppress] == ["all"]


def test_stop_withdraws_what_was_given_and_tells_the_systems(phone: Phone) -> None:
    subscribed(phone)
    phone.say("STOP")

    assert phone.state() == "withdrawn"
    assert phone.records()[-2:] == ["withdrawn", "objected"]
    assert [one.event for one in phone.commands if isinstance(one, Notify)] == ["consent.given", "consent.withdrawn"]


def test_five_stops_are_confirmed_once(phone: Phone) -> None:
    phone.say("hello")
    said = [phone.say("STOP") for _ in range(5)]

    assert [len(one) for one in said] == [1, 0, 0, 0, 0]


def test_who_came_back_and_stops_again_is_told_again(phone: Phone) -> None:
    phone.say("STOP")
    phone.say("START")

    assert phone.say("STOP")[0].startswith("Done:")
    subscribed(phone)
    assert phone.say("STOP")[0].startswith("Done:")
    assert phone.say("STOP") == []


def test_stop_as_the_very_first_message_is_only_confirmed(phone: Phone) -> None:
    said = phone.say("STOP")

    assert len(said) == 1
    assert phone.conversation.talk == "new"


def test_start_brings_no_consent_back(phone: Phone) -> None:
    subscribed(phone)
    phone.say("STOP")
    said = phone.say("START")

    assert said[0].startswith("Welcome back")
    assert phone.state() == "withdrawn"
    assert "all" in phone.conversation.stopped


def test_a_stopped_person_is_still_answered(phone: Phone) -> None:
    phone.say("STOP")
    said = phone.say("where is my order")

    assert said[-1].startswith("What is your order number?")


def test_cancel_in_a_flow_ends_it_pauses_marketing_and_asks(phone: Phone) -> None:
    phone.say("where is my order")
    said = phone.say("cancel")

    assert said == ["Would you like us to stop sending you messages? Until you answer, you get no advertising from us."]
    assert phone.conversation.paused_until is not None
    assert [frame.flow for frame in phone.conversation.frames] == ["stop_unsure"]
    phone.tap("Something else")
    assert phone.conversation.paused_until is None
    assert phone.conversation.stopped == {}


def test_an_unanswered_doubt_ends_advertising(phone: Phone) -> None:
    subscribed(phone)
    phone.say("chega")
    phone.wait(timedelta(hours=25))

    assert "marketing" in phone.conversation.stopped
    assert phone.state() == "withdrawn"


def test_metas_own_switch_withdraws_and_its_return_gives_nothing_back(phone: Phone) -> None:
    subscribed(phone)
    assert phone.play(PreferenceChanged(EventId("d" * 24), phone.now, "stop")) == []
    assert phone.state() == "withdrawn"
    phone.play(PreferenceChanged(EventId("e" * 24), phone.now, "resume"))

    assert phone.state() == "withdrawn"


def test_an_interrupted_question_is_asked_again_afterwards(phone: Phone) -> None:
    phone.say("where is my order")
    said = phone.say("help")

    assert said[0].startswith("This is the automatic assistant")
    assert "What is your order number?" in said[-1]


def test_deleting_takes_two_taps(phone: Phone) -> None:
    phone.say("hello")
    phone.say("delete my data")
    assert not phone.conversation.erasing
    phone.tap("Delete my data")
    assert not phone.conversation.erasing
    phone.tap("Yes, delete it")

    assert phone.conversation.erasing
    [asked] = [one for one in phone.commands if isinstance(one, OpenRequest)]
    [erase] = [one for one in phone.commands if isinstance(one, Erase)]
    assert (asked.kind, asked.status) == ("erase", "open")
    assert erase.requested_at == asked.received_at, "the clock runs from the first message"
    assert phone.last is not None
    assert [(one.scope, one.source) for one in phone.last.suppress] == [("all", "erasure")]


def requests(phone: Phone) -> list[tuple[str, ...]]:
    """What the register is told, in order."""
    told = [one for one in phone.commands if isinstance(one, OpenRequest | SettleRequest)]
    return [(one.kind, one.status if isinstance(one, OpenRequest) else one.outcome) for one in told]


@pytest.mark.parametrize(
    ("said", "register"),
    [
        pytest.param(["delete my data"], [("erase", "open")], id="a wish to be deleted, and silence"),
        pytest.param(["delete my data", "[Keep my data]"], [("erase", "open"), ("erase", "cancelled")], id="taken back"),
        pytest.param(["delete my data", "[Delete my data]", "[Keep my data]"], [("erase", "open"), ("erase", "cancelled")],
                     id="taken back at the second question"),
        pytest.param(["stop and delete my data"], [("erase", "open")], id="together with a stop"),
        pytest.param(["my data"], [("access", "open")], id="a wish to see, and silence"),
        pytest.param(["my data", "[See my data]"], [("access", "open"), ("access", "open"), ("access", "answered")], id="shown"),
        pytest.param(["my data", "[How it is used]"], [("access", "open"), ("access", "cancelled")], id="another wish after all"),
        pytest.param(["my data", "[Delete my data]"], [("access", "open"), ("access", "cancelled"), ("erase", "open")],
                     id="to be deleted after all"),
        pytest.param(["correct my data"], [("rectify", "open")], id="something is wrong, and silence"),
    ],
)  # fmt: skip
def test_a_right_is_in_the_register_from_the_first_message(
    phone: Phone, said: list[str], register: list[tuple[str, str]]
) -> None:
    """Also where the person does not finish what we ask (EDPB 01/2022; GDPR art. 12(3))."""
    phone.say("hello")
    for one in said:
        phone.tap(one[1:-1]) if one.startswith("[") else phone.say(one)
    assert requests(phone) == register


def test_what_is_shown_is_settled_after_it_was_sent(phone: Phone) -> None:
    phone.say("my data")
    phone.tap("See my data")
    order = [type(one) for one in phone.commands if isinstance(one, Export | SettleRequest)]
    assert order == [Export, SettleRequest]
    [copy] = [one for one in phone.commands if isinstance(one, Export)]
    [settled] = [one for one in phone.commands if isinstance(one, SettleRequest)]
    assert settled.by == copy.id


def test_where_no_file_can_be_fetched_the_request_stays_open(phone: Phone) -> None:
    """Somebody must send it: telling whom to write to is no answer (GDPR art. 12(3), 15(3))."""
    phone.rules.files = False
    phone.say("my data")
    said = phone.tap("Get it as a file")
    assert any("you get it within one month" in one for one in said), said
    assert set(requests(phone)) == {("access", "open")}
    assert not [one for one in phone.commands if isinstance(one, Export)]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("recado:stop:newsletter", "no more of this: our newsletter", id="one purpose"),
        pytest.param("recado:stop:marketing", "no more advertising", id="advertising"),
        pytest.param("recado:stop:all", "no more messages of its own accord", id="everything"),
    ],
)
def test_a_stop_is_confirmed_as_what_it_was(phone: Phone, option: str, said: str) -> None:
    phone.say("hello")
    [told] = phone.press(option)
    assert said in told
    assert phone.press(option) == [], "once"


def test_who_stops_one_thing_and_then_all_is_told_both(phone: Phone) -> None:
    phone.say("hello")
    phone.press("recado:stop:newsletter")
    assert "of its own accord" in phone.say("STOP")[0]
    assert phone.press("recado:stop:newsletter") == []


@pytest.mark.parametrize("words", ["yes", "ok", "do it", "delete everything now"])
def test_words_that_are_not_the_label_delete_nothing(phone: Phone, words: str) -> None:
    phone.say("hello")
    phone.say("delete my data")
    phone.tap("Delete my data")
    phone.say(words)

    assert not phone.conversation.erasing


def test_stop_and_delete_does_both(phone: Phone) -> None:
    subscribed(phone)
    said = phone.say("stop and delete my data")

    assert phone.state() == "withdrawn"
    assert said[0].startswith("Done:")
    assert "cannot be brought back" in said[1]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        pytest.param("correct my data", "rectify", id="rectify"),
        pytest.param("restrict my data", "restrict", id="restrict"),
        pytest.param("I object", "object", id="object"),
        pytest.param("I want to complain", "complaint", id="complaint"),
    ],
)
def test_rights_that_need_a_person_become_requests(phone: Phone, words: str, kind: str) -> None:
    phone.say("hello")
    phone.say(words)
    if kind == "rectify":
        phone.say("My street is spelt wrongly")

    asked = [one for one in phone.commands if isinstance(one, OpenRequest)]
    assert {one.kind for one in asked} == {kind}
    assert asked[-1].words == ("My street is spelt wrongly" if kind == "rectify" else words)
    assert not [one for one in phone.commands if isinstance(one, SettleRequest)]
    assert phone.conversation.restricted == (kind == "restrict")


def test_a_person_is_reached_in_the_ways_the_business_gives(phone: Phone) -> None:
    phone.say("hello")
    said = phone.say("I want to talk to a person")

    assert "+351 210 000 000" in said[0]
    assert [one.team for one in phone.commands if isinstance(one, OpenTicket)] == ["front_desk"]


def test_only_shared_fields_reach_the_ticket(phone: Phone) -> None:
    phone.say("problem")
    phone.tap("A product")
    phone.say("The bowl is cracked")
    ticket = next(one for one in phone.commands if isinstance(one, OpenTicket))

    assert dict(ticket.shared) == {"topic": "product", "text": "The bowl is cracked"}
    assert ticket.about == "A product"


def test_an_order_is_looked_up_with_declared_fields_only(phone: Phone) -> None:
    phone.say("where is my order")
    phone.say("CL12345")
    phone.say("1100-001")
    call = next(one for one in phone.commands if isinstance(one, Call))
    assert dict(call.arguments) == {"number": "CL12345", "postcode": "1100-001"}

    assert phone.answer("ok", status="sent", expected="2026-12-01") == [
        "It is on its way. It should arrive on Tuesday, December 1, 2026."
    ]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        pytest.param("failed", "does not answer", id="failed"),
        pytest.param("slow", "takes too long", id="slow"),
        pytest.param("not_found", "I find no order", id="not found"),
        pytest.param("refused", "", id="refused, left out by the author, ends quietly"),
    ],
)
def test_every_outcome_of_a_call_is_answered(phone: Phone, outcome: str, words: str) -> None:
    phone.say("where is my order")
    phone.say("CL12345")
    phone.say("1100-001")

    assert words in " ".join(phone.answer(outcome))


def test_writing_while_a_system_is_asked_does_not_lose_the_question(phone: Phone) -> None:
    phone.say("where is my order")
    phone.say("CL12345")
    phone.say("1100-001")
    assert phone.say("hello?") == ["One moment, please: I am still looking that up."]

    assert phone.answer("ok", status="sent", expected="2026-12-01")[0].startswith("It is on its way")


def test_three_wrong_answers_lead_to_a_person(phone: Phone) -> None:
    phone.say("where is my order")
    first = phone.say("banana")
    phone.say("apple")
    phone.say("pear")

    assert first == ["You find it in the subject of our e-mail, for example CL12345."]
    assert [one.about for one in phone.commands if isinstance(one, OpenTicket)] == ["Cannot find the order number"]


def test_a_picture_is_declined_politely_and_kept_nowhere(phone: Phone) -> None:
    phone.say("hello")
    phone.tap("Where is my order?")
    assert "CL12345" in phone.say("", kind="image")[0]
    phone.say("STOP")
    assert "cannot read this kind of message" in phone.say("", kind="image")[0]


def test_a_reaction_gets_no_answer(phone: Phone) -> None:
    phone.say("hello")

    assert phone.say("👍", kind="reaction") == []


def test_an_operators_template_carries_purpose_category_and_the_way_out(phone: Phone) -> None:
    subscribed(phone)
    phone.play(SendRequested(EventId("f" * 24), phone.now, "newsletter", "monthly_news", ("Hello.",)))
    send = phone.heard[-1]

    assert (send.reason, send.purpose, send.category) == ("business", "newsletter", "marketing")
    assert send.message.buttons == ("recado:stop:newsletter",)  # type: ignore[union-attr]


def test_the_button_of_a_template_stops_that_purpose(phone: Phone) -> None:
    subscribed(phone)
    phone.play(phone._event("Stop the newsletter", option="recado:stop:newsletter", kind="template_tap"))

    assert phone.state() == "withdrawn"
    assert set(phone.conversation.stopped) == {"newsletter"}


def test_the_language_is_changed_by_words(phone: Phone) -> None:
    phone.say("hello")
    phone.say("português")

    assert phone.conversation.language == "pt"
    assert phone.conversation.language_chosen


def test_nothing_is_written_any_more_while_an_erasure_runs(phone: Phone) -> None:
    phone.say("hello")
    phone.say("delete my data")
    phone.tap("Delete my data")
    phone.tap("Yes, delete it")
    before = phone.conversation

    assert phone.say("hello again") == []
    assert phone.conversation.frames == before.frames


# -- who asks for data (decisions.md 23; privacy.md T12) -----------------------------------------------------------------

STEP_UP = "a person makes sure first that it is you"


def own(phone: Phone, right: str) -> list[str]:
    """Somebody of ours does something about the person."""
    event = RightExercised(EventId("ab" * 12), phone.now, right, phone.now)
    return [text(one) for one in phone.play(event)]


@pytest.mark.parametrize(
    ("silence", "asked"),
    [
        pytest.param(timedelta(days=89), False, id="within three months"),
        pytest.param(timedelta(days=91), True, id="after three months"),
    ],
)
@pytest.mark.parametrize("option", ["See my data", "Get it as a file", "What I agreed to"])
def test_after_a_long_silence_nobody_gets_data_before_somebody_made_sure(
    phone: Phone, silence: timedelta, asked: bool, option: str
) -> None:
    phone.say("hello")
    phone.wait(silence)
    phone.say("my data")
    said = phone.tap(option)
    assert any(STEP_UP in one for one in said) == asked
    assert any(isinstance(one, Export) for one in phone.commands) != asked
    assert ("access", "answered") not in requests(phone) if asked else ("access", "answered") in requests(phone)


def test_who_was_vouched_for_is_told_and_gets_their_data() -> None:
    phone = Phone(book())
    phone.say("hello")
    assert own(phone, "doubt") == []
    phone.say("my data")
    assert STEP_UP in phone.tap("See my data")[0]
    assert "We made sure that it is you" in own(phone, "vouch")[0]
    phone.say("my data")
    assert not any(STEP_UP in one for one in phone.tap("See my data"))
    assert own(phone, "vouch") == [], "said once"


@pytest.mark.parametrize("words", ["STOP", "delete my data", "restrict my data"])
def test_a_doubt_keeps_nobody_from_what_restricts(phone: Phone, words: str) -> None:
    phone.say("hello")
    own(phone, "doubt")
    phone.say(words)
    if words == "delete my data":
        phone.tap("Delete my data")
        phone.tap("Yes, delete it")
    known = phone.conversation
    assert known.stopped or known.erasing or known.restricted


def test_a_silence_that_ends_while_a_colleague_speaks_leaves_a_doubt_too() -> None:
    phone = Phone(book())
    phone.say("hello")
    phone.wait(timedelta(days=91))
    phone.conversation = phone.engine.heard(phone.conversation, phone._event("hello"))
    phone.say("my data")
    assert STEP_UP in phone.tap("See my data")[0]


def test_who_was_imported_long_ago_and_never_wrote_is_made_sure_of() -> None:
    phone = Phone(book())
    phone.conversation = replace(
        phone.conversation, talk="active", notice="n" * 32, created_at=phone.now - timedelta(days=91)
    )
    phone.say("my data")
    assert STEP_UP in phone.tap("See my data")[0]


def test_a_right_beside_an_unclear_stop_is_in_the_register_and_asked_after_it() -> None:
    phone = Phone(book())
    phone.say("hello")
    event = phone._event("enough, and delete what you have about me perhaps")
    unclear = replace(event.intent, decision=Decision.ASK, scope="unclear", flags=frozenset({"erase"}))
    said = [text(one) for one in phone.play(replace(event, intent=unclear))]
    assert ("erase", "open") in requests(phone)
    assert "Would you like us to stop" in said[-1]
    assert any("delete your data" in one for one in phone.tap("Something else"))


def test_a_doubt_does_not_go_away_by_writing_more(phone: Phone) -> None:
    phone.say("hello")
    phone.wait(timedelta(days=91))
    phone.say("hello again")
    phone.wait(timedelta(days=1))
    phone.say("my data")
    assert STEP_UP in phone.tap("See my data")[0]
