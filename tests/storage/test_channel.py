"""What Meta says of the account and its templates is kept, whichever process hears it."""

from datetime import timedelta

import pytest

from bot.domain.inbound import AccountNotice
from bot.runtime.channel import TemplateState
from bot.storage.channel import MongoChannelHealth
from tests.storage.shelf import NOW, Shelf

pytestmark = pytest.mark.mongo

REMINDER = {"message_template_name": "reminder", "message_template_language": "pt_BR"}


async def test_another_process_knows_what_was_said(shelf: Shelf) -> None:
    health = MongoChannelHealth(shelf.mongo)
    assert await health.note(AccountNotice("account_update", "DISABLED_UPDATE"), NOW)
    assert await health.note(AccountNotice("message_template_status_update", "PAUSED", REMINDER), NOW)
    assert await health.note(
        AccountNotice("template_category_update", "", {**REMINDER, "new_category": "MARKETING"}), NOW
    )
    assert not await health.note(AccountNotice("security", "PIN_CHANGED"), NOW)

    other = MongoChannelHealth(shelf.mongo)
    assert (await other.account()).wait(NOW, own_accord=False) == NOW + timedelta(days=1)
    assert await other.template("reminder", "pt-BR") == TemplateState("PAUSED", "marketing")
    assert await other.template("reminder", "pt") == TemplateState()
