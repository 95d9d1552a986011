"""Values as people type them. One module, so that the parser behind it can change.

Understood now: numbers, whole numbers, money, e-mail addresses. Dates, times and telephone numbers come with the rest of the
flow language; the linter refuses them in `ask` until then, so that nothing is guessed.
"""

import re
from datetime import date
from decimal import Decimal

from babel.numbers import NumberFormatError, parse_decimal

from bot.domain.values import Reading
from bot.i18n.formatting import locale_of

_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,190}\.[^\s@<>,;.\"]{2,24}")
_NUMBER = re.compile(r"[-+]?[\d\s.,'\u00a0\u202f]{1,40}")
_CURRENCY = re.compile(r"(?:€|£|\$|R\$|EUR|GBP|USD|BRL|CHF|PLN|euros?|zł)", re.IGNORECASE)

WRONG = Reading("wrong")


class TypedValues:
    """The engine's `Values`."""

    def read(self, kind: str, words: str, language: str, today: date, country: str) -> Reading:
        """The value in these words; `unclear` with the readings where the language allows more than one."""
        del today, country
        text = words.strip()
        if kind == "email":
            match = _EMAIL.fullmatch(text)
            return Reading("ok", text) if match else WRONG
        if kind in ("number", "whole_number", "money"):
            return _number(kind, text, language)
        return WRONG


def _number(kind: str, text: str, language: str) -> Reading:
    bare = _CURRENCY.sub("", text).strip() if kind == "money" else text
    if not _NUMBER.fullmatch(bare) or not any(one.isdigit() for one in bare):
        return WRONG
    try:
        value = parse_decimal(
            bare.replace(" ", "").replace("\u00a0", "").replace("\u202f", ""), locale=locale_of(language), strict=True
        )
    except (NumberFormatError, ValueError):
        return WRONG
    if kind == "whole_number":
        return Reading("ok", int(value)) if value == value.to_integral_value() else WRONG
    return Reading("ok", Decimal(value))
