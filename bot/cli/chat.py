"""`recado chat`: a phone in the terminal, on a demo that runs already or on one made for this chat alone."""

import asyncio
import sys
import tempfile
from pathlib import Path

import click


@click.command(epilog="Example:  recado chat   ·   recado chat --here --person ada")
@click.option(
    "--at", "address", default="http://127.0.0.1:8090", show_default=True, help="Address of a running simulator."
)
@click.option("--person", default="ada", show_default=True, help="Whose phone; /who lists them.")
@click.option("--here", is_flag=True, help="Run the flows of this folder for this chat alone; nothing is kept.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="RECADO_PROJECT",
    default=Path(),
    help="With --here: folder with flows/ and locales/ (default: RECADO_PROJECT, or here).",
)
def chat(address: str, person: str, here: bool, project: Path) -> None:
    """Chats as a customer, line by line. A number taps that button; /help lists the rest, /quit leaves."""
    from bot.simulator.terminal import Unreachable

    try:
        asyncio.run(_alone(project, person) if here else _beside(address, person))
    except Unreachable as problem:
        raise click.ClickException(
            f"No chat at {address}: {problem}. Start `recado demo` first, or use `recado chat --here`."
        ) from None
    except KeyboardInterrupt:
        sys.exit(0)


async def _beside(address: str, person: str) -> None:
    from bot.simulator.terminal import chat as talk

    await talk(address, person)


async def _alone(project: Path, person: str) -> None:
    """A demo whose data are gone when the chat ends."""
    from bot.app.compose import quiet_loop
    from bot.app.demo import Ports, open_demo
    from bot.observability import logs
    from bot.simulator.terminal import chat as talk

    logs.configure(sys.stderr, "ERROR")
    quiet_loop()
    with tempfile.TemporaryDirectory(prefix="recado-chat-") as data:
        async with open_demo(project, Path(data), Ports(0, 0, 0, 0)) as running:
            await talk(running.simulator.url, person)
