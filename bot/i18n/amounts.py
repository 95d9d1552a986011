"""Numbers and amounts of money as people type them: separators of every country, digits of every script. Pure."""

import re
from decimal import Decimal

from bot.domain.values import Reading
from bot.i18n.locales import locale_of
from bot.i18n.vocabulary import folded, vocabulary

WRONG = Reading("wrong")

DOLLARS = "USD CAD AUD NZD MXN ARS CLP COP SGD HKD"
CROWNS = "SEK NOK DKK CZK ISK"
CURRENCIES = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP", "pound": "GBP", "$": DOLLARS,
    "usd": "USD", "us$": "USD", "dollars": DOLLARS, "dollar": DOLLARS, "dolares": DOLLARS, "r$": "BRL", "brl": "BRL", "reais": "BRL",
    "real": "BRL", "zl": "PLN", "pln": "PLN", "zlotych": "PLN", "zlote": "PLN", "chf": "CHF", "fr": "CHF", "franken": "CHF", "kr": CROWNS,
    "sek": "SEK", "nok": "NOK", "dkk": "DKK", "يورو": "EUR", "aed": "AED", "sar": "SAR", "درهم": "AED MAD", "ريال": "SAR QAR OMR",
    "دولار": DOLLARS,
}  # fmt: skip
"""Signs and words for money, folded, with the currencies they can be."""

_SPACES = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_FIGURES = re.compile(r"(?<![\d.,])[-+]?\d[\d.,]*(?<![.,])|(?<![\d.,])[-+]?[.,]\d+")
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")


def number(kind: str, text: str, language: str, currency: str) -> Reading:
    """A number, whole number or amount. `1.234` alone can be two numbers where fractions are possible: then it is unclear."""
    plain = _plain(text)
    if kind == "money":
        plain, other = _without_money(plain, currency)
        if other:
            return Reading("wrong", reason="currency")
    found = _FIGURES.findall(plain)
    if not found:
        value = _in_words(plain, language)
        return Reading("ok", value if kind == "whole_number" else Decimal(value)) if value is not None else WRONG
    if len(found) > 1:
        return WRONG
    values = [one for one in _values(found[0], language) if _fits(kind, one)]
    if not values:
        return WRONG
    typed = tuple(int(one) if kind == "whole_number" else one for one in values)
    alone = not re.sub(r"[\s.,!~]", "", plain.replace(found[0], "", 1))
    return Reading("ok", typed[0]) if alone and len(typed) == 1 else Reading("unclear", choices=typed)


def _plain(text: str) -> str:
    """With European digits and separators, a plain minus, and no spaces between groups of three."""
    plain = folded(text).translate(str.maketrans("٬٫−–\u00a0\u202f", ",.--  ")).replace("،", ",")
    return _SPACES.sub("", re.sub(r"([-+])\s+(?=\d)", r"\1", plain)).strip()


def _without_money(text: str, currency: str) -> tuple[str, bool]:
    """The text without the sign of the money, and whether that is another one than asked for."""
    other = False
    left = text
    for word in sorted(CURRENCIES, key=len, reverse=True):
        pattern = re.escape(word) if not word.isalpha() else rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])"
        changed = re.sub(pattern, " ", left)
        if changed != left:
            other = other or currency not in CURRENCIES[word].split()
            left = changed
    return left.strip(), other


def _values(figures: str, language: str) -> tuple[Decimal, ...]:
    """What the figures can mean, the reading of the language first; none when groups are broken."""
    sign = -1 if figures[0] == "-" else 1
    bare = figures.lstrip("+-")
    marks = [one for one in bare if one in ".,"]
    if len(bare) > 30:
        return ()
    if len(set(marks)) == 2:
        group, point = marks[0], marks[-1]
        whole, _, part = bare.rpartition(point)
        broken = point in whole or not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", whole)
        return () if broken else (sign * Decimal(f"{whole.replace(group, '')}.{part}"),)
    if len(marks) > 1:
        return (sign * Decimal(bare.replace(marks[0], "")),) if _GROUPED.fullmatch(bare) else ()
    if not marks:
        return (sign * Decimal(bare),)
    fraction = sign * Decimal(bare.replace(",", "."))
    if not _GROUPED.fullmatch(bare) or bare[0] == "0":
        return (fraction,)
    whole_number = sign * Decimal(bare.replace(marks[0], ""))
    decimal_mark = locale_of(language).number_symbols.get("latn", {}).get("decimal", ".")
    return (fraction, whole_number) if marks[0] == decimal_mark else (whole_number, fraction)


def _fits(kind: str, value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    if kind == "whole_number":
        return value == value.to_integral_value()
    return places <= 2 if kind == "money" else True


def _in_words(text: str, language: str) -> int | None:
    """`two`, `zwei`: the few numbers people write out."""
    ways = vocabulary(language).phrases.get(tuple(re.findall(r"[^\W_]+", text)), ())
    return next((way[0].value for way in ways if len(way) == 1 and way[0].kind == "num"), None)
