"""Outgoing messages as bodies of the Graph API (Meta: cloud-api/messages). Pure; sends nothing."""

from typing import Any

from bot.domain.ids import Address, Wamid
from bot.domain.message import (
    AskMessage,
    ButtonsMessage,
    ContactCard,
    ContactsMessage,
    FormMessage,
    LinkMessage,
    ListMessage,
    LocationMessage,
    MediaMessage,
    Option,
    OutMessage,
    QuotingMessage,
    ReactionMessage,
    TemplateMessage,
    TextMessage,
)
from bot.whatsapp.limits import TooLarge, check
from bot.whatsapp.template_body import header_parameter, problems_of, template_of

Body = dict[str, Any]


def body_of(to: Address, message: OutMessage, callback: str) -> Body:
    """The JSON body. Raises `TooLarge` for what WhatsApp would refuse.

    A person with a business-scoped id is addressed by it: a send by number would renew what Meta keeps of the number for 30 days
    (whatsapp.md 2.4; GDPR art. 5(1)(c)). Never both, because `to` would win. One-time codes go to the number (Meta: 131062).
    """
    inner = message.message if isinstance(message, QuotingMessage) else message
    problems = list(problems_of(inner)) if isinstance(inner, TemplateMessage) else check(message)
    if problems:
        raise TooLarge("; ".join(problems))
    by_number = isinstance(inner, TemplateMessage) and bool(inner.code)
    body: Body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_recipient(to, by_number=by_number),
    }
    if isinstance(message, QuotingMessage):
        body["context"] = {"message_id": message.to.value}
    return {**body, **_content(inner), "biz_opaque_callback_data": callback}


def _recipient(to: Address, *, by_number: bool) -> Body:
    known = to.bsuid or to.parent_bsuid
    if known is not None and not by_number:
        return {"recipient": known.value}
    if to.phone is None:
        raise TooLarge("one-time codes need the person's number, and it is not known")
    return {"to": to.phone.value}


def _content(message: OutMessage) -> Body:
    if isinstance(message, TextMessage):
        return {"type": "text", "text": {"body": message.body, "preview_url": message.preview}}
    if isinstance(message, TemplateMessage):
        return {"type": "template", "template": template_of(message)}
    if isinstance(message, MediaMessage):
        return {"type": message.kind, message.kind: _media(message)}
    if isinstance(message, LocationMessage):
        place = {"latitude": message.latitude, "longitude": message.longitude}
        named = {"name": message.name, "address": message.address}
        return {"type": "location", "location": {**place, **{name: one for name, one in named.items() if one}}}
    if isinstance(message, ContactsMessage):
        return {"type": "contacts", "contacts": [_card(one) for one in message.cards]}
    if isinstance(message, ReactionMessage):
        return {"type": "reaction", "reaction": {"message_id": message.to.value, "emoji": message.emoji}}
    assert not isinstance(message, QuotingMessage)  # noqa: S101 - unpacked by the caller
    return {"type": "interactive", "interactive": _interactive(message)}


def _interactive(message: ButtonsMessage | ListMessage | LinkMessage | AskMessage | FormMessage) -> Body:
    body: Body = {"body": {"text": message.body}}
    if isinstance(message, AskMessage):
        return {**body, **_ask(message)}
    if message.header is not None:
        body["header"] = header_parameter(message.header)
    if message.footer:
        body["footer"] = {"text": message.footer}
    if isinstance(message, ButtonsMessage):
        buttons = [{"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in message.options]
        return {"type": "button", **body, "action": {"buttons": buttons}}
    if isinstance(message, ListMessage):
        sections = [(one.title, one.options) for one in message.sections] or [(message.button, message.options)]
        rows = [{"title": title, "rows": [_row(one) for one in options]} for title, options in sections]
        return {"type": "list", **body, "action": {"button": message.button, "sections": rows}}
    if isinstance(message, FormMessage):
        return {"type": "flow", **body, "action": {"name": "flow", "parameters": _form(message)}}
    parameters = {"display_text": message.label, "url": message.url}
    return {"type": "cta_url", **body, "action": {"name": "cta_url", "parameters": parameters}}


def _ask(message: AskMessage) -> Body:
    if message.what == "location":
        return {"type": "location_request_message", "action": {"name": "send_location"}}
    if message.what == "phone":
        return {"type": "request_contact_info", "action": {"name": "request_contact_info"}}
    parameters = {"country": message.country}
    return {"type": "address_message", "action": {"name": "address_message", "parameters": parameters}}


def _form(message: FormMessage) -> Body:
    which = {"flow_id": message.flow_id} if message.flow_id else {"flow_name": message.flow_name}
    parameters: Body = {
        "flow_message_version": "3", "flow_token": message.token, **which, "flow_cta": message.label,
        "flow_action": "navigate" if message.screen else "data_exchange",
    }  # fmt: skip
    if message.screen:
        payload: Body = {"screen": message.screen}
        parameters["flow_action_payload"] = {**payload, "data": dict(message.data)} if message.data else payload
    return parameters


def _row(option: Option) -> Body:
    row = {"id": option.id, "title": option.title}
    return {**row, "description": option.description} if option.description else row


def _media(message: MediaMessage) -> Body:
    media: Body = {"id": message.media_id} if message.media_id else {"link": message.link}
    named = {"caption": message.caption, "filename": message.filename}
    media.update({name: one for name, one in named.items() if one})
    return {**media, "voice": True} if message.voice else media


def _card(card: ContactCard) -> Body:
    names = {"first_name": card.first_name, "last_name": card.last_name}
    found: Body = {"name": {"formatted_name": card.name, **{name: one for name, one in names.items() if one}}}
    if card.phones:
        found["phones"] = [{"phone": one} for one in card.phones]
    if card.emails:
        found["emails"] = [{"email": one} for one in card.emails]
    if card.urls:
        found["urls"] = [{"url": one} for one in card.urls]
    return {**found, "org": {"company": card.company}} if card.company else found


def read_body(wamid: Wamid, *, typing: bool = False) -> Body:
    """Marks a message as read, with the typing indicator if wanted."""
    body: Body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid.value}
    return {**body, "typing_indicator": {"type": "text"}} if typing else body
