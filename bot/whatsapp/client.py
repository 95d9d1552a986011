"""Sends messages. Handed to the outbox alone: nobody else may (architecture.md 6)."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from bot.domain.ids import Address, Wamid
from bot.domain.message import OutMessage
from bot.observability.logs import Public
from bot.runtime.ports import Accepted, Refused
from bot.whatsapp.errors import refusal
from bot.whatsapp.graph import Answer, Graph
from bot.whatsapp.limits import TooLarge
from bot.whatsapp.payload import body_of, read_body

logger = logging.getLogger(__name__)

NOT_BY_ID = 131062
"""Meta's code for a kind of message that cannot be sent to a business-scoped user id (whatsapp.md 2.5)."""

BAD_MESSAGE = 100
"""Meta's code for a wrong parameter; given by us for a message that must not even be tried."""


class WhatsAppClient:
    """The runtime's `Channel` for one business number."""

    def __init__(self, graph: Graph, account: str) -> None:
        self._graph = graph
        self._path = f"{account}/messages"

    async def send(self, to: Address, message: OutMessage, callback: str) -> Accepted | Refused:
        """Sends one message; `callback` comes back in its statuses. Never raises for an answer."""
        try:
            body = body_of(to, message, callback)
            orjson.dumps(body)
        except TooLarge as problem:
            # The text names parts and counts, never words.
            logger.error("message not sendable", extra={"reason": Public(str(problem)[:200])})  # noqa: TRY400 - no traceback: it quotes content
            return Refused(BAD_MESSAGE, "never")
        except (ValueError, TypeError):
            return Refused(BAD_MESSAGE, "never")
        result = await self._posted(body)
        if isinstance(result, Refused) and result.code == NOT_BY_ID and to.phone is not None and "recipient" in body:
            # Refused before processing, so nobody gets it twice: this kind of message goes by number only.
            return await self._posted(body_of(Address(to.phone), message, callback))
        return result

    async def _posted(self, body: Mapping[str, Any]) -> Accepted | Refused:
        answer = await self._graph.request("POST", self._path, body)
        wamid = _wamid(answer) if answer.ok else None
        return Accepted(wamid) if wamid is not None else refusal(answer.status, answer.body)

    async def mark_read(self, wamid: Wamid, *, typing: bool = False) -> None:
        """Shows that a message was seen, and with `typing` that an answer comes; failing at it harms nobody."""
        await self._graph.request("POST", self._path, read_body(wamid, typing=typing))


def _wamid(answer: Answer) -> Wamid | None:
    try:
        parsed: Any = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    messages = parsed.get("messages") if isinstance(parsed, dict) else None
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    found = first.get("id")
    return Wamid(found) if isinstance(found, str) and found else None
