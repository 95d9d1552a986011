"""`recado serve` that kills itself with SIGKILL at a named moment: `python -m tests.e2e.dying POINT serve ...`.

The seam is here and not in the product: the process is the real one, with its leases and waits cut short and one method wrapped.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bot.app.compose  # noqa: F401 - loads every room, so that all that is patched below is there
from bot.app.exporting import ChatExports
from bot.cli import main
from bot.integrations.subscribers import NobodySubscribed
from bot.runtime import erasing, retry
from bot.runtime.erasing import Erasing
from bot.storage.desk import MongoDesk
from bot.storage.erasures import MongoErasures
from bot.storage.exports import MongoExports
from bot.storage.replays import Replays
from bot.whatsapp.client import WhatsAppClient

SHORT = {
    "LEASE": 2.0, "BEGINNERS_LEASE": 0.5, "ERASURE_LEASE": 0.5, "AMBIGUOUS_FOR": 1.0, "ERASURE_LOOKS_AGAIN": 0.5, "KEY_CACHES_LIVE": 0.3,
    "REMEMBERED": 0.3,
}  # fmt: skip
SHORTENED = ("bot.runtime.turn", "bot.runtime.worker", "bot.runtime.outbox", "bot.runtime.retry", "bot.storage.erasures",
             "bot.storage.subjects", "bot.privacy.erasure")  # fmt: skip

POINTS: dict[str, tuple[type, str]] = {
    "begin": (Erasing, "run"), "replay": (Replays, "erased"), "tombstones": (MongoErasures, "_bury"), "job": (MongoErasures, "begin"),
    "key": (MongoErasures, "destroy_key"), "rows": (MongoErasures, "delete_rows"), "receivers": (NobodySubscribed, "erase"),
    "receipt": (Erasing, "_receipt"), "close": (MongoErasures, "close"),
    "copy": (ChatExports, "export"), "file": (MongoExports, "put"), "send": (WhatsAppClient, "send"),
    "settle": (MongoDesk, "settle_request"),
}  # fmt: skip
"""Name to the method at whose beginning (`name:before`) or end (`name:after`) the process dies, or where it lingers (`name:linger`)."""

LINGERS = 4.0


def shorten() -> None:
    """Waits that are there for slow machines and other processes are cut, so that a test of twenty crashes takes a minute."""
    for name in SHORTENED:
        for constant, seconds in SHORT.items():
            if hasattr(sys.modules[name], constant):
                setattr(sys.modules[name], constant, timedelta(seconds=seconds))
    assert timedelta(seconds=1) == retry.AMBIGUOUS_FOR
    assert erasing is sys.modules["bot.runtime.erasing"]


def arm(point: str) -> None:
    name, _, moment = point.partition(":")
    owner, method = POINTS[name]
    whole: Callable[..., Any] = getattr(owner, method)

    async def dying(*arguments: Any, **named: Any) -> Any:
        if moment == "linger":
            await asyncio.sleep(LINGERS)
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await whole(*arguments, **named)
        if moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, method, dying)


if __name__ == "__main__":
    shorten()
    if sys.argv[1] != "never":
        arm(sys.argv[1])
    sys.argv[1:2] = []
    main()
