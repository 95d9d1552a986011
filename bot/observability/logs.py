"""Structured logs by allow-list: one JSON object a line, and nothing in it that a person said or is named by.

A message is a constant of the program; its arguments and extra fields get through only when they are of a harmless kind. An
exception is logged by type and place, never by its text. What is refused is left out; no line is lost for it.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from types import CodeType, FrameType, TracebackType
from typing import Any, TextIO

from bot.observability import redaction

WITHHELD = "<withheld>"

FIELDS = frozenset({
    "person", "command", "event", "ticket", "request", "lease", "callback", "collection", "kind", "reason", "category", "code",
    "state", "status", "outcome", "step", "flow", "flow_version", "language", "country", "law", "template", "connector", "action",
    "route", "method", "attempt", "count", "size", "limit", "seconds", "milliseconds", "age", "version", "worker", "port", "signal",
    "setting", "job", "field",
})  # fmt: skip
"""The names of extra fields that are logged; any other is dropped."""

_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./{}-]{0,79}")
_LARGEST = 10**redaction.FEWEST_DIGITS
_FRAMES = 12
_LONGEST = 300


class Public(str):
    """A text the caller vouches for: the program's or the operator's own, such as a file's or a host's name. It is still scrubbed."""

    __slots__ = ()


def harmless(value: Any) -> Any:
    """The value as it may stand in a log, or `WITHHELD`.

    Harmless are: nothing, yes and no, numbers of fewer than seven digits, times and lengths of time, members of enumerations, our
    own pseudonyms, and texts marked `Public`. Of an exception the type is told.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int | float):
        return value if abs(value) < _LARGEST else WITHHELD
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Public):
        return redaction.scrub(value)[:_LONGEST]
    if isinstance(value, str) and redaction.is_pseudonym(value):
        return value
    if isinstance(value, BaseException):
        return _type_name(type(value))
    return WITHHELD


def _field(value: Any) -> Any:
    """An allow-listed extra field may also be one plain word, as codes, states and flow names are."""
    if type(value) is str and _WORD.fullmatch(value) and not redaction.findings(value):
        return value
    return harmless(value)


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; never raises, whatever a library logged."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        line.update({name: _field(value) for name, value in vars(record).items() if name in FIELDS})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    template = record.msg
    if not isinstance(template, str) or not _is_constant(record):
        # Built while running, so it may hold anything; asyncio's reports of forgotten exceptions are such.
        return f"{WITHHELD} ({record.module}:{record.lineno})"
    try:
        if isinstance(record.args, Mapping):
            # `logging` unpacks a lone mapping; unless the template names its keys, it is an argument like any other.
            named = {name: harmless(value) for name, value in record.args.items()}
            said = template % (named if "%(" in template else (WITHHELD,))
        else:
            said = template % tuple(harmless(one) for one in record.args) if record.args else template
    except (TypeError, ValueError, KeyError):
        # `%d` for something withheld: the template alone tells enough.
        said = template
    return said[:_LONGEST]


def _is_constant(record: logging.LogRecord) -> bool:
    """Whether the message stands literally in the function that logged it, or as a constant in its module."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - how `logging` itself finds the caller
    while frame is not None:
        code = frame.f_code
        if code.co_filename == record.pathname and code.co_name == record.funcName:
            return _holds(code, record.msg) or any(
                value == record.msg
                for name, value in frame.f_globals.items()
                if name.isupper() and isinstance(value, str)
            )
        frame = frame.f_back
    return False


def _holds(code: CodeType, text: str) -> bool:
    return any(type(one) is str and one == text for one in code.co_consts)


def described(problem: BaseException) -> list[dict[str, Any]]:
    """An exception and its causes by type and place, the outermost first; no text of any of them."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = problem
    while current is not None and id(current) not in seen and len(chain) < 5:
        seen.add(id(current))
        entry: dict[str, Any] = {"type": _type_name(type(current)), "places": _places(current.__traceback__)}
        if isinstance(current, BaseExceptionGroup):
            entry["holds"] = [_type_name(type(one)) for one in current.exceptions[:10]]
        chain.append(entry)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-_FRAMES:]


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_LOG = logging.getLogger("recado")


def configure(stream: TextIO, level: str = "INFO") -> None:
    """Makes every logger of the process write such lines to `stream`, and nothing write tracebacks past them.

    Handlers that stood on the root are replaced. Uncaught exceptions of the main thread, of other threads and of destructors are
    logged by type and place. Raises `ValueError` for a level that does not exist.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [handler]
    # A failing log call would print its arguments to stderr.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda found: _report(found.exc_value)
    threading.excepthook = lambda found: _report(found.exc_value)


def _uncaught(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _report(problem.with_traceback(trace))


def _report(problem: BaseException | None) -> None:
    if problem is not None:
        _LOG.critical("nobody caught an exception", exc_info=(type(problem), problem, problem.__traceback__))


def loop_exception_handler(_loop: object, context: Mapping[str, Any]) -> None:
    """For `loop.set_exception_handler`: logs a forgotten exception by type and place; asyncio's own would print its text."""
    problem = context.get("exception")
    if isinstance(problem, BaseException):
        _report(problem)
    else:
        _LOG.error("asyncio reports a problem without an exception")
