"""`recado send`: puts one template into a conversation. The gate decides whether it goes out, now and again when it is sent."""

import asyncio
import json
import sys

import click


@click.command(
    epilog="Example:  recado send --purpose newsletter --template monthly_news --to +15550100123 --with 'Hello.'"
)
@click.option("--purpose", required=True, help="A purpose of business.yaml.")
@click.option("--template", required=True, help="A template of business.yaml.")
@click.option("--to", "recipient", required=True, help="Number with + and country code, or a WhatsApp user id (BSUID).")
@click.option("--with", "values", multiple=True, help="Values for the template, in order.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def send(purpose: str, template: str, recipient: str, values: tuple[str, ...], as_json: bool) -> None:
    """Queues a message of the business's own accord to a person who is known already."""
    queued, words = asyncio.run(_send(purpose, template, recipient, values))
    click.echo(json.dumps({"queued": queued, "reason": words}) if as_json else words)
    sys.exit(0 if queued else 1)


async def _send(purpose: str, template: str, recipient: str, values: tuple[str, ...]) -> tuple[bool, str]:
    from bot.app.compose import open_bot
    from bot.app.queueing import queue_template
    from bot.settings import read_settings

    async with open_bot(read_settings(), work=False, serve_web=False) as bot:
        return await queue_template(bot, purpose, template, recipient, values)
