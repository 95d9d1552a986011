"""Commands as an operator types them: each in a process of its own, forked from one that has loaded the program already."""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from tests.e2e.served import ROOT

LOADED = [
    "bot.cli",
    "bot.app.compose",
    "bot.app.queueing",
    "bot.app.exporting",
    "bot.storage.embedded",
    "tests.e2e.typed",
]
WITHIN = 60.0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(LOADED)


async def recado(settings: Mapping[str, str], *arguments: str, typed: str = "") -> "CompletedProcess[str]":
    """`recado` with these arguments and settings, and what is typed when it asks."""
    return await asyncio.to_thread(run, settings, arguments, typed)


def run(settings: Mapping[str, str], arguments: tuple[str, ...], typed: str = "") -> "CompletedProcess[str]":
    """The same, for who need not wait beside others. Raises `TimeoutError` after a minute."""
    with tempfile.TemporaryDirectory() as folder:
        standard = [Path(folder) / name for name in ("in", "out", "err")]
        standard[0].write_text(typed)
        process = _processes.Process(target=_command, args=(dict(settings), arguments, [str(one) for one in standard]))
        process.start()
        process.join(WITHIN)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"recado {' '.join(arguments)} did not end")
        return CompletedProcess(arguments, process.exitcode, standard[1].read_text(), standard[2].read_text())


def _command(settings: dict[str, str], arguments: tuple[str, ...], standard: list[str]) -> None:
    """In the forked process: its streams, its environment, its folder, and the program's own beginning."""
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(ROOT)
    for number, path in enumerate(standard):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | (0 if number == 0 else os.O_APPEND), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    sys.argv = ["recado", *arguments]
    from bot.cli import main

    main()
