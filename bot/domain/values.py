"""What was made of words a person typed as a value."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of an answer, as far as it can be told.

    Attributes:
        status: `ok`; `unclear` (the `choices`, likeliest first, are to be asked about and never guessed; one alone is "did you
            mean …?"); or `wrong`.
        reason: what is lacking where that can be said: `time` (a day without its time of day), `country` (a telephone number
            without the code of its country), `currency` (an amount in other money).
    """

    status: str
    value: Any = None
    choices: tuple[Any, ...] = ()
    reason: str = ""
