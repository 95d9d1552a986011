"""`recado api-keys`: keys by which the business's own systems use the REST API. A key is shown once and cannot be read again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.app.keeping import Opened
    from bot.privacy.access import ApiKey
    from bot.storage.api_keys import MongoApiKeys


@click.group("api-keys", epilog="Example:  recado api-keys add shop --scope opt-ins:write --scope consents:read")
def api_keys() -> None:
    """Make, list and revoke keys of the REST API (docs/api.md).

    Give each system a key of its own with the scopes it needs. While no key is live, the API answers 404 to everybody.
    """


@api_keys.command(epilog="Example:  recado api-keys add shop --scope opt-ins:write --expires 2027-01-31")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="What it may do; several times. `recado api-keys scopes` lists them.",
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it works (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Print the key as JSON.")
def add(name: str, scopes: tuple[str, ...], expires: datetime | None, as_json: bool) -> None:
    """Makes a key and prints it, once: only a keyed hash of it is stored.

    NAME says whose key it is: a system, not a person.
    """
    token, key = asyncio.run(_added(name, scopes, expires))
    if as_json:
        click.echo(json.dumps({"key": token, "id": key.id, "name": key.name, "scopes": list(key.scopes)}))
        return
    click.echo(token)
    click.echo(
        f"This is shown once. Keep it where {key.name} keeps its secrets; `recado api-keys revoke {key.id}` ends it.",
        err=True,
    )


@api_keys.command(epilog="Example:  recado api-keys scopes")
def scopes() -> None:
    """What keys may be allowed to do. No scope includes another."""
    from bot.privacy.access import SCOPES

    for name, words in SCOPES.items():
        click.echo(f"{name:18} {words}")


@api_keys.command("list", epilog="Example:  recado api-keys list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_all(as_json: bool) -> None:
    """Every key by what it begins with, and the day it was last used. Dead keys are listed for a year."""
    found, now = asyncio.run(_listed())
    if as_json:
        click.echo(json.dumps([_facts(one, now) for one in found], indent=2))
    elif not found:
        click.echo("There are no keys; the API answers 404.")
    for one in [] if as_json else found:
        used = one.used_on.isoformat() if one.used_on else "never used"
        click.echo(f"recado_{one.id}_…  {one.state(now):8} {used:10}  {one.name}: {', '.join(one.scopes)}")


@api_keys.command(epilog="Example:  recado api-keys revoke 5d1c0a7e")
@click.argument("key")
def revoke(key: str) -> None:
    """Ends a key at once, in every process. KEY is its id, or what it begins with. Exit status 1 when there is none."""
    done = asyncio.run(_revoked(key.removeprefix("recado_").partition("_")[0]))
    if not done:
        click.echo(f"There is no live key {key}; `recado api-keys list` shows them.", err=True)
        sys.exit(1)
    click.echo("The key opens nothing any more.")


# -- the work ----------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _keys() -> "AsyncIterator[tuple[Opened, MongoApiKeys, datetime]]":
    from bot.app.ground import SystemClock
    from bot.app.keeping import opened
    from bot.settings import read_settings
    from bot.storage.api_keys import MongoApiKeys

    clock = SystemClock()
    async with opened(read_settings(), clock) as here:
        yield here, MongoApiKeys(here.mongo), clock.now()


async def _added(name: str, scopes: tuple[str, ...], expires: datetime | None) -> "tuple[str, ApiKey]":
    from bot.privacy.access import ApiKey, checked_name, checked_scopes, token_of
    from bot.privacy.crypto import new_key, random_token

    wanted, named = checked_scopes(scopes), checked_name(name)
    async with _keys() as (here, keys, now):
        until = expires.replace(tzinfo=UTC) + timedelta(days=1) if expires is not None else None
        if until is not None and until <= now:
            raise click.UsageError("--expires lies in the past.")
        while True:
            secret, key_id = new_key(), random_token()[:8]
            made = ApiKey(key_id, named, wanted, here.keyring.api_key_hash(key_id, secret.hex()), now, until)
            if await keys.add(made):
                return token_of(key_id, secret), made


async def _listed() -> "tuple[list[ApiKey], datetime]":
    async with _keys() as (_, keys, now):
        return await keys.all(), now


async def _revoked(key: str) -> bool:
    from bot.storage.references import KEY, whole

    async with _keys() as (here, keys, now):
        return await keys.revoke(await whole(here.mongo, KEY, key), now)


def _facts(one: "ApiKey", now: datetime) -> dict[str, object]:
    return {
        "id": one.id, "name": one.name, "state": one.state(now), "scopes": list(one.scopes), "created_at": one.created_at.isoformat(),
        "until": one.until.isoformat() if one.until else None, "used_on": one.used_on.isoformat() if one.used_on else None,
    }  # fmt: skip
