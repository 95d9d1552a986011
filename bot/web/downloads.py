"""`/exports/{token}`: the page of a link to somebody's own copy, and with the code sent in the chat the one download (GDPR art. 15, 20).

A GET shows the same page for every link, so that scanners and previews change nothing and nobody learns which links exist. No script,
cookie or third-party request; nothing is kept by browsers or proxies.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol
from urllib.parse import parse_qs

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape

from bot.domain.errors import RetryLater
from bot.privacy.msgid import N_

BODY_MOST = 1024
PART = 64 * 1024
"""Bytes written at once, so that a connection that ended is noticed."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})
_PAGES = Environment(loader=PackageLoader("bot.web", "templates"), autoescape=select_autoescape(default=True))

TITLE = N_("Your data")
ASK = N_("Enter the code of six digits that you got in the chat. The link works once; then the copy is deleted here.")
CODE = N_("Code")
FETCH = N_("Download my data")
WRONG = N_(
    "That did not work. The code may be wrong, or the link is over: it works once, for 72 hours, and for five tries. "
    "Write MY DATA in the chat to get a new one."
)
LATER = N_("This is not possible just now. Please try again in a minute.")

Translate = Callable[[str, str], str]
"""(text, language) to the text in it."""


class Files(Protocol):
    """Where the copies lie."""

    async def fetch(self, token: str, code: str) -> bytes | None:
        """The ZIP file, once. Raises `RetryLater`."""

    async def handed_over(self, token: str) -> None:
        """The file went out to its last byte. Raises `RetryLater`."""

    async def broke_off(self, token: str) -> None:
        """The connection ended before that: the file may be fetched once more, soon. Raises `RetryLater`."""


def download_routes(files: Files, translate: Translate, languages: Sequence[str]) -> list[web.RouteDef]:
    """The routes; `languages` are those offered, the business's own first."""

    def page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
        language = _wanted(request, languages)
        texts = {
            name: translate(text, language)
            for name, text in {"title": TITLE, "ask": ASK, "code": CODE, "fetch": FETCH, "problem": problem}.items()
            if text
        }
        direction = "rtl" if language.split("-", maxsplit=1)[0] in _RIGHT_TO_LEFT else "ltr"
        body = _PAGES.get_template("download.html").render(texts=texts, language=language, direction=direction)
        return web.Response(status=status, text=body, content_type="text/html", headers=_HEADERS)

    async def show(request: web.Request) -> web.Response:
        return page(request)

    async def fetch(request: web.Request) -> web.StreamResponse:
        if (request.content_length or 0) > BODY_MOST:
            return page(request, 413, WRONG)
        try:
            fields = parse_qs((await request.content.read(BODY_MOST)).decode("ascii"), max_num_fields=5)
        except ValueError:
            return page(request, 400, WRONG)
        code = "".join(one for one in fields.get("code", [""])[0] if one.isdigit())
        try:
            found = await files.fetch(request.match_info["token"], code) if len(code) == 6 else None
        except RetryLater:
            return page(request, 503, LATER)
        if found is None:
            return page(request, 403, WRONG)
        return await _handed(request, files, found)

    path = "/exports/{token:[0-9a-f]{32}}"
    return [web.get(path, show), web.post(path, fetch)]


async def _handed(request: web.Request, files: Files, document: bytes) -> web.StreamResponse:
    """Sends the file, and says whether all of it went out; what cannot be said now ends by its time."""
    named = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Content-Type": "application/zip"}
    answer, token = web.StreamResponse(headers=_HEADERS | named), request.match_info["token"]
    answer.content_length = len(document)
    try:
        await answer.prepare(request)
        for start in range(0, len(document), PART):
            await answer.write(document[start : start + PART])
        await answer.write_eof()
    except (ConnectionError, asyncio.CancelledError):
        with suppress(RetryLater):
            await asyncio.shield(files.broke_off(token))
        raise
    with suppress(RetryLater):
        await files.handed_over(token)
    return answer


def _wanted(request: web.Request, languages: Sequence[str]) -> str:
    """The offered language that the browser likes best, in the order it names them, or the business's own."""
    for part in request.headers.get("Accept-Language", "")[:200].split(","):
        tag = part.split(";", maxsplit=1)[0].strip().casefold()
        for offered in languages:
            if tag and tag.split("-", maxsplit=1)[0] == offered.casefold().split("-", maxsplit=1)[0]:
                return offered
    return languages[0]
