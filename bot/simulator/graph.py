"""The Graph API's half of the stand-in: token, version, recording of each call, and sending messages.

Paths and answers: Meta: cloud-api/reference/messages. Media and account paths are in `graph_objects`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from bot.simulator.acceptance import accept, mark_read
from bot.simulator.errors import GraphError
from bot.simulator.faults import Fault
from bot.simulator.ids import trace_id
from bot.simulator.outgoing import ReadMark, read_body
from bot.simulator.statuses import Statuses
from bot.simulator.world import Call, World


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to the Graph API after version and token were checked."""

    request: web.Request
    node: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON, nothing but a status (`body` None), or a connection that is cut (`status` 0)."""

    status: int
    body: object = None
    fault: str = ""


Handler = Callable[[Asked], Awaitable[Reply]]


@dataclass(slots=True)
class GraphApi:
    """Answers the Graph API's paths for one business number."""

    world: World
    statuses: Statuses
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def guarded(
        self, handler: Handler, *, json_body: bool = True
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler behind token and version checks; each call and its answer is recorded."""

        async def answer(request: web.Request) -> web.StreamResponse:
            body: dict[str, object] = {}
            try:
                self._check(request)
                if json_body and request.can_read_body:
                    body = await _json(request)
                reply = await handler(Asked(request, request.match_info.get("node", ""), body))
            except GraphError as error:
                reply = Reply(error.http, error.answer(trace_id(self.world.random)))
            self._record(request, body or None, reply)
            return self._respond(request, reply)

        return answer

    async def messages(self, asked: Asked) -> Reply:
        """`POST /{phone_number_id}/messages`: a message, or a read mark."""
        self.own_number(asked.node)
        if "status" in asked.body:
            mark = read_body(asked.body, self.world)
            return Reply(200, mark_read(self.world, mark) if isinstance(mark, ReadMark) else None)
        fault = self.world.faults.take(self._aimed_at(asked.body))
        if fault is not None and fault.refuses:
            return await self._refuse(fault)
        message = read_body(asked.body, self.world)
        if isinstance(message, ReadMark):
            raise GraphError(100, "A read mark has a status")
        accepted = accept(self.world, self.statuses, message, dict(asked.body), fault)
        return await self._accepted(accepted, fault)

    def own_number(self, node: str) -> None:
        """Raises GraphError 33 unless the path names the business's number."""
        if node != self.world.settings.phone_number_id:
            raise GraphError(
                33, "Unsupported request: there is no phone number with this id, or the token may not use it"
            )

    async def pause(self, seconds: float) -> None:
        """Waits, but not longer than the simulator lives."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    def _check(self, request: web.Request) -> None:
        check_token(self.world, request)
        version = request.match_info.get("version")
        if version is not None and version not in self.world.settings.graph_versions:
            raise GraphError(100, f"Unknown path components: {version} is not a supported version of the Graph API")

    def _aimed_at(self, body: Mapping[str, object]) -> str:
        to, recipient = body.get("to"), body.get("recipient")
        person = self.world.at(to if isinstance(to, str) else None, recipient if isinstance(recipient, str) else None)
        return person.key if person else ""

    async def _refuse(self, fault: Fault) -> Reply:
        if fault.kind == "error":
            error = GraphError(fault.code, fault.details)
            return Reply(error.http, error.answer(trace_id(self.world.random)), fault.kind)
        if fault.kind == "http":
            return Reply(fault.http, None, fault.kind)
        if fault.kind == "hang":
            await self.pause(fault.seconds)
        return Reply(0, None, fault.kind)

    async def _accepted(self, answer: dict[str, object], fault: Fault | None) -> Reply:
        if fault is None or fault.kind == "failed_status":
            return Reply(200, answer, fault.kind if fault else "")
        if fault.kind == "accepted_http":
            return Reply(fault.http, None, fault.kind)
        if fault.kind != "accepted_drop":
            await self.pause(fault.seconds)
        return Reply(200 if fault.kind == "slow" else 0, answer, fault.kind)

    def _record(self, request: web.Request, body: dict[str, object] | None, reply: Reply) -> None:
        calls = self.world.calls
        call = Call(
            len(calls) + 1,
            self.world.clock(),
            request.method,
            request.path,
            body,
            reply.status,
            reply.body,
            reply.fault,
        )
        calls.append(call)
        self.world.feed.tell({"type": "call", "number": call.number})

    @staticmethod
    def _respond(request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.status == 0:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # never leaves: the connection is gone
        if reply.body is None:
            return web.Response(status=reply.status)
        return web.json_response(reply.body, status=reply.status)


def check_token(world: World, request: web.Request) -> None:
    """Raises GraphError 0 without a bearer token, 190 for a wrong or expired one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(0, "An access token is required to request this resource")
    if world.token_expired or token.strip() != world.settings.access_token:
        raise GraphError(190, "Error validating access token: the token is wrong or has expired")


async def _json(request: web.Request) -> dict[str, object]:
    try:
        found = json.loads(await request.read())
    except ValueError:
        raise GraphError(100, "The request body is not valid JSON") from None
    if not isinstance(found, dict):
        raise GraphError(100, "The request body must be a JSON object")
    return found
