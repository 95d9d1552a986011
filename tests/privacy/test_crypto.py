"""What is sealed opens only where it was sealed, whole, and by its own key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Unreadable
from bot.privacy import crypto

PLACE = {"collection": "conversations", "row": "r1", "field": "p", "person": "p1"}
PLAIN = b"The words of one person"


@pytest.fixture
def key() -> crypto.DataKey:
    return crypto.DataKey(crypto.new_key())


def test_sealed_data_open_where_they_were_sealed(key: crypto.DataKey) -> None:
    sealed = key.seal(PLAIN, **PLACE)
    assert key.unseal(sealed, **PLACE) == PLAIN
    assert PLAIN not in sealed


def test_the_same_words_never_look_the_same_twice(key: crypto.DataKey) -> None:
    assert key.seal(PLAIN, **PLACE) != key.seal(PLAIN, **PLACE)


@pytest.mark.parametrize("name", sorted(PLACE))
def test_moved_data_do_not_open(key: crypto.DataKey, name: str) -> None:
    with pytest.raises(Unreadable):
        key.unseal(key.seal(PLAIN, **PLACE), **{**PLACE, name: "other"})


def test_the_bounds_between_names_count(key: crypto.DataKey) -> None:
    sealed = key.seal(PLAIN, collection="ab", row="c", field="p", person="x")
    with pytest.raises(Unreadable):
        key.unseal(sealed, collection="a", row="bc", field="p", person="x")


def test_another_key_does_not_open(key: crypto.DataKey) -> None:
    with pytest.raises(Unreadable):
        crypto.DataKey(crypto.new_key()).unseal(key.seal(PLAIN, **PLACE), **PLACE)


def test_every_flipped_bit_and_every_cut_is_noticed(key: crypto.DataKey) -> None:
    sealed = key.seal(PLAIN, **PLACE)
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unreadable):
            key.unseal(bytes(broken), **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            key.unseal(sealed[:length], **PLACE)


def test_a_failure_says_nothing_of_the_content(key: crypto.DataKey) -> None:
    with pytest.raises(Unreadable) as caught:
        key.unseal(key.seal(PLAIN, **PLACE), **{**PLACE, "person": "p2"})
    assert caught.value.__cause__ is None
    assert "p2" not in str(caught.value)


def test_a_key_shows_itself_nowhere() -> None:
    raw = crypto.new_key()
    key = crypto.DataKey(raw)
    assert raw.hex() not in repr(key)
    assert not hasattr(key, "__dict__")
    with pytest.raises(ValueError, match="32 bytes"):
        crypto.DataKey(raw[:16])


@pytest.mark.parametrize("changed", ["kek", "kid", "person"])
def test_a_wrapped_key_opens_for_its_own_person_and_kid_only(changed: str) -> None:
    kek, key = crypto.new_key(), crypto.new_key()
    wrapped = crypto.wrap(kek, key, kid="k1", person="p1")
    assert crypto.unwrap(kek, wrapped, kid="k1", person="p1") == key
    with pytest.raises(Unreadable):
        crypto.unwrap(
            crypto.new_key() if changed == "kek" else kek, wrapped,
            kid="k2" if changed == "kid" else "k1", person="p2" if changed == "person" else "p1",
        )  # fmt: skip


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_a_keyed_hash_is_equal_for_equal_parts_only(left: list[str], right: list[str]) -> None:
    key = b"k" * 32
    equal = crypto.keyed_hash(key, *left) == crypto.keyed_hash(key, *right)
    assert equal is (left == right)
    assert crypto.keyed_hash(key, *left) != crypto.keyed_hash(b"j" * 32, *left)


def test_a_signature_holds_for_its_data_and_key() -> None:
    """RFC 8032, section 7.1, test 2."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    assert crypto.public_key(seed) == public
    signed = crypto.signature(seed, b"\x72")
    assert signed.hex().startswith("92a009a9f0d4cab8720e820b5f642540")
    assert crypto.verify(public, b"\x72", signed)
    assert not crypto.verify(public, b"\x73", signed)
    assert not crypto.verify(public, b"\x72", signed[:-1])
    assert not crypto.verify(crypto.public_key(crypto.new_key()), b"\x72", signed)
    assert not crypto.verify(b"short", b"\x72", signed)


def test_tokens_are_long_and_new() -> None:
    assert len({crypto.random_token() for _ in range(100)}) == 100
    assert len(crypto.random_token()) == 32
    assert crypto.constant_time_equal(b"a", b"a")
    assert not crypto.constant_time_equal(b"a", b"b")
