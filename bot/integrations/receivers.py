"""News for the business's systems: what became of a consent or of a person, signed, until they have it (GDPR art. 7(3), 19).

A message names the person by reference and says nothing else of them; only the news of an erasure holds the number, because nobody can
be asked for it afterwards. Who tries again, and how often, is the outbox's to say: whatever is not answered 2xx comes again.
"""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import orjson
from pydantic import SecretStr

from bot.domain.business import Receiver
from bot.domain.command import Notify
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import Address, PersonId
from bot.integrations.addresses import reached

logger = logging.getLogger(__name__)

SIGNATURE = "Recado-Signature"
TIMEOUT = aiohttp.ClientTimeout(total=10)
ERASED = "subject.erased"

References = Callable[[PersonId], Awaitable[str]]
"""A person's reference, also while they are being erased; empty for somebody who is gone."""


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<Unix seconds>,v1=<hex>`: HMAC-SHA256 over the time, a full stop and the body, so that nobody can send an old one anew."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class HttpReceivers:
    """The runtime's `Subscribers` and `Receivers` over HTTP."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        session: aiohttp.ClientSession,
        secrets: Mapping[str, SecretStr],
        references: References,
    ) -> None:
        """Raises `SettingsProblem` when the secret of a receiver is not set: unsigned news would be anybody's."""
        missing = sorted(one.secret for one in receivers.values() if not _known(secrets, one.secret))
        if missing:
            raise SettingsProblem(
                f"RECADO_INTEGRATIONS__SECRETS holds no secret {', '.join(missing)}, which a receiver of business.yaml names."
            )
        self._receivers = receivers
        self._session = session
        self._secrets = secrets
        self._references = references

    async def notify(self, person: PersonId, notice: Notify, now: datetime) -> None:
        """Tells every receiver that wants it. Raises `RetryLater` when one of them did not take it; all hear it again then."""
        subject = await self._references(person)
        if not subject:
            return  # erased meanwhile: they were told that instead
        news: dict[str, Any] = {"id": notice.id, "event": notice.event, "subject": subject}
        if notice.purpose:
            news["purpose"] = notice.purpose
        await self._tell(news, notice.occurred_at or now, now)

    async def erase(self, person: PersonId, address: Address | None, now: datetime) -> None:
        """As `notify`, with the number and user id: whoever holds data under these must delete them too (GDPR art. 17(2), 19)."""
        subject = await self._references(person)
        news: dict[str, Any] = {"id": f"{ERASED}:{subject or person}", "event": ERASED, "subject": subject}
        if address is not None:
            known = {"number": address.phone, "user_id": address.bsuid}
            news |= {name: one.value for name, one in known.items() if one is not None}
        await self._tell(news, now, now)

    async def _tell(self, news: Mapping[str, Any], occurred_at: datetime, now: datetime) -> None:
        body = orjson.dumps({**news, "occurred_at": occurred_at.isoformat()})
        wanted = [(name, one) for name, one in self._receivers.items() if news["event"] in one.events]
        failed = [name for name, one in wanted if not await self._posted(name, one, body, now)]
        if failed:
            raise RetryLater(f"{', '.join(failed)} did not take the news")

    async def _posted(self, name: str, receiver: Receiver, body: bytes, now: datetime) -> bool:
        """Whether it was taken. Never into our own network unasked, and never after a redirect (privacy.md T26)."""
        at = await reached(receiver.address, local=receiver.local)
        if at is None:
            logger.error("receiver address is not public", extra={"action": name})
            return False
        secret = self._secrets[receiver.secret].get_secret_value()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(secret, int(now.timestamp()), body),
            "Host": at.host,
        }
        try:
            async with self._session.post(
                at.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=TIMEOUT,
                server_hostname=at.name if at.url.scheme == "https" else None,
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False


def _known(secrets: Mapping[str, SecretStr], name: str) -> bool:
    return name in secrets and bool(secrets[name].get_secret_value())
