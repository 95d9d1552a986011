"""`recado demo`: the main job on this machine, with an embedded database and a simulated Meta."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.serve import run, stopping

if TYPE_CHECKING:
    from bot.app.demo import Demo

DATA = Path(".recado")


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
    default=DATA,
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
    async with open_demo(project, data, Ports.free() if any_port else Ports()) as running:
        click.echo("\n".join(_welcome(running, data)))
        await stop.wait()


def _welcome(running: "Demo", data: Path) -> Iterator[str]:
    """What to do now, with the words that start this project's flows and the pages it has."""
    bot = running.bot
    web, simulator = f"http://127.0.0.1:{bot.web_port}", running.simulator.url
    yield f"\n  {bot.business.name} is ready. Open this in a browser to chat as a customer:\n\n      {running.phone}\n"
    yield f"  And this to answer as the business:\n\n      {running.console}\n"
    names = ", ".join(f"{name} ({role})" for name, role in running.people)
    yield f"  Log in as {names}; the password of each is {running.password}\n"
    own = [one.flow for one in bot.book.flows.values() if not one.builtin]
    words = [start.words[0] for flow in own for start in flow.starts if start.words]
    yield f"  Write: {' · '.join([*words, 'STOP', 'delete my data'])}"
    if "shop" in bot.business.connectors:
        yield "  The order system knows order CL12345 with postcode 1100-001."
    if bot.business.website is not None:
        yield f"  The website's sign-up form: {web}/opt-in  (give it a number of the phones)"
    yield f"  The privacy notice: {web}/privacy/{bot.business.language}"
    yield f"  Health and metrics: http://127.0.0.1:{bot.admin_port}/readyz"
    purpose = next(
        iter(sorted(bot.business.purposes, key=lambda one: bot.business.purposes[one].basis != "consent")), "support"
    )
    place = "" if data == DATA else f" --data {data}"
    yield f"  In another terminal: {_program()} chat{'' if simulator.endswith(':8090') else f' --at {simulator}'}"
    yield f"  Commands on the demo's data: {_program()} --demo{place} consent show --purpose {purpose}"
    yield "  Ctrl-C ends the demo.\n"


def _program() -> str:
    """The command as it was called, so that it can be called so again."""
    called = Path(sys.argv[0])
    if called.name != "recado":
        return "recado" if called.name != "__main__.py" else "python -m bot"
    found = shutil.which("recado")
    if found is not None and Path(found).resolve() == called.resolve():
        return "recado"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)
