"""Accounts of the console, what they log in with, and their sessions. Tokens stand as hashes, one-time secrets sealed.

A disabled account has no session any more in the same moment: the session is read together with its account at every request.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.handoff.roles import Staff
from bot.handoff.values import Passkey, Session, There
from bot.privacy.crypto import random_token
from bot.privacy.keyring import Keyring, WrappedKey
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, insert_once, reaches

STAFF, CREDENTIALS, SESSIONS = "staff", "credentials", "sessions"
JOIN_WITHIN = timedelta(hours=24)
CHALLENGE_WITHIN = timedelta(minutes=5)
_FIELDS = (
    "name",
    "role",
    "teams",
    "languages",
    "skills",
    "most",
    "disabled",
    "language",
    "away",
    "single_keys",
    "demo",
)


class MongoStaff:
    """Accounts and credentials."""

    def __init__(self, mongo: Mongo, keyring: Keyring) -> None:
        self._staff = mongo.collection(STAFF)
        self._credentials = mongo.collection(CREDENTIALS)
        self._sessions = mongo.collection(SESSIONS)
        self._keyring = keyring

    # -- accounts ----------------------------------------------------------------------------------------------------------

    @reaches
    async def add(self, staff: Staff, now: datetime) -> bool:
        """A new account that nobody can log in to yet; False when the name is taken."""
        row = {name: getattr(staff, name) for name in _FIELDS if getattr(staff, name) not in ((), "")}
        row = {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
        return await insert_once(self._staff, {"_id": staff.id, **row, "created_at": now})

    @reaches
    async def find(self, name: str) -> Staff | None:
        row = await self._staff.find_one({"_id": name})
        return _staff(row) if row is not None else None

    @reaches
    async def all(self) -> list[Staff]:
        rows = await self._staff.find({}).sort("_id", 1).to_list(None)
        return [_staff(row) for row in rows]

    @reaches
    async def change(self, name: str, **changes: Any) -> Staff | None:
        """Sets fields of an account; its sessions end where it is disabled. None where there is none."""
        given = {key: list(value) if isinstance(value, tuple) else value for key, value in changes.items()}
        row = await self._staff.find_one_and_update(
            {"_id": name}, {"$set": given}, return_document=ReturnDocument.AFTER
        )
        if row is not None and row.get("disabled"):
            await self._sessions.delete_many({"staff": name})
        return _staff(row) if row is not None else None

    @reaches
    async def invite(self, name: str, now: datetime, *, anew: bool) -> str | None:
        """A token by which the account's owner sets their log-in, once and within a day; None where there is no such account.

        `anew` takes every log-in and session of the account away first: for a lost device.
        """
        token = random_token(24)
        join = {"join": _hash(token), "join_until": now + JOIN_WITHIN}
        if (await self._staff.update_one({"_id": name}, {"$set": join})).matched_count == 0:
            return None
        if anew:
            await self._credentials.delete_many({"staff": name})
            await self._sessions.delete_many({"staff": name})
        return token

    @reaches
    async def invited(self, token: str, now: datetime) -> Staff | None:
        """Whose invitation this is; None for a wrong, used or old one."""
        row = await self._staff.find_one({"join": _hash(token), "join_until": {"$gt": now}})
        return _staff(row) if row is not None and not row.get("disabled") else None

    @reaches
    async def joined(self, token: str) -> bool:
        """Uses an invitation up; True for whoever was first."""
        used = await self._staff.update_one({"join": _hash(token)}, {"$unset": {"join": "", "join_until": ""}})
        return bool(used.modified_count)

    # -- what they log in with -----------------------------------------------------------------------------------------------

    @reaches
    async def set_password(self, name: str, hashed: str, now: datetime) -> None:
        await self._put(f"password:{name}", {"staff": name, "kind": "password", "hash": hashed, "created_at": now})

    @reaches
    async def password(self, name: str) -> str | None:
        row = await self._credentials.find_one({"_id": f"password:{name}"})
        return str(row["hash"]) if row is not None else None

    @reaches
    async def set_code_secret(self, name: str, secret: str, now: datetime) -> None:
        """The secret of the one-time codes, sealed under a key of its own (RFC 6238)."""
        row_id = f"totp:{name}"
        own = PersonId(row_id)
        key, wrapped = self._keyring.new_data_key(own)
        sealed = seal(key, {"secret": secret}, collection=CREDENTIALS, row=row_id, field="p", person=own)
        await self._put(
            row_id,
            {"staff": name, "kind": "totp", "kid": wrapped.kid, "key": wrapped.sealed, "p": sealed, "created_at": now},
        )

    @reaches
    async def code_secret(self, name: str) -> str | None:
        """None where the account has none, or it cannot be opened here."""
        row = await self._credentials.find_one({"_id": f"totp:{name}"})
        if row is None:
            return None
        own = PersonId(row["_id"])
        try:
            key = self._keyring.open_data_key(own, WrappedKey(row["kid"], bytes(row["key"])))
            opened = unseal(key, row["p"], collection=CREDENTIALS, row=row["_id"], field="p", person=own)
        except Unreadable:
            return None
        return str(opened["secret"])

    @reaches
    async def code_used(self, name: str, step: int) -> bool:
        """Whether the code of this time step is used for the first time; a code works once (RFC 6238, 5.2)."""
        newer = {"_id": f"totp:{name}", "$or": [{"count": {"$lt": step}}, {"count": None}]}
        used = await self._credentials.update_one(newer, {"$set": {"count": step}})
        return bool(used.modified_count)

    @reaches
    async def add_passkey(self, key: Passkey, now: datetime) -> bool:
        row = {"_id": key.id, "staff": key.staff, "kind": "passkey", "public": key.public_key, "count": key.count}
        return await insert_once(self._credentials, {**row, "title": key.title, "created_at": now})

    @reaches
    async def passkeys(self, name: str) -> list[Passkey]:
        rows = await self._credentials.find({"staff": name, "kind": "passkey"}).sort("created_at", 1).to_list(None)
        return [_passkey(row) for row in rows]

    @reaches
    async def passkey(self, key: str) -> Passkey | None:
        row = await self._credentials.find_one({"_id": key, "kind": "passkey"})
        return _passkey(row) if row is not None else None

    @reaches
    async def passkey_used(self, key: str, count: int) -> None:
        await self._credentials.update_one({"_id": key}, {"$max": {"count": count}})

    @reaches
    async def kinds(self, name: str) -> tuple[str, ...]:
        """What the account can log in with: passkey, password, totp."""
        return tuple(sorted(await self._credentials.distinct("kind", {"staff": name})))

    async def _put(self, row_id: str, row: Document) -> None:
        await self._credentials.replace_one({"_id": row_id}, row, upsert=True)


class MongoSessions:
    """Who is logged in."""

    def __init__(self, mongo: Mongo, *, idle: timedelta, lasts: timedelta) -> None:
        """`idle` is how long a session lives untouched, `lasts` how long in all."""
        self._rows = mongo.collection(SESSIONS)
        self._staff = mongo.collection(STAFF)
        self._idle, self._lasts = idle, lasts

    @reaches
    async def begin(self, staff: str, now: datetime) -> tuple[str, str]:
        """(token for the cookie, id): a new session under a fresh token of 256 bits."""
        token = random_token(32)
        row = {
            "_id": _hash(token), "staff": staff, "kind": "session", "csrf": random_token(), "created_at": now, "seen_at": now,
            "expires": now + self._lasts,
        }  # fmt: skip
        await self._rows.insert_one(row)
        return token, _hash(token)

    @reaches
    async def find(self, token: str, now: datetime) -> Session | None:
        """The session of a token with its account as it is now; None for an old, idle or ended one and for a disabled account."""
        row = await self._rows.find_one({"_id": _hash(token), "kind": "session"})
        if row is None or row["expires"] <= now or now - row["seen_at"] > self._idle:
            return None
        account = await self._staff.find_one({"_id": row["staff"]})
        if account is None or account.get("disabled"):
            return None
        return Session(row["_id"], _staff(account), row["csrf"], row["created_at"], row["seen_at"])

    @reaches
    async def touched(self, session: Session, now: datetime) -> None:
        """Somebody did something: the idle time begins anew. Written once a minute at most."""
        if now - session.seen_at > timedelta(minutes=1):
            await self._rows.update_one({"_id": session.id}, {"$set": {"seen_at": now}})

    @reaches
    async def end(self, session: str) -> None:
        await self._rows.delete_one({"_id": session})

    @reaches
    async def end_others(self, staff: str, but: str) -> None:
        await self._rows.delete_many({"staff": staff, "kind": "session", "_id": {"$ne": but}})

    # -- challenges of passkeys ------------------------------------------------------------------------------------------------

    @reaches
    async def challenge(self, challenge: bytes, now: datetime) -> str:
        """Remembers a challenge for a few minutes; the name by which it is taken."""
        token = random_token()
        row = {"_id": _hash(token), "kind": "challenge", "challenge": challenge, "expires": now + CHALLENGE_WITHIN}
        await self._rows.insert_one(row)
        return token

    @reaches
    async def answered(self, token: str, now: datetime) -> bytes | None:
        """Takes a challenge: each is good for one answer."""
        row = await self._rows.find_one_and_delete({"_id": _hash(token), "kind": "challenge"})
        return bytes(row["challenge"]) if row is not None and row["expires"] > now else None

    # -- who is there ----------------------------------------------------------------------------------------------------------

    @reaches
    async def live(self, session: str, now: datetime, *, viewing: str | None = None, typing: bool = False) -> None:
        """The screen is open. What it shows is overwritten, never kept (decisions.md 27)."""
        change: Document = {"live_at": now}
        if viewing is not None:
            change["viewing"] = viewing
        if typing:
            change["typing_at"] = now
        await self._rows.update_one({"_id": session}, {"$set": change})

    @reaches
    async def there(self, now: datetime, within: timedelta) -> list[There]:
        """Whose screen was open within that time."""
        rows = await self._rows.find({"kind": "session", "live_at": {"$gt": now - within}}).to_list(None)
        typing = timedelta(seconds=6)
        return [
            There(row["staff"], row.get("viewing", ""), "typing_at" in row and now - row["typing_at"] < typing)
            for row in rows
        ]


def _hash(token: str) -> str:
    """Tokens have 128 bits and more, so that a plain hash keeps them; who reads the database cannot log in with it."""
    return hashlib.sha256(f"session:{token}".encode()).hexdigest()


def _staff(row: Mapping[str, Any]) -> Staff:
    given = {name: row[name] for name in _FIELDS if name in row}
    for name in ("teams", "languages", "skills"):
        given[name] = tuple(given.get(name, ()))
    return Staff(row["_id"], **given)


def _passkey(row: Mapping[str, Any]) -> Passkey:
    return Passkey(
        row["_id"],
        row["staff"],
        bytes(row["public"]),
        row.get("count", 0),
        row.get("title", ""),
        row.get("created_at"),
    )


def staffed(people: Sequence[Staff], team: str) -> bool:
    """Whether anybody has an account by which this team's chats can be answered."""
    return any(one.role in ("agent", "lead") and not one.disabled and team in one.teams for one in people) or any(
        one.role == "owner" and not one.disabled for one in people
    )
