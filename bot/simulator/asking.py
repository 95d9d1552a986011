"""Reads what is asked of the control API. Every no is a SimulatorError that names the key. Pure."""

import base64
import binascii
from collections.abc import Mapping

from bot.simulator.errors import SimulatorError


class Ask:
    """The JSON object of one control request, read key by key; keys nobody asked for are errors."""

    def __init__(self, body: Mapping[str, object]) -> None:
        self._body = body
        self._read: set[str] = set()

    def _get(self, key: str) -> object:
        self._read.add(key)
        return self._body.get(key)

    def has(self, key: str) -> bool:
        """Whether the key was given at all."""
        return key in self._body

    def text(self, key: str, otherwise: str | None = None) -> str:
        """A text; required unless there is something to take otherwise."""
        found = self._get(key)
        if found is None and otherwise is not None:
            return otherwise
        if not isinstance(found, str):
            raise SimulatorError(f"{key}: a text is needed")
        return found

    def text_or_none(self, key: str) -> str | None:
        """A text, or None where the key is missing or null."""
        return None if self._get(key) is None else self.text(key)

    def flag(self, key: str, *, otherwise: bool) -> bool:
        """True or false."""
        found = self._get(key)
        if found is None:
            return otherwise
        if not isinstance(found, bool):
            raise SimulatorError(f"{key}: true or false")
        return found

    def whole(self, key: str, otherwise: int, *, most: int, least: int = 0) -> int:
        """A whole number between bounds."""
        found = self._get(key)
        if found is None:
            return otherwise
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            raise SimulatorError(f"{key}: a whole number from {least} to {most}")
        return found

    def seconds(self, key: str, otherwise: float = 0.0, *, most: float = 600.0) -> float:
        """A number of seconds."""
        found = self._get(key)
        if found is None:
            return otherwise
        if not isinstance(found, (int, float)) or isinstance(found, bool) or not 0 <= found <= most:
            raise SimulatorError(f"{key}: seconds from 0 to {most:g}")
        return float(found)

    def mapping(self, key: str) -> Mapping[str, object]:
        """An object."""
        found = self._get(key)
        if not isinstance(found, Mapping):
            raise SimulatorError(f"{key}: an object is needed")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is missing."""
        found = self._get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise SimulatorError(f"{key}: a list of texts is needed")
        return tuple(found)

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers, empty where the key is missing."""
        found = self._get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
            raise SimulatorError(f"{key}: a list of whole numbers is needed")
        return tuple(found)

    def content(self, key: str) -> bytes:
        """Bytes written in base64."""
        try:
            return base64.b64decode(self.text(key), validate=True)
        except binascii.Error:
            raise SimulatorError(f"{key}: base64 is needed") from None

    def done(self) -> None:
        """Raises SimulatorError for keys that were never read."""
        unknown = sorted(set(self._body) - self._read)
        if unknown:
            raise SimulatorError(f"{unknown[0]}: this key is not known here")
