"""Which single change explains that a root is another than was signed: a line put in, or two exchanged. Pure."""

from collections.abc import Sequence

from bot.privacy.ledger.heads import TreeHead
from bot.privacy.ledger.leaves import place
from bot.privacy.ledger.tree import Frontier

MOST = 300
"""Leaves between two heads up to which every single insertion is tried; exchanges of neighbours too."""

MOST_PAIRS = 40
"""Up to which every exchange of any two is tried."""


def explain(epoch: str, good: Frontier, since: Sequence[bytes], head: TreeHead) -> tuple[str, str, str]:
    """(kind, where, in words) for leaves `since` the last good head `good` that do not give the root of `head`.

    `inserted` and `swapped` are exact: undoing that one change gives the signed root. All else is `rewritten`.
    """
    first, wanted = good.size, head.size - good.size
    window = list(since[: wanted + 1])
    if wanted <= MOST:
        for index in range(len(window) if len(window) > wanted else 0):
            if _root(good, [*window[:index], *window[index + 1 :]]) == head.root:
                return "inserted", place(epoch, first + index), "This line was put in after the head was signed."
        for left, right in _pairs(wanted):
            order = window[:wanted]
            order[left], order[right] = order[right], order[left]
            if _root(good, order) == head.root:
                return (
                    "swapped",
                    place(epoch, first + left),
                    f"This line and {place(epoch, first + right)} were exchanged.",
                )
    words = (
        f"Between here and {place(epoch, head.size - 1)} lines were changed, taken out or put in and their leaves computed anew: "
        f"the head of {head.at:%Y-%m-%d %H:%M:%S} UTC says otherwise."
    )
    return "rewritten", place(epoch, first), words


def _pairs(count: int) -> list[tuple[int, int]]:
    furthest = count if count <= MOST_PAIRS else 2
    return [(left, right) for left in range(count) for right in range(left + 1, min(count, left + furthest))]


def _root(good: Frontier, leaves: Sequence[bytes]) -> bytes:
    tree = good.copy()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()
