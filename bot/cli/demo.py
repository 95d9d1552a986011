"""`recado demo`: the main job on this machine, with an embedded database and a simulated Meta."""

import sys
from pathlib import Path

import click

from bot.cli.serve import run, stopping


@click.command(epilog="Example:  recado demo   (or: make demo)")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder with flows/ and locales/.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".recado"),
    show_default=True,
    help="Where the demo keeps its data.",
)
@click.option("--any-port", is_flag=True, help="Let the system choose free ports.")
def demo(project: Path, data: Path, any_port: bool) -> None:
    """Starts everything on 127.0.0.1 and prints where to look. Ctrl-C ends it; the data stay in .recado."""
    from bot.observability import logs

    logs.configure(sys.stderr, "WARNING")
    run(_demo(project, data, any_port=any_port))


async def _demo(project: Path, data: Path, *, any_port: bool) -> None:
    from bot.app.compose import quiet_loop
    from bot.app.demo import Ports, open_demo

    quiet_loop()
    stop = stopping()
    click.echo("Starting the database, the simulated WhatsApp and the bot …")
    async with open_demo(project, data, Ports(0, 0, 0, 0) if any_port else Ports()) as running:
        click.echo(
            f"\n  {running.bot.business.name} is ready. Open this in a browser to chat as a customer:\n\n"
            f"      {running.phone}\n\n"
            '  Say hello, ask for news, try order CL12345 with postcode 1100-001, write STOP, write "delete my data".\n'
            f"  The website's sign-up form: http://127.0.0.1:{running.bot.web_port}/opt-in  (give it a number of the phones)\n"
            f"  The privacy notice: http://127.0.0.1:{running.bot.web_port}/privacy/{running.bot.business.language}\n"
            f"  Health and metrics: http://127.0.0.1:{running.bot.admin_port}/readyz\n"
            "  In a terminal: recado chat.   Ctrl-C ends the demo.\n"
        )
        await stop.wait()
