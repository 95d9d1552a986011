"""The keys in use: which version makes new rows, which versions still read old ones, and what is bound to each.

Holds keys in memory and hands out ciphers and hashes; it knows no database and keeps no person's key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.domain.errors import SettingsProblem, Unreadable
from bot.domain.ids import Address, EventId, PersonId, Wamid
from bot.privacy import crypto, key_files, numbers
from bot.privacy.key_files import KeyFile, create_key_files
from bot.privacy.settings import KeySettings

__all__ = ["IdentityId", "Keyring", "Signed", "WrappedKey", "create_key_files", "event_key"]


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
    """Versioned keys of four kinds, each for one use (decisions.md 19). Immutable; safe to share between tasks."""

    __slots__ = ("_event_key", "_index", "_kek", "_ledger", "_suppression")

    def __init__(self, *, kek: KeyFile, index: KeyFile, suppression: KeyFile, ledger: KeyFile) -> None:
        """Raises `SettingsProblem` when one key serves two kinds: who may test a number could then also read or sign."""
        every = [one.key for file in (kek, index, suppression, ledger) for one in file.versions]
        if len(set(every)) != len(every):
            raise SettingsProblem("two key files hold the same key; each kind needs its own (`recado keys init DIR`)")
        self._kek = kek
        self._index = index
        self._suppression = suppression
        self._ledger = ledger
        self._event_key = index.event_key or event_key(index)

    @classmethod
    def load(cls, settings: KeySettings) -> "Keyring":
        """Reads the four key files. Never makes a key.

        Raises:
            SettingsProblem: for a setting that is missing, or a file that is missing, damaged, exchanged with another or open to
                other accounts; the text names it and says what to do.
        """
        paths = {
            "kek": settings.kek_file,
            "index": settings.index_key_file,
            "suppression": settings.suppression_key_file,
            "ledger": settings.ledger_key_file,
        }
        files = {}
        for kind, path in paths.items():
            if path is None:
                name = "KEK_FILE" if kind == "kek" else f"{kind.upper()}_KEY_FILE"
                raise SettingsProblem(
                    f"RECADO_PRIVACY__{name} is not set; `recado keys init DIR` makes the key files and prints the settings"
                )
            files[kind] = key_files.read(path, kind)
        return cls(**files)

    # -- a person's data key ------------------------------------------------------------------------------------------

    def new_data_key(self, person: PersonId) -> tuple[crypto.DataKey, WrappedKey]:
        """A fresh key for one person, ready for use and wrapped for the vault."""
        key = crypto.new_key()
        kek = self._kek.versions[0]
        return crypto.DataKey(key), WrappedKey(kek.kid, crypto.wrap(kek.key, key, kid=kek.kid, person=person))

    def open_data_key(self, person: PersonId, wrapped: WrappedKey) -> crypto.DataKey:
        """The person's data key. Raises `Unreadable` when its wrapping key is not here, or it is another person's."""
        for kek in self._kek.versions:
            if kek.kid == wrapped.kid:
                return crypto.DataKey(crypto.unwrap(kek.key, wrapped.sealed, kid=kek.kid, person=person))
        raise Unreadable(f"the key-encryption key {wrapped.kid!r} is not among the keys of this installation")

    # -- who somebody is ----------------------------------------------------------------------------------------------

    def identity_ids(self, address: Address) -> tuple[IdentityId, ...]:
        """Every identity under every live index key: those of the current key first, then older ones.

        New rows are written with `current_index_kid`; all are looked up, so a rotation loses nobody.
        """
        return tuple(_hashed("identity", self._index, _identities(address)))

    @property
    def current_index_kid(self) -> str:
        """The version under which new identity rows are written."""
        return self._index.versions[0].kid

    def suppression_ids(self, address: Address) -> tuple[IdentityId, ...]:
        """The same identities under the suppression keys, for the gate and the import filter only (privacy.md 2.9).

        Old versions never stop being looked up: after an erasure there is no number left to hash anew.
        """
        return tuple(_hashed("suppression", self._suppression, _identities(address)))

    @property
    def current_suppression_kid(self) -> str:
        """The version under which new suppression rows are written."""
        return self._suppression.versions[0].kid

    # -- ids from outside ---------------------------------------------------------------------------------------------

    def event_id(self, outside_id: str) -> EventId:
        """The id by which an outside event is recognised when it comes again: 12 bytes of a keyed hash, in hex.

        A redelivery up to 8 days later must give the same id although the index key rotated meanwhile. So event ids have a key
        of their own, derived from the oldest version in the index file: a rotation only adds versions. Dropping the oldest one
        must first write the derived key into the file as `event_key` (see `event_key`), which keeps the ids equal for good.
        That costs nothing: ids live 8 days, and what they hide cannot be guessed (a wamid holds 128 random bits).
        """
        return EventId(crypto.keyed_hash(self._event_key, "event", crypto.TENANT, outside_id)[:12].hex())

    def wamid_hash(self, wamid: Wamid) -> str:
        """The keyed hash by which a sent message is found when its status names it only by wamid; stable as event ids are."""
        return crypto.keyed_hash(self._event_key, "wamid", crypto.TENANT, wamid.value).hex()

    # -- signatures ---------------------------------------------------------------------------------------------------

    def sign(self, data: bytes) -> Signed:
        """Signs with the current ledger key (receipts, tree heads)."""
        current = self._ledger.versions[0]
        return Signed(current.kid, crypto.signature(current.key, data))

    def verifying_keys(self) -> dict[str, bytes]:
        """The public half of every ledger key by `kid`: what somebody outside needs to verify, and not more."""
        return {one.kid: crypto.public_key(one.key) for one in self._ledger.versions}


def event_key(index: KeyFile) -> bytes:
    """The key of event ids derived from the oldest version of an index file; written into it before that version is dropped."""
    return crypto.keyed_hash(index.versions[-1].key, "event-key", crypto.TENANT)


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


def _hashed(use: str, keys: KeyFile, identities: Sequence[_Identity]) -> Iterator[IdentityId]:
    for version in keys.versions:
        for kind, hashed_type, value in identities:
            digest = crypto.keyed_hash(version.key, use, crypto.TENANT, version.kid, hashed_type, value)
            yield IdentityId(kind, version.kid, digest.hex())
