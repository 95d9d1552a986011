"""`recado keys`: makes the key files, and says which keys there are. Never shows a key."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.domain.errors import SettingsProblem

if TYPE_CHECKING:
    from bot.privacy.settings import KeySettings


@click.group(epilog="Example:  recado keys init /etc/recado/keys")
def keys() -> None:
    """Make key files and look at them.

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


@keys.command(epilog="Example:  recado keys status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(as_json: bool) -> None:
    """Says which versions of which keys are in use, and what is wrong with the files the settings name."""
    from bot.settings import read_settings

    settings = read_settings().privacy
    found = key_status({kind: getattr(settings, _field(kind)) for kind in _kinds()})
    troubles = [str(row["trouble"]) for row in found.values() if row["trouble"]] or _between(settings)
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
            click.echo(f"  {version['kid']}, since {version['since']}{', in use' if version['in_use'] else ''}")
    for trouble in troubles:
        click.echo(trouble)


def _kinds() -> tuple[str, ...]:
    from bot.privacy.key_files import KINDS

    return KINDS


def _field(kind: str) -> str:
    return setting_of(kind).removeprefix("RECADO_PRIVACY__").lower()


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
    versions = [
        {"kid": one.kid, "since": one.since.isoformat(), "in_use": index == 0}
        for index, one in enumerate(file.versions)
    ]
    return {**row, "versions": versions}
