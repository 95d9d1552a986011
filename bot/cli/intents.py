"""`recado intents`: what the privacy intents make of a message, one JSON a line."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import click

from bot.domain.errors import SettingsProblem

if TYPE_CHECKING:
    from bot.domain.intent import Intent

Understand: TypeAlias = "Callable[[str, str | None], Intent]"


@click.command(
    epilog='Example:  recado intents --lang pt "apagar os meus dados"   ·   recado intents --jsonl messages.jsonl'
)
@click.argument("text", required=False)
@click.option("--lang", "language", help="Language of the conversation, e.g. pt; all languages count where left out.")
@click.option(
    "--jsonl", type=click.File("rb"), help='File with one {"text": …, "lang": …} a line, or - for standard input.'
)
@click.option("--flow-open", is_flag=True, help="As if a flow were waiting for an answer.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="RECADO_PROJECT",
    default=Path(),
    help="Folder whose flows/business.yaml names the purposes (default: RECADO_PROJECT, or here).",
)
def intents(text: str | None, language: str | None, jsonl: BinaryIO | None, flow_open: bool, project: Path) -> None:
    """Says what a message would be taken for before any flow sees it: a stop, a wish to use a right, or nothing.

    Prints one JSON a line: decision (stop, ask, none), scope (all, marketing, a purpose, unclear), flags, rule, version.
    """
    if (text is None) == (jsonl is None):
        raise click.UsageError("Give either a TEXT or --jsonl FILE.")
    understand = _understanding(project, flow_open=flow_open)
    if jsonl is None:
        _print(understand(_clean(text or ""), language))
        return
    for said, tongue in _lines(jsonl, language):
        _print(understand(said, tongue))


def _understanding(project: Path, *, flow_open: bool) -> Understand:
    """The intents with the purposes of a project, or without any where there is no readable business.yaml."""
    from bot.privacy import intents as room

    purposes = _purposes(project)
    return lambda words, language: room.understand(words, language=language, flow_open=flow_open, purposes=purposes)


def _purposes(project: Path) -> dict[str, tuple[str, ...]]:
    """Purpose to the words people may use for it, as the running bot has them."""
    from bot.domain.business import Business
    from bot.engine.loader import BUSINESS, validated
    from bot.engine.reading import read

    path = project / "flows" / BUSINESS
    source = read(BUSINESS, path.read_bytes()) if path.is_file() else None
    business = validated(Business, source) if source is not None and not source.problems else None
    if source is not None and business is None:
        raise SettingsProblem(f"{path} has errors; `recado flows check` shows them")
    return {name: (name, *one.title.split()) for name, one in business.purposes.items()} if business else {}


def _clean(text: str) -> str:
    """The text with what was not UTF-8 on the command line replaced."""
    return text.encode("utf-8", "replace").decode()


def _lines(file: BinaryIO, language: str | None) -> Iterator[tuple[str, str | None]]:
    """(text, language) of each line. Raises click's usage error with the number of a line that cannot be read."""
    for number, raw in enumerate(file, 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except ValueError:
            raise _bad(number, "it is not JSON in UTF-8") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise _bad(number, 'it is not an object with a "text"')
        tongue = row.get("lang", language)
        if tongue is not None and not isinstance(tongue, str):
            raise _bad(number, '"lang" is not a text')
        yield _clean(row["text"]), tongue or None


def _bad(number: int, why: str) -> click.BadParameter:
    return click.BadParameter(f"Line {number} cannot be read: {why}.", param_hint="--jsonl")


def _print(found: "Intent") -> None:
    plain = {
        "decision": found.decision.value,
        "scope": found.scope,
        "flags": sorted(found.flags),
        "rule": found.rule,
        "version": found.version,
    }
    sys.stdout.write(json.dumps(plain, ensure_ascii=False) + "\n")
