"""The least and the most of a field, as authors write them: read when a flow is checked, reckoned when an answer comes. Pure."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.business import duration
from bot.engine.expressions import ExpressionProblem, Scope, sum_of


def bound_of(scope: Scope, zone: str, kind: str, written: Any) -> Any:
    """A bound as the author wrote it (a number, a time, a length, a sum such as `today plus 60 days`) for values of this kind."""
    if written is None:
        return None
    if kind in ("number", "money", "whole_number"):
        return Decimal(str(written))
    if kind == "duration":
        return duration(written)
    if kind == "time":
        return time.fromisoformat(str(written))
    found = sum_of(str(written), frozenset()).result(scope)
    if kind == "datetime" and isinstance(found, date) and not isinstance(found, datetime):
        return datetime.combine(found, time(), tzinfo=ZoneInfo(zone))
    if kind == "datetime" and isinstance(found, datetime) and found.tzinfo is None:
        return found.replace(tzinfo=ZoneInfo(zone))
    return found if isinstance(found, date) else None


def bound_problem(kind: str, written: Any) -> str:
    """What an author should write where a bound cannot be read, or empty."""
    try:
        if kind in ("number", "money", "whole_number"):
            Decimal(str(written))
        elif kind == "duration":
            duration(written)
        elif kind == "time":
            time.fromisoformat(str(written))
        elif kind in ("date", "datetime"):
            sum_of(str(written), frozenset())
        else:
            return "Only numbers, amounts, dates, times and lengths of time have bounds."
    except (ValueError, ArithmeticError, TypeError, ExpressionProblem):
        return {"duration": "Write a length such as `30 minutes`.", "time": 'Write a time such as "09:00".',
                "date": "Write a day such as `2026-12-24` or `today plus 60 days`.",
                "datetime": "Write a moment such as `now plus 2 hours` or `today plus 60 days`."}.get(kind, "Write a number.")  # fmt: skip
    return ""
