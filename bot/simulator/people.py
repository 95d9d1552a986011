"""The invented people who hold the phones. Their numbers come from ranges that regulators keep for fiction.

Where a country has no such range its people show no number at all, only a business-scoped user id (BSUID), as people
with a WhatsApp username do.
"""

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from bot.simulator.errors import SimulatorError
from bot.simulator.ids import BSUID, E164, bsuid

# Ofcom and the NANPA keep these for drama; so do Germany's Bundesnetzagentur, France's Arcep and Australia's ACMA.
FICTION: dict[str, tuple[str, ...]] = {
    "GB": tuple(f"+447700900{n:03}" for n in range(1000)),
    "US": tuple(f"+1{area}55501{n:02}" for area in ("202", "213", "312", "617") for n in range(100)),
    "DE": tuple(f"+4917139200{n:02}" for n in range(100)),
    "FR": tuple(f"+336399800{n:02}" for n in range(100)),
    "AU": ("+61491570006", "+61491570110", "+61491570156", "+61491570157", "+61491570158", "+61491570159"),
}

HOME: dict[str, str] = {"en": "GB", "pt": "PT", "es": "ES", "de": "DE", "ar": "EG", "fr": "FR"}

NAMES: dict[str, tuple[str, ...]] = {
    "en": ("Nora Quill", "Theo Marsh", "Ivy Calder", "Owen Hale"),
    "pt": ("Beatriz Solano", "Rui Valado", "Clara Monteverde", "Tomé Arrais"),
    "es": ("Alba Quirós", "Nicolás Bravo", "Marina Soler", "Iván Robledo"),
    "de": ("Lena Wiesner", "Karl Ostermann", "Mira Hallstein", "Emil Brandner"),
    "ar": ("ليلى حداد", "يوسف النجار", "مريم صباغ", "كريم عطار"),
    "fr": ("Chloé Vasseur", "Hugo Merlin", "Inès Caron", "Luc Aubry"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. At least one of `number` (E.164 with +) and `bsuid` is there.

    `number_visible`: whether webhooks to the business show the number (Meta: business-scoped-user-ids). `receipts`: whether
    read receipts are on. `online`: an offline phone receives nothing until it is back.
    """

    key: str
    name: str
    language: str
    country: str
    number: str | None = None
    bsuid: str | None = None
    username: str | None = None
    number_visible: bool = True
    receipts: bool = True
    online: bool = True

    @property
    def wa_id(self) -> str | None:
        """The number as webhooks write it (digits only), None where the business may not see it."""
        return self.number.lstrip("+") if self.number and self.number_visible else None

    @property
    def address(self) -> str:
        """What the business knows this person by: the number where it shows, else the BSUID."""
        return self.wa_id or self.bsuid or ""

    def to_json(self) -> dict[str, object]:
        """For the control API and the page."""
        return {
            "key": self.key, "name": self.name, "language": self.language, "country": self.country,
            "number": self.number, "bsuid": self.bsuid, "username": self.username, "number_visible": self.number_visible,
            "receipts": self.receipts, "online": self.online,
        }  # fmt: skip


def _own(country: str) -> str:
    """The BSUID of the one of the cast who lives there, the same in every process."""
    return bsuid(country, Random(f"cast of {country}"))  # noqa: S311 - invented people, nothing is secret


def cast() -> tuple[Person, ...]:
    """The people a simulator starts with: three with number and BSUID (one has a username too), three by BSUID alone.

    They keep their ids over a restart, as real people do: a bot that knew them knows them again.
    """
    return (
        Person("ada", "Ada Quill", "en", "GB", number="+447700900123", bsuid=_own("GB")),
        Person("ines", "Inês Prado", "pt", "PT", bsuid=_own("PT"), username="ines.prado"),
        Person("lucia", "Lucía Ferrán", "es", "ES", bsuid=_own("ES"), username="lucia.ferran"),
        Person("jonas", "Jonas Feldner", "de", "DE", number="+491713920012", bsuid=_own("DE")),
        Person("salma", "سلمى نور", "ar", "EG", bsuid=_own("EG"), username="salma.nour"),
        Person("marcus", "Marcus Bell", "en", "US", "+12025550143", _own("US"), "marcus.bell"),
    )


def key_of(name: str, taken: set[str]) -> str:
    """A short handle for URLs of the control API, made from the name and not yet taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-").split("-", maxsplit=1)[0] or "person"
    if base not in taken:
        return base
    return next(f"{base}{n}" for n in range(2, len(taken) + 3) if f"{base}{n}" not in taken)


def free_number(country: str, taken: set[str], random: Random) -> str:
    """A number kept for fiction in that country; raises SimulatorError where the country keeps none or all are used."""
    free = [number for number in FICTION.get(country, ()) if number not in taken]
    if not free:
        raise SimulatorError(
            f"no number kept for fiction is free in {country}: leave the number out (BSUID only) or take one of {', '.join(FICTION)}"
        )
    return random.choice(free)


def checked(person: Person) -> Person:
    """The same person; raises SimulatorError where number, BSUID, country or language do not have their shapes."""
    if person.number is None and person.bsuid is None:
        raise SimulatorError("a person needs a number or a BSUID")
    if person.number is not None and not E164.match(person.number):
        raise SimulatorError("a number begins with + and the country code, digits only")
    if person.bsuid is not None and not BSUID.match(person.bsuid):
        raise SimulatorError("a BSUID is a country code, a full stop and up to 128 letters or digits")
    if person.bsuid is None and not person.number_visible:
        raise SimulatorError("without a BSUID the number must be visible")
    if not re.fullmatch(r"[A-Z]{2}", person.country):
        raise SimulatorError("country is an ISO 3166 code of two capital letters")
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", person.language):
        raise SimulatorError("language is a code such as en or pt-BR")
    return person
