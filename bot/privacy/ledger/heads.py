"""Signed tree heads: what stands in the ledger at a time, in one line that can be kept elsewhere and held against it later."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.errors import Unreadable
from bot.privacy import crypto
from bot.privacy.crypto import TENANT
from bot.privacy.keyring import Signed
from bot.privacy.ledger.canonical import canonical, moment
from bot.privacy.ledger.tree import HASH_BYTES

SCHEMA = "recado-tree-head/1"
EPOCH = re.compile(r"\d{4}-\d{2}")
_SIGNATURE_BYTES = 64
_FIELDS = frozenset({"schema", "tenant", "epoch", "size", "root", "at", "kid", "signature", "pruned"})


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The root over the first `size` leaves of an epoch, signed.

    Attributes:
        pruned: says also that the epoch's leaves were deleted on purpose after the evidence period (privacy.md 2.8, 3.5).
    """

    epoch: str
    size: int
    root: bytes
    at: datetime
    kid: str
    signature: bytes
    pruned: bool = False

    @property
    def id(self) -> str:
        """Its name in the database and as a file; sorts by epoch and size."""
        return f"{self.epoch}:pruned" if self.pruned else f"{self.epoch}:{self.size:010}"

    def verified_by(self, keys: Mapping[str, bytes]) -> bool:
        """Whether the key it names is among `keys` (kid to public bytes) and made the signature over exactly these facts."""
        key = keys.get(self.kid)
        return key is not None and crypto.verify(key, canonical(_facts(self)), self.signature)

    def plain(self) -> dict[str, Any]:
        """As JSON data; `from_plain` reads it."""
        return {**_facts(self), "kid": self.kid, "signature": self.signature.hex()}


def _facts(head: TreeHead) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "schema": SCHEMA, "tenant": TENANT, "epoch": head.epoch, "size": head.size, "root": head.root.hex(), "at": moment(head.at),
    }  # fmt: skip
    return {**facts, "pruned": True} if head.pruned else facts


def sign_head(
    epoch: str, size: int, root: bytes, at: datetime, sign: Callable[[bytes], Signed], *, pruned: bool = False
) -> TreeHead:
    """A head signed with the key that `sign` uses now; `at` in milliseconds."""
    signed = sign(canonical(_facts(TreeHead(epoch, size, root, at, "", b"", pruned))))
    return TreeHead(epoch, size, root, at, signed.kid, signed.value, pruned)


def from_plain(plain: Any) -> TreeHead:
    """The head that `plain()` gave. Raises `Unreadable` for anything else, unknown fields included; trusts nothing it says."""
    if not isinstance(plain, Mapping) or plain.get("schema") != SCHEMA or set(plain) - _FIELDS:
        raise Unreadable(f"this is no tree head (`schema` must be {SCHEMA})")
    try:
        at = datetime.fromisoformat(plain["at"])
        head = TreeHead(
            plain["epoch"], plain["size"], bytes.fromhex(plain["root"]), at, plain["kid"], bytes.fromhex(plain["signature"]),
            plain.get("pruned", False),
        )  # fmt: skip
        same = head.plain() == dict(plain)
    except (KeyError, TypeError, ValueError):
        raise Unreadable("a tree head is damaged") from None
    well = (
        same
        and EPOCH.fullmatch(head.epoch)
        and type(head.size) is int
        and head.size > 0
        and len(head.root) == HASH_BYTES
        and len(head.signature) == _SIGNATURE_BYTES
    )
    if not well:
        raise Unreadable("a tree head is damaged")
    return head


def read_head(data: bytes) -> TreeHead:
    """A head from the content of a dropped file. Raises `Unreadable`."""
    try:
        return from_plain(json.loads(data))
    except ValueError:
        raise Unreadable("this is no tree head: it is not JSON") from None


def head_file(head: TreeHead) -> bytes:
    """What is dropped at an anchor: one line of canonical JSON."""
    return canonical(head.plain()) + b"\n"
