"""`recado i18n`: collects the texts of flows and code, keeps the catalogs up to date, and says what is wrong with them."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.cli.texts import Texts, Written

project_option = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="RECADO_PROJECT",
    default=Path(),
    help="Folder with flows/ and locales/ (default: RECADO_PROJECT, or here).",
)


@click.group(epilog="Example:  recado i18n update && recado i18n check")
def i18n() -> None:
    """Collect, update and check translations.

    `bot.po` holds the texts that come with Recado, `flows.po` those of your flows and of business.yaml.
    """


@i18n.command(epilog="Example:  recado i18n extract --output build/pot")
@project_option
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for the templates (default: locales/)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the texts as JSON instead of writing templates.")
def extract(project: Path, output: Path | None, as_json: bool) -> None:
    """Writes the templates bot.pot and flows.pot with every text there is to translate."""
    from bot.cli.catalogs import template
    from bot.cli.texts import texts_of_project

    texts = texts_of_project(project)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in texts.every], ensure_ascii=False, indent=2))
        return
    folder = output or project / "locales"
    folder.mkdir(parents=True, exist_ok=True)
    for name, what, part in _parts(texts, project):
        (folder / f"{name}.pot").write_bytes(template(part, what))
        click.echo(f"{folder / name}.pot: {_distinct(part)} texts.")


def _parts(texts: "Texts", project: Path) -> list[tuple[str, str, Sequence["Written"]]]:
    """(catalog, what it is of, its texts). `bot` is written in Recado's own checkout only: elsewhere it comes with the package.

    What a business says in the same words as Recado is translated already; it is listed again only where Recado's own is written.
    """
    from bot.cli.texts import is_home

    shipped = {one.text for one in texts.bot}
    own = [one for one in texts.project if one.text not in shipped]
    parts: list[tuple[str, str, Sequence[Written]]] = [("flows", f"the flows of {texts.business.name}", own)]
    if not is_home(project):
        return parts
    return [("bot", "Recado", texts.bot), ("console", "Recado's console", texts.console), *parts]


def _is_ours(texts: "Texts", project: Path, language: str) -> bool:
    """Whether the project's own texts are meant for a language: Recado comes in more than its example business offers."""
    from bot.cli.texts import is_home

    return language in texts.business.languages or not is_home(project)


def _distinct(texts: Sequence["Written"]) -> int:
    return len({one.text for one in texts})


@i18n.command(epilog="Example:  recado i18n update --lang pt --lang es")
@project_option
@click.option("--lang", "languages", multiple=True, help="Languages to update (default: those business.yaml offers).")
def update(project: Path, languages: tuple[str, ...]) -> None:
    """Brings the catalogs below locales/ up to date; translations stay, texts that are gone are kept as obsolete."""
    from bot.cli.catalogs import needing, updated
    from bot.cli.texts import CONSOLE_LANGUAGES, texts_of_project
    from bot.i18n import po

    texts = texts_of_project(project)
    for language in languages or texts.business.languages:
        for name, what, part in _parts(texts, project):
            if name == "flows" and not _is_ours(texts, project, language):
                continue
            if name == "console" and language not in CONSOLE_LANGUAGES:
                continue
            wanted = needing(part, language)
            path = project / "locales" / _folder(language) / "LC_MESSAGES" / f"{name}.po"
            if not wanted:
                continue
            existing = path.read_bytes() if path.exists() else None
            content = updated(existing, wanted, language, what)
            path.parent.mkdir(parents=True, exist_ok=True)
            if content != existing:
                path.write_bytes(content)
            entries = [po.Entry(one.text, one.file, one.line) for one in wanted]
            lacking = len(set(po.missing(content, entries, language)))
            click.echo(f"{path}: {_distinct(wanted)} texts, {lacking} to translate.")


def _folder(language: str) -> str:
    """The folder of a language. Raises click's usage error for what Babel does not know as one."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        raise click.BadParameter(
            f"`{language}` is not a language, e.g. `pt` or `pt-BR`.", param_hint="--lang"
        ) from None


@i18n.command(epilog="Example:  recado i18n check --json")
@project_option
@click.option("--lang", "languages", multiple=True, help="Languages to check (default: those business.yaml offers).")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def check(project: Path, languages: tuple[str, ...], as_json: bool) -> None:
    """Says what is missing or does not fit: translations, values filled in, lengths of labels, words people can write."""
    from bot.cli.catalogs import needing, problems_of, read_translations
    from bot.cli.texts import texts_of_project

    texts = texts_of_project(project)
    translations, problems = read_translations(project)
    counts: dict[str, dict[str, int]] = {}
    for language in languages or texts.business.languages:
        every = texts.said_in(language, ours=_is_ours(texts, project, language))
        found = list(problems_of(every, language, translations))
        missing = sum(one.code in ("missing", "fuzzy") for one in found)
        total = _distinct(needing(every, language))
        counts[language] = {"texts": total, "translated": total - missing, "problems": len(found)}
        problems += found
    if as_json:
        plain = [
            {**asdict(one.place), **{key: value for key, value in asdict(one).items() if key != "place"}}
            for one in problems
        ]
        click.echo(json.dumps({"languages": counts, "problems": plain}, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(f"{problem}\n")
        for language, count in counts.items():
            click.echo(
                f"{language}: {count['translated']} of {count['texts']} texts translated, {count['problems']} problems."
            )
    sys.exit(1 if problems else 0)
