"""Errors on demand: what the Graph API shall do wrong, how often, and in which order. Pure bookkeeping.

Kinds of a fault:
- `error`: Meta's error object with `code`; the message is not accepted.
- `http`: the HTTP status alone, without a body; not accepted.
- `hang`: no answer for `seconds`, then the connection is cut; not accepted.
- `drop`: the connection is cut at once; not accepted.
- `slow`: accepted, answered after `seconds`.
- `accepted_http`: accepted, then the HTTP status without a body: the sender cannot know.
- `accepted_drop`, `accepted_hang`: accepted, then the connection is cut, at once or after `seconds`.
- `failed_status`: accepted and answered, then a `failed` status with `code`.
"""

from collections import deque
from dataclasses import dataclass, replace

from bot.simulator.errors import SimulatorError

KINDS = ("error", "http", "hang", "drop", "slow", "accepted_http", "accepted_drop", "accepted_hang", "failed_status")
REFUSING = frozenset({"error", "http", "hang", "drop"})
LONGEST = 600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `times` times.

    `person`: only for sends to that one (a key), empty for all. `every`: only each so-many-th send that it is meant for.
    """

    kind: str
    code: int = 131000
    http: int = 500
    seconds: float = 30.0
    times: int = 1
    person: str = ""
    details: str = "Asked for by the test"
    every: int = 1
    passed: int = 0

    @property
    def refuses(self) -> bool:
        """Whether the message is not accepted."""
        return self.kind in REFUSING


def checked(fault: Fault) -> Fault:
    """The same fault; raises SimulatorError for one that cannot be."""
    if fault.kind not in KINDS:
        raise SimulatorError(f"kind must be one of {', '.join(KINDS)}")
    if fault.every < 1:
        raise SimulatorError("every: from 1")
    if fault.times < 1 or not 0 <= fault.seconds <= LONGEST or not 400 <= fault.http <= 599:
        raise SimulatorError(f"times from 1, seconds from 0 to {LONGEST:.0f}, http from 400 to 599")
    return fault


class Faults:
    """The faults that are still to come, first in first out."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Puts a fault at the end of the line."""
        self._queue.append(checked(fault))

    def take(self, person: str) -> Fault | None:
        """The next fault that is meant for a send to this person."""
        for place, fault in enumerate(self._queue):
            if fault.person not in {"", person}:
                continue
            if fault.passed + 1 < fault.every:
                self._queue[place] = replace(fault, passed=fault.passed + 1)
                continue
            if fault.times > 1:
                self._queue[place] = replace(fault, times=fault.times - 1, passed=0)
            else:
                del self._queue[place]
            return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._queue.clear()

    def waiting(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._queue)
