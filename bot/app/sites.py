"""The sites a bot serves: the public one with the console below it, and the operators' with health and metrics."""

from contextlib import AsyncExitStack

from aiohttp import web

from bot.app.keeping import KeyFollower
from bot.domain.errors import SettingsProblem
from bot.observability import health
from bot.observability.metrics import Registry
from bot.storage.mongo import Mongo


async def listen(
    stack: AsyncExitStack,
    routes: list[web.RouteDef],
    host: str,
    port: int,
    *,
    console: web.Application | None = None,
    shared: bool = False,
    within: float,
) -> int:
    """Serves routes until the stack is left; returns the port, which may have been chosen by the system.

    Requests under way when it is left have `within` seconds to end. Raises `SettingsProblem` for a port that is taken.
    """
    application = web.Application(client_max_size=4 * 1024 * 1024)
    application.on_response_prepare.append(_unnamed)
    application.add_routes(routes)
    if console is not None:
        application.add_subapp("/console/", console)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=within)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, host, port, reuse_port=shared or None)
    try:
        await site.start()
    except OSError:
        raise SettingsProblem(
            f"Port {port} on {host} is taken; set RECADO_WEB__PORT or RECADO_ADMIN__PORT to another."
        ) from None
    return int(runner.addresses[0][1])


async def _unnamed(_: web.Request, response: web.StreamResponse) -> None:
    """Which program in which version answers is nobody's business (OWASP ASVS: no disclosure of versions)."""
    response.headers.pop("Server", None)


def admin_routes(mongo: Mongo, registry: Registry, keys: KeyFollower) -> list[web.RouteDef]:
    """Liveness, readiness and metrics, for operators only."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        found = await health.look({"database": lambda: _answers(mongo), "keys": keys.answers})
        return web.json_response(found.plain(), status=found.status)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=registry.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]


async def _answers(mongo: Mongo) -> str:
    await mongo.ping()
    return ""
