"""Media at Meta: fetched from Meta's own hosts alone, compared with what was announced, deleted there; and uploads for sending.

Source: Meta: cloud-api/reference/media. The address of a file is never taken from a webhook: it is asked for by the media id, lives
five minutes, and is followed only to Meta's hosts, because the access token goes with it.
"""

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from bot.domain.errors import RetryLater
from bot.whatsapp import fields
from bot.whatsapp.content import NotTaken
from bot.whatsapp.graph import Answer, Graph
from bot.whatsapp.settings import WhatsAppSettings

HOSTS = ("fbsbx.com", "fbcdn.net", "whatsapp.net", "facebook.com")
"""Meta's domains that give out files (`lookaside.fbsbx.com` and its kin)."""

UPLOAD_LASTS = timedelta(days=29)
"""Meta keeps an upload for 30 days."""

REMEMBERED = 256
CHUNK = 64 * 1024
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_GONE = frozenset({33, 100, 131052})


class MediaClient:
    """Files of one business number."""

    def __init__(self, settings: WhatsAppSettings, graph: Graph, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._graph = graph
        self._session = session
        self._account = settings.accounts[0] if settings.accounts else ""
        self._uploads: OrderedDict[tuple[str, str], tuple[str, datetime]] = OrderedDict()

    async def fetch(self, media: str, sha256: str, most: int) -> bytes:
        """The file, at most `most` bytes. `sha256` is what the webhook announced, hex or base64, or empty.

        Raises `NotTaken` with `gone`, `too_large`, `no_address`, `foreign_host` or `wrong_hash`, and `RetryLater` when Meta does not
        answer.
        """
        if not _ID.fullmatch(media):
            raise NotTaken("gone")
        about = await self._about(media)
        size = fields.number(about.get("file_size"))
        if size > most:
            raise NotTaken("too_large")
        address = fields.text(about.get("url"), 4096)
        if not address:
            raise NotTaken("no_address")
        if not self._is_metas(address):
            raise NotTaken("foreign_host")
        content = await self._download(address, most)
        announced = (sha256, fields.text(about.get("sha256"), 128))
        if not all(_same(content, one) for one in announced if one):
            raise NotTaken("wrong_hash")
        return content

    async def forget(self, media: str) -> None:
        """Deletes a file at Meta; one that is gone is gone. Raises `RetryLater` when Meta does not answer."""
        if not _ID.fullmatch(media):
            return
        answer = await self._graph.request("DELETE", quote(media, safe=""))
        if (not answer.ok and answer.status in (0, 429)) or answer.status >= 500:
            raise RetryLater("Meta did not delete the file")

    async def upload(self, content: bytes, mime: str, filename: str, now: datetime) -> str:
        """The media id under which this content can be sent; the same content is uploaded once in 29 days by a process.

        Raises `NotTaken` when Meta refuses it, and `RetryLater` when it does not answer.
        """
        key = (hashlib.sha256(content).hexdigest(), mime)
        known = self._uploads.get(key)
        if known is not None and now < known[1]:
            self._uploads.move_to_end(key)
            return known[0]
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mime)
        form.add_field("file", content, filename=filename or "file", content_type=mime)
        answer = await self._graph.upload(f"{self._account}/media", form)
        media = fields.text(_object(answer).get("id"), 128) if answer.ok else ""
        if not media:
            if answer.status in (0, 429) or answer.status >= 500:
                raise RetryLater("Meta did not take the file now")
            raise NotTaken("refused")
        self._uploads[key] = (media, now + UPLOAD_LASTS)
        while len(self._uploads) > REMEMBERED:
            self._uploads.popitem(last=False)
        return media

    async def _about(self, media: str) -> dict[str, Any]:
        """What Meta says of a file. `phone_number_id` makes it refuse another number's."""
        query = urlencode({"phone_number_id": self._account})
        answer = await self._graph.request("GET", f"{quote(media, safe='')}?{query}")
        if answer.ok:
            return _object(answer)
        if answer.status == 404 or fields.number(fields.part(_object(answer).get("error")).get("code")) in _GONE:
            raise NotTaken("gone")
        raise RetryLater("Meta did not tell where the file is")

    def _is_metas(self, address: str) -> bool:
        """Whether an address is one of Meta's own, or of the configured Graph host: nothing else ever gets the token (SSRF)."""
        try:
            parts, graph = urlsplit(address), urlsplit(self._settings.graph_url)
            port = parts.port
        except ValueError:
            return False
        if parts.username or parts.password or not parts.hostname:
            return False
        if (parts.scheme, parts.hostname, port) == (graph.scheme, graph.hostname, graph.port):
            return True
        own = any(parts.hostname == one or parts.hostname.endswith(f".{one}") for one in HOSTS)
        return own and parts.scheme == "https" and port in (None, 443)

    async def _download(self, address: str, most: int) -> bytes:
        token = self._settings.access_token.get_secret_value()
        timeout = aiohttp.ClientTimeout(total=max(60.0, self._settings.timeout), sock_connect=5.0)
        try:
            async with self._session.get(
                address, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False, timeout=timeout
            ) as response:
                if response.status == 404:
                    raise NotTaken("gone")
                if response.status != 200:
                    raise RetryLater("the file was not given out")
                content = bytearray()
                async for part in response.content.iter_chunked(CHUNK):
                    content += part
                    if len(content) > most:
                        raise NotTaken("too_large")
                return bytes(content)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise RetryLater("the file was not given out") from None


def _same(content: bytes, announced: str) -> bool:
    digest = hashlib.sha256(content).digest()
    forms = (digest.hex(), base64.b64encode(digest).decode(), base64.urlsafe_b64encode(digest).decode())
    return any(hmac.compare_digest(announced.strip().encode(), one.encode()) for one in forms)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        return fields.part(fields.decoded(answer.body)) if answer.body else {}
    except fields.NotJson:
        return {}
