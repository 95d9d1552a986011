"""Turns: what arrives is played once, in order, and is durable before it is acknowledged."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.command import Notify
from bot.domain.errors import RetryLater
from bot.domain.event import MessageReceived, SendRequested, TimerFired
from bot.domain.ids import Address, Bsuid, CommandId, EventId, PersonId, Wamid
from bot.domain.inbound import AccountNotice, HumanEcho, IdentityChange, Inbound, PreferenceSignal, Unknown
from bot.runtime.ports import Lease, Pending
from tests.runtime.fakes import Disk, Meta
from tests.runtime.virtual import START, play_out
from tests.runtime.world import ANA, BEN, Process, message, person_of, quiet, replies, status


def alone() -> Process:
    return Process(Disk(), Meta())


def test_a_message_is_answered_once_however_often_it_comes() -> None:
    async def story() -> None:
        bot = alone().start()
        hello = message("hello")
        await asyncio.gather(*(bot.hears(hello) for _ in range(50)))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: hello"]
        assert set(bot.disk.turns.values()) == {1}
        await bot.stop()

    play_out(story)


def test_a_burst_of_one_person_is_answered_in_order_with_few_commits() -> None:
    async def story() -> None:
        bot = alone().start()
        burst = [message(f"m{n}") for n in range(20)]
        await asyncio.gather(*(bot.hears(one) for one in burst))
        await quiet(bot.disk)
        assert bot.meta.bodies() == replies(f"m{n}" for n in range(20))
        row = bot.disk.rows[person_of(bot.disk)]
        assert row.conversation.version == 20
        await bot.stop()

    play_out(story)


def test_what_waits_is_sorted_by_the_providers_time_but_a_delivery_keeps_its_own_order() -> None:
    async def story() -> None:
        bot = alone().start()
        later, sooner = START + timedelta(seconds=5), START + timedelta(seconds=1)
        first = asyncio.create_task(bot.hears(message("first", at=START)))
        await asyncio.sleep(0)
        second = asyncio.create_task(bot.hears(message("b1", at=later), message("b2", at=START)))
        third = asyncio.create_task(bot.hears(message("a", at=sooner)))
        await asyncio.gather(first, second, third)
        await quiet(bot.disk)
        assert bot.meta.bodies() == replies(["first", "a", "b1", "b2"])
        await bot.stop()

    play_out(story)


def test_people_are_played_side_by_side_and_a_broken_one_harms_nobody() -> None:
    async def story() -> None:
        bot = alone().start()
        await bot.hears(message("boom"), message("hello", BEN))
        await quiet(bot.disk)
        assert sorted(bot.meta.bodies()) == ["re: hello", "sorry"]
        assert [(letter.kind, letter.reason) for letter in bot.disk.letters] == [("event", "ArithmeticError")]
        kept = bot.disk.letters[0].content
        assert isinstance(kept, MessageReceived)
        assert kept.words.value == "boom"
        await bot.stop()

    play_out(story)


def test_a_stop_survives_broken_intents_of_a_neighbour_and_a_broken_engine() -> None:
    async def story() -> None:
        bot = alone()
        bot.turns._parts.engine.advance = _broken  # type: ignore[method-assign]
        await bot.hears(message("unintelligible"), message("stop"))
        person = person_of(bot.disk)
        row = bot.disk.rows[person]
        assert "all" in row.conversation.stopped
        assert ("US.Ana0000001", "all") in bot.disk.suppressed
        assert ("+12025550101", "all") in bot.disk.suppressed
        assert [letter.reason for letter in bot.disk.letters] == ["LookupError"]

    def _broken(*_: object) -> None:
        raise ArithmeticError

    play_out(story)


def test_an_unreadable_conversation_obeys_a_stop_and_apologises_for_the_rest() -> None:
    async def story() -> None:
        bot = alone().start()
        await bot.hears(message("hello"))
        await quiet(bot.disk)
        row = bot.disk.rows[person_of(bot.disk)]
        row.conversation = replace(row.conversation, readable=False)
        await bot.hears(message("what"), message("stop"), message("and now"))
        await quiet(bot.disk)
        # The confirmation overtakes what was said before it (decisions.md 12).
        assert bot.meta.bodies() == ["re: hello", "stopped", "sorry", "re: and now"]
        assert [letter.reason for letter in bot.disk.letters] == ["unreadable"]
        await bot.stop()

    play_out(story)


def test_what_cannot_be_stored_is_answered_with_an_apology_and_the_line_goes_on() -> None:
    async def story() -> None:
        bot = alone().start()
        await bot.hears(message("huge"))
        await bot.hears(message("hello"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["sorry", "re: hello"]
        assert [letter.reason for letter in bot.disk.letters] == ["OverflowError"]
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize(
    ("broken", "unanswered"),
    [
        pytest.param("find", "", id="the conversation cannot be read"),
        pytest.param("commit", "", id="the commit does not arrive"),
        pytest.param("", "commit", id="the commit arrives and its answer does not"),
        pytest.param("suppress", "", id="the suppression rows cannot be written"),
        pytest.param("admit", "", id="nobody can be admitted"),
        pytest.param("recognise", "", id="nobody can be recognised"),
    ],
)
def test_a_stop_is_done_or_comes_again(broken: str, unanswered: str) -> None:
    async def story() -> None:
        bot = alone()
        bot.line.broken[broken] = 1
        bot.line.unanswered[unanswered] = 1
        said = message("stop")
        with pytest.raises(RetryLater):
            await bot.turns.accept([said])
        await bot.turns.accept([said])
        assert bot.disk.rows[person_of(bot.disk)].conversation.stopped
        assert set(bot.disk.turns.values()) == {1}

    play_out(story)


def test_suppression_rows_are_written_before_the_turn() -> None:
    async def story() -> None:
        bot = alone()
        await bot.hears(message("hello"))
        bot.line.broken["commit"] = 1
        with pytest.raises(RetryLater):
            await bot.turns.accept([message("stop")])
        assert ("US.Ana0000001", "all") in bot.disk.suppressed
        assert not bot.disk.rows[person_of(bot.disk)].conversation.stopped

    play_out(story)


def test_standing_moves_with_what_the_gate_sees_and_only_then() -> None:
    async def story() -> None:
        bot = alone()
        await bot.hears(message("hush", at=START))
        person = person_of(bot.disk)
        one = bot.disk.rows[person].conversation.standing
        await bot.turns.submit(person, TimerFired(EventId("ab" * 12), START, "none", START))
        assert bot.disk.rows[person].conversation.standing == one
        await bot.hears(message("stop", at=START))
        assert bot.disk.rows[person].conversation.standing == one + 1

    play_out(story)


@pytest.mark.parametrize(
    ("age", "answered"),
    [
        pytest.param(timedelta(days=7), True, id="as old as Meta redelivers"),
        pytest.param(timedelta(days=7, hours=1, seconds=1), False, id="older than that"),
    ],
)
def test_a_message_is_played_unless_it_is_too_old(age: timedelta, *, answered: bool) -> None:
    async def story() -> None:
        bot = alone()
        await bot.turns.accept([message("hello", at=START - age)])
        assert bool(bot.disk.turns) is answered
        assert bot.figure("recado_inbound_ignored_total") == (0 if answered else 1)

    play_out(story)


def test_a_message_from_the_future_opens_no_longer_window() -> None:
    async def story() -> None:
        bot = alone()
        await bot.turns.accept([message("hello", at=START + timedelta(days=30))])
        until = bot.disk.rows[person_of(bot.disk)].conversation.window_until
        assert until is not None
        assert until <= START + timedelta(hours=24, seconds=1)

    play_out(story)


def test_statuses_change_no_conversation_and_never_fail_the_delivery() -> None:
    async def story() -> None:
        bot = alone()
        bot.line.broken["status"] = 3
        await bot.turns.accept([status("nobody") for _ in range(40)])
        assert not bot.disk.rows
        assert not bot.disk.identities
        assert bot.figure("recado_inbound_ignored_total") == 3

    play_out(story)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(AccountNotice("account_update", "x"), id="a notice for operators"),
        pytest.param(HumanEcho("acc", ANA, "echo", START), id="what a colleague wrote by hand"),
        pytest.param(Unknown("new_field", "new_kind"), id="something of tomorrow"),
        pytest.param(IdentityChange("acc", ANA, None, Wamid("w"), START), id="a change without the old identity"),
        pytest.param(IdentityChange("acc", ANA, BEN, Wamid("w"), START), id="a change of somebody unknown"),
        pytest.param(
            PreferenceSignal("acc", ANA, "resume", "marketing_messages", START), id="a switch of somebody unknown"
        ),
    ],
)
def test_only_messages_make_somebody_known(item: Inbound) -> None:
    async def story() -> None:
        bot = alone()
        await bot.turns.accept([item])
        assert not bot.disk.rows
        assert not bot.disk.identities
        assert bot.figure("recado_inbound_ignored_total") == 1

    play_out(story)


def test_an_unknown_persons_switch_at_meta_is_remembered_without_them() -> None:
    async def story() -> None:
        bot = alone()
        await bot.turns.accept([PreferenceSignal("acc", ANA, "stop", "marketing_messages", START)])
        assert not bot.disk.identities
        assert ("US.Ana0000001", "marketing") in bot.disk.suppressed
        await bot.turns.accept([message("hello")])
        assert "marketing" in bot.disk.rows[person_of(bot.disk)].conversation.stopped

    play_out(story)


def test_a_known_persons_switch_at_meta_is_a_turn_once() -> None:
    async def story() -> None:
        bot = alone()
        signal = PreferenceSignal("acc", ANA, "stop", "marketing_messages", START)
        await bot.turns.accept([message("hello")])
        await bot.turns.accept([signal])
        await bot.turns.accept([signal])
        assert bot.disk.rows[person_of(bot.disk)].conversation.stopped
        assert set(bot.disk.turns.values()) == {1}

    play_out(story)


def test_a_new_id_of_a_known_person_brings_what_was_suppressed_for_it() -> None:
    async def story() -> None:
        bot = alone()
        phone_only = Address(phone=ANA.phone)
        bot.disk.suppressed["US.Ana0000001", "all"] = START
        await bot.turns.accept([message("hello", phone_only)])
        person = bot.disk.identities["+12025550101"]
        before = bot.disk.rows[person].conversation
        assert not before.stopped
        await bot.turns.accept([message("hush", ANA)])
        after = bot.disk.rows[person].conversation
        assert "all" in after.stopped
        assert after.standing > before.standing
        assert person_of(bot.disk) == person

    play_out(story)


def test_a_moved_person_is_the_same_and_stays_stopped() -> None:
    async def story() -> None:
        bot = alone()
        await bot.turns.accept([message("stop")])
        person = person_of(bot.disk)
        moved = Address(bsuid=Bsuid("US.Ana0000002"))
        await bot.turns.accept([IdentityChange("acc", moved, ANA, Wamid("w"), START), message("hello", moved)])
        assert bot.disk.identities["US.Ana0000002"] == person
        assert ("US.Ana0000002", "all") in bot.disk.suppressed

    play_out(story)


def test_what_an_erased_person_was_answered_for_makes_nobody_new() -> None:
    async def story() -> None:
        bot = alone()
        said = message("hello")
        bot.disk.tombstones.add(bot.ids.event(said.wamid.value))
        await bot.turns.accept([said])
        assert not bot.disk.rows
        assert not bot.disk.identities

    play_out(story)


def test_what_an_erased_person_was_answered_for_stays_answered_when_they_begin_anew() -> None:
    """An erasure leaves a suppression (privacy.md 2.9), and Meta may bring for eight days what came before it."""

    async def story() -> None:
        bot = alone()
        old = message("hello")
        bot.disk.tombstones.add(bot.ids.event(old.wamid.value))
        bot.disk.suppressed["US.Ana0000001", "all"] = START
        await bot.hears(message("good day"))
        before = dict(bot.disk.turns)
        await bot.hears(old)
        assert dict(bot.disk.turns) == before

    play_out(story)


def test_our_own_events_are_for_known_people_only() -> None:
    async def story() -> None:
        bot = alone()
        event = SendRequested(EventId("cd" * 12), START, "tips", "x")
        assert not await bot.turns.submit(PersonId("0" * 32), event)
        assert not bot.disk.rows
        await bot.hears(message("hello"))
        person = person_of(bot.disk)
        assert await bot.turns.submit(person, event)
        assert await bot.turns.submit(person, event)
        assert bot.disk.turns[person, event.id] == 1

    play_out(story)


def test_with_too_much_pending_only_a_stop_is_played() -> None:
    async def story() -> None:
        bot = alone()
        await bot.hears(message("hush"))
        row = bot.disk.rows[person_of(bot.disk)]
        row.pending = [Pending(CommandId(f"{n:032x}"), Notify(CommandId(f"{n:032x}"), "x")) for n in range(100)]
        row.lease = Lease("somebody", START + timedelta(hours=1))
        with pytest.raises(RetryLater):
            await bot.turns.accept([message("hello"), message("stop")])
        assert row.conversation.stopped
        assert len(row.pending) == 101

    play_out(story)


def test_after_the_wish_to_be_erased_nothing_more_is_swallowed() -> None:
    async def story() -> None:
        bot = alone()
        erase, stop = message("erase"), message("stop")
        with pytest.raises(RetryLater):
            await bot.turns.accept([message("hello"), erase, stop])
        assert bot.ids.event(stop.wamid.value) not in bot.disk.rows[person_of(bot.disk)].seen
        with pytest.raises(RetryLater):
            await bot.turns.accept([stop])

    play_out(story)


def test_when_too_much_waits_the_answer_is_quick() -> None:
    async def story() -> None:
        bot = alone()
        with pytest.raises(RetryLater):
            await bot.turns.accept([message(f"m{n}") for n in range(2001)])
        assert not bot.disk.rows

    play_out(story)


def test_nothing_is_kept_of_senders_who_are_idle() -> None:
    async def story() -> None:
        bot = alone()
        senders = [Address(bsuid=Bsuid(f"US.Person{n:04}")) for n in range(300)]
        await asyncio.gather(*(bot.hears(message("hush", one)) for one in senders))
        assert len(bot.disk.rows) == 300
        assert len(bot.turns._boxes) == 0

    play_out(story)


def test_a_caller_that_is_gone_does_not_hold_up_the_others() -> None:
    async def story() -> None:
        bot = alone()
        first = asyncio.create_task(bot.turns.accept([message("one")]))
        second = asyncio.create_task(bot.turns.accept([message("two")]))
        await asyncio.sleep(0)
        first.cancel()
        await second
        await bot.turns.drain()
        assert len(bot.disk.turns) == 2

    play_out(story)
