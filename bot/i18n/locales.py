"""Which of Babel's locales belongs to a language tag."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """Babel's locale for a tag, its base, or English; never raises."""
    tag = language.replace("_", "-")
    for one in (tag, tag.split("-", maxsplit=1)[0]):
        try:
            return Locale.parse(one, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse("en")
