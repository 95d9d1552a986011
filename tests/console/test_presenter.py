"""What a screen shows: by role, in words and dates, and nothing more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.console import presenter, texts
from bot.console.presenter import Glance
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import PersonId
from bot.handoff.roles import Staff
from bot.handoff.ticket import Line, Ticket, pseudonym
from tests.engine.phone import book

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PERSON = PersonId("a" * 32)
MARIA = Staff("maria", "Maria Exemplo", "agent", ("front_desk",))
TICKET = Ticket(
    "t",
    PERSON,
    "front_desk",
    "owned",
    owner="maria",
    shared={"order": "CL1"},
    expires=NOW + timedelta(days=3),
    last="hi",
)
TALK = Conversation(PERSON, owner="agent", ticket="t", window_until=NOW + timedelta(hours=3))
BUSINESS = book().business


@pytest.mark.parametrize("role", ["admin", "auditor", "campaigner", "burglar"])
def test_roles_without_words_get_none(role: str) -> None:
    who = replace(MARIA, role=role)
    line = Line("l", NOW, "in", "text", words="my secret")
    assert presenter.bubbles([line], who, {})[0].words == ""
    assert presenter.shared(TICKET, who, NOW) == []
    assert presenter.row(TICKET, who, Glance(), NOW, names={}, there=[]).last == ""


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        pytest.param("+447700900123", "••• ••• 123", id="a number"),
        pytest.param("GB.13491208655302741918", "••• ••• 918", id="a user id"),
        pytest.param("123", "•••", id="too short to hide anything"),
    ],
)
def test_a_number_is_masked(number: str, shown: str) -> None:
    assert presenter.masked(number) == shown


@pytest.mark.parametrize(
    ("changes", "reply", "why"),
    [
        pytest.param({}, True, "", id="mine and open"),
        pytest.param({"window_until": NOW}, False, texts.REFUSALS["window_closed"], id="the window is shut"),
        pytest.param({"hushed": True}, False, "STOP", id="after a STOP"),
        pytest.param({"restricted": True}, False, texts.REFUSALS["restricted"], id="restricted"),
        pytest.param({"erasing": True}, False, texts.REFUSALS["erasing"], id="being erased"),
    ],
)
def test_which_replies_the_server_allows(changes: dict[str, Any], reply: bool, why: str) -> None:
    made = presenter.composer(TICKET, replace(TALK, **changes), MARIA, NOW)
    assert made.reply == reply
    assert why in made.why


def test_a_colleague_s_chat_cannot_be_answered() -> None:
    assert not presenter.composer(replace(TICKET, owner="bruno"), TALK, MARIA, NOW).reply


@pytest.mark.parametrize(
    ("consent", "stopped", "state"),
    [
        pytest.param(None, {}, "unknown", id="never asked"),
        pytest.param("given", {}, "given", id="yes"),
        pytest.param("pending_confirmation", {}, "pending_confirmation", id="waits for the second yes"),
        pytest.param("given", {"all": NOW}, "stopped", id="a STOP after the yes"),
        pytest.param("given", {"all": NOW - timedelta(days=9)}, "given", id="a yes after the STOP"),
        pytest.param("withdrawn", {}, "withdrawn", id="withdrawn"),
        pytest.param(None, {"marketing": NOW}, "stopped", id="advertising stopped"),
    ],
)
def test_the_consent_strip_says_what_holds(consent: str | None, stopped: dict[str, datetime], state: str) -> None:
    given = NOW - timedelta(days=1)
    known = {"newsletter": Consent(consent, since=given, valid_until=NOW + timedelta(days=99))} if consent else {}
    talk = replace(TALK, consents=known, stopped=stopped)
    rows = {one.purpose: one for one in presenter.strip(talk, BUSINESS, NOW)}
    assert rows["newsletter"].state == state
    assert set(rows) == set(BUSINESS.purposes)


def test_nobody_can_be_asked_to_consent_to_what_they_stopped() -> None:
    talk = replace(TALK, stopped={"all": NOW})
    assert not any(one.askable for one in presenter.strip(talk, BUSINESS, NOW))


def test_a_refused_message_says_why_and_a_failed_one_what_meta_said() -> None:
    lines = [
        Line("1", NOW, "out", "text", "maria", "s1", "x", "refused:stopped"),
        Line("2", NOW, "out", "text", "maria", "s2", "x", "failed", 131026),
        Line("3", NOW, "out", "text", "maria", "s3", "x", "failed", 999),
        Line("4", NOW, "out", "text", "maria", "s4", "x", "delivered"),
    ]
    shown = presenter.bubbles(lines, MARIA, {})
    assert [one.failed for one in shown] == [True, True, True, False]
    assert shown[0].why == texts.REFUSALS["stopped"]
    assert shown[1].why == texts.META[131026]
    assert "{code}" in shown[2].why


def test_templates_that_the_program_sends_itself_are_not_offered() -> None:
    names = [one.name for one in presenter.choices(BUSINESS, "pt", {"monthly_news": "no_consent"})]
    assert names == ["monthly_news"]
    [choice] = presenter.choices(BUSINESS, "pt", {"monthly_news": "no_consent"})
    assert choice.locked == texts.REFUSALS["no_consent"]
    assert choice.text.startswith("Novidades")


def test_a_pseudonym_is_the_same_everywhere_and_tells_nothing() -> None:
    assert pseudonym(PERSON) == pseudonym(PERSON)
    assert PERSON[:6] not in pseudonym(PERSON)


@pytest.mark.parametrize("table", [texts.STATES, texts.OUTCOMES, texts.CONSENTS, texts.REASONS, texts.ASK_STATES])
def test_no_state_is_without_words(table: dict[str, str]) -> None:
    assert all(table.values())


def test_every_state_of_a_request_and_of_a_ticket_has_words() -> None:
    from bot.handoff.ticket import BY_AGENT, MACHINE
    from bot.privacy import requests

    assert set(requests.STATES) == set(texts.ASK_STATES)
    assert {name for name, _, _ in requests.MACHINE.moves} == set(texts.ASK_MOVES)
    assert set(requests.KINDS) == set(texts.ASK_KINDS)
    assert set(MACHINE.states) == set(texts.STATES)
    assert set(BY_AGENT) <= set(texts.OUTCOMES)
