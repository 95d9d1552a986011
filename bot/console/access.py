"""Who gets in: one table of routes, each with the action it needs, and one guard that every request passes.

Deny by default: a route without a session is refused, a role without the action is refused, a chat out of reach does not exist.
What is refused looks the same whether it exists or not (OWASP ASVS V8; privacy.md A1, A2, A6, T18).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.console.pages import Pages
from bot.console.parts import Parts
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.handoff.roles import Action, Staff, may, reaches
from bot.handoff.ticket import Ticket
from bot.handoff.values import Looked, Session
from bot.privacy.crypto import constant_time_equal, random_token
from bot.privacy.msgid import N_

logger = logging.getLogger(__name__)

BODY_MOST = 64 * 1024
NOBODY = Staff("", "", "")

REFUSED = N_("You may not do this, or it does not exist.")
LATER = N_("This is not possible just now. Please try again in a minute.")
STALE = N_("This page was open for too long. Please reload it and try again.")


@dataclass(slots=True)
class Asked:
    """One request that was let in, with everything its handler may use.

    Attributes:
        ticket, talk: the chat the path names, where it names one; the guard has asked whether it is in reach.
        nonce: of this answer's scripts.
    """

    request: web.Request
    parts: Parts
    pages: Pages
    session: Session | None
    language: str
    nonce: str
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    found: Ticket | None = None
    talk: Conversation | None = None
    down: bool = False

    @property
    def staff(self) -> Staff:
        """The account; nobody's on public pages."""
        return self.session.staff if self.session is not None else NOBODY

    @property
    def ticket(self) -> Ticket:
        """The chat of the path. Only for routes that are declared with one."""
        if self.found is None:
            raise web.HTTPNotFound
        return self.found

    @property
    def wants_part(self) -> bool:
        """Whether the page's script asks, which puts the answer into the page itself."""
        return self.request.headers.get("X-Requested-With") == "recado"

    def may(self, action: Action) -> bool:
        return may(self.staff, action)

    async def log(self, action: str, *, what: str = "", why: str = "", person: str = "", ticket: str = "") -> None:
        """Puts a look or an act on record before it is answered. Raises `RetryLater`: then nothing is shown."""
        chat = self.found
        await self.parts.desks.log(
            Looked(
                self.parts.clock.now(), self.staff.id, action, person or (chat.person if chat else ""),
                ticket or (chat.id if chat else ""), why, what,
            )
        )  # fmt: skip

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """A page in the reader's language."""
        return self.pages.answer(self, template, status, values)

    def text(self, text: str) -> str:
        return self.parts.words.translate(text, self.language)


Handler = Callable[[Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    Attributes:
        action: what the role must hold; None for pages that anybody may open.
        writes: whether it changes something: then the sender is asked for its origin and its token.
    """

    method: str
    path: str
    action: Action | None
    handler: Handler

    @property
    def writes(self) -> bool:
        return self.method == "POST"

    @property
    def of_chat(self) -> bool:
        return "{ticket}" in self.path


class Guard:
    """Makes a handler of aiohttp of a line of the table. There is no other way in."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    def of(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            asked = await self._asked(request)
            try:
                refusal = await self._refusal(route, asked)
                answer = refusal if refusal is not None else await route.handler(asked)
            except RetryLater:
                answer = self._plain(asked, 503, LATER)
            except web.HTTPException as other:
                answer = self._plain(asked, other.status, REFUSED)
            except Exception as problem:  # noqa: BLE001 - a defect of one page is told without its content
                logger.error("page failed", extra={"kind": route.path, "reason": type(problem).__name__})  # noqa: TRY400
                answer = self._plain(asked, 500, LATER)
            if not answer.prepared:
                self._pages.secure(answer, asked.nonce)
            return answer

        return guarded

    async def _asked(self, request: web.Request) -> Asked:
        parts = self._parts
        token = request.cookies.get(parts.site.cookie, "")
        session, down = None, False
        try:
            session = await parts.sessions.find(token, parts.clock.now()) if token else None
        except RetryLater:
            down = True
        language = self._pages.language(request, session.staff if session else None)
        return Asked(request, parts, self._pages, session, language, random_token(), down=down)

    async def _refusal(self, route: Route, asked: Asked) -> web.StreamResponse | None:
        """What is answered instead; None lets the request through."""
        if asked.down:
            raise RetryLater("whether somebody is logged in cannot be read")
        if route.writes:
            asked.form = await self._form(asked.request)
        if route.action is None:
            return None if not route.writes or self._own_origin(asked) else self._plain(asked, 403, STALE)
        if asked.session is None:
            return self._to_log_in(asked)
        if route.writes and not self._own_form(asked):
            return self._plain(asked, 403, STALE)
        if not asked.may(route.action):
            return self._plain(asked, 403, REFUSED)
        await self._parts.sessions.touched(asked.session, self._parts.clock.now())
        if route.of_chat:
            await self._find_chat(asked)
        return None

    async def _find_chat(self, asked: Asked) -> None:
        """The chat of the path, if it is in reach. Raises `HTTPNotFound` alike for none and for one out of reach."""
        ticket = await self._parts.tickets.find(asked.request.match_info["ticket"])
        talk = await self._parts.facts.talk(ticket.person) if ticket is not None else None
        restricted = talk is not None and talk.restricted
        if ticket is None or not reaches(asked.staff, ticket.team, restricted=restricted):
            raise web.HTTPNotFound
        asked.found, asked.talk = ticket, talk

    @staticmethod
    async def _form(request: web.Request) -> Mapping[str, str]:
        if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            await request.read()  # else the connection ends with it, and the sender's next request too
            raise web.HTTPUnsupportedMediaType
        if (request.content_length or 0) > BODY_MOST:
            raise web.HTTPRequestEntityTooLarge(BODY_MOST, request.content_length or 0)
        try:
            sent = await request.post()
        except (ValueError, UnicodeDecodeError):
            raise web.HTTPBadRequest from None
        return {name: value for name, value in sent.items() if isinstance(value, str)}

    def _own_form(self, asked: Asked) -> bool:
        """Whether our own page sent it, with the token of this session (OWASP ASVS 3.5.1)."""
        session = asked.session
        given = asked.form.get("csrf", "")
        return (
            session is not None
            and self._own_origin(asked)
            and constant_time_equal(given.encode(), session.csrf.encode())
        )

    def _own_origin(self, asked: Asked) -> bool:
        """Browsers say where a form comes from; what says nothing is no browser of today (W3C: Fetch Metadata)."""
        headers = asked.request.headers
        if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("Origin")
        return (
            origin is None or urlsplit(origin).netloc == urlsplit(self._parts.site.place(asked.request).origin).netloc
        )

    def _to_log_in(self, asked: Asked) -> web.StreamResponse:
        if asked.wants_part or asked.request.method != "GET":
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="")
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/console/login"})

    @staticmethod
    def _plain(asked: Asked, status: int, text: str) -> web.Response:
        return asked.page("message.html", status, message=text)
