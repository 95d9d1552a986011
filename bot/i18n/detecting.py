"""Which language a message is written in: the one module that knows `py3langid`, loaded when first needed (about a second).

It only suggests. It never sees an answer to an open question, and a wish to stop is decided before and without it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from bot.i18n.catalog import base

SURE = 0.85
"""Least probability among all languages known here; chosen so that no sentence of tests/i18n/sentences.py is taken for another's."""

WORDS, LETTERS = 4, 15
"""A message with fewer of either decides nothing: `ok`, `Ana Silva` and `hello` are the same in many languages."""

LONGEST = 400
"""Characters that are looked at; more do not make it surer."""

KNOWN = (
    "ar",
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "ga",
    "hr",
    "hu",
    "it",
    "lt",
    "lv",
    "mt",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sv",
    "tr",
    "uk",
)
"""Languages told apart, offered or not: Swedish must not become German because only German is offered."""


def written_in(text: str, offered: Iterable[str]) -> str:
    """The offered language (its base, `pt` for `pt-BR`) a text is clearly written in, or empty. Bounded time; never raises."""
    words = text[:LONGEST].split()
    letters = sum(one.isalpha() for one in text[:LONGEST])
    if len(words) < WORDS or letters < LETTERS or letters < len(text[:LONGEST].replace(" ", "")) * 0.6:
        return ""
    language, probability = _ranked(" ".join(words))
    return language if probability >= SURE and language in {base(one) for one in offered} else ""


def warm() -> None:
    """Loads the model now."""
    _identifier()


@lru_cache(maxsize=256)
def _ranked(text: str) -> tuple[str, float]:
    found = _identifier().rank(text)
    return str(found[0][0]), float(found[0][1])


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(KNOWN))
    return identifier
