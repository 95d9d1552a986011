"""The door of the API: who asks, whether they may, how often, what they sent, whether it was done already; then the endpoint.

Everything is refused that is not understood. Nothing of a request's content, no number and no key ever stands in a log, in an address
line or in a problem. No other site's script gets an answer it could read: there is no CORS (privacy.md T12).
"""

import asyncio
import hmac
import json
import logging
import math
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.api import ports
from bot.api.endpoints import BASE, ENDPOINTS, Call, Endpoint, Reply
from bot.api.openapi import document
from bot.api.problems import CONTENT_TYPE, Problem
from bot.domain.errors import RetryLater
from bot.privacy.access import ApiKey, read_token

logger = logging.getLogger(__name__)

BODY_MOST = 64 * 1024
BODY_SECONDS = 10
"""How long a body may take to come: a system that is slower than that is none of ours."""

WAITS = 100
"""How often, 50 ms apart, the answer of the same request is looked for that another carries out."""

_ONCE = re.compile(r"[!-~]{8,200}")
_WHY = re.compile(r"[A-Za-z0-9 .,:;/_()-]{3,120}")
_TELLS_A_NUMBER = re.compile(r"\d{6}")
_HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """What stands before every endpoint."""

    do: ports.Operations
    keys: ports.Keys
    answers: ports.Answers
    log: ports.AccessLog
    hashes: ports.Hashes
    pace: ports.Pace
    clock: ports.Clock


def api_routes(door: Door) -> list[web.RouteDef]:
    """The table as routes, its description, and an answer for everything else below `BASE`."""
    described = document(version("recado"))

    def served(endpoint: Endpoint) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await _guarded(door, request, endpoint)

        return answer

    async def description(_: web.Request) -> web.StreamResponse:
        if not await _open(door):
            return _problem(Problem("not_found"))
        return web.json_response(described, headers=_HEADERS)

    async def nothing(request: web.Request) -> web.StreamResponse:
        known = any(re.fullmatch(_pattern(one), request.path) for one in ENDPOINTS)
        try:
            await _key(door, request)
        except Problem as problem:
            return _problem(problem)
        except RetryLater:
            return _problem(Problem("not_now"))
        return _problem(Problem("method_not_allowed" if known else "not_found"))

    # A HEAD would read personal data and answer without them.
    more = {"GET": {"allow_head": False}}
    routes = [web.route(one.method, BASE + _path(one), served(one), **more.get(one.method, {})) for one in ENDPOINTS]
    own = web.get(f"{BASE}/openapi.json", description, allow_head=False)
    return [*routes, own, web.route("*", BASE, nothing), web.route("*", BASE + "/{rest:.*}", nothing)]


def _path(one: Endpoint) -> str:
    path = one.path
    for name, pattern in one.variables.items():
        path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
    return path


def _pattern(one: Endpoint) -> str:
    path = BASE + one.path
    for name, pattern in one.variables.items():
        path = path.replace(f"{{{name}}}", pattern)
    return path


# -- one request ----------------------------------------------------------------------------------------------------------


