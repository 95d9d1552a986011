"""Everything the pages of the console work with, put together once by `bot.app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bot.console.passkeys import Place
from bot.console.ports import Accounts, Clock, Desks, Events, Facts, Pace, Sessions, Words
from bot.domain.business import Business
from bot.handoff.ports import Tickets
from bot.handoff.service import Handoffs
from bot.privacy.opt_in import client_group

LANGUAGES: Mapping[str, str] = {
    "en": "English", "pt": "Português", "es": "Español", "de": "Deutsch", "fr": "Français", "ar": "العربية",
}  # fmt: skip
"""Languages the console is offered in; what a catalog does not hold stands in English."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the console stands.

    Attributes:
        public_url: how browsers reach it; empty only in a demo, where the request tells.
        proxies: how many proxies of our own stand before it, each adding one address to `X-Forwarded-For`.
        demo: people try it out on one machine: a password is enough there, and plain http is.
    """

    public_url: str
    demo: bool
    proxies: int = 0

    def sender(self, request: web.Request) -> str:
        """The network that spoke to the outermost proxy of ours; what came before it anybody can invent."""
        forwarded = [one.strip() for one in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        if 0 < self.proxies <= len(forwarded) and client_group(forwarded[-self.proxies]):
            return client_group(forwarded[-self.proxies])
        return client_group(request.remote or "")

    def place(self, request: web.Request) -> Place:
        origin = (
            self.public_url.rstrip("/") if self.public_url and not self.demo else f"{request.scheme}://{request.host}"
        )
        host = origin.partition("://")[2]
        return Place(origin, host.rpartition(":")[0] if ":" in host else host)

    @property
    def cookie(self) -> str:
        """`__Host-` binds the cookie to this host over TLS (RFC 6265bis); a demo over http cannot have one everywhere."""
        return "recado-demo" if self.demo else "__Host-recado"


@dataclass(frozen=True, slots=True)
class Parts:
    """The rooms the console's handlers use.

    Attributes:
        is_open: whether a team is at work now.
        consent_flows: purpose to the flow that asks for its consent.
        looked: (session, chat) to when that look was put on record.
    """

    business: Business
    site: Site
    accounts: Accounts
    sessions: Sessions
    desks: Desks
    events: Events
    tickets: Tickets
    handoffs: Handoffs
    facts: Facts
    pace: Pace
    words: Words
    clock: Clock
    is_open: Callable[[str], bool] = lambda _: False
    consent_flows: Mapping[str, str] = field(default_factory=dict)
    looked: dict[tuple[str, str], datetime] = field(default_factory=dict, repr=False)
