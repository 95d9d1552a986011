"""What is personal is found in whatever form it stands, and our own pseudonyms are left alone."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.observability import redaction

NUMBER = "15550100123"
WAMID = "wamid." + base64.b64encode(b"\x1c\x18\x0b" + NUMBER.encode() + b"\x15\x02\x00\x11\x18\x12").decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("call +1 555 010 0123 now", "call <number> now", id="a number with spaces"),
        pytest.param("to 15550100123", "to <number>", id="a bare number"),
        pytest.param("(555) 010-0123", "(<number>", id="a national number"),
        pytest.param("٠٠٣٥١٩١٢٣٤٥٦٧٨", "<number>", id="a number in Arabic digits"),
        pytest.param("write to ana.exemplo+x@mail.example.org!", "write to <email>!", id="an e-mail address"),
        pytest.param(f"got {WAMID} twice", "got <message_id> twice", id="a message id"),
        pytest.param(f"cut {WAMID[6:]}", "cut <encoded>", id="a message id without its prefix"),
        pytest.param(f"cut {WAMID[9:]}", "cut <encoded>", id="a message id cut in the middle"),
        pytest.param(NUMBER.encode().hex(), "<encoded>", id="a number in hex"),
        pytest.param("user US.13491208655302741918", "user <user_id>", id="a WhatsApp user id"),
        pytest.param("user PT.ENT.11815799212886844830", "user <user_id>", id="a parent user id"),
        pytest.param(
            "person 0123456789abcdef0123456789abcdef", "person 0123456789abcdef0123456789abcdef", id="our pseudonym"
        ),
        pytest.param("event de844676b799bc31991cfe1d", "event de844676b799bc31991cfe1d", id="our event id"),
        pytest.param("123456789012345678901234", "<number>", id="digits that look like an event id"),
        pytest.param("took 123 ms, code 131047, 3 of 10", "took 123 ms, code 131047, 3 of 10", id="small numbers"),
        pytest.param("the quick brown fox jumps", "the quick brown fox jumps", id="words"),
    ],
)
def test_what_is_personal_is_replaced(text: str, expected: str) -> None:
    assert redaction.scrub(text) == expected


@given(st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True), st.integers(0, 12), st.integers(0, 12))
def test_a_number_in_base64_is_found_wherever_it_lies(number: str, before: int, after: int) -> None:
    token = base64.urlsafe_b64encode(b"\x01" * before + number.encode() + b"\x02" * after).decode().rstrip("=")
    assert redaction.findings(f"id {token}")


@given(
    st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True),
    st.sampled_from(["plain", "hex", "base64", "quoted", "wamid"]),
    st.integers(0, 9),
)
def test_a_planted_secret_is_found_in_every_form(number: str, form: str, offset: int) -> None:
    text = {
        "plain": number,
        "hex": number.encode().hex(),
        "base64": base64.b64encode(b"x" * offset + number.encode() + b"yy").decode(),
        "quoted": f"%2B{number}",
        "wamid": "wamid." + base64.b64encode(b"\x1c\x18\x0b" + number.encode() + b"\x15\x02").decode(),
    }[form]
    assert redaction.leaked(f"some line {text} goes on", [f"+{number}"]) == [f"+{number}"]


def test_words_and_names_are_found_in_their_forms_and_nothing_else_is() -> None:
    name = "Ana Canário"
    for text in (name, "ana canário", name.encode().hex(), base64.b64encode(name.encode()).decode(), r"Ana Can\xe1rio"):
        assert redaction.leaked(f"x {text} y", [name]) == [name]
    assert redaction.leaked("Ana Canhoto, 15550199", [name, "+15550100123"]) == []


@given(st.text(max_size=300))
def test_scrubbing_never_fails_and_is_done_at_once(text: str) -> None:
    once = redaction.scrub(text)
    assert redaction.scrub(once) == once


def test_a_long_line_takes_no_long_time() -> None:
    """Linear: 200 times the text may not take thousands of times as long; here it only must come back."""
    for text in ("1 " * 100_000, "a" * 200_000, "A." * 100_000, "." * 200_000, "x@" * 100_000):
        redaction.scrub(text)
