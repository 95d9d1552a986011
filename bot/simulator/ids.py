"""Identifiers shaped like Meta's: wamids that hold the number in base64, media ids, business-scoped user ids.

The shapes matter: a bot's privacy tests are only honest when the ids leak what Meta's real ids leak.
"""

import base64
import re
from random import Random

BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}\Z")
E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")


def wamid(address: str, random: Random, *, by_business: bool) -> str:
    """A message id like Meta's: `wamid.` and base64 around the person's address (digits, or a BSUID where no number shows).

    The framing bytes follow the ids in Meta's own examples, in which the phone number is legible after decoding.
    """
    held = address.lstrip("+").encode("ascii")[:255]
    token = f"{random.getrandbits(72):018X}".encode("ascii")
    direction = b"\x11" if by_business else b"\x12"
    raw = (
        b"\x1c\x18"
        + bytes([len(held)])
        + held
        + b"\x15\x02\x00"
        + direction
        + b"\x18"
        + bytes([len(token)])
        + token
        + b"\x00"
    )
    return "wamid." + base64.b64encode(raw).decode("ascii")


def number_id(random: Random) -> str:
    """A numeric object id in Meta's length (media, templates)."""
    return str(random.randrange(10**15, 10**16))


def bsuid(country: str, random: Random) -> str:
    """A business-scoped user id: ISO 3166 country, a full stop, digits."""
    return f"{country}.{random.randrange(10**19, 10**20)}"


def trace_id(random: Random) -> str:
    """An `fbtrace_id`."""
    return "A" + base64.urlsafe_b64encode(random.randbytes(16)).decode("ascii").rstrip("=")
