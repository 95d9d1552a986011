"""The shipped catalogs: complete, of the right length, with words in capitals that the bot understands."""

import json
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from bot.app.project import load_catalog, load_project
from bot.app.rules import BusinessRules
from bot.cli import recado
from bot.cli.catalogs import capitals, catalog_files, keywords
from bot.cli.texts import Texts, Written, texts_of_project
from bot.engine.router import WISHES
from bot.i18n.catalog import Catalog
from bot.i18n.po import NATIVE_REVIEW
from bot.privacy.intents import start_word, stop_word, understand
from bot.privacy.notice import SHORT_LIMIT, Notice

ROOT = Path(__file__).resolve().parents[2]
KEPT = ["pt", "es"]
"""Whoever adds a text translates it into these at once; the others follow."""

OFFERED = [*KEPT, "de", "ar"]
"""What the example business offers besides English: its own texts are translated too."""

LANGUAGES = [*OFFERED, "pt-BR", "fr", "it", "nl", "pl"]
"""What Recado itself comes in besides English."""

every_language = pytest.mark.parametrize("language", LANGUAGES)
every_offered = pytest.mark.parametrize("language", OFFERED)


@pytest.fixture(scope="module")
def texts() -> Texts:
    return texts_of_project(ROOT)


@pytest.fixture(scope="module")
def notices() -> dict[str, Notice]:
    book = load_project(ROOT).book
    assert book is not None
    return dict(BusinessRules(book.business, catalog()).notices)


@cache
def catalog() -> Catalog:
    return load_catalog(ROOT, offered=("en", *LANGUAGES), default="en")


def said_in(texts: Texts, language: str) -> tuple[Written, ...]:
    """The texts there are in a language: Recado's own in all of them, the example business's in those it offers."""
    return texts.every if language in OFFERED else texts.bot


def translated(text: str, language: str) -> str:
    return catalog().translate(text, language)


@pytest.mark.parametrize("language", KEPT)
def test_the_check_finds_nothing(language: str) -> None:
    result = CliRunner().invoke(recado, ["i18n", "check", "--project", str(ROOT), "--lang", language])

    assert result.exit_code == 0, result.output
    assert f"\n{language}: " in f"\n{result.output}"


LEAST = 0.9
"""Share of Recado's texts that a language has while work goes on; the others are English until somebody translates them."""


@every_language
def test_what_is_translated_is_right_and_little_is_not(language: str) -> None:
    result = CliRunner().invoke(recado, ["i18n", "check", "--project", str(ROOT), "--lang", language, "--json"])

    found = json.loads(result.output)
    counts = found["languages"][language]
    assert {one["code"] for one in found["problems"]} <= {"missing"}
    assert counts["translated"] >= LEAST * counts["texts"]


@every_language
def test_every_text_is_translated_and_none_is_left_in_english(texts: Texts, language: str) -> None:
    same = {
        one.text for one in said_in(texts, language)
        if translated(one.text, language) == one.text and catalog().has(one.text, language)
    }  # fmt: skip

    # Names of languages in their own language, bare values, and words both languages have in common.
    assert same <= {
        "English", "Português", "Español", "Deutsch", "Français", "Italiano", "Nederlands", "Polski", "العربية", "Português (Brasil)",
        "hi", "problem", "menu", "newsletter", "no", "No", "{holds}: {count}", "Code", "10 minutes", "Auditor", "Bot", "STOP", "hash",
        "Comissão Nacional de Proteção de Dados (CNPD), Lisboa",
    }  # fmt: skip


def test_every_translation_waits_for_a_native() -> None:
    """decisions.md 33: no language is claimed as reviewed."""
    for _, path in catalog_files(ROOT):
        for message in read_po(BytesIO(path.read_bytes())):
            assert not message.id or NATIVE_REVIEW in message.user_comments, message.id


