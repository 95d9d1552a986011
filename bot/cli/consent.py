"""`recado consent`: the ledger of consents looked at, proven, handed out and filled from elsewhere."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from bot.cli.asking import asked_address
from bot.cli.private_files import new_private_file, refuse_target

if TYPE_CHECKING:
    from bot.app.importing import Told
    from bot.privacy.ledger.heads import TreeHead
    from bot.privacy.ledger.report import Report


@click.group(epilog="Example:  recado consent verify")
def consent() -> None:
    """Show, verify, export and import consents; receipts."""


@consent.command(epilog="Example:  recado consent verify ledger.jsonl --head heads/ --keys keys.json")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--head",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Tree heads kept outside: a file, or a folder of them. May be given several times.",
)
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public keys (`recado consent keys`) that you were given earlier.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(file: Path | None, places: Sequence[Path], keys_file: Path | None, as_json: bool) -> None:
    """Verifies the stored ledger; or, without any database, an exported FILE or a receipt.

    Says what was changed, exchanged, taken out, put in or cut off, whether all consents stand as their events say, how many events are
    not anchored yet, and what cannot be known from what was given.
    """
    heads, troubles = _heads(places)
    keys = _keys(keys_file) if keys_file else None
    if file is None:
        report = asyncio.run(_stored(heads, anchored=not places))
    elif _is_receipt(file):
        _receipt(file, keys, as_json)
        return
    else:
        from bot.privacy.ledger.offline import verify_file

        with file.open("rb") as opened:
            report = verify_file(opened, heads, keys)
    _tell(report, troubles, as_json)
    sys.exit(0 if report.well and not troubles else 1)


def _is_receipt(file: Path) -> bool:
    from bot.privacy.receipts import is_receipt

    return is_receipt(file.read_bytes()[: 1 << 20])


def _receipt(file: Path, keys: "dict[str, bytes] | None", as_json: bool) -> None:
    from bot.privacy.receipts import read_receipt

    found = read_receipt(file.read_bytes(), keys)
    if as_json:
        click.echo(json.dumps(found.plain(), indent=2))
    else:
        for line in found.lines():
            click.echo(line)
    sys.exit(0 if found.well else 1)


def _heads(places: Sequence[Path]) -> "tuple[list[TreeHead], list[str]]":
    from bot.storage.anchors import read_heads

    heads: list[TreeHead] = []
    troubles: list[str] = []
    for one in places:
        found, wrong = read_heads(one)
        if not found:
            raise click.UsageError(f"{one} holds no tree head.")
        heads += found
        troubles += wrong
    return heads, troubles


def _keys(file: Path) -> dict[str, bytes]:
    try:
        plain = json.loads(file.read_bytes())
        return {str(kid): bytes.fromhex(key) for kid, key in plain["keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(f"{file} holds no public keys; `recado consent keys` writes such a file.") from None


async def _stored(heads: "Sequence[TreeHead]", *, anchored: bool) -> "Report":
    from bot.app.consents import open_ledger, verify_stored
    from bot.settings import read_settings
    from bot.storage.anchors import read_heads

    settings = read_settings()
    folder = settings.privacy.anchor_folder
    if anchored and folder is not None and folder.is_dir():
        heads, _ = read_heads(folder)
    async with open_ledger(settings) as ledger:
        return await verify_stored(ledger, heads)


def _tell(report: "Report", troubles: Sequence[str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**report.plain(), "unreadable_heads": list(troubles)}, indent=2))
        return
    click.echo(
        f"{report.events} events in the tree, {report.heads} signed heads, {report.outside} heads from outside, "
        f"{report.projections} people compared."
    )
    click.echo(
        f"{report.unanchored} events are not anchored yet ({report.unsequenced} of them have no place in the tree)."
    )
    for epoch in report.pruned:
        click.echo(f"{epoch} was pruned after the evidence period; its signed head is kept.")
    for one in report.findings:
        click.echo(f"WRONG  {one.kind} at {one.where}: {one.words}")
    for trouble in troubles:
        click.echo(f"WRONG  a head cannot be read: {trouble}")
    for words in report.unknowable:
        click.echo(f"NOTE   {words}")
    if report.well and not troubles:
        click.echo("Nothing wrong was found.")


@consent.command(epilog="Example:  recado consent keys > keys.json")
def keys() -> None:
    """Prints the public keys with which heads, receipts and exports are verified; give them to auditors early."""
    from bot.privacy.keyring import Keyring
    from bot.settings import read_settings

    public = Keyring.load(read_settings().privacy).verifying_keys()
    click.echo(json.dumps({"keys": {kid: key.hex() for kid, key in public.items()}}, indent=2))


FORMATS = ("jsonl", "iso-27560", "kantara-1.1", "dpv")


@consent.command(epilog="Example:  recado consent export --format jsonl --output ledger.jsonl")
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True, help="Which form.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else standard output.")
def export(form: str, output: Path | None) -> None:
    """Writes the ledger: the verifiable JSON lines, or the records of ISO/IEC TS 27560, Kantara or DPV. Without words or numbers."""
    if output is None:
        asyncio.run(_export(form, sys.stdout.buffer))
        return
    with new_private_file(output) as file:
        count = asyncio.run(_export(form, file))
    click.echo(f"{count} lines written to {output}.", err=True)


async def _export(form: str, file: IO[bytes]) -> int:
    from bot.app.consents import export_lines, open_ledger, record_lines
    from bot.settings import read_settings

    count = 0
    async with open_ledger(read_settings()) as ledger:
        async for line in export_lines(ledger) if form == "jsonl" else record_lines(ledger, form):
            file.write(line)
            count += 1
    return count


@consent.command(epilog="Example:  recado consent receipt 1f0c9a4e7b2d8c3a5f6e0d1b2c3a4f5e --html receipt.html")
@click.argument("event")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Also write it as a page.")
def receipt(event: str, page: Path | None) -> None:
    """Prints the signed receipt of a consent by the id of its event; it holds the person's own words, so give it to nobody else."""
    from bot.privacy.receipts import receipt_page

    if page is not None:
        refuse_target(page)
    signed = asyncio.run(_signed(event))
    if page is not None:
        with new_private_file(page) as file:
            file.write(receipt_page(signed))
    click.echo(signed.decode())


