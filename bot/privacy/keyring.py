"""The keys in use: which version makes new rows, which versions still read old ones, and what is bound to each.

Holds keys in memory and hands out ciphers and hashes; it knows no database and keeps no person's key.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from bot.domain.errors import SettingsProblem, Unreadable
from bot.domain.ids import Address, EventId, PersonId, PhoneNumber, Wamid
from bot.privacy import crypto, key_files, numbers
from bot.privacy.key_files import KINDS, KeyFile, create_key_files, event_key
from bot.privacy.settings import KeySettings

__all__ = ["FileKeys", "IdentityId", "KeySource", "Keyring", "Signed", "WrappedKey", "create_key_files", "event_key"]

LOOKS_APART = 1.0
"""Seconds between two readings of the files because of a key nobody here knows: a flood of such rows costs no more."""


class KeySource(Protocol):
    """Where keys come from: files now (`FileKeys`); a key service would hand out the same versions (docs/keys.md)."""

    def read(self, kind: str) -> KeyFile:
        """All versions of one kind. Raises `SettingsProblem` that says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys in the files that the settings name."""

    settings: KeySettings

    def read(self, kind: str) -> KeyFile:
        path = self.settings.key_file(kind)
        if path is None:
            name = "KEK_FILE" if kind == "kek" else f"{kind.upper()}_KEY_FILE"
            raise SettingsProblem(
                f"RECADO_PRIVACY__{name} is not set; `recado keys init DIR` makes the key files and prints the settings"
            )
        return key_files.read(path, kind)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A person's data key as the vault stores it: sealed under the key-encryption key called `kid`."""

    kid: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityId:
    """One identity of a person as a keyed hash.

    Attributes:
        kind: bsuid, parent_bsuid, phone or variant (another national spelling of the number).
        kid: version of the key it was made with.
        id: 64 hex digits; the same line has the same id as `phone` and as `variant`, so either finds the other.
    """

    kind: str
    kid: str
    id: str


@dataclass(frozen=True, slots=True)
class Signed:
    """An Ed25519 signature with the name of the key that made it."""

    kid: str
    value: bytes


_Identity: TypeAlias = tuple[str, str, str]
"""(kind told to the caller, type that is hashed, canonical id)."""


