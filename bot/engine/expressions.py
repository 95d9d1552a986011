"""Conditions and sums: parsed once with the grammar beside this file, evaluated on plain values, bounded in size.

An expression never raises while a customer waits: a value that is missing makes a test false and a sum None.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput

MAX_NODES = 200


class ExpressionProblem(ValueError):
    """A condition or sum that cannot be understood; `column` counts from 1 in its text."""

    def __init__(self, reason: str, column: int, word: str = "") -> None:
        super().__init__(reason)
        self.column = column
        self.word = word


class Scope(Protocol):
    """Where values come from while an expression is evaluated."""

    now: datetime

    def value(self, name: str) -> Any:
        """The value of a field or of `person.language` and the like; None when it is not known."""

    def local_day(self, moment: datetime) -> date: ...

    def has_consent(self, purpose: str) -> bool: ...

    def is_open(self, team: str) -> bool: ...

    def matches(self, pattern: str, value: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed condition or sum.

    Attributes:
        names: the names it reads. A bare word that names no field is that word itself: `topic is delivery`.
        purposes, teams, patterns: what else it names, for the linter.
    """

    source: str
    tree: Tree[Token] = field(repr=False)
    fields: frozenset[str] = frozenset()
    names: tuple[tuple[str, int], ...] = ()
    purposes: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def holds(self, scope: Scope) -> bool:
        """Whether the condition is true; a test on a value that is not known is false."""
        return bool(_Evaluation(scope, self.fields).run(self.tree))

    def result(self, scope: Scope) -> Any:
        """The value of a sum, or None when a value it needs is not known or does not fit."""
        return _Evaluation(scope, self.fields).run(self.tree)


_GRAMMAR = resources.files("bot.engine").joinpath("expressions.lark").read_text(encoding="utf-8")
_PARSER = Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


@lru_cache(maxsize=4096)
def condition(source: str, fields: frozenset[str]) -> Expression:
    """A condition over these fields. Raises `ExpressionProblem`."""
    return _parsed(source, source, fields, 0)


@lru_cache(maxsize=4096)
def sum_of(source: str, fields: frozenset[str]) -> Expression:
    """A sum (or a single value) over these fields. Raises `ExpressionProblem`."""
    return _parsed(source, "=" + source, fields, 1)


def _parsed(source: str, text: str, fields: frozenset[str], shift: int) -> Expression:
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as problem:
        column = max(int(getattr(problem, "column", 1) or 1) - shift, 1)
        raise ExpressionProblem(_complaint(problem), min(column, len(source) + 1), _word_at(source, column)) from None
    if isinstance(tree, Token) or sum(1 for _ in tree.iter_subtrees()) > MAX_NODES:
        raise ExpressionProblem(f"this is too long: at most {MAX_NODES} parts are allowed", 1)
    names: list[tuple[str, int]] = []
    named: dict[str, list[str]] = {"has_consent": [], "opening_hours": [], "matches": []}
    for part in tree.iter_subtrees():
        if part.data in named:
            last = part.children[-1]
            named[part.data].append(_dotted(last) if isinstance(last, Tree) else str(last).strip("/"))
        elif part.data == "value":
            names.append((_dotted(part.children[0]), max(part.meta.column - shift, 1)))
    return Expression(
        source,
        tree,
        fields,
        tuple(names),
        tuple(named["has_consent"]),
        tuple(named["opening_hours"]),
        tuple(named["matches"]),
    )


def _complaint(problem: UnexpectedInput) -> str:
    if isinstance(problem, UnexpectedCharacters):
        return "this character has no meaning in a condition"
    token = getattr(problem, "token", None)
    if token is None or token.type == "$END":
        return "the condition ends too early"
    return f"`{token}` is not expected here"


def _word_at(source: str, column: int) -> str:
    tail = source[column - 1 :].split()
    return tail[0] if tail else ""


