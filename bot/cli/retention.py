"""`recado retention`: what is due to go and why, and its deletion, verified."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.privacy.retention import Periods, Report
    from bot.settings import Settings


@click.group(epilog="Example:  recado retention report")
def retention() -> None:
    """What is kept how long, what is past its time, and its deletion.

    A running bot deletes on schedule by itself; these commands show it, and do it at once.
    """


@retention.command(epilog="Example:  recado retention report --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def report(as_json: bool) -> None:
    """Says how long each class of data is kept here, and what is past its time now. Changes nothing."""
    from bot.settings import read_settings

    periods, found = asyncio.run(_swept(read_settings(), delete=False))
    if as_json:
        days = {name: length.total_seconds() / 86400 for name, length in sorted(periods.lasts.items())}
        click.echo(json.dumps({"periods_in_days": days, "due": found.lines(), "overdue": found.overdue}, indent=2))
        return
    _print_periods(periods)
    click.echo()
    _print(found, "due")


@retention.command(epilog="Example:  recado retention run   ·   recado retention run --delete")
@click.option("--delete", is_flag=True, help="Delete it. Without this the command only shows what it would delete.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(delete: bool, as_json: bool) -> None:
    """Deletes what is past its time and reads back that it is gone; without --delete it only shows what is due and why.

    May run beside any number of bots, be interrupted and repeated. Exit status 1 when something was still there afterwards.
    """
    from bot.settings import read_settings

    _, found = asyncio.run(_swept(read_settings(), delete=delete))
    if as_json:
        name = "deleted" if delete else "due"
        click.echo(
            json.dumps({name: found.lines(), "unverified": found.unverified, "overdue": found.overdue}, indent=2)
        )
    else:
        _print(found, "deleted" if delete else "due")
        if not delete and found.counts:
            click.echo("Nothing was deleted; say --delete.")
    if found.unverified:
        click.echo(
            f"{found.unverified} of it were still there when read back. Run it again, and look at the database.",
            err=True,
        )
    sys.exit(1 if found.unverified else 0)


async def _swept(settings: "Settings", *, delete: bool) -> "tuple[Periods, Report]":
    from bot.app.ground import SystemClock
    from bot.app.keeping import opened, periods_of
    from bot.app.project import load_project
    from bot.domain.errors import SettingsProblem
    from bot.storage.replaying import refuse_behind
    from bot.storage.sweeping import MongoSweeper

    loaded = load_project(settings.project, served=False)
    if loaded.book is None:
        raise SettingsProblem("The flows have errors; `recado flows check` shows them.")
    periods, clock = periods_of(settings, loaded.book), SystemClock()
    async with opened(settings, clock) as here:
        if delete:
            # Deleting in a database that is behind would hide that it is.
            await refuse_behind(here.mongo, here.replays, clock.now())
        sweeper = MongoSweeper(here.mongo, here.keyring, here.subjects, here.replays, clock, periods)
        return periods, await (sweeper.sweep() if delete else sweeper.due())


def _print_periods(periods: "Periods") -> None:
    from bot.privacy.record import length as words
    from bot.privacy.retention import retentions

    known = retentions()
    for name, length in sorted(periods.lasts.items()):
        default = known[name].lasts
        changed = "" if length == default else f" (default: {words(default) if default else '-'})"
        click.echo(f"{name:14} {words(length):>10}{changed}  from: {known[name].counted_from}")
    for purpose, length in sorted(periods.proofs.items()):
        click.echo(f"{'evidence':14} {words(length):>10}  for the purpose {purpose}")
    for flow, length in sorted(periods.flows.items()):
        click.echo(f"{'flow':14} {words(length):>10}  at most, for the flow {flow}")


def _print(found: "Report", what: str) -> None:
    lines = found.lines()
    if not lines:
        click.echo("Nothing is past its time." if what == "due" else "Nothing was past its time.")
    for line in lines:
        click.echo(_line(line, what))
    for kind, count in found.overdue.items():
        click.echo(
            f"{count} {kind} records are past their time and are kept: a consent or a request that is not yet on record"
        )


def _line(line: Mapping[str, object], what: str) -> str:
    fields = "whole rows" if line["fields"] == "*" else line["fields"]
    return f"{line['count']:>8} {what}  {line['collection']}: {fields} ({line['class']}: {line['kept']})"
