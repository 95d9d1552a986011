"""Values that pass between the console and where they are kept: sessions, keys, notes, what somebody looked at. No behaviour."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.handoff.roles import Staff


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in. `csrf` is what its forms must hold."""

    id: str
    staff: Staff
    csrf: str = field(repr=False)
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A public key of an account; its secret half never leaves the device."""

    id: str
    staff: str
    public_key: bytes
    count: int
    title: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class There:
    """Somebody whose screen is open: what they look at, and whether they write there just now."""

    staff: str
    viewing: str
    typing: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A colleague's remark about a chat; a taken-back one stays as the fact that there was one."""

    id: str
    at: datetime
    by: str
    words: str = field(default="", repr=False)
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Canned:
    """A reply kept ready. `purpose` is empty for plain service answers, else a purpose the gate asks about."""

    id: str
    name: str
    text: str
    team: str = ""
    language: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """One line of the log: who did or read what about whom, and why. Never what it said."""

    at: datetime
    staff: str
    action: str
    person: str = ""
    ticket: str = ""
    why: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleEvent:
    """Something that happened to a ticket; `kind` is what to look at again."""

    team: str
    seq: int
    kind: str
    ticket: str
    at: datetime
    by: str = ""
