"""Mailboxes: one batch at a time for one key, bounded, and gone when idle."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.domain.errors import RetryLater
from bot.runtime.mailbox import Mailboxes
from tests.runtime.virtual import play_out


def box(*, takes: float = 1.0, **limits: int) -> tuple[Mailboxes[str], list[list[str]]]:
    """Mailboxes whose handling takes a while, and the batches they handed on."""
    batches: list[list[str]] = []

    async def handle(items: Sequence[str]) -> None:
        batches.append(list(items))
        await asyncio.sleep(takes)
        if "bad" in items:
            raise ZeroDivisionError

    return Mailboxes(handle, **{"most_waiting": 100, **limits}), batches


def test_what_comes_meanwhile_is_the_next_batch() -> None:
    async def story() -> None:
        boxes, batches = box()
        first = asyncio.create_task(boxes.put([("a", "1")]))
        await asyncio.sleep(0.1)
        assert not any(await asyncio.gather(*(boxes.put([("a", word)]) for word in "234"), first))
        assert batches == [["1"], ["2", "3", "4"]]
        assert len(boxes) == 0

    play_out(story)


def test_a_batch_is_bounded_and_keeps_its_order() -> None:
    async def story() -> None:
        boxes, batches = box(batch=2)
        await boxes.put([("a", word) for word in "12345"])
        assert batches == [["1", "2"], ["3", "4"], ["5"]]

    play_out(story)


@pytest.mark.parametrize(
    "limits",
    [pytest.param({"most_waiting": 3}, id="of all senders"), pytest.param({"most_each": 2}, id="of one sender")],
)
def test_too_much_is_refused_at_once_and_nothing_of_it_is_kept(limits: dict[str, int]) -> None:
    async def story() -> None:
        boxes, batches = box(**limits)
        waiting = asyncio.create_task(boxes.put([("a", word) for word in "123"]))
        await asyncio.sleep(0)
        with pytest.raises(RetryLater):
            await boxes.put([("a", "4")])
        await waiting
        assert [word for batch in batches for word in batch] == ["1", "2", "3"]
        assert not await boxes.put([("a", "5")])

    play_out(story)


def test_a_flood_of_one_sender_does_not_shut_out_another() -> None:
    async def story() -> None:
        boxes, batches = box(most_each=2)
        flood = asyncio.create_task(boxes.put([("a", "1"), ("a", "2"), ("a", "3")]))
        await asyncio.sleep(0)
        assert not await boxes.put([("b", "4")])
        await flood
        assert ["4"] in batches

    play_out(story)


def test_a_batch_that_fails_is_told_and_the_next_goes_on() -> None:
    async def story() -> None:
        boxes, batches = box()
        assert await boxes.put([("a", "bad")])
        assert not await boxes.put([("a", "good")])
        assert batches == [["bad"], ["good"]]

    play_out(story)


def test_a_stop_in_the_middle_strands_nobody() -> None:
    async def story() -> None:
        boxes, _ = box(batch=1)
        waiting = asyncio.create_task(boxes.put([("a", "1"), ("a", "2")]))
        await asyncio.sleep(0.5)
        for task in boxes._tasks:
            task.cancel()
        assert await waiting
        assert len(boxes) == 0
        assert not await boxes.put([("a", "3")])

    play_out(story)
