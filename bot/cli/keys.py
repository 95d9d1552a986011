"""`recado keys`: makes the key files, rotates them, brings rows under new keys, and says which keys there are. Never shows a key."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from bot.domain.errors import SettingsProblem

if TYPE_CHECKING:
    from bot.privacy.settings import KeySettings
    from bot.settings import Settings
    from bot.storage.rewrapping import Rewrapped

KIND = click.Choice(["kek", "index", "suppression", "ledger"])


@click.group(epilog="Example:  recado keys init /etc/recado/keys")
def keys() -> None:
    """Make key files, rotate them, look at them.

    Without the key files nobody can read what is stored, you included: keep a copy where the database's backups are not.
    """


@keys.command(epilog="Example:  recado keys init secrets/keys >> .env")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
def init(folder: Path, as_json: bool) -> None:
    """Makes the four key files kek, index, suppression and ledger in DIR and prints the settings that name them.

    Files that are there already are never overwritten, because overwriting a key destroys data.
    """
    from bot.privacy.key_files import create_key_files

    settings = {setting_of(path.name): str(path.resolve()) for path in create_key_files(folder)}
    if as_json:
        click.echo(json.dumps(settings, indent=2))
        return
    for name, path in settings.items():
        click.echo(f"{name}={path}")
    click.echo(
        "Made four key files, readable by you alone. Copy them to a safe place apart from the database's backups: "
        "without them nothing that is stored can be read again.",
        err=True,
    )


def setting_of(kind: str) -> str:
    """The setting that names the file of one kind of keys."""
    return f"RECADO_PRIVACY__{'KEK_FILE' if kind == 'kek' else f'{kind.upper()}_KEY_FILE'}"


@keys.command(epilog="Example:  recado keys status --use")
@click.option("--use", is_flag=True, help="Count in the database how many rows stand under each version.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(use: bool, as_json: bool) -> None:
    """Says which versions of which keys are in use, and what is wrong with the files the settings name."""
    from bot.settings import read_settings

    settings = read_settings()
    if not any(settings.privacy.key_file(kind) for kind in _kinds()):
        names = ", ".join(setting_of(kind) for kind in _kinds())
        raise SettingsProblem(f"No key file is named: set {names}; `recado keys init DIR` makes the files.")
    found = key_status({kind: settings.privacy.key_file(kind) for kind in _kinds()})
    troubles = [str(row["trouble"]) for row in found.values() if row["trouble"]] or _between(settings.privacy)
    if use and not troubles:
        troubles = _count(found, asyncio.run(_counts(settings)))
    if as_json:
        click.echo(json.dumps({"keys": found, "troubles": troubles}, indent=2))
    else:
        _print(found, troubles)
    sys.exit(1 if troubles else 0)


def _between(settings: "KeySettings") -> list[str]:
    """What is wrong although each file is well by itself, such as one key in two files."""
    from bot.privacy.keyring import Keyring

    try:
        Keyring.load(settings)
    except SettingsProblem as problem:
        return [str(problem)]
    return []


def _print(found: Mapping[str, Mapping[str, object]], troubles: Sequence[str]) -> None:
    for kind, row in found.items():
        if not row["trouble"]:
            click.echo(f"{kind}: {row['file']}")
        for version in _versions(row):
            rows = f", {version['rows']} rows" if "rows" in version else ""
            click.echo(f"  {version['kid']}, since {version['since']}{', in use' if version['in_use'] else ''}{rows}")
    for trouble in troubles:
        click.echo(trouble)


def _kinds() -> tuple[str, ...]:
    from bot.privacy.key_files import KINDS

    return KINDS


def _versions(row: Mapping[str, object]) -> list[dict[str, object]]:
    versions = row["versions"]
    return versions if isinstance(versions, list) else []


def key_status(paths: Mapping[str, Path | None]) -> dict[str, dict[str, object]]:
    """Kind of key to its file, its versions (newest first) and what is wrong with it (empty where nothing is)."""
    return {kind: _look(kind, path) for kind, path in paths.items()}


def _look(kind: str, path: Path | None) -> dict[str, object]:
    from bot.privacy import key_files

    row: dict[str, object] = {"file": str(path or ""), "versions": [], "trouble": ""}
    if path is None:
        return {**row, "trouble": f"{setting_of(kind)} is not set; `recado keys init DIR` makes the key files"}
    try:
        file = key_files.read(path, kind)
    except SettingsProblem as problem:
        return {**row, "trouble": str(problem)}
    current = file.current(datetime.now(UTC))
    versions = [{"kid": one.kid, "since": one.since.isoformat(), "in_use": one is current} for one in file.versions]
    return {**row, "versions": versions}


async def _counts(settings: "Settings") -> dict[str, dict[str, int]]:
    from bot.privacy.keyring import Keyring
    from bot.storage import key_use
    from bot.storage.mongo import Mongo

    if not settings.storage.uri:
        raise SettingsProblem("RECADO_STORAGE__URI is not set, so no row can be counted.")
    mongo = Mongo(settings.storage)
    try:
        return await key_use.counts(mongo, Keyring.load(settings.privacy))
    finally:
        mongo.close()


def _count(found: Mapping[str, Mapping[str, object]], counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Puts the counts beside the versions; says which rows stand under a key that is not here."""
    troubles = []
    for kind, of_kind in counts.items():
        known = {str(version["kid"]): version for version in _versions(found[kind])}
        for kid, rows in of_kind.items():
            if kid in known:
                known[kid]["rows"] = rows
            elif rows:
                troubles.append(f"{rows} rows stand under the {kind} key {kid}, which is not in the file: restore it")
    return troubles


