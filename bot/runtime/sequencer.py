"""Gives each consent event its place in the Merkle tree, in batches, signs the head and drops it at the anchor (decisions.md 17).

One process at a time does this under a lease, to save work. That nothing is doubled or left out does not rest on the lease: a place
is a row's own name and inserted only if absent, an event can have one place only, and places are inserted in their order, so that
whoever comes late or is killed in between leaves a prefix. Decides when; what a leaf is, `bot.privacy.ledger` says.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.errors import RecadoError, RetryLater
from bot.observability.metrics import Registry
from bot.privacy.keyring import Signed
from bot.privacy.ledger.heads import TreeHead, sign_head
from bot.privacy.ledger.leaves import CLOSES, OPENS, Entry, closing, entry_of, epoch_after, epoch_at, opening
from bot.privacy.ledger.tree import Frontier
from bot.runtime.ports import Clock, Ids, Lease

logger = logging.getLogger(__name__)

BATCH = 500
"""Events in one insert."""

PAUSE = 1.0
"""Seconds between two looks when there was nothing to do."""

LEASE = timedelta(seconds=30)
OVERLAP = timedelta(seconds=20)
"""How far a look reaches back behind the last one: a slow writer's event still comes in time."""

WIDE, WIDE_EVERY = timedelta(hours=1), timedelta(minutes=5)
FULL_EVERY = timedelta(hours=6)
"""Everything is looked through at start and then so often: an event may also come by a restored backup."""


class LedgerBroken(RecadoError):
    """What is stored is not what was signed; nothing more is signed until somebody has run `recado consent verify`."""


class Leaves(Protocol):
    """Places and heads in storage, insert only. Every method raises `RetryLater` when the database cannot be reached."""

    async def lead(self, lease: Lease, now: datetime) -> bool:
        """Takes or renews the one lease; False while another process has it."""

    async def tail(self) -> Entry | None:
        """The last place of all, or None in an empty ledger."""

    def hashes(self, epoch: str, start: int) -> AsyncIterator[bytes]:
        """The stored leaves of an epoch from a number on, in order. Raises `LedgerBroken` at a gap."""

    def unsequenced(self, since: datetime | None, limit: int) -> AsyncIterator[Sequence[tuple[str, bytes]]]:
        """(id, body) of all events recorded since then that have no place, oldest first, at most `limit` at a time."""

    async def append(self, entries: Sequence[Entry]) -> bool:
        """Inserts in order and stops at the first that stands already; whether all were inserted."""

    async def last_head(self, epoch: str) -> TreeHead | None:
        """The greatest signed head of an epoch."""

    async def put_head(self, head: TreeHead) -> None:
        """Inserts a head unless one of that epoch and size stands."""


class Anchor(Protocol):
    """A place outside the operator's reach that keeps heads."""

    async def drop(self, head: TreeHead) -> None:
        """Keeps a head; repeating it is harmless. Raises `RetryLater` when it cannot be kept now."""


class _Figures:
    """What operators see of it."""

    def __init__(self, to: Registry) -> None:
        self.sequenced = to.counter("recado_ledger_sequenced_total", "Consent events given their place in the tree.")
        self.anchored = to.gauge("recado_ledger_head_at", "Unix time of the newest tree head that was anchored.")
        self.broken = to.gauge("recado_ledger_broken", "1 while the stored ledger is not what was signed.")


