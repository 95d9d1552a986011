"""`recado flows draw` and `recado flows where-used`: a flow as a picture, and the places where a word stands."""

import re
import sys
from pathlib import Path

import click

from bot.cli.flows_place import wanted_path

PROJECT = click.option(
    "--project", type=click.Path(path_type=Path, file_okay=False, exists=True), envvar="RECADO_PROJECT", default=Path(),
    help="Folder with flows/ (default: RECADO_PROJECT, or here).",
)  # fmt: skip


@click.command(epilog="Example:  recado flows draw order_status --output order_status.html")
@click.argument("flow")
@PROJECT
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File: .html or .svg is a picture, .mmd is Mermaid.",
)
def draw(flow: str, project: Path, output: Path | None) -> None:
    """Draws FLOW from its compiled machine: Mermaid on the screen, or a page that loads nothing from anywhere."""
    from bot.app.project import load_project
    from bot.engine import diagram
    from bot.engine.problem import nearest

    loaded = load_project(wanted_path(project).project, served=False)
    if loaded.book is None:
        raise click.ClickException(f"The flows have {len(loaded.errors)} faults; `recado flows check` shows them.")
    compiled = loaded.book.flows.get(flow)
    if compiled is None:
        raise click.BadParameter(
            f"There is no flow called `{flow}`. {nearest(flow, loaded.book.flows)}", param_hint="FLOW"
        )
    if output is None:
        click.echo(diagram.mermaid(compiled), nl=False)
        return
    forms = {".html": diagram.page, ".svg": diagram.svg, ".mmd": diagram.mermaid}
    if output.suffix not in forms:
        raise click.BadParameter(f"{output.name} ends in none of {', '.join(forms)}.", param_hint="--output")
    output.write_text(forms[output.suffix](compiled), encoding="utf-8")
    click.echo(f"{output}: {len(compiled.nodes)} steps.")


@click.command("where-used", epilog="Example:  recado flows where-used order_number")
@click.argument("word")
@PROJECT
def where_used(word: str, project: Path) -> None:
    """Every place where WORD stands as a whole word: a field, a step, a flow, a purpose, a team, a template, an action."""
    from bot.app.project import flow_files

    whole = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    root = wanted_path(project).project
    found = 0
    for name, content in flow_files(root).items():
        if not (root / "flows" / name).exists():
            continue  # shipped with Recado; a business cannot change it here
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
            text = line.partition(" #")[0]
            for match in whole.finditer(text):
                found += 1
                click.echo(f"{root / 'flows' / name}:{number}:{match.start() + 1}: {line.strip()}")
    if not found:
        click.echo(f"`{word}` stands nowhere in {root / 'flows'}.", err=True)
        sys.exit(1)
