"""Whether this process can do its work: checks with a time limit each, and an answer for whoever asks the admin port.

The checks themselves are handed in; an answer names the check and never what an exception said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], Awaitable[str]]
"""Returns an empty text when all is well, else in plain words what is not. Whatever it raises counts as not well."""

SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """What came of the checks: name to trouble, empty where all is well."""

    troubles: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return not any(self.troubles.values())

    @property
    def status(self) -> int:
        """For HTTP: 200, or 503 so that a load balancer sends nothing here."""
        return 200 if self.ready else 503

    def plain(self) -> dict[str, object]:
        """For JSON."""
        checks = {name: trouble or "ok" for name, trouble in self.troubles.items()}
        return {"status": "ready" if self.ready else "not ready", "checks": checks}


async def look(checks: Mapping[str, Check], *, seconds: float = SECONDS) -> Health:
    """Runs all checks at once, each for at most `seconds`; one that hangs or fails does not hold up the others."""
    found = await asyncio.gather(*(_one(check, seconds) for check in checks.values()))
    return Health(dict(zip(checks, found, strict=True)))


async def _one(check: Check, seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as problem:  # noqa: BLE001 - whatever a check raises means one thing: not well
        return f"failed with {type(problem).__name__}"
