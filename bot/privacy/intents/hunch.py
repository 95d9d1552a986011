"""What a message resembles, where no rule of the grammar read it: learned from the labelled messages, local and bounded.

Here lives the weighing of a message by `hunch.tsv`. A hunch may only raise a message to "ask", make a decided stop of the
grammar an "ask", or route it to a right or a way on, each of which asks before it does anything (privacy.md 4.3.7): it never
stops anybody by itself, and never decides that a wish is none. How the weights came to be stands in `scripts/learn_hunch.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from bot.privacy.intents.sentence import Sentence

KINDS = ("stop", "erase", "access", "rectify", "privacy", "agent", "help", "object")
"""What a message can resemble."""

FILE = "hunch.tsv"
UNKNOWN = -9.0
"""The weight of a message of which nothing is known."""

_MOST_WORDS = 48
_MOST_BLOCKS = 20
_SIZES = (2, 3, 4)
_LONGEST_WORD = 24


def traits(words: Sequence[str], sentences: Iterable[Sentence]) -> set[str]:
    """What a message is weighed by: its words, neighbours, parts of words, and the roles that stand near each other.

    Linear: of a long message the first and last words are looked at, and of a sentence so many blocks.
    """
    looked_at = words if len(words) <= _MOST_WORDS else [*words[: _MOST_WORDS // 2], *words[-_MOST_WORDS // 2 :]]
    found = {f"{one} {other}" for one, other in pairwise(("^", *looked_at, "$"))}
    for word in looked_at:
        found.update(_parts(word[:_LONGEST_WORD]))
    for sentence in sentences:
        found.update(_roles(sentence))
    return found


def _parts(word: str) -> Iterator[str]:
    closed = f"<{word}>"
    yield closed
    for size in _SIZES:
        for at in range(len(closed) - size + 1):
            yield closed[at : at + size]


def _roles(sentence: Sentence) -> Iterator[str]:
    blocks = sentence.blocks()[:_MOST_BLOCKS]
    for block in {block.role: block for block in blocks}:
        yield f"#{block}"
    for at, one in enumerate(blocks):
        for other in blocks[at + 1 :]:
            if one.role != other.role:
                yield f"#{one.role}{'+' if other.start - one.end <= 2 else '..'}{other.role}"
    yield f"#words {min(sentence.words // 3, 6)}"
    covered = {place for block in blocks for place in range(block.start, block.end)}
    yield f"#known {len(covered) * 4 // max(1, sentence.words)}"


def weigh(found: Iterable[str]) -> dict[str, float]:
    """How much a message with these traits resembles each of `KINDS`; positive is more likely than not."""
    bases, weights = _weights()
    sums = [0] * len(KINDS)
    count = 0
    for trait in found:
        count += 1
        for kind, weight in weights.get(trait, ()):
            sums[kind] += weight
    if not count:
        return dict.fromkeys(KINDS, UNKNOWN)
    scale = float(100 * count**0.5)
    return {name: bases[kind] / 100 + sums[kind] / scale for kind, name in enumerate(KINDS)}


@lru_cache(maxsize=1)
def _weights() -> tuple[tuple[int, ...], dict[str, tuple[tuple[int, int], ...]]]:
    """The base of each kind and the weights of each trait, in hundredths."""
    text = resources.files("bot.privacy.intents").joinpath(FILE).read_text(encoding="utf-8")
    _, _, based, *lines = text.splitlines()
    weights = {}
    for line in lines:
        trait, *cells = line.split("\t")
        weights[trait] = tuple(
            (KINDS.index(name), int(weight)) for name, _, weight in (cell.partition("=") for cell in cells)
        )
    return tuple(int(cell.partition("=")[2]) for cell in based.split("\t")[1:]), weights
