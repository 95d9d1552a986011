"""Identifiers: which may be shown, which must hide themselves, and how the derived ones are made."""

import hashlib
from dataclasses import dataclass
from typing import NewType

PersonId = NewType("PersonId", str)
"""A random 128-bit number in hex (decisions.md 2). Says nothing about the person, so it may stand in logs."""

EventId = NewType("EventId", str)
"""Keyed hash (12 bytes, hex) of the id by which the outside names an event; a wamid never stands in clear."""

CommandId = NewType("CommandId", str)
"""32 hex digits derived from (person, version, position): the same turn played again has the same ids."""


@dataclass(frozen=True, slots=True, repr=False)
class Hidden:
    """A personal value whose text form never shows it, so that no log line or traceback can (GDPR art. 25, 32)."""

    value: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __bool__(self) -> bool:
        return bool(self.value)


class PhoneNumber(Hidden):
    """E.164 with a leading `+` and digits only."""

    __slots__ = ()


class Bsuid(Hidden):
    """Meta's business-scoped user id, kept whole and in its own case (Meta: business-scoped-user-ids)."""

    __slots__ = ()


class Wamid(Hidden):
    """Meta's message id. Its base64 part holds the phone number, so it is personal data."""

    __slots__ = ()


class Words(Hidden):
    """What a person wrote or was shown."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Address:
    """The identities by which a person can be reached or recognised; at least one is set."""

    phone: PhoneNumber | None = None
    bsuid: Bsuid | None = None
    parent_bsuid: Bsuid | None = None

    def __post_init__(self) -> None:
        if self.phone is None and self.bsuid is None and self.parent_bsuid is None:
            raise ValueError("an address needs a number or a business-scoped user id")

    @property
    def country(self) -> str | None:
        """The two-letter country a BSUID begins with, or None. The country of a number is for `phonenumbers` to say."""
        known = self.bsuid or self.parent_bsuid
        return known.value[:2].upper() if known and known.value[2:3] == "." else None


def command_id(person: PersonId, version: int, position: int) -> CommandId:
    """The id of the command at `position` of the turn that brings `person` to `version` (decisions.md 7)."""
    seed = f"{person}:{version}:{position}".encode()
    return CommandId(hashlib.sha256(seed).hexdigest()[:32])


def own_command_id(person: PersonId, event: EventId) -> CommandId:
    """The id of the command that an event of our own asks for, so that whoever submits the event knows it beforehand.

    Derived as the others are: an event is played once, so the same turn played again has the same id (decisions.md 7).
    """
    return CommandId(hashlib.sha256(f"{person}:event:{event}".encode()).hexdigest()[:32])


def question_id(person: PersonId, version: int, step: str) -> str:
    """Short id of one asked question; every option's wire id holds it, so a stale tap is recognised (decisions.md 4)."""
    return hashlib.sha256(f"q:{person}:{version}:{step}".encode()).hexdigest()[:12]
