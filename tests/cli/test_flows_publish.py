"""`recado flows publish` on the database: versions are added, and refused while somebody stands on what is gone."""

from bot.cli.flows_publish import publishing
from bot.domain import plain
from bot.domain.conversation import Frame
from bot.storage.mongo import Mongo
from bot.storage.published import Published
from tests.engine.phone import book
from tests.storage.shelf import settings_of

OLD = "flow: mine\ntitle: Mine\npurpose: support\nsteps:\n  - id: pick\n    menu: Which?\n    options: {red: Red}\n  - end\n"


async def test_a_step_somebody_waits_at_cannot_be_published_away(mongo_uri: str, database_name: str) -> None:
    settings = settings_of(mongo_uri, database_name)
    old, new = book(mine=OLD), book(mine=OLD.replace("id: pick", "id: which"))
    kept = book(mine=OLD.replace("id: pick", "id: which") + "renamed: {pick: which}\n")

    assert await publishing(settings, old, check=True) == ([], len(old.flows))
    assert await publishing(settings, old, check=False) == ([], len(old.flows))
    assert await publishing(settings, old, check=False) == ([], 0)

    mongo = Mongo(settings)
    frame = Frame("mine", old.flows["mine"].version, "pick")
    row = {"frames": plain.encode((frame,))}
    await mongo.collection("conversations").insert_many([{"_id": "1" * 32, **row}, {"_id": "2" * 32, **row}])

    refused, count = await publishing(settings, new, check=False)
    assert [str(one) for one in refused] == [
        "mine: the step `pick` is gone; say where it went: `renamed: {pick: …}`; 2 conversations stand on it."
    ]
    assert count == 1
    assert new.flows["mine"].version not in [version for _, version, _ in await Published(mongo).flows()]

    assert await publishing(settings, kept, check=False) == ([], 1)
    mongo.close()
