"""What is past its time, decided without a database: every class of a conversation, the proof of consents, and the bounds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.business import Business
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation, Frame, HeldWords, Timer
from bot.domain.errors import SettingsProblem
from bot.domain.ids import CommandId, EventId, PersonId, Wamid, Words
from bot.privacy import inventory, retention
from bot.privacy.retention import BOUNDS, Facts, Periods, Recorded, Waiting

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(milliseconds=1)
YEAR = 365 * DAY
ANA = PersonId("a" * 32)
DEFAULTS = Periods({name: one.lasts for name, one in retention.retentions().items() if one.lasts is not None})


def business(**changes: Any) -> Business:
    contact = {"name": "Casa Exemplo, Lda."}
    notice = {
        "link": "https://casa.example/p",
        "data": ["words"],
        "storage": "EU",
        "retention": "a day",
        "complaint": "CNPD",
    }
    purposes = {
        "news": {"title": "news", "basis": "consent", "sends": "marketing"},
        "orders": {"title": "orders", "basis": "contract"},
    }
    whole = {
        "name": "Casa", "controller": contact, "dpo": {"not_required_because": "small"}, "notice": notice,
        "purposes": purposes, **changes,
    }  # fmt: skip
    return Business.model_validate(whole)


def talk(**facts: Any) -> Conversation:
    return Conversation(ANA, version=3, created_at=NOW - YEAR, last_inbound_at=NOW, **facts)


HELD = HeldWords(Words("hello"), EventId("e" * 24), Wamid("w"), NOW + DAY)
FRAME = Frame("order", "v", "ask", "q", NOW)


@pytest.mark.parametrize(
    ("facts", "rule", "after"),
    [
        pytest.param(Facts(talk(held=HELD), NOW), "held", DAY, id="the first words, after a day"),
        pytest.param(Facts(talk(frames=(FRAME,), slots=({"a": 1},)), NOW), "flow", 7 * DAY, id="an open flow, after a week"),
        pytest.param(Facts(talk(readable=False), NOW), "flow", 7 * DAY, id="what cannot be opened, after a week"),
        pytest.param(Facts(talk(), NOW, (NOW,)), "seen", 8 * DAY, id="ids of messages, after eight days"),
        pytest.param(Facts(talk(), NOW, (), (Waiting(CommandId("c"), NOW, stays=False),)), "pending", 7 * DAY, id="a command"),
        pytest.param(Facts(talk(), NOW), "with_person", 730 * DAY, id="the person, after two years"),
    ],
)  # fmt: skip
def test_each_class_is_due_at_its_time_and_not_before(facts: Facts, rule: str, after: timedelta) -> None:
    before, again = retention.of_conversation(facts, NOW + after - MOMENT, DEFAULTS)
    assert rule not in {one.rule for one in before}
    assert again <= NOW + after
    due, _ = retention.of_conversation(facts, NOW + after, DEFAULTS)
    assert rule in {one.rule for one in due}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(Facts(talk(erasing=True), NOW), id="an erasure"),
        pytest.param(Facts(talk(ticket="t"), NOW), id="a ticket"),
        pytest.param(Facts(talk(consents={"n": Consent("given", NOW)}), NOW), id="a consent without an end"),
        pytest.param(Facts(talk(consents={"n": Consent("given", NOW, valid_until=NOW + 11 * YEAR)}), NOW), id="a consent in force"),
        pytest.param(Facts(talk(), NOW, (), (Waiting(CommandId("c"), NOW, stays=True),)), id="a record not made yet"),
    ],
)  # fmt: skip
def test_nobody_leaves_while_something_is_under_way(facts: Facts) -> None:
    due, _ = retention.of_conversation(facts, NOW + 10 * YEAR, DEFAULTS)
    assert due == []


def test_a_question_of_the_business_keeps_its_flow_as_long_as_a_word_of_the_person() -> None:
    """A flow begun by a template long after the last message is not taken away at once."""
    facts = Facts(replace(talk(frames=(FRAME,)), last_inbound_at=NOW - 30 * DAY), NOW)
    assert retention.of_conversation(facts, NOW + 6 * DAY, DEFAULTS)[0] == []
    waiting = Facts(talk(frames=(replace(FRAME, asked_at=None),)), NOW + DAY)
    assert retention.of_conversation(waiting, NOW + 7 * DAY, DEFAULTS)[0] == []


def test_a_purpose_may_keep_less_of_its_flows() -> None:
    periods = replace(DEFAULTS, flows={"order": 2 * DAY})
    due, _ = retention.of_conversation(Facts(talk(frames=(FRAME,)), NOW), NOW + 2 * DAY, periods)
    assert [one.rule for one in due] == ["flow"]


def test_what_is_swept_leaves_the_rest_as_it_was() -> None:
    timers = (Timer("a", "reminder", NOW), Timer("b", "idle", NOW, 0))
    before = talk(frames=(FRAME,), slots=({"a": 1},), timers=timers, held=HELD, language="pt", stopped={"all": NOW})
    due, _ = retention.of_conversation(Facts(before, NOW), NOW + 30 * DAY, DEFAULTS)
    after = retention.swept(before, due)
    assert after == replace(before, version=4, frames=(), slots=(), timers=timers[:1], held=None)
    assert retention.of_conversation(Facts(after, NOW), NOW + 30 * DAY, DEFAULTS)[0] == []


# -- proof ------------------------------------------------------------------------------------------------------------------

PROOF = DEFAULTS.lasts["evidence"]


def recorded(name: str, state: str, days: int, purpose: str = "news", valid: int | None = None) -> Recorded:
    return Recorded(name, purpose, state, NOW + days * DAY, NOW + valid * DAY if valid is not None else None)


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        pytest.param([recorded("a", "requested", 0), recorded("b", "given", 1, valid=731), recorded("c", "withdrawn", 100)],
                     {"a": 100, "b": 100, "c": 100}, id="withdrawn: from the withdrawal"),
        pytest.param([recorded("a", "given", 0, valid=730)], {"a": 730}, id="in force: from its last day"),
        pytest.param([recorded("a", "given", 0)], {"a": None}, id="in force without an end: never"),
        pytest.param([recorded("a", "requested", 0)], {"a": 0}, id="never answered: from itself"),
        pytest.param([recorded("a", "given", 0, valid=730), recorded("b", "withdrawn", 5), recorded("c", "given", 9, valid=739)],
                     {"a": 5, "b": 5, "c": 739}, id="twice given: each by itself"),
        pytest.param([recorded("a", "refused", 3), recorded("b", "given", 4, "tips")], {"a": 3, "b": None}, id="each purpose by itself"),
        pytest.param([recorded("n", "", 0, ""), recorded("a", "withdrawn", 50)], {"n": 50, "a": 50}, id="a notice: with the last"),
        pytest.param([recorded("n", "", 0, ""), recorded("a", "given", 5)], {"n": None, "a": None}, id="a notice while one is in force"),
        pytest.param([recorded("n", "", 7, "")], {"n": 7}, id="a notice alone: from itself"),
    ],
)  # fmt: skip
def test_the_proof_counts_from_the_end_of_its_consent(events: list[Recorded], ends: dict[str, int | None]) -> None:
    expected = {name: None if days is None else NOW + days * DAY + PROOF for name, days in ends.items()}
    assert retention.evidence_ends(events, DEFAULTS) == expected
    assert retention.evidence_ends(list(reversed(events)), DEFAULTS) == expected


states = st.sampled_from(["requested", "pending_confirmation", "given", "withdrawn", "refused", "expired"])


@given(st.lists(st.tuples(states, st.sampled_from(["news", "tips", ""])), max_size=12))
def test_no_proof_goes_before_its_time(story: list[tuple[str, str]]) -> None:
    """Never earlier than the period after the event itself, and every event has an answer."""
    events = [Recorded(str(n), purpose, state, NOW + n * DAY) for n, (state, purpose) in enumerate(story)]
    ends = retention.evidence_ends(events, DEFAULTS)
    assert set(ends) == {one.id for one in events}
    assert all((end := ends[one.id]) is None or end >= one.occurred_at + PROOF for one in events)


# -- what a business may change -----------------------------------------------------------------------------------------------


def test_a_business_keeps_less() -> None:
    told = business(retention={"with_person": "12 months", "transcript": "14 days"})
    found = retention.periods(told, {})
    assert (found.lasts["with_person"], found.lasts["transcript"]) == (360 * DAY, 14 * DAY)
    assert found.lasts["seen"] == 8 * DAY


def test_purposes_say_how_long_their_flows_and_their_proof_are_kept() -> None:
    purposes = {
        "news": {"title": "news", "basis": "consent", "keep_proof": "5 years after withdrawal"},
        "orders": {"title": "orders", "basis": "contract", "keep_at_most": "2 days", "keep_proof": "as the law says"},
    }
    found = retention.periods(business(purposes=purposes), {"order_status": "orders", "signup": "news"})
    assert found.proofs == {"news": 5 * YEAR}
    assert found.flows == {"order_status": 2 * DAY}
    assert (found.proof("news"), found.proof("orders")) == (5 * YEAR, 3 * YEAR)
    assert (found.flow(["order_status", "signup"]), found.flow(["signup"])) == (2 * DAY, 7 * DAY)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"retention": {"with_person": "4 years"}}, "with_person: 1460 days is outside 30 to 1095", id="too long"),
        pytest.param({"retention": {"objection": "1 year"}}, "objection.*three years at least", id="a STOP forgotten too soon"),
        pytest.param({"retention": {"seen": "1 day"}}, "seen: there is no such class to change", id="a class that cannot be changed"),
        pytest.param({"retention": {"chats": "1 day"}}, "no such class", id="a class that is not there"),
        pytest.param({"purposes": {"n": {"title": "n", "basis": "consent", "keep_proof": "20 years"}}}, "purposes, n, keep_proof",
                     id="a proof kept too long"),
    ],
)  # fmt: skip
def test_a_length_outside_the_law_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsProblem, match=words):
        retention.periods(business(**changes), {})


def test_the_setting_wins_over_the_file() -> None:
    told = business(retention={"objection": "4 years"})
    assert retention.periods(told, {}, objection=5 * YEAR).lasts["objection"] == 5 * YEAR
    with pytest.raises(SettingsProblem, match="SUPPRESSION_LASTS"):
        retention.periods(told, {}, objection=YEAR)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_every_default_is_within_its_bounds(name: str) -> None:
    assert BOUNDS[name].least <= DEFAULTS.lasts[name] <= BOUNDS[name].most


HANDLED = {
    "conversations", "identities", "subjects", "evidence", "requests",  # parts of the sweeper of their own
    "ledger",  # pruned with its epoch
}  # fmt: skip
BY_USE = {"version", "running"}


@pytest.mark.parametrize("name", sorted(inventory.COLLECTIONS))
def test_every_collection_has_an_end(name: str) -> None:
    """Its rows say when they end, or a part of the sweeper knows, or it is about nobody and lives as long as the program needs it."""
    classes = {one.retention.name for one in inventory.COLLECTIONS[name].fields}
    about_nobody = not inventory.COLLECTIONS[name].found_by and classes <= BY_USE
    assert name in HANDLED or name in retention.row_ending() or about_nobody or name.startswith("ledger_")
