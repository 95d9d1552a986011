"""Values as people write them: dates, times, money, numbers and lists in the person's language and time zone."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.languages import get_official_languages
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit

from bot.i18n import choosing, detecting
from bot.i18n.catalog import Catalog, base
from bot.i18n.contacts import shown_phone
from bot.i18n.locales import locale_of


class Languages:
    """The engine's `Texts`: catalog and formats together."""

    def __init__(self, catalog: Catalog, *, currency: str = "EUR") -> None:
        self._catalog = catalog
        self._currency = currency

    def translate(self, text: str, language: str) -> str:
        return self._catalog.translate(text, language)

    def closest(self, language: str) -> str:
        return self._catalog.closest(language)

    def of_country(self, country: str) -> str:
        """The offered language that is official in a country, the first named by CLDR; else the default."""
        for tag in get_official_languages(country.upper(), de_facto=True):
            regional = self._catalog.closest(f"{tag}-{country.upper()}")
            if regional.replace("_", "-").split("-", maxsplit=1)[0] == tag.split("_", maxsplit=1)[0]:
                return regional
        return self._catalog.closest("")

    def name(self, language: str) -> str:
        locale = locale_of(language)
        name = locale.get_display_name(locale) or language
        return name[:1].upper() + name[1:]

    def wish_of(self, words: str) -> str | None:
        found = choosing.wish(words, self._catalog.languages)
        return None if found is None else found.language

    def written_in(self, words: str) -> str:
        """Needs a choice: where one language is offered nothing is looked at, and the detector is never loaded."""
        if len({base(one) for one in self._catalog.languages}) < 2:
            return ""
        found = detecting.written_in(words, self._catalog.languages)
        return self._catalog.closest(found) if found else ""

    def warm(self) -> None:
        """Loads what tells languages apart, which takes most of a second: before the first message instead of during it."""
        if len({base(one) for one in self._catalog.languages}) > 1:
            detecting.warm()

    def plural(self, number: float, language: str) -> str:
        return str(locale_of(language).plural_form(Decimal(str(number))))

    def show(self, value: Any, how: str, language: str, zone: str) -> str:
        """A value in words; what is not known is shown as nothing, and a filter that does not fit shows the value plainly."""
        if value is None:
            return ""
        shown = self._by_filter(value, how, language, zone) if how else None
        return shown if shown is not None else self._plainly(value, language, zone)

    def _by_filter(self, value: Any, how: str, language: str, zone: str) -> str | None:
        locale = locale_of(language)
        if how in ("date", "time", "datetime"):
            return _moment(value, how, locale, zone)
        if how in ("full", "short"):
            return _short(value, locale, zone) if how == "short" else _full(value, locale, zone)
        if how == "phone":
            return shown_phone(str(value))
        if how == "money" and isinstance(value, int | float | Decimal):
            return format_currency(value, self._currency, locale=locale)
        if how == "join" and isinstance(value, list | tuple):
            return format_list([self.show(one, "", language, zone) for one in value], locale=locale)
        text = self._plainly(value, language, zone)
        return {"upper": text.upper(), "lower": text.lower()}.get(how)

    def _plainly(self, value: Any, language: str, zone: str) -> str:
        locale = locale_of(language)
        if isinstance(value, bool):
            return self._catalog.translate("yes" if value else "no", language)
        if isinstance(value, int | float | Decimal):
            return format_decimal(value, locale=locale)
        if isinstance(value, datetime):
            return _moment(value, "datetime", locale, zone) or ""
        if isinstance(value, date):
            return _moment(value, "date", locale, zone) or ""
        if isinstance(value, time):
            return format_time(value, "short", locale=locale)
        if isinstance(value, timedelta):
            return length(value, locale)
        if isinstance(value, list | tuple):
            return format_list([self.show(one, "", language, zone) for one in value], locale=locale)
        return str(value)


def _moment(value: Any, how: str, locale: Locale, zone: str) -> str | None:
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(zone)) if value.tzinfo else value
        if how == "date":
            return format_date(local.date(), "full", locale=locale)
        if how == "time":
            return format_time(local.time(), "short", locale=locale)
        return format_datetime(local, "long" if local.tzinfo is None else "medium", locale=locale, tzinfo=local.tzinfo)
    if isinstance(value, date):
        return format_date(value, "full", locale=locale)
    if isinstance(value, time):
        return format_time(value, "short", locale=locale)
    return None


def _full(value: Any, locale: Locale, zone: str) -> str | None:
    """A day or moment with all there is to check it by, its day of the week included."""
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(zone)) if value.tzinfo else value
        glue = str(locale.datetime_formats["medium"])
        day, at = format_date(local.date(), "full", locale=locale), format_time(local.time(), "short", locale=locale)
        return glue.replace("{1}", day).replace("{0}", at).replace("'", "")
    return _moment(value, "time" if isinstance(value, time) else "date", locale, zone)


def _short(value: Any, locale: Locale, zone: str) -> str | None:
    """The same as a button says it."""
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(zone)) if value.tzinfo else value
        day, at = format_skeleton("MMMd", local, locale=locale), format_time(local.time(), "short", locale=locale)
        return f"{day}, {at}"
    if isinstance(value, date):
        return format_date(value, "medium", locale=locale)
    return _moment(value, "time", locale, zone)


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def length(value: timedelta, locale: Locale) -> str:
    """A length of time in whole units: `1 hour, 30 minutes`."""
    left, parts = int(value.total_seconds()), []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(format_unit(count, f"duration-{unit}", "long", locale=locale))
    return (
        format_list(parts, "unit", locale=locale) if parts else format_unit(0, "duration-minute", "long", locale=locale)
    )


def _parsed(text: str) -> Any:
    """A date or moment that a connector gave as ISO 8601 text, or the text itself."""
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return text
