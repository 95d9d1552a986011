"""What people type as values, language by language: what is understood, what is asked about, what is refused; always in bounded time."""

import time as clock
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.values import Reading
from bot.i18n.values import TypedValues, date_order

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Europe/Lisbon"))
"""A Tuesday."""

VALUES = TypedValues()
KINDS = (
    "date",
    "time",
    "datetime",
    "duration",
    "number",
    "whole_number",
    "money",
    "phone",
    "email",
    "text",
    "nonsense",
)
LANGUAGES = ("en", "en-GB", "en-US", "pt", "pt-BR", "es", "de", "fr", "it", "nl", "pl", "ar", "sv", "klingon")


def read(kind: str, words: str, language: str, tense: str = "", country: str = "") -> Reading:
    return VALUES.read(kind, words, language, NOW, country, tense)


def rows(language: str, *table: tuple[str, Any]) -> list[Any]:
    return [pytest.param(language, words, expected, id=f"{language}: {words}") for words, expected in table]


XMAS, FRIDAY = date(2026, 12, 24), date(2026, 11, 27)
NEXT_FRIDAY = (FRIDAY, date(2026, 12, 4))
TOMORROW, IN_THREE = date(2026, 11, 25), date(2026, 11, 27)

DATES = [
    *rows(
        "en",
        ("24 December", XMAS),
        ("December 24", XMAS),
        ("Dec 24, 2026", XMAS),
        ("the 24th of December", XMAS),
        ("2026-12-24", XMAS),
        ("Friday", FRIDAY),
        ("on Friday please", FRIDAY),
        ("next Friday", NEXT_FRIDAY),
        ("tomorrow", TOMORROW),
        ("in 3 days", IN_THREE),
        ("Friday next week", date(2026, 12, 4)),
        ("03/04", (date(2027, 4, 3), date(2027, 3, 4))),
        ("24/12/2026", XMAS),
        ("12/24/2026", XMAS),
        ("the day after tomorrow", date(2026, 11, 26)),
        ("Tuesday", (date(2026, 11, 24), date(2026, 12, 1))),
        ("20 November", (date(2027, 11, 20),)),
        ("Monday 27 November", (FRIDAY, date(2026, 11, 30))),
        ("the 28th", (date(2026, 11, 28),)),
        ("31 February", None),
        ("not Friday", None),
        ("Friday or Saturday", None),
        ("after Friday", None),
        ("soon", None),
        ("99/99", None),
    ),
    *rows("en-GB", ("03/04", date(2027, 4, 3)), ("24.12.26", XMAS), ("12/24/2026", (XMAS,))),
    *rows("en-US", ("03/04", date(2027, 3, 4)), ("12/24", XMAS), ("24/12/2026", (XMAS,))),
    *rows(
        "pt",
        ("24 de dezembro", XMAS),
        ("24/12", XMAS),
        ("sexta-feira", FRIDAY),
        ("na sexta", FRIDAY),
        ("próxima sexta", NEXT_FRIDAY),
        ("sexta que vem", NEXT_FRIDAY),
        ("amanhã", TOMORROW),
        ("daqui a 3 dias", IN_THREE),
        ("depois de amanhã", date(2026, 11, 26)),
        ("03/04", date(2027, 4, 3)),
    ),
    *rows("pt-BR", ("24 de dezembro de 2026", XMAS), ("sexta", FRIDAY), ("amanha", TOMORROW), ("dia 24/12/26", XMAS)),
    *rows(
        "es",
        ("24 de diciembre", XMAS),
        ("el viernes", FRIDAY),
        ("el próximo viernes", NEXT_FRIDAY),
        ("mañana", TOMORROW),
        ("dentro de 3 días", IN_THREE),
        ("pasado mañana", date(2026, 11, 26)),
        ("24-12-2026", XMAS),
    ),
    *rows(
        "de",
        ("24.12.", XMAS),
        ("24. Dezember", XMAS),
        ("am Freitag", FRIDAY),
        ("nächsten Freitag", NEXT_FRIDAY),
        ("morgen", TOMORROW),
        ("in drei Tagen", IN_THREE),
        ("übermorgen", date(2026, 11, 26)),
        ("Freitag, den 27.11.", FRIDAY),
        ("Fr 27.11.2026", FRIDAY),
        ("1. Jänner", date(2027, 1, 1)),
        ("29.2.", (date(2028, 2, 29),)),
    ),
    *rows(
        "fr",
        ("24 décembre", XMAS),
        ("le 24/12", XMAS),
        ("vendredi", FRIDAY),
        ("vendredi prochain", NEXT_FRIDAY),
        ("demain", TOMORROW),
        ("dans 3 jours", IN_THREE),
        ("après-demain", date(2026, 11, 26)),
        ("1er janvier", date(2027, 1, 1)),
    ),
    *rows(
        "it",
        ("24 dicembre", XMAS),
        ("venerdì", FRIDAY),
        ("venerdi prossimo", NEXT_FRIDAY),
        ("domani", TOMORROW),
        ("tra 3 giorni", IN_THREE),
        ("dopodomani", date(2026, 11, 26)),
    ),
    *rows(
        "nl",
        ("24 december", XMAS),
        ("vrijdag", FRIDAY),
        ("volgende vrijdag", NEXT_FRIDAY),
        ("morgen", TOMORROW),
        ("over 3 dagen", IN_THREE),
        ("overmorgen", date(2026, 11, 26)),
        ("24-12", XMAS),
    ),
    *rows(
        "pl",
        ("24 grudnia", XMAS),
        ("w piątek", FRIDAY),
        ("następny piątek", NEXT_FRIDAY),
        ("jutro", TOMORROW),
        ("za 3 dni", IN_THREE),
        ("pojutrze", date(2026, 11, 26)),
        ("24.12", XMAS),
    ),
    *rows(
        "ar",
        ("٢٤ ديسمبر", XMAS),
        ("24 كانون الأول", XMAS),
        ("يوم الجمعة", FRIDAY),
        ("الجمعة القادمة", NEXT_FRIDAY),
        ("غدا", TOMORROW),
        ("بعد ٣ أيام", IN_THREE),
        ("بعد غد", date(2026, 11, 26)),
        ("٢٤/١٢", XMAS),
    ),
]

