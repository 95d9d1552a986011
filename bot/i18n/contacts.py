"""Telephone numbers and e-mail addresses as people type them. Knows `phonenumbers`. Pure."""

import re

import phonenumbers

from bot.domain.values import Reading
from bot.i18n.vocabulary import folded

WRONG = Reading("wrong")

_EMAIL = re.compile(r"[^\s@<>,;:\"()\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}")
_NUMBER = re.compile(r"\+?[\d\s().\-/]{4,30}")
PROVIDERS = ("gmail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "live.com", "proton.me", "gmx.de", "gmx.net", "web.de",
             "sapo.pt", "orange.fr", "libero.it", "wp.pl", "onet.pl", "ziggo.nl", "uol.com.br", "telefonica.net")  # fmt: skip
"""Domains so common that one letter off is asked about."""


def email(text: str) -> Reading:
    """An address (RFC 5321 in the forms people use), its domain in lower case; a near miss of a common domain is asked about."""
    bare = text.strip().removeprefix("mailto:").strip("<>").rstrip(".,;")
    if not _EMAIL.fullmatch(bare) or ".." in bare or bare[0] == "." or ".@" in bare:
        return WRONG
    name, _, domain = bare.rpartition("@")
    typed = f"{name}@{domain.lower()}"
    near = next((one for one in PROVIDERS if domain.lower() != one and _one_off(domain.lower(), one)), "")
    if near and domain.lower() not in PROVIDERS:
        return Reading("unclear", choices=(f"{name}@{near}", typed))
    return Reading("ok", typed)


def _one_off(one: str, other: str) -> bool:
    """Whether one letter added, left out, changed or swapped with the next makes one word of the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    swapped = len(a) >= 2 and len(b) >= 2 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def phone(text: str, country: str) -> Reading:
    """A number as `+` and digits (E.164). Without `+` it is one of `country`; where that is not known the code is asked for.

    One that no numbering plan has, but that could be one by its length, is asked about.
    """
    bare = folded(text).strip().removeprefix("tel:").strip()
    if not _NUMBER.fullmatch(bare) or sum(one.isdigit() for one in bare) < 5:
        return WRONG
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    if not bare.startswith("+") and country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        return Reading("wrong", reason="country")
    try:
        found = phonenumbers.parse(bare, None if bare.startswith("+") else country.upper())
    except phonenumbers.NumberParseException:
        return WRONG
    value = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(found):
        return Reading("ok", value)
    return Reading("unclear", choices=(value,)) if phonenumbers.is_possible_number(found) else WRONG


def shown_phone(value: str) -> str:
    """A number in groups, as it is read aloud."""
    try:
        found = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
