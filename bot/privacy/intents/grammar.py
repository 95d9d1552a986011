"""Sentences: a wish is recognised by building blocks that stand together, language by language (privacy.md 4.3.6).

Each language file lists its blocks (`[grammar]`): verbs of ceasing, words for messages, for lists, for data… A phrase may end its
words with a star. Blocks are found once for all languages with one walk over the words; then each language's rules look at its
own blocks only. Linear in the number of words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

NEAR = 7
"""Words between two blocks that still belong together."""

SHORT_STEM = 2

MAY_BE_ERASURE = frozenset({"remove-from-messages"})
"""Rules whose words may also mean that data be deleted; where they do, that is what is meant."""


# How many words a message may have for a rule to be sure; a longer one is asked about, which harms nobody (privacy.md 4.3.9).
_SURE_WITHIN: Mapping[str, int] = {"leave": 10, "sending-forbidden": 9, "remove-from-messages": 6, "no-messages": 4}


@dataclass(frozen=True, slots=True)
class Block:
    """One building block found in a message: words `start` to `end` (exclusive) of role `role`."""

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a language file, ready to be compared."""

    language: str
    role: str
    words: tuple[str, ...]
    open_: tuple[bool, ...]

    def fits(self, words: Sequence[str], at: int) -> bool:
        if at + len(self.words) > len(words):
            return False
        for index, (part, is_open) in enumerate(zip(self.words, self.open_, strict=True)):
            word = words[at + index]
            if word != part and not (is_open and word.startswith(part)):
                return False
        return True


@dataclass(slots=True)
class Phrases:
    """All phrases by their first word, whole or beginning."""

    exact: dict[str, list[Phrase]] = field(default_factory=dict)
    stems: dict[str, list[Phrase]] = field(default_factory=dict)

    def add(self, language: str, role: str, words: Sequence[str], open_: Sequence[bool]) -> None:
        phrase = Phrase(language, role, tuple(words), tuple(open_))
        table = self.stems if open_[0] else self.exact
        table.setdefault(words[0], []).append(phrase)

    def found(self, words: Sequence[str]) -> dict[str, list[Block]]:
        """The blocks of a message by language."""
        blocks: dict[str, list[Block]] = {}
        for at, word in enumerate(words):
            for phrase in self._candidates(word):
                if phrase.fits(words, at):
                    blocks.setdefault(phrase.language, []).append(Block(phrase.role, at, at + len(phrase.words)))
        return blocks

    def _candidates(self, word: str) -> Iterable[Phrase]:
        yield from self.exact.get(word, ())
        for size in range(SHORT_STEM, len(word) + 1):
            yield from self.stems.get(word[:size], ())


@dataclass(frozen=True, slots=True)
class Reading:
    """What one language's rules made of a message; `rule` names the one that decided."""

    stop: str = ""
    scope: str = ""
    rule: str = ""
    flags: frozenset[str] = frozenset()


NOTHING = Reading()


class _Blocks:
    """The blocks of one language in one message."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.by_role: dict[str, list[Block]] = {}
        for block in blocks:
            self.by_role.setdefault(block.role, []).append(block)

    def has(self, role: str) -> bool:
        return role in self.by_role

    def near(self, one: str, *others: str, within: int = NEAR) -> bool:
        """Whether a block of `one` stands close to one of the others, not being the same words."""
        for left in self.by_role.get(one, ()):
            for role in others:
                for right in self.by_role.get(role, ()):
                    gap = right.start - left.end if right.start >= left.end else left.start - right.end
                    if 0 <= gap <= within:
                        return True
        return False

    def touching(self, one: str, other: str) -> bool:
        """Whether a block of `one` shares words with one of the other: "what data" holds "data"."""
        return any(
            left.start < right.end and right.start < left.end
            for left in self.by_role.get(one, ())
            for right in self.by_role.get(other, ())
        )

    def forbidden(self, role: str) -> bool:
        """Whether every block of `role` has a forbidding word right before it: "do not stop"."""
        found = self.by_role.get(role, ())
        return bool(found) and all(
            any(0 <= block.start - no.end <= 1 for no in self.by_role.get("forbid", ())) for block in found
        )


def read(blocks: Sequence[Block], words: int) -> Reading:
    """One language's reading of a message of so many words."""
    known = _Blocks(blocks)
    flags = frozenset(_flags(known, words))
    rule = _stop_rule(known, words)
    if not rule:
        return Reading(flags=flags)
    sure = words <= _SURE_WITHIN.get(rule, words)
    about_ads = known.has("marketing") and not known.has("message") and rule != "alone"
    scope = "marketing" if about_ads else "all"
    return Reading("stop" if sure else "ask", scope if sure else "unclear", rule, flags)


def _stop_rule(known: _Blocks, words: int) -> str:
    """The rule by which this is a wish to stop, or empty. Guards come first (privacy.md 4.5)."""
    sendable = ("send", "message", "marketing")
    about_messages = known.has("message") or known.has("marketing")
    if known.has("quoted") or (known.has("third") and not known.has("alone")) or known.forbidden("cease"):
        return ""
    if known.has("alone"):
        return "alone"
    if known.has("transactional") and not about_messages:
        return ""
    if known.has("leave"):
        return "leave"
    if known.near("cease", *sendable):
        return "cease-messages"
    if known.near("unwanted", *sendable):
        return "messages-unwanted"
    if known.near("remove", "list") or (known.near("remove", "self", within=2) and about_messages):
        return "remove-from-list"
    if known.near("remove", "message", "marketing", within=4) and known.has("self"):
        return "remove-from-messages"
    if known.near("forbid", "send", within=3) and (known.has("self") or about_messages):
        return "sending-forbidden"
    if known.near("forbid", "message", within=2) and words <= NEAR:
        return "no-messages"
    return ""


def _flags(known: _Blocks, words: int) -> Iterable[str]:
    """Rights and ways on."""
    if known.near("erase", "data", within=5) or known.touching("erase", "data"):
        yield "erase"
    if known.near("reveal", "data", within=6) or known.touching("reveal", "data"):
        yield "access"
    if known.near("correct", "data", within=6):
        yield "rectify"
    if known.near("restrict", "data", within=6):
        yield "restrict"
    for role, flag in (
        ("object", "object"),
        ("privacy", "privacy"),
        ("complain", "complaint"),
        ("again", "start"),
        ("assist", "help"),
    ):
        if known.has(role):
            yield flag
    if known.has("agent") and words <= 14:
        yield "agent"


def phrases_of(tables: Mapping[str, Mapping[str, Sequence[str]]], cut: Callable[[str], list[str]]) -> Phrases:
    """All phrases of all languages; `cut` splits and normalises as messages are."""
    found = Phrases()
    for language, roles in tables.items():
        for role, entries in roles.items():
            for entry in entries:
                parts = entry.split()
                words: list[str] = []
                open_: list[bool] = []
                for part in parts:
                    pieces = cut(part.rstrip("*"))
                    words += pieces
                    open_ += [False] * (len(pieces) - 1) + [part.endswith("*")] if pieces else []
                if words:
                    found.add(language, role, words, open_)
    return found
