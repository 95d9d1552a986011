"""`recado subject`: a person's rights carried out by an operator, for those who asked by letter or at the counter (GDPR art. 12-22)."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.asking import asked_address
from bot.cli.private_files import new_private_file, refuse_target

if TYPE_CHECKING:
    from bot.app.compose import Bot
    from bot.domain.ids import PersonId

_SUBJECT = click.option("--subject", help="A person's reference, as `recado requests` shows it.")
_ASK = click.option(
    "--ask", is_flag=True, help="Ask for a number or user id; it is read from standard input, never from the line."
)
_RECEIVED = click.option(
    "--received",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which the person asked, where it was not today (UTC).",
)
_LONGEST_AGO = timedelta(days=3 * 366)
_YES = click.option("--yes", is_flag=True, help="Do not ask whether to go on.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group(epilog="Example:  recado subject export --ask --to copy.zip")
def subject() -> None:
    """Copy, erasure, restriction, objection and correction, for people who did not ask in the chat.

    Make sure first that it is they who ask (GDPR art. 12(6)). Each command enters the request in the register. A number or user id is
    never given on the command line, where the shell would keep it.
    """


@subject.command(epilog="Example:  recado subject export --subject 5d1c0a --to copy.zip")
@_SUBJECT
@_ASK
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The new ZIP file."
)
@_RECEIVED
@_JSON
def export(subject: str | None, ask: bool, target: Path, received: datetime | None, as_json: bool) -> None:
    """Writes everything that is stored about a person, as a page, as JSON and with its schema (GDPR art. 15, 20)."""
    who = _who(subject, ask)
    refuse_target(target)
    content = asyncio.run(_exported(who, received))
    with new_private_file(target) as file:
        file.write(content)
    _tell(
        {"written": str(target), "bytes": len(content)},
        f"{target}: {len(content):,} bytes, readable by you alone.",
        as_json,
    )


@subject.command(epilog="Example:  recado subject schema > my-data.schema.json")
def schema() -> None:
    """Prints the JSON Schema of `my-data.json`, so that other programs can take the data over (GDPR art. 20(1))."""
    from bot.privacy.export import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@subject.command(epilog="Example:  recado subject erase --ask --received 2026-11-02")
@_SUBJECT
@_ASK
@_RECEIVED
@_YES
@_JSON
def erase(subject: str | None, ask: bool, received: datetime | None, yes: bool, as_json: bool) -> None:
    """Deletes everything about a person, as two taps in the chat would (GDPR art. 17). A running bot carries it out."""
    who = _who(subject, ask)
    _sure("Everything about this person will be gone and cannot be brought back. Go on?", yes=yes)
    _done(
        asyncio.run(_exercised(who, "erase", received)), "The erasure has begun; a running bot completes it.", as_json
    )


@subject.command(epilog="Example:  recado subject restrict --ask   ·   recado subject restrict --ask --lift")
@_SUBJECT
@_ASK
@click.option("--lift", is_flag=True, help="End the restriction. Tell the person before (GDPR art. 18(3)).")
@_RECEIVED
@_JSON
def restrict(subject: str | None, ask: bool, lift: bool, received: datetime | None, as_json: bool) -> None:
    """Restricts the use of a person's data: nothing is sent of our own accord any more (GDPR art. 18)."""
    right = "unrestrict" if lift else "restrict"
    said = "The restriction is lifted." if lift else "The use of the person's data is restricted."
    _done(asyncio.run(_exercised(_who(subject, ask), right, received)), said, as_json)


@subject.command("object", epilog="Example:  recado subject object --ask --scope marketing")
@_SUBJECT
@_ASK
@click.option("--scope", default="marketing", show_default=True, help="`marketing`, `all`, or one purpose.")
@_RECEIVED
@_JSON
def object_(subject: str | None, ask: bool, scope: str, received: datetime | None, as_json: bool) -> None:
    """Enters an objection: at once and for good, nothing of that kind is sent any more (GDPR art. 21)."""
    who = _who(subject, ask)
    _done(asyncio.run(_exercised(who, "object", received, scope)), f"Nothing more is sent: {scope}.", as_json)


@subject.command(epilog="Example:  recado subject rectify --ask --language pt")
@_SUBJECT
@_ASK
@click.option("--language", required=True, help="The person's language, one of those business.yaml offers.")
@_RECEIVED
@_JSON
def rectify(subject: str | None, ask: bool, language: str, received: datetime | None, as_json: bool) -> None:
    """Corrects what is stored about a person (GDPR art. 16).

    That is the language: a number is corrected by writing from the new one, what a flow asked by answering it anew, and what your own
    systems hold there.
    """
    who = _who(subject, ask)
    _done(asyncio.run(_exercised(who, "rectify", received, language)), f"The language is {language} now.", as_json)


