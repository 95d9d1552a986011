"""`recado flows publish`: new versions of the flows, unless somebody stands on what they lack."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.flows_draw import PROJECT
from bot.cli.flows_place import wanted_path

if TYPE_CHECKING:
    from bot.engine.book import Book
    from bot.engine.evolution import Lost
    from bot.storage.settings import StorageSettings


@click.command(epilog="Example:  recado flows publish --check")
@click.option("--check", is_flag=True, help="Only say what stands in the way.")
@PROJECT
def publish(check: bool, project: Path) -> None:
    """Puts the flows into the database as new versions; refuses to take away what conversations stand on."""
    from bot.app.project import load_project
    from bot.domain.errors import SettingsProblem
    from bot.settings import read_settings

    loaded = load_project(wanted_path(project).project)
    if loaded.book is None:
        raise click.ClickException(f"The flows have {len(loaded.errors)} faults; `recado flows check` shows them.")
    settings = read_settings().storage
    if not settings.uri:
        raise SettingsProblem("RECADO_STORAGE__URI is not set: where the data are kept, e.g. mongodb://host:27017.")
    found, new = asyncio.run(publishing(settings, loaded.book, check=check))
    for one in found:
        click.echo(str(one))
    if found:
        click.echo("Nothing was published.", err=True)
        sys.exit(1)
    click.echo(
        f"{new} new versions {'would be' if check else 'are'} published; nobody stands on anything that is gone."
    )


async def publishing(settings: "StorageSettings", book: "Book", *, check: bool) -> "tuple[list[Lost], int]":
    """What stands in the way, and how many versions are new. Writes only when nothing does."""
    from datetime import UTC, datetime

    from bot.engine.evolution import Parked, lost
    from bot.engine.loader import recompiled
    from bot.storage.mongo import Mongo
    from bot.storage.published import Published

    mongo = Mongo(settings)
    try:
        published = Published(mongo)
        rows = await published.flows()
        readable = {(name, version): flow for name, version, content in rows if (flow := recompiled(name, content))}
        found = lost([Parked(*row) for row in await published.parked()], readable, book.flows)
        known = {(name, version) for name, version, _ in rows}
        new = [flow for flow in book.flows.values() if (flow.id, flow.version) not in known]
        for flow in () if found or check else new:
            await published.flow(flow.id, flow.version, flow.flow.language, flow.content, datetime.now(UTC))
    finally:
        mongo.close()
    return found, len(new)
