"""`recado init`: a business's own project to start from, which passes its checks and tests as it is."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click


@click.command(epilog="Example:  recado init our-assistant")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Writes a new project into DIR: business.yaml, two flows, their tests, locales, a compose file.

    DIR must not exist, or be empty: nothing is ever overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise click.BadParameter(f"{folder} is not empty; nothing was written.", param_hint="DIR")
    written = _copy(resources.files("bot.cli").joinpath("starter"), folder)
    for name in written:
        click.echo(f"  {folder / name}")
    click.echo(f"\nNext: replace the examples in {folder}/flows/business.yaml, then\n")
    click.echo(f"  cd {folder} && recado flows check && recado flows test && recado demo")


def _copy(source: Traversable, to: Path, prefix: str = "") -> list[str]:
    """Copies a folder of the package; returns the names written, relative to the project."""
    to.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for one in sorted(source.iterdir(), key=lambda entry: entry.name):
        name = ".gitignore" if one.name == "gitignore" else one.name
        if one.is_dir():
            written += _copy(one, to / name, f"{prefix}{name}/")
        else:
            (to / name).write_bytes(one.read_bytes())
            written.append(prefix + name)
    return written
