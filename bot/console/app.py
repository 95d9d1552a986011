"""The console as one web application below /console/: the table of its routes, each behind the guard."""

from aiohttp import web

from bot.console import chats, desks, login, person
from bot.console.access import BODY_MOST, Guard, Route
from bot.console.pages import Pages
from bot.console.parts import Parts
from bot.console.stream import Hub


def table(hub: Hub) -> list[Route]:
    """Every route there is; tests make the matrix of roles from it."""
    return [*login.routes(), *chats.routes(), *person.routes(), *desks.routes(), *hub.routes()]


def console(parts: Parts, hub: Hub) -> web.Application:
    """The application; `hub` is run by the caller."""
    pages = Pages(parts)
    guard = Guard(parts, pages)
    made = web.Application(client_max_size=BODY_MOST)
    for route in table(hub):
        made.router.add_route(route.method, route.path, guard.of(route))
    made.on_shutdown.append(hub.close)
    made.router.add_get("/static/{name}", pages.static)
    return made
