"""The figures of docs/intents.md hold: a change that hears less, or stops more of what is ordinary, fails here.

The development half and the fresh rounds were looked at while the language files were written and are what hunches are learned
from; the lines of the held-out half never were: it is held to the goals of the issue (docs/intents.md).
"""

from functools import lru_cache
from pathlib import Path

import pytest

from bot.privacy.intents import Decision, Intent, understand
from tests.privacy.labelled.split import DEV, HELD_OUT, LANGUAGES, Labelled, read_half

FRESH = Path(__file__).parent.parent / "labelled" / "fresh"
ROUNDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
SETS = {"dev": DEV, "held out": HELD_OUT} | {name: FRESH / f"{name}.tsv" for name in ROUNDS}
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
        pytest.param("held out", 0.97, 0.88, id="held out: the goal of the issue"),
        pytest.param("first", 0.98, 0.97, id="first fresh round"),
        pytest.param("second", 0.97, 0.83, id="second fresh round, the hard one"),
        pytest.param("tenth", 0.97, 0.88, id="tenth fresh round"),
    ],
)
def test_stop_wishes_are_heard_and_decided(name: str, heard: float, decided: float) -> None:
    assert share(name, "stop", "heard") >= heard
    assert share(name, "stop", "stop") >= decided


@pytest.mark.parametrize(
    ("name", "stopped", "asked"),
    [
        pytest.param("dev", 0.005, 0.03, id="development"),
        pytest.param("held out", 0.005, 0.03, id="held out: the goal of the issue"),
        pytest.param("second", 0.005, 0.03, id="second fresh round"),
        pytest.param("third", 0.01, 0.07, id="third fresh round, the hardest"),
        pytest.param("tenth", 0.005, 0.03, id="tenth fresh round"),
    ],
)
def test_ordinary_messages_are_seldom_stopped_or_asked_about(name: str, stopped: float, asked: float) -> None:
    assert share(name, "ordinary", "stop") <= stopped
    assert share(name, "ordinary", "ask") <= asked


@pytest.mark.parametrize(
    ("name", "label", "least"),
    [
        ("dev", "stop.keyword", 1.0), ("held out", "stop.keyword", 1.0), ("dev", "stop.typo", 0.98), ("held out", "stop.typo", 0.97),
        ("dev", "stop.erase", 0.97), ("held out", "stop.erase", 0.97), ("held out", "stop.marketing", 0.97),
    ],
)  # fmt: skip
def test_every_kind_of_stop_wish_is_heard(name: str, label: str, least: float) -> None:
    assert share(name, label, "heard") >= least


@pytest.mark.parametrize("name", ["dev", "held out"])
def test_to_stop_and_delete_does_both(name: str) -> None:
    assert share(name, "stop.erase", "erase") >= 0.97


@pytest.mark.parametrize("flag", ROUTED)
@pytest.mark.parametrize("name", ["dev", "held out"])
def test_rights_and_ways_on_are_routed(name: str, flag: str) -> None:
    """The goals of the issue: erasure 97 in a hundred, the others 93."""
    assert share(name, flag, flag) >= (0.97 if flag == "erase" else 0.93)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["dev", "held out"])
def test_no_language_is_left_behind(name: str, language: str) -> None:
    assert share(name, "stop", "heard", language) >= 0.93


@pytest.mark.parametrize("name", ["dev", "held out"])
def test_nobody_is_erased_on_one_message(name: str) -> None:
    """What the matcher says of erasure is a flag, which opens the questions of the erasure flow; there is no such decision."""
    assert {found.decision for _, found in readings(name)} <= {Decision.STOP, Decision.ASK, Decision.NONE}


@pytest.mark.parametrize("name", ["dev", "held out", "first"])
def test_a_weak_affirmation_is_never_a_yes(name: str) -> None:
    assert share(name, "weak", "yes") == 0


@pytest.mark.parametrize("name", ROUNDS)
def test_the_fresh_rounds_repeat_nothing_of_the_halves(name: str) -> None:
    known = {one.text.casefold() for half in ("dev", "held out") for one, _ in readings(half)}
    assert not known & {one.text.casefold() for one, _ in readings(name)}
