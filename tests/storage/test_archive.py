"""A database as one file: what comes back is what stood there, and half a file is not taken for a whole one."""

import gzip
import stat
from collections import Counter
from pathlib import Path

import pytest

from bot.storage import archive
from bot.storage.archive import BadArchive
from tests.storage.shelf import NOW, Shelf, whole_life

pytestmark = pytest.mark.mongo


async def everything(shelf: Shelf) -> Counter[str]:
    return Counter([f"{name} {sorted(row.items())!r}" async for name, row in shelf.mongo.scan()])


async def test_what_comes_back_is_what_stood_there(shelf: Shelf, tmp_path: Path) -> None:
    await whole_life(shelf)
    before, path = await everything(shelf), tmp_path / "main.recado"
    counts = await archive.dump(shelf.mongo.main, path, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    await shelf.mongo.main["conversations"].delete_many({})
    await shelf.mongo.main["sends"].update_many({}, {"$set": {"rank": 9}})
    await shelf.mongo.main["tombstones"].insert_one({"_id": "x"})

    restored = await archive.restore(shelf.mongo.main, path)

    assert await everything(shelf) == before
    assert restored == {name: count for name, count in counts.items() if count}


async def test_half_a_file_changes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """Cut after every document, at odd bytes, and with one document taken out."""
    await whole_life(shelf)
    path = tmp_path / "main.recado"
    await archive.dump(shelf.mongo.main, path, NOW)
    before, whole = await everything(shelf), gzip.decompress(path.read_bytes())
    first = int.from_bytes(whole[:4], "little")
    second = first + int.from_bytes(whole[first : first + 4], "little")
    broken = [
        whole[:first],
        whole[:second],
        whole[: second + 3],
        whole[:-1],
        whole[:first] + whole[second:],
        b"",
        b"nothing",
    ]
    for data in broken:
        path.write_bytes(gzip.compress(data))
        with pytest.raises(BadArchive):
            await archive.restore(shelf.mongo.main, path)
    path.write_bytes(gzip.compress(whole)[:-9])
    with pytest.raises(BadArchive):
        await archive.restore(shelf.mongo.main, path)
    assert await everything(shelf) == before


async def test_a_dump_that_was_killed_is_begun_anew(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / ".main.recado.new").write_bytes(b"left behind")
    await archive.dump(shelf.mongo.main, tmp_path / "main.recado", NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["main.recado"]
