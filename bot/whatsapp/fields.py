"""Single values of a webhook, read with tolerance: a number for a text, a text for a number, nothing where something was promised.

Pure. Every text that leaves here is bounded, and clean of U+0000 and half characters, which databases refuse (whatsapp.md 1.3).
What the values mean is decided elsewhere.
"""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid

MAX_TEXT = 64 * 1024
"""Longer texts are cut: WhatsApp itself takes 4096 characters."""

MAX_ID = 512
"""A longer message id is none: Meta's have about 60 characters, and ids are hashed, compared and kept."""

MAX_NAME = 240
_DEEPEST = 12
_MOST_PARTS = 2_000
_BSUID_REST = 256
_LAST_SECOND = 4_102_444_800

UNDATED = datetime(2100, 1, 1, tzinfo=UTC)
"""Stands for a time that is missing or odd. It lies ahead, so the runtime takes the time of receipt: a wish is never lost for it."""

Json = Mapping[str, Any]


class NotJson(ValueError):
    """The bytes or the text are no JSON."""


def decoded(source: bytes | str) -> Any:
    """The JSON of a text. orjson refuses half characters that Meta's escapes may hold; the slower reader takes them.

    Raises `NotJson`, also for what is nested too deep to be read.
    """
    try:
        return orjson.loads(source)
    except ValueError:
        pass
    try:
        return json.loads(source)
    except (ValueError, RecursionError) as problem:
        raise NotJson("not JSON") from problem


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; one object alone counts as a list of it, anything else as an empty one."""
    if isinstance(value, dict):
        if value:
            yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def part(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any, most: int = MAX_TEXT) -> str:
    """A text or number as a clean text of at most `most` characters; empty for anything else."""
    if isinstance(value, str):
        return value[:most].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else str(value)
    return str(value) if abs(value) < 10**30 else ""


def wamid(value: Any) -> Wamid:
    """A message id; empty when there is none or it is longer than any of Meta's."""
    found = text(value, MAX_ID + 1).strip()
    return Wamid(found if len(found) <= MAX_ID else "")


def number(value: Any) -> int:
    """A small whole number from a number or its text; 0 for anything else."""
    found = text(value, 12).strip()
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 9 else 0


def degrees(value: Any, most: float) -> float | None:
    """A coordinate within plus and minus `most`, from a number or a text."""
    try:
        found = float(text(value, 40))
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= most else None


def moment(value: Any) -> datetime:
    """Seconds since 1970 as text or number, fractions cut off; `UNDATED` for anything else."""
    whole = text(value, 40).strip().partition(".")[0]
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 10):
        return UNDATED
    seconds = int(whole)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LAST_SECOND else UNDATED


def digits(value: Any) -> str:
    """A telephone number's digits, or empty when it is none; spaces and the usual marks between them do not count."""
    found = text(value, 64).strip().removeprefix("+")
    for mark in " -()\u00a0":
        found = found.replace(mark, "")
    return found if found.isascii() and found.isdigit() and 5 <= len(found) <= 20 else ""


def phone(value: Any) -> PhoneNumber | None:
    """A telephone number in the form Recado keeps."""
    found = digits(value)
    return PhoneNumber(f"+{found}") if found else None


def bsuid(value: Any) -> Bsuid | None:
    """A business-scoped user id: two letters, a point, and the rest whole and in its own case (Meta: business-scoped-user-ids)."""
    found = text(value, _BSUID_REST + 4).strip()
    country, point, rest = found.partition(".")
    fits = point and len(country) == 2 and country.isascii() and country.isalpha() and 0 < len(rest) <= _BSUID_REST
    return Bsuid(found) if fits and rest.isascii() and rest.isprintable() and " " not in rest else None


def address(number_: Any, scoped: Any, parent: Any = None) -> Address | None:
    """Who somebody is by what is known, or None. Some senders put the business-scoped id where the number stood (whatsapp.md 2.2)."""
    known, own, above = phone(number_), bsuid(scoped), bsuid(parent)
    if known is None and own is None:
        own = bsuid(number_)
    return Address(known, own, above) if known or own or above else None


def cleaned(value: Any) -> Any:
    """A form's answers, clean and bounded: texts as `text` makes them, at most 12 levels and 2,000 parts; what is beyond is left out."""
    left = [_MOST_PARTS]
    return _cleaned(value, 0, left)


def _cleaned(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**63 else text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return None
    if isinstance(value, list):
        return [_cleaned(one, depth + 1, left) for one in value if left[0] > 0]
    if isinstance(value, dict):
        return {text(name, MAX_NAME): _cleaned(one, depth + 1, left) for name, one in value.items() if left[0] > 0}
    return value
