"""The outbox: in order, at least once, past the gate, and never twice where it can be known."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.command import CloseTicket, Notify, RecordConsent, Send
from bot.domain.ids import CommandId
from bot.domain.message import TextMessage
from bot.privacy.erasure import KEY_CACHES_LIVE
from bot.runtime.ports import Lease, Pending
from tests.runtime.fakes import Disk, Meta
from tests.runtime.virtual import START, VirtualClock, play_out
from tests.runtime.world import ANA, HOUR, Process, message, person_of, quiet, replies, status


def seconds() -> float:
    return asyncio.get_running_loop().time()


def once(fate: str, body: str = "") -> Callable[[str], str]:
    """The first POST (of that text) has this fate, all others are well."""
    left = [fate]

    def plan(said: str) -> str:
        return left.pop() if left and body in ("", said) else "ok"

    return plan


def always(fate: str, body: str) -> Callable[[str], str]:
    return lambda said: fate if said == body else "ok"


def listening(bot: Process, after: float = 0.5) -> None:
    """Meta tells what it took, a moment later."""

    def told(callback: str, word: str) -> None:
        async def tell() -> None:
            await asyncio.sleep(after)
            await bot.turns.accept([status(callback, word)])

        tasks.add(asyncio.get_running_loop().create_task(tell()))

    tasks: set[asyncio.Task[None]] = set()
    bot.meta.told = told


@pytest.mark.parametrize(
    ("fate", "arrived", "dead", "soon"),
    [
        pytest.param("ok", ["re: one", "re: two"], [], 2, id="taken"),
        pytest.param("busy", ["re: one", "re: two"], [], 15, id="refused for its pace: the same again, in order"),
        pytest.param("never", ["re: two"], ["meta_131026"], 2, id="refused for good: the line goes on"),
        pytest.param("lost", ["re: one", "re: two"], [], 75, id="no answer and not taken: sent again after a minute"),
        pytest.param("raise", ["re: one", "re: two"], [], 75, id="the client breaks: sent again after a minute"),
        pytest.param("mute", ["re: one", "re: two"], [], 15, id="taken without an answer: its status says so"),
        pytest.param("hang", ["re: one", "re: two"], [], 30, id="taken, and the connection hangs: its status says so"),
        pytest.param("halt", ["re: one", "re: two"], [], 75, id="the account is refused: everything waits a minute"),
    ],
)
def test_what_becomes_of_a_message(fate: str, arrived: list[str], dead: list[str], soon: float) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        listening(bot)
        bot.meta.plan = once(fate, "re: one")
        await bot.hears(message("one"), message("two"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == arrived
        assert [letter.reason for letter in bot.disk.letters] == dead
        assert seconds() < soon
        assert bot.meta.most_under_way == 1
        await bot.stop()

    play_out(story)


def test_without_any_status_an_ambiguous_send_is_repeated_counted_and_given_up() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.plan = always("lost", "re: one")
        await bot.hears(message("one"), message("two"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: two"]
        assert len(bot.meta.posts) == 6
        assert bot.figure("recado_sends_repeated_total") == 4
        assert [letter.reason for letter in bot.disk.letters] == ["no_answer"]
        await bot.stop()

    play_out(story)


def test_a_halted_account_is_probed_by_one_message_a_minute_and_loses_nothing() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        until = 600.0
        bot.meta.plan = lambda _: "halt" if seconds() < until else "ok"
        await bot.hears(*(message(f"m{n}") for n in range(5)))
        await quiet(bot.disk)
        assert bot.meta.bodies() == replies(f"m{n}" for n in range(5))
        assert len(bot.meta.posts) <= 5 + 11
        assert not bot.disk.letters
        assert bot.figure("recado_sending_halted") == 0
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize(
    "call",
    ["accepted", "settle"],
)
@pytest.mark.parametrize("place", ["broken", "unanswered"])
def test_nothing_that_fails_after_the_post_doubles_the_message(call: str, place: str) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        listening(bot)
        getattr(bot.line, place)[call] = 1
        await bot.hears(message("one"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: one"]
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize("call", ["address", "claim", "start", "release", "renew", "find"])
@pytest.mark.parametrize("place", ["broken", "unanswered"])
def test_a_database_that_blinks_costs_time_only(call: str, place: str) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        listening(bot)
        await bot.hears(message("hush"))
        getattr(bot.line, place)[call] = 2
        await bot.hears(message("one"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: one"]
        assert seconds() < 90
        await bot.stop()

    play_out(story)


def test_nothing_is_claimed_after_a_stop_however_it_falls_between() -> None:
    """The STOP is committed at every single call of the outbox in turn."""

    async def story(place: int) -> bool:
        bot = Process(Disk(), Meta())
        await bot.hears(message("hush"))
        person = person_of(bot.disk)
        passed = 0

        def stop_here(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed == place:
                row = bot.disk.rows[person]
                now = bot.clock.now()
                row.conversation = replace(
                    row.conversation,
                    version=row.conversation.version + 1,
                    standing=row.conversation.standing + 1,
                    stopped={"all": now},
                )

        bot.start()
        bot.line.hook = stop_here
        await bot.hears(message("news today"))
        await quiet(bot.disk)
        await bot.stop()
        assert not bot.disk.forbidden
        assert len(bot.meta.bodies()) + len(bot.disk.refusals) == 1
        return passed > place

    place = 1
    while play_out(partial(story, place)):
        place += 1
    assert place > 10


def test_the_same_with_a_claim_that_does_not_look_is_found_out() -> None:
    """The test before can fail: a database whose claim ignores the standing is caught."""

    async def story(place: int) -> list[str]:
        bot = Process(Disk(), Meta())
        bot.conversations.checks_standing = False
        await bot.hears(message("hush"))
        row = bot.disk.rows[person_of(bot.disk)]
        passed = 0

        def stop_here(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed == place:
                row.conversation = replace(
                    row.conversation, stopped={"all": START}, version=row.conversation.version + 1
                )

        bot.start()
        bot.line.hook = stop_here
        await bot.hears(message("news today"))
        await quiet(bot.disk)
        await bot.stop()
        return bot.disk.forbidden

    assert any(play_out(partial(story, place)) for place in range(1, 20))


def test_a_queued_message_is_refused_after_a_stop_with_the_reason_on_record() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("news today"), message("stop"))
        bot.start()
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["stopped"]
        assert [reason for _, _, reason in bot.disk.refusals] == ["stopped"]
        assert bot.figure("recado_gate_refusals_total") == 1
        await bot.stop()

    play_out(story)


def test_a_stop_while_a_message_is_under_way_is_counted() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.takes = lambda: 5.0
        await bot.hears(message("news today"))
        await asyncio.sleep(1)
        await bot.hears(message("stop"))
        await quiet(bot.disk)
        assert bot.figure("recado_in_flight_at_stop_total") == 1
        assert bot.meta.most_under_way == 1
        await bot.stop()

    play_out(story)


def test_the_confirmation_of_a_stop_overtakes_what_waits() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.plan = always("busy", "re: one")
        await bot.hears(message("one"), message("two"))
        await asyncio.sleep(1)
        await bot.hears(message("stop"))
        await asyncio.sleep(1)
        assert bot.meta.bodies() == ["stopped"]
        await bot.stop()

    play_out(story)


def test_a_message_waits_for_the_consent_it_relies_on() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken["record"] = 3
        await bot.hears(message("record done"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["done"]
        assert len(bot.disk.ledger) == 1
        await bot.stop()

    play_out(story)


def test_a_database_that_is_slow_for_long_costs_no_command_its_tries() -> None:
    """Found by the long crash test: five slow minutes made dead letters, and a backoff kept lines closed after them."""

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken["record"] = 99
        await bot.hears(message("record done"), message("hello"))
        begun = asyncio.get_running_loop().time()
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["done", "re: hello"]
        assert not bot.disk.letters
        assert asyncio.get_running_loop().time() - begun < 99 * 6, "the line opens as soon as the database does"
        await bot.stop()

    play_out(story)


def test_a_message_whose_consent_is_never_recorded_is_refused() -> None:
    def defect(name: str) -> None:
        if name == "record":
            raise ArithmeticError("a defect in the ledger")

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.hook = defect
        await bot.hears(message("record done"), message("hello"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: hello"]
        assert [reason for _, _, reason in bot.disk.refusals] == ["unrecorded"]
        assert [letter.name for letter in bot.disk.letters] == ["RecordConsent"]
        await bot.stop()

    play_out(story)


def test_a_system_that_does_not_listen_holds_up_nobody() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken["notify"] = 10
        await bot.hears(message("notify done"))
        await asyncio.sleep(1)
        assert bot.meta.bodies() == ["done"]
        await quiet(bot.disk, within=4 * 3600)
        assert bot.disk.done == [("notify", "consent.withdrawn")]
        assert not bot.disk.letters
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize(
    ("takes", "outcome", "said"),
    [
        pytest.param(4.0, "ok", "answer: ok", id="it answers"),
        pytest.param(4000.0, "ok", "answer: slow", id="it hangs"),
    ],
)
def test_a_slow_system_never_holds_the_line(takes: float, outcome: str, said: str) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.rest.call_takes, bot.rest.call_outcome = takes, outcome
        await bot.hears(message("call"), message("hello"))
        await asyncio.sleep(1)
        await bot.hears(message("stop"))
        await asyncio.sleep(2)
        assert bot.meta.bodies() == ["re: hello", "stopped"]
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: hello", "stopped", said]
        assert len(bot.disk.done) == 1
        await bot.stop()

    play_out(story)


def test_a_call_whose_answer_cannot_be_played_is_asked_again_and_answered_once() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("hush"))
        bot.line.broken["commit"] = 0
        await bot.hears(message("call"))
        bot.line.unanswered["commit"] = 1
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["answer: ok"]
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize("words", ["export", "ticket 7", "read"])
def test_other_commands_are_carried_out(words: str) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message(words, wamid="wamid.x"))
        await quiet(bot.disk)
        done = {"export": bot.meta.bodies(), "ticket 7": bot.disk.done, "read": bot.meta.read}[words]
        assert done == {"export": ["your data"], "ticket 7": [("ticket", "7")], "read": ["wamid.x"]}[words]
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize(
    ("fate", "settled"),
    [
        pytest.param("ok", True, id="sent"),
        pytest.param("busy", True, id="sent at the second try"),
        pytest.param("never", False, id="refused for good"),
    ],
)
def test_a_request_is_closed_when_its_answer_went_out_and_not_before(fate: str, settled: bool) -> None:
    """GDPR art. 12(3): what nobody got is no answer; the request stays open, and its clock goes on."""

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.plan = once(fate)
        await bot.hears(message("export access"))
        await quiet(bot.disk)
        assert bot.disk.done == ([("settle", "access")] if settled else [])
        assert bot.meta.bodies() == (["your data"] if settled else [])
        await bot.stop()

    play_out(story)


def test_an_export_that_may_have_gone_out_is_not_made_again() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        listening(bot)
        bot.meta.plan = once("mute")
        await bot.hears(message("export"))
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["your data"]
        await bot.stop()

    play_out(story)


def test_an_unreadable_command_goes_to_the_dead_letters_and_the_line_goes_on() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("one"), message("two"))
        row = bot.disk.rows[person_of(bot.disk)]
        row.pending[0] = replace(row.pending[0], command=None)
        bot.start()
        await quiet(bot.disk)
        assert bot.meta.bodies() == ["re: two"]
        assert [letter.reason for letter in bot.disk.letters] == ["unreadable"]
        await bot.stop()

    play_out(story)


def test_metas_word_that_somebody_stopped_is_a_stop() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.meta.plan = once("opt_out")
        await bot.hears(message("news today"), message("news tomorrow"))
        await quiet(bot.disk)
        assert not bot.meta.bodies()
        assert bot.disk.rows[person_of(bot.disk)].conversation.stopped
        assert [reason for _, _, reason in bot.disk.refusals] == ["stopped"]
        assert not bot.disk.letters
        await bot.stop()

    play_out(story)


def test_one_person_is_written_to_no_faster_than_meta_allows_and_in_order() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        words = [f"m{n}" for n in range(50)]
        await bot.hears(*(message(one) for one in words))
        await quiet(bot.disk)
        assert bot.meta.bodies() == replies(words)
        assert seconds() > 5 * 6 - 5
        await bot.stop()

    play_out(story)


def test_a_message_of_our_own_accord_waits_for_its_hour_and_answers_go_past() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("hush"))
        row = bot.disk.rows[person_of(bot.disk)]
        tip = Send(
            CommandId("ab" * 16),
            "business",
            TextMessage("tip"),
            "tips",
            "utility",
            not_before=VirtualClock().now() + HOUR,
        )
        row.pending.append(Pending(tip.id, tip, not_before=tip.not_before))
        bot.start()
        await bot.hears(message("hello"))
        await asyncio.sleep(2)
        assert bot.meta.bodies() == ["re: hello"]
        await asyncio.sleep(3600)
        assert bot.meta.bodies() == ["re: hello", "tip"]
        await bot.stop()

    play_out(story)


def test_rows_of_an_old_stop_are_lifted_by_a_fresh_double_yes_and_a_newer_stop_stands() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("hush"))
        bot.disk.suppressed["US.Ana0000001", "all"] = START - HOUR
        bot.disk.suppressed["US.Ana0000001", "tips"] = START + HOUR
        await bot.hears(message("record done"))
        await quiet(bot.disk)
        assert set(bot.disk.suppressed) == {("US.Ana0000001", "tips")}
        await bot.stop()

    play_out(story)


def test_whoever_lost_the_lease_does_nothing_more() -> None:
    async def story() -> None:
        disk, meta = Disk(), Meta()
        slow, other = Process(disk, meta), Process(disk, meta, seed=2)
        await slow.hears(message("hush"))
        row = disk.rows[person_of(disk)]

        def taken(name: str) -> None:
            if name == "claim":
                slow.line.hook = None
                row.lease = Lease("another", slow.clock.now() + timedelta(seconds=20))

        slow.line.hook = taken
        slow.start()
        await slow.hears(message("one"))
        await asyncio.sleep(5)
        assert not meta.bodies()
        other.start()
        await quiet(disk)
        assert meta.bodies() == ["re: one"]
        await slow.stop()
        await other.stop()

    play_out(story)


def test_records_keep_their_order_and_a_ticket_is_not_closed_before_it_is_open() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        bot.line.broken["ticket"] = 2
        await bot.hears(message("ticket 7"))
        row = bot.disk.rows[person_of(bot.disk)]
        close = CloseTicket(CommandId("cd" * 16), "7", "resolved")
        row.pending.append(Pending(close.id, close))
        bot.start()
        await quiet(bot.disk)
        assert bot.disk.done == [("ticket", "7"), ("close", "7")]
        await bot.stop()

    play_out(story)


def test_an_erasure_flushes_the_ledger_first_sends_one_receipt_and_leaves_nobody() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken["record"] = 2
        said = [message("record done"), message("notify x"), message("erase")]
        await bot.hears(said[0], said[1])
        await bot.hears(said[2])
        await quiet(bot.disk)
        assert len(bot.disk.ledger) == 1
        assert bot.meta.bodies()[-1] == "erased"
        assert bot.meta.bodies().count("erased") == 1
        assert seconds() > KEY_CACHES_LIVE.total_seconds()
        assert not bot.disk.rows
        assert not bot.disk.identities
        assert not bot.disk.letters
        for one in said:
            await bot.hears(one)
        assert not bot.disk.rows
        await bot.stop()

    play_out(story)


@pytest.mark.parametrize("call", ["begin", "destroy_key", "delete_rows", "erase", "finished", "close_job"])
@pytest.mark.parametrize("place", ["broken", "unanswered"])
def test_an_erasure_goes_on_from_wherever_it_broke_off(call: str, place: str) -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        getattr(bot.line, place)[call] = 2
        await bot.hears(message("erase"))
        await quiet(bot.disk)
        assert not bot.disk.rows
        assert not bot.disk.identities
        assert bot.meta.bodies().count("erased") <= 1
        await bot.stop()

    play_out(story)


def test_an_erasure_is_never_given_up() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        bot.line.broken["begin"] = 12
        await bot.hears(message("erase"))
        await quiet(bot.disk, within=6 * 3600)
        assert not bot.disk.rows
        assert not bot.disk.letters
        await bot.stop()

    play_out(story)


def test_what_relies_on_nothing_recorded_is_never_sent_by_accident() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.hears(message("hush"))
        row = bot.disk.rows[person_of(bot.disk)]
        record = RecordConsent(CommandId("01" * 16), "confirmed", START)
        reply = Send(CommandId("02" * 16), "answer", TextMessage("thanks"), relies_on=record.id)
        notice = Notify(CommandId("03" * 16), "consent.given")
        row.pending = [Pending(reply.id, reply), Pending(notice.id, notice), Pending(record.id, record)]
        row.due = START
        bot.start()
        await quiet(bot.disk)
        assert not bot.meta.bodies(ANA.bsuid.value if ANA.bsuid else "")
        assert [reason for _, _, reason in bot.disk.refusals] == ["unrecorded"]
        await bot.stop()

    play_out(story)
