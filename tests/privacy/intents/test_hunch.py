"""What a hunch may do, and that what it knows was learned from what may be learned from."""

import pytest

from bot.privacy.intents import hunch, understand
from scripts.learn_hunch import ROUNDS, TARGET, digest, kind_of, learned, messages
from tests.privacy.labelled.split import HELD_OUT, read_half


def test_the_weights_were_learned_from_the_messages_as_they_are() -> None:
    """After a change of the development half or a fresh round: run `python -m scripts.learn_hunch`."""
    assert digest(messages()) in TARGET.read_text(encoding="utf-8").splitlines()[1]


def test_nothing_was_learned_from_the_held_out_half() -> None:
    held_out = {(one.language, one.text.casefold()) for one in read_half(HELD_OUT)}
    assert not held_out & {(one.language, one.text.casefold()) for one in messages()}


@pytest.mark.long
def test_learning_again_gives_the_same_weights() -> None:
    """But for the last digit, which a machine's arithmetic may round otherwise."""
    again, kept = learned(messages()).splitlines(), TARGET.read_text(encoding="utf-8").splitlines()
    assert again[:2] == kept[:2]
    other = set(again) - set(kept)
    assert len(other) <= len(kept) / 1000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("your lot keep on pinging my phone like mad and I am so over it", id="no rule reads it"),
        pytest.param("who on earth handed out my digits to you people", id="a question that is none"),
    ],
)
def test_a_hunch_asks_and_never_stops(text: str) -> None:
    assert understand(text, language="en").decision.value != "stop"


def test_a_hunch_never_stops_anybody_whatever_is_written() -> None:
    for one in read_half(ROUNDS / "seventh.tsv"):
        found = understand(one.text, language=one.language)
        if found.rule == "hunch" or found.rule.endswith("-doubted"):
            assert found.decision.value == "ask"


@pytest.mark.parametrize("text", ["STOP", "unsubscribe", "stop all", "baja", "abmelden"])
def test_a_keyword_is_never_doubted(text: str) -> None:
    assert understand(text, language=None).decision.value == "stop"


def test_one_word_alone_resembles_nothing() -> None:
    assert understand("stopwatch", language="en").decision.value == "none"
    assert set(hunch.weigh(()).values()) == {hunch.UNKNOWN}


@pytest.mark.parametrize(
    ("label", "kind"),
    [("stop.typo", "stop"), ("ask", "stop"), ("erase", "erase"), ("ordinary", ""), ("weak", ""), ("yes", "")],
)
def test_labels_are_examples_of_what_they_mean(label: str, kind: str) -> None:
    assert kind_of(label) == kind
