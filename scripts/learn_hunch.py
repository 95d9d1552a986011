"""Learns `bot/privacy/intents/hunch.tsv` from the development half and the fresh rounds; never from the held-out half.

Run `python -m scripts.learn_hunch` after a change of those files, of the language files or of the traits. The same input gives
the same file. A logistic regression for each kind against all the rest, with steps that shrink for each trait (AdaGrad).
"""

import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path

from bot.privacy.intents.hunch import FILE, KINDS, traits
from bot.privacy.intents.matcher import examined
from tests.privacy.labelled.split import DEV, HERE, Labelled, read_half

ROUNDS = HERE / "fresh"
TARGET = Path(__file__).parent.parent / "bot" / "privacy" / "intents" / FILE

_PASSES = 8
_STEP = 0.5
_BASE_STEP = 0.05
_SURE = 0.03
_SEEN_IN = 2
"""A trait of fewer messages would only learn them by heart."""

_KEPT_FROM = 15
"""Weights below so many hundredths are left out of the file."""


def messages() -> list[Labelled]:
    """What is learned from."""
    return [one for path in (DEV, *sorted(ROUNDS.glob("*.tsv"))) for one in read_half(path)]


def digest(learned_from: Iterable[Labelled]) -> str:
    """Tells whether the file was learned from these messages."""
    lines = (f"{one.language}\t{one.label}\t{one.text}" for one in learned_from)
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def kind_of(label: str) -> str:
    """What a labelled message is an example of; empty for everything else."""
    kind = "stop" if label.startswith("stop") or label == "ask" else label
    return kind if kind in KINDS else ""


def learned(rows: Sequence[Labelled]) -> str:
    """The whole content of the file."""
    index: dict[str, int] = {}
    examples = []
    found_in = [traits(*examined(one.text, language=one.language)) for one in rows]
    often = Counter(chain.from_iterable(found_in))
    for one, all_found in zip(rows, found_in, strict=True):
        found = sorted(trait for trait in all_found if often[trait] >= _SEEN_IN)
        if found:
            examples.append(([index.setdefault(trait, len(index)) for trait in found], kind_of(one.label)))
    bases, weights = [], []
    for kind in KINDS:
        base, weight = _regression([(found, meant == kind) for found, meant in examples], len(index))
        bases.append(round(base * 100))
        weights.append([round(each * 100) for each in weight])
    lines = [
        "# What messages of each kind are recognised by, in hundredths: learned, see scripts/learn_hunch.py. # marks roles.",
        f"# learned from {len(rows)} messages, {digest(rows)}",
        "\t".join(["base", *(f"{kind}={base}" for kind, base in zip(KINDS, bases, strict=True))]),
    ]
    for trait in sorted(index):
        cells = [f"{kind}={weight[index[trait]]}" for kind, weight in zip(KINDS, weights, strict=True)
                 if abs(weight[index[trait]]) >= _KEPT_FROM]  # fmt: skip
        if cells:
            lines.append("\t".join([trait, *cells]))
    return "\n".join(lines) + "\n"


def _regression(examples: Sequence[tuple[list[int], bool]], size: int) -> tuple[float, list[float]]:
    weights, steps, base = [0.0] * size, [1e-8] * size, 0.0
    order = list(range(len(examples)))
    shuffle = random.Random(7).shuffle  # noqa: S311 -- an order that is the same each time; nothing secret
    for _ in range(_PASSES):
        shuffle(order)
        for place in order:
            found, true = examples[place]
            scale = len(found) ** -0.5
            total = base + scale * sum([weights[trait] for trait in found])
            wrong = 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - true
            if abs(wrong) < _SURE:
                continue
            base -= _BASE_STEP * wrong
            slope = wrong * scale
            square = slope * slope
            for trait in found:
                steps[trait] += square
                weights[trait] -= _STEP * slope / math.sqrt(steps[trait])
    return base, weights


def main() -> int:
    """Write the file; says from how many messages."""
    rows = messages()
    TARGET.write_text(learned(rows), encoding="utf-8")
    sys.stdout.write(f"learned from {len(rows)} messages\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
