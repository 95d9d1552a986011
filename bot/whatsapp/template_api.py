"""The calls about templates: list, create, edit. Sends nothing to anybody (Meta: message-templates)."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bot.domain.errors import RecadoError
from bot.whatsapp import fields
from bot.whatsapp.graph import Answer, Graph
from bot.whatsapp.templates import Key, Listed, listed_in

PAGES = 100
ON_A_PAGE = 100
_FIELDS = "name,language,status,category,components,rejected_reason,quality_score"


class NotDone(RecadoError):
    """Meta did not do it; the text says why in Meta's words as far as they are about templates."""


class TemplateApi:
    """The templates of one business account."""

    def __init__(self, graph: Graph, business: str) -> None:
        self._graph = graph
        self._business = quote(business, safe="")

    async def every(self) -> dict[Key, Listed]:
        """All templates at Meta. Raises `NotDone` when Meta does not tell."""
        found: dict[Key, Listed] = {}
        after = ""
        for _ in range(PAGES):
            query = {"fields": _FIELDS, "limit": str(ON_A_PAGE), **({"after": after} if after else {})}
            answer = await self._graph.request("GET", f"{self._business}/message_templates?{urlencode(query)}")
            page = _object(answer, "list the templates")
            found.update(_rows(page))
            following = fields.text(fields.part(page.get("paging")).get("next"), 4096)
            after = next(iter(parse_qs(urlsplit(following).query).get("after", [])), "")
            if not after:
                break
        return found

    async def create(self, body: Mapping[str, Any]) -> str:
        """Asks for a new template; returns the status it now has. Raises `NotDone`."""
        answer = await self._graph.request("POST", f"{self._business}/message_templates", body)
        return fields.text(_object(answer, "create the template").get("status"), 32).upper()

    async def edit(self, template: str, body: Mapping[str, Any]) -> None:
        """Changes a template, which Meta then reviews anew. Raises `NotDone`."""
        _object(await self._graph.request("POST", quote(template, safe=""), body), "change the template")


def _rows(page: Mapping[str, Any]) -> Iterator[tuple[Key, Listed]]:
    yield from listed_in(fields.objects(page.get("data")))


def _object(answer: Answer, what: str) -> dict[str, Any]:
    try:
        found = fields.part(fields.decoded(answer.body)) if answer.body else {}
    except fields.NotJson:
        found = {}
    if answer.ok:
        return found
    if answer.status == 0:
        raise NotDone(f"Meta did not answer when asked to {what}; look at the network and RECADO_WHATSAPP__GRAPH_URL.")
    error = fields.part(found.get("error"))
    # What is quoted is about the business's own templates, never about a customer.
    told = [fields.part(error.get("error_data")).get("details"), error.get("error_user_msg"), error.get("message")]
    said = next((text for text in (fields.text(one, 300) for one in told) if text), "no reason given")
    raise NotDone(
        f"Meta did not {what} (status {answer.status}, code {fields.text(error.get('code'), 12) or 'none'}): {said}"
    )
