"""`recado replay-erasures`: what must be done again after an older main database was restored."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.storage.replaying import Behind


@click.command("replay-erasures", epilog="Example:  recado replay-erasures --check   ·   recado replay-erasures")
@click.option("--check", is_flag=True, help="Only say what is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def replay_erasures(check: bool, as_json: bool) -> None:
    """Erases again who was erased, and stops again who stopped or withdrew, since the main database's backup was made.

    Run it after every restore, before the bot starts; `recado serve` refuses to start otherwise. It may be interrupted at any moment
    and repeated. Exit status 1 with --check when something is missing.
    """
    from bot.settings import read_settings

    found = asyncio.run(_replayed(read_settings(), check=check, quiet=as_json))
    if as_json:
        click.echo(json.dumps({"missing" if check else "done": asdict(found)}))
    elif not found:
        click.echo("The main database holds all that the replay list asks for; nothing is to be done.")
    else:
        click.echo(f"{'Missing' if check else 'Done again'}: {found}.")
    sys.exit(1 if check and found else 0)


async def _replayed(settings: "Settings", *, check: bool, quiet: bool) -> "Behind":
    from bot.app.ground import SystemClock
    from bot.app.keeping import opened
    from bot.storage.replaying import Replaying, refuse_too_old, seen_alive

    clock = SystemClock()
    async with opened(settings, clock) as here:
        await refuse_too_old(here.mongo)
        work = Replaying(here.mongo, here.replays)
        if check:
            return await work.behind(clock.now())
        total = await work.total(clock.now())
        with click.progressbar(range(total), label="Entries", hidden=quiet, file=sys.stderr) as bar:
            done = await work.run(here.subjects, here.keyring, clock.now(), told=bar.update)
        if not await work.behind(clock.now()):
            await seen_alive(here.mongo, clock.now())
        return done
