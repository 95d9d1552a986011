"""The full privacy notice as a page, current and in every past version, without script, cookie or third-party request."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape

from bot.privacy.notice import Notice

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})

Past = Callable[[str], Awaitable[Notice | None]]

_PAGES = Environment(loader=PackageLoader("bot.web", "templates"), autoescape=select_autoescape(default=True))


def page(notice: Notice) -> str:
    """The notice as HTML; every text of business.yaml is escaped."""
    base = notice.language.split("-", maxsplit=1)[0]
    return _PAGES.get_template("notice.html").render(
        notice=notice, direction="rtl" if base in _RIGHT_TO_LEFT else "ltr"
    )


def notice_routes(current: Mapping[str, Notice], past: Past) -> list[web.RouteDef]:
    """`GET /privacy/{lang}` and `GET /privacy/{lang}/{hash}`; `past` finds a stored version by its hash."""
    folded = {tag.casefold(): notice for tag, notice in current.items()}

    async def show(request: web.Request) -> web.Response:
        return _answer(folded.get(request.match_info["lang"].casefold()))

    async def show_past(request: web.Request) -> web.Response:
        notice = await past(request.match_info["hash"].lower())
        # Language tags are the same in any case (RFC 5646, 2.1.1).
        fits = notice is not None and notice.language.casefold() == request.match_info["lang"].casefold()
        return _answer(notice if fits else None)

    return [
        web.get("/privacy/{lang:[A-Za-z-]{2,10}}", show),
        web.get("/privacy/{lang:[A-Za-z-]{2,10}}/{hash:[0-9A-Fa-f]{32}}", show_past),
    ]


def _answer(notice: Notice | None) -> web.Response:
    if notice is None:
        return web.Response(status=404, text="There is no such notice.\n", headers=_HEADERS)
    return web.Response(text=page(notice), content_type="text/html", headers=_HEADERS)
