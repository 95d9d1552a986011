"""The one module that knows `dateparser`: it reads what our own words of time do not; its readings are always asked about.

It is loaded when it is first needed, sees short texts only, and never more than one language.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from bot.i18n.moments import Context

LONGEST = 60
"""Characters it is given at most; a date or time is shorter in every language."""


def guess(text: str, language: str, context: Context) -> datetime | None:
    """A day or moment (without time zone) in this text, or None. Never raises."""
    if len(text) > LONGEST or not any(one.isalnum() for one in text):
        return None
    return _parsed(
        text, language.replace("_", "-").split("-", maxsplit=1)[0], context.tense, context.order or "DMY",
        context.now.replace(tzinfo=None, second=0, microsecond=0),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _parsed(text: str, language: str, tense: str, order: str, base: datetime) -> datetime | None:
    import dateparser

    settings: Any = {
        "RELATIVE_BASE": base, "DATE_ORDER": order, "REQUIRE_PARTS": ["day", "month"], "RETURN_AS_TIMEZONE_AWARE": False,
        "PREFER_DATES_FROM": tense or "current_period", "NORMALIZE": True,
    }  # fmt: skip
    try:
        found = dateparser.parse(text, languages=[language], settings=settings)
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None  # a language it does not know, or a text it stumbles over
    if not isinstance(found, datetime) or not 1850 <= found.year <= 2200:
        return None
    return found.replace(tzinfo=None, second=0, microsecond=0)
