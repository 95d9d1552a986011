"""The website's sign-up form: `GET /opt-in`, `POST /opt-in` and `GET /opt-in/widget.js`, which shows the form inside another page.

Only the POST changes anything, so link scanners and previews do nothing. No cookie, no third party; the form works without script.
Every number gets the same answer, and what follows happens after it (privacy.md T18). What becomes of a sign-up is not known here.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape

from bot.domain.errors import RetryLater
from bot.privacy.crypto import random_token
from bot.privacy.opt_in import NOTHING_FILLED, Filled, Form, Problem, client_group, read, read_token

BODY_MOST = 8 * 1024
"""Bytes a sent form may have; a real one has a few hundred."""

AGAIN_AFTER = 600
"""Seconds after which whoever sent too many forms may try again."""

WIDGET_KEPT = 3600
"""Seconds a browser may keep the widget's script."""

_PAGES = Environment(
    loader=PackageLoader("bot.web", "templates"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})


class SignUps(Protocol):
    """What the form hands on."""

    async def within_pace(self, client: str) -> bool:
        """Counts one more form of this client; False when that is too many. Raises `RetryLater`."""

    async def take(self, form: Form, filled: Filled, token: str, source: str) -> None:
        """Takes a filled form without problems in; the same token and number make one request. Raises `RetryLater`."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the form stands.

    Attributes:
        public_url: how the outside reaches it; empty where only the request itself tells.
        origins: sites that may show the form inside their pages, as `https://shop.example`.
        proxies: how many proxies of our own stand before us, each adding one address to `X-Forwarded-For`.
        names: language tag to the language's own name.
    """

    public_url: str = ""
    origins: tuple[str, ...] = ()
    proxies: int = 0
    names: Mapping[str, str] | None = None


