"""The worker: what is due is found, what a crash left is taken up, and a stop is an end."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from tests.runtime.fakes import Disk, Meta
from tests.runtime.virtual import START, play_out
from tests.runtime.world import ANA, BEN, Process, message, person_of, quiet, replies


def seconds() -> float:
    return asyncio.get_running_loop().time()


async def fired(disk: Disk) -> None:
    while any(row.conversation.timers for row in disk.rows.values()):  # noqa: ASYNC110 - the clock is virtual
        await asyncio.sleep(1)
    await quiet(disk)


def test_a_timer_fires_once_at_its_time() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("timer 300"))
        await fired(bot.disk)
        assert len(bot.meta.bodies()) == 1
        assert 300 <= seconds() < 305
        await bot.stop()

    play_out(story)


def test_a_timer_outlives_the_process_and_a_long_outage() -> None:
    async def story() -> None:
        disk, meta = Disk(), Meta()
        first = Process(disk, meta).start()
        await first.hears(message("timer 60"), message("timer 10", BEN))
        first.kill()
        await asyncio.sleep(5000)
        both = [Process(disk, meta, seed=n).start() for n in (1, 2)]
        await fired(disk)
        assert len(meta.bodies()) == 2
        assert seconds() < 5010
        for bot in (first, *both):
            await bot.stop(0)

    play_out(story)


def test_timers_of_one_person_fire_in_the_order_of_their_times() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("timer 50"), message("timer 20"))
        await asyncio.sleep(100)
        bot.start()
        await fired(bot.disk)
        assert bot.meta.bodies() == ["timer: t2", "timer: t1"]
        await bot.stop()

    play_out(story)


def test_a_timer_that_cannot_be_played_is_a_dead_letter_and_comes_due_no_more() -> None:
    """Left in the document it would be taken up at every look, for ever (peers.md B)."""

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("boomtimer 20"), message("timer 30"))
        await asyncio.sleep(100)
        await quiet(bot.disk)
        [row] = bot.disk.rows.values()
        assert row.conversation.timers == ()
        assert [letter.name for letter in bot.disk.letters] == ["TimerFired"]
        assert bot.meta.bodies() == ["timer: t2"]
        await bot.stop()

    play_out(story)


def test_a_timer_that_cannot_be_played_keeps_nothing_else_from_being_done() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("timer 1"), message("erase"))
        await asyncio.sleep(100)
        bot.start()
        await quiet(bot.disk)
        assert not bot.disk.rows
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize("call", ["find", "claim", "start", "address", "count", "settle", "accepted", "commit"])
def test_a_process_that_dies_at_any_call_leaves_an_answer_within_90_seconds(call: str) -> None:
    async def story() -> None:
        disk, meta = Disk(), Meta()
        first, second = Process(disk, meta).start(), Process(disk, meta, seed=7)
        await first.hears(message("hush"))
        said = message("hello")

        def dies(name: str) -> None:
            if name == call:
                first.kill()

        first.line.hook = dies
        hearing = asyncio.create_task(first.hears(said))
        second.start()
        await asyncio.sleep(3)
        await second.hears(said)
        begun = seconds()
        await quiet(disk)
        assert seconds() - begun < 90
        assert "re: hello" in meta.bodies()
        assert meta.bodies().count("re: hello") <= 1 + second.figure("recado_sends_repeated_total")
        hearing.cancel()
        await second.stop()
        await first.stop(0)

    play_out(story)


def test_work_that_is_cancelled_at_any_call_leaves_nothing_half_done() -> None:
    async def story(place: int) -> bool:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("hush"))
        passed = 0

        def cancels(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed == place:
                for task in bot.worker._tasks:
                    task.cancel()

        bot.line.hook = cancels
        await bot.hears(message("record first"), message("second"))
        await quiet(bot.disk)
        said = bot.meta.bodies()
        assert [*dict.fromkeys(said)] == ["first", "re: second"]
        assert len(said) - 2 <= bot.figure("recado_sends_repeated_total")
        assert len(bot.disk.ledger) == 1
        await bot.stop()
        return passed >= place and place < 80

    place = 1
    while play_out(partial(story, place)):
        place += 1
    assert place > 40


def test_one_conversation_that_fails_costs_nobody_else_anything() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("hello"), message("hi", BEN))
        work = bot.outbox.work
        broken = person_of(bot.disk)

        async def fails(stored, lease):  # type: ignore[no-untyped-def]
            if stored.conversation.person == broken:
                raise ZeroDivisionError
            await work(stored, lease)

        bot.outbox.work = fails  # type: ignore[method-assign]
        bot.start()
        await asyncio.sleep(200)
        assert bot.meta.bodies() == ["re: hi"]
        bot.outbox.work = work  # type: ignore[method-assign]
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: hi", "re: hello"]
        await bot.stop()

    play_out(story)


def test_a_database_that_is_away_for_an_hour_stops_no_loop() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken |= dict.fromkeys(("due", "unfinished", "take"), 1000)
        await asyncio.sleep(3600)
        await bot.hears(message("hello"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: hello"]
        await bot.stop()

    play_out(story)


def test_a_stop_finishes_what_is_under_way() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.takes = lambda: 3.0
        await bot.hears(message("one"), message("two"))
        await bot.stop(within=20)
        assert bot.meta.bodies() == replies(["one", "two"])
        assert not bot.disk.rows[person_of(bot.disk)].lease

    play_out(story)


def test_a_stop_that_runs_out_of_time_leaves_the_rest_to_others() -> None:
    async def story() -> None:
        disk, meta = Disk(), Meta()
        first, second = Process(disk, meta).start(), Process(disk, meta, seed=5)
        meta.takes = lambda: 5.0
        await first.hears(*(message(f"m{n}") for n in range(4)))
        begun = seconds()
        await first.stop(within=7)
        assert seconds() - begun < 8
        second.start()
        await quiet(disk)
        said = [*dict.fromkeys(meta.bodies())]
        assert said == replies(f"m{n}" for n in range(4))
        assert len(meta.bodies()) - 4 <= second.figure("recado_sends_repeated_total")
        await second.stop()

    play_out(story)


def test_more_work_than_places_is_all_done() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        people = [replace_bsuid(n) for n in range(400)]
        await asyncio.gather(*(bot.hears(message("hello", one)) for one in people))
        await quiet(bot.disk)
        assert len(bot.meta.bodies()) == 400
        assert max(row.conversation.version for row in bot.disk.rows.values()) == 1
        await bot.stop()

    play_out(story)


def replace_bsuid(n: int):  # type: ignore[no-untyped-def]
    return type(ANA)(bsuid=type(ANA.bsuid)(f"US.Many{n:05}"))  # type: ignore[misc,arg-type]


def test_the_calls_of_one_answered_message_stay_few() -> None:
    """Round trips a message, with a known person: a figure to notice when it grows (performance.md)."""

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("hello"))
        await quiet(bot.disk)
        calls: list[str] = []
        bot.line.hook = calls.append
        await bot.hears(message("again"))
        row = bot.disk.rows[person_of(bot.disk)]
        while row.lease is not None:  # noqa: ASYNC110 - the clock is virtual
            await asyncio.sleep(0.01)
        bot.line.hook = None
        made = set(calls) - {"due", "unfinished"}
        assert made == {"recognise", "address", "find", "commit", "claim", "start", "accepted", "settle"}
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=3)])
def test_work_left_long_ago_is_done_when_somebody_comes(age: timedelta) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("hello", at=START))
        await asyncio.sleep(age.total_seconds())
        bot.start()
        await quiet(bot.disk)
        # After three days the window is shut: the gate refuses on record instead of sending an answer nobody may get.
        assert (bot.meta.bodies(), len(bot.disk.refusals)) == ((["re: hello"], 0) if not age else ([], 1))
        await bot.stop()

    play_out(story)
