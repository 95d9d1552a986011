"""`recado serve`: production. Web and workers in one process; a polite end on SIGTERM."""

import asyncio
import signal
import sys

import click


@click.command(epilog="Example:  RECADO_STORAGE__URI=mongodb://db:27017 recado serve")
@click.option("--web", "only_web", is_flag=True, help="Only answer webhooks and pages; another process does the work.")
@click.option(
    "--work", "only_work", is_flag=True, help="Only carry out what turns ask for; another process answers webhooks."
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many processes share the work on this host.",
)
@click.option(
    "--log-level", default="INFO", show_default=True, type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"])
)
def serve(only_web: bool, only_work: bool, processes: int, log_level: str) -> None:
    """Runs the bot until it is told to stop. Refuses to start on missing keys, settings or wrong flows, and says which."""
    if only_web and only_work:
        raise click.UsageError("--web and --work exclude each other; leave both out for a process that does both.")
    from bot.observability import logs

    logs.configure(sys.stderr, log_level)
    if processes > 1:
        flags = [*(["--web"] if only_web else []), *(["--work"] if only_work else []), "--log-level", log_level]
        sys.exit(asyncio.run(_many(processes, flags)))
    run(_until_told(work=not only_web, web=not only_work))


def run(main: "asyncio.Future[None] | object") -> None:
    """Runs a coroutine on the fastest loop there is."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)  # type: ignore[arg-type]
    else:
        uvloop.run(main)  # type: ignore[arg-type]


async def _until_told(*, work: bool, web: bool) -> None:
    from bot.app.compose import open_bot, quiet_loop
    from bot.settings import read_settings

    quiet_loop()
    stop = stopping()
    async with open_bot(read_settings(), work=work, serve_web=web) as bot:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, bot.look)
        click.echo(f"Recado is ready: web port {bot.web_port}, admin port {bot.admin_port}.", err=True)
        await stop.wait()
        click.echo("Stopping: finishing what is under way.", err=True)


async def _many(processes: int, flags: list[str]) -> int:
    """The parent of several: its exit code is 0 after a polite end."""
    from bot.app.serving import Family, children
    from bot.domain.errors import SettingsProblem
    from bot.settings import read_settings

    settings = read_settings()
    if not settings.web.port and "--work" not in flags:
        raise SettingsProblem("Several processes share one port: set RECADO_WEB__PORT to a number.")
    family = Family(children(processes, flags, settings.admin.port), within=settings.drain_seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, family.end)
    loop.add_signal_handler(signal.SIGHUP, family.tell, signal.SIGHUP)
    click.echo(f"Recado runs in {processes} processes.", err=True)
    return await family.run()


def stopping() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
