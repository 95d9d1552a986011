"""What a message resembles, where no rule of the grammar read it: learned from the labelled messages, local and bounded.

Here lives the weighing of a message by `hunch.tsv`. A hunch may only raise a message to "ask", make a decided stop of the
grammar an "ask", or route it to a right or a way on, each of which asks before it does anything (privacy.md 4.3.7): it never
stops anybody by itself, and never decides that a wish is none. How the weights came to be stands in `scripts/learn_hunch.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import pairwise, repeat

from bot.privacy.intents.sentence import Sentence

KINDS = ("stop", "erase", "access", "rectify", "privacy", "agent", "help", "object")
"""What a message can resemble."""

FILE = "hunch.tsv"
UNKNOWN = -9.0
"""The weight of a message of which nothing is known."""

_FIELD, _MASK, _LIFT = 32, (1 << 32) - 1, 1 << 14
_MOST_WORDS = 40
_MOST_BLOCKS = 14
_SIZES = (3, 4)
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


def weigh(found: Collection[str]) -> dict[str, float]:
    """How much a message with these traits resembles each of `KINDS`; positive is more likely than not."""
    if not found:
        return dict.fromkeys(KINDS, UNKNOWN)
    bases, weights = _weights()
    total = sum(map(weights.get, found, repeat(0)))
    known = total & _MASK
    scale = 100 * len(found) ** 0.5
    return {
        name: bases[kind] / 100 + ((total >> _FIELD * (kind + 1) & _MASK) - known * _LIFT) / scale
        for kind, name in enumerate(KINDS)
    }


@lru_cache(maxsize=1)
def _weights() -> tuple[tuple[int, ...], dict[str, int]]:
    """The base of each kind, and of each trait all its weights in one number, in hundredths.

    The lowest field of the number is 1, so that a sum of numbers counts them; then a field for each kind, lifted above nought.
    One addition for each trait is what keeps a message within its time.
    """
    text = resources.files("bot.privacy.intents").joinpath(FILE).read_text(encoding="utf-8")
    _, _, based, *lines = text.splitlines()
    lifted = 1 + sum(_LIFT << _FIELD * (kind + 1) for kind in range(len(KINDS)))
    shift = {name: _FIELD * (kind + 1) for kind, name in enumerate(KINDS)}
    weights = {}
    for line in lines:
        trait, *cells = line.split("\t")
        named = (cell.partition("=") for cell in cells)
        weights[trait] = lifted + sum(int(weight) << shift[name] for name, _, weight in named)
    return tuple(int(cell.partition("=")[2]) for cell in based.split("\t")[1:]), weights
