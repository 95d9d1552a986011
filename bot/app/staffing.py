"""Accounts of the console for commands and for the demo, without starting the bot."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.app.ground import SystemClock
from bot.app.keeping import opened
from bot.app.project import load_project
from bot.console import passwords
from bot.domain.errors import SettingsProblem
from bot.handoff.roles import Staff
from bot.handoff.values import Looked
from bot.runtime.ports import Clock
from bot.settings import Settings
from bot.storage.desks import MongoDesks
from bot.storage.staff import MongoStaff

OPERATOR = "(operator)"
"""Who acts by command; stands in the log instead of an account."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What commands do with accounts; each act is on record."""

    staff: MongoStaff
    desks: MongoDesks
    clock: Clock
    teams: tuple[str, ...]
    url: str

    async def add(
        self, login: str, name: str, role: str, teams: tuple[str, ...], languages: tuple[str, ...], skills: tuple[str, ...]
    ) -> str | None:  # fmt: skip
        """The invitation of a new account; None when the name is taken."""
        if not await self.staff.add(Staff(login, name, role, teams, languages, skills), self.clock.now()):
            return None
        await self._log(f"added {login} as {role}")
        return await self.invited(login, anew=False)

    async def invited(self, login: str, *, anew: bool) -> str | None:
        token = await self.staff.invite(login, self.clock.now(), anew=anew)
        if token is None:
            return None
        if anew:
            await self._log(f"reset {login}")
        return f"{self.url}/console/join/{token}"

    async def change(self, login: str, **changes: Any) -> bool:
        changed = await self.staff.change(login, **changes) is not None
        if changed:
            await self._log(f"changed {login}: {', '.join(f'{name} {value}' for name, value in changes.items())}")
        return changed

    async def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "login": one.id, "name": one.name, "role": one.role, "teams": list(one.teams), "disabled": one.disabled,
                "logs_in_with": list(await self.staff.kinds(one.id)),
            }
            for one in await self.staff.all()
        ]  # fmt: skip

    async def _log(self, what: str) -> None:
        await self.desks.log(Looked(self.clock.now(), OPERATOR, "staff.edit", what=what))


@asynccontextmanager
async def accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """Raises `SettingsProblem` for wrong settings or flows, and `RetryLater` when the database is out of reach."""
    loaded = load_project(settings.project)
    if loaded.book is None:
        raise SettingsProblem("The flows have errors; `recado flows check` tells which.")
    clock = SystemClock()
    async with opened(settings, clock) as ground:
        url = settings.web.public_url.rstrip("/") or f"http://localhost:{settings.web.port}"
        yield Accounts(
            MongoStaff(ground.mongo, ground.keyring), MongoDesks(ground.mongo, ground.subjects), clock,
            tuple(loaded.book.business.teams), url,
        )  # fmt: skip


DEMO_PEOPLE = (
    ("maria", "Maria Exemplo", "agent"), ("bruno", "Bruno Exemplo", "agent"), ("lena", "Lena Exemplo", "lead"),
    ("dora", "Dora Exemplo", "dpo"), ("adam", "Adam Exemplo", "admin"),
)  # fmt: skip
"""Invented colleagues of the demo."""


async def demo_log_ins(settings: Settings) -> tuple[tuple[tuple[str, str], ...], str]:
    """((name, role) of each, their password): accounts of the demo, made where they are missing, with a fresh password each time."""
    password = f"casa-{secrets.token_hex(4)}-{secrets.token_hex(2)}"
    hashed = await passwords.hashed(password)
    async with accounts(settings) as known:
        now = known.clock.now()
        for login, name, role in DEMO_PEOPLE:
            teams = known.teams if role in ("agent", "lead") else ()
            await known.staff.add(Staff(login, name, role, teams, demo=True), now)
            await known.staff.set_password(login, hashed, now)
    return tuple((login, role) for login, _, role in DEMO_PEOPLE), password
