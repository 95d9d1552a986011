"""Several processes of `recado serve` on one host: a parent that starts them, starts them again, and ends them politely.

The parent answers nothing and holds no data; all that the children share is the web port and the database. What they do together
is what any processes on any hosts do: leases and versions in the documents decide (architecture.md). Never here: anything of a message.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)

REFUSED = 2
"""Exit code of a command whose settings, keys or flows are wrong: trying again would not mend them."""

SOON = 10.0
"""Seconds within which a process that ends by itself may well end again."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that died is started again: doubled each time it dies soon after."""

GRACE = 10.0
"""Seconds on top of the children's own time to finish, after which they are killed."""


class Family:
    """A number of equal child processes, kept alive until `stop` is set."""

    def __init__(self, commands: Sequence[tuple[Sequence[str], Mapping[str, str]]], *, within: float) -> None:
        """`commands`: what to run, with the environment, one for each child; `within`: seconds they may take to finish."""
        self._commands = commands
        self._within = within
        self._stop = asyncio.Event()
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._refused = 0

    def end(self) -> None:
        """Tells every child to finish what is under way."""
        self._stop.set()
        self.tell(signal.SIGTERM)

    def tell(self, number: int) -> None:
        """Hands a signal on."""
        for child in self._children.values():
            if child.returncode is None:
                child.send_signal(number)

    async def run(self) -> int:
        """Returns when all have ended: 0, or `REFUSED` when one would not even start the first time."""
        keepers = [asyncio.create_task(self._keep(place)) for place in range(len(self._commands))]
        await self._stop.wait()
        _, late = await asyncio.wait(keepers, timeout=self._within + GRACE)
        if late:
            logger.error("processes did not finish in time", extra={"count": len(late)})
            self.tell(signal.SIGKILL)
        await asyncio.gather(*keepers)
        return self._refused

    async def _keep(self, place: int) -> None:
        loop, pause, first = asyncio.get_running_loop(), FIRST_PAUSE, True
        while not self._stop.is_set():
            begun = loop.time()
            command, environment = self._commands[place]
            child = await asyncio.create_subprocess_exec(*command, env=environment)
            self._children[place] = child
            code = await child.wait()
            if self._stop.is_set():
                return
            soon = loop.time() - begun < SOON
            if code == REFUSED and first:
                self._refused = code
                self.end()
                return
            first = False
            pause = min(pause * 2, LONGEST_PAUSE) if soon else FIRST_PAUSE
            logger.error("process ended and is started again", extra={"code": code})
            await self._paused(pause)

    async def _paused(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


def children(
    count: int, options: Sequence[str], admin_port: int, environment: Mapping[str, str] = os.environ
) -> list[tuple[list[str], dict[str, str]]]:
    """The commands of `count` processes of `recado serve`: one web port together, admin ports one after the other."""
    found = []
    for place in range(count):
        own = {"RECADO_WEB__SHARE_PORT": "true", "RECADO_ADMIN__PORT": str(admin_port + place if admin_port else 0)}
        found.append(([sys.executable, "-m", "bot", "serve", *options], {**environment, **own}))
    return found
