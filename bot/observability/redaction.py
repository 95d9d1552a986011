"""Finds what must not be in a log: telephone numbers, e-mail addresses, WhatsApp ids, also inside base64 and hex.

Pure. The second line of defence: the first is that logs take nothing but what is on their allow-list (`logs`).
"""

import base64
import binascii
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FEWEST_DIGITS = 7
"""From this many digits on a run of them may be a telephone number (ITU-T E.164)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal: `kind` is number, email, message_id, user_id or encoded."""

    kind: str
    start: int
    end: int


_MESSAGE_ID = re.compile(r"wamid\.[\w+/=-]*", re.IGNORECASE)
# Bounded (RFC 5321, 4.5.3.1), so that a long line without an @ is not searched anew from each of its letters.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_USER_ID = re.compile(r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{6,128}\b")
_NUMBER = re.compile(r"\+?\d(?:[\s().\u00a0-]{0,2}\d){6,}")
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_PSEUDONYM = re.compile(r"(?<![0-9A-Za-z])(?=[0-9a-f]*[a-f])(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{64})(?![0-9A-Za-z])")
_DIGITS_INSIDE = re.compile(rb"[0-9]{9,15}")


def is_pseudonym(text: str) -> bool:
    """Whether a text is one of our random or keyed ids: 12, 16 or 32 bytes in hex, not digits alone."""
    return _PSEUDONYM.fullmatch(text) is not None


def findings(text: str) -> list[Finding]:
    """What looks personal in a text, in order, without overlaps. Our own pseudonyms do not count."""
    taken = bytearray(len(text))
    for match in _PSEUDONYM.finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match[0])
    found: list[Finding] = []
    for kind, matches in (
        ("message_id", _MESSAGE_ID.finditer(text)),
        ("email", _EMAIL.finditer(text)),
        ("user_id", _USER_ID.finditer(text)),
        ("encoded", (match for match in _TOKEN.finditer(text) if _hides_a_number(match[0]))),
        ("number", _NUMBER.finditer(text)),
    ):
        for match in matches:
            start, end = match.span()
            if taken.find(1, start, end) < 0:
                found.append(Finding(kind, start, end))
                taken[start:end] = b"\1" * (end - start)
    return sorted(found, key=lambda one: one.start)


def scrub(text: str) -> str:
    """The text with every finding replaced by its kind in angle brackets."""
    out, at = [], 0
    for one in findings(text):
        out += [text[at : one.start], f"<{one.kind}>"]
        at = one.end
    return "".join((*out, text[at:]))


def _hides_a_number(token: str) -> bool:
    """Whether base64 or hex hides a run of 9 to 15 digits, as Meta's message ids do (whatsapp.md; privacy.md 0.2)."""
    return any(_DIGITS_INSIDE.search(decoded) for decoded in _decoded(token))


def _decoded(token: str) -> Iterator[bytes]:
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    # A token may be cut anywhere, so each of the four alignments of base64 is tried.
    for offset in range(4):
        part = bare[offset:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        try:
            yield base64.b64decode(part + "=" * (-len(part) % 4))
        except (binascii.Error, ValueError):
            continue
    try:
        yield bytes.fromhex(token)
    except ValueError:
        return


def spellings(secret: str) -> frozenset[str]:
    """The forms in which a value could hide in an output: as it is, its digits, hex, base64 at each alignment, quoted, escaped."""
    plain = secret.encode()
    forms = {secret, secret.casefold(), plain.hex(), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}
    forms.add(secret.encode("ascii", "backslashreplace").decode())
    digits = "".join(character for character in secret if character.isdigit())
    if len(digits) >= FEWEST_DIGITS:
        forms |= {digits, digits.encode().hex()}
    for raw in (plain, digits.encode() if len(digits) >= FEWEST_DIGITS else plain):
        for offset in range(3):
            coded = base64.b64encode(b"\0" * offset + raw).decode()
            # What stands for neighbours' bits as well is cut off at both ends.
            middle = coded[(0, 2, 3)[offset] : len(coded.rstrip("=")) - 1]
            if len(middle) >= 6:
                forms |= {middle, middle.replace("+", "-").replace("/", "_")}
    return frozenset(form for form in forms if form)


def leaked(text: str, secrets: Iterable[str]) -> list[str]:
    """Those of the secrets that stand in a text in any of their `spellings`; for tests with planted values."""
    lower = text.casefold()
    return [one for one in secrets if any(form in text or form.casefold() in lower for form in spellings(one))]