@subject.command(epilog="Example:  recado subject vouch --ask")
@_SUBJECT
@_ASK
@_JSON
def vouch(subject: str | None, ask: bool, as_json: bool) -> None:
    """Notes that you made sure who the person is, after a long silence or a changed account (GDPR art. 12(6)).

    Then they get their data in the chat again; where the window is open they are told. Ask for something only they can know, such as the
    last order, or call back on a number you know from elsewhere; a copy of an identity card is rarely needed.
    """
    who = _who(subject, ask)
    _done(asyncio.run(_exercised(who, "vouch", None)), "Noted: the person gets their data in the chat.", as_json)


# -- the work ----------------------------------------------------------------------------------------------------------------


def _who(subject: str | None, ask: bool) -> tuple[str, str]:
    """(reference, address); exactly one of them."""
    if bool(subject) == ask:
        raise click.UsageError("Give one of --subject and --ask.")
    return subject or "", asked_address() if ask else ""


def _sure(question: str, *, yes: bool) -> None:
    if not yes and not click.confirm(question, err=True):
        click.echo("Nothing was done.", err=True)
        sys.exit(1)


def _tell(facts: dict[str, Any], words: str, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else words)


def _done(done: bool, words: str, as_json: bool) -> None:
    _tell(
        {"done": done},
        words if done else "Nobody with this reference, number or id is known; nothing was done.",
        as_json,
    )
    sys.exit(0 if done else 1)


async def _exported(who: tuple[str, str], received: datetime | None) -> bytes:
    from bot.app.compose import open_bot
    from bot.app.exporting import file_of
    from bot.settings import read_settings

    async with open_bot(read_settings(), work=False, serve_web=False) as bot:
        person = await _person(bot, who)
        if person is None:
            raise click.ClickException("Nobody with this reference, number or id is known; nothing was written.")
        await _entered(bot, person, "access", received)
        stored = await bot.conversation(person)
        language = stored.conversation.language if stored else bot.business.language
        return await file_of(bot.copying, bot.catalog, person, language, bot.clock.now())


async def _exercised(who: tuple[str, str], right: str, received: datetime | None, value: str = "") -> bool:
    from bot.app.compose import open_bot
    from bot.settings import read_settings

    async with open_bot(read_settings(), work=False, serve_web=False) as bot:
        _known_value(bot, right, value)
        person = await _person(bot, who)
        if person is None:
            return False
        return await _entered(bot, person, right, received, value)


async def _entered(bot: "Bot", person: "PersonId", right: str, received: datetime | None, value: str = "") -> bool:
    """Carries the right out by a turn, which puts the request into the register with its clock."""
    from bot.domain.event import RightExercised
    from bot.privacy.crypto import random_token

    now = bot.clock.now()
    event = RightExercised(bot.keyring.event_id(f"right:{random_token()}"), now, right, _received(received, now), value)
    return await bot.turns.submit(person, event)


def _received(day: datetime | None, now: datetime) -> datetime:
    """The day as a moment. A day that cannot be meant is refused: the clock of the law runs from it."""
    if day is None:
        return now
    asked = day.replace(tzinfo=UTC)
    if asked > now:
        raise click.UsageError(f"--received {asked:%Y-%m-%d} lies in the future; nothing was done.")
    if now - asked > _LONGEST_AGO:
        raise click.UsageError(f"--received {asked:%Y-%m-%d} is more than three years ago; nothing was done.")
    return asked


def _known_value(bot: "Bot", right: str, value: str) -> None:
    offered = bot.business.languages
    if right == "rectify" and value not in offered:
        raise click.UsageError(f"The language {value} is not offered; there are {', '.join(offered)}.")
    scopes = ("marketing", "all", *bot.business.purposes)
    if right == "object" and value not in scopes:
        raise click.UsageError(f"There is no scope {value}; there are {', '.join(scopes)}.")


async def _person(bot: "Bot", who: tuple[str, str]) -> "PersonId | None":
    from bot.app.queueing import address_of
    from bot.storage.references import SUBJECT, whole

    reference, address = who
    if reference:
        return await bot.subjects.by_reference(await whole(bot.mongo, SUBJECT, reference))
    found = address_of(address)
    if found is None:
        raise click.ClickException("That is neither a number with + and country code nor a WhatsApp user id.")
    return await bot.find(found)
