"""The Merkle tree of RFC 6962: known roots, and proofs that prove what they say and nothing else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy.ledger.tree import (
    EMPTY,
    Frontier,
    consistency_proof,
    consistent,
    included,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
)  # fmt: skip

# The eight leaves and the roots over the first 1 to 8 of them of Certificate Transparency's reference tests.
INPUTS = [bytes.fromhex(one) for one in
          ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(one) for one in INPUTS]
SIZES = st.integers(1, 70)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_no_leaf_at_all_has_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_the_reference(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_a_node_is_never_a_leaf() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(SIZES, st.integers(0, 69))
def test_every_leaf_is_proven_and_no_other(size: int, index: int) -> None:
    """Also not the same leaf at another place, of another size, or with a changed, longer or shorter path."""
    all_leaves = leaves(size)
    index %= size
    proof, whole = inclusion_proof(all_leaves, index), root(all_leaves)
    assert included(all_leaves[index], index, size, proof, whole)
    assert not included(leaf_hash(b"other"), index, size, proof, whole)
    assert not included(all_leaves[index], index, size, [*proof, EMPTY], whole)
    assert not included(all_leaves[index], size, size, proof, whole)
    for number in range(len(proof)):
        changed = [bytes([one[0] ^ 1, *one[1:]]) if at == number else one for at, one in enumerate(proof)]
        assert not included(all_leaves[index], index, size, changed, whole)
    if proof:
        assert not included(all_leaves[index], index, size, proof[:-1], whole)
    for other in range(size):
        assert other == index or not included(all_leaves[index], other, size, proof, whole)


@given(SIZES, SIZES)
def test_every_earlier_tree_is_proven_to_be_the_beginning(one: int, other: int) -> None:
    old, new = sorted((one, other))
    all_leaves = leaves(new)
    proof, old_root, new_root = consistency_proof(all_leaves, old), root(all_leaves[:old]), root(all_leaves)
    assert consistent(old, new, old_root, new_root, proof)
    assert not consistent(old, new, leaf_hash(b"x"), new_root, proof)
    assert not consistent(old, new, old_root, leaf_hash(b"x"), proof)
    assert not consistent(old, new, old_root, new_root, [*proof, EMPTY])
    for number in range(len(proof)):
        changed = [bytes([part[0] ^ 1, *part[1:]]) if at == number else part for at, part in enumerate(proof)]
        assert not consistent(old, new, old_root, new_root, changed)


@given(SIZES, st.data())
def test_a_history_that_was_rewritten_has_no_proof(size: int, data: st.DataObject) -> None:
    """A tree whose early leaf is another one is not consistent with the old root by any of its own proofs."""
    old = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, old - 1))
    before = leaves(size)
    after = [leaf_hash(b"forged") if at == index else one for at, one in enumerate(before)]
    assert not consistent(old, size, root(before[:old]), root(after), consistency_proof(after, old))


@given(SIZES)
def test_a_growing_tree_has_the_root_of_the_whole_at_each_size(size: int) -> None:
    tree = Frontier()
    for number, leaf in enumerate(leaves(size), start=1):
        tree.add(leaf)
        again = tree.copy()
        assert tree.root() == root(leaves(number))
        again.add(EMPTY)
        assert tree.root() == root(leaves(number))


@pytest.mark.parametrize("size", [0, 9])
def test_what_is_not_there_has_no_proof(size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, 8 if size else -1)
    with pytest.raises(ValueError, match="earlier tree"):
        consistency_proof(LEAVES, size)
    assert not consistent(0, 8, EMPTY, root(LEAVES), [])