EIGHT, HALF_THREE = (time(8), time(20)), (time(15, 30), time(3, 30))
QUARTER = (time(15, 45), time(3, 45))
TIMES = [
    *rows(
        "en",
        ("15:30", time(15, 30)),
        ("08:30", time(8, 30)),
        ("8:30", (time(8, 30), time(20, 30))),
        ("3pm", time(15)),
        ("3:30 p.m.", time(15, 30)),
        ("8", EIGHT),
        ("at eight o'clock", EIGHT),
        ("half past three", HALF_THREE),
        ("half three", HALF_THREE),
        ("quarter to four", QUARTER),
        ("eight in the evening", time(20)),
        ("noon", time(12)),
        ("12 am", time(0)),
        ("3 to 4", None),
        ("25:00", None),
        ("8:75", None),
    ),
    *rows(
        "de",
        ("15 Uhr", time(15)),
        ("15 Uhr 30", time(15, 30)),
        ("8:30", time(8, 30)),
        ("um 8", EIGHT),
        ("halb vier", HALF_THREE),
        ("Viertel vor vier", QUARTER),
        ("fünf vor halb vier", (time(15, 25), time(3, 25))),
        ("8 Uhr abends", time(20)),
        ("dreiviertel vier", QUARTER),
    ),
    *rows(
        "nl",
        ("om half vier", HALF_THREE),
        ("kwart voor vier", QUARTER),
        ("8 uur 's avonds", time(20)),
        ("15u", time(15)),
        ("tien over half vier", (time(15, 40), time(3, 40))),
    ),
    *rows(
        "pl",
        ("wpół do czwartej", HALF_THREE),
        ("za kwadrans czwarta", QUARTER),
        ("o piętnastej", time(15)),
        ("ósma wieczorem", time(20)),
        ("godz. 15:30", time(15, 30)),
    ),
    *rows(
        "pt",
        ("às 15h30", time(15, 30)),
        ("três e meia", HALF_THREE),
        ("quatro menos um quarto", QUARTER),
        ("8 da noite", time(20)),
        ("meio-dia", time(12)),
    ),
    *rows("pt-BR", ("15h", time(15)), ("às 8", EIGHT), ("três e meia da tarde", time(15, 30))),
    *rows(
        "es",
        ("las tres y media", HALF_THREE),
        ("cuatro menos cuarto", QUARTER),
        ("a las 8 de la tarde", time(20)),
        ("mediodía", time(12)),
    ),
    *rows(
        "fr",
        ("15h30", time(15, 30)),
        ("trois heures et demie", HALF_THREE),
        ("quatre heures moins le quart", QUARTER),
        ("8 h du soir", time(20)),
        ("minuit", time(0)),
    ),
    *rows(
        "it",
        ("tre e mezza", HALF_THREE),
        ("quattro meno un quarto", QUARTER),
        ("alle 8 di sera", time(20)),
        ("ore 15.30", time(15, 30)),
    ),
    *rows(
        "ar",
        ("الثالثة والنصف", HALF_THREE),
        ("الرابعة إلا ربع", QUARTER),
        ("٨ مساء", time(20)),
        ("الساعة ١٥:٣٠", time(15, 30)),
    ),
]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 by clocks in Lisbon, which then show UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


