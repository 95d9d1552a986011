"""What was made of words a person typed as a value."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """`status` is `ok`, `unclear` (several readings: `choices`, to be asked about, never guessed) or `wrong`."""

    status: str
    value: Any = None
    choices: tuple[Any, ...] = ()