async def _signed(event: str) -> bytes:
    from bot.app.consents import open_ledger, receipt_for
    from bot.settings import read_settings
    from bot.storage.references import EVENT, whole

    async with open_ledger(read_settings()) as ledger:
        return await receipt_for(ledger, await whole(ledger.mongo, EVENT, event))


@consent.command(epilog="Example:  recado consent show --purpose newsletter")
@click.option("--subject", help="A person's reference in the ledger.")
@click.option(
    "--ask", is_flag=True, help="Ask for a number or user id; it is read from standard input, never from the line."
)
@click.option("--purpose", help="The newest events of one purpose.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most so many events.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def show(subject: str | None, ask: bool, purpose: str | None, limit: int, as_json: bool) -> None:
    """Shows events of one person or one purpose, without words, and where each purpose stands."""
    if sum(one is not None for one in (subject, purpose)) + ask != 1:
        raise click.UsageError("Give one of --subject, --ask and --purpose.")
    address = asked_address() if ask else ""
    found = asyncio.run(_shown(subject or "", address, purpose or "", limit))
    if as_json:
        click.echo(
            json.dumps({name: one for name, one in found.items() if name != "missing"}, indent=2, ensure_ascii=False)
        )
    else:
        for name, standing in found["standing"].items():
            click.echo(f"{name}: {standing['state']}")
        for one in found["events"]:
            click.echo(
                "  ".join(
                    str(one.get(name, "")) for name in ("occurred_at", "id", "event_type", "purpose", "state_after")
                )
            )
    if not found["events"]:
        click.echo(found["missing"], err=True)
        sys.exit(1)


async def _shown(subject: str, address: str, purpose: str, limit: int) -> "dict[str, Any]":
    from bot.app.consents import open_ledger, shown_events
    from bot.settings import read_settings
    from bot.storage.references import SUBJECT, whole

    async with open_ledger(read_settings()) as ledger:
        subject = await whole(ledger.mongo, SUBJECT, subject)
        return await shown_events(ledger, subject=subject, address=address, purpose=purpose, limit=limit)


@consent.command("import", epilog="Example:  recado consent import consents.jsonl --check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only say what would be refused, and why; writes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_(file: Path, check: bool, as_json: bool) -> None:
    """Takes over consents given elsewhere: one JSON object a line, with the evidence of its day.

    Keys: person, purpose, given_at, confirmed_at (where the purpose needs a second yes), wording, answer, notice, language, source.
    A line without evidence is refused, and so is everybody who stopped or decided otherwise here. Nobody is written to. It may be
    repeated. Exit status 1 when a line was refused.
    """
    told = asyncio.run(_imported(file, check=check))
    refused = [one for one in told if one.outcome == "refused"]
    count, done = len(told) - len(refused), "would be taken" if check else "taken"
    if as_json:
        reasons = [{"line": one.number, "reason": one.reason} for one in refused]
        click.echo(json.dumps({"checked" if check else "taken": count, "refused": reasons}, indent=2))
    else:
        for one in refused:
            click.echo(f"{file}:{one.number}: {one.reason}.", err=True)
        click.echo(f"{count} {done}, {len(refused)} refused.")
    sys.exit(1 if refused else 0)


async def _imported(file: Path, *, check: bool) -> "list[Told]":
    from bot.app.compose import open_bot
    from bot.app.importing import Told, import_line, read_lines
    from bot.settings import read_settings

    told = []
    async with open_bot(read_settings(), work=False, serve_web=False) as bot:
        with file.open("rb") as lines:
            for number, line in read_lines(lines, bot.business, bot.clock.now()):
                if isinstance(line, str):
                    told.append(Told(number, "refused", line))
                else:
                    told.append(Told(number, "taken") if check else await import_line(bot, number, line))
    return told
