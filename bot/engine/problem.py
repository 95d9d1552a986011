"""A fault in a file people wrote: where it is, what is wrong in plain words, and what to do about it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `severity` is `error` (the file is not used) or `warning`."""

    code: str
    place: Place
    reason: str
    fix: str = ""
    severity: str = "error"
    source: str = ""

    def __str__(self) -> str:
        """`file:line:col: error[code]: reason`, the line with a marker under the column, and the fix."""
        head = f"{self.place.file}:{self.place.line}:{self.place.column}: {self.severity}[{self.code}]: {self.reason}"
        if self.source:
            gutter = f"{self.place.line:>5} | "
            head += f"\n{gutter}{self.source}\n{' ' * (len(gutter) - 2)}| {' ' * (self.place.column - 1)}^"
        return head + (f"\n      = {self.fix}" if self.fix else "")


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence offering the nearest known word, or listing them when none is near; empty when nothing is known."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.55)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known here: {', '.join(f'`{name}`' for name in names[:24])}." if names else ""
