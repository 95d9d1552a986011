"""An invented business and person for the tests of this room."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId, PersonId
from bot.domain.message import OutMessage, TemplateMessage, TextMessage

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PERSON = PersonId("0123456789abcdef" * 2)

BUSINESS_PLAIN: dict[str, Any] = {
    "name": "Casa do Pão",
    "bot_name": "Migalha",
    "controller": {"name": "Casa do Pão Lda.", "address": "Rua Inventada 1, Lisboa", "email": "ola@casadopao.example"},
    "dpo": {"name": "Rita Exemplo", "email": "dpo@casadopao.example"},
    "languages": ["en", "pt"],
    "notice": {
        "link": "https://casadopao.example/privacy",
        "data": ["your number", "what you write to us about an order"],
        "storage": "in the European Union (Frankfurt)",
        "retention": "until 24 months after your last message",
        "complaint": "Comissão Nacional de Proteção de Dados (cnpd.pt)",
        "required": "You need not give us anything; without an order number we cannot look one up.",
        "transfers": "Meta may process data in the United States (Data Privacy Framework).",
    },
    "purposes": {
        "newsletter": {"title": "our newsletter", "basis": "consent", "sends": "marketing", "at_most": "4 per month",
                       "quiet": "21:00-08:00"},
        "tips": {"title": "baking tips", "basis": "consent", "sends": "utility", "double": "no"},
        "similar": {"title": "offers like what you bought", "basis": "soft_opt_in", "sends": "marketing"},
        "orders": {"title": "your order", "basis": "contract", "sends": "utility"},
        "survey": {"title": "asking how it was", "basis": "legitimate_interest", "interest": "to get better", "sends": "utility"},
    },
    "processors": [
        {"name": "Meta Platforms Ireland", "does": "carries WhatsApp messages", "country": "Ireland", "transfer": "DPF"},
        {"name": "Nuvem Exemplo", "does": "runs our servers", "country": "Germany"},
    ],
    "templates": {
        "news": {
            "category": "marketing", "purpose": "newsletter", "languages": {"en": "News: {{1}}"}, "footer": {"en": "STOP to end"},
        },
        "confirm_news": {"category": "utility", "purpose": "newsletter", "languages": {"en": "Really? Stop ends it."}},
        "order_ready": {"category": "utility", "purpose": "orders", "languages": {"en": "Ready."}, "payloads": ["recado:stop:orders"]},
        "code": {"category": "authentication", "purpose": "orders", "languages": {"en": "{{1}}"}},
    },
}  # fmt: skip

BUSINESS = Business.model_validate(BUSINESS_PLAIN)


def text() -> OutMessage:
    return TextMessage("hello")


def template(name: str) -> OutMessage:
    return TemplateMessage(name, "en")


def send(reason: str, *, message: OutMessage | None = None, **fields: Any) -> Send:
    return Send(CommandId("c1"), reason, message or text(), **fields)


def conversation(*, window: bool = True, **fields: Any) -> Conversation:
    until = NOW + HOUR if window else NOW - HOUR
    return Conversation(PERSON, window_until=until, last_inbound_at=until - DAY, **fields)


def given(**fields: Any) -> Consent:
    return Consent("given", since=NOW - DAY, valid_until=NOW + 700 * DAY, **fields)
