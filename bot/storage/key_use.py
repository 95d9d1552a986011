"""Which keys the stored rows need: whether all of them are here, and which of them nothing needs any more.

Counts and compares; no row is opened here. The check values stand in the vault, beside what the keys protect (decisions.md 15, 19).
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import SettingsProblem
from bot.privacy.inventory import COLLECTIONS
from bot.privacy.keyring import Keyring
from bot.storage.mongo import Mongo, insert_once, reaches

CHECKS = "key_checks"


def _wrapping() -> tuple[str, ...]:
    """The collections whose rows hold a data key wrapped under a key-encryption key, by the register."""
    return tuple(name for name, one in COLLECTIONS.items() if {"kid", "key"} <= {field.path for field in one.fields})


WRAPPED = _wrapping()
USES: Mapping[str, tuple[str, ...]] = {
    "kek": WRAPPED,
    "index": ("identities",),
    "suppression": ("suppressions", "replay"),
}
"""Kind of key to the collections whose rows say under which version they stand. (What a ledger key signed needs only its public half.)"""


def rows_of(mongo: Mongo, collection: str) -> Any:
    """A collection in the database where the register places it."""
    return (mongo.vault if COLLECTIONS[collection].vault else mongo.main)[collection]


@reaches
async def confirm(mongo: Mongo, keyring: Keyring) -> None:
    """Compares the key files with those that the stored rows were written with, and notes the new ones.

    Raises:
        SettingsProblem: a key that rows need is not in its file, or another key stands there under its name: starting would make
            second persons of everybody (index), forget every STOP (suppression) or open nothing (kek).
    """
    here = keyring.checks()
    known = {row["_id"]: row async for row in mongo.vault[CHECKS].find({})}
    for kid, row in known.items():
        if kid not in here:
            raise SettingsProblem(_lost(row["kind"], kid))
        if here[kid] != (row["kind"], row["check"]):
            raise SettingsProblem(
                f"The {row['kind']} key file holds another key under the name {kid} than the one this database was written with. "
                "Put the right file in its place (your backup of the keys); nothing was changed."
            )
    for kind, collections in USES.items():
        for name in collections:
            stranger = await rows_of(mongo, name).find_one(
                {"kid": {"$exists": True, "$nin": keyring.kids(kind)}}, {"kid": 1}
            )
            if stranger is not None:
                raise SettingsProblem(_lost(kind, stranger["kid"]))
    for kid, (kind, check) in here.items():
        if kid not in known:
            await insert_once(mongo.vault[CHECKS], {"_id": kid, "kind": kind, "check": check})


def _lost(kind: str, kid: str) -> str:
    return (
        f"The {kind} key {kid}, under which rows of this database stand, is not in the file of the {kind} keys. Is it the file of "
        "another installation, or an older copy? Put the newest copy in its place (your backup of the keys); `recado keys status` "
        "shows what is there."
    )


@reaches
async def counts(mongo: Mongo, keyring: Keyring) -> dict[str, dict[str, int]]:
    """Kind to version to how many rows stand under it, with versions that are not in the files too."""
    found: dict[str, dict[str, int]] = {}
    for kind, collections in USES.items():
        of_kind = dict.fromkeys(keyring.kids(kind), 0)
        for name in collections:
            grouped = rows_of(mongo, name).aggregate([{"$group": {"_id": "$kid", "rows": {"$sum": 1}}}])
            async for one in grouped:
                if one["_id"] is not None:
                    of_kind[one["_id"]] = of_kind.get(one["_id"], 0) + one["rows"]
        found[kind] = of_kind
    return found


@reaches
async def retire(mongo: Mongo, kid: str) -> None:
    """Forgets a version that was dropped, so that a start no longer asks for it."""
    await mongo.vault[CHECKS].delete_one({"_id": kid})
