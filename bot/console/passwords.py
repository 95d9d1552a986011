"""Passwords as argon2id hashes (OWASP ASVS V11; RFC 9106). The only module that imports `argon2`."""

import asyncio

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

LEAST = 12
"""Characters of a password; there is no other rule, because length is what counts (NIST SP 800-63B)."""

MOST = 200
_HASHER = argon2.PasswordHasher()
_ONE_AT_A_TIME = asyncio.Semaphore(2)
"""Each hash takes 64 MiB: so many log-ins at once cannot use the memory up."""


async def hashed(password: str) -> str:
    """The hash that is stored."""
    async with _ONE_AT_A_TIME:
        return await asyncio.to_thread(_HASHER.hash, password)


async def fits(stored: str | None, password: str) -> bool:
    """Whether this is the password. Without a stored one the same work is done, so that time says nothing about who exists."""
    async with _ONE_AT_A_TIME:
        return await asyncio.to_thread(_fits, stored, password)


def _fits(stored: str | None, password: str) -> bool:
    try:
        _HASHER.verify(stored or _NOBODY_S, password[:MOST])
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def weak(password: str, name: str) -> bool:
    """Whether a password is refused: too short, too long, one character again and again, or the name."""
    plain = password.casefold()
    return not LEAST <= len(password) <= MOST or len(set(plain)) < 5 or name.casefold() in plain or plain in _COMMON


_COMMON = frozenset({
    "123456789012", "1234567890123", "password1234", "passwordpassword", "qwertyuiop12", "qwertyuiopas", "administrator",
    "letmein12345", "iloveyou1234", "welcome12345", "changeme1234", "abcdefghijkl",
})  # fmt: skip
_NOBODY_S = _HASHER.hash("a password that nobody has")
