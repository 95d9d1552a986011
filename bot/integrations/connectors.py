"""Calls of flows: only declared fields go out and come in, within bounds of time and size, and never into our own network unasked.

An address that leads to a private range is refused unless business.yaml says `local: yes` for it (`addresses`); redirects are never
followed, cookies never kept (privacy.md T26). Connectors written in Python are kept to the same fields (`extensions`).
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from bot.domain.business import Action, Business, Connector
from bot.domain.command import Call
from bot.integrations import extensions
from bot.integrations.addresses import Pinned, reached
from bot.runtime.ports import CallResult

logger = logging.getLogger(__name__)

MAX_ANSWER = 64 * 1024
MAX_ROWS = 50
MAX_VALUE = 1024
BETWEEN_TRIES = 0.2
PASSING = frozenset({408, 425, 429})
"""Refusals that pass by themselves: too slow, too early, too many. They count as failures, so reads are tried again."""


class HttpConnectors:
    """The runtime's `Connectors` over HTTP."""

    def __init__(
        self,
        business: Business,
        session: aiohttp.ClientSession,
        secrets: Mapping[str, SecretStr],
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """`addresses` stand in for those of business.yaml, by connector: the demo's systems are on ports of its own."""
        self._addresses = addresses or {}
        self._business = business
        self._session = session
        self._secrets = secrets

    async def call(self, call: Call) -> CallResult:
        """Asks; never raises for what the other side does. `ok`, `not_found`, `refused`, `failed` or `slow`."""
        name, _, action_name = call.action.partition(".")
        connector = self._business.connectors.get(name)
        if connector is not None and name in self._addresses:
            connector = connector.model_copy(update={"address": self._addresses[name]})
        action = connector.actions.get(action_name) if connector else None
        if connector is None or action is None:
            return CallResult("failed")
        try:
            async with asyncio.timeout(call.timeout / timedelta(seconds=1)):
                return await self._tried(call, connector, action)
        except TimeoutError:
            return CallResult("slow")

    async def _tried(self, call: Call, connector: Connector, action: Action) -> CallResult:
        """Repeats only what cannot double: reads, and writes that carry their own key."""
        harmless = action.method == "GET" and not connector.python
        tries = call.retries + 1 if harmless or call.once_per else 1
        result = CallResult("failed")
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(BETWEEN_TRIES * 2**attempt)
            result = await self._once(call, connector, action)
            if result.outcome != "failed":
                break
        return result

    async def _once(self, call: Call, connector: Connector, action: Action) -> CallResult:
        sent = {field: value for field, value in call.arguments.items() if field in action.send}
        if connector.python:
            answered = await extensions.ask(connector.python, call.action.partition(".")[2], sent, call)
            return replace(answered, values=_received(answered.values, action))
        at = await self._reached(connector, call)
        headers = self._headers(connector, call)
        if at is None or headers is None:
            return CallResult("failed")
        path, rest = _filled(action.path, sent)
        options: dict[str, Any] = (
            {"params": _texts(rest)} if action.method == "GET" else {"data": orjson.dumps(_plain(rest))}
        )
        if action.method != "GET":
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                action.method,
                URL(str(at.url).rstrip("/") + path, encoded=True),
                headers={**headers, "Host": at.host},
                allow_redirects=False,
                server_hostname=at.name if at.url.scheme == "https" else None,
                **options,
            ) as response:
                body = await _limited(response)
                return _result(response.status, body, action)
        except (aiohttp.ClientError, OSError, ValueError):
            return CallResult("failed")

    async def _reached(self, connector: Connector, call: Call) -> Pinned | None:
        """Where to connect to; None, and a line in the log, where that is not allowed."""
        at = await reached(connector.address, local=connector.local)
        if at is None:
            logger.error("connector address is not public", extra={"action": call.action})
        return at

    def _headers(self, connector: Connector, call: Call) -> dict[str, str] | None:
        """The headers of a call; None where its secret is named but not there: nothing goes out unauthorised."""
        headers = {"Idempotency-Key": call.once_per or call.id, "Accept": "application/json"}
        if connector.secret:
            secret = self._secrets.get(connector.secret)
            if secret is None or not secret.get_secret_value():
                logger.error("connector's secret is not set", extra={"action": call.action})
                return None
            headers["Authorization"] = f"Bearer {secret.get_secret_value()}"
        return headers


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The whole answer, unpacked, read only as far as it may be long. Raises ValueError for a longer one."""
    body = bytearray()
    async for piece in response.content.iter_chunked(8192):
        body += piece
        if len(body) > MAX_ANSWER:
            raise ValueError("answer too large")
    return bytes(body)


def _filled(path: str, sent: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path with its {fields} put in, escaped, and the fields that are left."""
    rest = dict(sent)
    for field in list(sent):
        mark = "{" + field + "}"
        if mark in path:
            path = path.replace(mark, quote(str(rest.pop(field)), safe=""))
    return path, rest


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | float | bool | None) else str(value)
        for name, value in fields.items()
    }


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items()}


def _result(status: int, body: bytes, action: Action) -> CallResult:
    if status == 404:
        return CallResult("not_found")
    if 400 <= status < 500 and status not in PASSING:
        return CallResult("refused")
    if not 200 <= status < 300:
        return CallResult("failed")
    try:
        answer = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return CallResult("failed")
    if not isinstance(answer, dict):
        return CallResult("failed")
    return CallResult("ok", _received(answer, action))


def _received(answer: Mapping[str, Any], action: Action) -> dict[str, Any]:
    """The declared fields of an answer, within bounds."""
    return {field: _kept(answer[field]) for field in action.receive if answer.get(field) is not None}


def _kept(value: Any) -> Any:
    """A value of bounded size: texts of 1 KiB, lists of 50 rows (decisions.md 11)."""
    if isinstance(value, str):
        return value[:MAX_VALUE]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_kept(one) for one in value[:MAX_ROWS]]
    if isinstance(value, dict):
        return {
            str(name)[:64]: _kept(one)
            for name, one in list(value.items())[:MAX_ROWS]
            if not isinstance(one, dict | list)
        }
    return None