MOMENTS = [
    *rows(
        "en",
        ("Friday 15:30", at(27, 15, 30)),
        ("Friday at half past three", (at(27, 15, 30), at(27, 3, 30))),
        ("tomorrow 3pm", at(25, 15)),
        ("in 2 hours", at(24, 12)),
        ("tonight at 8", at(24, 20)),
        ("at 15:30", (at(24, 15, 30),)),
        ("27 November 2026 15:30", at(27, 15, 30)),
    ),
    *rows(
        "de",
        ("heute Abend um 8", at(24, 20)),
        ("morgen früh um 8", at(25, 8)),
        ("Freitag 15 Uhr", at(27, 15)),
        ("27.11. um 15:30", at(27, 15, 30)),
    ),
    *rows(
        "pt",
        ("amanhã às 9", (at(25, 9), at(25, 21))),
        ("amanhã às 9 da manhã", at(25, 9)),
        ("sexta às 15h30", at(27, 15, 30)),
    ),
    *rows("es", ("mañana por la mañana a las 8", at(25, 8)), ("el viernes a las 15:30", at(27, 15, 30))),
    *rows("fr", ("vendredi à 15h", at(27, 15)), ("demain soir à 8 h", at(25, 20))),
    *rows("it", ("venerdì alle 15:30", at(27, 15, 30)), ("stasera alle 8", at(24, 20))),
    *rows("nl", ("vrijdag half vier", (at(27, 15, 30), at(27, 3, 30))), ("vanavond 8 uur", at(24, 20))),
    *rows("pl", ("w piątek o 15:30", at(27, 15, 30)), ("jutro o 15", at(25, 15))),
    *rows("ar", ("غدا الساعة ٣ عصرا", at(25, 15)), ("الجمعة ١٥:٣٠", at(27, 15, 30))),
]


def expect(reading: Reading, expected: Any) -> None:
    if expected is None:
        assert reading.status == "wrong"
    elif isinstance(expected, tuple):
        assert (reading.status, reading.choices) == ("unclear", expected)
    else:
        assert (reading.status, reading.value) == ("ok", expected)


@pytest.mark.parametrize(("language", "words", "expected"), DATES)
def test_a_day_of_the_future_is_read_or_asked_about(language: str, words: str, expected: Any) -> None:
    expect(read("date", words, language, "future"), expected)


@pytest.mark.parametrize(("language", "words", "expected"), TIMES)
def test_a_time_of_day_is_read_or_asked_about(language: str, words: str, expected: Any) -> None:
    expect(read("time", words, language), expected)


@pytest.mark.parametrize(("language", "words", "expected"), MOMENTS)
def test_a_moment_is_read_or_asked_about(language: str, words: str, expected: Any) -> None:
    expect(read("datetime", words, language, "future"), expected)