@every_language
def test_words_in_capitals_are_understood_in_their_language(texts: Texts, language: str) -> None:
    """A person who writes what the bot told them to write gets what it said."""
    named = [
        one for one in said_in(texts, language)
        if one.kind == "flow" and keywords(one.text, "en") and catalog().has(one.text, language)
    ]  # fmt: skip

    assert len(named) >= 8
    for one in named:
        said = translated(one.text, language)
        phrases = list(capitals(said))
        assert keywords(one.text, "en") <= keywords(said, language), said
        assert all(understand(phrase, language=language).flags for phrase in phrases), phrases


KEYWORDS = [
    pytest.param(language, word, flag, id=f"{language}: {word}")
    for language, words in {
        "en": ("PERSON", "MY DATA", "DELETE MY DATA", "HELP", "PRIVACY", "LANGUAGE"),
        "pt": ("PESSOA", "OS MEUS DADOS", "APAGAR OS MEUS DADOS", "AJUDA", "PRIVACIDADE", "IDIOMA"),
        "es": ("PERSONA", "MIS DATOS", "BORRAR MIS DATOS", "AYUDA", "PRIVACIDAD", "IDIOMA"),
        "pt-BR": ("PESSOA", "MEUS DADOS", "APAGAR MEUS DADOS", "AJUDA", "PRIVACIDADE", "IDIOMA"),
        "de": ("MENSCH", "MEINE DATEN", "MEINE DATEN LÖSCHEN", "HILFE", "DATENSCHUTZ", "SPRACHE"),
        "fr": ("CONSEILLER", "MES DONNÉES", "SUPPRIMER MES DONNÉES", "AIDE", "CONFIDENTIALITÉ", "LANGUE"),
        "it": ("OPERATORE", "I MIEI DATI", "CANCELLA I MIEI DATI", "AIUTO", "PRIVACY", "LINGUA"),
        "nl": ("MEDEWERKER", "MIJN GEGEVENS", "WIS MIJN GEGEVENS", "HELP", "PRIVACY", "TAAL"),
        "pl": ("CZŁOWIEK", "MOJE DANE", "USUŃ MOJE DANE", "POMOC", "PRYWATNOŚĆ", "JĘZYK"),
        "ar": ("«موظف»", "«بياناتي»", "«احذف بياناتي»", "«مساعدة»", "«الخصوصية»", "«اللغة»"),
    }.items()
    for word, flag in zip(words, ("agent", "access", "erase", "help", "privacy", "language"), strict=True)
]


@pytest.mark.parametrize(("language", "word", "flag"), KEYWORDS)
def test_the_help_text_names_a_word_for_each_way_out(texts: Texts, language: str, word: str, flag: str) -> None:
    help_text = next(one.text for one in texts.bot if one.file == "flows/privacy/help.yaml")
    said = translated(help_text, language)

    assert f"• {word} – " in said or flag == "help"  # nobody who reads it needs to ask for it
    flags = understand(word, language=language).flags
    assert next(one for one, _ in WISHES if one in flags) == flag  # the order in which wishes are taken


@every_language
def test_the_words_for_stop_and_start_are_put_in_and_understood(language: str) -> None:
    assert understand(stop_word(language), language=language).decision == "stop"
    assert "start" in understand(start_word(language), language=language).flags


@every_offered
def test_start_words_are_single_and_no_built_in_wish(texts: Texts, language: str) -> None:
    """A translated start word must not be taken for a wish, or nobody reaches the flow with it."""
    words = [one for one in texts.project if one.group.startswith("start:")]

    assert len(words) >= 14
    for one in words:
        said = translated(one.text, language)
        intent = understand(said, language=language)
        assert "," not in said
        assert (intent.decision, intent.flags) == ("none", frozenset()), said


def english_in(text: str, texts: Texts, language: str) -> list[str]:
    """Pieces of the English originals that a text still holds: the runs of words between values."""
    left = []
    for one in texts.every:
        if translated(one.text, language) == one.text:
            continue
        runs = [run.strip(" :;,.") for run in one.text.replace("{", "\0").replace("}", "\0").split("\0")[::2]]
        left += [run for run in runs if len(run.split()) >= 3 and run in text]
    return left


