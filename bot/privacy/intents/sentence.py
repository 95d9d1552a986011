"""A sentence as its building blocks in one language: which are there, how far apart they stand, what they swallow."""

from collections.abc import Iterator, Sequence

from bot.privacy.intents.lexicon import Block

NEAR = 6
"""Words between two blocks that still belong together."""

SWALLOWING = frozenset({"idiom", "transactional", "place", "quoted", "missing", "third", "keep", "call", "elsewhere"})
"""Roles whose words mean nothing else: in "bus stop" nobody is asked to stop, in "waiting list" there is no mailing list."""


_MOST_BLOCKS = 400
"""Blocks looked at in one sentence, half of them from either end: no person writes more, and pairs of them are compared."""


class Sentence:
    """The blocks of one language in one sentence of so many `words`."""

    def __init__(self, blocks: Sequence[Block], words: int) -> None:
        self.words = words
        if len(blocks) > _MOST_BLOCKS:
            blocks = [*blocks[: _MOST_BLOCKS // 2], *blocks[-_MOST_BLOCKS // 2 :]]
        self._by_role: dict[str, list[Block]] = {}
        swallowing = [block for block in blocks if block.role in SWALLOWING]
        for block in blocks:
            if not any(_swallows(other, block) for other in swallowing):
                self._by_role.setdefault(block.role, []).append(block)

    def blocks(self) -> list[Block]:
        """All blocks that mean something, in the order of the sentence."""
        said = {block for role, blocks in self._by_role.items() if role != "common" for block in blocks}
        return sorted(said, key=lambda block: (block.start, block.end, block.role))

    def has(self, *roles: str) -> bool:
        return any(role in self._by_role for role in roles)

    def of(self, *roles: str) -> Iterator[Block]:
        for role in roles:
            yield from self._by_role.get(role, ())

    def near(self, one: str, *others: str, within: int = NEAR) -> bool:
        """Whether a block of `one` stands at most so many words from one of the others, without sharing words."""
        return next(self.pairs(one, *others, within=within), None) is not None

    def pairs(self, one: str, *others: str, within: int = NEAR) -> Iterator[tuple[Block, Block]]:
        """The pairs of a block of `one` and one of the others that stand so close, or of which the first has the other in its gap."""
        for left in self.of(one):
            for right in self.of(*others):
                if 0 <= gap(left, right) <= within or left.start < right.start < right.end < left.end:
                    yield left, right

    def before(self, one: str, other: str, *, within: int) -> bool:
        """Whether a block of `one` stands at most so many words before one of `other`."""
        return any(0 <= right.start - left.end <= within for left in self.of(one) for right in self.of(other))

    def together(self, one: str, other: str, *, within: int = NEAR) -> bool:
        """Near, or sharing words: "what data" holds "data"."""
        return any(gap(left, right) <= within for left in self.of(one) for right in self.of(other))

    def aimed_at(self, verb: Block, *targets: str) -> str:
        """The role of what stands nearest to a verb; what follows it counts as a little nearer."""
        best, role = 99.0, ""
        for block in self.of(*targets):
            away = gap(verb, block)
            if away < 0:
                continue
            distance = away if block.start >= verb.end else away + 0.5
            if distance < best:
                best, role = distance, block.role
        return role


def gap(one: Block, other: Block) -> int:
    """Words between two blocks; negative when they share some."""
    return max(one.start, other.start) - min(one.end, other.end)


def _swallows(big: Block, small: Block) -> bool:
    return (big.start <= small.start and small.end <= big.end and big.end - big.start > small.end - small.start) or (
        big.role == "idiom" and small.role != "idiom" and big.start <= small.start and small.end <= big.end
    )
