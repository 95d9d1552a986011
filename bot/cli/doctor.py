"""`recado doctor`: what would keep the bot from working, before customers notice."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bot.domain.errors import SettingsProblem

if TYPE_CHECKING:
    from bot.cli.checkup import Finding
    from bot.settings import Settings


@click.command(epilog="Example:  recado doctor   ·   recado doctor --offline --json")
@click.option("--offline", is_flag=True, help="Ask neither Meta nor the database.")
@click.option("--json", "as_json", is_flag=True, help="Print settings and findings as JSON.")
def doctor(offline: bool, as_json: bool) -> None:
    """Shows the settings that hold, secrets hidden, and checks everything the bot needs.

    Looks at keys, flows, translations, the privacy notice, contracts with processors, the database and the clocks; at WhatsApp's token,
    numbers, subscription, rating and storage. Changes nothing and writes to nobody. Exit status 1 when something is wrong; warnings
    alone give 0.
    """
    from bot.cli.checkup import Finding, effective, worst
    from bot.settings import read_settings

    shown: Mapping[str, str] = {}
    try:
        settings = read_settings()
    except SettingsProblem as problem:
        findings: Sequence[Finding] = [
            Finding("settings", "error", str(problem), "docs/settings.md lists every setting.")
        ]
    else:
        shown = effective(settings)
        findings = asyncio.run(_looked_at(settings, offline=offline))
    if as_json:
        result = {"status": worst(findings), "settings": dict(shown), "findings": [asdict(one) for one in findings]}
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        _print(shown, findings)
    sys.exit(1 if worst(findings) == "error" else 0)


async def _looked_at(settings: "Settings", *, offline: bool) -> "list[Finding]":
    from bot.cli import checkup, checkup_meta

    findings = [checkup.of_keys(settings), *checkup.of_safety(settings)]
    findings += checkup.of_project(settings.project, datetime.now(UTC).date())
    whatsapp = checkup.of_whatsapp(settings)
    findings.append(whatsapp)
    if not offline:
        if whatsapp.status == "ok":
            findings += [one async for one in checkup_meta.of_meta(settings, datetime.now(UTC).date())]
        findings += await checkup.of_database(settings)
    return [*findings, checkup.NO_STORAGE]


_MARKS = {"ok": ("ok", "green"), "note": ("note", "blue"), "warning": ("warn", "yellow"), "error": ("FAIL", "red")}


def _print(settings: Mapping[str, str], findings: "Sequence[Finding]") -> None:
    for name, value in settings.items():
        click.echo(f"{name} = {value}")
    if settings:
        click.echo()
    for one in findings:
        mark, colour = _MARKS[one.status]
        click.echo(f"{click.style(f'{mark:4}', fg=colour)}  {one.check}: {one.says}")
        if one.fix:
            click.echo(f"      = {one.fix}")
