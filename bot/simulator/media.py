"""Media of the stand-in: what the business uploaded and what persons sent. In memory, gone with the simulator."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.simulator.errors import GraphRefusal

URL_SECONDS = 300.0
KEPT_INBOUND = 7 * 86400.0
KEPT_UPLOADED = 30 * 86400.0
LIMITS: dict[str, int] = {"image": 5, "audio": 16, "video": 16, "application": 100, "text": 100}
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Medium:
    """One stored file; `sha256` is base64 as in webhooks, `expires` is Unix seconds."""

    id: str
    data: bytes
    mime: str
    filename: str
    expires: float

    @property
    def sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()

    @property
    def sha256_hex(self) -> str:
        """As the answer to GET /{media_id} has it."""
        return hashlib.sha256(self.data).hexdigest()


class MediaShelf:
    """Meta's keeping of media: ids for 7 or 30 days, download addresses for 5 minutes (Meta: media reference)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._media: dict[str, Medium] = {}
        self._addresses: dict[str, tuple[str, float]] = {}

    def add(self, data: bytes, mime: str, filename: str, *, inbound: bool) -> Medium:
        """Store a file; 131053 if it is empty, of an unknown family or too large for it."""
        limit = LIMITS.get(mime.split("/", 1)[0])
        if not data or limit is None or len(data) > limit * MEGABYTE:
            raise GraphRefusal(131053, "the file is empty, too large or of a kind that is not supported")
        kept = KEPT_INBOUND if inbound else KEPT_UPLOADED
        medium = Medium(str(secrets.randbelow(9 * 10**15) + 10**15), data, mime, filename, self._clock() + kept)
        self._media[medium.id] = medium
        return medium

    def has(self, media_id: object) -> bool:
        """Whether a media object of this id is here and has not expired."""
        medium = self._media.get(str(media_id))
        return medium is not None and medium.expires > self._clock()

    def get(self, media_id: str) -> Medium:
        """The media object; GraphRefusal 100 where there is none."""
        if not self.has(media_id):
            raise GraphRefusal(100, "no media object has this id", subcode=33)
        return self._media[media_id]

    def delete(self, media_id: str) -> None:
        """Remove it for ever; GraphRefusal 100 where there is none."""
        self.get(media_id)
        del self._media[media_id]

    def address(self, media_id: str) -> str:
        """A fresh download token for this object, good for five minutes."""
        token = secrets.token_urlsafe(16)
        self._addresses[token] = (self.get(media_id).id, self._clock() + URL_SECONDS)
        return token

    def at_address(self, token: str) -> Medium | None:
        """The object behind a download token; None once it is old or the object deleted."""
        media_id, until = self._addresses.get(token, ("", 0.0))
        if until <= self._clock() or not self.has(media_id):
            return None
        return self._media[media_id]
