"""What Meta's error codes ask of us (whatsapp.md 3.9): a table from code to action. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from bot.runtime.ports import Refused

# Class A: refused before processing, so a replay cannot double a message. Code to seconds to wait at first.
_SAFE: Mapping[int, float] = {4: 60.0, 80007: 60.0, 130429: 1.0, 131056: 6.0, 134101: 600.0}
# Class B: the outcome is unknown, so a replay may double.
_UNKNOWN: Mapping[int, float] = {1: 5.0, 2: 5.0, 131000: 5.0, 131016: 5.0, 133004: 5.0, 131057: 60.0}
# Token, permission or account: nothing can be sent until an operator has acted.
_HALT = frozenset({0, 3, 10, 190, 368, 130497, 131005, 131031, 131042, 131045, 133006, 133010})
_PERMISSIONS = range(200, 300)
_OPTED_OUT = 131050


def refusal(status: int, body: bytes) -> Refused:
    """What an answer that is no success means. Decides by code; HTTP status only where there is none."""
    code = _code(body)
    if code is None:
        if status == 429:
            return Refused(0, "safe", 5.0)
        if status in (401, 403):
            return Refused(0, "safe", 60.0, halt=True)
        return Refused(0, "unknown" if status >= 500 or status < 400 else "never")
    if code in _SAFE:
        return Refused(code, "safe", _SAFE[code])
    if code in _UNKNOWN:
        return Refused(code, "unknown", _UNKNOWN[code])
    if code in _HALT or code in _PERMISSIONS:
        return Refused(code, "safe", 60.0, halt=True)
    return Refused(code, "never", opt_out=code == _OPTED_OUT)


def _code(body: bytes) -> int | None:
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = parsed.get("error") if isinstance(parsed, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 9:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