# -- rotation -------------------------------------------------------------------------------------------------------------


@keys.command(epilog="Example:  recado keys rotate kek   ·   then, when it is in use:  recado keys rewrap")
@click.argument("kind", metavar="NAME", type=KIND)
@click.option(
    "--after",
    default="2 minutes",
    show_default=True,
    help="When new rows begin to use it: long enough for every process to have read the file again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the new version as JSON.")
def rotate(kind: str, after: str, as_json: bool) -> None:
    """Adds a new version to the key file NAME (kek, index, suppression or ledger), in one step and without stopping the bot.

    It can be read with at once and is written with after a while, so that no process meets a row it cannot open. Old versions stay.
    """
    from bot.privacy import key_files
    from bot.settings import read_settings

    settings = read_settings().privacy
    path = settings.key_file(kind)
    if path is None:
        raise SettingsProblem(f"{setting_of(kind)} is not set, so there is no file to rotate")
    wait = _wait(after)
    if wait < settings.keys_read_every * 2:
        click.echo("Processes may not have read the file by then; send each of them SIGHUP now.", err=True)
    new = key_files.add_version(path, kind, datetime.now(UTC) + wait)
    if as_json:
        click.echo(json.dumps({"kind": kind, "kid": new.kid, "since": new.since.isoformat()}))
        return
    click.echo(f"{new.kid} is in {path}, and in use from {new.since.isoformat(timespec='seconds')} on.")
    click.echo(
        "Copy the file to where your backup of the keys is, and to every other host that runs the bot.", err=True
    )


def _wait(after: str) -> timedelta:
    from bot.domain.business import duration

    try:
        wait = duration(after)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--after") from None
    return cast("timedelta", wait)


@keys.command(epilog="Example:  recado keys rewrap --json")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def rewrap(as_json: bool) -> None:
    """Brings what stands under older keys under the newest, while the bot runs.

    Wrapped data keys, the index of who is who, and the suppressions of people who are known. Suppressions of erased people stay under
    their old key, because nothing is left to hash anew. May be interrupted at any moment and repeated. Exit status 1 when a row's key
    is missing.
    """
    from bot.settings import read_settings

    done = asyncio.run(_rewrapped(read_settings(), quiet=as_json))
    if as_json:
        click.echo(json.dumps({"moved": done.moved, "left": done.left, "unreadable": done.unreadable}))
    else:
        for name, rows in done.moved.items():
            click.echo(f"{name}: {rows} rows moved to the newest key")
        click.echo(f"{done.left} rows stay under an older key: nobody is left from whom it could be made anew")
        if done.unreadable:
            click.echo(f"{done.unreadable} rows could not be opened; `recado keys status --use` names their keys")
    sys.exit(1 if done.unreadable else 0)


async def _rewrapped(settings: "Settings", *, quiet: bool) -> "Rewrapped":
    from bot.app.ground import SystemClock
    from bot.app.keeping import opened
    from bot.storage.rewrapping import Rewrapping

    async with opened(settings, SystemClock()) as here:
        work = Rewrapping(here.mongo, here.keyring, here.subjects, here.replays)
        total = await work.total()
        with click.progressbar(range(total), label="Rows", hidden=quiet, file=sys.stderr) as bar:
            return await work.run(told=bar.update)


@keys.command(epilog="Example:  recado keys retire kek kek-1f2e3d4c")
@click.argument("kind", metavar="NAME", type=KIND)
@click.argument("kid", metavar="VERSION")
@click.option("--backups-gone", is_flag=True, help="No backup is left that was made while this version was in use.")
def retire(kind: str, kid: str, backups_gone: bool) -> None:
    """Takes an old version out of its key file, when nothing needs it: no row, and no backup that may still be restored."""
    from bot.settings import read_settings

    if kind == "ledger":
        raise SettingsProblem("Old ledger keys stay: what they signed must be verified for as long as it is kept.")
    asyncio.run(_retired(read_settings(), kind, kid, backups_gone=backups_gone))
    click.echo(f"{kid} is retired. Take it out of the copies of the file, too.")


async def _retired(settings: "Settings", kind: str, kid: str, *, backups_gone: bool) -> None:
    from bot.app.ground import SystemClock
    from bot.app.keeping import opened
    from bot.privacy import key_files
    from bot.storage import key_use
    from bot.storage.replays import BACKUPS_LIVE

    path, now = settings.privacy.key_file(kind), datetime.now(UTC)
    if path is None:
        raise SettingsProblem(f"{setting_of(kind)} is not set, so there is no file to change")
    file = key_files.read(path, kind)
    if file.find(kid) is None:
        known = ", ".join(one.kid for one in file.versions)
        raise click.UsageError(f"{path} holds no version {kid}; it holds {known}.")
    if kid == file.current(now).kid:
        raise click.ClickException(f"{kid} is in use; `recado keys rotate {kind}` makes the version that replaces it.")
    async with opened(settings, SystemClock()) as here:
        rows = (await key_use.counts(here.mongo, here.keyring))[kind].get(kid, 0)
        if rows:
            raise click.ClickException(
                f"{rows} rows stand under {kid}; `recado keys rewrap` moves those that can be moved."
            )
        if not backups_gone and now - file.current(now).since < BACKUPS_LIVE:
            raise click.ClickException(
                f"Backups of the last {BACKUPS_LIVE.days} days may need {kid}: without it a restored one is unreadable. Wait until they "
                "are gone, or say --backups-gone."
            )
        key_files.drop_version(path, kind, kid, now)
        await key_use.retire(here.mongo, kid)
