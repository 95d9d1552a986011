"""Who of the business's own systems may do what: keys of the REST API, their scopes, and how one is made and recognised. Pure.

A key is shown once. What is stored of it is a keyed hash, so that neither a copy of the database nor a log lets anybody in (OWASP ASVS
2.4, 6.4). Where keys are kept and asked for is not known here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.domain.errors import SettingsProblem

SCOPES: Mapping[str, str] = {
    "subjects:read": "find the reference of a person",
    "consents:read": "see where a person's consents stand",
    "opt-ins:write": "ask for a consent that was begun on a website",
    "withdrawals:write": "withdraw consents and stop messages",
    "messages:send": "put a message through the gate",
    "messages:read": "see what became of a message",
    "flows:start": "start a flow with a person",
    "requests:read": "see the register of requests",
    "requests:write": "open a request and write down how it went on",
    "rights:export": "get everything that is stored about a person",
    "rights:write": "erase, restrict, object and rectify for a person",
}
"""Each scope with what it lets a key do. None includes another."""

PREFIX = "recado"
_TOKEN = re.compile(r"recado_([0-9a-f]{8})_([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key as it is stored.

    Attributes:
        id: eight hex digits, which the token begins with: by them people recognise a key, and they open nothing.
        hash: keyed hash of the secret part.
        used_on: the day it was last used, and no more of its use than that.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str = field(repr=False)
    created_at: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None
    used_on: date | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and (self.until is None or now < self.until)

    def state(self, now: datetime) -> str:
        """`live`, `revoked` or `expired`."""
        return "live" if self.is_live(now) else "revoked" if self.revoked_at is not None else "expired"


def token_of(key_id: str, secret: bytes) -> str:
    """The key as it is shown, once: `recado_<id>_<secret>`."""
    return f"{PREFIX}_{key_id}_{secret.hex()}"


def read_token(token: str) -> tuple[str, str] | None:
    """(id, secret) of something that looks like a key, or None."""
    match = _TOKEN.fullmatch(token)
    return (match[1], match[2]) if match is not None else None


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes in the order of `SCOPES`, each once. Raises `SettingsProblem` for none and for one that does not exist."""
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        what = f"There is no scope {', '.join(unknown)}" if unknown else "A key needs a scope"
        raise SettingsProblem(f"{what}; there are {', '.join(SCOPES)}.")
    return tuple(one for one in SCOPES if one in wanted)


def checked_name(name: str) -> str:
    """The name of a key. Raises `SettingsProblem` for one that would not be readable in a list."""
    if not _NAME.fullmatch(name):
        raise SettingsProblem(
            "A key is named with up to 40 letters, digits, blanks, dots or hyphens, such as `shop` or `crm-2`."
        )
    return name
