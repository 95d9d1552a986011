"""The HTTP call to the Graph API. Never logs a body, an address or an answer: `details` may quote the request (whatsapp.md 3.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from bot.whatsapp.settings import WhatsAppSettings

MAX_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """Meta's answer; `status` is 0 when none came, so that nobody knows whether the request was carried out.

    `date` is the header of that name: Meta's own clock.
    """

    status: int
    body: bytes
    date: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Graph:
    """One session to one Graph API address, shared by the room."""

    def __init__(self, settings: WhatsAppSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout, sock_connect=min(5.0, settings.timeout))

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Calls `/<version>/<path>`. Never raises for the network or for what Meta answers."""
        if body is None:
            return await self._call(method, path, None, {})
        return await self._call(method, path, orjson.dumps(body), {"Content-Type": "application/json"})

    async def upload(self, path: str, form: aiohttp.FormData) -> Answer:
        """Posts a form with a file. Never raises for the network or for what Meta answers."""
        return await self._call("POST", path, form, {})

    async def _call(
        self, method: str, path: str, data: bytes | aiohttp.FormData | None, more: Mapping[str, str]
    ) -> Answer:
        url = f"{self._settings.graph_url}/{self._settings.graph_version}/{path}"
        headers = {"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}", **more}
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                return Answer(response.status, await _whole(response), response.headers.get("Date", "")[:40])
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer(0, b"")


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, however many pieces it comes in; what is beyond the bound is left."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size >= MAX_ANSWER:
            break
    return b"".join(parts)[:MAX_ANSWER]
