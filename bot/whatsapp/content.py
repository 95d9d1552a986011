"""What a file is by its content, and the file without what it gives away beside its picture. Pure; asks nobody.

Media type and name come from the sender and are not believed (whatsapp.md 3.5). Metadata of pictures (place, time, device) go:
nobody sent them on purpose (GDPR art. 5(1)(c)).
"""

import io
import warnings
from collections.abc import Mapping

import filetype  # type: ignore[import-untyped]
from PIL import Image, ImageOps, UnidentifiedImageError

PIXELS = 40_000_000
"""A picture that unpacks to more is a trap: WhatsApp's own have at most about 16 million."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_KINDS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png", "image/webp"}),
    "sticker": frozenset({"image/webp"}),
    "audio": frozenset({"audio/ogg", "audio/mpeg", "audio/mp4", "audio/amr", "audio/aac"}),
    "video": frozenset({"video/mp4", "video/3gpp"}),
    "document": frozenset({
        "application/pdf", "text/plain", "application/msword", f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet",
        f"{_OFFICE}presentationml.presentation", "image/jpeg", "image/png",
    }),
}  # fmt: skip
"""Kind to what it may be (Meta: cloud-api/reference/media, supported types)."""

_PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_3GP = (b"ftyp3gp", b"ftyp3g2")


class NotTaken(ValueError):
    """The file is not kept; the text is one word that says why and may be logged."""


def type_of(content: bytes) -> str:
    """The media type by the content itself; empty where nothing that WhatsApp carries is recognised."""
    if content[4:11] in _3GP:
        return "video/3gpp"
    if content.startswith(_OLD_OFFICE):
        return "application/msword"
    found = filetype.guess(content[:8192])
    if found is not None:
        return str(found.mime)
    return "text/plain" if _is_text(content) else ""


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and all(one.isprintable() or one in "\n\r\t" for one in text)


def cleaned(kind: str, content: bytes) -> tuple[str, bytes]:
    """(media type, content without metadata) of a file that came as `kind`.

    A picture is turned as its metadata said and written anew from its pixels alone. Raises `NotTaken` with `empty`, `wrong_type`,
    `too_many_pixels` or `damaged`.
    """
    if not content:
        raise NotTaken("empty")
    mime = type_of(content)
    if mime not in _KINDS.get(kind, frozenset()):
        raise NotTaken("wrong_type")
    return (mime, _redrawn(content, _PICTURES[mime])) if mime in _PICTURES else (mime, content)


def _redrawn(content: bytes, form: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=[form]) as opened:
                if opened.width * opened.height * getattr(opened, "n_frames", 1) > PIXELS:
                    raise NotTaken("too_many_pixels")
                if getattr(opened, "is_animated", False):
                    return _animated(opened, form)
                turned = ImageOps.exif_transpose(opened)
                # A new picture from the pixels: whatever stood beside them in the file is not in it.
                bare = Image.frombytes(turned.mode, turned.size, turned.tobytes())
                if turned.mode == "P":
                    bare.putpalette(turned.getpalette() or [])
                return _written(bare, form)
    except NotTaken:
        raise
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Warning,
    ) as problem:
        raise NotTaken("damaged") from problem


def _written(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    if form == "JPEG" and picture.mode not in ("RGB", "L", "CMYK"):
        picture = picture.convert("RGB")
    picture.save(out, form, quality=90) if form != "PNG" else picture.save(out, form)
    return out.getvalue()


def _animated(opened: Image.Image, form: str) -> bytes:
    frames = []
    for place in range(getattr(opened, "n_frames", 1)):
        opened.seek(place)
        frames.append(opened.convert("RGBA"))
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=opened.info.get("duration", 80), loop=0)
    return out.getvalue()