class Keyring:
    """Versioned keys of four kinds, each for one use (decisions.md 19); safe to share between tasks.

    A running process takes new versions in by `reread`; each look at the keys sees one whole set of them.
    """

    __slots__ = ("_files", "_looked", "_now", "_source")

    def __init__(
        self, *, kek: KeyFile, index: KeyFile, suppression: KeyFile, ledger: KeyFile, now: Callable[[], datetime] | None = None
    ) -> None:  # fmt: skip
        """Raises `SettingsProblem` when one key serves two kinds: who may test a number could then also read or sign."""
        self._files = _whole({"kek": kek, "index": index, "suppression": suppression, "ledger": ledger})
        self._now = now or (lambda: datetime.now(UTC))
        self._source: KeySource | None = None
        self._looked = float("-inf")

    @classmethod
    def load(cls, settings: KeySettings, *, now: Callable[[], datetime] | None = None) -> "Keyring":
        """Reads the four key files. Never makes a key.

        Raises:
            SettingsProblem: for a setting that is missing, or a file that is missing, damaged, exchanged with another or open to
                other accounts; the text names it and says what to do.
        """
        return cls.of(FileKeys(settings), now=now)

    @classmethod
    def of(cls, source: KeySource, *, now: Callable[[], datetime] | None = None) -> "Keyring":
        """As `load`, from any source of keys."""
        files = {kind: source.read(kind) for kind in KINDS}
        made = cls(**files, now=now)
        made._source = source
        return made

    def reread(self) -> bool:
        """Takes in what was rotated since; True when something changed. What cannot be trusted leaves the keys as they were.

        Raises:
            SettingsProblem: a file is missing, damaged or open to others, or a version in use here is gone or another key now.
        """
        if self._source is None:
            return False
        fresh = _whole({kind: self._source.read(kind) for kind in KINDS})
        now = self._now()
        for kind, file in self._files.items():
            for one in file.versions:
                again = fresh[kind].find(one.kid)
                if again is not None and again.key != one.key:
                    raise SettingsProblem(f"the {kind} key file holds another key under the name {one.kid} than before")
            if fresh[kind].find(file.current(now).kid) is None:
                raise SettingsProblem(f"the {kind} key file has lost {file.current(now).kid}, which is in use")
        changed = fresh != self._files
        self._files = fresh
        return changed

    def _found_anew(self) -> bool:
        """Whether the files hold more than we knew, looked at no more than once in `LOOKS_APART`."""
        if time.monotonic() - self._looked < LOOKS_APART:
            return False
        self._looked = time.monotonic()
        try:
            return self.reread()
        except SettingsProblem:
            return False  # said by whoever rereads on schedule; here the row is simply not readable

    def checks(self) -> dict[str, tuple[str, str]]:
        """Version to (kind, check value) of every key that is here, by which a database knows whether they are its own.

        A check value is a keyed hash of nothing: it tells two keys apart and nothing about either.
        """
        return {
            one.kid: (kind, crypto.keyed_hash(one.key, "key-check", crypto.TENANT, kind, one.kid)[:16].hex())
            for kind, file in self._files.items()
            for one in file.versions
        }

    def kids(self, kind: str) -> tuple[str, ...]:
        """The versions of a kind, the newest first."""
        return tuple(one.kid for one in self._files[kind].versions)

    def current_kid(self, kind: str) -> str:
        """The version of a kind that new rows are written under now."""
        return self._files[kind].current(self._now()).kid

    # -- a person's data key ------------------------------------------------------------------------------------------

    def new_data_key(self, person: PersonId) -> tuple[crypto.DataKey, WrappedKey]:
        """A fresh key for one person, ready for use and wrapped for the vault."""
        key = crypto.new_key()
        kek = self._files["kek"].current(self._now())
        return crypto.DataKey(key), WrappedKey(kek.kid, crypto.wrap(kek.key, key, kid=kek.kid, person=person))

    def open_data_key(self, person: PersonId, wrapped: WrappedKey) -> crypto.DataKey:
        """The person's data key. Raises `Unreadable` when its wrapping key is not here, or it is another person's."""
        kek = self._files["kek"].find(wrapped.kid)
        if kek is None and self._found_anew():
            kek = self._files["kek"].find(wrapped.kid)  # another process has it already
        if kek is None:
            raise Unreadable(f"the key-encryption key {wrapped.kid!r} is not among the keys of this installation")
        return crypto.DataKey(crypto.unwrap(kek.key, wrapped.sealed, kid=kek.kid, person=person))

    def rewrapped(self, person: PersonId, wrapped: WrappedKey) -> WrappedKey | None:
        """The same data key under the key-encryption key now in use; None when it is already. Raises `Unreadable`."""
        old, new = self._files["kek"].find(wrapped.kid), self._files["kek"].current(self._now())
        if old is None:
            raise Unreadable(f"the key-encryption key {wrapped.kid!r} is not among the keys of this installation")
        if old.kid == new.kid:
            return None
        key = crypto.unwrap(old.key, wrapped.sealed, kid=old.kid, person=person)
        return WrappedKey(new.kid, crypto.wrap(new.key, key, kid=new.kid, person=person))

    # -- who somebody is ----------------------------------------------------------------------------------------------

    def identity_ids(self, address: Address) -> tuple[IdentityId, ...]:
        """Every identity under every live index key: those of the current key first, then older ones.

        New rows are written with `current_index_kid`; all are looked up, so a rotation loses nobody.
        """
        return tuple(_hashed("identity", self._files["index"], self.current_index_kid, _identities(address)))

    @property
    def current_index_kid(self) -> str:
        """The version under which new identity rows are written."""
        return self.current_kid("index")

    def suppression_ids(self, address: Address) -> tuple[IdentityId, ...]:
        """The same identities under the suppression keys, for the gate and the import filter only (privacy.md 2.9).

        Old versions never stop being looked up: after an erasure there is no number left to hash anew.
        """
        keys = self._files["suppression"]
        return tuple(_hashed("suppression", keys, self.current_suppression_kid, _identities(address)))

    @property
    def current_suppression_kid(self) -> str:
        """The version under which new suppression rows are written."""
        return self.current_kid("suppression")

    # -- ids from outside ---------------------------------------------------------------------------------------------

    def event_id(self, outside_id: str) -> EventId:
        """The id by which an outside event is recognised when it comes again: 12 bytes of a keyed hash, in hex.

        A redelivery up to 8 days later must give the same id although the index key rotated meanwhile. So event ids have a key
        of their own, derived from the oldest version in the index file: a rotation only adds versions. Dropping the oldest one
        must first write the derived key into the file as `event_key` (see `event_key`), which keeps the ids equal for good.
        That costs nothing: ids live 8 days, and what they hide cannot be guessed (a wamid holds 128 random bits).
        """
        return EventId(crypto.keyed_hash(self._event_key(), "event", crypto.TENANT, outside_id)[:12].hex())

    def wamid_hash(self, wamid: Wamid) -> str:
        """The keyed hash by which a sent message is found when its status names it only by wamid; stable as event ids are."""
        return crypto.keyed_hash(self._event_key(), "wamid", crypto.TENANT, wamid.value).hex()

    def _event_key(self) -> bytes:
        index = self._files["index"]
        return index.event_key or event_key(index)

    def opt_in_id(self, token: str, number: PhoneNumber, purpose: str) -> str:
        """The id of a website request, 32 hex digits: the same form sent twice makes one, and nobody outside can tell it."""
        return crypto.keyed_hash(self._event_key(), "opt-in", crypto.TENANT, token, number.value, purpose)[:16].hex()

    def pace_id(self, *parts: str) -> str:
        """The name under which something is counted for a while, such as a client address in one stretch of time."""
        return crypto.keyed_hash(self._event_key(), "pace", crypto.TENANT, *parts).hex()

    # -- keys of the REST API ------------------------------------------------------------------------------------------

    def api_key_hash(self, key_id: str, secret: str) -> str:
        """What is stored of an API key's secret; stable over rotations, as event ids are."""
        return crypto.keyed_hash(self._event_key(), "api-key", crypto.TENANT, key_id, secret).hex()

    def api_id(self, *parts: str) -> str:
        """The name under which something that came by the API is kept, such as an `Idempotency-Key` or a request's body."""
        return crypto.keyed_hash(self._event_key(), "api", crypto.TENANT, *parts).hex()

    # -- signatures ---------------------------------------------------------------------------------------------------

    def sign(self, data: bytes) -> Signed:
        """Signs with the current ledger key (receipts, tree heads)."""
        current = self._files["ledger"].current(self._now())
        return Signed(current.kid, crypto.signature(current.key, data))

    def verifying_keys(self) -> dict[str, bytes]:
        """The public half of every ledger key by `kid`: what somebody outside needs to verify, and not more."""
        return {one.kid: crypto.public_key(one.key) for one in self._files["ledger"].versions}


def _whole(files: Mapping[str, KeyFile]) -> Mapping[str, KeyFile]:
    every = [one.key for file in files.values() for one in file.versions]
    if len(set(every)) != len(every):
        raise SettingsProblem("two key files hold the same key; each kind needs its own (`recado keys init DIR`)")
    return dict(files)


def _identities(address: Address) -> Sequence[_Identity]:
    found: list[_Identity] = []
    if address.bsuid:
        found.append(("bsuid", "bsuid", address.bsuid.value))
    if address.parent_bsuid:
        found.append(("parent_bsuid", "parent_bsuid", address.parent_bsuid.value))
    if address.phone:
        found.append(("phone", "phone", address.phone.value))
        found.extend(("variant", "phone", one.value) for one in numbers.variants(address.phone))
    return found


def _hashed(use: str, keys: KeyFile, current: str, identities: Sequence[_Identity]) -> Iterator[IdentityId]:
    for version in sorted(keys.versions, key=lambda one: one.kid != current):
        for kind, hashed_type, value in identities:
            digest = crypto.keyed_hash(version.key, use, crypto.TENANT, version.kid, hashed_type, value)
            yield IdentityId(kind, version.kid, digest.hex())
