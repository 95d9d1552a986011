"""What a file is by its content, and what is gone from it when it is kept."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.whatsapp.content import NotTaken, cleaned, type_of


def picture(form: str, size: tuple[int, int] = (8, 4), *, mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 120 if mode in ("L", "P") else (200, 30, 30, 255)[: len(mode)]).save(out, form, **more)
    return out.getvalue()


def with_place() -> bytes:
    """A photo as telephones make it: lying on its side, with the place, the time and the owner's name."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x013B] = "Anabela Exemplo"
    exif[0x8825] = {1: "N", 2: (38.0, 42.0, 0.0)}
    return picture("JPEG", exif=exif.tobytes())


def test_place_name_and_turn_are_gone_from_a_photo_and_it_stands_upright() -> None:
    mime, clean = cleaned("image", with_place())

    assert b"Anabela" not in clean
    assert b"Exif" not in clean
    with Image.open(io.BytesIO(clean)) as opened:
        assert (mime, opened.size, len(opened.getexif())) == ("image/jpeg", (4, 8), 0)


def test_texts_in_a_png_are_gone() -> None:
    plain = picture("PNG")
    chunk = b"tEXtComment\x00Anabela was here"
    told = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    mime, clean = cleaned("image", plain[:33] + told + plain[33:])

    assert (mime, b"Anabela" in clean) == ("image/png", False)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "LA"])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
def test_pictures_of_every_mode_keep_their_pixels(form: str, mode: str) -> None:
    if form == "JPEG" and mode in ("RGBA", "P", "LA"):
        pytest.skip("there is no such JPEG")
    original = picture(form, mode=mode)
    _, clean = cleaned("image", original)

    with Image.open(io.BytesIO(original)) as before, Image.open(io.BytesIO(clean)) as after:
        assert after.size == before.size
        near = zip(before.convert("RGB").tobytes(), after.convert("RGB").tobytes(), strict=True)
        assert all(abs(one - other) <= 6 for one, other in near)


def test_an_animated_sticker_stays_animated() -> None:
    frames = [Image.new("RGBA", (4, 4), (shade, 0, 0, 255)) for shade in (0, 200)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], exif=b"Exif\x00\x00Anabela")
    mime, clean = cleaned("sticker", out.getvalue())

    with Image.open(io.BytesIO(clean)) as opened:
        assert (mime, getattr(opened, "n_frames", 1), b"Anabela" in clean) == ("image/webp", 2, False)


REFUSED = [
    pytest.param("image", b"", "empty", id="nothing"),
    pytest.param("image", b"MZ\x90\x00" + b"\x00" * 300, "wrong_type", id="a program called a picture"),
    pytest.param("image", b"<svg onload='alert(1)'/>", "wrong_type", id="a drawing that could run a script"),
    pytest.param("document", b"<html\x00><script>", "wrong_type", id="no text at all"),
    pytest.param("audio", picture("PNG"), "wrong_type", id="a picture called a voice note"),
    pytest.param("hologram", picture("PNG"), "wrong_type", id="a kind of the future"),
    pytest.param("image", picture("JPEG", (64, 64))[:-200], "damaged", id="cut off"),
    pytest.param("image", picture("PNG", (9000, 9000), mode="L"), "too_many_pixels", id="small as a file, huge in memory"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "why"), REFUSED)
def test_what_is_not_what_it_says_is_not_kept(kind: str, content: bytes, why: str) -> None:
    with pytest.raises(NotTaken, match=f"^{why}$"):
        cleaned(kind, content)


@pytest.mark.parametrize(
    ("kind", "content", "mime"),
    [
        ("audio", b"OggS" + b"\x00" * 300, "audio/ogg"),
        ("audio", b"#!AMR\n" + b"\x00" * 300, "audio/amr"),
        ("video", b"\x00\x00\x00\x20ftyp3gp4" + b"\x00" * 300, "video/3gpp"),
        ("document", b"%PDF-1.7\n" + b"\x00" * 300, "application/pdf"),
        ("document", "Às vezes: uma linha.\nOutra.".encode(), "text/plain"),
        ("document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "application/msword"),
        ("document", picture("PNG"), "image/png"),
    ],
)
def test_the_type_is_read_from_the_content(kind: str, content: bytes, mime: str) -> None:
    assert cleaned(kind, content)[0] == mime


@given(st.binary(max_size=2000), st.sampled_from(["image", "sticker", "audio", "video", "document"]))
def test_no_bytes_make_it_fail_otherwise(content: bytes, kind: str) -> None:
    type_of(content)
    why = ""
    try:
        mime, clean = cleaned(kind, content)
    except NotTaken as problem:
        mime, clean, why = "none", b"none", str(problem)
    assert why in {"", "empty", "wrong_type", "damaged", "too_many_pixels"}
    assert mime
    assert clean


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 400), st.integers(1, 255))
def test_damaged_pictures_are_refused_or_still_pictures(form: str, place: int, change: int) -> None:
    content = bytearray(picture(form, (32, 32)))
    content[place % len(content)] ^= change
    try:
        mime, _ = cleaned("image", bytes(content))
    except NotTaken:
        return
    assert mime.startswith("image/")
