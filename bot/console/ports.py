"""What the console needs from outside, in its own words. `bot.app` hands in the concrete parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.console.presenter import Glance
from bot.domain.conversation import Conversation
from bot.domain.ids import PersonId
from bot.handoff.roles import Staff
from bot.handoff.ticket import Ticket
from bot.handoff.values import Canned, ConsoleEvent, Looked, Note, Passkey, Session, There


class Accounts(Protocol):
    """Accounts and what they log in with. Every method raises `RetryLater` when the database cannot be reached."""

    async def add(self, staff: Staff, now: datetime) -> bool: ...

    async def find(self, name: str) -> Staff | None: ...

    async def all(self) -> list[Staff]: ...

    async def change(self, name: str, **changes: Any) -> Staff | None: ...

    async def invite(self, name: str, now: datetime, *, anew: bool) -> str | None: ...

    async def invited(self, token: str, now: datetime) -> Staff | None: ...

    async def joined(self, token: str) -> bool: ...

    async def set_password(self, name: str, hashed: str, now: datetime) -> None: ...

    async def password(self, name: str) -> str | None: ...

    async def set_code_secret(self, name: str, secret: str, now: datetime) -> None: ...

    async def code_secret(self, name: str) -> str | None: ...

    async def code_used(self, name: str, step: int) -> bool: ...

    async def add_passkey(self, key: Passkey, now: datetime) -> bool: ...

    async def passkeys(self, name: str) -> list[Passkey]: ...

    async def passkey(self, key: str) -> Passkey | None: ...

    async def passkey_used(self, key: str, count: int) -> None: ...

    async def kinds(self, name: str) -> tuple[str, ...]: ...


class Sessions(Protocol):
    """Who is logged in, and whose screen is open."""

    async def begin(self, staff: str, now: datetime) -> tuple[str, str]: ...

    async def find(self, token: str, now: datetime) -> Session | None: ...

    async def touched(self, session: Session, now: datetime) -> None: ...

    async def end(self, session: str) -> None: ...

    async def end_others(self, staff: str, but: str) -> None: ...

    async def challenge(self, challenge: bytes, now: datetime) -> str: ...

    async def answered(self, token: str, now: datetime) -> bytes | None: ...

    async def live(self, session: str, now: datetime, *, viewing: str | None = None, typing: bool = False) -> None: ...

    async def there(self, now: datetime, within: timedelta) -> list[There]: ...


class Desks(Protocol):
    """Notes, drafts, canned replies, and the log of looks."""

    async def note(self, ticket: Ticket, staff: str, words: str, now: datetime) -> None: ...

    async def notes(self, ticket: Ticket) -> list[Note]: ...

    async def take_back(self, note: str, staff: str) -> bool: ...

    async def draft(self, ticket: Ticket, staff: str, mode: str, words: str, now: datetime) -> None: ...

    async def drafts(self, ticket: Ticket, staff: str) -> dict[str, str]: ...

    async def canned(self, teams: tuple[str, ...]) -> list[Canned]: ...

    async def put_canned(self, canned: Canned, now: datetime) -> None: ...

    async def drop_canned(self, canned: str) -> None: ...

    async def log(self, looked: Looked) -> None: ...

    async def logged(self, query: dict[str, Any], *, most: int = 200) -> list[Looked]: ...


class Events(Protocol):
    """Numbered news of teams."""

    async def newest(self, teams: tuple[str, ...]) -> dict[str, int]: ...

    async def after(self, known: Mapping[str, int]) -> list[ConsoleEvent]: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """One consent event with what was shown and answered; the words are empty once they are gone."""

    at: datetime
    kind: str
    purpose: str
    state: str
    event: str
    method: str = ""
    notice: str = ""
    commitment: str = ""
    language: str = ""
    question: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """A data subject's request with its clock."""

    id: str
    kind: str
    state: str
    law: str
    received_at: datetime
    due_at: datetime | None
    reference: str = ""
    language: str = ""
    closed_at: datetime | None = None
    moves: tuple[str, ...] = ()
    words: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that failed for good, without its content."""

    id: str
    at: datetime
    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """What Meta last said of the account and of each declared template (name, language, status)."""

    halted_until: datetime | None
    limited_until: datetime | None
    why: str
    templates: Sequence[tuple[str, str, str, str]] = ()


class Facts(Protocol):
    """What is known of people and of the channel, for those who may ask."""

    async def talk(self, person: PersonId) -> Conversation | None: ...

    async def glances(self, persons: Sequence[PersonId]) -> Mapping[PersonId, Glance]:
        """What a list shows of conversations, in one read; erased people are left out."""

    async def number(self, person: PersonId) -> str:
        """The number or the user id; empty for an erased person."""

    async def proof(self, person: PersonId) -> list[Proof]: ...

    async def person_of(self, reference: str) -> PersonId | None: ...

    async def sendable(self, talk: Conversation, template: str) -> str:
        """Empty when the gate would let this template out now; else the code of its refusal."""

    async def requests(self, *, closed: bool) -> list[Asking]: ...

    async def request(self, request: str) -> Asking | None:
        """One request with its words."""

    async def move_request(self, request: str, trigger: str, because: str) -> bool: ...

    async def withdraw(self, person: PersonId, purpose: str) -> bool:
        """Records that the person withdrew, told to a person of the business (GDPR art. 7(3))."""

    async def letters(self) -> list[Letter]: ...

    async def drop_letter(self, letter: str) -> bool: ...

    async def health(self) -> Health: ...


class Pace(Protocol):
    async def within(self, what: str, who: str, most: int, period: timedelta) -> bool:
        """Counts once more under a keyed hash; False when that is too many."""


class Clock(Protocol):
    def now(self) -> datetime: ...


class Words(Protocol):
    """Texts of the console in its languages."""

    def translate(self, text: str, language: str) -> str: ...

    def show(self, value: Any, how: str, language: str, zone: str) -> str: ...
