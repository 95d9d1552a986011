"""The words of days and times in each language: names from CLDR, the rest from `times/<language>.toml`; and a text cut into them.

Knows what words mean, not what they mean together: that is `bot.i18n.moments`.
"""

import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from bot.i18n.locales import locale_of

MOST_WAYS = 16
"""In how many ways the words of one text are taken when some mean two things (`mar` is Tuesday and March in Spanish)."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One piece of meaning: `kind` names it, `value` says which (a weekday's number, an hour, a unit's name)."""

    kind: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Phrases of one language, each with what it can mean. Phrases are tuples of folded words."""

    language: str
    phrases: Mapping[tuple[str, ...], tuple[tuple[Symbol, ...], ...]]
    longest: int
    half_style: str = ""
    exact_hours: bool = True
    split_and: bool = field(default=False)


def folded(text: str) -> str:
    """Lower case without accents, with European digits: how words are compared."""
    digits = "".join(
        str(unicodedata.decimal(one)) if unicodedata.decimal(one, None) is not None else one for one in text
    )
    flat = unicodedata.normalize("NFKD", digits.casefold().replace("ł", "l").replace("ـ", ""))
    return "".join(one for one in flat if not unicodedata.combining(one))


def _split(phrase: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", folded(phrase)))


_PERIODS = ("am", "pm", "afternoon", "evening", "night")
_PLAIN = (
    "next", "this", "last", "in", "ago", "from_now", "fill", "oclock", "half", "quarter", "three_quarters", "past", "to", "and",
    "minus", "before", "half_to", "half_hour", "one_and_a_half",
)  # fmt: skip
_NUMBERED = {
    "numbers": "num",
    "hours": "hour",
    "days": "offset",
    "weekdays": "weekday",
    "months": "month",
    "units": "unit",
    "pairs": "pair",
}


@lru_cache(maxsize=64)
def vocabulary(language: str) -> Vocabulary:
    """The words of a language; of one without a table of its own, the names of its days and months alone."""
    base = language.replace("_", "-").split("-", maxsplit=1)[0].casefold()
    table = _table(base)
    found: dict[tuple[str, ...], list[tuple[Symbol, ...]]] = {}

    def add(phrase: str, *symbols: Symbol) -> None:
        key = _split(phrase)
        if key and symbols not in found.setdefault(key, []):
            found[key].append(symbols)

    for kind, value, name in _names(base):
        add(name, Symbol(kind, value))
    for group, kind in _NUMBERED.items():
        for value, *words in table.get(group, ()):
            for word in words:
                add(word, Symbol(kind, value))
    for kind in _PLAIN:
        for word in table.get(kind, ()):
            add(word, Symbol(kind))
    for word, value in [(word, 12) for word in table.get("noon", ())] + [
        (word, 0) for word in table.get("midnight", ())
    ]:
        add(word, Symbol("noon", value))
    for period, (prefix, offset) in itertools.product(_PERIODS, (("", None), ("today_", 0), ("tomorrow_", 1))):
        for word in table.get(prefix + period, ()):
            add(word, *(() if offset is None else (Symbol("offset", offset),)), Symbol("period", period))
    for word in table.get("tonight", ()):
        found[_split(word)] = [(Symbol("offset", 0), Symbol("period", "evening"))]
    phrases = {key: tuple(ways) for key, ways in found.items()}
    longest = max((len(key) for key in phrases), default=1)
    exact = "H" in str(locale_of(language).time_formats["short"].pattern)
    return Vocabulary(base, phrases, longest, str(table.get("half_style", "")), exact, base == "ar")


def _table(base: str) -> Mapping[str, Any]:
    place = resources.files("bot.i18n").joinpath("times", f"{base}.toml")
    return tomllib.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}


def _names(base: str) -> Iterator[tuple[str, int, str]]:
    """Names of weekdays (Monday is 0) and months as CLDR writes them, the regional ones of Arabic included."""
    regions = [base] + [f"{base}-{region}" for region in ("SY", "IQ", "MA", "DZ", "TN") if base == "ar"]
    for locale in map(locale_of, regions):
        for where, width in itertools.product(("format", "stand-alone"), ("wide", "abbreviated")):
            for number, name in locale.days[where][width].items():
                yield "weekday", number, name
            for number, name in locale.months[where][width].items():
                yield "month", number, name


# -- cutting --------------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    r"""
    (?P<iso>\b\d{4}-\d{1,2}-\d{1,2}(?=[t\s,.]|$)t?)
  | (?P<full>\b\d{1,2}\s?(?P<mark>[./-])\s?\d{1,2}\s?(?P=mark)\s?(?:\d{4}|\d{2})\b)
  | (?P<spoken>\b\d{1,2}\s?h\s?\d{2}\b)
  | (?P<clock>\b\d{1,2}:\d{2}(?::00)?\b)
  | (?P<point>\b\d{1,2}\.\s?\d{1,2}\.(?!\d))
  | (?P<dot>\b\d{1,2}\.\d{1,2}\b)
  | (?P<slash>\b\d{1,2}[/-]\d{1,2}\b(?![/-]))
  | (?P<hour>\b\d{1,2}\s?(?:hs|hrs|h|u)\b)
  | (?P<half>\b\d{1,2}\s?(?:am|pm)\b)
  | (?P<ordinal>\b\d{1,2}(?:(?:st|nd|rd|th|ste|de|er|e)\b|\.(?=\s|$)))
  | (?P<number>(?<!\d)\d{1,4}(?!\d))
  | (?P<word>[^\W\d_]+)
  | (?P<ignored>[\s,.!?()'’"“”´`·-])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DOTTED = re.compile(r"\b([ap])\s?\.\s?m\b\.?")
_ORDINAL_SIGN = re.compile(r"(\d)\s?[ºª°]")


def cut(text: str, words: Vocabulary) -> Iterator[tuple[Symbol, ...]]:
    """The ways to take a text as symbols, the plainest first; none when a character or word is not known."""
    plain = _DOTTED.sub(r"\1m", folded(_ORDINAL_SIGN.sub(r"\1. ", text)))
    groups: list[tuple[tuple[Symbol, ...], ...]] = []
    run: list[str] = []
    for match in _TOKENS.finditer(plain):
        kind, piece = match.lastgroup or "", match[0]
        if kind == "word":
            run.append(piece)
            continue
        if kind == "ignored":
            continue
        groups += _phrases(run, words) if run else ()
        run = []
        if kind == "other":
            return
        groups.append((_numeric(kind, piece),))
    groups += _phrases(run, words) if run else ()
    if any(not ways for ways in groups):
        return
    for way in itertools.islice(itertools.product(*groups), MOST_WAYS):
        yield tuple(itertools.chain.from_iterable(way))


def _phrases(run: list[str], words: Vocabulary) -> list[tuple[tuple[Symbol, ...], ...]]:
    """A run of words as the longest known phrases; a word nobody knows gives an empty group."""
    out: list[tuple[tuple[Symbol, ...], ...]] = []
    at = 0
    while at < len(run):
        for length in range(min(words.longest, len(run) - at), 0, -1):
            ways = words.phrases.get(tuple(run[at : at + length]))
            if ways is not None:
                out.append(ways)
                at += length
                break
        else:
            rest = run[at][1:]
            if not words.split_and or run[at][0] != "و" or (rest,) not in words.phrases:
                return [*out, ()]
            out.append(((Symbol("and"),),))
            run = [*run[:at], rest, *run[at + 1 :]]
    return out


def _numeric(kind: str, piece: str) -> tuple[Symbol, ...]:
    numbers = [int(one) for one in re.findall(r"\d+", piece)]
    if kind == "iso":
        return (Symbol("iso", tuple(numbers)),)
    if kind == "full":
        return (Symbol("numbers", (numbers[0], numbers[1], numbers[2], len(re.findall(r"\d+", piece)[2]))),)
    if kind in ("point", "slash"):
        return (Symbol("numbers", (numbers[0], numbers[1], None, 0)),)
    if kind == "dot":
        return (Symbol("dot", (numbers[0], numbers[1])),)
    if kind in ("clock", "spoken"):
        return (Symbol("clock", (numbers[0], numbers[1], piece[0] == "0" or kind == "spoken")),)
    if kind == "hour":
        return Symbol("num", numbers[0]), Symbol("oclock", "h")
    if kind == "half":
        return Symbol("num", numbers[0]), Symbol("period", piece[-2:])
    return (Symbol("ord" if kind == "ordinal" else "num", numbers[0]),)