class OptInPages:
    """The three routes, for forms rendered at start."""

    def __init__(self, forms: Mapping[str, Form], default: str, sign_ups: SignUps, site: Site) -> None:
        self._forms = forms
        self._default = default
        self._sign_ups = sign_ups
        self._site = site
        self._style = _file("form.css")
        digest = base64.b64encode(sha256(self._style.encode()).digest()).decode()
        frames = " ".join(("'self'", *site.origins))
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {frames}",
            # Not `no-referrer`: browsers would then send the form with `Origin: null`.
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Cache-Control": "no-store",
            "Vary": "Accept-Language, Origin",
        }
        self._widget = _file("widget.js").replace('"__STYLE__"', json.dumps(self._style))

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/opt-in", self._show),
            web.post("/opt-in", self._take),
            web.get("/opt-in/widget.js", self._script),
        ]

    # -- GET -----------------------------------------------------------------------------------------------------------

    async def _show(self, request: web.Request) -> web.Response:
        form = self._forms[self._language(request, request.query.get("lang", ""))]
        return self._answer(request, form, sent="sent" in request.query)

    async def _script(self, _: web.Request) -> web.Response:
        headers = {
            "Cache-Control": f"public, max-age={WIDGET_KEPT}", "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }  # fmt: skip
        return web.Response(text=self._widget, content_type="text/javascript", charset="utf-8", headers=headers)

    def _language(self, request: web.Request, wanted: str) -> str:
        """The language asked for, else the first one the browser names that we offer, else the business's own."""
        accepted = request.headers.get("Accept-Language", "")[:256].split(",")
        for tag in (wanted, *(one.partition(";")[0].strip() for one in accepted)):
            for offered in self._forms:
                if tag and tag.casefold() == offered.casefold():
                    return offered
            base = tag.partition("-")[0].casefold()
            for offered in self._forms:
                if base and base == offered.partition("-")[0].casefold():
                    return offered
        return self._default

    # -- POST ----------------------------------------------------------------------------------------------------------

    async def _take(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return self._refused(415, "Please send the form as application/x-www-form-urlencoded.")
        if not self._may_post(request):
            return self._refused(403, "This site may not send the form; name it in RECADO_WEB__ORIGINS.")
        fields = await _fields(request)
        if fields is None:
            return self._refused(413, "This is more than the form sends.")
        form = self._forms[self._language(request, next(iter(fields.get("lang", ())), ""))]
        filled, token = read(form, fields), read_token(fields)
        if not filled.problems and not token:
            filled = Filled(filled.typed, (), None, (Problem("", form.texts["changed"]),))
        if filled.problems:
            return self._answer(request, form, filled, status=422)
        try:
            if not await self._sign_ups.within_pace(self._client(request)):
                slower = Filled(filled.typed, filled.ticked, None, (Problem("", form.texts["too_often"]),))
                return self._answer(request, form, slower, status=429)
            await self._sign_ups.take(form, filled, token, self._source(request))
        except RetryLater:
            later = Filled(filled.typed, filled.ticked, None, (Problem("", form.texts["not_now"]),))
            return self._answer(request, form, later, status=503, token=token)
        query = {"sent": "1", "lang": form.language} | ({"part": "form"} if _part(request) else {})
        # The same for every number; and a reload sends nothing again.
        headers = {
            **self._cross_origin(request),
            "Location": f"/opt-in?{urlencode(query)}",
            "Cache-Control": "no-store",
        }
        return web.Response(status=303, headers=headers)

    def _may_post(self, request: web.Request) -> bool:
        """Whether the form was sent by our page, by a site that may embed it, or by no browser at all.

        There is no session to ride on; this keeps other pages from spending their visitors' addresses (W3C: Fetch Metadata).
        """
        if request.headers.get("Sec-Fetch-Site") == "same-origin":
            return True
        origin = request.headers.get("Origin")
        return origin is None or self._is_own(request, origin) or origin in self._site.origins

    def _is_own(self, request: web.Request, origin: str) -> bool:
        """By host alone: a proxy before us may have taken TLS off."""
        host = urlsplit(origin).netloc
        return bool(host) and host in (request.host, urlsplit(self._site.public_url).netloc)

    def _source(self, request: web.Request) -> str:
        """Only sites that the operator named stand in the evidence: what a page calls itself may hold anything."""
        origin = request.headers.get("Origin", "")
        return f"website {origin}" if origin in self._site.origins else "website"

    def _client(self, request: web.Request) -> str:
        """The address that spoke to the outermost proxy of ours; what came before it anybody can invent."""
        forwarded = [one.strip() for one in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        proxies = self._site.proxies
        if 0 < proxies <= len(forwarded) and client_group(forwarded[-proxies]):
            return client_group(forwarded[-proxies])
        return client_group(request.remote or "")

    # -- answers -------------------------------------------------------------------------------------------------------

    def _answer(
        self,
        request: web.Request,
        form: Form,
        filled: Filled = NOTHING_FILLED,
        *,
        status: int = 200,
        sent: bool = False,
        token: str = "",
    ) -> web.Response:
        """The page, or only its form for the widget."""
        part = _part(request)
        values = {
            "form": form, "filled": filled, "sent": sent, "token": token or random_token(), "part": part, "style": self._style,
            "others": [(tag, (self._site.names or {}).get(tag, tag)) for tag in self._forms if tag != form.language],
            "direction": "rtl" if form.language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
        }  # fmt: skip
        text = _PAGES.get_template("form_part.html" if part else "form.html").render(values)
        headers = {**self._headers, **self._cross_origin(request), "Content-Language": form.language}
        if status in (429, 503):
            headers["Retry-After"] = str(AGAIN_AFTER if status == 429 else 30)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    def _cross_origin(self, request: web.Request) -> dict[str, str]:
        """Reading the answers is for the named sites alone, and never with credentials (Fetch: CORS protocol)."""
        origin = request.headers.get("Origin", "")
        if origin in self._site.origins:
            return {"Access-Control-Allow-Origin": origin}
        return {"Cross-Origin-Resource-Policy": "same-origin"}

    def _refused(self, status: int, words: str) -> web.Response:
        return web.Response(status=status, text=f"{words}\n", headers=self._headers)


def _part(request: web.Request) -> bool:
    return request.query.get("part") == "form"


async def _fields(request: web.Request) -> Mapping[str, Sequence[str]] | None:
    """The fields of a sent form, or None when it is too long or no UTF-8."""
    if (request.content_length or 0) > BODY_MOST:
        return None
    body = b""
    async for chunk in request.content.iter_chunked(BODY_MOST):
        body += chunk
        if len(body) > BODY_MOST:
            return None
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=64, errors="strict")
    except ValueError:
        return None


def _file(name: str) -> str:
    return resources.files("bot.web").joinpath("templates", name).read_text(encoding="utf-8")
