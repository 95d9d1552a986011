"""Connectors written in Python: found by entry point, kept to the same declared fields and times as those over HTTP.

A package offers one as `[project.entry-points."recado.connectors"]`, `crm = "my_package:connect"`; business.yaml names it with
`python: crm`. docs/flows/connectors.md shows a whole one.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeAlias

from bot.domain.command import Call
from bot.runtime.ports import CallResult

logger = logging.getLogger(__name__)

GROUP = "recado.connectors"

Ask: TypeAlias = Callable[[str, Mapping[str, Any], str], Awaitable[Mapping[str, Any]]]
"""`await ask(action, fields, key)`: the answer's fields. `key` is the same when a call is repeated."""


class NotFound(Exception):
    """There is no such thing: the outcome `not_found`."""


class Refused(Exception):
    """The other side will not do it: the outcome `refused`."""


@cache
def extension(name: str) -> Ask | None:
    """The connector a package offers under a name, or None. Loaded once; one that cannot be loaded is none, and logged."""
    for one in entry_points(group=GROUP, name=name):
        try:
            loaded: Ask = one.load()
        except Exception as problem:  # noqa: BLE001 - code of others
            logger.warning("connector cannot be loaded", extra={"connector": name, "problem": type(problem).__name__})
            continue
        return loaded
    return None


async def ask(name: str, action: str, fields: Mapping[str, Any], call: Call) -> CallResult:
    """Asks the connector; what it raises beside `NotFound` and `Refused` is `failed`, and logged without its words."""
    known = extension(name)
    if known is None:
        logger.error("connector is not installed", extra={"connector": name})
        return CallResult("failed")
    try:
        answer = await known(action, fields, call.once_per or call.id)
    except NotFound:
        return CallResult("not_found")
    except Refused:
        return CallResult("refused")
    except TimeoutError:
        raise
    except Exception as problem:  # noqa: BLE001 - code of others; its words may hold data of people
        logger.warning("connector failed", extra={"action": call.action, "problem": type(problem).__name__})
        return CallResult("failed")
    whole: object = answer
    return CallResult("ok", answer) if isinstance(whole, Mapping) else CallResult("failed")
