"""The runtime's small pure decisions: pace and retry."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Command, Erase, MarkRead, Notify, Send
from bot.domain.ids import CommandId, Wamid
from bot.domain.message import TextMessage
from bot.runtime import retry
from bot.runtime.pace import Bucket, take
from tests.runtime.virtual import START

ID = CommandId("a")
SEND = Send(ID, "answer", TextMessage("x"))


@given(st.lists(st.integers(0, 20_000), max_size=300))
def test_no_stretch_of_time_holds_more_than_meta_allows(gaps: list[int]) -> None:
    """In any stretch of T seconds at most 45 + T / 6 messages (whatsapp.md 3.10)."""
    bucket, now, sent = Bucket(), START, []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        bucket, wait = take(bucket, now)
        if not wait:
            sent.append(now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= 45 + (sent[last] - sent[first]) / timedelta(seconds=6) + 1e-3


@given(st.lists(st.integers(0, 20_000), min_size=50, max_size=120))
def test_whoever_waits_as_long_as_told_may_send(gaps: list[int]) -> None:
    bucket, now = Bucket(), START
    for gap in gaps:
        now += timedelta(milliseconds=gap % 50)
        bucket, wait = take(bucket, now)
        if wait:
            now += wait + timedelta(milliseconds=1)
            bucket, wait = take(bucket, now)
            assert not wait


def test_a_clock_that_jumps_back_gives_no_tokens() -> None:
    bucket, _ = take(Bucket(), START)
    after, wait = take(bucket, START - timedelta(hours=1))
    assert after.tokens == bucket.tokens - 1
    assert not wait


@given(st.integers(1, 100), st.floats(0.5, 1200), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_shorter_than_asked_for_and_never_endless(attempts: int, first: float, chance: float) -> None:
    asked = timedelta(seconds=first)
    wait = retry.delay(attempts, asked, chance)
    assert asked <= wait <= max(retry.LONGEST, asked) * 1.5 + timedelta(microseconds=1)
    assert retry.delay(attempts + 1, asked, chance) >= wait


@pytest.mark.parametrize(
    ("command", "tries"),
    [
        pytest.param(SEND, 5, id="a message: five"),
        pytest.param(None, 5, id="what cannot be read: five"),
        pytest.param(MarkRead(ID, Wamid("w")), 1, id="a tick: one"),
        pytest.param(Notify(ID, "x"), 40, id="a notice to another system: for hours"),
    ],
)
def test_a_command_is_given_up_after(command: Command | None, tries: int) -> None:
    assert [retry.gives_up(command, n) for n in (tries - 1, tries)] == [False, True]


def test_an_erasure_is_never_given_up() -> None:
    assert not retry.gives_up(Erase(ID, START, "en", TextMessage("x")), 10**6)


def test_a_rate_limit_of_a_minute_and_a_half_costs_no_message() -> None:
    """Meta's throughput limit (130429) asks for 1 s at first; all tries together outlast a busy minute."""
    waits = [retry.delay(n, timedelta(seconds=1), 0.0) for n in range(1, retry.GIVE_UP_AFTER)]
    assert sum(waits, timedelta()) > timedelta(seconds=80)
