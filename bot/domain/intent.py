"""What the privacy intents made of a message: decided before any flow sees it (decisions.md 3)."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """How sure we are that the person wants no more messages."""

    STOP = "stop"
    ASK = "ask"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Intent:
    """The reading of one message; holds no word of it.

    Attributes:
        decision: STOP acts at once, ASK pauses marketing and asks, NONE leaves the message to the flows.
        scope: `all`, `marketing`, a purpose id or `unclear`; empty when nothing was decided.
        flags: of erase, access, rectify, restrict, object, start, help, privacy, agent, complaint, yes, no, language, cancel.
        rule: name of the rule that decided, kept as evidence (GDPR art. 7(1)).
        version: version of the rules and of their language data.
        target_language: the language asked for when `language` is among the flags.
    """

    decision: Decision = Decision.NONE
    scope: str = ""
    flags: frozenset[str] = frozenset()
    rule: str = ""
    version: str = ""
    target_language: str | None = None


NO_INTENT = Intent()
