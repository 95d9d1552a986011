"""Passwords, one-time codes, and where a stream goes on."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console import codes, passwords
from bot.console.pages import filled, length
from bot.console.passkeys import Place
from bot.console.stream import cursor, spelt

NOW = datetime(2026, 11, 24, 10, 0, 5, tzinfo=UTC)


async def test_a_password_fits_its_hash_and_nothing_else() -> None:
    stored = await passwords.hashed("correct horse battery")
    assert "argon2id" in stored
    assert await passwords.fits(stored, "correct horse battery")
    assert not await passwords.fits(stored, "correct horse batterx")
    assert not await passwords.fits(None, "a password that nobody has")
    assert not await passwords.fits("not a hash", "x")


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("short", id="too short"),
        pytest.param("x" * 201, id="too long"),
        pytest.param("aaaaaaaaaaaaaaa", id="one letter"),
        pytest.param("maria-and-more-1", id="the name"),
        pytest.param("password1234", id="everybody's"),
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    assert passwords.weak(password, "maria")


def test_a_long_one_is_not() -> None:
    assert not passwords.weak("three green kettles", "maria")


@pytest.mark.parametrize(
    ("late", "fits"),
    [
        pytest.param(0, True, id="now"),
        pytest.param(30, True, id="the one before"),
        pytest.param(-30, True, id="a clock that is ahead"),
        pytest.param(90, False, id="an old one"),
    ],
)
def test_a_code_fits_for_a_little_while(late: int, fits: bool) -> None:
    secret = codes.new_secret()
    code = pyotp.TOTP(secret).at(NOW - timedelta(seconds=late))
    assert (codes.matching_step(secret, f" {code[:3]} {code[3:]} ", NOW) is not None) == fits


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert codes.matching_step(codes.new_secret(), code, NOW) is None


@pytest.mark.parametrize(
    ("host", "usable"),
    [("console.example", True), ("localhost", True), ("127.0.0.1", False), ("[::1]", False), ("", False)],
)
def test_passkeys_need_a_name(host: str, usable: bool) -> None:
    assert Place(f"https://{host}", host).usable == usable


@given(st.text(max_size=60))
def test_a_cursor_takes_anything_and_believes_little(text: str) -> None:
    found = cursor(text, ("orders", "front_desk"))
    assert set(found) <= {"orders", "front_desk"}
    assert all(seq >= 0 for seq in found.values())


@given(st.dictionaries(st.sampled_from(["orders", "front_desk"]), st.integers(0, 10**9)))
def test_a_cursor_comes_back_as_it_was_spelt(known: dict[str, int]) -> None:
    assert cursor(spelt(known), ("orders", "front_desk")) == known


def test_values_are_put_in_as_text() -> None:
    assert filled("Hello {name}", {"name": "<b>"}) == "Hello <b>"  # the template escapes it
    assert filled("{a} {b}", {"a": "{b}", "b": "x"}) in ("x x", "{b} x")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(timedelta(minutes=4), "4 min"), (timedelta(hours=3, minutes=5), "3 h 5 min"), (timedelta(days=2, hours=3), "2 d 3 h"),
     (timedelta(seconds=-5), "0 min")],
)  # fmt: skip
def test_lengths_of_time_are_short(value: timedelta, shown: str) -> None:
    assert length(value) == shown
