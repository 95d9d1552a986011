"""Verification of the whole ledger in one pass, in its order: places, leaves, roots, signatures, heads from outside (privacy.md 3.5).

Pure and in constant memory but for the leaves since the last good head. Holds what is wrong against what was signed, and says which
kind of change explains it. Projections are compared in `projections`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.errors import Unreadable
from bot.privacy.ledger.heads import TreeHead
from bot.privacy.ledger.leaves import CLOSES, OPENS, Entry, closing, facts_of, place
from bot.privacy.ledger.report import BEYOND, NO_OUTSIDE_HEAD, OWN_KEYS, Finding, Report
from bot.privacy.ledger.suspects import explain
from bot.privacy.ledger.tree import Frontier, leaf_hash

LATE = timedelta(hours=1)
"""An event so much older than a signed head and still without a place was put there afterwards."""


@dataclass(slots=True)
class _Epoch:
    """One epoch while it is read."""

    name: str
    heads: dict[int, list[tuple[TreeHead, bool]]]
    tree: Frontier = field(default_factory=Frontier)
    events: int = 0
    broken: bool = False
    closed: bool = False
    good: Frontier = field(default_factory=Frontier)
    since: list[bytes] = field(default_factory=list)
    suspect: tuple[TreeHead, bool] | None = None
    covered: int = 0
    good_inside: int = 0
    events_at: dict[int, int] = field(default_factory=dict)


class Verifier:
    """Takes the ledger line by line. `outside` are heads that were kept where the ledger's owner cannot write."""

    def __init__(
        self, keys: Mapping[str, bytes], heads: Iterable[TreeHead], outside: Iterable[TreeHead] = (), *, own_keys: bool
    ) -> None:
        self._keys = keys
        self._own_keys = own_keys
        self.findings: list[Finding] = []
        self._heads = {one.id: one for one in heads}
        self._outside = {one.id: one for one in outside}
        self._pruned = {one.epoch: one for one in self._heads.values() if one.pruned}
        for one, whence in (
            *((h, "") for h in self._heads.values()),
            *((h, " from outside") for h in self._outside.values()),
        ):
            if not one.verified_by(keys):
                self._found(
                    "signature",
                    one.id,
                    f"The signature of this head{whence} is not one of a known key over what it says.",
                )
        self._epoch: _Epoch | None = None
        self._finished: dict[str, tuple[int, bytes]] = {}
        self._events = self._unsequenced = self._unanchored = 0
        self._moved: dict[bytes, str] = {}
        self._bodies: dict[str, tuple[bytes, bytes]] = {}
        newest = [one.at for one in self._heads.values() if not one.pruned]
        self._newest: datetime | None = max(newest, default=None)

    def _found(self, kind: str, where: str, words: str) -> None:
        self.findings.append(Finding(kind, where, words))

    # -- lines -----------------------------------------------------------------------------------------------------------

    def entry(self, entry: Entry) -> None:
        """The next line of the ledger, sorted by epoch and number."""
        if self._epoch is None or self._epoch.name != entry.epoch:
            self._turn_to(entry)
        epoch = self._epoch
        assert epoch is not None  # noqa: S101 - `_turn_to` sets it
        if entry.seq != epoch.tree.size:
            self._misplaced(epoch, entry)
            if entry.seq < epoch.tree.size:
                return
        if epoch.closed:
            self._found("inserted", entry.id, "This line stands behind the one that closes its epoch.")
        self._check_body(entry)
        self._count(epoch, entry)

    def _misplaced(self, epoch: _Epoch, entry: Entry) -> None:
        expected = epoch.tree.size
        if entry.seq < expected:
            self._found("doubled", entry.id, "This place of the ledger is taken twice.")
            return
        if not epoch.broken:
            last = place(epoch.name, entry.seq - 1)
            until = "" if entry.seq - 1 == expected else f" to {last}"
            self._found(
                "dropped", place(epoch.name, expected), f"The ledger has a gap here{until}: lines were taken out."
            )
        epoch.broken = True
        # Counting goes on behind the gap, so that further gaps are told too; no root can be checked any more.
        epoch.tree.size = entry.seq

    def _check_body(self, entry: Entry) -> None:
        if entry.body is None:
            self._found("dropped", entry.id, "The event of this leaf is missing.")
            return
        actual = leaf_hash(entry.body)
        if actual != entry.leaf:
            self._bodies[entry.id] = (actual, entry.leaf)
        elif b'"id":"' + entry.event.encode() + b'"' not in entry.body:
            self._found("changed", entry.id, "The leaf names another event than the one it is the hash of.")

    def _count(self, epoch: _Epoch, entry: Entry) -> None:
        if epoch.broken:
            epoch.tree.size += 1
        else:
            epoch.tree.add(entry.leaf)
            epoch.since.append(entry.leaf)
        if entry.is_marker:
            self._marker(epoch, entry)
        else:
            epoch.events += 1
            self._events += 1
        for head, outside in epoch.heads.get(epoch.tree.size, ()):
            epoch.events_at[epoch.tree.size] = epoch.events
            if not epoch.broken:
                self._against(epoch, head, outside)

    def _marker(self, epoch: _Epoch, entry: Entry) -> None:
        if entry.event == f"{CLOSES}:{epoch.name}":
            epoch.closed = True
            if entry.body is not None and entry.body != closing(epoch.name, entry.seq):
                self._found("changed", entry.id, "The line that closes the epoch does not say how long it is.")
        elif entry.event != f"{OPENS}:{epoch.name}" or entry.seq != 0:
            self._found("inserted", entry.id, "A line that opens or closes an epoch stands where there is none.")

    def loose(self, event: str, recorded_at: datetime | None) -> None:
        """An event without a place in the tree."""
        self._unsequenced += 1
        if self._newest is not None and recorded_at is not None and recorded_at < self._newest - LATE:
            self._found(
                "late",
                event,
                "This event says to be older than a signed head that does not know it: dated back or put in.",
            )

    # -- heads -----------------------------------------------------------------------------------------------------------

    def _against(self, epoch: _Epoch, head: TreeHead, outside: bool) -> None:
        if epoch.suspect is not None:
            return
        if epoch.tree.root() == head.root:
            if outside or not self._outside:
                epoch.covered = epoch.tree.size
            if not outside:
                epoch.good_inside = epoch.tree.size
            epoch.good, epoch.since = epoch.tree.copy(), []
            return
        epoch.suspect = (head, outside)

    def _explain(self, epoch: _Epoch) -> None:
        if epoch.suspect is None:
            return
        head, outside = epoch.suspect
        kind, where, words = explain(epoch.name, epoch.good, epoch.since, head)
        inside = self._heads.get(head.id)
        if outside and (inside is None or inside.root != head.root):
            words += " The ledger's own heads were signed anew: a head from outside says otherwise."
            if kind == "rewritten":
                kind = "signed_anew"
        self._found(kind, where, words)

    def _turn_to(self, entry: Entry) -> None:
        before = self._epoch
        if before is not None:
            if entry.epoch < before.name or entry.epoch in self._finished:
                self._found("swapped", entry.id, "The epochs are out of order.")
            self._finish(before, last=False)
        heads: dict[int, list[tuple[TreeHead, bool]]] = {}
        for source, outside in ((self._heads, False), (self._outside, True)):
            for one in source.values():
                if one.epoch == entry.epoch and not one.pruned:
                    heads.setdefault(one.size, []).append((one, outside))
        self._epoch = _Epoch(entry.epoch, heads)
        self._check_opening(entry)

    def _check_opening(self, entry: Entry) -> None:
        """Whether the first line names the epoch before as it was read, or as it was when it was pruned."""
        if entry.seq != 0 or entry.body is None:
            return
        try:
            said = facts_of(entry.body).get("previous")
        except Unreadable:
            return
        known = dict(self._finished)
        known.update({name: (one.size, one.root) for name, one in self._pruned.items() if name not in known})
        earlier = max((name for name in known if name < entry.epoch), default=None)
        if not isinstance(said, dict):
            if earlier is not None or entry.event != f"{OPENS}:{entry.epoch}":
                self._found("changed", entry.id, "The epoch does not begin with the line that names the one before it.")
            return
        if said.get("epoch") not in known:
            self._found(
                "dropped",
                str(said.get("epoch")),
                "The whole epoch before this one is missing and was not pruned by a signed word.",
            )
        elif (said.get("size"), said.get("root")) != (known[said["epoch"]][0], known[said["epoch"]][1].hex()):
            self._found("rewritten", str(said["epoch"]), "This epoch is another one than its successor says.")

    def _finish(self, epoch: _Epoch, *, last: bool) -> None:
        self._explain(epoch)
        self._finished[epoch.name] = (epoch.tree.size, epoch.tree.root())
        if not last and not epoch.closed:
            self._found("truncated", epoch.name, "The line that closes this epoch is missing.")
        if epoch.name in self._pruned:
            self._found("inserted", epoch.name, "This epoch was pruned, and has lines again.")
        beyond = sorted(size for size in epoch.heads if size > epoch.tree.size)
        for size in beyond[-1:]:
            self._truncated(epoch, size)
        covered = epoch.events_at.get(epoch.covered, 0)
        self._unanchored += epoch.events - covered

    def _truncated(self, epoch: _Epoch, size: int) -> None:
        head = epoch.heads[size][0][0]
        inside = any(not outside for one in epoch.heads if one > epoch.tree.size for _, outside in epoch.heads[one])
        words = f"The head of {head.at:%Y-%m-%d %H:%M:%S} UTC covers {size} lines; here are {epoch.tree.size}: the end was cut off"
        if inside:
            self._found("truncated", place(epoch.name, epoch.tree.size), f"{words}.")
        else:
            self._found(
                "signed_anew", place(epoch.name, epoch.tree.size),
                f"{words} and the rest signed anew: only the head from outside still knows of it.",
            )  # fmt: skip

    # -- the end ---------------------------------------------------------------------------------------------------------

    def finish(self, projections: int = 0) -> Report:
        """The report; nothing can be added after it."""
        if self._epoch is not None:
            self._finish(self._epoch, last=True)
        self._tell_bodies()
        self._missing_epochs()
        unknowable = []
        unanchored = self._unanchored + self._unsequenced
        if self._own_keys:
            unknowable.append(OWN_KEYS)
        if not self._outside:
            unknowable.append(NO_OUTSIDE_HEAD)
        elif unanchored:
            unknowable.append(BEYOND.format(count=unanchored))
        return Report(
            tuple(self.findings), self._events, self._unsequenced, unanchored, len(self._heads), len(self._outside), projections,
            tuple(sorted(self._pruned)), tuple(unknowable),
        )  # fmt: skip

    def _tell_bodies(self) -> None:
        """Events whose leaf is another: exchanged among each other, or changed."""
        stored = {leaf: where for where, (_, leaf) in self._bodies.items()}
        for where, (actual, _) in self._bodies.items():
            other = stored.get(actual)
            if other is not None:
                self._found("swapped", where, f"Here stands the event of {other}.")
            else:
                self._found(
                    "changed", where, "The event is not the one its leaf was made from, or the leaf was changed."
                )

    def _missing_epochs(self) -> None:
        for source, outside in ((self._heads, False), (self._outside, True)):
            for name in sorted({one.epoch for one in source.values()} - set(self._finished) - set(self._pruned)):
                kind = (
                    "signed_anew"
                    if outside and not any(one.epoch == name for one in self._heads.values())
                    else "truncated"
                )
                self._found(kind, name, "There is a head of this epoch and not one line of it.")
        for one in self._pruned.values():
            self._held_against(one)

    def _held_against(self, pruned: TreeHead) -> None:
        """What was pruned must be what heads before it said: the last of the same size has the same root."""
        for one in (*self._heads.values(), *self._outside.values()):
            same = one.epoch == pruned.epoch and not one.pruned and one.size >= pruned.size
            if same and (one.size, one.root) != (pruned.size, pruned.root):
                self._found("rewritten", one.id, "This head contradicts the one under which its epoch was pruned.")