@every_offered
def test_the_notice_in_the_chat_fits_and_is_in_one_language(
    notices: dict[str, Notice], texts: Texts, language: str
) -> None:
    short = notices[language].short

    assert len(short) <= SHORT_LIMIT
    assert english_in(short, texts, language) == []
    assert english_in(notices["en"].short, texts, language) != []  # the look itself can find something
    assert stop_word(language) in short


@every_offered
def test_the_full_notice_is_in_one_language(notices: dict[str, Notice], texts: Texts, language: str) -> None:
    notice = notices[language]
    full = "\n".join(
        [
            notice.title,
            *notice.introduction,
            *(text for one in notice.points for text in (one.heading, *one.paragraphs)),
        ]
    )

    assert english_in(full, texts, language) == []


def test_every_default_text_of_the_engine_is_collected(texts: Texts) -> None:
    """What the engine says of itself, found by looking at the running code instead of at its source."""
    from bot.engine import flow
    from bot.engine.steps import question, typed

    said: set[str] = {question.NOT_AN_OPTION, typed.NOT_UNDERSTOOD, "Choose", "Skip", "Yes", "No", "yes", "no"}
    said |= {str(flow.Double.model_fields[name].default) for name in ("yes_label", "no_label")}
    said |= {str(flow.ConsentStep.model_fields[name].default) for name in ("yes_label", "no_label")}

    assert said <= {one.text for one in texts.bot}


def test_every_text_marked_in_the_code_is_collected(texts: Texts) -> None:
    from bot.privacy import inventory, notice

    marked = {one.holds for one in inventory.COLLECTIONS.values()} | {heading for _, _, heading in notice.HEADINGS}
    marked |= {
        field.kept_because for one in inventory.COLLECTIONS.values() for field in one.fields if field.kept_because
    }
    marked |= {field.retention.words for one in inventory.COLLECTIONS.values() for field in one.fields}

    assert marked <= {one.text for one in texts.bot}


@pytest.mark.parametrize(
    ("text", "file"),
    [
        pytest.param("newsletter", "flows/newsletter.yaml", id="a start word"),
        pytest.param("news", "flows/welcome.yaml", id="another word for an option"),
        pytest.param("Delivery", "flows/support.yaml", id="an option of a declared field"),
        pytest.param("Confirm", "flows/newsletter.yaml", id="a label of the second yes"),
        pytest.param("Try again", "flows/order_status.yaml", id="a label inside an outcome"),
        pytest.param("our newsletter", "flows/business.yaml", id="the title of a purpose"),
        pytest.param("at most four times a month", "flows/business.yaml", id="how often it sends"),
        pytest.param("carries the messages", "flows/business.yaml", id="what a processor does"),
        pytest.param("in the European Union (Frankfurt)", "flows/business.yaml", id="where data are stored"),
        pytest.param("Shop", "flows/business.yaml", id="the title of a team"),
    ],
)
def test_a_text_is_collected_with_its_place(texts: Texts, text: str, file: str) -> None:
    found: list[Written] = [one for one in texts.every if one.text == text and one.file == file]

    assert found
    line = (ROOT / file).read_text().splitlines()[found[0].line - 1]
    assert text in line


def test_telephone_numbers_are_kept_together_where_people_read_from_right_to_left(texts: Texts) -> None:
    """Without isolates `+351 912 345 678` is shown as `678 345 912 351+`."""
    with_number = [one.text for one in texts.bot if "{example}" in one.text and "country code" in one.text]

    assert len(with_number) >= 2
    assert all("\u2068{example}\u2069" in translated(one, "ar") for one in with_number)


@pytest.mark.parametrize("language", ["de", "en", "pt", ""])
@pytest.mark.parametrize("word", ["Bestellung", "Termin", "Bestellung bitte"])
def test_the_words_a_german_customer_begins_with_stop_nothing(word: str, language: str) -> None:
    """One letter or two from a word for stopping, and among the commonest first messages there are."""
    assert understand(word, language=language or None).decision == "none"
