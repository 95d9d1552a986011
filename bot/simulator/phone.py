"""The phone page (`GET /phone/`) and the stream that keeps it live.

For browser tests the page carries `data-testid`: `phone` (with `data-person`), `bubble-in` (from the business) and
`bubble-out` (from the person), `quick-reply` (every tappable button of a bubble, also links and rows in an open list),
`list-open` and `list-sheet`, `composer` (text box), `send`, `attach`, `action` (buttons of the host, with `data-action`),
`person-select`, `person-add`, `menu`, `help`, `typing`, `tick` (`data-status`), `notice` (lines of the page itself).
Nothing is loaded from anywhere else; scripts and styles are files, so that the Content-Security-Policy needs no exception.
"""

import json
from pathlib import Path as File

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from bot.simulator.control_people import PATHS as PEOPLE_PATHS
from bot.simulator.control_platform import PATHS as PLATFORM_PATHS
from bot.simulator.faults import KINDS
from bot.simulator.routing import refuse_foreign_origin, routed
from bot.simulator.stage import Stage

HERE = File(__file__).parent
HEARTBEAT = 15.0
SHOWN_INLINE = ("image/jpeg", "image/png", "image/webp", "audio/", "video/")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class PhonePage:
    """Page, static files, media for the page, and the live stream."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "pages"), autoescape=select_autoescape(), enable_async=False
        )

    def routes(self) -> list[web.AbstractRouteDef]:
        """All paths of the page and of the control API."""
        return [
            web.get("/", self._home, allow_head=False),
            web.get("/phone", self._home, allow_head=False),
            web.get("/phone/", self._page, allow_head=False),
            web.get("/scenarios/", self._operator, allow_head=False),
            web.get("/phone/static/{name}", self._static, allow_head=False),
            web.get("/phone/media/{media}", self._media, allow_head=False),
            web.get("/control/", self._list, allow_head=False),
            web.get("/control/events", self._events, allow_head=False),
            *(routed(self._stage, path) for path in (*PEOPLE_PATHS, *PLATFORM_PATHS)),
        ]

    async def _home(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/phone/")

    async def _page(self, _: web.Request) -> web.StreamResponse:
        settings = self._stage.settings
        text = self._pages.get_template("phone.html").render(
            title=settings.title, intro=settings.intro, business=settings.verified_name
        )
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _operator(self, _: web.Request) -> web.StreamResponse:
        """Where an operator plays Meta by hand: scenarios, errors, statuses, templates, rating, token."""
        text = self._pages.get_template("scenarios.html").render(title=self._stage.settings.title, faults=KINDS)
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        """Only files that stand in the folder itself; the name never leaves it."""
        found = {file.name: file for file in (HERE / "static").iterdir()}.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[found.suffix]
        return web.Response(body=found.read_bytes(), headers=HEADERS | {"Content-Type": f"{kind}; charset=utf-8"})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        upload = self._stage.world.uploads_store.find(request.match_info["media"])
        if upload is None:
            raise web.HTTPNotFound
        inline = upload.mime_type.startswith(SHOWN_INLINE)
        kind = upload.mime_type if inline else "application/octet-stream"
        place = "inline" if inline else "attachment"
        return web.Response(body=upload.content, headers=HEADERS | {"Content-Type": kind, "Content-Disposition": place})

    async def _list(self, _: web.Request) -> web.StreamResponse:
        paths = [
            {"method": path.method, "path": path.path, "does": path.does, "takes": path.takes}
            for path in (*PEOPLE_PATHS, *PLATFORM_PATHS)
        ]
        stream = {
            "method": "GET",
            "path": "/control/events",
            "does": "Live stream: the whole state, then news.",
            "takes": "",
        }
        return web.json_response({"paths": [*paths, stream]})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: first `hello` with the state, then what changes; with `?person=` of one phone only."""
        refuse_foreign_origin(request)
        only = request.query.get("person")
        if only is not None and only not in self._stage.world.people:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        with self._stage.world.feed.subscribed() as news:
            await response.prepare(request)
            await _write(response, self._hello(only))
            while True:
                try:
                    item = await news.next(HEARTBEAT)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if item is None:
                    break
                if only is None or item.get("person") == only:
                    await _write(response, item)
        return response

    def _hello(self, only: str | None) -> dict[str, object]:
        world = self._stage.world
        chats = {key: chat for key, chat in world.chats.items() if only in {None, key}}
        return {
            "type": "hello",
            "people": [world.person_json(person) for person in world.people.values()],
            "chats": {key: [bubble.to_json() for bubble in chat.bubbles] for key, chat in chats.items()},
            "actions": [{"id": action.id, "label": action.label} for action in self._stage.actions.values()],
            "business": self._stage.settings.verified_name,
            "connected": world.courier.url is not None,
        }


async def _write(response: web.StreamResponse, item: dict[str, object]) -> None:
    await response.write(b"data: " + json.dumps(item).encode("utf-8") + b"\n\n")
