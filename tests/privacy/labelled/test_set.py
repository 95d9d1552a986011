"""The labelled messages are as large, as whole and as honestly split as their README says.

Here lives the check of the set itself; measuring the matcher on it lives with the matcher's tests.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.privacy.labelled.split import (
    DEV,
    HELD_OUT,
    LABELS,
    LANGUAGES,
    SOURCES,
    Halves,
    Labelled,
    SourceError,
    folded,
    read_half,
    read_halves,
    read_source,
    read_sources,
    rendered,
    split,
)

MESSAGES = read_sources()


def test_there_is_one_source_for_each_of_the_thirty_languages_and_no_other() -> None:
    assert sorted(path.stem for path in SOURCES.iterdir()) == sorted(LANGUAGES)
    assert len(LANGUAGES) == 30


def test_the_set_holds_at_least_3300_messages() -> None:
    assert len(MESSAGES) >= 3300


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_holds_at_least_100_messages_and_every_label(language: str) -> None:
    labels = Counter(message.label for message in MESSAGES if message.language == language)
    assert labels.total() >= 100
    assert not set(LABELS) - set(labels)
    assert labels["stop.sentence"] >= 24
    assert labels["ordinary"] >= 24


def test_no_message_stands_twice_in_a_language_whatever_its_case_and_spaces() -> None:
    counted = Counter((message.language, folded(message.text)) for message in MESSAGES)
    assert [place for place, count in counted.items() if count > 1] == []


def test_words_of_several_languages_never_stand_in_both_halves() -> None:
    dev, held_out = ({folded(message.text) for message in read_half(path)} for path in (DEV, HELD_OUT))
    assert not dev & held_out


def test_the_halves_together_are_the_whole_set() -> None:
    halves = Counter([*read_half(DEV), *read_half(HELD_OUT)])
    assert halves == Counter(MESSAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_half_holds_about_half_of_every_language(language: str) -> None:
    dev = sum(message.language == language for message in read_half(DEV))
    whole = sum(message.language == language for message in MESSAGES)
    assert abs(dev - whole / 2) <= whole / 10


def test_the_halves_are_what_the_sources_split_into() -> None:
    halves = split(MESSAGES, before=read_halves())
    assert DEV.read_text(encoding="utf-8") == rendered(halves.dev), "run: python -m tests.privacy.labelled.split"
    assert HELD_OUT.read_text(encoding="utf-8") == rendered(halves.held_out), (
        "run: python -m tests.privacy.labelled.split"
    )


def test_the_order_of_the_sources_changes_nothing_in_the_split() -> None:
    assert split(reversed(MESSAGES), before=Halves()) == split(MESSAGES, before=Halves())


def test_a_split_from_nothing_halves_every_language_and_label_but_for_shared_words() -> None:
    alone = [message for message in MESSAGES if message.language == "lv"]
    halves = split(alone, before=Halves())
    for label in LABELS:
        dev, held_out = (sum(message.label == label for message in half) for half in (halves.dev, halves.held_out))
        assert abs(dev - held_out) <= 1, label


def test_a_message_never_changes_its_half_when_others_are_added_or_removed() -> None:
    earlier = split(MESSAGES[::2], before=Halves())
    later = split(MESSAGES[1:], before=earlier)
    dev, held_out = ({folded(message.text) for message in half} for half in (earlier.dev, earlier.held_out))
    assert not dev & {folded(message.text) for message in later.held_out}
    assert not held_out & {folded(message.text) for message in later.dev}


def test_words_developed_on_in_one_language_are_never_reported_in_another() -> None:
    earlier = Halves(dev=(Labelled("en", "stop.keyword", "STOP"),))
    later = split([Labelled("da", "stop.keyword", "stop"), Labelled("da", "stop.keyword", "afmeld")], before=earlier)
    assert later.dev == (Labelled("da", "stop.keyword", "stop"),)
    assert later.held_out == (Labelled("da", "stop.keyword", "afmeld"),)


def test_a_line_break_survives_being_written_and_read(tmp_path: Path) -> None:
    message = Labelled("en", "ordinary", "> Reply STOP to unsubscribe\nwhat is this")
    path = tmp_path / "half.tsv"
    path.write_text(rendered([message]), encoding="utf-8")
    assert read_half(path) == [message]


@pytest.mark.parametrize(
    ("content", "located"),
    [
        pytest.param("text\tlabel\n", "en.tsv:1", id="a header in another order"),
        pytest.param("label\ttext\nstop.keyword\tSTOP\nstopp\tSTOP\n", "en.tsv:3", id="a label that does not exist"),
        pytest.param("label\ttext\nask\n", "en.tsv:2", id="a column too few"),
        pytest.param("label\ttext\nask\t \n", "en.tsv:2", id="an empty message"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, content: str, located: str) -> None:
    path = tmp_path / "en.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=located):
        read_source(path)