async def _guarded(door: Door, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    """Whatever happens inside, the answer is one of ours."""
    try:
        return await _answered(door, request, endpoint)
    except Problem as problem:
        return _problem(problem)
    except RetryLater:
        return _problem(Problem("not_now"))
    except Exception as failure:  # noqa: BLE001 - no traceback: it may quote content
        logger.error("api call failed", extra={"endpoint": endpoint.name, "reason": type(failure).__name__})  # noqa: TRY400
        return _problem(Problem("failed"))


async def _answered(door: Door, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    key = await _key(door, request)
    if not await door.pace.within(key.id):
        raise Problem("too_many")
    if endpoint.scope not in key.scopes:
        raise Problem("forbidden", reason=endpoint.scope)
    why = _why(request) if endpoint.personal else ""
    query = _query(request, endpoint)
    if endpoint.method != "POST":
        return await _looked(door, endpoint, key, why, Call(request.match_info, query))
    once = _once(request)
    raw, plain = await _json(request)
    body = _read(endpoint, raw)
    slot = door.hashes.api_id("idempotency", key.id, once)
    same = door.hashes.api_id("body", endpoint.method, request.path, json.dumps(plain, sort_keys=True))
    call = Call(request.match_info, query, body, slot)
    if endpoint.changes:
        return await _once_only(door, endpoint, call, same)
    claim = await door.answers.claim(slot, same, door.clock.now())
    if claim.state == "other":
        raise Problem("key_reused")
    return await _looked(door, endpoint, key, why, call)


async def _looked(door: Door, endpoint: Endpoint, key: ApiKey, why: str, call: Call) -> web.StreamResponse:
    """Nothing personal leaves before the log has it (GDPR art. 5(2)); who tries numbers that nobody has stands there, too."""
    reply: Reply | None = None
    try:
        reply = await endpoint.handler(door.do, call)
        return _success(endpoint, reply)
    finally:
        subject, now = reply.subject if reply is not None else "", door.clock.now()
        await door.log.note(by=key.id, name=key.name, what=endpoint.name, why=why, subject=subject, now=now)


async def _once_only(door: Door, endpoint: Endpoint, call: Call, same: str) -> web.StreamResponse:
    """Carries it out, or answers as it was answered; whoever sends the same meanwhile waits for that answer."""
    claim = await door.answers.claim(call.once, same, door.clock.now())
    for _ in range(WAITS):
        if claim.state != "working":
            break
        await asyncio.sleep(0.05)
        claim = await door.answers.claim(call.once, same, door.clock.now())
    if claim.state == "other":
        raise Problem("key_reused")
    if claim.state == "working":
        raise Problem("in_progress")
    if claim.state == "done":
        return _json_answer(claim.status, dict(claim.answer))
    try:
        status, plain = await _carried_out(door, endpoint, call)
        await door.answers.keep(call.once, claim.token, status, plain)
    except BaseException:
        # Done or not, nobody knows; the same again does what is missing, because every event has this request's name.
        await door.answers.drop(call.once, claim.token)
        raise
    return _json_answer(status, plain)


async def _carried_out(door: Door, endpoint: Endpoint, call: Call) -> tuple[int, dict[str, Any]]:
    """Status and answer, a refusal as well as a success: both are kept."""
    try:
        reply = await endpoint.handler(door.do, call)
    except Problem as problem:
        return problem.status, problem.plain()
    if isinstance(reply.content, bytes):
        raise TypeError("what is answered as a file is read anew and never kept")
    return endpoint.status, reply.content.model_dump(mode="json")


# -- who asks, and what -----------------------------------------------------------------------------------------------------


async def _open(door: Door) -> bool:
    """Without a key that opens anything there is no API: nobody learns that there could be one."""
    return await door.keys.any_live(door.clock.now())


async def _key(door: Door, request: web.Request) -> ApiKey:
    """The key that came with the request. An unknown one and a wrong one take the same way and get the same answer."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    read = read_token(token.strip()) if scheme.lower() == "bearer" else None
    now = door.clock.now()
    found = await door.keys.find(read[0]) if read is not None else None
    stored = found.hash if found is not None else ""
    given = door.hashes.api_key_hash(*read) if read is not None else "-"
    if found is None or not hmac.compare_digest(stored, given) or not found.is_live(now):
        raise Problem("unauthorized" if await _open(door) else "not_found")
    if found.used_on != now.date():
        await door.keys.used(found.id, now.date())
    return found


def _why(request: web.Request) -> str:
    why = request.headers.get("X-Purpose", "")
    if not _WHY.fullmatch(why) or _TELLS_A_NUMBER.search(why):
        raise Problem("purpose_missing")
    return why


def _once(request: web.Request) -> str:
    once = request.headers.get("Idempotency-Key", "")
    if not _ONCE.fullmatch(once):
        raise Problem("key_missing")
    return once


def _query(request: web.Request, endpoint: Endpoint) -> dict[str, str]:
    """Known names with known values, each once: nothing else may stand in an address line, where others log it."""
    for name in request.query:
        values = request.query.getall(name)
        if len(values) != 1 or values[0] not in endpoint.query.get(name, ()):
            known = ", ".join(endpoint.query.get(name, ())) or "none"
            raise Problem(
                "invalid", detail=f"The query may hold {', '.join(endpoint.query) or 'nothing'}; values: {known}."
            )
    return dict(request.query)


async def _json(request: web.Request) -> tuple[bytes, Any]:
    """The body as it came and as data. Raises `Problem`."""
    if request.content_type != "application/json":
        raise Problem("not_json_type")
    if (request.content_length or 0) > BODY_MOST:
        raise Problem("too_large")
    raw = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(BODY_MOST):
                raw += chunk
                if len(raw) > BODY_MOST:
                    raise Problem("too_large")
        plain = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_number, parse_float=_finite
        )
        _text_only(plain)
    except TimeoutError:
        raise Problem("not_json") from None
    except (ValueError, RecursionError):
        raise Problem("not_json") from None
    return raw, plain


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one name are two opinions of what was sent."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("no number")
    return value


def _no_number(_: str) -> None:
    raise ValueError("no number")


def _text_only(plain: Any) -> None:
    """No control characters but line breaks and tabs, and nothing that is no Unicode: neither can be stored or sent."""
    if isinstance(plain, str):
        if any((ord(one) < 32 and one not in "\n\t") or 0xD800 <= ord(one) < 0xE000 for one in plain):
            raise ValueError("not text")
    elif isinstance(plain, dict):
        for name, value in plain.items():
            _text_only(name)
            _text_only(value)
    elif isinstance(plain, list):
        for value in plain:
            _text_only(value)


def _read(endpoint: Endpoint, raw: bytes) -> BaseModel | None:
    if endpoint.body is None:
        return None
    try:
        return endpoint.body.model_validate_json(raw)
    except ValidationError as problem:
        found = problem.errors(include_input=False, include_url=False, include_context=False)
        known = set(endpoint.body.model_fields)
        errors = [
            # A name that is not ours may be anything, so it is not said back.
            {"field": ".".join(str(part) for part in one["loc"] if isinstance(part, int) or part in known) or "body",
             "reason": one["msg"].removeprefix("Value error, ")}
            for one in found[:20]
        ]  # fmt: skip
        raise Problem("invalid", errors=errors) from None


# -- answers --------------------------------------------------------------------------------------------------------------


def _success(endpoint: Endpoint, reply: Reply) -> web.Response:
    if isinstance(reply.content, bytes):
        headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="data.zip"'}
        return web.Response(body=reply.content, content_type="application/zip", headers=headers)
    return _json_answer(endpoint.status, reply.content.model_dump(mode="json"))


def _json_answer(status: int, plain: dict[str, Any]) -> web.Response:
    if status >= 400:
        return _written(status, plain, CONTENT_TYPE)
    return _written(status, plain, "application/json")


def _problem(problem: Problem) -> web.Response:
    response = _written(problem.status, problem.plain(), CONTENT_TYPE)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.status in (409, 429, 503) and problem.code in ("in_progress", "too_many", "not_now"):
        response.headers["Retry-After"] = "60" if problem.code == "too_many" else "2"
    return response


def _written(status: int, plain: dict[str, Any], content_type: str) -> web.Response:
    body = f"{json.dumps(plain, ensure_ascii=False)}\n".encode()
    return web.Response(status=status, body=body, content_type=content_type, headers=_HEADERS)
