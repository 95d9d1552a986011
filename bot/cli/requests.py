"""`recado requests`: what people asked for, until when it must be answered, and how it went on (GDPR art. 12(3), 15-22)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.storage.register import MongoRegister, Request

MOVES = {
    "understand": "It was a request after all: from now on it is answered (the clock has run from the first message).",
    "dismiss": "It was none.",
    "wait": "The person was asked what they mean or who they are; the clock stops where the law lets it.",
    "go-on": "The person answered; the clock runs again.",
    "extend": "It takes longer, and the person was told why within the term.",
    "answer": "It was answered.",
    "refuse": "It was refused, and the person was told why and where to complain (GDPR art. 12(4)).",
    "cancel": "The person took it back.",
}
_NEED_REASON = ("extend", "refuse")


@click.group(epilog="Example:  recado requests list")
def requests() -> None:
    """The register of data subjects' requests, with the clock of the law that holds for each.

    Every wish a person writes in the chat stands here by itself; its clock runs from their first message.
    """


@requests.command("list", epilog="Example:  recado requests list --all --json")
@click.option("--all", "closed", is_flag=True, help="Also those that are closed.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_all(closed: bool, as_json: bool) -> None:
    """The one due first comes first. Exit status 1 when one is overdue."""
    found, now = asyncio.run(_listed(closed=closed))
    if as_json:
        click.echo(json.dumps([_facts(one, now) for one in found], indent=2))
    elif not found:
        click.echo("No request is open." if not closed else "There are no requests.")
    for one in [] if as_json else found:
        until = "the clock stands still" if one.due_at is None else f"until {one.due_at:%Y-%m-%d}"
        late = "  OVERDUE" if one.overdue(now) else ""
        click.echo(f"{one.id}  {one.kind:9} {one.state:9} {one.law:5} {until}{late}")
    sys.exit(1 if any(one.overdue(now) for one in found) else 0)


@requests.command(epilog="Example:  recado requests show 3f2a9c --words")
@click.argument("request")
@click.option("--words", is_flag=True, help="Also what the person wrote, in clear, on this screen.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def show(request: str, words: bool, as_json: bool) -> None:
    """One request with all its times."""
    found, now = asyncio.run(_shown(request, words=words))
    facts = _facts(found, now) | ({"words": found.words} if words else {})
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, value in facts.items():
        click.echo(f"{name:12} {'' if value is None else value}")


@requests.command(
    epilog="Example:  recado requests move 3f2a9c answer   ·   recado requests move 3f2a9c extend --because 'many files'"
)
@click.argument("request")
@click.argument("step", type=click.Choice(list(MOVES)))
@click.option("--because", default="", help="Why; needed to extend and to refuse. Name nobody: it stays on record.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def move(request: str, step: str, because: str, as_json: bool) -> None:
    """Writes down how a request went on: understand, dismiss, wait, go-on, extend, answer, refuse or cancel.

    What must be done about it is done with `recado subject`; what must be said to the person is said in the chat or by letter.
    """
    if step in _NEED_REASON and not because:
        raise click.UsageError(f"To {step} a request, say why with --because; the person must be told it too.")
    found, now = asyncio.run(_moved(request, step.replace("-", "_"), because))
    until = "the clock stands still" if found.due_at is None else f"due {found.due_at:%Y-%m-%d}"
    click.echo(json.dumps(_facts(found, now)) if as_json else f"{found.id}: {found.state}, {until}.")


@asynccontextmanager
async def _register() -> AsyncIterator[tuple["MongoRegister", datetime]]:
    from zoneinfo import ZoneInfo

    from bot.app.ground import SystemClock
    from bot.app.keeping import opened
    from bot.app.project import load_project
    from bot.domain.errors import SettingsProblem
    from bot.settings import read_settings
    from bot.storage.register import MongoRegister

    settings, clock = read_settings(), SystemClock()
    book = load_project(settings.project, served=False).book
    if book is None:
        raise SettingsProblem("The flows have errors; `recado flows check` shows them.")
    async with opened(settings, clock) as here:
        yield MongoRegister(here.mongo, here.subjects, zone=ZoneInfo(book.business.time_zone)), clock.now()


async def _listed(*, closed: bool) -> "tuple[Sequence[Request], datetime]":
    async with _register() as (register, now):
        return await register.all(closed=closed), now


async def _shown(request: str, *, words: bool) -> "tuple[Request, datetime]":
    async with _register() as (register, now):
        return _there(await register.find(await register.whole(request), words=words), request), now


async def _moved(request: str, trigger: str, because: str) -> "tuple[Request, datetime]":
    from bot.domain.errors import IllegalMove

    async with _register() as (register, now):
        try:
            found = _there(await register.find(await register.whole(request)), request)
            return _there(await register.move(found.id, trigger, now, because=because), request), now
        except IllegalMove:
            raise click.ClickException(_impossible(found)) from None
        except ValueError as problem:
            raise click.ClickException(f"That cannot be done now: {problem}.") from None


def _impossible(found: "Request") -> str:
    """Why a step cannot be taken, and which can."""
    from bot.privacy.requests import CLOSED, MACHINE

    if found.state in CLOSED:
        return f"The request {found.id} is closed ({found.state}); nothing more can be done with it."
    steps = [name.replace("_", "-") for name, source, _ in MACHINE.moves if source == found.state]
    return f"The request {found.id} is {found.state}; from there it can only {', '.join(sorted(set(steps)))}. Nothing was changed."


def _there(found: "Request | None", request: str) -> "Request":
    if found is None:
        raise click.ClickException(f"There is no request {request}. `recado requests list --all` shows them.")
    return found


def _facts(one: "Request", now: datetime) -> dict[str, object]:
    return {
        "id": one.id, "kind": one.kind, "state": one.state, "law": one.law, "received_at": one.received_at.isoformat(),
        "due_at": one.due_at.isoformat() if one.due_at else None, "overdue": one.overdue(now), "subject": one.subject_ref,
        "language": one.language, "closed_at": one.closed_at.isoformat() if one.closed_at else None, "answer": one.answer,
        "extended_because": one.because, "pauses": len(one.pauses),
    }  # fmt: skip
