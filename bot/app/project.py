"""Reads a project folder: its flows and catalogs, with the built-in flows and catalogs of Recado below them."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from bot.domain.errors import SettingsProblem
from bot.engine.loader import Loaded, load
from bot.i18n.catalog import Catalog, read_catalogs
from bot.privacy import intents

BUILTIN = "privacy/"


def flow_files(project: Path) -> dict[str, bytes]:
    """Name relative to `flows/` to content. A project without `flows/privacy` gets the built-in flows as shipped.

    Raises `SettingsProblem` when there is no `flows` folder.
    """
    folder = project / "flows"
    if not folder.is_dir():
        raise SettingsProblem(
            f"There is no folder `flows` in {project.resolve().name or 'this folder'}. `recado init` writes one."
        )
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.y*ml"))
        if path.is_file()
    }
    own = {name for name in files if name.startswith(BUILTIN)}
    return files | {name: content for name, content in _shipped_flows().items() if name not in own}


def _shipped_flows() -> Mapping[str, bytes]:
    """The built-in flows of the installed package, or of the checkout it runs from."""
    package = resources.files("bot")
    packed = package.joinpath("_flows", "privacy")
    if packed.is_dir():
        return {BUILTIN + one.name: one.read_bytes() for one in packed.iterdir() if one.name.endswith(".yaml")}
    checkout = Path(str(package)).parent / "flows" / "privacy"
    if checkout.is_dir():
        return {BUILTIN + one.name: one.read_bytes() for one in sorted(checkout.glob("*.yaml"))}
    return {}


def load_project(project: Path, *, served: bool = True) -> Loaded:
    """The project's flows, checked.

    `served=False` leaves out what the privacy intents make of each start word, for commands that play no message: learning thirty
    languages takes longer than all they do.
    """
    return load(flow_files(project), meaning=privacy_meaning) if served else load(flow_files(project))


def privacy_meaning(words: str) -> str:
    """What the privacy intents make of words (decisions.md 4): `stop`, `perhaps stop`, the name of a wish, or empty."""
    intent = intents.understand(words, language="en")
    if intent.decision is intents.Decision.STOP:
        return "stop"
    if intent.decision is intents.Decision.ASK:
        return "perhaps stop"
    return next((flag for flag in sorted(intent.flags) if flag not in ("yes", "no")), "")


def load_catalog(project: Path, *, offered: tuple[str, ...], default: str) -> Catalog:
    """All PO files below `locales/`, the project's own over the shipped ones."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for folder in _locale_folders(project):
        for path in sorted(folder.glob("*/LC_MESSAGES/*.po")):
            found.setdefault(path.parent.parent.name, []).append((path.name, path.read_bytes()))
    return Catalog(read_catalogs(found), offered=offered, default=default)


def _locale_folders(project: Path) -> list[Path]:
    package = Path(str(resources.files("bot")))
    shipped = [package / "_locales", package.parent / "locales"]
    return [*(folder for folder in shipped if folder.is_dir()), project / "locales"]
