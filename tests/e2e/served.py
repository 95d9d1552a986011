"""`recado serve` as a process of its own, and a project with an echo flow to put questions of order to."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp

from bot.privacy.keyring import create_key_files
from tests.e2e import standin

ROOT = Path(__file__).parents[2]

BUSINESS = """
name: Echo Lda
controller: {name: "Echo, Lda.", address: "Rua do Exemplo 1", email: hello@echo.example, phone: "+351 210 000 000"}
dpo: {not_required_because: "small and no special categories"}
notice: {link: "https://echo.example/privacy", data: [what you write], storage: in the EU, retention: a day, complaint: CNPD}
purposes: {support: {title: answering you, basis: legitimate_interest, interest: answering}}
teams: {front_desk: {title: Desk}}
"""

ECHO = """
flow: echo
title: Echo
language: en
purpose: support
starts: [{words: [echo]}]
data: {said: {type: text, keep: until_end}}
steps:
  - id: again
    ask: What shall I repeat?
    into: said
  - say: "You said {said}."
  - {go: again, at_most: 20}
  - end
"""


def echo_project(folder: Path) -> Path:
    """A project whose one flow repeats what it is told."""
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "business.yaml").write_text(BUSINESS)
    (folder / "flows" / "echo.yaml").write_text(ECHO)
    return folder


def shop_project(folder: Path, orders: int) -> Path:
    """The example shop, with its order system on another port."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    shutil.copytree(ROOT / "locales", folder / "locales")
    business = folder / "flows" / "business.yaml"
    business.write_text(business.read_text().replace("127.0.0.1:8093", f"127.0.0.1:{orders}"))
    return folder


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def environment(uri: str, database: str, graph: str, keys: Path, project: Path = ROOT) -> dict[str, str]:
    """Settings of a whole installation."""
    if not (keys / "kek").exists():
        create_key_files(keys)
    own = {name: value for name, value in os.environ.items() if not name.startswith("RECADO_")}
    return own | {
        "RECADO_ENVIRONMENT": "demo",
        "RECADO_PROJECT": str(project),
        "RECADO_FLOWS_READ_EVERY": "0.2",
        "RECADO_STORAGE__URI": uri,
        "RECADO_STORAGE__DATABASE": database,
        "RECADO_STORAGE__VAULT_DATABASE": f"{database}_vault",
        "RECADO_WHATSAPP__APP_SECRET": standin.SECRET,
        "RECADO_WHATSAPP__VERIFY_TOKEN": standin.VERIFY,
        "RECADO_WHATSAPP__ACCESS_TOKEN": standin.TOKEN,
        "RECADO_WHATSAPP__PHONE_NUMBER_ID": standin.ACCOUNT,
        "RECADO_WHATSAPP__GRAPH_URL": graph,
        "RECADO_PRIVACY__KEK_FILE": str(keys / "kek"),
        "RECADO_PRIVACY__INDEX_KEY_FILE": str(keys / "index"),
        "RECADO_PRIVACY__SUPPRESSION_KEY_FILE": str(keys / "suppression"),
        "RECADO_PRIVACY__LEDGER_KEY_FILE": str(keys / "ledger"),
    }


@dataclass
class Served:
    """One `recado serve`; `async with` starts it and ends it."""

    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/whatsapp"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    async def start(self) -> None:
        ports = {"RECADO_WEB__PORT": str(self.port), "RECADO_ADMIN__PORT": str(self.admin)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - only starts it
                [sys.executable, "-m", "bot", "serve", "--log-level", "DEBUG"],
                env=self.environment | ports,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        deadline = asyncio.get_running_loop().time() + 30
        async with aiohttp.ClientSession() as session:
            while asyncio.get_running_loop().time() < deadline:
                if self.process.poll() is not None:
                    raise AssertionError(f"serve ended: {self.log.read_text()[-2000:]}")
                try:
                    async with session.get(f"http://127.0.0.1:{self.admin}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        raise AssertionError(f"serve did not become ready: {self.log.read_text()[-2000:]}")

    def end(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)
        self.process = None
