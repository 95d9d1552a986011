"""Figures count, are written as Prometheus reads them, and have no label that could name a person."""

import pytest

from bot.observability import redaction
from bot.observability.metrics import LABELS, Registry


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_the_text_is_what_prometheus_reads(registry: Registry) -> None:
    turns = registry.counter("recado_turns_total", "Turns\ncommitted.", ["outcome"])
    age = registry.gauge("recado_outbox_age_seconds", "Age of the oldest.")
    took = registry.histogram("recado_turn_seconds", "How long.", ["kind"], bounds=(0.1, 1))
    turns.add(outcome="ok")
    turns.add(2, outcome="ok")
    turns.add(outcome="failed")
    age.put(3)
    age.put(1.5)
    for value in (0.05, 0.1, 0.5, 7):
        took.observe(value, kind="text")
    assert registry.text() == (
        "# HELP recado_turns_total Turns\\ncommitted.\n"
        "# TYPE recado_turns_total counter\n"
        'recado_turns_total{outcome="failed"} 1\n'
        'recado_turns_total{outcome="ok"} 3\n'
        "# HELP recado_outbox_age_seconds Age of the oldest.\n"
        "# TYPE recado_outbox_age_seconds gauge\n"
        "recado_outbox_age_seconds 1.5\n"
        "# HELP recado_turn_seconds How long.\n"
        "# TYPE recado_turn_seconds histogram\n"
        'recado_turn_seconds_bucket{kind="text",le="0.1"} 2\n'
        'recado_turn_seconds_bucket{kind="text",le="1"} 3\n'
        'recado_turn_seconds_bucket{kind="text",le="+Inf"} 4\n'
        'recado_turn_seconds_sum{kind="text"} 7.65\n'
        'recado_turn_seconds_count{kind="text"} 4\n'
    )


@pytest.mark.parametrize("label", ["person", "number", "language", "country", "name", "phone_number_id"])
def test_a_label_that_is_not_listed_is_refused(registry: Registry, label: str) -> None:
    assert label not in LABELS
    with pytest.raises(ValueError, match="allow-list"):
        registry.counter("recado_things_total", "Things.", [label])


@pytest.mark.parametrize(
    "value",
    [
        "+15550100123",
        "15550100123",
        "1234567",
        "Ana Canário",
        "please stop",
        "wamid.HBgLMTU1=",
        "a@b.example",
        'x"} 1\nrecado_evil 1',
        "x" * 80,
    ],
)
def test_a_label_value_that_is_no_plain_word_becomes_other(registry: Registry, value: str) -> None:
    counter = registry.counter("recado_things_total", "Things.", ["reason"])
    counter.add(reason=value)
    assert 'recado_things_total{reason="other"} 1\n' in registry.text()
    assert redaction.leaked(registry.text(), [value]) == []


@pytest.mark.parametrize("value", ["window_closed", "131047", "/exports/{token}", "answer", "v1.2", ""])
def test_our_own_words_and_codes_stay(registry: Registry, value: str) -> None:
    registry.counter("recado_things_total", "Things.", ["reason"]).add(reason=value)
    assert f'recado_things_total{{reason="{value}"}} 1\n' in registry.text()


def test_a_label_cannot_grow_for_ever(registry: Registry) -> None:
    counter = registry.counter("recado_things_total", "Things.", ["reason"])
    took = registry.histogram("recado_turn_seconds", "How long.", ["kind"], bounds=(1,))
    for number in range(1000):
        counter.add(reason=f"word_{number}")
        took.observe(0.5, kind=f"word_{number}")
    assert 'recado_things_total{reason="other"} 800\n' in registry.text()
    assert 'recado_turn_seconds_count{kind="other"} 800\n' in registry.text()


def test_misuse_is_refused(registry: Registry) -> None:
    counter = registry.counter("recado_things_total", "Things.", ["reason"])
    with pytest.raises(ValueError, match="only grows"):
        counter.add(-1, reason="x")
    with pytest.raises(ValueError, match="labels"):
        counter.add(kind="x")
    with pytest.raises(ValueError, match="twice"):
        registry.gauge("recado_things_total", "Again.")
    with pytest.raises(ValueError, match="no name"):
        registry.gauge("things", "Unnamed.")
    with pytest.raises(ValueError, match="rise"):
        registry.histogram("recado_h", "Falls.", bounds=(2, 1))
