"""State machines as tables: `apply(state, trigger)` gives the next state. The only module that knows `transitions`.

One machine is shared by all conversations. `transitions` would keep every model it is told of alive, and adding one costs
ten times what a trigger does, so a light holder is moved instead (architecture.md, "State machines").
"""

from collections.abc import Iterable, Mapping
from typing import Any

import transitions

from bot.domain.errors import IllegalMove

Move = tuple[str, str, str]
"""(trigger, from, to)."""


class _Holder:
    """Carries one state through one trigger; made for the call and dropped after it."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


class Machine:
    """An immutable table of moves, safe to share between conversations and tasks."""

    __slots__ = ("_events", "_machine", "initial", "name")

    def __init__(self, name: str, *, states: Iterable[str], initial: str, moves: Iterable[Move]) -> None:
        """Raises `ValueError` for a move that names an unknown state."""
        self.name = name
        self.initial = initial
        rows = [{"trigger": trigger, "source": source, "dest": to} for trigger, source, to in moves]
        try:
            self._machine = transitions.Machine(
                model=None,
                states=list(states),
                initial=initial,
                transitions=rows,
                auto_transitions=False,
                send_event=False,
            )
        except (ValueError, KeyError) as problem:
            raise ValueError(f"{name}: a move names a state that does not exist: {problem}") from None
        self._events: Mapping[str, Any] = self._machine.events

    def apply(self, state: str, trigger: str) -> str:
        """The state after `trigger`. Raises `IllegalMove` when the table has no such move; nothing is changed then."""
        event = self._events.get(trigger)
        if event is None:
            raise IllegalMove(f"{self.name}: nothing is called {trigger!r}")
        holder = _Holder(state)
        try:
            event.trigger(holder)
        except (transitions.MachineError, ValueError) as problem:
            raise IllegalMove(f"{self.name}: {trigger!r} is not possible in state {state!r}") from problem
        return holder.state

    def allows(self, state: str, trigger: str) -> bool:
        """Whether `apply` would succeed."""
        event = self._events.get(trigger)
        return event is not None and state in event.transitions

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order they were given."""
        return tuple(self._machine.states)

    @property
    def moves(self) -> tuple[Move, ...]:
        """All moves (trigger, from, to); diagrams are drawn from these."""
        return tuple(
            (name, source, transition.dest)
            for name, event in self._events.items()
            for source, ways in event.transitions.items()
            for transition in ways
        )
