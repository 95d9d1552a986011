"""What each verb does, one module an idea. `enter` begins a step, `hear` gives it an event while it waits.

Both return the outcome by which the machine moves on, or None to wait. A step never looks beyond its `Play`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.event import Event
from bot.engine.compiler import Node
from bot.engine.play import Play
from bot.engine.steps import consent, control, data, handoff, question, renew, rights, say, send

Enter = Callable[[Play, Node], str | None]
Hear = Callable[[Play, Node, Event], str | None]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one verb begins, and how it takes an event; a verb that never waits has no `hear`."""

    enter: Enter
    hear: Hear | None = None


BEHAVIOURS: Mapping[str, Behaviour] = {
    "say": Behaviour(say.enter),
    "ask": Behaviour(question.enter_ask, question.hear_ask),
    "menu": Behaviour(question.enter_menu, question.hear_menu),
    "when": Behaviour(control.enter_when),
    "match": Behaviour(control.enter_match),
    "set": Behaviour(data.enter_set),
    "call": Behaviour(data.enter_call, data.hear_call),
    "run": Behaviour(control.enter_run),
    "go": Behaviour(control.enter_go),
    "consent": Behaviour(consent.enter, consent.hear),
    "withdraw": Behaviour(consent.enter_withdraw),
    "my_data": Behaviour(rights.enter, rights.hear),
    "handoff": Behaviour(handoff.enter),
    "send": Behaviour(send.enter),
    "notice": Behaviour(rights.enter_notice),
    "stop": Behaviour(rights.enter_stop),
    "renew": Behaviour(renew.enter, renew.hear),
    "end": Behaviour(control.enter_end),
}
