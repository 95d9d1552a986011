"""`recado block`: somebody can no longer write to the business; or can again."""

import asyncio

import click


@click.command(epilog="Example:  recado block --to +15550100123   ·   recado block --to US.1349 --lift")
@click.option("--to", "recipient", required=True, help="Number with + and country code, or a WhatsApp user id (BSUID).")
@click.option("--lift", is_flag=True, help="Let them write again.")
def block(recipient: str, lift: bool) -> None:
    """Blocks somebody at Meta, for abuse. Only people who wrote within the last 24 hours can be blocked.

    A blocked person can neither write to the business nor see it online. Their rights stay: keep another way open to reach you.
    """
    asyncio.run(_block(recipient, lift=lift))
    click.echo("Unblocked." if lift else "Blocked. `recado block --lift` lets them write again.")


async def _block(recipient: str, *, lift: bool) -> None:
    import aiohttp

    from bot.app.queueing import address_of
    from bot.domain.errors import SettingsProblem
    from bot.settings import read_settings
    from bot.whatsapp.contact_book import ContactBook
    from bot.whatsapp.graph import Graph

    settings = read_settings().whatsapp
    address = address_of(recipient)
    if address is None:
        raise click.UsageError("--to is neither a number with + and country code nor a WhatsApp user id.")
    if not settings.accounts or not settings.access_token.get_secret_value():
        raise SettingsProblem("RECADO_WHATSAPP__PHONE_NUMBER_ID and RECADO_WHATSAPP__ACCESS_TOKEN are needed.")
    async with aiohttp.ClientSession() as session:
        await ContactBook(Graph(settings, session), settings.accounts[0]).block(address, lift=lift)
