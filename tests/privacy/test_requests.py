"""Every request has its clock, by the law it comes under."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import IllegalMove
from bot.privacy import requests
from bot.privacy.requests import Pause

LISBON = ZoneInfo("Europe/Lisbon")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def last_day(received: str, law: str, kind: str = "access", **options: object) -> str | None:
    due = requests.due_at(kind, at(received), law, zone=LISBON, **options)  # type: ignore[arg-type]
    return due.astimezone(LISBON).date().isoformat() if due else None


@pytest.mark.parametrize(
    ("received", "law", "day"),
    [
        pytest.param("2026-05-04T10:00", "gdpr", "2026-06-04", id="GDPR: a month"),
        pytest.param("2026-01-31T10:00", "gdpr", "2026-03-02", id="the last of a shorter month, a Saturday: Monday"),
        pytest.param("2026-04-09T10:00", "gdpr", "2026-05-11", id="a Saturday: Monday"),
        pytest.param("2026-04-10T10:00", "gdpr", "2026-05-11", id="a Sunday: Monday"),
        pytest.param("2026-05-04T23:30", "gdpr", "2026-06-05", id="half past midnight where the business is"),
        pytest.param("2026-05-04T10:00", "lgpd", "2026-05-19", id="LGPD: fifteen days"),
        pytest.param("2026-05-04T10:00", "uk", "2026-06-04", id="UK: a month"),
    ],
)
def test_a_request_is_due(received: str, law: str, day: str) -> None:
    assert last_day(received, law) == day


def test_it_is_due_at_the_end_of_the_day() -> None:
    due = requests.due_at("access", at("2026-05-04T10:00"), "gdpr", zone=LISBON)
    assert due == at("2026-06-04T23:00") - timedelta(milliseconds=1)


def test_an_extension_adds_two_months_where_the_law_has_one() -> None:
    assert last_day("2026-05-04T10:00", "gdpr", extended=True) == "2026-08-04"
    with pytest.raises(ValueError, match="no extension"):
        last_day("2026-05-04T10:00", "lgpd", extended=True)


def test_waiting_for_the_person_stops_the_clock_in_the_uk_only() -> None:
    pauses = [Pause(at("2026-05-05T10:00"), at("2026-05-12T10:00"))]
    assert last_day("2026-05-04T10:00", "uk", pauses=pauses) == "2026-06-11"
    assert last_day("2026-05-04T10:00", "gdpr", pauses=pauses) == "2026-06-04"
    standing = [Pause(at("2026-05-05T10:00"))]
    assert last_day("2026-05-04T10:00", "uk", pauses=standing) is None
    assert last_day("2026-05-04T10:00", "gdpr", pauses=standing) == "2026-06-04"


def test_a_complaint_in_the_uk_is_acknowledged_in_thirty_days() -> None:
    assert last_day("2026-05-04T10:00", "uk", kind="complaint") == "2026-06-03"


@pytest.mark.parametrize(("kind", "law"), [("wish", "gdpr"), ("access", "ccpa")])
def test_an_unknown_kind_or_law_is_refused(kind: str, law: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        last_day("2026-05-04T10:00", law, kind=kind)


@pytest.mark.parametrize(
    ("countries", "law"),
    [
        pytest.param(["PT", "PT"], "gdpr", id="in the EU"),
        pytest.param(["BR", "PT"], "lgpd", id="the shorter of two"),
        pytest.param(["GB", "PT"], "gdpr", id="of equal ones the one whose clock never stops"),
        pytest.param(["gb"], "uk", id="in the UK"),
        pytest.param([None, ""], "gdpr", id="unknown"),
        pytest.param([], "gdpr", id="nothing known"),
    ],
)
def test_the_law_of_a_request(countries: list[str | None], law: str) -> None:
    assert requests.law_of(countries) == law


@settings(deadline=None)
@given(
    st.integers(0, 6 * 365 * 24).map(lambda hours: at("2024-01-01T00:00") + timedelta(hours=hours)),
    st.sampled_from(sorted(requests.LAWS)),
)
def test_a_request_is_due_on_a_weekend_only_where_the_law_lets_no_day_pass(received: datetime, law: str) -> None:
    due = requests.due_at("erase", received, law, zone=LISBON)
    assert due is not None
    assert due.astimezone(LISBON).weekday() < 5 or law == "lgpd"
    assert timedelta(days=14) < due - received < timedelta(days=35)


def test_the_clock_stands_still_for_the_clarification_of_an_access_request_only() -> None:
    """Data (Use and Access) Act 2025: in the United Kingdom, and for access."""
    began = at("2026-05-04T10:00")
    waiting = [requests.Pause(began)]
    still = {kind for kind in requests.KINDS if requests.due_at(kind, began, "uk", zone=LISBON, pauses=waiting) is None}
    assert still == {"access"}


def test_every_term_can_be_said_in_words() -> None:
    assert {(law.answer.months, law.answer.days) for law in requests.LAWS.values()} == set(requests.TERMS)


def test_the_course_of_a_request() -> None:
    machine = requests.MACHINE
    assert machine.apply("unsure", "understand") == "received"
    assert machine.apply("received", "extend") == "extended"
    assert machine.apply("extended", "answer") == "answered"
    with pytest.raises(IllegalMove):
        machine.apply("extended", "extend")
    for closed in requests.CLOSED:
        assert not any(machine.allows(closed, trigger) for trigger, _, _ in requests.MOVES)


@pytest.mark.parametrize(("status", "state"), [("open", "received"), ("unsure", "unsure"), ("done", "answered")])
def test_a_request_opens(status: str, state: str) -> None:
    assert requests.state_at_opening(status) == state


def test_a_request_opens_in_no_other_way() -> None:
    with pytest.raises(ValueError, match="opened as"):
        requests.state_at_opening("later")
