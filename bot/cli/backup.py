"""`recado backup`: one of the two databases as a file, and back. Through the driver; scripts/backup does it with mongodump."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.domain.errors import SettingsProblem

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.storage.mongo import Mongo

WHICH = click.Choice(["main", "vault"])
KEPT = {"main": 35, "vault": 2}
"""Days. The list of erasures reaches back 36; an old vault holds keys of people who were erased since."""


@click.group(epilog="Example:  recado backup make main /backups/main")
def backup() -> None:
    """Back a database up, and restore it.

    The main database and the vault go apart from each other, and the keys apart from both (docs/backup.md). For large databases
    scripts/backup does the same with mongodump.
    """


@backup.command(epilog="Example:  recado backup make vault /backups/vault")
@click.argument("which", metavar="main|vault", type=WHICH)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep", type=click.IntRange(1, 35), metavar="DAYS", help="Remove older ones (default: main 35, vault 2)."
)
@click.option("--json", "as_json", is_flag=True, help="Print file and counts as JSON.")
def make(which: str, folder: Path, keep: int | None, as_json: bool) -> None:
    """Writes a database into a new file in DIR, and removes those that are too old there. The bot may go on meanwhile."""
    from bot.settings import read_settings

    now = datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{which}-{now:%Y%m%dT%H%M%SZ}.recado"
    if path.exists():
        raise SettingsProblem(f"{path} is there already; it is never overwritten")
    counts = asyncio.run(_made(read_settings(), which, path, now))
    gone = _remove_old(folder, which, now - timedelta(days=keep or KEPT[which]))
    if as_json:
        click.echo(json.dumps({"file": str(path), "rows": counts, "removed": gone}))
        return
    click.echo(f"{path}: {sum(counts.values())} rows of {len(counts)} collections")
    for name in gone:
        click.echo(f"removed {name}, which was too old to be kept")


def _remove_old(folder: Path, which: str, before: datetime) -> list[str]:
    """By the time in the name, not by that of the file, which a copy changes."""
    gone = []
    for path in sorted(folder.glob(f"{which}-*.recado")):
        try:
            made = datetime.strptime(path.stem.removeprefix(f"{which}-"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            continue
        if made < before:
            path.unlink()
            gone.append(path.name)
    return gone


async def _made(settings: "Settings", which: str, path: Path, now: datetime) -> dict[str, int]:
    from bot.storage import archive
    from bot.storage.mongo import Mongo

    mongo = _opened(settings, Mongo)
    try:
        await mongo.ping()
        return await archive.dump(mongo.main if which == "main" else mongo.vault, path, now)
    finally:
        mongo.close()


def _opened(settings: "Settings", mongo: "type[Mongo]") -> "Mongo":
    if not settings.storage.uri:
        raise SettingsProblem("RECADO_STORAGE__URI is not set: where the data are kept, e.g. mongodb://host:27017.")
    return mongo(settings.storage)


@backup.command(epilog="Example:  recado backup restore main /backups/main/main-20260504T030000Z.recado --yes")
@click.argument("which", metavar="main|vault", type=WHICH)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--yes", is_flag=True, help="Replace what the database holds; without it nothing is done.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def restore(which: str, file: Path, yes: bool, as_json: bool) -> None:
    """Puts a backup in the place of everything the database holds. Stop every bot first; then replay the erasures."""
    from bot.settings import read_settings

    settings = read_settings()
    name = settings.storage.database if which == "main" else settings.storage.vault_database
    if not yes:
        raise click.UsageError(f"This replaces everything in the database {name}. Stop every bot, then say --yes.")
    counts = asyncio.run(_restored(settings, which, file))
    if as_json:
        click.echo(json.dumps({"rows": counts}))
        return
    click.echo(f"{name}: {sum(counts.values())} rows of {len(counts)} collections.")
    if which == "vault":
        click.echo(
            "This vault is older than the one before: keys of people who were erased since are back in it.", err=True
        )
    click.echo("Now run `recado replay-erasures`; the bot does not start before.", err=True)


async def _restored(settings: "Settings", which: str, file: Path) -> dict[str, int]:
    from bot.storage import archive
    from bot.storage.mongo import Mongo

    mongo = _opened(settings, Mongo)
    try:
        await mongo.ping()
        return await archive.restore(mongo.main if which == "main" else mongo.vault, file)
    finally:
        mongo.close()
