"""Phone numbers: their one spelling, their other national spellings, their country and their time zone.

A number never stands in an error or a log; messages say what is wrong with it, not what it is.
"""

import re
from collections.abc import Callable
from functools import cache

import phonenumbers
from phonenumbers import timezone

from bot.domain.ids import Address, PhoneNumber


class BadNumber(ValueError):
    """What was given is no telephone number; the text says politely how to write one and does not repeat it."""


_LETTERS = re.compile(r"[^\W\d_]")
_WA_ID = re.compile(r"\+?([1-9][0-9]{6,14})")
_HOW = "please write the number with a + and the country code, for example +1 202 555 0123"


def canonical(text: str, *, region: str | None = None) -> PhoneNumber:
    """A number as a person typed it, in E.164 (`+` and digits).

    Args:
        text: any usual spelling; spaces, dashes, brackets and other scripts' digits are understood.
        region: two-letter country to read a number without country code by; without it such a number is refused.

    Raises:
        BadNumber: for letters, extensions, an unknown country code or an impossible length. Numbers in ranges that are not
            assigned yet pass: a list of ranges is always older than the newest number, and the message to WhatsApp decides.
    """
    if len(text) > 64 or _LETTERS.search(text):
        raise BadNumber(f"a telephone number has digits only; {_HOW}")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadNumber(f"this is not a telephone number we can read; {_HOW}") from None
    if number.extension:
        raise BadNumber(f"a number with an extension has no WhatsApp; {_HOW}")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    found = PhoneNumber(e164)
    if not any(_possible(one) for one in (found, *variants(found))):
        raise BadNumber(f"this number is too short or too long for its country; {_HOW}")
    return found


def from_wa_id(digits: str) -> PhoneNumber:
    """The number of a webhook's `wa_id` or `from`: taken as Meta wrote it (Meta: webhooks/reference/messages).

    Raises:
        BadNumber: when it is not 7 to 15 digits (ITU-T E.164).
    """
    match = _WA_ID.fullmatch(digits)
    if match is None:
        raise BadNumber("a WhatsApp id of a number has 7 to 15 digits and does not begin with 0")
    return PhoneNumber(f"+{match[1]}")


def _possible(number: PhoneNumber) -> bool:
    parsed = phonenumbers.parse(number.value, None)
    return bool(phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE)


# National spellings under which one and the same line is known. Each rule gives the other spelling or None, and is its own
# inverse, so that whichever spelling came first, the other finds it. A rule must never lead to another person's number:
# a shared identity would show one person's data to another.


def _brazil(national: str) -> str | None:
    """The ninth digit that mobile numbers got from 2012 to 2016; WhatsApp ids of many areas still lack it.

    Only lines that were mobile with eight digits (6 to 9 first): without its 9 a newer number would be a landline's.
    """
    if re.fullmatch(r"[1-9][1-9]9[6-9]\d{7}", national):
        return national[:2] + national[3:]
    if re.fullmatch(r"[1-9][1-9][6-9]\d{7}", national):
        return f"{national[:2]}9{national[2:]}"
    return None


def _mexico(national: str) -> str | None:
    """The mobile 1 after +52, abolished in August 2019 and still part of WhatsApp ids."""
    if re.fullmatch(r"1[2-9]\d{9}", national):
        return national[1:]
    return f"1{national}" if re.fullmatch(r"[2-9]\d{9}", national) else None


def _argentina(national: str) -> str | None:
    """The mobile 9 after +54, written as 15 inside the country (`canonical` reads that spelling)."""
    if re.fullmatch(r"9[1-3]\d{9}", national):
        return national[1:]
    return f"9{national}" if re.fullmatch(r"[1-3]\d{9}", national) else None


def _benin(national: str) -> str | None:
    """The 01 before every number since 30 November 2024."""
    if re.fullmatch(r"01\d{8}", national):
        return national[2:]
    return f"01{national}" if re.fullmatch(r"\d{8}", national) else None


_IVORIAN = {**dict.fromkeys("0123", "01"), **dict.fromkeys("456", "05"), **dict.fromkeys("789", "07")}


def _ivory_coast(national: str) -> str | None:
    """The operator's two digits before mobile numbers since 31 January 2021, told by the old number's second digit."""
    if re.fullmatch(r"0[157]\d{8}", national):
        old = national[2:]
        return old if _is_old_ivorian_mobile(old) and _IVORIAN[old[1]] == national[:2] else None
    return _IVORIAN[national[1]] + national if _is_old_ivorian_mobile(national) else None


def _is_old_ivorian_mobile(national: str) -> bool:
    # 2x and 3x were landlines.
    return re.fullmatch(r"[014-9]\d{7}", national) is not None


_RULES: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    ("+55", _brazil),
    ("+52", _mexico),
    ("+54", _argentina),
    ("+229", _benin),
    ("+225", _ivory_coast),
)


def variants(number: PhoneNumber) -> tuple[PhoneNumber, ...]:
    """The other spellings of the same line; empty for most countries. Symmetric: each names the other."""
    for prefix, rule in _RULES:
        if number.value.startswith(prefix):
            other = rule(number.value[len(prefix) :])
            return (PhoneNumber(prefix + other),) if other else ()
    return ()


def country(address: Address) -> str | None:
    """The two-letter country of a person: of the BSUID, else of the number or one of its spellings, else None."""
    if address.country:
        return address.country
    if address.phone is None:
        return None
    for spelling in (address.phone, *variants(address.phone)):
        try:
            region = phonenumbers.region_code_for_number(phonenumbers.parse(spelling.value, None))
        except phonenumbers.NumberParseException:
            continue
        if region is not None:
            return str(region)
    return None


# Where a country has several zones and neither a number nor the business tells which: the zone most of its people live in.
_MOST_PEOPLE = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
    "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "EC": "America/Guayaquil",
    "ES": "Europe/Madrid", "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti", "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza", "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip


def time_zone(address: Address, *, business_zone: str) -> str:
    """The IANA zone by which a person's quiet hours are reckoned (decisions.md 32).

    The country of the BSUID or number decides. Where a country has several zones: the number's own if it has just one, else as
    `zone_of_country` says. Without a known country: the business's.
    """
    region = country(address)
    own = _zones_of_number(address, region)
    return own[0] if len(own) == 1 else zone_of_country(region, business_zone=business_zone)


def zone_of_country(region: str | None, *, business_zone: str) -> str:
    """The zone of a person of whom only the two-letter country is known.

    The country's only zone; of several the business's if it lies in that country, else the one most people live in; for an unknown
    country the business's.
    """
    if not region:
        return business_zone
    zones = _zones_of_region(region.upper())
    if business_zone in zones:
        return business_zone
    return _MOST_PEOPLE.get(region.upper()) or next(iter(zones), business_zone)


def _zones_of_number(address: Address, region: str | None) -> tuple[str, ...]:
    """The zones a number may lie in; a number of another country than the BSUID's does not count."""
    if region is not None and address.phone is not None and country(Address(phone=address.phone)) == region:
        for spelling in (address.phone, *variants(address.phone)):
            found = _known(timezone.time_zones_for_number(phonenumbers.parse(spelling.value, None)))
            if found:
                return found
    return ()


@cache
def _zones_of_region(region: str) -> tuple[str, ...]:
    """The zones of the country's geographical numbers and of its mobile ones, sorted."""
    found: set[str] = set()
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            found.update(_known(timezone.time_zones_for_number(example)))
    return tuple(sorted(found))


def _known(zones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE)
