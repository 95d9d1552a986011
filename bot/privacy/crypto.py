"""Ciphers, keyed hashes and signatures: the only module that imports `cryptography`.

No key is read, kept or chosen here; that is `keyring`'s. A failed decryption never says why it failed, and gives nothing partial.
"""

import hmac
import secrets

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.domain.errors import Unreadable

TENANT = "recado"
"""One business an installation (decisions.md 21); bound into every key and ciphertext so that more can come."""

KEY_BYTES = 32

_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = b"\x01"


def new_key() -> bytes:
    """A fresh 256-bit key from the operating system's generator."""
    return secrets.token_bytes(KEY_BYTES)


def random_token(bytes_: int = 16) -> str:
    """A fresh random token in hex; 16 bytes are 128 bits, which nobody guesses."""
    return secrets.token_hex(bytes_)


def _packed(*parts: str) -> bytes:
    """The parts with their lengths before them, so that no two different lists give the same bytes."""
    out = bytearray()
    for part in parts:
        data = part.encode()
        out += len(data).to_bytes(4, "big") + data
    return bytes(out)


def _seal(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, plain, _VERSION + bound)


def _unseal(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
        raise Unreadable("sealed data are cut short or of an unknown version")
    try:
        return cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], _VERSION + bound)
    except InvalidTag:
        raise Unreadable("sealed data do not belong here, were changed, or the key is another") from None


class DataKey:
    """One person's data key (AES-256-GCM, 96-bit random nonces). The cipher object is kept, the key bytes are not.

    SP 800-38D allows 2^32 random nonces a key; one person's rows stay far below.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Raises `ValueError` when `key` is not 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, *, collection: str, row: str, field: str, person: str) -> bytes:
        """Version byte, nonce and ciphertext, bound to the place where they are stored (decisions.md 19).

        Moved to another collection, row, field or person they cannot be unsealed.
        """
        return _seal(self._cipher, plain, _packed(TENANT, collection, row, field, person))

    def unseal(self, sealed: bytes, *, collection: str, row: str, field: str, person: str) -> bytes:
        """The plain bytes. Raises `Unreadable` for another key, another place or any changed bit."""
        return _unseal(self._cipher, sealed, _packed(TENANT, collection, row, field, person))


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA-256 over the length-prefixed parts: 32 bytes, the same for the same key and parts only."""
    return hmac.digest(key, _packed(*parts), "sha256")


def wrap(kek: bytes, key: bytes, *, kid: str, person: str) -> bytes:
    """A person's data key sealed under a key-encryption key and bound to both their names.

    GCM does not commit to a key, so `kid` is part of what is authenticated (privacy.md 6.2).
    """
    return _seal(AESGCM(kek), key, _packed("wrap", TENANT, kid, person))


def unwrap(kek: bytes, wrapped: bytes, *, kid: str, person: str) -> bytes:
    """The data key that `wrap` sealed. Raises `Unreadable` for another key, kid or person."""
    return _unseal(AESGCM(kek), wrapped, _packed("wrap", TENANT, kid, person))


def signature(key: bytes, data: bytes) -> bytes:
    """The Ed25519 signature (RFC 8032) of `data`; `key` is the 32-byte private seed."""
    return Ed25519PrivateKey.from_private_bytes(key).sign(data)


def public_key(key: bytes) -> bytes:
    """The 32 public bytes of a private seed; with them anybody can verify, nobody can sign."""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def verify(public: bytes, data: bytes, signed: bytes) -> bool:
    """Whether `signed` is the signature of exactly these data by the owner of `public`; malformed input is a no."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def constant_time_equal(left: bytes, right: bytes) -> bool:
    """Equality that takes the same time wherever the first difference stands."""
    return hmac.compare_digest(left, right)
