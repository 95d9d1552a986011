"""Pages: templates, the reader's language, and the headers every answer bears. No script but ours, nothing from another host."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import resources
from typing import Any, Protocol

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.console.parts import LANGUAGES, Parts
from bot.handoff.roles import Action, Staff, may
from bot.handoff.ticket import pseudonym
from bot.handoff.values import Session

STATIC = "/console/static/"
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


class Reader(Protocol):
    """Whom a page is rendered for."""

    request: web.Request
    session: Session | None
    language: str
    nonce: str

    @property
    def staff(self) -> Staff: ...


class Pages:
    """Renders; decides nothing about who may see what."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._templates = Environment(
            loader=PackageLoader("bot.console", "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.globals["static"] = lambda name: STATIC + name
        self._templates.globals["pseudonym"] = pseudonym
        self._files = {
            one.name: one.read_bytes() for one in resources.files("bot.console").joinpath("static").iterdir()
        }

    def language(self, request: web.Request, staff: Staff | None) -> str:
        """The account's own, else the first one the browser names that we have, else English."""
        named = [staff.language] if staff and staff.language else []
        accepted = [
            one.partition(";")[0].strip() for one in request.headers.get("Accept-Language", "")[:200].split(",")
        ]
        for tag in [*named, *accepted]:
            base = tag.partition("-")[0].casefold()
            if base in LANGUAGES:
                return base
        return "en"

    def answer(self, asked: Reader, template: str, status: int, values: Mapping[str, Any]) -> web.Response:
        return web.Response(
            status=status, text=self.render(asked, template, values), content_type="text/html", charset="utf-8"
        )

    def render(self, asked: Reader, template: str, values: Mapping[str, Any]) -> str:
        language, words, parts = asked.language, self._parts.words, self._parts
        show = partial(_shown, words.show, language, parts.business.time_zone)

        def translated(text: str, **given: Any) -> str:
            return filled(words.translate(text, language), given)

        common = {
            "_": translated, "show": show, "language": language, "languages": LANGUAGES,
            "direction": "rtl" if language in _RIGHT_TO_LEFT else "ltr", "nonce": asked.nonce, "staff": asked.staff,
            "csrf": asked.session.csrf if asked.session else "", "business": parts.business, "now": parts.clock.now(),
            "may": lambda action: may(asked.staff, Action(action)), "demo": parts.site.demo, "path": asked.request.path,
            "json": _as_json, "iso": _iso,
        }  # fmt: skip
        return self._templates.get_template(template).render({**common, **values})

    async def static(self, request: web.Request) -> web.Response:
        """A file of the console's own."""
        name = request.match_info["name"]
        content = self._files.get(name)
        if content is None:
            raise web.HTTPNotFound
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        answer = web.Response(body=content, content_type=kind, charset="utf-8")
        self.secure(answer, "")
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    def secure(self, answer: web.StreamResponse, nonce: str) -> None:
        """Sets what browsers obey: scripts by nonce, everything else from here alone (OWASP ASVS 3.4; privacy.md A7)."""
        scripts = f"'nonce-{nonce}'" if nonce else "'none'"
        answer.headers.update(HEADERS)
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
        )
        if not self._parts.site.demo:
            answer.headers["Strict-Transport-Security"] = "max-age=31536000"


def filled(text: str, given: Mapping[str, Any]) -> str:
    """The text with `{name}` replaced; markup in a value stays text."""
    if any(isinstance(value, Markup) for value in given.values()):
        escaped = str(Markup.escape(text))
        for name, value in given.items():
            escaped = escaped.replace(f"{{{name}}}", str(Markup.escape(value)))
        return Markup(escaped)  # noqa: S704 - every part was escaped above
    for name, value in given.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _shown(show: Callable[..., str], language: str, zone: str, value: Any, how: str = "") -> str:
    if isinstance(value, timedelta):
        return length(value)
    return show(value, how, language, zone)


def length(value: timedelta) -> str:
    """`2 d 3 h`, `3 h 5 min`, `4 min`: short, and the same in all our languages."""
    minutes = max(int(value.total_seconds() // 60), 0)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {left} min" if hours else f"{left} min"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""


def _as_json(value: Any) -> Markup:
    """Data for a script, in an attribute or a data block: no character of it can end its place."""
    text = json.dumps(value, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704 - no character of HTML is left in it
