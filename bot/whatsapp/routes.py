"""The webhook's address: handshake, signature, size, and an answer only after the turns are durable (interface.md, "HTTP")."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.domain.errors import RetryLater
from bot.domain.inbound import Inbound, Unknown
from bot.whatsapp.settings import WhatsAppSettings
from bot.whatsapp.signature import HEADER, is_signed
from bot.whatsapp.webhook import UnreadableBody, parse

MAX_BODY = 3 * 1024 * 1024
"""Meta: payloads have up to 3 MB."""

PATH = "/webhooks/whatsapp"
RETRY_AFTER = "5"
_CHALLENGE = 512

Accept = Callable[[Sequence[Inbound]], Awaitable[None]]

logger = logging.getLogger(__name__)


def webhook_routes(settings: WhatsAppSettings, accept: Accept) -> list[web.RouteDef]:
    """GET and POST of the webhook. `accept` returns when everything is durable and raises `RetryLater` when it could not be."""
    accounts, businesses = frozenset(settings.accounts), frozenset(settings.businesses)
    secrets = settings.secrets
    token = settings.verify_token.get_secret_value().encode()

    async def verify(request: web.Request) -> web.Response:
        given = request.query.get("hub.verify_token", "").encode()
        challenge = request.query.get("hub.challenge", "")
        fits = bool(token) and hmac.compare_digest(given, token) and request.query.get("hub.mode") == "subscribe"
        if not fits or not challenge or len(challenge) > _CHALLENGE:
            return web.Response(status=403, text="This is not the verify token.\n")
        return web.Response(text=challenge, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def receive(request: web.Request) -> web.Response:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            # The signature is over the bytes on the wire; Meta sends them plain, and unpacking could be made to explode.
            return web.Response(status=401, text="No valid signature.\n")
        body = await _body(request)
        if body is None:
            return web.Response(status=413, text="At most 3 MiB.\n")
        if not is_signed(body, request.headers.get(HEADER), secrets):
            return web.Response(status=401, text="No valid signature.\n")
        try:
            inbound = parse(body, accounts=accounts or None, businesses=businesses or None)
        except UnreadableBody:
            return web.Response(status=400, text="Not readable as JSON.\n")
        _log_others(inbound)
        try:
            await accept(inbound)
        except RetryLater:
            return _later()
        except Exception as problem:  # noqa: BLE001 - whatever went wrong, Meta must bring it again; nothing is lost
            logger.error("webhook not committed", extra={"error": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content
            return _later()
        return web.Response(text="")

    return [web.get(PATH, verify, allow_head=False), web.post(PATH, receive)]


def _log_others(inbound: Sequence[Inbound]) -> None:
    """One line for each number or business account that is not ours: by reference, at most ten of a delivery."""
    others = {(one.kind, one.reference) for one in inbound if isinstance(one, Unknown) and one.reference}
    for kind, reference in sorted(others)[:10]:
        logger.warning("webhook of others ignored", extra={"kind": kind, "field": reference})


def _later() -> web.Response:
    return web.Response(status=503, headers={"Retry-After": RETRY_AFTER}, text="Try again.\n")


async def _body(request: web.Request) -> bytes | None:
    """The bytes as they came, or None when there are too many; never reads more than the limit."""
    if request.content_length is not None and request.content_length > MAX_BODY:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)
