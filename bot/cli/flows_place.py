"""Which project, and which file of it, an author means by a path."""

from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be checked: a project, and of it all files or one (name relative to `flows/`)."""

    project: Path
    only: str = ""


def wanted_path(path: Path) -> Wanted:
    """The project a path means. Raises click's usage error when there is none."""
    if not path.exists():
        raise click.BadParameter(f"{path} does not exist.", param_hint="PATH")
    if path.is_dir():
        is_project = (path / "flows").is_dir()
        return Wanted(path if is_project or path.resolve().name != "flows" else path.resolve().parent)
    here = path.resolve()
    folder = next((one for one in here.parents if one.name == "flows"), None)
    if folder is None:
        raise click.BadParameter(f"{path} does not stand in a folder `flows`.", param_hint="PATH")
    if here.suffix not in (".yaml", ".yml"):
        raise click.BadParameter(
            f"{path} is not a flow: its name ends neither in .yaml nor in .yml.", param_hint="PATH"
        )
    return Wanted(folder.parent, here.relative_to(folder).as_posix())
