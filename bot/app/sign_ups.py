"""Fills the web room's port `SignUps`, and renders the website's form in every offered language."""

from collections.abc import Callable, Mapping

from bot.app.rules import BusinessRules
from bot.domain.business import Business
from bot.domain.message import TemplateMessage
from bot.domain.opt_in import OptInRequest
from bot.i18n.catalog import Catalog
from bot.privacy import intents
from bot.privacy.keyring import Keyring
from bot.privacy.opt_in import EVERYBODY, PER_CLIENT, Filled, Form, confirmation, form
from bot.runtime.opting_in import OptingIn
from bot.runtime.ports import Clock
from bot.storage.opt_ins import MongoPace


class WebsiteSignUps:
    """Paces the form and turns a filled one into requests, one for each ticked box."""

    def __init__(self, opting_in: OptingIn, pace: MongoPace, keyring: Keyring, clock: Clock) -> None:
        self._opting_in = opting_in
        self._pace = pace
        self._keyring = keyring
        self._clock = clock

    async def within_pace(self, client: str) -> bool:
        """Both are counted always, so that neither answer takes another time than the other."""
        now = self._clock.now()
        own = await self._pace.within("client", client, PER_CLIENT, now)
        everybody = await self._pace.within("everybody", "", EVERYBODY, now)
        return own and everybody

    async def take(self, form: Form, filled: Filled, token: str, source: str) -> None:
        if filled.number is None:
            raise ValueError("a form with problems is not taken in")
        now = self._clock.now()
        requests = [
            OptInRequest(
                self._keyring.opt_in_id(token, filled.number, box.purpose), box.purpose, form.language, now, now + box.within,
                source, form.version, form.notice_hash, box.hash, wording=form.wording(box), label=box.label,
            )
            for box in form.boxes
            if box.purpose in filled.ticked
        ]  # fmt: skip
        await self._opting_in.ask(requests, filled.number)


def forms_of(business: Business, rules: BusinessRules, catalog: Catalog, *, public_url: str) -> Mapping[str, Form]:
    """The form in each offered language."""
    return {
        tag: form(
            business, notice, _translator(catalog, tag), stop_word=intents.stop_word(tag),
            link=f"{public_url.rstrip('/')}/privacy/{tag}/{notice.hash}",
        )
        for tag, notice in rules.notices.items()
    }  # fmt: skip


class ConfirmingWords:
    """The confirming message of a request with its exact words."""

    def __init__(self, business: Business, catalog: Catalog) -> None:
        self._business = business
        self._catalog = catalog

    def __call__(self, request: OptInRequest) -> tuple[TemplateMessage, str]:
        return confirmation(self._business, request, _translator(self._catalog, request.language))


def _translator(catalog: Catalog, language: str) -> Callable[[str], str]:
    return lambda text: catalog.translate(text, language)
