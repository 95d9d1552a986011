"""What a verification found, in words, and what it could not know."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: changed, swapped, dropped, inserted, doubled, truncated, signed_anew, rewritten, signature, damaged, late, projection.
        where: place in the ledger, an event's id or a head's; never a person.
    """

    kind: str
    where: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """The result.

    Attributes:
        events: events with a place in the tree; `unsequenced` have none yet.
        unanchored: events that no head from outside covers (no signed head at all, where none was given).
        unknowable: what cannot be told from what was given.
    """

    findings: tuple[Finding, ...]
    events: int
    unsequenced: int
    unanchored: int
    heads: int
    outside: int
    projections: int
    pruned: tuple[str, ...]
    unknowable: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Nothing wrong was found."""
        return not self.findings

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "well": self.well, "events": self.events, "unsequenced": self.unsequenced, "unanchored": self.unanchored,
            "heads": self.heads, "outside_heads": self.outside, "projections": self.projections, "pruned": list(self.pruned),
            "findings": [{"kind": one.kind, "where": one.where, "words": one.words} for one in self.findings],
            "unknowable": list(self.unknowable),
        }  # fmt: skip


NO_OUTSIDE_HEAD = (
    "No tree head from outside was given. So it cannot be known whether whoever holds the signing key cut off or rewrote "
    "the ledger and signed it anew. Give one with --head: a file from the anchor folder, or one an auditor kept."
)
OWN_KEYS = (
    "The public keys came with the data themselves. Compare them with the ones you were given earlier (--keys): whoever "
    "rewrites a ledger can also sign it with a new key."
)
BEYOND = (
    "{count} events are not covered by any head from outside yet. Within that window a removal by somebody with full rights "
    "would leave no trace."
)
