"""How long a ledger of a million events takes to verify offline, and how many times the bare hashing of its events that is."""

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from bot.privacy.ledger.bundle import Header, Line, write
from bot.privacy.ledger.heads import sign_head
from bot.privacy.ledger.leaves import entry_of, opening
from bot.privacy.ledger.offline import verify_file
from bot.privacy.ledger.tree import Frontier
from tests.privacy.ledger.made import KEYS, NOW, bodies, sign

EVENTS = 1_000_000
EPOCH = "2026-05"


def lines() -> Iterator[Line]:
    """The opening line, events that differ in their ids, and a head over the first half and over all."""
    [(first, body)] = bodies(1)
    before, _, after = body.partition(first.encode())
    tree, heads = Frontier(), []
    for seq in range(EVENTS + 1):
        event = f"{seq:032x}" if seq else f"open:{EPOCH}"
        entry = entry_of(EPOCH, seq, event, before + event.encode() + after if seq else opening(EPOCH, None))
        tree.add(entry.leaf)
        if seq in (EVENTS // 2, EVENTS):
            heads.append(sign_head(EPOCH, seq + 1, tree.root(), NOW, sign))
        yield entry
    yield from heads


def test_print_the_time_of_a_million_events_against_one_hash_of_each(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with path.open("wb") as made:
        for line in write(Header(NOW, KEYS, ()), lines(), sign):
            made.write(line)
    start = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            sha256(line).digest()
    floor = time.perf_counter() - start
    start = time.perf_counter()
    with path.open("rb") as file:
        report = verify_file(file, (), KEYS)
    taken = time.perf_counter() - start
    size = path.stat().st_size / 1e6
    path.unlink()
    print(f"\nledger: {EVENTS} events, {size:.0f} MB, verified in {taken:.1f} s")
    print(f"  SHA-256 of each line {floor:.1f} s; ratio {taken / floor:.1f}")
    assert report.well
    assert report.events == EVENTS
