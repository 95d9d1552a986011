"""What happened to a ledger of 200 lines is found and called by its name; without a head from outside, what cannot be known is said."""

from dataclasses import replace

import pytest

from bot.domain.errors import Unreadable
from bot.privacy import crypto
from bot.privacy.keyring import Signed
from bot.privacy.ledger.bundle import Header, end_line, line_bytes, read_line
from bot.privacy.ledger.heads import TreeHead, head_file, read_head, sign_head
from bot.privacy.ledger.leaves import Entry, entry_of
from bot.privacy.ledger.report import NO_OUTSIDE_HEAD
from bot.privacy.ledger.tree import leaf_hash, root
from tests.privacy.ledger.made import KEYS, NOW, Ledger, bodies, checked, epoch, heads_of, kinds, ledger, resigned, sign

WHOLE = ledger()
LAST = WHOLE.heads[-1]
PLACES = range(200)


def without(index: int) -> tuple[Entry, ...]:
    return WHOLE.entries[:index] + WHOLE.entries[index + 1 :]


def moved(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Places counted anew, so that there is no gap to see."""
    return tuple(replace(one, seq=seq) for seq, one in enumerate(entries))


def test_a_whole_ledger_is_well_and_says_what_it_cannot_know() -> None:
    report = WHOLE.report()
    assert report.well
    assert (report.events, report.unanchored, report.unknowable) == (199, 0, (NO_OUTSIDE_HEAD,))
    assert WHOLE.report([LAST]).unknowable == ()


def test_events_beyond_the_last_outside_head_are_counted() -> None:
    report = WHOLE.report([WHOLE.heads[3]])
    assert (report.well, report.unanchored) == (True, 100)
    assert "100 events" in report.unknowable[0]


# -- without re-signing: found from what is stored alone -----------------------------------------------------------------


@pytest.mark.parametrize("index", PLACES)
def test_a_dropped_line_is_found(index: int) -> None:
    report = Ledger(without(index), WHOLE.heads).report()
    assert not report.well
    assert kinds(report) & {"dropped", "truncated"}
    assert not Ledger(moved(without(index)), WHOLE.heads).report().well


@pytest.mark.parametrize("index", PLACES)
def test_a_missing_event_is_found_by_its_leaf(index: int) -> None:
    entries = [replace(one, body=None) if seq == index else one for seq, one in enumerate(WHOLE.entries)]
    [found] = Ledger(tuple(entries), WHOLE.heads).report().findings
    assert (found.kind, found.where) == ("dropped", WHOLE.entries[index].id)


@pytest.mark.parametrize("index", range(199))
def test_two_exchanged_lines_are_found(index: int) -> None:
    """Only their events, or the whole of two lines with their leaves; the place is told exactly."""
    one, other = WHOLE.entries[index], WHOLE.entries[index + 1]
    events = [*WHOLE.entries]
    events[index], events[index + 1] = replace(one, body=other.body), replace(other, body=one.body)
    report = Ledger(tuple(events), WHOLE.heads).report()
    assert [(found.kind, found.where) for found in report.findings][-2:] == [("swapped", one.id), ("swapped", other.id)]
    lines = [*WHOLE.entries]
    lines[index], lines[index + 1] = other, one
    found = Ledger(moved(tuple(lines)), WHOLE.heads).report().findings
    if index:
        # Across a signed head it cannot be told from a line put in there, as the next lines are another head's.
        called = {"swapped", "inserted"} if index % 25 == 24 else {"swapped"}
        assert (found[-1].kind in called, found[-1].where) == (True, one.id)
    assert found


@pytest.mark.parametrize("index", range(1, 200))
def test_an_inserted_line_is_found_at_its_place(index: int) -> None:
    """With places counted and leaves computed anew, but heads as they were signed."""
    [(event, body)] = bodies(1, first=900)
    entries = moved((*WHOLE.entries[:index], entry_of("2026-05", index, event, body), *WHOLE.entries[index:]))
    [found] = Ledger(entries, WHOLE.heads).report().findings
    assert (found.kind, found.where) == ("inserted", entries[index].id)


@pytest.mark.parametrize("size", PLACES)
def test_a_cut_off_end_is_found(size: int) -> None:
    report = Ledger(WHOLE.entries[:size], WHOLE.heads).report()
    assert kinds(report) == {"truncated"}


@pytest.mark.parametrize("index", PLACES)
def test_a_changed_leaf_is_found(index: int) -> None:
    """Also where event and leaf were changed together."""
    entry = WHOLE.entries[index]
    body = (entry.body or b"").replace(b'"schema":"', b'"schema":"x')
    for forged in (
        replace(entry, leaf=bytes(32)),
        replace(entry, body=body),
        replace(entry, body=body, leaf=leaf_hash(body)),
    ):
        entries = [forged if seq == index else one for seq, one in enumerate(WHOLE.entries)]
        assert kinds(Ledger(tuple(entries), WHOLE.heads).report()) & {"changed", "rewritten"}


@pytest.mark.parametrize("index", PLACES)
def test_a_doubled_line_is_found(index: int) -> None:
    entries = (*WHOLE.entries[: index + 1], *WHOLE.entries[index:])
    assert "doubled" in kinds(Ledger(entries, WHOLE.heads).report())


# -- with re-signing: only a head from outside knows ---------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 200))
def test_a_cut_off_end_signed_anew_is_found_with_an_outside_head_and_else_admitted(size: int) -> None:
    forged = resigned(WHOLE.entries[:size])
    assert kinds(forged.report([LAST])) == {"signed_anew"}
    report = forged.report()
    assert report.well
    assert report.unknowable == (NO_OUTSIDE_HEAD,)


@pytest.mark.parametrize("index", range(1, 200))
def test_any_other_change_signed_anew_is_found_with_an_outside_head(index: int) -> None:
    """Dropped, inserted, exchanged or changed: with everything signed anew."""
    [(event, body)] = bodies(1, first=900)
    new = entry_of("2026-05", index, event, body)
    entries = WHOLE.entries
    exchanged = [*entries]
    exchanged[index - 1], exchanged[index] = entries[index], entries[index - 1]
    forgeries = [
        without(index),
        (*entries[:index], new, *entries[index:]),
        exchanged,
        (*entries[:index], new, *entries[index + 1 :]),
    ]
    for forged in forgeries:
        assert not resigned(forged).report([LAST]).well
        assert not resigned(forged, every=7).report([WHOLE.heads[-1], *WHOLE.heads[:2]]).well


def test_a_key_nobody_knew_is_not_believed() -> None:
    def other(data: bytes) -> Signed:
        return Signed("k2", crypto.signature(bytes(32), data))

    head = sign_head("2026-05", 200, root([one.leaf for one in WHOLE.entries]), NOW, other)
    assert kinds(Ledger(WHOLE.entries, (head,)).report()) == {"signature"}


# -- epochs --------------------------------------------------------------------------------------------------------------


def two_epochs() -> tuple[list[Entry], list[Entry]]:
    first = epoch("2026-05", bodies(20), before=None, close=True)
    before = ("2026-05", len(first), root([one.leaf for one in first]))
    return first, epoch("2026-06", bodies(20, first=20), before=before, close=False)


def test_epochs_hang_together() -> None:
    first, second = two_epochs()
    heads = (*heads_of(first, 5), *heads_of(second, 5))
    assert Ledger((*first, *second), heads).report().well


@pytest.mark.parametrize("index", range(22))
def test_an_old_epoch_rewritten_with_its_heads_contradicts_its_successor(index: int) -> None:
    """Without any head from outside: the next month names the root of this one."""
    first, second = two_epochs()
    again = resigned([*first[:index], *first[index + 1 :]], every=5) if index else resigned(first[1:], every=5)
    heads = (*again.heads, *heads_of(second, 5))
    assert not Ledger((*again.entries, *second), heads).report().well


def test_a_missing_epoch_is_found_unless_it_was_pruned_by_a_signed_word() -> None:
    first, second = two_epochs()
    heads = (*heads_of(first, 30), *heads_of(second, 5))
    assert not Ledger(tuple(second), heads).report().well
    assert not Ledger(tuple(second), tuple(heads_of(second, 5))).report().well
    word = sign_head("2026-05", len(first), root([one.leaf for one in first]), NOW, sign, pruned=True)
    report = Ledger(tuple(second), (*heads, word)).report()
    assert report.well, report.findings
    assert report.pruned == ("2026-05",)
    false_word = sign_head("2026-05", len(first), bytes(32), NOW, sign, pruned=True)
    assert not Ledger(tuple(second), (*heads, false_word)).report().well


# -- every bit -----------------------------------------------------------------------------------------------------------


def flips(data: bytes) -> "list[bytes]":
    whole = int.from_bytes(data, "big")
    return [(whole ^ (1 << bit)).to_bytes(len(data), "big") for bit in range(8 * len(data))]


def test_every_bit_of_every_line_counts() -> None:
    """Exhaustive over the 200 lines: flipped, a line cannot be read, or is not the hash of its leaf, or stands elsewhere."""
    for entry in WHOLE.entries:
        leaf = entry.leaf
        for flipped in flips(line_bytes(entry)):
            try:
                read = read_line(flipped)
            except Unreadable:
                continue
            assert isinstance(read, Entry)
            assert read.body is not None
            same_place = (read.epoch, read.seq, read.event) == (entry.epoch, entry.seq, entry.event)
            assert not (same_place and read.leaf == leaf and leaf_hash(read.body) == leaf)


def test_every_bit_of_a_line_is_found_by_the_whole_verification() -> None:
    """In the middle of a small ledger; other lines signed, the file's own digest made anew by the forger."""
    small = ledger(8, every=4)
    lines = small.file().splitlines(keepends=True)
    for number in (3,):
        for flipped in flips(lines[number]):
            assert not checked(_ended([*lines[:number], flipped, *lines[number + 1 : -1]])).well


def _found(lines: list[bytes], number: int, flipped: bytes) -> bool:
    """Whether `verify` objects to the 200 lines with this one changed, whose file was signed anew by somebody who has the key.

    The header says when the file was made; whoever has the key may say so of any file, so there the old signature stays.
    """
    changed = [*lines[:number], flipped, *lines[number + 1 : -1]]
    data = _ended(changed) if number else b"".join([*changed, lines[-1]])
    try:
        return not checked(data, [LAST]).well
    except Unreadable:
        return True


def test_a_bit_anywhere_in_the_file_is_found_with_an_outside_head() -> None:
    """Six bits of every line of the whole file, heads and header among them, spread over the line."""
    lines = WHOLE.file().splitlines(keepends=True)
    for number, line in enumerate(lines[:-1]):
        for part in range(6):
            place = (len(line) - 1) * part // 6
            bit = (number + part) % 8
            flipped = line[:place] + bytes([line[place] ^ (1 << bit)]) + line[place + 1 :]
            assert _found(lines, number, flipped), f"bit {bit} of byte {place} of line {number}"


@pytest.mark.long
def test_a_bit_of_every_byte_of_the_file_is_found_with_an_outside_head() -> None:
    lines = WHOLE.file().splitlines(keepends=True)
    for number, line in enumerate(lines[:-1]):
        for place in range(len(line) - 1):
            flipped = line[:place] + bytes([line[place] ^ (1 << (place % 8))]) + line[place + 1 :]
            assert _found(lines, number, flipped), f"bit {place % 8} of byte {place} of line {number}"


@pytest.mark.parametrize("head", [pytest.param(one, id=str(one.size)) for one in WHOLE.heads[:2]])
def test_every_bit_of_a_head_counts(head: TreeHead) -> None:
    for flipped in flips(head_file(head)[:-1]):
        try:
            read = read_head(flipped)
        except (Unreadable, UnicodeDecodeError):
            continue
        assert not read.verified_by(KEYS)


def _ended(lines: list[bytes]) -> bytes:
    from hashlib import sha256

    data = b"".join(lines)
    return data + end_line(sha256(data).digest(), sign)


# -- the file ------------------------------------------------------------------------------------------------------------


def test_an_export_is_verified_like_the_ledger_it_is_of() -> None:
    report = checked(WHOLE.file(), [LAST])
    assert report.well, report.findings
    assert report.plain()["events"] == 199
    assert checked(WHOLE.file(), keys=None).unknowable[0].startswith("The public keys came with")


@pytest.mark.parametrize("number", range(0, 209, 8))
def test_a_line_taken_out_of_the_file_is_found(number: int) -> None:
    lines = WHOLE.file().splitlines(keepends=True)
    left = b"".join([*lines[:number], *lines[number + 1 :]])
    if number == 0:
        with pytest.raises(Unreadable, match="no ledger export"):
            checked(left)
    else:
        assert not checked(left).well


def test_what_is_no_export_is_refused() -> None:
    with pytest.raises(Unreadable, match="no ledger export"):
        checked(b'{"something":"else"}\n')


def test_a_file_without_its_end_is_cut_off() -> None:
    lines = WHOLE.file().splitlines(keepends=True)
    assert "truncated" in kinds(checked(b"".join(lines[:-1])))
    assert not checked(b"".join([*lines, lines[5]])).well


def test_lines_of_every_kind_are_read_as_they_were_written() -> None:
    for line in (*WHOLE.entries[:3], *WHOLE.heads[:2], Header(NOW, KEYS, ("a", "b"))):
        assert read_line(line_bytes(line)) == line
