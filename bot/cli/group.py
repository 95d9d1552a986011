"""The group `recado`: which commands there are, and how a mistake is told. Imports nothing of the bot before a command is called."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("bot.cli.demo:demo", "Try everything on this machine: database, simulated WhatsApp, bot."),
    "serve": ("bot.cli.serve:serve", "Run the bot in production."),
    "chat": ("bot.cli.chat:chat", "A phone in the terminal, against a running demo."),
    "send": ("bot.cli.send:send", "Put one template into a conversation, through the gate."),
    "init": ("bot.cli.init:init", "A new project to start from."),
    "flows": ("bot.cli.flows:flows", "Check, test and draw the flows of a project."),
    "i18n": ("bot.cli.i18n:i18n", "Collect, update and check translations."),
    "block": ("bot.cli.block:block", "Keep somebody who abuses it from writing; or let them again."),
    "templates": ("bot.cli.templates:templates", "Compare, submit and fetch message templates."),
    "intents": ("bot.cli.intents:intents", "What the privacy intents make of a message."),
    "consent": ("bot.cli.consent:consent", "Show, verify and export consents; receipts."),
    "keys": ("bot.cli.keys:keys", "Make key files, rotate them and look at them."),
    "retention": ("bot.cli.retention:retention", "What is past its time, and its deletion."),
    "ropa": ("bot.cli.ropa:ropa", "The record of processing activities (GDPR art. 30)."),
    "backup": ("bot.cli.backup:backup", "A database as a file, and back."),
    "replay-erasures": ("bot.cli.replay_erasures:replay_erasures", "After a restore: erase and stop again."),
    "api-keys": ("bot.cli.api_keys:api_keys", "Keys for the business's own systems (REST API)."),
    "requests": ("bot.cli.requests:requests", "What people asked for under the law, and its clocks."),
    "subject": ("bot.cli.subject:subject", "A person's rights by command: copy, erase, restrict, correct."),
    "staff": ("bot.cli.staff:staff", "Accounts of the agents' console."),
    "dead-letters": ("bot.cli.dead_letters:dead_letters", "What failed for good: look, play again, drop."),
    "doctor": ("bot.cli.doctor:doctor", "Check settings, database, WhatsApp, flows and translations."),
}
"""Name to where the command stands and its line in the help."""


class Refused(click.ClickException):
    """Something Recado raised on purpose; its text is meant for people."""


class Misused(Refused):
    """The same, where a setting or an argument has to be mended first."""

    exit_code = 2


class Recado(click.Group):
    """Finds its commands by the table, and turns what commands raise on purpose into a clear text."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name, (place, _) in COMMANDS.items() if find_spec(place.partition(":")[0]) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from bot.engine.problem import nearest

            ctx.fail(f"There is no command `{args[0]}`. {nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        from bot.domain.errors import RecadoError, SettingsProblem

        try:
            return super().invoke(ctx)
        except SettingsProblem as problem:
            raise Misused(str(problem)) from None
        except RecadoError as problem:
            raise Refused(str(problem)) from None
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as problem:
            raise Misused(f"{problem.filename}: {problem.strerror}") from None


@click.group(
    cls=Recado,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  recado demo   ·   recado COMMAND --help tells more, with an example.",
)
@click.version_option(package_name="recado", prog_name="recado")
@click.option("--demo", "beside", is_flag=True, help="Work on the data of the demo that is running, with its settings.")
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    default=".recado",
    show_default=True,
    help="With --demo: where that demo keeps its data.",
)
@click.pass_context
def recado(ctx: click.Context, beside: bool, data: str) -> None:
    """Recado: privacy-first conversations on WhatsApp.

    Exit status: 0 all is well, 1 something is wrong, 2 the command was not understood or a setting is missing.
    """
    if beside:
        ctx.with_resource(_settings_of_demo(data))


@contextmanager
def _settings_of_demo(data: str) -> Iterator[None]:
    """The settings are those of the running demo, and of nothing else, while a command runs beside it.

    Some options take their default from the environment, so it is exchanged too.
    """
    import json
    import os
    from pathlib import Path

    try:
        values = {str(name): str(value) for name, value in json.loads(Path(data, "running.json").read_bytes()).items()}
    except FileNotFoundError:
        raise click.UsageError(f"No demo is running with its data in {data}; start one with `recado demo`.") from None
    except (ValueError, AttributeError):
        raise click.UsageError(f"{Path(data, 'running.json')} is damaged; start the demo again.") from None
    before = {name: value for name, value in os.environ.items() if name.startswith("RECADO_")}
    for name in before:
        del os.environ[name]
    os.environ.update(values)
    from bot.settings import only

    try:
        with only(values):
            yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update(before)
