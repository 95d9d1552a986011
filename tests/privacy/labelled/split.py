"""Split the labelled messages into the half the matcher is developed on and the half it is reported on.

Here lives reading the hand-written sources and the split; never anything of the matcher: the set says what people mean,
not what the matcher catches. Run `python -m tests.privacy.labelled.split` after every change of a source.
"""

import hashlib
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE / "source"
DEV = HERE / "dev.tsv"
HELD_OUT = HERE / "held_out.tsv"

SOURCE_HEADER = "label\ttext"
HALF_HEADER = "language\tlabel\ttext"

LANGUAGES: tuple[str, ...] = tuple(
    "ar bg cs da de el en es et fi fr ga hr hu it lt lv mt nl no pl pt pt-BR ro ru sk sl sv tr uk".split()  # noqa: SIM905
)
LABELS: tuple[str, ...] = (
    "stop.keyword",
    "stop.typo",
    "stop.sentence",
    "stop.marketing",
    "stop.erase",
    "ask",
    "erase",
    "access",
    "rectify",
    "object",
    "start",
    "help",
    "privacy",
    "agent",
    "complaint",
    "yes",
    "no",
    "weak",
    "ordinary",
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One message a person could write: its language, what is meant, and the words with real line breaks."""

    language: str
    label: str
    text: str


class SourceError(ValueError):
    """A line of the set is not what the README promises; the message names file and line."""


def folded(text: str) -> str:
    """The text without case and spare white space: two messages that fold alike count as one."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def read_source(path: Path) -> list[Labelled]:
    """The messages of one language, in the order written.

    Raises:
        SourceError: a header, label or column is wrong.
    """
    return [Labelled(path.stem, *row) for row in _rows(path, SOURCE_HEADER)]


def read_sources(folder: Path = SOURCES) -> list[Labelled]:
    """The messages of all languages, by language code and then in the order written."""
    return [message for path in sorted(folder.glob("*.tsv")) for message in read_source(path)]


def read_half(path: Path) -> list[Labelled]:
    """The messages of `dev.tsv` or `held_out.tsv`.

    Raises:
        SourceError: a header, label or column is wrong.
    """
    return [Labelled(*row) for row in _rows(path, HALF_HEADER)]


def _rows(path: Path, header: str) -> list[list[str]]:
    first, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if first != header:
        raise SourceError(f"{path.name}:1: expected the columns {header.split()}")
    columns = header.split("\t")
    rows = []
    for number, line in enumerate(lines, start=2):
        row = line.split("\t")
        if len(row) != len(columns) or not all(cell.strip() for cell in row):
            raise SourceError(f"{path.name}:{number}: expected {len(columns)} filled columns")
        if row[-2] not in LABELS:
            raise SourceError(f"{path.name}:{number}: unknown label {row[-2]!r}")
        rows.append([*row[:-1], row[-1].replace("\\n", "\n")])
    return rows


@dataclass(frozen=True, slots=True)
class Halves:
    """The half to develop on and the half to report."""

    dev: tuple[Labelled, ...] = ()
    held_out: tuple[Labelled, ...] = ()


def read_halves() -> Halves:
    """The halves as they are kept; empty ones where none were written yet."""
    dev, held_out = (tuple(read_half(path)) if path.exists() else () for path in (DEV, HELD_OUT))
    return Halves(dev, held_out)


def split(messages: Iterable[Labelled], *, before: Halves) -> Halves:
    """The halves of all messages; the order of the input does not matter.

    A message that stands in a half of `before` stays there: one that was developed on is never reported later. The same
    words go to the same half in every language and under every label (STOP is written in all of them). What is new
    fills the smaller half of its language and label, in the order of its hash.
    """
    half_of = _halves_before(before)
    by_place: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
    for message in messages:
        by_place[message.language, message.label].append(message)
    halves: tuple[list[Labelled], list[Labelled]] = ([], [])
    for place in sorted(by_place):
        here = sorted(by_place[place], key=lambda message: _hash(message.text))
        counts = [0, 0]
        for message in here:
            counts[half_of.get(folded(message.text), 0)] += folded(message.text) in half_of
        for message in here:
            words = folded(message.text)
            if words not in half_of:
                half_of[words] = _smaller(counts, tie=_hash(" ".join(place)) % 2)
                counts[half_of[words]] += 1
            halves[half_of[words]].append(message)
    return Halves(tuple(halves[0]), tuple(halves[1]))


def _halves_before(before: Halves) -> dict[str, int]:
    """The half of all words known before; words developed on in one language are developed on in all."""
    known = {folded(message.text): 1 for message in before.held_out}
    return known | {folded(message.text): 0 for message in before.dev}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(folded(text).encode()).digest())


def _smaller(counts: Sequence[int], *, tie: int) -> int:
    if counts[0] == counts[1]:
        return tie
    return 0 if counts[0] < counts[1] else 1


def rendered(half: Iterable[Labelled]) -> str:
    """One half as the file's whole content."""
    lines = (f"{message.language}\t{message.label}\t{message.text}".replace("\n", "\\n") for message in half)
    return "\n".join([HALF_HEADER, *lines]) + "\n"


def main() -> int:
    """Write both halves; says how many messages each holds."""
    halves = split(read_sources(), before=read_halves())
    DEV.write_text(rendered(halves.dev), encoding="utf-8")
    HELD_OUT.write_text(rendered(halves.held_out), encoding="utf-8")
    sys.stdout.write(f"{len(halves.dev)} to develop on, {len(halves.held_out)} held out\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
