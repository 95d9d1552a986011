"""Which language people ask for, and which they write in: by whole messages, measured by table, deciding nothing when in doubt."""

import time as clock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.i18n.catalog import Catalog
from bot.i18n.choosing import wish
from bot.i18n.detecting import written_in
from bot.i18n.formatting import Languages
from tests.i18n.sentences import OTHERS, SENTENCES, UNDECIDED

OFFERED = ("en", "pt", "pt-BR", "es", "de", "fr", "it", "nl", "pl", "ar")

WISHES = [
    (
        "en",
        "in English please",
        "English",
        "can we speak english",
        "switch to English",
        "em inglês, por favor",
        "auf Englisch bitte",
        "englisch",
    ),
    (
        "pt",
        "fale português",
        "em português por favor",
        "Português",
        "pode falar em português?",
        "portuguese please",
        "auf Portugiesisch",
    ),
    ("pt-BR", "português do Brasil", "em português brasileiro", "brazilian portuguese please"),
    (
        "es",
        "en español por favor",
        "habla español",
        "¿podemos hablar en castellano?",
        "español",
        "spanish please",
        "em espanhol",
    ),
    (
        "de",
        "auf Deutsch bitte",
        "deutsch",
        "Können wir deutsch sprechen?",
        "can you write in german",
        "em alemão por favor",
        "po niemiecku proszę",
    ),
    (
        "fr",
        "en français s'il vous plaît",
        "parlez français",
        "français",
        "in french please",
        "auf Französisch bitte",
        "em francês",
    ),
    ("it", "in italiano per favore", "parla italiano", "italiano", "in Italian", "auf Italienisch"),
    ("nl", "in het Nederlands graag", "nederlands", "spreek Nederlands", "in Dutch please", "auf Niederländisch bitte"),
    ("pl", "po polsku proszę", "polski", "mów po polsku", "in Polish please", "auf Polnisch bitte"),
    ("ar", "بالعربية من فضلك", "العربية", "تكلم العربية", "in Arabic please", "en arabe s'il vous plaît"),
    (
        "",
        "turkish please",
        "I don't speak English",
        "não falo inglês",
        "ich verstehe kein Englisch",
        "no hablo inglés",
        "ne parle pas anglais",
    ),
]


@pytest.mark.parametrize(
    ("language", "words"),
    [pytest.param(row[0], words, id=f"{row[0] or 'another'}: {words}") for row in WISHES for words in row[1:]],
)
def test_a_wish_for_a_language_is_understood(language: str, words: str) -> None:
    found = wish(words, OFFERED)

    assert found is not None
    assert found.language == language


@pytest.mark.parametrize(
    "words",
    [
        "do you have an English manual?", "is the manual in English?", "my english is bad", "I want a Danish pastry", "Polish remover",
        "o livro em português já chegou?", "no", "en", "in", "please", "", "hablo", "ein deutsches Auto", "STOP", "in English please " * 20,
    ],
)  # fmt: skip
def test_a_language_that_is_only_named_is_no_wish(words: str) -> None:
    assert wish(words, OFFERED) is None


def test_brazilian_is_portuguese_where_only_that_is_offered() -> None:
    found = wish("português do Brasil", ("en", "pt"))

    assert found is not None
    assert found.language == "pt"


LEAST = {"en": 1.0, "pt": 1.0, "es": 0.9, "de": 0.9, "fr": 1.0, "it": 0.8, "nl": 1.0, "pl": 0.9, "ar": 1.0}
"""Share of the sentences whose language is decided; docs/languages.md shows these figures."""


@pytest.mark.parametrize("language", SENTENCES)
def test_real_looking_sentences_are_told_by_language(language: str) -> None:
    """None is taken for another language; the share that decides is at least the one the documentation states."""
    found = [written_in(one, OFFERED) for one in SENTENCES[language]]

    assert set(found) <= {language, ""}
    assert found.count(language) / len(found) >= LEAST[language]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_that_is_not_offered_decides_nothing(language: str) -> None:
    assert [written_in(one, OFFERED) for one in OTHERS[language]] == ["", "", ""]


@pytest.mark.parametrize("words", UNDECIDED)
def test_short_messages_and_what_is_no_language_decide_nothing(words: str) -> None:
    assert written_in(words, OFFERED) == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_no_words_make_it_raise(words: str) -> None:
    found = wish(words, OFFERED)

    assert written_in(words, OFFERED) in ("", *OFFERED)
    assert found is None or found.language in ("", *OFFERED)


@pytest.mark.parametrize("piece", ["where is my parcel ", "english ", "a", "\u0645\u0631\u062d\u0628\u0627 "])
def test_long_messages_cost_little(piece: str) -> None:
    written_in("where is my parcel please", OFFERED)
    words = piece * (65536 // len(piece))
    began = clock.perf_counter()
    written_in(words, OFFERED)
    wish(words, OFFERED)

    assert clock.perf_counter() - began < 0.2


def test_each_language_is_named_as_its_speakers_write_it() -> None:
    texts = Languages(Catalog({}, offered=OFFERED, default="en"))

    assert [texts.name(one) for one in OFFERED] == [
        "English", "Português", "Português (Brasil)", "Español", "Deutsch", "Français", "Italiano", "Nederlands", "Polski", "العربية",
    ]  # fmt: skip
