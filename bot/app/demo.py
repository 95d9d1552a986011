"""The whole thing on one machine: embedded database, simulator, order system and bot, on 127.0.0.1 only.

Nothing of it is fit for real people: the keys lie beside the data and Meta is simulated.
"""

import json
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from bot.app.compose import Bot, open_bot
from bot.app.demo_orders import order_routes
from bot.app.project import load_project
from bot.app.queueing import queue_template
from bot.app.staffing import demo_log_ins
from bot.domain.business import Business
from bot.domain.errors import SettingsProblem
from bot.domain.template_text import meta_language
from bot.privacy.keyring import create_key_files
from bot.settings import read_settings
from bot.simulator import Action, Person, Simulator, SimulatorSettings, Template, TemplateButton
from bot.storage.embedded import EmbeddedDatabase

NEWS = "fresh bread bowls in indigo, and workshops in December."
SETTINGS = "running.json"
"""Where the settings of a running demo stand in its data; `bot.cli.group` reads it."""

KEYS = {
    "KEK_FILE": "kek",
    "INDEX_KEY_FILE": "index",
    "SUPPRESSION_KEY_FILE": "suppression",
    "LEDGER_KEY_FILE": "ledger",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens; 0 lets the system choose."""

    web: int = 8080
    admin: int = 9090
    simulator: int = 8090
    orders: int = 8093

    @classmethod
    def free(cls) -> Self:
        """Four that nobody listens on now. They are known before anything starts, because addresses are made of them."""
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            return cls(*(int(one.getsockname()[1]) for one in sockets))


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    bot: Bot
    simulator: Simulator
    people: tuple[tuple[str, str], ...] = ()
    password: str = field(default="", repr=False)

    @property
    def phone(self) -> str:
        return self.simulator.phone_url

    @property
    def console(self) -> str:
        """By name and not by number: browsers make passkeys for names only."""
        return f"http://localhost:{self.bot.web_port}/console/"


@asynccontextmanager
async def open_demo(project: Path, data: Path, ports: Ports) -> AsyncIterator[Demo]:
    """Everything, ready when entered. Raises `SettingsProblem` in plain words when something cannot start.

    While it runs, its settings stand in `data`, so that commands can work beside it (`recado --demo`).
    """
    loaded = load_project(project)
    if loaded.book is None:
        raise SettingsProblem("The flows have errors; nothing was started.\n" + "\n".join(map(str, loaded.errors)))
    keys = _keys(data / "keys")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(EmbeddedDatabase(data / "db"))
        orders = await _orders(stack, ports.orders)
        running: list[Bot] = []
        business = loaded.book.business
        simulator = await stack.enter_async_context(
            Simulator(_simulated(business, ports), actions=_actions(business, running))
        )
        values = _values(project, database.uri, simulator, ports, keys)
        elsewhere = ports.orders != Ports().orders
        people, password = await demo_log_ins(read_settings(values, folder=keys))
        bot = await stack.enter_async_context(
            open_bot(
                read_settings(values, folder=keys),
                connectors={"shop": f"http://127.0.0.1:{orders}"} if elsewhere else None,
            )
        )
        running.append(bot)
        stack.enter_context(_told(data / SETTINGS, values))
        simulator.webhook_url = f"http://127.0.0.1:{bot.web_port}/webhooks/whatsapp"
        yield Demo(bot, simulator, people, password)


def _keys(folder: Path) -> Path:
    """Key files of the demo, made once; never used by `serve`."""
    if not (folder / "kek").exists():
        create_key_files(folder)
    return folder


async def _orders(stack: AsyncExitStack, port: int) -> int:
    application = web.Application()
    application.add_routes(order_routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        raise SettingsProblem(f"Port {port} is taken; stop what uses it (another demo?) and try again.") from None
    return int(runner.addresses[0][1])


def _actions(business: Business, running: list[Bot]) -> tuple[Action, ...]:
    """What the shop's owner could do with `recado send`, as a button under each phone."""

    async def newsletter(person: Person) -> str | None:
        recipient = person.bsuid or f"+{str(person.number).lstrip('+')}"
        _, words = await queue_template(running[0], "newsletter", "monthly_news", recipient, (NEWS,))
        return words

    known = "monthly_news" in business.templates and "newsletter" in business.purposes
    return (Action("newsletter", "Queue a newsletter", newsletter),) if known else ()


def _simulated(business: Business, ports: Ports) -> SimulatorSettings:
    return SimulatorSettings(
        port=ports.simulator, templates=templates_of(business), verified_name=business.name, title=business.name
    )


def templates_of(business: Business) -> tuple[Template, ...]:
    """The templates of business.yaml as Meta would have approved them."""
    return tuple(
        Template(
            name, meta_language(language), body, declared.category.upper(), footer=declared.footer.get(language, ""),
            header=declared.header.get(language, ""), header_format="TEXT" if language in declared.header else "",
            buttons=(
                *(TemplateButton("QUICK_REPLY", label) for label in declared.buttons.get(language, ())),
                *((TemplateButton("URL", declared.link.label[language], declared.link.address),) if declared.link else ()),
            ),
        )
        for name, declared in business.templates.items()
        for language, body in declared.languages.items()
    )  # fmt: skip


def _values(project: Path, uri: str, simulator: Simulator, ports: Ports, keys: Path) -> dict[str, str]:
    simulated = simulator.settings
    values = {
        "RECADO_ENVIRONMENT": "demo",
        "RECADO_PROJECT": str(project.resolve()),
        "RECADO_STORAGE__URI": uri,
        "RECADO_WHATSAPP__APP_SECRET": simulated.app_secret,
        "RECADO_WHATSAPP__VERIFY_TOKEN": simulated.verify_token,
        "RECADO_WHATSAPP__ACCESS_TOKEN": simulated.access_token,
        "RECADO_WHATSAPP__PHONE_NUMBER_ID": simulated.phone_number_id,
        "RECADO_WHATSAPP__GRAPH_URL": simulator.url,
        "RECADO_WEB__PORT": str(ports.web),
        "RECADO_WEB__PUBLIC_URL": f"http://127.0.0.1:{ports.web}",
        "RECADO_ADMIN__PORT": str(ports.admin),
    }
    return values | {f"RECADO_PRIVACY__{name}": str((keys / file).resolve()) for name, file in KEYS.items()}


@contextmanager
def _told(file: Path, values: Mapping[str, str]) -> Iterator[None]:
    """The settings in a file of the demo's owner alone, until the demo ends."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(values, out, indent=2)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
