"""What the engine is told of the privacy room and of the business."""

from datetime import UTC, datetime

import pytest

from bot.app.project import load_catalog, load_project
from bot.app.rules import BusinessRules
from bot.domain.business import purpose_hash
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import PersonId
from tests.e2e.served import ROOT

BOOK = load_project(ROOT).book
assert BOOK is not None
NEWS = purpose_hash(BOOK.business.purposes["newsletter"])
RULES = BusinessRules(BOOK.business, load_catalog(ROOT, offered=BOOK.business.languages, default="en"))
MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        pytest.param(MONDAY_NOON, True, id="Monday noon"),
        pytest.param(datetime(2026, 11, 23, 9, 59, tzinfo=UTC), False, id="a minute before ten"),
        pytest.param(datetime(2026, 11, 23, 19, 0, tzinfo=UTC), False, id="at seven"),
        pytest.param(datetime(2026, 11, 28, 13, 59, tzinfo=UTC), True, id="Saturday before two"),
        pytest.param(datetime(2026, 11, 29, 12, tzinfo=UTC), False, id="Sunday"),
    ],
)
def test_opening_hours_are_those_of_the_business_where_it_is(moment: datetime, open_: bool) -> None:
    assert RULES.is_open("front_desk", moment) is open_
    assert RULES.is_open("nobody", moment) is False


def test_the_gate_is_asked_before_a_flow_promises_anything() -> None:
    nobody = Conversation(PersonId("ab" * 16))
    live = nobody.with_consent("newsletter", Consent("given", since=MONDAY_NOON, purpose_hash=NEWS))

    assert RULES.may_send(nobody, "monthly_news", MONDAY_NOON) == "no_consent"
    assert RULES.may_send(live, "monthly_news", MONDAY_NOON) == ""


@pytest.mark.parametrize("language", ["en", "pt", "es"])
def test_every_offered_language_has_a_notice_that_names_what_the_law_asks(language: str) -> None:
    notice = RULES.notice(language)

    assert notice.language == language
    assert len(notice.text) <= 1000
    for named in (
        "Casa Lua",
        "WhatsApp",
        "Beispiel Hosting",
        "https://casa-lua.example/privacy",
        RULES.stop_word(language),
    ):
        assert named in notice.text


@pytest.mark.parametrize(
    ("words", "language", "said"),
    [
        ("yes", "en", "yes"),
        ("no", "en", "no"),
        ("sim", "pt", "yes"),
        ("sim", "en", ""),
        ("ok", "en", ""),
        ("y" * 300, "en", ""),
    ],
)
def test_yes_and_no_count_in_the_questions_own_language(words: str, language: str, said: str) -> None:
    assert RULES.says(words, language) == said
