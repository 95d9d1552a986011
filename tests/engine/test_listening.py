"""The language of the answer: asked for, written in, of the country; and never a matter of STOP."""

import pytest

from bot.domain.intent import Decision
from tests.engine.phone import Phone, book

BOOK = book()
PORTUGUESE = "olá, queria saber onde está a minha encomenda"


@pytest.fixture
def phone() -> Phone:
    return Phone(BOOK)


def test_the_bot_answers_in_the_language_the_first_message_is_written_in(phone: Phone) -> None:
    phone.say(PORTUGUESE)

    assert phone.conversation.language == "pt"
    assert not phone.conversation.language_chosen


def test_a_later_message_may_change_it_back(phone: Phone) -> None:
    phone.say(PORTUGUESE)
    phone.say("sorry, I would rather write in my own language from here on")

    assert phone.conversation.language == "en"


def test_a_language_once_asked_for_is_kept_whatever_is_written(phone: Phone) -> None:
    phone.say("hello")
    said = phone.say("in English please")
    phone.say(PORTUGUESE)

    assert said[0] == "From now on we write to you in English."
    assert phone.conversation.language_chosen
    assert phone.conversation.language == "en"


def test_an_answer_to_a_question_tells_no_language(phone: Phone) -> None:
    phone.say("problem")
    phone.tap("Something else")
    phone.say("a minha encomenda chegou partida e queria trocar por outra")

    assert phone.conversation.language == "en"


def test_a_language_that_is_named_only_is_an_ordinary_message(phone: Phone) -> None:
    phone.say("hello")
    said = phone.say("do you have an English manual?")

    assert not phone.conversation.language_chosen
    assert not any("From now on" in one for one in said)


def test_one_we_do_not_speak_is_answered_with_those_we_do(phone: Phone) -> None:
    phone.say("hello")
    said = phone.say("in Turkish please")

    assert said == ["Which language would you like?"]
    assert not phone.conversation.language_chosen


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("por favor não me enviem mais mensagens de publicidade", id="in another language"),
        pytest.param("STOP sending me these messages in English please", id="with a language in it"),
    ],
)
def test_a_wish_to_stop_is_not_touched(phone: Phone, words: str) -> None:
    phone.say("hello")
    before = phone._event(words).intent
    phone.say(words)

    assert before.decision is Decision.STOP
    assert phone.conversation.stopped
    assert phone.conversation.language == "en"