def _dotted(tree: Any) -> str:
    return ".".join(str(token) for token in tree.children)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "more": operator.gt, "less": operator.lt, "at_least": operator.ge, "at_most": operator.le,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
}  # fmt: skip
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _number(value: Any) -> Any:
    """Numbers of all kinds meet as Decimals, so that money stays exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return value if isinstance(value, Decimal) else Decimal(str(value))


class _Evaluation:
    """One walk over one tree."""

    def __init__(self, scope: Scope, fields: frozenset[str]) -> None:
        self.scope = scope
        self.fields = fields

    def run(self, tree: Any) -> Any:
        try:
            return self._of(tree)
        except (TypeError, ValueError, ArithmeticError, OverflowError):
            return None

    def _of(self, tree: Tree[Token]) -> Any:
        kind = str(tree.data)
        if kind in _COMPARISONS:
            left, right = self._alike(tree.children[0], tree.children[1])
            return left is not None and right is not None and _COMPARISONS[kind](left, right)
        if kind in _ARITHMETIC:
            left, right = (_number(self._of(one)) for one in self._trees(tree))
            return None if left is None or right is None else _ARITHMETIC[kind](left, right)
        return getattr(self, f"_do_{kind}")(tree)

    @staticmethod
    def _trees(tree: Tree[Token]) -> Iterator[Any]:
        return iter(tree.children)

    def _alike(self, one: Any, other: Any) -> tuple[Any, Any]:
        """Two values in a form that can be compared: numbers as Decimals, moments and days as what the other is."""
        left, right = _number(self._of(one)), _number(self._of(other))
        if isinstance(left, datetime) and isinstance(right, date) and not isinstance(right, datetime):
            left = self.scope.local_day(left)
        elif isinstance(right, datetime) and isinstance(left, date) and not isinstance(left, datetime):
            right = self.scope.local_day(right)
        elif isinstance(left, str) and isinstance(right, str):
            left, right = left.casefold(), right.casefold()
        return left, right

    def _do_condition(self, tree: Any) -> bool:
        return any(self.run(one) for one in tree.children)

    def _do_conjunction(self, tree: Any) -> bool:
        return all(self.run(one) for one in tree.children)

    def _do_negated(self, tree: Any) -> bool:
        return not self.run(tree.children[0])

    def _do_only_sum(self, tree: Any) -> Any:
        return self._of(tree.children[0])

    def _do_truth(self, tree: Any) -> bool:
        return bool(self._of(tree.children[0]))

    def _do_is_known(self, tree: Any) -> bool:
        return self._of(tree.children[0]) not in (None, "", (), [])

    def _do_is_empty(self, tree: Any) -> bool:
        return not self._do_is_known(tree)

    def _do_is_(self, tree: Any) -> bool:
        left, right = self._alike(*tree.children)
        if isinstance(left, list | tuple):
            return right in left
        return bool(left == right)

    def _do_is_not(self, tree: Any) -> bool:
        return not self._do_is_(tree)

    def _do_between(self, tree: Any) -> bool:
        value, low = self._alike(tree.children[0], tree.children[1])
        _, high = self._alike(tree.children[0], tree.children[2])
        return bool(low <= value <= high)

    def _do_one_of(self, tree: Any) -> bool:
        pairs = (self._alike(tree.children[0], one) for one in tree.children[1].children)
        return any(left == right for left, right in pairs)

    def _do_not_one_of(self, tree: Any) -> bool:
        return not self._do_one_of(tree)

    def _do_contains(self, tree: Any) -> bool:
        left, right = self._alike(*tree.children)
        return right in left if left is not None else False

    def _do_starts_with(self, tree: Any) -> bool:
        left, right = self._alike(*tree.children)
        return isinstance(left, str) and left.startswith(str(right))

    def _do_matches(self, tree: Any) -> bool:
        value = self._of(tree.children[0])
        return isinstance(value, str) and self.scope.matches(str(tree.children[1]).strip("/"), value)

    def _do_opening_hours(self, tree: Any) -> bool:
        return self.scope.is_open(_dotted(tree.children[-1]))

    def _do_has_consent(self, tree: Any) -> bool:
        return self.scope.has_consent(_dotted(tree.children[0]))

    def _do_later(self, tree: Any, sign: int = 1) -> Any:
        value, amount, unit = (
            self._of(tree.children[0]),
            int(float(tree.children[1])) * sign,
            str(tree.children[2]).rstrip("s"),
        )
        if value is None:
            return None
        if unit in ("month", "year"):
            return _months(value, amount * (12 if unit == "year" else 1))
        if isinstance(value, datetime) or unit in ("day", "week"):
            return value + timedelta(seconds=amount * _UNITS[unit])
        return None

    def _do_earlier(self, tree: Any) -> Any:
        return self._do_later(tree, -1)

    def _do_at_clock(self, tree: Any) -> Any:
        value = self._of(tree.children[0])
        hours, _, minutes = str(tree.children[1]).partition(":")
        day = self.scope.local_day(value) if isinstance(value, datetime) else value
        return None if day is None else datetime.combine(day, time(int(hours), int(minutes)))

    def _do_number(self, tree: Any) -> Decimal:
        return Decimal(str(tree.children[0]))

    def _do_text(self, tree: Any) -> str:
        return str(tree.children[0])[1:-1]

    def _do_day(self, tree: Any) -> date:
        return date.fromisoformat(str(tree.children[0]))

    def _do_now(self, _: Any) -> datetime:
        return self.scope.now

    def _do_today(self, _: Any) -> date:
        return self.scope.local_day(self.scope.now)

    def _do_yes(self, _: Any) -> bool:
        return True

    def _do_no(self, _: Any) -> bool:
        return False

    def _do_value(self, tree: Any) -> Any:
        name = _dotted(tree.children[0])
        if name in self.fields or "." in name:
            return self.scope.value(name)
        return name

    def _do_function(self, tree: Any) -> Any:
        name, arguments = str(tree.children[0]), [self._of(one) for one in tree.children[1:]]
        first = arguments[0]
        if name == "count":
            return Decimal(len(first or ()))
        if name == "round":
            return None if first is None else round(_number(first), int(arguments[1]) if len(arguments) > 1 else 0)
        values = [_number(one) for one in (first if isinstance(first, list | tuple) else arguments) if one is not None]
        if name == "join":
            return ", ".join(str(one) for one in values)
        if name == "sum":
            return sum(values, Decimal(0))
        return (min if name == "min" else max)(values, default=None)


def _months(value: date, months: int) -> date:
    """The same day some months on, or the last day of a shorter month."""
    index = value.year * 12 + value.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(value.day, 27, -1):
        try:
            return value.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return value.replace(year=year, month=month + 1)
