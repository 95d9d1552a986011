"""`recado flows reference`: all words of the flow language, made from the schema; docs/flows/reference.md is what it prints."""

import re
from typing import Any

import click


@click.command(epilog="Example:  recado flows reference > docs/flows/reference.md")
def reference() -> None:
    """Prints the reference of the flow language as Markdown, made from the schema."""
    click.echo(written(), nl=False)


def written() -> str:
    """The whole page."""
    from bot.engine import flow as schema
    from bot.engine.outcomes import OUTCOMES

    parts = [
        "# The words of the flow language\n\n"
        "Made by `recado flows reference` from the schema; do not edit. For editors: `recado flows schema`.\n",
        _section("The head of a file", schema.Flow, skip=("steps",)),
        _section("A field of `data`", schema.DataField),
        _section("A way in: `starts`", schema.Start),
        _section("Silence: `idle`", schema.Idle),
        "## Steps\n\nEvery step may have an `id`, the name by which `go` finds it.\n",
    ]
    for verb, model in schema.VERBS.items():
        outcomes = ", ".join(f"`{one}`" for one in OUTCOMES[verb].all)
        own = " Only in the built-in flows." if verb in schema.PRIVACY_VERBS else ""
        parts.append(
            _section(f"`{verb}`", model, level=3, skip=("id", "outcomes"), after=f"{own}\n\nOutcomes: {outcomes}.")
        )
    for title, part in (("An option", schema.Option), ("A check", schema.Check), ("A handoff", schema.HandoffDetails)):
        parts.append(_section(title, part))
    return "\n".join(parts)


def _section(title: str, model: Any, *, level: int = 2, skip: tuple[str, ...] = (), after: str = "") -> str:
    told = " ".join((model.__doc__ or "").split())
    rows = [
        f"| `{info.alias or name}` | {'yes' if info.is_required() else ''} | {_cell(info.description or '')} | {_default(info)} |"
        for name, info in model.model_fields.items()
        if name not in skip
    ]
    table = "\n\n| key | needed | means | if left out |\n|---|---|---|---|\n" + "\n".join(rows) if rows else ""
    return f"{'#' * level} {title}\n\n{told}{after}{table}\n"


def _cell(words: str) -> str:
    return re.sub(r"\s+", " ", words).replace("|", "\\|")


def _default(info: Any) -> str:
    """The default as an author would write it; empty where it is nothing."""
    from datetime import timedelta

    from pydantic_core import PydanticUndefined

    value = info.default
    if value is PydanticUndefined or value in (None, "", (), False) or not isinstance(value, str | int | timedelta):
        return ""
    if isinstance(value, timedelta):
        hours = int(value.total_seconds() // 3600)
        return f"`{hours} hours`" if hours else f"`{int(value.total_seconds() // 60)} minutes`"
    return "`yes`" if value is True else f"`{value}`"
