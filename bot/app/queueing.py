"""What an operator or a button of the demo puts into somebody's conversation. Nothing here sends: the gate decides later."""

from bot.app.compose import Bot
from bot.domain.event import SendRequested
from bot.domain.ids import Address, Bsuid
from bot.privacy.crypto import random_token
from bot.privacy.numbers import BadNumber, canonical


def address_of(text: str) -> Address | None:
    """The address that somebody typed: a number with + and country code, or a WhatsApp user id; None for anything else."""
    typed = text.strip()
    try:
        return Address(bsuid=Bsuid(typed)) if typed[2:3] == "." else Address(canonical(typed))
    except BadNumber:
        return None


async def queue_template(
    bot: Bot, purpose: str, template: str, recipient: str, values: tuple[str, ...]
) -> tuple[bool, str]:
    """Puts a template into the conversation of a known person: (queued?, in words). Whether it goes out is the gate's to say.

    Nobody is made known by this: whoever never wrote and never signed up cannot be sent anything (GDPR art. 6).
    """
    declared = bot.business.templates.get(template)
    if declared is None or purpose not in bot.business.purposes:
        known = ", ".join(sorted(bot.business.templates)) or "none"
        return False, f"There is no such template or purpose in business.yaml; templates: {known}."
    if declared.purpose != purpose:
        return False, f"The template {template} belongs to the purpose {declared.purpose}."
    address = address_of(recipient)
    if address is None:
        return False, "That is neither a number with + and country code nor a WhatsApp user id."
    person = await bot.find(address)
    if person is None:
        return False, "Nobody with this number or id is known; nothing was queued."
    event = SendRequested(bot.keyring.event_id(f"send:{random_token()}"), bot.clock.now(), purpose, template, values)
    await bot.turns.submit(person, event)
    return True, "Queued. The gate decides whether it goes out; a refusal is kept on record with its reason."
