"""A STOP is done or comes again, never swallowed: in every state of a conversation, with any owner, whatever fails at any write.

Meta takes 200 for "done" and brings everything else again for seven days; so the one wrong outcome is a 200 without the STOP
(GDPR art. 7(3), 21(3); decisions.md 3).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.ids import Wamid, Words
from bot.domain.inbound import InboundMessage
from bot.runtime.ports import Stored
from tests.properties.life import SIGNED_UP_WORDS, Phones, shop
from tests.runtime.fakes import Disk
from tests.runtime.virtual import VirtualClock, play_out
from tests.runtime.world import ANA, Process, message, person_of, quiet

Change = Callable[[Conversation], Conversation]

STATES: Mapping[str, tuple[str, ...]] = {
    "unknown": (), "notified": ("hello",), "asked once": SIGNED_UP_WORDS[:1], "asked twice": SIGNED_UP_WORDS[:2],
    "consenting": SIGNED_UP_WORDS, "amid an order": ("where is my order",), "about to be deleted": ("delete my data",),
    "asked what to stop": ("where is my order", "cancel"), "stopped": ("STOP",), "come back": ("STOP", "START"),
}  # fmt: skip

OWNERS = ("bot", "queue", "agent", "left")

FLAGS: Mapping[str, dict[str, Any]] = {
    "readable": {}, "unreadable": {"readable": False}, "restricted": {"restricted": True},
    "restricted and unreadable": {"restricted": True, "readable": False},
}  # fmt: skip

FAULTS = [
    pytest.param((), (), id="nothing fails"),
    *(pytest.param((call,), (), id=f"{call} does not arrive") for call in ("recognise", "bind", "find", "address", "suppress", "commit")),
    *(pytest.param((), (call,), id=f"the answer of {call} is lost") for call in ("find", "suppress", "commit")),
    pytest.param(("suppress", "commit"), (), id="both writes fail in turn"),
]  # fmt: skip


def stop_words(number: int) -> InboundMessage:
    return InboundMessage("acc", ANA, Wamid(f"wamid.stop{number}"), VirtualClock().now(), "text", Words("STOP"))


async def conversation_in(state: str, **changes: Any) -> Process:
    """A process alone with one customer in that state."""
    disk = Disk()
    bot = Process(disk, Phones(disk), cast=shop()).start()
    for words in STATES[state]:
        await bot.hears(message(words))
        await quiet(bot.disk)
    await bot.stop(0)
    if STATES[state]:
        row = bot.disk.rows[person_of(bot.disk)]
        row.conversation = replace(row.conversation, **changes)
    return bot


def stopped_by_now(bot: Process) -> bool:
    row = bot.disk.rows.get(person_of(bot.disk))
    names = {name for name, scope in bot.disk.suppressed if scope == "all"}
    everywhere = {"US.Ana0000001", "+12025550101"} <= names
    return row is not None and "all" in row.conversation.stopped and everywhere and not _live(row.conversation)


def _live(conversation: Conversation) -> bool:
    return any(
        consent.state in ("given", "pending_confirmation", "requested") for consent in conversation.consents.values()
    )


@pytest.mark.parametrize(("broken", "unanswered"), FAULTS)
@pytest.mark.parametrize("state", STATES)
def test_a_stop_is_done_or_comes_again(state: str, broken: tuple[str, ...], unanswered: tuple[str, ...]) -> None:
    async def story(owner: str, flags: dict[str, Any]) -> None:
        bot = await conversation_in(state, owner=owner, **flags)
        bot.line.broken.update(dict.fromkeys(broken, 1))
        bot.line.unanswered.update(dict.fromkeys(unanswered, 1))
        said = stop_words(1)
        for delivery in range(6):
            try:
                await bot.turns.accept([said])
            except RetryLater:
                assert delivery < 5, "the STOP is never taken"
                continue
            break
        assert stopped_by_now(bot), f"answered with 200 and not stopped ({owner}, {flags})"

    for owner in OWNERS:
        for flags in FLAGS.values():
            play_out(lambda owner=owner, flags=flags: story(owner, flags))


@pytest.mark.parametrize("state", [name for name, words in STATES.items() if words])
def test_a_stop_is_confirmed_whoever_has_the_chat(state: str) -> None:
    """One confirmation, in the chat, also from a document that cannot be read; none where one was given just before."""

    async def story(owner: str, flags: dict[str, Any]) -> int:
        bot = await conversation_in(state, owner=owner, **flags)
        bot = Process(bot.disk, Phones(bot.disk), seed=1, cast=shop()).start()
        sent = len(bot.disk.sends)
        await bot.hears(stop_words(1), stop_words(2))
        await quiet(bot.disk)
        await bot.stop(0)
        new = list(bot.disk.sends.values())[sent:]
        return sum(one.send.reason == "stop_confirmation" for one in new)

    for owner in OWNERS:
        for name, flags in FLAGS.items():
            said = play_out(lambda owner=owner, flags=flags: story(owner, flags))
            assert said == (0 if state == "stopped" else 1), f"{said} confirmations ({owner}, {name})"


def test_an_erasing_person_is_told_to_come_again_or_is_stopped() -> None:
    """While the erasure runs a STOP of the person on the way out is not lost: it comes again when they are gone, or is written at once."""

    async def story() -> None:
        bot = await conversation_in("notified", erasing=True)
        try:
            await bot.turns.accept([stop_words(1)])
        except RetryLater:
            return
        assert stopped_by_now(bot)

    play_out(story)


def test_a_swallowed_stop_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: an unreadable document is answered with an apology before anybody asks what was wished."""

    def _as_if(conversations: Any, change: Any) -> Stored:
        stored: Stored = conversations._disk.rows[change.after.person].stored()
        return stored

    async def story() -> bool:
        bot = await conversation_in("consenting", readable=False)
        monkeypatch.setattr(type(bot.conversations), "_committed", _as_if)
        await bot.turns.accept([stop_words(1)])
        return stopped_by_now(bot)

    assert not play_out(story)