DOUBTS = [
    pytest.param("datetime", "en", "Friday midnight", (at(27, 0), at(28, 0)), id="the beginning of a day or its end"),
    pytest.param(
        "datetime",
        "pt",
        "28.03.2027 01:30",
        (datetime(2027, 3, 28, 1, 30, tzinfo=UTC),),
        id="an hour that clocks leave out",
    ),
    pytest.param(
        "datetime", "pt", "28.03.2027 02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC), id="the hour after it"
    ),
    pytest.param("datetime", "de", "so um 8", (at(24, 20), at(25, 8)), id="about eight, and no Sunday"),
    pytest.param("time", "pt", "8 e 9", None, id="two hours are no time"),
    pytest.param("time", "de", "15 Uhr 42", time(15, 42), id="odd minutes on the clock"),
    pytest.param("date", "en", "a week from today", date(2026, 12, 1), id="a week from today"),
    pytest.param("duration", "en", "-2 hours", None, id="a length below nought"),
    pytest.param("duration", "en", "2 hours 2 hours", None, id="two lengths"),
]


@pytest.mark.parametrize(("kind", "language", "words", "expected"), DOUBTS)
def test_what_could_be_misread_is_not(kind: str, language: str, words: str, expected: Any) -> None:
    expect(read(kind, words, language, "future"), expected)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", "tomorrow", id="tomorrow"),
        pytest.param("de", "am Freitag", id="a weekday"),
        pytest.param("pt", "24/12", id="a date"),
    ],
)
def test_a_day_alone_lacks_its_time(language: str, words: str) -> None:
    assert read("datetime", words, language, "future") == Reading("wrong", reason="time")


@pytest.mark.parametrize(
    ("words", "tense", "expected"),
    [
        pytest.param("Friday", "past", date(2026, 11, 20), id="the last one where the past is asked for"),
        pytest.param("Friday", "", (FRIDAY, date(2026, 11, 20)), id="both where nothing says which"),
        pytest.param("20 November", "past", date(2026, 11, 20), id="this year's where the past is asked for"),
        pytest.param("20 November", "", (date(2026, 11, 20), date(2027, 11, 20)), id="both years"),
        pytest.param("24.12.85", "past", date(1985, 12, 24), id="a birthday of two figures"),
        pytest.param("24.12.30", "past", date(1930, 12, 24), id="no birthday in the future"),
        pytest.param("3 days ago", "", date(2026, 11, 21), id="counted back"),
        pytest.param("last Friday", "", date(2026, 11, 20), id="last Friday"),
    ],
)
def test_what_is_asked_for_decides_between_past_and_future(words: str, tense: str, expected: Any) -> None:
    expect(read("date", words, "en-GB", tense), expected)


DURATIONS = [
    *rows(
        "en",
        ("2 hours", timedelta(hours=2)),
        ("90 min", timedelta(minutes=90)),
        ("an hour and a half", timedelta(minutes=90)),
        ("1:30", timedelta(minutes=90)),
        ("half an hour", timedelta(minutes=30)),
        ("a month", None),
        ("long", None),
    ),
    *rows(
        "de",
        ("anderthalb Stunden", timedelta(minutes=90)),
        ("zwei Wochen", timedelta(weeks=2)),
        ("eine halbe Stunde", timedelta(minutes=30)),
    ),
    *rows(
        "fr",
        ("1h30", timedelta(minutes=90)),
        ("une demi-heure", timedelta(minutes=30)),
        ("deux heures", timedelta(hours=2)),
    ),
    *rows("es", ("hora y media", timedelta(minutes=90)), ("2 horas y 15 minutos", timedelta(minutes=135))),
    *rows("pt", ("meia hora", timedelta(minutes=30)), ("duas horas", timedelta(hours=2))),
    *rows("it", ("mezz'ora", timedelta(minutes=30)), ("2 giorni", timedelta(days=2))),
    *rows("nl", ("anderhalf uur", timedelta(minutes=90)), ("3 dagen", timedelta(days=3))),
    *rows("pl", ("półtorej godziny", timedelta(minutes=90)), ("dwie godziny", timedelta(hours=2))),
    *rows("ar", ("ساعتين", timedelta(hours=2)), ("٣ أيام", timedelta(days=3))),
]


