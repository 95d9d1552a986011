"""The bot is silent while somebody else speaks on the same number, and still hears a wish to stop."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.command import OpenRequest
from bot.domain.conversation import Conversation, Frame
from bot.domain.event import ColleagueSpoke, MessageReceived
from bot.domain.ids import EventId, PersonId, Wamid, Words
from bot.domain.inbound import DeliveryStatus, HumanEcho, Inbound, InboundMessage
from bot.domain.intent import Decision, Intent
from bot.runtime import silence
from tests.runtime.fakes import Disk, Meta
from tests.runtime.virtual import START, play_out
from tests.runtime.world import ANA, BEN, Process, message, person_of, quiet

HOUR = timedelta(hours=1)


def echo(kind: str = "echo", *, after: timedelta = timedelta(), wamid: str = "wamid.echo") -> HumanEcho:
    return HumanEcho("acc", ANA, kind, START + after, Wamid(wamid))


def told(*deliveries: list[Inbound]) -> tuple[list[str], Conversation, dict[tuple[str, str], datetime]]:
    """What Ana reads after these deliveries, how her conversation stands, and what is suppressed. She wrote `hello` before."""
    disk, meta = Disk(), Meta()

    async def story() -> None:
        bot = Process(disk, meta).start()
        await bot.hears(message("hello"))
        await quiet(disk)
        for one in deliveries:
            await bot.hears(*one)
            await quiet(disk)
        await bot.stop()

    play_out(story)
    return meta.bodies()[1:], disk.rows[person_of(disk)].conversation, dict(disk.suppressed)


def said(words: str) -> InboundMessage:
    return message(words, at=START)


def standby(words: str) -> InboundMessage:
    return replace(said(words), standby=True)


@pytest.mark.parametrize(
    ("deliveries", "read"),
    [
        pytest.param([[echo()], [said("hi")]], [], id="a colleague wrote by hand"),
        pytest.param([[said("hi"), echo()]], [], id="in the same delivery, after the message"),
        pytest.param([[echo("control_taken")], [said("hi")]], [], id="somebody took the thread"),
        pytest.param([[echo("standby")], [said("hi")]], [], id="Meta's agent answered"),
        pytest.param([[standby("hi")]], [], id="a message that went to Meta's agent"),
        pytest.param([[standby("hi")], [standby("say more")]], [], id="and another"),
        pytest.param([[echo("control_taken")], [echo("control_passed", after=HOUR / 60, wamid="")], [said("hi")]], ["re: hi"],
                     id="the thread came back"),
        pytest.param([[echo("control_passed", after=HOUR / 60)], [echo("control_taken")], [said("hi")]], ["re: hi"],
                     id="the webhooks came in the wrong order"),
        pytest.param([[echo(after=-5 * HOUR)], [said("hi")]], ["re: hi"], id="a word of hours ago"),
        pytest.param([[HumanEcho("acc", BEN, "echo", START)], [said("hi")]], ["re: hi"], id="a word to somebody else"),
        pytest.param([[HumanEcho("acc", None, "echo", START)], [said("hi")]], ["re: hi"], id="a word to nobody"),
        pytest.param([[echo()], [said("stop")]], ["stopped"], id="a wish to stop is confirmed all the same"),
        pytest.param([[standby("stop")]], ["stopped"], id="also while Meta's agent speaks"),
    ],
)  # fmt: skip
def test_who_speaks_and_who_is_silent(deliveries: list[list[Inbound]], read: list[str]) -> None:
    assert told(*deliveries)[0] == read


@pytest.mark.parametrize(
    "stop", [standby("stop"), replace(standby("Enough"), option="recado:stop:all", kind="template_tap")]
)
def test_a_stop_on_standby_is_on_record(stop: InboundMessage) -> None:
    _, conversation, suppressed = told([stop])

    assert "all" in conversation.stopped
    assert ("US.Ana0000001", "all") in suppressed


@pytest.mark.parametrize(
    ("answers", "stops"),
    [
        ({"flow_token": "t", "remarks": "stop"}, True), ({"page": {"remarks": ["fine", "STOP"]}}, True),
        ({"flow_token": "stop"}, False), ({"remarks": "unstoppable", "n": 1, "none": None}, False), ({}, False),
    ],
)  # fmt: skip
def test_a_wish_to_stop_typed_into_a_form_is_heard(answers: dict[str, object], stops: bool) -> None:
    form = replace(said(""), kind="form", data={"flow": answers})

    assert bool(told([form])[1].stopped) is stops


def test_an_echo_makes_nobody_known() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        await bot.turns.accept([echo()])
        assert not bot.disk.identities
        assert bot.figure("recado_inbound_ignored_total") == 1

    play_out(story)


def test_the_same_echo_twice_is_one_turn() -> None:
    assert told([echo()], [echo()])[1].version == told([echo()])[1].version


def test_silence_ends_open_flows_and_a_right_is_kept_for_people() -> None:
    before = Conversation(PersonId("p" * 32), frames=(Frame("order", "v", "s", question="q"),), slots=({"a": 1},))
    held = silence.spoken(before, ColleagueSpoke(EventId("e"), START, START + HOUR)).conversation
    event = MessageReceived(
        EventId("f"), START, words=Words("delete my data"), intent=Intent(flags=frozenset({"erase"}))
    )
    turn = silence.listened(held, event, START)

    assert (held.frames, held.slots, silence.is_quiet(held, START)) == ((), (), True)
    assert not silence.is_quiet(held, START + HOUR)
    (request,) = turn.commands
    assert isinstance(request, OpenRequest)
    assert (request.kind, request.status, request.words) == ("erase", "unsure", "delete my data")


@pytest.mark.parametrize("until", [None, START + HOUR])
def test_what_cannot_be_read_leaves_no_flow_open_without_its_values(until: datetime | None) -> None:
    broken = Conversation(
        PersonId("p" * 32), frames=(Frame("order", "v", "s"),), readable=False, quiet_since=START + HOUR
    )

    assert silence.spoken(broken, ColleagueSpoke(EventId("e"), START, until)).conversation.frames == ()
    assert silence.listened(broken, MessageReceived(EventId("f"), START), START).conversation.frames == ()


def test_an_unclear_wish_rests_marketing_without_a_word() -> None:
    unsure = MessageReceived(EventId("f"), START, words=Words("enough?"), intent=Intent(Decision.ASK, "unclear"))
    turn = silence.listened(Conversation(PersonId("p" * 32)), unsure, START)

    assert turn.commands == ()
    assert turn.conversation.paused_until == START + timedelta(hours=24)


def test_a_status_that_says_the_person_stopped_marketing_stops_it() -> None:
    """131050 comes in a webhook as often as in the answer (whatsapp.md 3.9)."""

    async def story() -> None:
        bot = Process(Disk(), Meta()).start()
        await bot.hears(message("hello"))
        await quiet(bot.disk)
        (callback,) = bot.disk.sends
        failed = DeliveryStatus("acc", Wamid("wamid.s"), callback, "failed", START, 131050)
        await bot.hears(failed)
        await bot.hears(failed)
        await quiet(bot.disk)
        assert bot.disk.rows[person_of(bot.disk)].conversation.stopped
        assert ("US.Ana0000001", "all") in bot.disk.suppressed
        await bot.turns.accept([replace(failed, callback="unknown")])
        await bot.stop()

    play_out(story)


def test_deliveries_are_counted_by_what_is_charged_for_them() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta())
        for word, pricing in (
            ("sent", "utility"),
            ("delivered", "utility"),
            ("read", ""),
            ("delivered", "+12025550101"),
        ):
            await bot.turns.accept([DeliveryStatus("acc", Wamid("w"), "c", word, START, 0, pricing, "regular")])
        text = bot.registry.text()
        assert 'recado_delivered_total{category="utility",kind="regular"} 1' in text
        assert 'recado_delivered_total{category="other",kind="regular"} 1' in text
        assert "2025550101" not in text

    play_out(story)
