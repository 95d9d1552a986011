"""Messages made comparable: case, accents, scripts, mark-up and decoration do not count (privacy.md 4.3.2).

Here lives what is done to the characters of a message before its words are looked up. Nothing here knows any language's words.
Everything is linear in the length, and the length is bounded.
"""

import re
import unicodedata

MOST = 4096
"""Characters that are looked at; a longer message is read at both ends, where wishes stand."""

HARD = "\x02"
"""Stands among the words where a sentence ends."""

SOFT = "\x03"
"""Stands among the words where a part of a sentence ends."""

_FOLD = {
    "ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ς": "σ", "ґ": "г", "ð": "d", "þ": "th",
    "ى": "ي", "ة": "ه", "ـ": "", "ی": "ي", "ک": "ك", "’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "′": "'", "ʹ": "'",
}  # fmt: skip
_LATIN_LOOK_ALIKES = str.maketrans("аеорсухіјѕтмнквԁɡοαερυτικνμзь", "aeopcyxijstmhkbdgoaepytikvm3b")
_STOP_SIGNS = "\U0001f6d1"
_UNSURE_SIGNS = frozenset("\u270b\u26d4\U0001f44e\U0001f645\U0001f6ab\U0001f590")
_SENTENCE_END = re.compile(r"[.!?;…؟。]+(?=[\s\"'»”)]|$)|(?<=[^\W\d_]{3})[!?]+|\n\s*\n")
_PART_END = re.compile(r"[,،\n:()—–]|\s-\s")
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»\n]{1,300})[\"“”„«»]")
_ELISION = re.compile(r"([a-z]+)'([a-z]+)")
_JOINED_ENDINGS = frozenset({"t", "s", "m", "d", "ve", "ll", "re"})
_LONG_ELISIONS = frozenset(
    {"dell", "all", "nell", "sull", "dall", "quest", "quell", "jusqu", "puisqu", "lorsqu", "gh", "tagh"}
)
_REPEATED = re.compile(r"(.)\1+")
_REMEMBERED = 20_000


class _Folding(dict[int, str]):
    """What each character becomes, found out once and remembered; `kept` characters stay as they are."""

    def __init__(self, kept: str = "") -> None:
        super().__init__()
        self._kept = frozenset(kept)

    def __missing__(self, code: int) -> str:
        one = chr(code)
        folded = one if one in self._kept else self._fold(one)
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded

    @staticmethod
    def _fold(one: str) -> str:
        if one in (HARD, SOFT):
            return f" {one} "
        parts: list[str] = []
        for mark in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", one).casefold()):
            part = _FOLD.get(mark, mark)
            if part == "" or unicodedata.category(part[0]) in ("Mn", "Me", "Cf"):
                continue
            parts.append(part if part.isalnum() or part == "'" else " ")
        return "".join(parts)


_WORDS = _Folding()
_PATTERNS = _Folding(kept="*,/.")


def words_of(text: str) -> list[str]:
    """The words of a message in comparable form, with `HARD` and `SOFT` where sentences and their parts end.

    Quoted lines (`> …`) are left out; text in quotation marks is left out where other words stand around it, since it is
    what somebody else says.
    """
    shortened = text if len(text) <= MOST else text[: MOST // 2] + HARD + text[-MOST // 2 :]
    if ">" in shortened:
        shortened = "\n".join(line for line in shortened.split("\n") if not line.lstrip().startswith(">"))
    shortened = _without_quotations(shortened)
    marked = _PART_END.sub(f" {SOFT} ", _SENTENCE_END.sub(f" {HARD} ", shortened))
    return _cut(marked.translate(_WORDS))


def _without_quotations(text: str) -> str:
    outside = _QUOTED.sub(" ", text)
    return outside if len(outside.split()) >= 3 else text


def _cut(folded: str) -> list[str]:
    if "'" in folded:
        folded = _ELISION.sub(_apart_or_joined, folded).replace("'", "")
    return folded.split()


def _apart_or_joined(found: re.Match[str]) -> str:
    """`m'envoyer` are two words, `don't` is one (people leave the apostrophe out)."""
    before, after = found[1], found[2]
    apart = (len(before) <= 2 and after not in _JOINED_ENDINGS) or before in _LONG_ELISIONS
    return f"{before} {after}" if apart else before + after


def pattern(text: str) -> str:
    """A list of phrases of a language file in comparable form; the signs `*`, `/`, `..` and the commas stay."""
    folded = text.translate(_PATTERNS)
    return _ELISION.sub(_apart_or_joined, folded).replace("'", "") if "'" in folded else folded


def keyed(text: str) -> str:
    """A text as it is looked up: its words, one space between them."""
    return " ".join(_cut(text.translate(_WORDS)))


def latin(word: str) -> str:
    """A word in Latin letters where foreign ones only look like them; for the keywords alone."""
    return word.translate(_LATIN_LOOK_ALIKES)


def squeezed(word: str) -> str:
    """Without repeated letters: `stoooop` is `stop`."""
    return _REPEATED.sub(r"\1", word)


def signs(text: str) -> str:
    """`stop` for a stop sign alone, `ask` for a raised hand and its like, else empty."""
    if len(text) > 64 or any(one.isalnum() for one in text):
        return ""
    if _STOP_SIGNS in text:
        return "stop"
    return "ask" if any(one in _UNSURE_SIGNS for one in text) else ""
