"""Runs the ledger's sequencer beside the worker, with the anchor that the settings name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.observability.metrics import Registry
from bot.privacy.keyring import Keyring
from bot.privacy.settings import KeySettings
from bot.runtime.ports import Clock, Ids
from bot.runtime.sequencer import Sequencer
from bot.storage.anchors import FileDrop
from bot.storage.leaves import MongoLeaves
from bot.storage.mongo import Mongo


def sequencer_of(
    settings: KeySettings, mongo: Mongo, keyring: Keyring, ids: Ids, clock: Clock, registry: Registry | None = None
) -> Sequencer:
    """A sequencer on the stored ledger."""
    anchor = FileDrop(settings.anchor_folder) if settings.anchor_folder else None
    leaves = MongoLeaves(mongo)
    return Sequencer(leaves, keyring.sign, anchor, ids, clock, every=settings.anchor_every, registry=registry)


@asynccontextmanager
async def sequencing(sequencer: Sequencer) -> AsyncIterator[None]:
    """Runs it until left; the round under way is finished."""
    loop = asyncio.create_task(sequencer.run())
    try:
        yield
    finally:
        sequencer.stop()
        await asyncio.gather(loop, return_exceptions=True)
