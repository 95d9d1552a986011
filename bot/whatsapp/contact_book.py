"""What Meta keeps of people beside messages: the contact book of the portfolio, and the list of those who are blocked.

Source: Meta: business-scoped-user-ids (contact book), block-users.
"""

import logging
from urllib.parse import quote, urlencode

from bot.domain.errors import RecadoError, RetryLater
from bot.domain.ids import Address
from bot.whatsapp import fields
from bot.whatsapp.graph import Answer, Graph

logger = logging.getLogger(__name__)


class NotBlocked(RecadoError):
    """Meta did not block or unblock this person; only who wrote within 24 hours can be blocked."""


class ContactBook:
    """Entries and blocks of one business number."""

    def __init__(self, graph: Graph, account: str) -> None:
        self._graph = graph
        self._account = quote(account, safe="")

    async def forget(self, address: Address) -> None:
        """Deletes the entry that joins number and user id (GDPR art. 17, 19); without an own user id there is none.

        Raises `RetryLater` while Meta does not answer. What it refuses for good is logged and does not hold up an erasure: the entry
        goes when Meta's cache of 30 days and the contact book's own end are over, and the receipt says what is kept.
        """
        if address.bsuid is None:
            return
        query = urlencode({"messaging_product": "whatsapp", "bsuid": address.bsuid.value})
        answer = await self._graph.request("DELETE", f"{self._account}/contact_book?{query}")
        if _unanswered(answer):
            raise RetryLater("the contact book did not answer")
        if not answer.ok:
            logger.warning("contact book entry not deleted", extra={"code": _code(answer)})

    async def block(self, address: Address, *, lift: bool = False) -> None:
        """Blocks somebody, who then can neither write to the business nor see it online; or lifts that again.

        Raises `NotBlocked` when Meta refuses, and `RetryLater` when it does not answer.
        """
        known = address.bsuid
        who = {"user_id": known.value} if known else {"user": address.phone.value if address.phone else ""}
        body = {"messaging_product": "whatsapp", "block_users": [who]}
        answer = await self._graph.request("DELETE" if lift else "POST", f"{self._account}/block_users", body)
        if _unanswered(answer):
            raise RetryLater("Meta did not answer")
        if not answer.ok:
            raise NotBlocked(
                f"Meta refused (code {_code(answer)}). Only people who wrote within the last 24 hours can be blocked."
            )


def _unanswered(answer: Answer) -> bool:
    return answer.status in (0, 429) or answer.status >= 500


def _code(answer: Answer) -> int:
    try:
        found = fields.part(fields.decoded(answer.body)) if answer.body else {}
    except fields.NotJson:
        return 0
    return fields.number(fields.part(found.get("error")).get("code"))
