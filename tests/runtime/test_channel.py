"""What Meta's notices mean for sending, and that the outbox keeps to it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.ids import CommandId, EventId
from bot.domain.inbound import AccountNotice
from bot.domain.message import TemplateMessage, TextMessage
from bot.runtime.channel import (
    HALTED_FOR,
    AccountState,
    TemplateState,
    account_after,
    as_meta_sees_it,
    template_after,
    template_key,
    template_of,
)
from tests.privacy.sample import BUSINESS
from tests.runtime.fakes import Disk, Meta
from tests.runtime.virtual import START, play_out
from tests.runtime.world import BEN, Process, message

DAY = timedelta(days=1)


def told(event: str, **detail: str) -> AccountNotice:
    return AccountNotice("account_update", event, detail)


@pytest.mark.parametrize(
    ("notice", "answers", "own"),
    [
        pytest.param(told("DISABLED_UPDATE", ban_state="DISABLE"), DAY, DAY, id="disabled: nothing goes out"),
        pytest.param(told("ACCOUNT_DELETED"), DAY, DAY, id="deleted"),
        pytest.param(told("ACCOUNT_OFFBOARDED"), DAY, DAY, id="off-boarded"),
        pytest.param(told("ACCOUNT_RESTRICTION"), None, DAY, id="restricted without a kind: nothing of our own accord"),
        pytest.param(
            told("ACCOUNT_RESTRICTION", restrictions="RESTRICTED_BIZ_INITIATED_MESSAGING", until="soon"), None, DAY,
            id="restricted until nobody knows when",
        ),
        pytest.param(
            told("ACCOUNT_RESTRICTION", restrictions="X,RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
                 until=str(int((START + 5 * DAY).timestamp()))), 5 * DAY, 5 * DAY, id="not even answers, for five days",
        ),
        pytest.param(told("ACCOUNT_RESTRICTION", restrictions="RESTRICTED_ADD_PHONE_NUMBER_ACTION"), None, None, id="no new numbers"),
        pytest.param(told("ACCOUNT_VIOLATION", violation="SPAM"), None, None, id="a warning stops nothing"),
        pytest.param(told("VERIFIED_ACCOUNT"), None, None, id="good news"),
        pytest.param(AccountNotice("security", "PIN_CHANGED"), None, None, id="another field"),
    ],
)  # fmt: skip
def test_what_a_notice_holds_back(notice: AccountNotice, answers: timedelta | None, own: timedelta | None) -> None:
    state = account_after(AccountState(), notice, START)

    def shown(wait: datetime | None) -> timedelta | None:
        return wait - START if wait else None

    assert shown(state.wait(START, own_accord=False)) == answers
    assert shown(state.wait(START, own_accord=True)) == own


@pytest.mark.parametrize("back", [told("ACCOUNT_RECONNECTED"), told("DISABLED_UPDATE", ban_state="REINSTATE")])
def test_good_news_ends_a_halt_and_so_does_time(back: AccountNotice) -> None:
    halted = account_after(AccountState(), told("ACCOUNT_OFFBOARDED"), START)

    assert account_after(halted, back, START) == AccountState()
    assert halted.wait(START + DAY, own_accord=True) is None


@pytest.mark.parametrize(
    ("event", "sendable"),
    [
        ("APPROVED", True), ("FLAGGED", True), ("REINSTATED", True), ("PAUSED", False), ("DISABLED", False), ("REJECTED", False),
        ("PENDING", False), ("ARCHIVED", False), ("PENDING_DELETION", False), ("LOCKED", False), ("paused", False),
    ],
)  # fmt: skip
def test_a_template_that_meta_holds_back_is_not_sent(event: str, sendable: bool) -> None:
    about = {"message_template_name": "news", "message_template_language": "pt_BR"}
    notice = AccountNotice("message_template_status_update", event, about)

    assert template_of(notice) == template_key("news", "pt-BR")
    assert template_after(TemplateState(category="utility"), notice).sendable is sendable
    assert template_after(TemplateState(category="utility"), notice).category == "utility"


def test_a_template_turned_marketing_needs_the_marketing_consent() -> None:
    name = next(name for name, one in BUSINESS.templates.items() if one.category == "utility")
    declared = BUSINESS.templates[name]
    send = Send(CommandId("1"), "business", TemplateMessage(name, "en"), declared.purpose, "utility")
    turned = template_after(
        TemplateState(), AccountNotice("template_category_update", "", {"correct_category": "MARKETING"})
    )
    after, business = as_meta_sees_it(send, BUSINESS, turned)

    assert (after.category, after.id, after.message) == ("marketing", send.id, send.message)
    assert business.templates[name].category == "marketing"
    assert (business.purposes[declared.purpose].sends, business.purposes[declared.purpose].basis) == (
        "marketing",
        "consent",
    )
    assert isinstance(business, Business)
    assert BUSINESS.templates[name].category == "utility", "the declaration itself stays"


def test_what_is_no_template_or_not_turned_stays_as_it_is() -> None:
    marketing = TemplateState(category="marketing")
    for send, state in (
        (Send(CommandId("1"), "answer", TextMessage("x")), marketing),
        (Send(CommandId("1"), "business", TemplateMessage("unheard_of", "en"), "news", "utility"), marketing),
        (
            Send(CommandId("1"), "business", TemplateMessage("news", "en"), "news", "utility"),
            TemplateState("APPROVED", "utility"),
        ),
    ):
        assert as_meta_sees_it(send, BUSINESS, state) == (send, BUSINESS)


class MemoryHealth:
    """What Meta said, in memory."""

    def __init__(self) -> None:
        self.state = AccountState()
        self.templates: dict[str, TemplateState] = {}

    async def note(self, notice: AccountNotice, now: datetime) -> bool:
        key = template_of(notice)
        if key is not None:
            known = self.templates.get(key, TemplateState())
            self.templates[key] = template_after(known, notice)
            return self.templates[key] != known
        before, self.state = self.state, account_after(self.state, notice, now)
        return before != self.state

    async def account(self) -> AccountState:
        return self.state

    async def template(self, name: str, language: str) -> TemplateState:
        return self.templates.get(template_key(name, language), TemplateState())


def test_while_the_account_is_disabled_nothing_goes_out_and_afterwards_it_does() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta(), health=MemoryHealth()).start()
        await bot.hears(told("DISABLED_UPDATE", ban_state="DISABLE"))
        await bot.hears(message("hello"))
        await asyncio.sleep(3660)
        assert bot.meta.bodies() == []
        await bot.hears(told("ACCOUNT_RECONNECTED"))
        await bot.hears(message("hello again", BEN))
        await asyncio.sleep(120)
        assert bot.meta.bodies() == ["re: hello again"]
        await asyncio.sleep(HALTED_FOR.total_seconds() / 24)
        assert bot.meta.bodies() == ["re: hello again", "re: hello"]
        assert bot.figure("recado_account_notices_total") == 2
        await bot.stop()

    play_out(story)


ABOUT = {"message_template_name": "order_ready", "message_template_language": "en"}
TURNED = AccountNotice("template_category_update", "", {**ABOUT, "new_category": "MARKETING"})
PAUSED = AccountNotice("message_template_status_update", "PAUSED", ABOUT)
APPROVED = AccountNotice("message_template_status_update", "APPROVED", ABOUT)


async def queued(bot: Process, once: str) -> None:
    """The news of an order, which rests on the contract, for somebody who never agreed to advertising."""
    person = await bot.people.recognise(BEN, bot.clock.now())
    assert person is not None
    send = Send(CommandId("x"), "business", TemplateMessage("order_ready", "en"), "orders", "utility")
    assert await bot.turns.carry_out_again(person, send, EventId(once))
    await asyncio.sleep(60)


def test_from_the_moment_meta_calls_a_template_marketing_it_needs_the_consent_to_it() -> None:
    """ePrivacy art. 13(1): what is an advertisement in Meta's eyes is not sent on a contract."""

    async def story() -> None:
        bot = Process(Disk(), Meta(), health=MemoryHealth()).start()
        await bot.hears(message("hello", BEN))
        await queued(bot, "first")
        assert bot.meta.bodies() == ["re: hello", "template order_ready"]
        await bot.hears(TURNED)
        await queued(bot, "second")
        assert bot.meta.bodies() == ["re: hello", "template order_ready"]
        assert [reason for _, _, reason in bot.disk.refusals] == ["no_consent"]
        await bot.stop()

    play_out(story)


