"""The outcomes of each verb: what can come of a step, and which one goes on below (flow-language.md; decisions.md 30)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcomes:
    """`main` goes on below; so do `gentle` ones that an author left out. The others, left out, end in a system reply."""

    main: str
    others: tuple[str, ...] = ()
    gentle: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (self.main, *self.others)


OUTCOMES: Mapping[str, Outcomes] = {
    "say": Outcomes("said"),
    "ask": Outcomes("answered", ("gave_up", "silent", "skipped"), gentle=("skipped",)),
    "menu": Outcomes("answered", ("gave_up", "silent", "skipped"), gentle=("skipped",)),
    "when": Outcomes("else"),
    "match": Outcomes("else"),
    "set": Outcomes("done"),
    "call": Outcomes("ok", ("not_found", "refused", "failed", "slow")),
    "run": Outcomes("done", ("cancelled", "expired", "gave_up"), gentle=("cancelled", "expired", "gave_up")),
    "go": Outcomes("going", ("too_often",)),
    "consent": Outcomes("given", ("refused", "silent", "already"), gentle=("already",)),
    "withdraw": Outcomes("done"),
    "my_data": Outcomes("done", ("nothing", "cancelled", "pending", "silent"), gentle=("nothing", "cancelled", "pending")),
    "handoff": Outcomes(
        "resolved", ("nobody", "agent_silent", "closed", "left"), gentle=("nobody", "agent_silent", "closed", "left")
    ),
    "send": Outcomes(
        "sent", ("no_consent", "opted_out", "window_closed", "capped", "failed"),
        gentle=("no_consent", "opted_out", "window_closed", "capped", "failed"),
    ),
    "end": Outcomes("ended"),
    "notice": Outcomes("done"),
    "stop": Outcomes("done"),
    "renew": Outcomes("renewed", ("refused", "silent", "over"), gentle=("silent", "over")),
}  # fmt: skip

END = "end"
UNHANDLED = "unhandled"
"""Where an outcome leads that the author left out: the engine says something helpful, then the flow ends."""
