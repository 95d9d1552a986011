"""`python -m bot.simulator`: the stand-in on its own, for any bot; `python -m bot.simulator chat`: a phone in the terminal."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from bot.simulator.errors import SimulatorError
from bot.simulator.server import Simulator
from bot.simulator.settings import SimulatorSettings
from bot.simulator.templates import Template, read_template
from bot.simulator.terminal import Unreachable, chat

EXAMPLE = """examples:
  python -m bot.simulator --webhook http://127.0.0.1:8080/webhooks/whatsapp --port 8090
  python -m bot.simulator chat --at http://127.0.0.1:8090 --person ada"""

TEXTS = (
    "app_secret",
    "verify_token",
    "access_token",
    "phone_number_id",
    "display_phone_number",
    "waba_id",
    "verified_name",
)


def parser() -> argparse.ArgumentParser:
    """The options of both ways to start."""
    whole = argparse.ArgumentParser(
        "python -m bot.simulator", description="A stand-in for Meta.", epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    ways = whole.add_subparsers(dest="way")
    talk = ways.add_parser("chat", help="a phone in the terminal, against a running simulator")
    talk.add_argument("--at", default="http://127.0.0.1:8090", help="address of the simulator")
    talk.add_argument("--person", default="ada", help="whose phone (default: ada)")
    whole.add_argument("--webhook", help="the bot's webhook URL")
    whole.add_argument("--host", default="127.0.0.1", help="listen here; do not open it to a network")
    whole.add_argument("--port", type=int, default=8090)
    whole.add_argument("--templates", type=Path, help="JSON file with a list of templates")
    whole.add_argument("--no-pair-rate", action="store_true", help="do not enforce one message per 6 s and person")
    whole.add_argument("--seed", type=int, help="the same ids on every start")
    known = {one.name: one.default for one in fields(SimulatorSettings)}
    for name in TEXTS:
        whole.add_argument(f"--{name.replace('_', '-')}", default=known[name], help=f"default: {known[name]}")
    return whole


def settings_from(given: argparse.Namespace) -> SimulatorSettings:
    """The settings that the options ask for; raises SimulatorError for unreadable templates."""
    texts = {name: getattr(given, name) for name in TEXTS}
    return SimulatorSettings(
        host=given.host, port=given.port, webhook_url=given.webhook, templates=_templates(given.templates),
        strict_pair_rate=not given.no_pair_rate, seed=given.seed, **texts,
    )  # fmt: skip


def _templates(path: Path | None) -> tuple[Template, ...]:
    if path is None:
        return ()
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SimulatorError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SimulatorError(f"{path}: a list of templates is needed")
    return tuple(read_template(one) for one in found)


async def serve(settings: SimulatorSettings) -> None:
    """Runs until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with Simulator(settings) as simulator:
        _say(f"Phone page:  {simulator.phone_url}")
        _say(f"Graph API:   {simulator.url}   (number {settings.phone_number_id}, token {settings.access_token})")
        _say(f"Control API: {simulator.url}/control/")
        _say(f"Webhooks to: {settings.webhook_url or 'nowhere yet; POST /control/webhook or start with --webhook'}")
        await ended.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 where something went wrong, 2 for misuse."""
    given = parser().parse_args(arguments)
    try:
        if given.way == "chat":
            asyncio.run(chat(given.at, given.person))
        else:
            asyncio.run(serve(settings_from(given)))
    except (SimulatorError, Unreachable, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own output


if __name__ == "__main__":
    sys.exit(main())
