"""Domain values as plain dicts and back, clear and private parts apart. What encrypts and stores them is not known here.

A dataclass becomes `{"_": tag, field: value…}`, fields at their default left out; readers therefore survive new fields with
defaults. Datetimes stay datetimes (UTC, milliseconds). Only registered classes are read back: stored data names no code.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.ids import Hidden

PRIVATE: Mapping[str, bool] = {"private": True}
"""Metadata of dataclass fields that must be stored encrypted under the person's key."""

_CLASSES: dict[str, type] = {}
_TAGS: dict[type, str] = {}


def register(*classes: type) -> None:
    """Makes dataclasses and `Hidden` types known by their name. Raises `ValueError` on a name taken by another class."""
    for kind in classes:
        if _CLASSES.get(kind.__name__, kind) is not kind:
            raise ValueError(f"two classes are called {kind.__name__}")
        _CLASSES[kind.__name__] = kind
        _TAGS[kind] = kind.__name__


_LAYOUTS: dict[type, tuple[tuple[str, bool, Any], ...]] = {}


def _layout(kind: type) -> tuple[tuple[str, bool, Any], ...]:
    """(name, private?, default or MISSING) of each stored field."""
    known = _LAYOUTS.get(kind)
    if known is not None:
        return known
    rows = []
    for one in fields(kind):
        default = one.default
        if default is MISSING and one.default_factory is not MISSING:
            default = one.default_factory()
        rows.append((one.name, bool(one.metadata.get("private")), default))
    return _LAYOUTS.setdefault(kind, tuple(rows))


def encode(value: Any) -> Any:
    """The whole of a value as plain data. Raises `TypeError` for what is not registered."""
    if value is None or isinstance(value, str | bool | int | float | datetime | bytes):
        return value
    if isinstance(value, Mapping):
        return {str(key): encode(one) for key, one in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [encode(one) for one in value]
    kind = type(value)
    if isinstance(value, Hidden):
        return {"_": _TAGS[kind], "v": value.value}
    if isinstance(value, Decimal | date | time):
        return {"_": kind.__name__, "v": str(value)}
    if isinstance(value, timedelta):
        return {"_": "timedelta", "v": value.total_seconds()}
    if is_dataclass(value):
        clear, private = split(value)
        return {**clear, **private}
    raise TypeError(f"{kind.__name__} cannot be stored")


def split(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A registered dataclass as (clear, private) parts; `join` puts them together again."""
    kind = type(value)
    clear: dict[str, Any] = {"_": _TAGS[kind]}
    private: dict[str, Any] = {}
    for name, is_private, default in _layout(kind):
        one = getattr(value, name)
        if default is not MISSING and one == default:
            continue
        (private if is_private else clear)[name] = encode(one)
    return clear, private


def join(clear: Mapping[str, Any], private: Mapping[str, Any] | None) -> Any:
    """The value whose parts `split` gave; with `private` None its private fields take their defaults."""
    return decode({**clear, **(private or {})})


_SCALARS: Mapping[str, Any] = {
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
}


def decode(plain: Any) -> Any:
    """The value that `encode` gave this plain data for. Raises `Unreadable` for an unknown tag or missing fields."""
    if isinstance(plain, list):
        return tuple(decode(one) for one in plain)
    if not isinstance(plain, Mapping):
        return plain
    tag = plain.get("_")
    if tag is None:
        return {key: decode(one) for key, one in plain.items()}
    if tag in _SCALARS:
        return _SCALARS[tag](plain["v"])
    kind = _CLASSES.get(tag)
    if kind is None:
        raise Unreadable(f"stored data of unknown kind {tag!r}")
    if issubclass(kind, Hidden):
        return kind(plain["v"])
    known = {name for name, _, _ in _layout(kind)}
    try:
        return kind(**{key: decode(one) for key, one in plain.items() if key in known})
    except TypeError as problem:
        raise Unreadable(f"stored {tag} lacks a field") from problem
