"""`recado staff`: accounts of the console. The first one is made here; later administrators make them in the console."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.app.staffing import Accounts

ROLES = ("owner", "admin", "lead", "agent", "campaigner", "auditor", "dpo")


@click.group(epilog="Example:  recado staff add maria --name 'Maria Exemplo' --role agent --team front_desk")
def staff() -> None:
    """Accounts of the console: who they are, what they may do, and how they get in.

    A new account gets a link that works once, for a day: with it its owner makes a passkey, or sets a password and a second factor.
    """


@staff.command(
    epilog="Example:  recado staff add maria --name 'Maria Exemplo' --role agent --team front_desk --team orders"
)
@click.argument("login")
@click.option("--name", required=True, help="The person's name; customers read its first word.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the account may do (docs/console.md).")
@click.option("--team", "teams", multiple=True, help="Team of business.yaml; may be given several times.")
@click.option("--language", "languages", multiple=True, help="Language they answer in; every one where left out.")
@click.option("--skill", "skills", multiple=True, help="Flow or label they know; the queue marks such chats for them.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def add(
    login: str, name: str, role: str, teams: tuple[str, ...], languages: tuple[str, ...], skills: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """Makes an account and prints its invitation."""
    login = login.casefold()
    if not (login.isascii() and login.isalnum() and 2 <= len(login) <= 40):
        raise click.UsageError("A log-in name has 2 to 40 small letters and digits, for example: maria")
    link = asyncio.run(_added(login, name, role, teams, languages, skills))
    if link is None:
        click.echo(f"There is an account called {login} already; nothing was changed.", err=True)
        sys.exit(1)
    _tell(link, login, as_json)


@staff.command("list", epilog="Example:  recado staff list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_all(as_json: bool) -> None:
    """All accounts, with what they log in with."""
    rows = asyncio.run(_listed())
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo("There are no accounts yet; `recado staff add` makes one.")
    else:
        for row in rows:
            state = "disabled" if row["disabled"] else ", ".join(row["logs_in_with"]) or "has not logged in yet"
            click.echo(f"{row['login']:<14} {row['role']:<11} {', '.join(row['teams']) or '-':<24} {state}")


@staff.command(epilog="Example:  recado staff role maria lead")
@click.argument("login")
@click.argument("role", type=click.Choice(ROLES))
def role(login: str, role: str) -> None:
    """Gives an account another role; it holds from the next click on."""
    _changed(asyncio.run(_change(login, role=role)), login, f"is {role} now")


@staff.command(epilog="Example:  recado staff disable maria")
@click.argument("login")
@click.option("--undo", is_flag=True, help="Let the account in again.")
def disable(login: str, undo: bool) -> None:
    """Locks an account out at once: every session of it ends."""
    _changed(asyncio.run(_change(login, disabled=not undo)), login, "may log in again" if undo else "is locked out")


@staff.command(epilog="Example:  recado staff reset maria")
@click.argument("login")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def reset(login: str, as_json: bool) -> None:
    """For a lost device: takes every log-in and session of the account away, and prints a new invitation."""
    link = asyncio.run(_reset(login))
    if link is None:
        _unknown(login)
    else:
        _tell(link, login, as_json)


def _unknown(login: str) -> None:
    click.echo(f"There is no account called {login}.", err=True)
    sys.exit(1)


def _changed(done: bool, login: str, words: str) -> None:
    if not done:
        _unknown(login)
    click.echo(f"{login} {words}.")


def _tell(link: str, login: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"login": login, "invitation": link}))
    else:
        click.echo(f"Give this link to {login}; it works once, for 24 hours:\n\n    {link}\n")


async def _added(
    login: str, name: str, role: str, teams: tuple[str, ...], languages: tuple[str, ...], skills: tuple[str, ...]
) -> str | None:  # fmt: skip
    async with _accounts() as accounts:
        unknown = [team for team in teams if team not in accounts.teams]
        if unknown:
            known = ", ".join(accounts.teams) or "none"
            raise click.UsageError(f"business.yaml declares no team `{unknown[0]}`; it has: {known}.")
        return await accounts.add(login, name, role, teams, languages, skills)


async def _listed() -> "list[dict[str, Any]]":
    async with _accounts() as accounts:
        return await accounts.rows()


async def _change(login: str, **changes: object) -> bool:
    async with _accounts() as accounts:
        return await accounts.change(login.casefold(), **changes)


async def _reset(login: str) -> str | None:
    async with _accounts() as accounts:
        return await accounts.invited(login.casefold(), anew=True)


@asynccontextmanager
async def _accounts() -> "AsyncIterator[Accounts]":
    from bot.app.staffing import accounts
    from bot.settings import read_settings

    async with accounts(read_settings()) as opened:
        yield opened