class Sequencer:
    """One of any number of processes that may try."""

    def __init__(
        self, leaves: Leaves, sign: Callable[[bytes], Signed], anchor: Anchor | None, ids: Ids, clock: Clock, *,
        every: timedelta, registry: Registry | None = None,
    ) -> None:  # fmt: skip
        """`every`: a head is signed at most so often, and at least so often while events come in."""
        self._leaves = leaves
        self._sign = sign
        self._anchor = anchor
        self._clock = clock
        self._every = every
        self._token = ids.random()
        self._figures = _Figures(registry or Registry())
        self._stopping = asyncio.Event()
        self._leading = False
        self._epoch, self._tree = "", Frontier()
        self._signed: TreeHead | None = None
        self._dropped = ""
        self._looked: datetime | None = None
        self._wide = self._full = clock.now()

    async def run(self) -> None:
        """Looks for events until `stop`."""
        while not self._stopping.is_set():
            try:
                await self.look()
            except RetryLater:
                pass
            except LedgerBroken as problem:
                self._forget()
                self._figures.broken.put(1)
                logger.error("the ledger is not what was signed", extra={"reason": str(problem)})  # noqa: TRY400
            except Exception as problem:  # noqa: BLE001 - what is not sequenced now is found again
                self._forget()
                logger.error("sequencing failed", extra={"reason": type(problem).__name__})  # noqa: TRY400
            await self._pause()

    def stop(self) -> None:
        """Ends `run` after the round under way; what is half done there another process completes."""
        self._stopping.set()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), PAUSE)
        except TimeoutError:
            return

    def _forget(self) -> None:
        self._epoch, self._tree, self._signed, self._leading = "", Frontier(), None, False

    # -- one round -------------------------------------------------------------------------------------------------------

    async def look(self) -> int:
        """Gives places to the events that have none, signs and drops the head when it is due; how many events were placed."""
        now = self._clock.now()
        if not await self._lead(now):
            return 0
        placed = 0
        async for fresh in self._leaves.unsequenced(self._since(now), BATCH):
            placed += await self._place(fresh, self._clock.now())
            if self._stopping.is_set() or not await self._lead(self._clock.now()):
                return placed
        self._looked = now
        await self._head(self._clock.now())
        self._figures.broken.put(0)
        self._figures.sequenced.add(placed)
        return placed

    async def _lead(self, now: datetime) -> bool:
        if not await self._leaves.lead(Lease(self._token, now + LEASE), now):
            self._forget()
            return False
        if not self._leading:
            self._leading, self._looked, self._full = True, None, now
        return True

    def _since(self, now: datetime) -> datetime | None:
        # A clock that was set back may have dated events before the last look.
        if self._looked is None or now < self._looked or now - self._full >= FULL_EVERY:
            self._full = self._wide = now
            return None
        if now - self._wide >= WIDE_EVERY:
            self._wide = now
            return self._looked - WIDE
        return self._looked - OVERLAP

    async def _place(self, fresh: Sequence[tuple[str, bytes]], now: datetime) -> int:
        epoch, seq = await self._room(now)
        entries = [entry_of(epoch, seq + number, event, body) for number, (event, body) in enumerate(fresh)]
        if not await self._leaves.append(entries):
            # Another process wrote here meanwhile: begin anew from what stands.
            self._forget()
            raise RetryLater("another process went on with the ledger")
        return len(entries)

    async def _room(self, now: datetime) -> tuple[str, int]:
        """The epoch to write in and the next free number there; opens and closes epochs (privacy.md 3.5)."""
        tail = await self._leaves.tail()
        month = epoch_at(now)
        if tail is None:
            await self._append_marker(month, 0, OPENS, opening(month, None))
            return month, 1
        closed = tail.event == f"{CLOSES}:{tail.epoch}"
        if not closed and month <= tail.epoch:
            return tail.epoch, tail.seq + 1
        if not closed:
            await self._append_marker(tail.epoch, tail.seq + 1, CLOSES, closing(tail.epoch, tail.seq + 1))
        await self._grow(tail.epoch)
        await self._sign_now(now)
        # A clock set back does not bring back an epoch that is closed.
        following = max(month, epoch_after(tail.epoch))
        previous = (tail.epoch, self._tree.size, self._tree.root())
        await self._append_marker(following, 0, OPENS, opening(following, previous))
        return following, 1

    async def _append_marker(self, epoch: str, seq: int, kind: str, body: bytes) -> None:
        if not await self._leaves.append([entry_of(epoch, seq, f"{kind}:{epoch}", body)]):
            self._forget()
            raise RetryLater("another process went on with the ledger")

    # -- heads -----------------------------------------------------------------------------------------------------------

    async def _grow(self, epoch: str) -> None:
        """The tree as it is stored. What was signed already is held against the stored leaves before anything is signed again."""
        if self._epoch != epoch:
            self._epoch, self._tree = epoch, Frontier()
            self._signed = await self._leaves.last_head(epoch)
        signed = self._signed
        async for leaf in self._leaves.hashes(epoch, self._tree.size):
            self._tree.add(leaf)
            if signed is not None and self._tree.size == signed.size and self._tree.root() != signed.root:
                raise LedgerBroken(f"the leaves of {epoch} are not those of the head of size {signed.size}")
        if signed is not None and self._tree.size < signed.size:
            raise LedgerBroken(f"leaves of {epoch} are missing: a head of size {signed.size} was signed")

    async def _head(self, now: datetime) -> None:
        signed = self._signed
        recent = signed is not None and timedelta() <= now - signed.at < self._every
        if recent:
            await self._drop()
            return
        tail = await self._leaves.tail()
        if tail is not None:
            await self._grow(tail.epoch)
            await self._sign_now(now)

    async def _sign_now(self, now: datetime) -> None:
        if self._tree.size and (self._signed is None or self._signed.size < self._tree.size):
            head = sign_head(self._epoch, self._tree.size, self._tree.root(), now, self._sign)
            await self._leaves.put_head(head)
            self._signed = head
        await self._drop()

    async def _drop(self) -> None:
        head = self._signed
        if self._anchor is None or head is None or head.id == self._dropped:
            return
        try:
            await self._anchor.drop(head)
        except RetryLater as problem:
            logger.error("a tree head could not be anchored", extra={"reason": str(problem)})  # noqa: TRY400
            return
        self._dropped = head.id
        self._figures.anchored.put(head.at.timestamp())
