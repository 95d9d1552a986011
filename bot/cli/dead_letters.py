"""`recado dead-letters`: what failed for good, kept sealed for seven days."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.app.compose import Bot
    from bot.storage.dead_letters import Kept, MongoDeadLetters


@click.group("dead-letters", epilog="Example:  recado dead-letters list")
def dead_letters() -> None:
    """Events that could not be played and commands that could not be carried out.

    The person got an apology with the way to a human; the line went on. What is listed names nobody: `person` is a random id.
    """


@dead_letters.command("list", epilog="Example:  recado dead-letters list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_all(as_json: bool) -> None:
    """The newest first. Exit status 1 when there are any."""
    found = asyncio.run(_listed())
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found], indent=2))
    elif not found:
        click.echo("There are no dead letters.")
    for one in [] if as_json else found:
        click.echo(f"{one.id}  {one.at:%Y-%m-%d %H:%M}  {one.letter.kind} {one.letter.name}: {one.letter.reason}")
    sys.exit(1 if found else 0)


@dead_letters.command(epilog="Example:  recado dead-letters show 3f2a… --content")
@click.argument("letter")
@click.option("--content", is_flag=True, help="Also what it holds: the person's words, in clear, on this screen.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def show(letter: str, content: bool, as_json: bool) -> None:
    """What one of them is, and why it failed. Its content is opened only when asked for (GDPR art. 5(1)(c))."""
    found = asyncio.run(_shown(letter, content=content))
    facts = _facts(found) | ({"content": _plainly(found)} if content else {})
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, value in facts.items():
        click.echo(f"{name:9} {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}")


@dead_letters.command(epilog="Example:  recado dead-letters replay 3f2a…   ·   recado dead-letters replay --all")
@click.argument("letters", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them, the oldest first.")
def replay(letters: tuple[str, ...], everything: bool) -> None:
    """Plays an event again, or carries a command out again, through the same gate as everything; then drops the letter.

    Do it when the cause is mended. Repeating it does nothing twice. What cannot be played again stays, and is told; exit status 1 then.
    """
    if bool(letters) == everything:
        raise click.UsageError("Name the letters to replay, or say --all.")
    failed = asyncio.run(_replayed(letters))
    sys.exit(1 if failed else 0)


@dead_letters.command(epilog="Example:  recado dead-letters drop 3f2a…")
@click.argument("letters", nargs=-1, required=True)
def drop(letters: tuple[str, ...]) -> None:
    """Deletes letters for good. Exit status 1 when one of them was not there."""
    missing = asyncio.run(_dropped(letters))
    for one in missing:
        click.echo(f"There is no dead letter {one}.", err=True)
    click.echo(f"{len(letters) - len(missing)} dropped.")
    sys.exit(1 if missing else 0)


# -- the work ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Here:
    bot: "Bot"
    letters: "MongoDeadLetters"

    async def whole(self, start: str) -> str:
        """The letter's id that begins so."""
        from bot.storage.references import LETTER, whole

        return await whole(self.bot.mongo, LETTER, start)


@asynccontextmanager
async def _opened() -> AsyncIterator[_Here]:
    from bot.app.compose import open_bot
    from bot.settings import read_settings
    from bot.storage.dead_letters import MongoDeadLetters
    from bot.storage.subjects import Subjects

    async with open_bot(read_settings(), work=False, serve_web=False) as bot:
        yield _Here(bot, MongoDeadLetters(bot.mongo, Subjects(bot.mongo, bot.keyring, bot.clock)))


async def _listed() -> "list[Kept]":
    async with _opened() as here:
        return await here.letters.all()


async def _shown(letter: str, *, content: bool) -> "Kept":
    async with _opened() as here:
        letter = await here.whole(letter)
        if content:
            found = await here.letters.find(letter)
        else:
            found = next((one for one in await here.letters.all() if one.id == letter), None)
    if found is None:
        raise click.ClickException(f"There is no dead letter {letter}. `recado dead-letters list` shows them.")
    return found


async def _replayed(letters: tuple[str, ...]) -> int:
    async with _opened() as here:
        named = [await here.whole(one) for one in letters]
        wanted = named or [one.id for one in reversed(await here.letters.all())]
        if not wanted:
            click.echo("There are no dead letters; nothing was played.")
        failed = 0
        for letter in wanted:
            trouble = await _again(here, letter)
            failed += bool(trouble)
            click.echo(f"{letter}: {trouble or 'played again'}", err=bool(trouble))
        return failed


async def _again(here: _Here, letter: str) -> str:
    """Empty when it was done, else why not."""
    from bot.domain.errors import Unreadable

    try:
        found = await here.letters.find(letter)
    except Unreadable as problem:
        return str(problem)
    if found is None:
        return "there is no such letter"
    content: Any = found.letter.content  # an event or a command, as `kind` says
    person = found.letter.person
    if content is None:
        return "nothing of it was kept that could be played again; it can be dropped"
    once = here.bot.keyring.event_id(f"dead-letter:{letter}")
    if found.letter.kind == "event":
        done = await here.bot.turns.submit(person, replace(content, id=once))
    else:
        done = await here.bot.turns.carry_out_again(person, content, once)
    await here.letters.drop(letter)
    return "" if done else "the person is gone, so nothing was played; the letter is dropped"


async def _dropped(letters: tuple[str, ...]) -> list[str]:
    async with _opened() as here:
        named = {one: await here.whole(one) for one in letters}
        return [one for one, letter in named.items() if not await here.letters.drop(letter)]


def _facts(one: "Kept") -> dict[str, object]:
    letter = one.letter
    return {
        "id": one.id, "at": one.at.isoformat(), "kind": letter.kind, "name": letter.name, "reason": letter.reason,
        "person": str(letter.person), "kept_until": one.expires.isoformat(),
    }  # fmt: skip


def _plainly(one: "Kept") -> object:
    """The content as plain data, with what the types hide on purpose."""
    from bot.domain import plain

    return json.loads(json.dumps(plain.encode(one.letter.content), default=str)) if one.letter.content else None
