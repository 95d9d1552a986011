"""`recado ropa`: the record of processing activities, for the drawer and for the authority."""

import json
import sys
from pathlib import Path

import click

from bot.domain.errors import SettingsProblem


@click.command(
    epilog="Example:  recado ropa > record.md   ·   recado ropa --json > record.json   ·   recado ropa --check record.json"
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with flows/ (default: RECADO_PROJECT, or here).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option(
    "--check",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Say whether this JSON record is still what is true.",
)
def ropa(project: Path | None, as_json: bool, check: Path | None) -> None:
    """Prints the record of processing activities (GDPR art. 30), made from what is stored and from business.yaml.

    With --check it compares a record that was kept with what is true now: exit status 1 when it must be made anew.
    """
    from bot.app.keeping import periods_of
    from bot.app.project import load_project
    from bot.privacy import record
    from bot.settings import read_settings

    settings = read_settings()
    loaded = load_project(project or settings.project, served=False)
    if loaded.book is None:
        raise SettingsProblem("The flows have errors; `recado flows check` shows them.")
    made = record.record(loaded.book.business, periods_of(settings, loaded.book))
    if check is not None:
        _compare(check, json.loads(json.dumps(made)))
    elif as_json:
        click.echo(json.dumps(made, ensure_ascii=False, indent=2))
    else:
        click.echo(record.markdown(made), nl=False)


def _compare(path: Path, true: dict[str, object]) -> None:
    try:
        kept = json.loads(path.read_bytes())
    except ValueError:
        raise SettingsProblem(f"{path} is no JSON record; make one with `recado ropa --json`") from None
    changed = sorted(name for name in true if not isinstance(kept, dict) or kept.get(name) != true[name])
    if changed:
        click.echo(f"The record is out of date: {', '.join(changed)} changed. Make it anew with `recado ropa --json`.")
        sys.exit(1)
    click.echo("The record says what is true.")