@pytest.mark.parametrize(("language", "words", "expected"), DURATIONS)
def test_a_length_of_time_is_read(language: str, words: str, expected: Any) -> None:
    expect(read("duration", words, language), expected)


D = Decimal
NUMBERS = [
    pytest.param("number", "de", "1.234,50", D("1234.50"), id="German groups and fraction"),
    pytest.param("number", "en", "1,234.50", D("1234.50"), id="English groups and fraction"),
    pytest.param(
        "number", "de", "1,234.50", D("1234.50"), id="English figures among Germans cannot mean anything else"
    ),
    pytest.param("number", "fr", "1 234,5", D("1234.5"), id="French groups"),
    pytest.param("number", "pl", "1\u00a0234,5", D("1234.5"), id="Polish groups"),
    pytest.param("number", "de", "1'234.5", D("1234.5"), id="Swiss groups"),
    pytest.param("number", "ar", "١٬٢٣٤٫٥", D("1234.5"), id="Arabic-Indic digits"),
    pytest.param("number", "de", "1.234", (D(1234), D("1.234")), id="a point that can be either"),
    pytest.param("number", "en", "1.234", (D("1.234"), D(1234)), id="the reading of the language first"),
    pytest.param("number", "de", "1.5", D("1.5"), id="a point that can only be one"),
    pytest.param("number", "en", "-5", D(-5), id="below nought"),
    pytest.param("number", "en", "\u2212 5", D(-5), id="a printer's minus"),
    pytest.param("number", "en", "3-4", None, id="a span"),
    pytest.param("number", "en", "3 or 4", None, id="two numbers"),
    pytest.param("number", "en", "1,2,3", None, id="broken groups"),
    pytest.param("whole_number", "de", "1.234", 1234, id="no fraction is asked for"),
    pytest.param("whole_number", "en", "2.5", None, id="a fraction of a person"),
    pytest.param("whole_number", "de", "zwei", 2, id="in words"),
    pytest.param("whole_number", "ar", "٥", 5, id="an Arabic five"),
    pytest.param("whole_number", "en", "5 people", (5,), id="with a word beside it"),
    pytest.param("money", "de", "1.234,50 €", D("1234.50"), id="with its sign"),
    pytest.param("money", "en", "EUR 20", D(20), id="with its code"),
    pytest.param("money", "fr", "12 euros", D(12), id="with its word"),
    pytest.param("money", "de", "12,345", D(12345), id="no amount has three decimals"),
]


@pytest.mark.parametrize(("kind", "language", "words", "expected"), NUMBERS)
def test_a_number_is_read_or_asked_about(kind: str, language: str, words: str, expected: Any) -> None:
    expect(read(kind, words, language), expected)


@pytest.mark.parametrize("words", ["100 $", "£20", "R$ 50", "20 zł"])
def test_other_money_is_no_amount_of_ours(words: str) -> None:
    assert read("money", words, "en") == Reading("wrong", reason="currency")


PHONES = [
    pytest.param("+49 30 23125 0000", "", "+4930231250000", id="with its country"),
    pytest.param("0049 30 231250000", "", "+4930231250000", id="with two noughts"),
    pytest.param("07700 900123", "GB", ("+447700900123",), id="a number of fiction is asked about"),
    pytest.param("(212) 555-0123", "US", "+12125550123", id="American brackets"),
    pytest.param("٠٠٤٤٢٠٧٩٤٦٠٩٥٨", "", "+442079460958", id="Arabic-Indic digits"),
    pytest.param("12345678901234567890", "US", None, id="far too long"),
    pytest.param("call me", "US", None, id="words"),
    pytest.param("+1", "", None, id="a code alone"),
]


@pytest.mark.parametrize(("words", "country", "expected"), PHONES)
def test_a_telephone_number_is_read(words: str, country: str, expected: Any) -> None:
    expect(read("phone", words, "en", country=country), expected)


def test_a_number_of_no_known_country_lacks_its_code() -> None:
    assert read("phone", "020 7946 0958", "en") == Reading("wrong", reason="country")


