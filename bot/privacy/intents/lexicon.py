"""The language files, merged so that one walk over a message finds the words of all thirty languages.

Here lives reading `languages/*.toml` and looking phrases up; what a phrase means together with others is decided elsewhere.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib import resources

from bot.privacy.intents.normalise import HARD, SOFT, pattern, squeezed
from bot.privacy.intents.romanised import romanised

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
class _Part:
    """One place of a phrase: any of these words, or any word that begins with one of these stems."""

    words: frozenset[str]
    stems: tuple[str, ...]

    def fits(self, word: str) -> bool:
        return word in self.words or (bool(self.stems) and word.startswith(self.stems))


@dataclass(frozen=True, slots=True)
class _Phrase:
    """The places after the first word of a phrase, None for a gap; `needed` are the words one of which must be in the message."""

    language: str
    role: str
    rest: tuple[_Part | None, ...]
    needed: frozenset[str]

    def end(self, words: Sequence[str], at: int) -> int:
        """The place after the phrase whose first word stands at `at`; 0 when it does not stand there."""
        return _end(self.rest, 0, words, at + 1)


def _end(parts: tuple[_Part | None, ...], index: int, words: Sequence[str], place: int) -> int:
    """The place after the parts from `index` on, which begin at `place`; 0 when they do not stand there."""
    for position in range(index, len(parts)):
        part = parts[position]
        if part is None:
            return _end_after_gap(parts, position + 1, words, place)
        if place >= len(words) or not part.fits(words[place]):
            return 0
        place += 1
    return place


def _end_after_gap(parts: tuple[_Part | None, ...], index: int, words: Sequence[str], place: int) -> int:
    part = parts[index]
    if part is None:
        return 0
    for there in range(place, min(place + _GAP_WORDS + 1, len(words))):
        if words[there] in (HARD, SOFT):
            return 0
        if part.fits(words[there]):
            end = _end(parts, index + 1, words, there + 1)
            if end:
                return end
    return 0


@dataclass(slots=True)
class Lexicon:
    """All languages, merged for looking up.

    Attributes:
        whole: whole message, its (language, meaning) rows.
        polite: what may be left out around a whole message, by its words.
        own_names: name of a language, its code.
        answers: by language, the clear yes and no.
        hedges: by language, fillers that make a yes a weak one.
        dictionary: by language, ordinary words that look like a keyword of another language or a misspelt one.
        version: of rules and data.
    """

    whole: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    polite: set[str] = field(default_factory=set)
    own_names: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    hedges: dict[str, set[str]] = field(default_factory=dict)
    dictionary: dict[str, set[str]] = field(default_factory=dict)
    version: str = ""
    _exact: dict[str, list[_Phrase]] = field(default_factory=dict)
    _stems: dict[str, list[_Phrase]] = field(default_factory=dict)

    def found(self, words: Sequence[str]) -> dict[str, list[Block]]:
        """The blocks of a message by language; linear in its words."""
        blocks: dict[str, list[Block]] = {}
        present = frozenset(words)
        for at, word in enumerate(words):
            for phrase in self._candidates(word):
                if phrase.needed and phrase.needed.isdisjoint(present):
                    continue
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
        parts = [None if part == GAP else _part(part) for part in phrase]
        first, rest = parts[0], tuple(parts[1:])
        if first is None or parts[-1] is None:
            raise ValueError(f"{language}, {role}: a phrase begins or ends with a gap")
        # Every place must be filled, so one place with whole words alone tells most messages that the phrase is not there.
        sure = [part.words for part in rest if part is not None and not part.stems]
        found = _Phrase(language, role, rest, min(sure, key=len, default=frozenset()))
        for word in first.words:
            self._exact.setdefault(word, []).append(found)
        for stem in first.stems:
            self._stems.setdefault(stem, []).append(found)


def _part(text: str) -> _Part:
    choices = [(one.replace("*", "").replace(".", ""), one.endswith("*")) for one in text.split("/")]
    return _Part(
        frozenset(word for word, open_end in choices if not open_end),
        tuple(word for word, open_end in choices if open_end),
    )


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
    for rules in sorted(
        (one for one in room.iterdir() if one.name.endswith((".py", ".tsv"))), key=lambda one: one.name
    ):
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
    _add_blocks(found, code, table["blocks"], shared)
    answers = found.answers.setdefault(code, {})
    own = found.dictionary.setdefault(code, set())
    hedges = found.hedges.setdefault(code, set())
    for meaning, text in table["words"].items():
        for phrase in _phrases(code, text):
            key = " ".join(phrase)
            if meaning == "polite":
                found.polite.add(key)
            elif meaning in ("yes", "no"):
                answers[key] = meaning
            elif meaning == "own_name":
                found.own_names[key] = code
            elif meaning == "hedge":
                hedges.add(key)
            elif meaning == "dictionary":
                own.add(key)
            else:
                found.whole.setdefault(key, []).append((code, meaning))
                if meaning in ROUTED and len(phrase) > 1:
                    found.add_phrase(code, f"{meaning}_said", phrase)


def _add_blocks(found: Lexicon, code: str, blocks: Mapping[str, str], shared: Mapping[str, str]) -> None:
    for role in {**blocks, **shared}:
        for phrase in _phrases(code, blocks.get(role, "") + "," + shared.get(role, "")):
            found.add_phrase(code, role, phrase)
        # Everyday words are too short to tell a language by once they are spelled in Latin.
        if role != "common":
            for spelled in romanised(code, pattern(blocks.get(role, "").casefold())):
                for parts in map(str.split, spelled.split(",")):
                    if parts:
                        found.add_phrase(code, role, parts)


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
