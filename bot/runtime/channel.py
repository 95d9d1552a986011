"""The channel's health: what Meta says about the account, its numbers and its templates, and what follows for sending. Pure.

Nothing here is about a person. A halt ends by itself after a day, so that a notice that never comes cannot silence a business for
good: Meta's own refusals halt again (whatsapp.md 3.9).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.inbound import AccountNotice
from bot.domain.message import TemplateMessage
from bot.domain.template_text import meta_language

HALTED_FOR = timedelta(days=1)

_STOPPING = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "DISABLED_UPDATE"})
_RESUMING = frozenset({"ACCOUNT_RECONNECTED", "ACCOUNT_REINSTATED"})
_UNSENDABLE = frozenset(
    {"PAUSED", "DISABLED", "REJECTED", "PENDING", "ARCHIVED", "DELETED", "PENDING_DELETION", "LOCKED", "IN_APPEAL"}
)
_TEMPLATE_FIELDS = {"message_template_status_update", "template_category_update"}
_ALL = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
_OWN = "RESTRICTED_BIZ_INITIATED_MESSAGING"
_MOST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class AccountState:
    """Until when nothing at all, or nothing of our own accord, may be sent; `why` is Meta's word for it."""

    halted_until: datetime | None = None
    limited_until: datetime | None = None
    why: str = ""

    def wait(self, now: datetime, *, own_accord: bool) -> datetime | None:
        """Until when a message has to wait for the account, or None."""
        untils = [self.halted_until, self.limited_until if own_accord else None]
        return max((one for one in untils if one is not None and one > now), default=None)


@dataclass(frozen=True, slots=True)
class TemplateState:
    """What Meta last said of one template in one language; empty where it said nothing."""

    status: str = ""
    category: str = ""

    @property
    def sendable(self) -> bool:
        """A template nothing was said of counts as approved: webhooks tell changes only."""
        return self.status not in _UNSENDABLE


def account_after(state: AccountState, notice: AccountNotice, now: datetime) -> AccountState:
    """The account's state after a notice; the same when the notice says nothing about sending (Meta: account_update)."""
    if notice.field_name != "account_update":
        return state
    event, detail = notice.event, notice.detail
    if event in _RESUMING or (event == "DISABLED_UPDATE" and detail.get("ban_state") == "REINSTATE"):
        return AccountState()
    if event in _STOPPING:
        return AccountState(now + HALTED_FOR, state.limited_until, event)
    if event != "ACCOUNT_RESTRICTION":
        return state
    until, kinds = _until(detail.get("until", ""), now), detail.get("restrictions", _OWN).split(",")
    halted = until if _ALL in kinds else state.halted_until
    limited = until if _OWN in kinds or _ALL in kinds else state.limited_until
    return AccountState(halted, limited, event)


def _until(seconds: str, now: datetime) -> datetime:
    """The end Meta names, if it can be believed; else a day from now."""
    if seconds.isascii() and seconds.isdigit() and len(seconds) <= 10:
        end = datetime.fromtimestamp(int(seconds), UTC)
        if now < end < now + _MOST:
            return end
    return now + HALTED_FOR


def template_key(name: str, language: str) -> str:
    """The name of one template in one language, whether it is named as business.yaml does or as Meta does."""
    return f"{name}:{(meta_language(language) or language.replace('-', '_')).lower()}"


def template_of(notice: AccountNotice) -> str | None:
    """Key of the template a notice changes, or None."""
    name, language = notice.detail.get("message_template_name"), notice.detail.get("message_template_language")
    return template_key(name, language) if notice.field_name in _TEMPLATE_FIELDS and name and language else None


def template_after(state: TemplateState, notice: AccountNotice) -> TemplateState:
    """The template's state after a notice.

    `correct_category` announces a change and is believed at once: a message that Meta calls marketing needs the consent to it from
    the moment we know (ePrivacy art. 13; decisions.md "Templates").
    """
    if notice.field_name == "message_template_status_update":
        return TemplateState(notice.event.upper(), state.category)
    category = notice.detail.get("correct_category") or notice.detail.get("new_category") or state.category
    return TemplateState(state.status, category.lower())


def as_meta_sees_it(send: Send, business: Business, state: TemplateState) -> tuple[Send, Business]:
    """The message and the business as the gate must see them once Meta calls a template marketing that was declared otherwise."""
    message = send.message
    if not isinstance(message, TemplateMessage) or state.category != "marketing" or send.category == "marketing":
        return send, business
    declared = business.templates.get(message.name)
    if declared is None:
        return send, business
    templates = {**business.templates, message.name: declared.model_copy(update={"category": "marketing"})}
    purposes = dict(business.purposes)
    if send.purpose in purposes:
        # Whatever it rested on before: advertising rests on consent alone.
        changes = {"sends": "marketing", "basis": "consent"}
        purposes[send.purpose] = purposes[send.purpose].model_copy(update=changes)
    changed = business.model_copy(update={"templates": templates, "purposes": purposes})
    return Send(
        send.id, send.reason, message, send.purpose, "marketing", send.relies_on, send.not_before, send.expires
    ), changed