EMAILS = [
    pytest.param("ana@example.com", "ana@example.com", id="plain"),
    pytest.param("<Ana.Silva+shop@EXAMPLE.com>", "Ana.Silva+shop@example.com", id="the domain in lower case"),
    pytest.param("mailto:ana@example.com.", "ana@example.com", id="as a link at the end of a sentence"),
    pytest.param("ana@gmial.com", ("ana@gmail.com", "ana@gmial.com"), id="a near miss"),
    pytest.param("ana@bücher.example", "ana@bücher.example", id="a domain with an umlaut"),
    pytest.param("ana@example", None, id="no ending"),
    pytest.param("ana@@example.com", None, id="two signs"),
    pytest.param("ana..b@example.com", None, id="two dots"),
    pytest.param("ana@-example.com", None, id="a hyphen in front"),
    pytest.param("ana@example.com, bob@example.com", None, id="two addresses"),
]


@pytest.mark.parametrize(("words", "expected"), EMAILS)
def test_an_email_address_is_read(words: str, expected: Any) -> None:
    expect(read("email", words, "en"), expected)


@pytest.mark.parametrize(
    ("language", "country", "order"),
    [
        pytest.param("en", "", "", id="English alone does not say"),
        pytest.param("en", "US", "MDY", id="English from America"),
        pytest.param("en-GB", "US", "DMY", id="the language's own region first"),
        pytest.param("en", "PT", "", id="English in Portugal"),
        pytest.param("pt-BR", "", "DMY", id="Brazil"),
        pytest.param("de", "CH", "DMY", id="Switzerland"),
    ],
)
def test_the_order_of_a_date_in_figures_follows_the_place(language: str, country: str, order: str) -> None:
    assert date_order(language, country) == order


@pytest.mark.parametrize(
    ("language", "words"),
    [pytest.param("sv", "om 3 dagar", id="Swedish"), pytest.param("fi", "3 päivän kuluttua", id="Finnish"),
     pytest.param("ro", "peste 3 zile", id="Romanian"), pytest.param("cs", "za 3 dny", id="Czech")],
)  # fmt: skip
def test_languages_without_words_of_their_own_are_read_by_the_parser_for_all_and_asked_about(
    language: str, words: str
) -> None:
    assert read("date", words, language, "future") == Reading("unclear", choices=(IN_THREE,))


ALPHABET = "0123456789٠٣٩ .:/-,+@hn€$'\nأفjanfreivrdquomeialtw½²"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(KINDS), st.one_of(st.text(max_size=120), st.text(ALPHABET, max_size=40)), st.sampled_from(LANGUAGES),
    st.sampled_from(["", "future", "past"]), st.sampled_from(["", "US", "PT", "XX"]),
)  # fmt: skip
def test_no_words_make_it_raise(kind: str, words: str, language: str, tense: str, country: str) -> None:
    reading = VALUES.read(kind, words, language, NOW, country, tense)

    assert reading.status in ("ok", "unclear", "wrong")
    assert (reading.value is not None) == (reading.status == "ok")
    assert bool(reading.choices) == (reading.status == "unclear")
    assert len(reading.choices) <= 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", ["9", "1,", "a@", "half ", "next friday ", "(((", "\u0660", "e\u0301"])
def test_long_words_cost_nothing(kind: str, piece: str) -> None:
    """64 KiB of anything is told to be no value without being looked at."""
    words = piece * (65536 // len(piece))
    began = clock.perf_counter()
    reading = read(kind, words, "en")

    assert reading.status == "wrong"
    assert clock.perf_counter() - began < 0.1


@pytest.mark.parametrize("kind", ["date", "time", "datetime", "duration", "number", "money", "phone", "email"])
@pytest.mark.parametrize("piece", ["mar ", "1.", "half ", "e ", "a.", "one two ", "+1 ", "12:", "1 h "])
def test_a_hundred_characters_are_read_in_bounded_time(kind: str, piece: str) -> None:
    words = (piece * 100)[:100]
    read(kind, "warm", "es")
    began = clock.perf_counter()
    read(kind, words, "es")

    assert clock.perf_counter() - began < 0.5
