"""The figures of docs/intents.md hold: a change that hears less, or stops more of what is ordinary, fails here.

The development half and the fresh rounds were looked at while the language files were written, the held-out half never; its
bounds are looser for that reason, and are what was reached, not what is wished for (docs/intents.md has both).
"""

from functools import lru_cache
from pathlib import Path

import pytest

from bot.privacy.intents import Intent, understand
from tests.privacy.labelled.split import DEV, HELD_OUT, LANGUAGES, Labelled, read_half

FRESH = Path(__file__).parent.parent / "labelled" / "fresh"
SETS = {
    "dev": DEV,
    "held out": HELD_OUT,
    "first": FRESH / "first.tsv",
    "second": FRESH / "second.tsv",
    "third": FRESH / "third.tsv",
    "fourth": FRESH / "fourth.tsv",
    "fifth": FRESH / "fifth.tsv",
}
ROUTED = ("erase", "access", "rectify", "object", "start", "help", "privacy", "agent", "complaint")


@lru_cache
def readings(name: str) -> tuple[tuple[Labelled, Intent], ...]:
    return tuple((one, understand(one.text, language=one.language)) for one in read_half(SETS[name]))


def share(name: str, label: str, wanted: str, language: str = "") -> float:
    """Of the messages of a label (or of all labels that begin so), how many were `heard`, `stop`, `ask` or carry a flag."""
    rows = [
        found for one, found in readings(name) if one.label.startswith(label) and language in ("", one.language)
    ]  # fmt: skip
    hits = sum(
        found.decision.value != "none" if wanted == "heard" else found.decision.value == wanted or wanted in found.flags
        for found in rows
    )
    return hits / len(rows)


@pytest.mark.parametrize(
    ("name", "heard", "decided"),
    [
        pytest.param("dev", 0.99, 0.97, id="development"),
        pytest.param("held out", 0.95, 0.92, id="held out"),
        pytest.param("first", 0.98, 0.97, id="first fresh round"),
        pytest.param("second", 0.97, 0.83, id="second fresh round, the hard one"),
    ],
)
def test_stop_wishes_are_heard_and_decided(name: str, heard: float, decided: float) -> None:
    assert share(name, "stop", "heard") >= heard
    assert share(name, "stop", "stop") >= decided


@pytest.mark.parametrize(
    ("name", "stopped", "asked"),
    [
        pytest.param("dev", 0.005, 0.03, id="development"),
        pytest.param("held out", 0.013, 0.03, id="held out"),
        pytest.param("first", 0.0, 0.03, id="first fresh round"),
        pytest.param("second", 0.0, 0.03, id="second fresh round"),
        pytest.param("third", 0.01, 0.07, id="third fresh round, the hardest"),
    ],
)
def test_ordinary_messages_are_seldom_stopped_or_asked_about(name: str, stopped: float, asked: float) -> None:
    assert share(name, "ordinary", "stop") <= stopped
    assert share(name, "ordinary", "ask") <= asked


@pytest.mark.parametrize(
    ("name", "label", "least"),
    [
        ("dev", "stop.keyword", 1.0), ("held out", "stop.keyword", 0.99), ("dev", "stop.typo", 0.98), ("held out", "stop.typo", 0.97),
        ("dev", "stop.erase", 0.97), ("held out", "stop.erase", 0.95), ("held out", "stop.marketing", 0.96),
    ],
)  # fmt: skip
def test_every_kind_of_stop_wish_is_heard(name: str, label: str, least: float) -> None:
    assert share(name, label, "heard") >= least


@pytest.mark.parametrize("flag", ROUTED)
@pytest.mark.parametrize(("name", "least"), [("dev", 0.96), ("held out", 0.85)])
def test_rights_and_ways_on_are_routed(name: str, flag: str, least: float) -> None:
    assert share(name, flag, flag) >= least


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_is_left_behind(language: str) -> None:
    assert share("dev", "stop", "heard", language) >= 0.93
    assert share("held out", "stop", "heard", language) >= 0.83


@pytest.mark.parametrize("name", ["dev", "held out", "first"])
def test_a_weak_affirmation_is_never_a_yes(name: str) -> None:
    assert share(name, "weak", "yes") == 0


@pytest.mark.parametrize("name", ["first", "second", "third", "fourth", "fifth"])
def test_the_fresh_rounds_repeat_nothing_of_the_halves(name: str) -> None:
    known = {one.text.casefold() for half in ("dev", "held out") for one, _ in readings(half)}
    assert not known & {one.text.casefold() for one, _ in readings(name)}
