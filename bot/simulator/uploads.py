"""Media that was uploaded by the business or sent by a person, kept in memory only. Meta: cloud-api/reference/media."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bot.simulator.chat import MediaRef
from bot.simulator.errors import GraphError
from bot.simulator.ids import number_id

MIB = 1024 * 1024
URL_SECONDS = 300.0
UPLOAD_DAYS = 30
INBOUND_DAYS = 7

OFFICE = "application/vnd.openxmlformats-officedocument."
LIMITS: dict[str, tuple[int, tuple[str, ...]]] = {
    "image": (5 * MIB, ("image/jpeg", "image/png")),
    "audio": (16 * MIB, ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")),
    "video": (16 * MIB, ("video/mp4", "video/3gpp")),
    "sticker": (500 * 1024, ("image/webp",)),
    "document": (
        100 * MIB,
        (
            "text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
            OFFICE + "wordprocessingml.document", OFFICE + "spreadsheetml.sheet", OFFICE + "presentationml.presentation",
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Upload:
    """One file. `until`: Unix time when Meta forgets it."""

    id: str
    kind: str
    mime_type: str
    content: bytes
    until: float
    filename: str = ""
    by_business: bool = True

    @property
    def ref(self) -> MediaRef:
        return MediaRef(self.kind, id=self.id, mime_type=self.mime_type, filename=self.filename)

    @property
    def sha256_hex(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """As webhooks write it."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode("ascii")


def kind_of(mime_type: str, size: int) -> str:
    """image, audio, video, sticker or document; raises GraphError 131053 for what Meta does not take or finds too large."""
    plain = mime_type.split(";", maxsplit=1)[0].strip().lower()
    for kind, (most, types) in LIMITS.items():
        if plain in types:
            if size > most:
                raise GraphError(131053, f"The file has {size} bytes, {kind} may have {most}")
            return kind
    raise GraphError(131053, f"type {plain!r} is not supported")


class Uploads:
    """All files, by id; links to their bytes live five minutes."""

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        self._clock = clock
        self._random = random
        self._files: dict[str, Upload] = {}
        self._links: dict[str, tuple[str, float]] = {}

    def keep(self, mime_type: str, content: bytes, filename: str = "", *, by_business: bool) -> Upload:
        """Stores a file and gives it an id; raises GraphError 131053 for an unsupported or too large one."""
        kind = kind_of(mime_type, len(content))
        if not content:
            raise GraphError(131053, "The file is empty")
        days = UPLOAD_DAYS if by_business else INBOUND_DAYS
        until = self._clock() + days * 86400
        upload = Upload(number_id(self._random), kind, mime_type, content, until, filename, by_business)
        self._files[upload.id] = upload
        return upload

    def find(self, media_id: str) -> Upload | None:
        """The file, as long as Meta would keep it."""
        found = self._files.get(media_id)
        return found if found and self._clock() < found.until else None

    def get(self, media_id: str) -> MediaRef | None:
        """As a message sees it: only the business's own uploads can be sent."""
        found = self.find(media_id)
        return found.ref if found and found.by_business else None

    def refs(self) -> dict[str, MediaRef]:
        """All uploads of the business that can be sent now."""
        return {key: ref for key in self._files if (ref := self.get(key)) is not None}

    def link(self, media_id: str) -> str:
        """A fresh token under which the bytes can be fetched for five minutes."""
        token = f"{self._random.getrandbits(128):032x}"
        self._links[token] = (media_id, self._clock() + URL_SECONDS)
        return token

    def behind(self, token: str) -> Upload | None:
        """The file behind a token that has not run out."""
        media_id, until = self._links.get(token, ("", 0.0))
        return self.find(media_id) if self._clock() < until else None

    def delete(self, media_id: str) -> bool:
        """Forgets a file; false where there was none."""
        return self._files.pop(media_id, None) is not None
