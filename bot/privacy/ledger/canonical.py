"""Canonical JSON (RFC 8785): one spelling of a value, so that a hash or a signature over it means the value.

The only module that imports `rfc8785`; nothing is hashed or signed here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from bot.domain.errors import Unreadable


def json_value(value: Any) -> Any:
    """Stored data as JSON data: times as `2026-05-04T12:00:00.000Z` (UTC, milliseconds), bytes as lower-case hex."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(key): json_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    return value


def moment(value: datetime) -> str:
    """RFC 3339 in UTC with exactly three decimals, which is what the database keeps. Raises `ValueError` without a time zone."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone proves nothing")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical(value: Any) -> bytes:
    """The value in the one spelling of RFC 8785, as UTF-8. Raises `Unreadable` for what has none (NaN, a lone surrogate)."""
    try:
        return rfc8785.dumps(json_value(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as problem:
        raise Unreadable(f"no canonical JSON can be written of this ({type(problem).__name__})") from None
