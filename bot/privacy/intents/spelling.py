"""Near spellings of the keywords (privacy.md 4.3.5): one slip in four to seven letters, two in longer ones, none in shorter.

Never onto a word that means something else: another keyword, or a word of the dictionary lists. Bounded: only short messages
are compared, and only with keywords that share most of their letters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SHORTEST, LONGEST = 3, 28
_TWO_SLIPS_FROM = 8


@dataclass(frozen=True, slots=True)
class _Known:
    word: str
    letters: int


class NearWords:
    """Keywords that can be found by a misspelt form."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_size: dict[int, list[_Known]] = {}
        for word in set(words):
            if 4 <= len(word) <= LONGEST:
                self._by_size.setdefault(len(word), []).append(_Known(word, _letters(word)))

    def nearest(self, word: str) -> str:
        """A keyword that `word` is a misspelt form of; empty when there is none."""
        if not SHORTEST <= len(word) <= LONGEST:
            return ""
        letters = _letters(word)
        for slips in (1, 2):
            for size in range(len(word) - slips, len(word) + slips + 1):
                if size < 4 or (slips == 2 and size < _TWO_SLIPS_FROM):
                    continue
                for known in self._by_size.get(size, ()):
                    if (letters ^ known.letters).bit_count() <= 2 * slips and _alike(word, known.word, slips):
                        return known.word
        return ""


def _letters(word: str) -> int:
    """The set of a word's letters as bits."""
    bits = 0
    for one in word:
        bits |= 1 << (ord(one) & 63)
    return bits


def _alike(word: str, known: str, slips: int) -> bool:
    """Within so many slips; a short word keeps its first letter, unless its first two were swapped."""
    if word[0] != known[0] and word[:2] != known[1::-1] and len(known) < 6:
        return False
    return distance(word, known, slips) <= slips


def distance(one: str, other: str, most: int) -> int:
    """Damerau-Levenshtein distance with neighbours swapped, or `most` + 1 when it is larger."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, previous, row = row, before, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
