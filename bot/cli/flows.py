"""`recado flows`: what is wrong with the flows of a project, and the schema editors check them against."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.flows_draw import draw, where_used
from bot.cli.flows_place import wanted_path
from bot.cli.flows_publish import publish
from bot.cli.flows_reference import reference
from bot.cli.flows_test import test

if TYPE_CHECKING:
    from bot.engine.problem import Problem


@click.group(epilog="Example:  recado flows check")
def flows() -> None:
    """Check, test and draw the flows of a project; their JSON Schema."""


@flows.command(epilog="Example:  recado flows check examples/shop/flows/newsletter.yaml --json")
@click.argument("path", type=click.Path(path_type=Path), envvar="RECADO_PROJECT", default=Path())
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def check(path: Path, strict: bool, as_json: bool) -> None:
    """Reads all files of a project and says everything that is wrong with them at once; its own files are counted.

    PATH is a project folder, its folder `flows`, or one file in it; left out, it is RECADO_PROJECT or the current folder.
    """
    from bot.app.project import flow_files, privacy_meaning
    from bot.engine.loader import load

    wanted = wanted_path(path)
    files = flow_files(wanted.project)
    found = [
        _placed(problem, wanted.project)
        for problem in load(files, meaning=privacy_meaning).problems
        if wanted.only in ("", problem.place.file)
    ]
    errors = sum(problem.severity == "error" for problem in found)
    warnings = len(found) - errors
    looked_at = 1 if wanted.only else sum((wanted.project / "flows" / name).is_file() for name in files)
    if as_json:
        report = {
            "files": looked_at,
            "errors": errors,
            "warnings": warnings,
            "problems": [_plain(one) for one in found],
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _print(found, f"{_count(looked_at, 'file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    sys.exit(1 if errors or (strict and warnings) else 0)


def _placed(problem: "Problem", project: Path) -> "Problem":
    """The problem with the file's name as the user can open it from here."""
    from bot.engine.loader import BUILTIN_FOLDER

    name = problem.place.file
    file = project / "flows" / name
    shown = f"{name} (shipped with Recado)" if name.startswith(BUILTIN_FOLDER) and not file.exists() else str(file)
    return replace(problem, place=replace(problem.place, file=shown))


def _plain(problem: "Problem") -> dict[str, object]:
    plain = asdict(problem)
    return {**plain.pop("place"), **plain}


def _print(problems: "Iterable[Problem]", summary: str) -> None:
    for problem in problems:
        click.echo(f"{problem}\n")
    click.echo(summary)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@flows.command(epilog="Example:  recado flows schema > flow.schema.json")
@click.argument("kind", type=click.Choice(["flow", "business"]), default="flow")
def schema(kind: str) -> None:
    """Prints the JSON Schema of a flow file, or of business.yaml.

    Editors use it when a file begins with `# yaml-language-server: $schema=flow.schema.json`.
    """
    from bot.cli.schema import schema_of

    click.echo(json.dumps(schema_of(kind), ensure_ascii=False, indent=2))


for command in (test, draw, where_used, reference, publish):
    flows.add_command(command)
