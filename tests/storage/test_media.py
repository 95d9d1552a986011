"""Files in sealed pieces: whole or not at all, theirs alone, gone with the person and at their time."""

from datetime import timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app.media import TakenOver
from bot.domain.command import FetchMedia
from bot.domain.errors import Unreadable
from bot.domain.ids import Address, Bsuid, CommandId, PersonId
from bot.simulator import Simulator
from bot.storage.media import MEDIA, PIECE, PIECES, MongoMedia
from bot.whatsapp.graph import Graph
from bot.whatsapp.media import MediaClient
from bot.whatsapp.settings import WhatsAppSettings
from tests.simulator.conftest import FAST
from tests.storage.shelf import NOW, SECRETS, Shelf
from tests.whatsapp.test_content import with_place

pytestmark = pytest.mark.mongo

ID = CommandId("d" * 32)


async def put(shelf: Shelf, person: PersonId, content: bytes, media: CommandId = ID) -> MongoMedia:
    files = MongoMedia(shelf.mongo, shelf.subjects)
    await files.put(
        person, media, content, kind="image", mime_type="image/png", expires=NOW + timedelta(days=7),
        now=NOW,
    )  # fmt: skip
    return files


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
async def test_a_file_comes_back_as_it_went_in(shelf: Shelf, size: int) -> None:
    person = await shelf.somebody()
    content = bytes(n % 251 for n in range(size))
    files = await put(shelf, person, content)
    await put(shelf, person, content)  # again, after a crash

    assert await files.read(person, ID) == content
    assert [(one.id, one.size, one.kind) for one in await files.of_person(person, NOW)] == [(ID, size, "image")]
    assert len(await shelf.rows(PIECES)) == (size + PIECE - 1) // PIECE


async def test_nobody_else_reads_it_and_the_database_shows_nothing(shelf: Shelf) -> None:
    person = await shelf.somebody()
    other = await shelf.somebody(Address(bsuid=Bsuid("US.Other1")))
    files = await put(shelf, person, b"my secret plan " * 40_000)

    assert await files.read(other, ID) is None
    assert await files.find(other, ID) is None
    held = repr([row async for _, row in shelf.mongo.scan()])
    assert "secret plan" not in held
    assert not any(one in held for one in SECRETS)


@pytest.mark.parametrize("harm", ["missing", "swapped"])
async def test_half_a_file_is_none(shelf: Shelf, harm: str) -> None:
    person = await shelf.somebody()
    files = await put(shelf, person, b"x" * (2 * PIECE))
    rows = shelf.mongo.collection(PIECES)
    if harm == "missing":
        await rows.delete_one({"_id": f"{ID}:1"})
    else:
        first = await rows.find_one({"_id": f"{ID}:0"})
        await rows.update_one({"_id": f"{ID}:1"}, {"$set": {"p": first["p"]}})
    with pytest.raises(Unreadable):
        await files.read(person, ID)


async def test_an_erased_person_leaves_no_piece_even_when_a_file_was_just_coming(shelf: Shelf) -> None:
    person = await shelf.somebody()
    await shelf.subjects.key(person)  # still remembered by this process
    await shelf.mongo.vault["subjects"].delete_one({"_id": person})
    await put(shelf, person, b"x" * 10)

    assert await shelf.rows(MEDIA) == []
    assert await shelf.rows(PIECES) == []


async def test_a_photo_is_taken_over_cleaned_and_deleted_at_meta(shelf: Shelf) -> None:
    person = await shelf.somebody()
    async with Simulator(FAST) as meta, aiohttp.ClientSession() as session:
        settings = WhatsAppSettings(
            access_token=SecretStr(FAST.access_token), graph_url=meta.url, phone_number_id=FAST.phone_number_id
        )
        files = MongoMedia(shelf.mongo, shelf.subjects)
        over = TakenOver(MediaClient(settings, Graph(settings, session), session), files, most=100_000)
        upload = meta.world.uploads_store.keep("image/jpeg", with_place(), by_business=False)
        command = FetchMedia(ID, "image", upload.id, upload.sha256_base64, timedelta(days=30))
        await over.take_over(person, command, NOW)
        await over.take_over(person, command, NOW)

        content = await files.read(person, ID)
        assert content is not None
        assert b"Anabela" not in content
        assert meta.world.uploads_store.find(upload.id) is None
        row = (await shelf.rows(MEDIA))[0]
        assert row["expires"] == NOW + timedelta(days=30)

        program = meta.world.uploads_store.keep("image/jpeg", b"MZ" + b"\x00" * 400, by_business=False)
        other = CommandId("e" * 32)
        await over.take_over(person, FetchMedia(other, "image", program.id), NOW)
        assert await files.read(person, other) is None
        assert [one.refused for one in await files.of_person(person, NOW)] == ["", "wrong_type"]
        assert meta.world.uploads_store.find(program.id) is None, "what is not kept is deleted there all the same"