def test_a_paused_template_is_refused_with_its_reason_and_sent_again_once_it_is_approved() -> None:
    async def story() -> None:
        bot = Process(Disk(), Meta(), health=MemoryHealth()).start()
        await bot.hears(message("hello", BEN))
        await bot.hears(PAUSED)
        await queued(bot, "first")
        assert bot.meta.bodies() == ["re: hello"]
        assert [reason for _, _, reason in bot.disk.refusals] == ["template_stopped"]
        await bot.hears(APPROVED)
        await queued(bot, "second")
        assert bot.meta.bodies() == ["re: hello", "template order_ready"]
        await bot.stop()

    play_out(story)


def test_metas_own_refusal_counts_as_the_news_that_never_came() -> None:
    """132015 and 132016 (whatsapp.md 3.9)."""

    async def story() -> None:
        health = MemoryHealth()
        bot = Process(Disk(), Meta(), health=health).start()
        await bot.hears(message("hello", BEN))
        bot.meta.plan = lambda body: "paused" if body.startswith("template") else "ok"
        await queued(bot, "first")
        assert health.templates == {template_key("order_ready", "en"): TemplateState("PAUSED", "")}
        tried = len(bot.meta.posts)
        await queued(bot, "second")
        assert len(bot.meta.posts) == tried, "it is not tried again"
        await bot.stop()

    play_out(story)
