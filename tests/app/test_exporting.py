"""What a person is told in the chat about their consents."""

import pytest

from bot.app.exporting import agreed
from bot.app.receipting import Issued
from bot.domain.message import TextMessage


def _issued(words: str, purpose: str = "our newsletter") -> Issued:
    facts = {
        "purpose": purpose, "shown": words, "answered": "Confirm", "local_time": "2026-03-01 10:00:00 WET",
        "valid_until": "2028-03-01T10:00:00.000Z", "withdraw": "STOP", "verify_code": "00ff", "receipt_id": "hidden",
    }  # fmt: skip
    return Issued(facts, b"")


def test_each_consent_is_told_with_its_words_its_day_its_end_and_the_way_out() -> None:
    said = agreed([_issued("May we?"), _issued("And that?", "our survey")], str)
    for words in (
        "May we?",
        "And that?",
        "our survey",
        "*Your answer:* Confirm",
        "*Holds until:* 2028-03-01\n",
        "STOP",
        "00ff",
    ):
        assert words in said
    assert "hidden" not in said


@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(12, id="twelve")])
def test_however_long_the_words_were_it_is_one_message_that_says_where_the_rest_is(count: int) -> None:
    said = agreed([_issued("word " * 1000)] * count, str)
    TextMessage(said)
    assert len(said) <= 4096
    assert said.count("*You agreed to:*") == count
    assert said.endswith("write MY DATA to get it.")


def test_who_agreed_to_nothing_is_told_so() -> None:
    assert agreed([], str) == "There is nothing that you agreed to and that still holds."
