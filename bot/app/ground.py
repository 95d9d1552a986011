"""What everything else of a bot stands on: the clock, ids, understood wishes, and the parts every other is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from bot.domain.business import Business
from bot.domain.ids import EventId
from bot.privacy import intents
from bot.privacy.crypto import random_token
from bot.privacy.keyring import Keyring
from bot.privacy.retention import Periods
from bot.settings import Settings
from bot.storage.mongo import Mongo
from bot.storage.replays import Replays


class SystemClock:
    """UTC, cut to the milliseconds that the database keeps."""

    def now(self) -> datetime:
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class KeyedIds:
    """The runtime's `Ids`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def event(self, outside_id: str) -> EventId:
        return self._keyring.event_id(outside_id)

    def random(self) -> str:
        return random_token()


class HeardWishes:
    """The runtime's `Wishes`: the privacy intents with the business's own purposes."""

    def __init__(self, business: Business) -> None:
        self._purposes = {name: (name, *purpose.title.split()) for name, purpose in business.purposes.items()}

    def warm(self) -> None:
        """Reads the words of all languages, which takes half a second: before the first message instead of during it."""
        self.understand("please stop sending me messages", language=None, flow_open=False)

    def understand(self, words: str, *, language: str | None, flow_open: bool) -> intents.Intent:
        return intents.understand(words, language=language, flow_open=flow_open, purposes=self._purposes)


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything else stands on."""

    settings: Settings
    mongo: Mongo
    keyring: Keyring
    clock: SystemClock
    session: aiohttp.ClientSession
    addresses: Mapping[str, str]
    replays: Replays
    periods: Periods
