"""The language files, merged so that one walk over a message finds the words of all thirty languages.

Here lives reading `languages/*.toml` and looking phrases up; what a phrase means together with others is decided elsewhere.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from itertools import product

from bot.privacy.intents.normalise import HARD, SOFT, pattern, squeezed

EVERY = "any"
"""The file whose words belong to every language."""

GAP = ".."
"""In a phrase: up to four words in between."""

_GAP_WORDS = 4
_SHORTEST_STEM = 2
_DIGRAPHS = {
    "de": {"ä": "ae", "ö": "oe", "ü": "ue"},
    "da": {"å": "aa", "ø": "oe"},
    "no": {"å": "aa", "ø": "oe"},
    "sv": {"å": "aa"},
}
"""How people write letters their keyboard lacks, where plain accents off is not the only way."""

ROUTED = frozenset({"erase", "access", "rectify", "restrict", "object", "complaint"})
"""Whole messages that may also stand inside a longer one when they are more than one word."""


@dataclass(frozen=True, slots=True)
class Block:
    """One building block found in a message: words `start` to `end` (exclusive) play `role`."""

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Phrase:
    """The words after the first of a phrase; an open word stands for every word that begins so, None for a gap."""

    language: str
    role: str
    rest: tuple[tuple[str, bool] | None, ...]

    def end(self, words: Sequence[str], at: int) -> int:
        """The place after the phrase whose first word stands at `at`; 0 when it does not stand there."""
        place, rest = at + 1, self.rest
        for index, part in enumerate(rest):
            if part is None:
                return self._after_gap(words, place, index + 1)
            if place >= len(words) or not _same(words[place], part):
                return 0
            place += 1
        return place

    def _after_gap(self, words: Sequence[str], place: int, index: int) -> int:
        tail = _Phrase(self.language, self.role, self.rest[index + 1 :])
        part = self.rest[index]
        if part is None:
            return 0
        for there in range(place, min(place + _GAP_WORDS + 1, len(words))):
            if words[there] in (HARD, SOFT):
                return 0
            if _same(words[there], part):
                end = tail.end(words, there)
                if end:
                    return end
        return 0


def _same(word: str, part: tuple[str, bool]) -> bool:
    return word == part[0] or (part[1] and word.startswith(part[0]))


@dataclass(slots=True)
class Lexicon:
    """All languages, merged for looking up.

    Attributes:
        whole: whole message, its (language, meaning) rows.
        polite: what may be left out around a whole message, by its words.
        own_names: name of a language, its code.
        answers: by language, the clear yes and no.
        dictionary: by language, ordinary words that look like a keyword of another language or a misspelt one.
        version: of rules and data.
    """

    whole: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    polite: set[str] = field(default_factory=set)
    own_names: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    dictionary: dict[str, set[str]] = field(default_factory=dict)
    version: str = ""
    _exact: dict[str, list[_Phrase]] = field(default_factory=dict)
    _stems: dict[str, list[_Phrase]] = field(default_factory=dict)

    def found(self, words: Sequence[str]) -> dict[str, list[Block]]:
        """The blocks of a message by language; linear in its words."""
        blocks: dict[str, list[Block]] = {}
        for at, word in enumerate(words):
            for phrase in self._candidates(word):
                end = phrase.end(words, at)
                if end:
                    blocks.setdefault(phrase.language, []).append(Block(phrase.role, at, end))
        return blocks

    def _candidates(self, word: str) -> Iterator[_Phrase]:
        for form in _forms(word):
            yield from self._exact.get(form, ())
            for size in range(_SHORTEST_STEM, min(len(form), 24) + 1):
                yield from self._stems.get(form[:size], ())

    def knows(self, word: str, language: str) -> bool:
        """Whether a word plays some role in a language, alone or as a first word."""
        return any(phrase.language == language for phrase in self._candidates(word))

    def add_phrase(self, language: str, role: str, phrase: Sequence[str]) -> None:
        for variant in product(*(part.split("/") for part in phrase)):
            parts = [
                None if part == GAP else (part.replace("*", "").replace(".", ""), part.endswith("*"))
                for part in variant
            ]
            first, rest = parts[0], tuple(parts[1:])
            if first is None:
                raise ValueError(f"{language}, {role}: a phrase begins with a gap")
            table = self._stems if first[1] else self._exact
            table.setdefault(first[0], []).append(_Phrase(language, role, rest))


def _forms(word: str) -> Iterable[str]:
    """A word, without letters repeated, and an Arabic one without "and" before it."""
    yield word
    short = squeezed(word)
    if short != word and len(word) - len(short) >= 2:
        yield short
    if len(word) > 4 and word[0] in "وف":
        yield word[1:]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The merged language files; read once."""
    found, digest = Lexicon(), sha256()
    room = resources.files("bot.privacy.intents")
    for rules in sorted((one for one in room.iterdir() if one.name.endswith(".py")), key=lambda one: one.name):
        digest.update(rules.read_bytes())
    files = {code: room.joinpath("languages", f"{code}.toml").read_bytes() for code in (EVERY, *codes())}
    shared = tomllib.loads(files[EVERY].decode())["blocks"]
    for code, content in files.items():
        digest.update(content)
        if code != EVERY:
            _add(found, code, tomllib.loads(content.decode()), shared)
    found.version = digest.hexdigest()[:12]
    return found


def codes() -> tuple[str, ...]:
    """The codes of the language files."""
    room = resources.files("bot.privacy.intents").joinpath("languages")
    names = (one.name.removesuffix(".toml") for one in room.iterdir() if one.name.endswith(".toml"))
    return tuple(sorted(name for name in names if name != EVERY))


def _add(found: Lexicon, code: str, table: Mapping[str, Mapping[str, str]], shared: Mapping[str, str]) -> None:
    whole, blocks = table["words"], table["blocks"]
    answers = found.answers.setdefault(code, {})
    own = found.dictionary.setdefault(code, set())
    for meaning, text in whole.items():
        for phrase in _phrases(code, text):
            key = " ".join(phrase)
            if meaning == "polite":
                found.polite.add(key)
            elif meaning in ("yes", "no"):
                answers[key] = meaning
            elif meaning == "own_name":
                found.own_names[key] = code
            elif meaning == "dictionary":
                own.add(key)
            else:
                found.whole.setdefault(key, []).append((code, meaning))
                if meaning in ROUTED and len(phrase) > 1:
                    found.add_phrase(code, f"{meaning}_said", phrase)
    for role in {**blocks, **shared}:
        for phrase in _phrases(code, blocks.get(role, "") + "," + shared.get(role, "")):
            found.add_phrase(code, role, phrase)


def _phrases(code: str, text: str) -> Iterator[list[str]]:
    """The phrases of a list, with the other spelling of letters some keyboards lack."""
    lowered = text.casefold()
    other = lowered
    for letter, pair in _DIGRAPHS.get(code, {}).items():
        other = other.replace(letter, pair)
    texts = (lowered,) if other == lowered else (lowered, other)
    seen: set[str] = set()
    for one in texts:
        for phrase in pattern(one).split(","):
            parts = phrase.split()
            if parts and phrase not in seen:
                seen.add(phrase)
                yield parts
