"""How a path of the control API is declared and answered: JSON in, JSON out, errors as `{"error": "…"}`."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.simulator.asking import Ask
from bot.simulator.errors import GraphError, SimulatorError
from bot.simulator.stage import Stage

Handler = Callable[[Stage, web.Request, Ask], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Path:
    """One path: `does` is the line that `GET /control/` shows, `takes` names the keys of the body."""

    method: str
    path: str
    does: str
    handler: Handler
    takes: str = ""


def routed(stage: Stage, path: Path) -> web.RouteDef:
    """The path as aiohttp wants it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            refuse_foreign_origin(request)
            ask = Ask(await _body(request))
            found = await path.handler(stage, request, ask)
            ask.done()
        except SimulatorError as error:
            return web.json_response({"error": str(error)}, status=400)
        except GraphError as error:
            return web.json_response({"error": error.details}, status=400)
        return web.json_response(found)

    return web.route(path.method, path.path, answer)


def refuse_foreign_origin(request: web.Request) -> None:
    """Raises HTTPForbidden when a browser sends this from another site: no web page may drive somebody's simulator."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.split("://")[-1] != request.host:
        raise web.HTTPForbidden(text="The control API is not for other sites.")


async def _body(request: web.Request) -> dict[str, object]:
    if request.method in {"GET", "DELETE"}:
        return {}
    if request.content_type != "application/json":
        raise SimulatorError("the body must be sent as application/json")
    try:
        found = json.loads(await request.read())
    except ValueError:
        raise SimulatorError("the body is not valid JSON") from None
    if not isinstance(found, dict):
        raise SimulatorError("the body must be a JSON object")
    return found
