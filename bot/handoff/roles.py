"""Who of the business may do what and see what: one table of role, action and field, and what it does not name is refused.

Every route of the console names the action it needs, and every value about a person the field it is; both are asked here and
nowhere else (privacy.md S32; OWASP ASVS V8). Nothing here reads or writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What somebody can do at the console; the names stand in the access log."""

    CHATS_SEE = "chats.see"
    CHATS_CLAIM = "chats.claim"
    CHATS_WRITE = "chats.write"
    CHATS_TEMPLATE = "chats.template"
    CHATS_NOTE = "chats.note"
    CHATS_LABEL = "chats.label"
    CHATS_MOVE = "chats.move"
    CHATS_TAKE_AWAY = "chats.take_away"
    CHATS_SEARCH = "chats.search"
    PERSON_REVEAL = "person.reveal"
    PERSON_PROOF = "person.proof"
    PERSON_RIGHTS = "person.rights"
    PERSON_WITHDRAW = "person.withdraw"
    PERSON_RESTRICTED = "person.restricted"
    QUEUE_WATCH = "queue.watch"
    CANNED_EDIT = "canned.edit"
    REQUESTS_SEE = "requests.see"
    REQUESTS_ANSWER = "requests.answer"
    ERASURES_SEE = "erasures.see"
    STAFF_SEE = "staff.see"
    STAFF_EDIT = "staff.edit"
    BUSINESS_SEE = "business.see"
    LETTERS_SEE = "letters.see"
    LETTERS_DROP = "letters.drop"
    CHANNEL_SEE = "channel.see"
    LOG_SEE = "log.see"
    OWN_ACCOUNT = "account.own"


class Field(StrEnum):
    """What can be known of a person."""

    PSEUDONYM = "pseudonym"
    SHARED = "shared"
    WORDS = "words"
    NOTES = "notes"
    CONSENTS = "consents"
    PROOF = "proof"
    NUMBER_END = "number_end"
    NUMBER = "number"
    REQUEST_WORDS = "request_words"


class Scope(StrEnum):
    """Whose chats: those of one's teams, everybody's, or none."""

    NONE = "none"
    TEAMS = "teams"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Role:
    """One line of the table."""

    title: str
    scope: Scope
    actions: frozenset[Action]
    fields: frozenset[Field]


_A, _F = Action, Field
_CHAT = {
    _A.CHATS_SEE, _A.CHATS_CLAIM, _A.CHATS_WRITE, _A.CHATS_TEMPLATE, _A.CHATS_NOTE, _A.CHATS_LABEL, _A.CHATS_MOVE, _A.CHATS_SEARCH,
    _A.PERSON_RIGHTS, _A.OWN_ACCOUNT,
}  # fmt: skip
_LEAD = _CHAT | {
    _A.CHATS_TAKE_AWAY,
    _A.PERSON_REVEAL,
    _A.PERSON_PROOF,
    _A.PERSON_WITHDRAW,
    _A.QUEUE_WATCH,
    _A.CANNED_EDIT,
}
_ADMIN = {
    _A.STAFF_SEE, _A.STAFF_EDIT, _A.BUSINESS_SEE, _A.CANNED_EDIT, _A.LETTERS_SEE, _A.LETTERS_DROP, _A.CHANNEL_SEE, _A.QUEUE_WATCH,
    _A.OWN_ACCOUNT,
}  # fmt: skip
_DPO = {
    _A.REQUESTS_SEE, _A.REQUESTS_ANSWER, _A.ERASURES_SEE, _A.PERSON_PROOF, _A.PERSON_RIGHTS, _A.PERSON_WITHDRAW, _A.PERSON_REVEAL,
    _A.PERSON_RESTRICTED, _A.CHATS_SEE, _A.CHATS_SEARCH, _A.LOG_SEE, _A.BUSINESS_SEE, _A.OWN_ACCOUNT,
}  # fmt: skip
_AUDIT = {_A.REQUESTS_SEE, _A.ERASURES_SEE, _A.LOG_SEE, _A.STAFF_SEE, _A.BUSINESS_SEE, _A.CHANNEL_SEE, _A.OWN_ACCOUNT}
_TALK = frozenset({_F.PSEUDONYM, _F.SHARED, _F.WORDS, _F.NOTES, _F.CONSENTS, _F.NUMBER_END})

ROLES: Mapping[str, Role] = {
    "owner": Role("Owner", Scope.ALL, frozenset(Action) - {_A.PERSON_RESTRICTED}, frozenset(Field)),
    "admin": Role("Administrator", Scope.NONE, frozenset(_ADMIN), frozenset({_F.PSEUDONYM})),
    "lead": Role("Team lead", Scope.TEAMS, frozenset(_LEAD), _TALK | {_F.NUMBER, _F.PROOF}),
    "agent": Role("Agent", Scope.TEAMS, frozenset(_CHAT | {_A.PERSON_REVEAL}), _TALK | {_F.NUMBER}),
    "campaigner": Role(
        "Campaigner", Scope.NONE, frozenset({_A.BUSINESS_SEE, _A.CHANNEL_SEE, _A.OWN_ACCOUNT}), frozenset()
    ),
    "auditor": Role("Auditor", Scope.NONE, frozenset(_AUDIT), frozenset({_F.PSEUDONYM, _F.CONSENTS})),
    "dpo": Role("Data protection officer", Scope.ALL, frozenset(_DPO), frozenset(Field)),
}
"""The table. A role that is not here, or an action or field a role does not name, is refused."""


@dataclass(frozen=True, slots=True)
class Staff:
    """An account of the console. `languages` are those the agent answers in; `most` is how many chats they have at a time."""

    id: str
    name: str
    role: str
    teams: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    most: int = 5
    disabled: bool = False
    language: str = ""
    away: bool = False
    single_keys: bool = True
    demo: bool = field(default=False, repr=False)

    @property
    def shown(self) -> str:
        """The name customers and colleagues read: the first one alone."""
        return self.name.split()[0] if self.name.split() else self.id


def may(staff: Staff, action: Action) -> bool:
    """Whether the account may do this at all; where a chat is meant `reaches` is asked too."""
    role = ROLES.get(staff.role)
    return role is not None and not staff.disabled and action in role.actions


def sees(staff: Staff, what: Field) -> bool:
    """Whether the account may ever be shown this of a person."""
    role = ROLES.get(staff.role)
    return role is not None and not staff.disabled and what in role.fields


def reaches(staff: Staff, team: str, *, restricted: bool = False) -> bool:
    """Whether chats of this team are within the account's reach; those of a restricted person are the officer's alone (GDPR art. 18)."""
    role = ROLES.get(staff.role)
    if role is None or staff.disabled:
        return False
    if restricted and Action.PERSON_RESTRICTED not in role.actions:
        return False
    return role.scope is Scope.ALL or (role.scope is Scope.TEAMS and team in staff.teams)


def teams_of(staff: Staff, declared: Mapping[str, object]) -> tuple[str, ...]:
    """The teams whose chats the account reaches, in the order of business.yaml."""
    return tuple(name for name in declared if reaches(staff, name))
