"""What Meta last said of the account and of its templates. About nobody."""

from datetime import datetime
from time import monotonic

from bot.domain.inbound import AccountNotice
from bot.runtime.channel import AccountState, TemplateState, account_after, template_after, template_key, template_of
from bot.storage.bulks import Bulks
from bot.storage.mongo import Mongo, reaches, upsert

COLLECTION = "channel"
ACCOUNT = "account"


class MongoChannelHealth:
    """The runtime's `ChannelHealth`."""

    def __init__(self, mongo: Mongo, *, remembered: float = 0.0) -> None:
        """`remembered`: seconds for which the account's state need not be asked for again; notices of this process count at once."""
        self._rows = mongo.collection(COLLECTION)
        self._bulks = Bulks(self._rows)
        self._remembered = remembered
        self._known: tuple[float, AccountState] | None = None

    @reaches
    async def note(self, notice: AccountNotice, now: datetime) -> bool:
        template = template_of(notice)
        if template is not None:
            before = await self._template(template)
            after = template_after(before, notice)
            if after == before:
                return False
            changes = {"status": after.status, "category": after.category, "at": now}
            await upsert(self._rows, f"template:{template}", {"$set": changes})
            return True
        account = await self._account()
        then = account_after(account, notice, now)
        if then == account:
            return False
        facts = {"halted_until": then.halted_until, "limited_until": then.limited_until, "why": then.why, "at": now}
        await upsert(self._rows, ACCOUNT, {"$set": facts})
        self._known = None
        return True

    @reaches
    async def account(self) -> AccountState:
        asked = monotonic()
        if self._known is None or asked - self._known[0] >= self._remembered:
            self._known = (asked, await self._account())
        return self._known[1]

    async def _account(self) -> AccountState:
        row = (await self._bulks.read(ACCOUNT)).get(ACCOUNT)
        return (
            AccountState(row.get("halted_until"), row.get("limited_until"), row.get("why", ""))
            if row
            else AccountState()
        )

    @reaches
    async def template(self, name: str, language: str) -> TemplateState:
        return await self._template(template_key(name, language))

    async def _template(self, key: str) -> TemplateState:
        row = await self._rows.find_one({"_id": f"template:{key}"})
        return TemplateState(row.get("status", ""), row.get("category", "")) if row else TemplateState()
