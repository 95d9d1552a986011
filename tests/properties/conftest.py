"""The storage's fixtures, for promises that only hold over the wire."""

from tests.storage.conftest import clock, keyring, process, shelf

__all__ = ["clock", "keyring", "process", "shelf"]
