"""Webhooks about the account, its numbers and its templates, for operators and for the gate (whatsapp.md 1.7).

Pure. Only the keys named here are read; none of them is about a customer.
"""

from collections.abc import Mapping

from bot.domain.inbound import AccountNotice
from bot.whatsapp import fields
from bot.whatsapp.fields import Json

_TEMPLATE = ("message_template_id", "message_template_name", "message_template_language")

NOTICES: Mapping[str, tuple[str, ...]] = {
    "errors": (),
    "message_template_status_update": (*_TEMPLATE, "reason"),
    "message_template_quality_update": (*_TEMPLATE, "previous_quality_score", "new_quality_score"),
    "message_template_components_update": _TEMPLATE,
    "template_category_update": (*_TEMPLATE, "previous_category", "new_category", "correct_category"),
    "template_correct_category_detection": (*_TEMPLATE, "category", "correct_category"),
    "phone_number_quality_update": ("current_limit", "old_limit", "max_daily_conversations_per_business"),
    "phone_number_name_update": ("decision", "rejection_reason"),
    "business_capability_update": (
        "max_daily_conversation_per_phone",
        "max_daily_conversations_per_business",
        "max_phone_numbers_per_business",
    ),
    "business_status_update": (),
    "account_update": ("country",),
    "account_alerts": ("alert_type", "alert_severity", "alert_status", "entity_type"),
    "account_review_update": ("decision",),
    "account_settings_update": ("type",),
    "business_username_update": ("status",),
    "business_username_updates": ("status",),
    "security": (),
    "flows": ("flow_id", "old_status", "new_status"),
    "payment_configuration_update": ("configuration_name", "provider_name", "status"),
    "partner_solutions": ("solution_status",),
}
"""Field to the keys that are kept of it."""

# Key of an inner object, what is kept of it, and under which name.
_INNER = (
    ("ban_info", "waba_ban_state", "ban_state"), ("violation_info", "violation_type", "violation"),
    ("lock_info", "expiration", "until"), ("disable_info", "disable_date", "disabled"), ("other_info", "title", "title"),
    ("alert_info", "alert_type", "alert_type"), ("alert_info", "alert_severity", "alert_severity"),
)  # fmt: skip


def notice(name: str, value: Json, business: str) -> AccountNotice:
    """The notice of one change. `business` is the id of the business account it came under."""
    detail = {key: fields.text(value.get(key), 200) for key in NOTICES[name] if value.get(key) is not None}
    for inner, key, label in _INNER:
        found = fields.text(fields.part(value.get(inner)).get(key), 200)
        if found:
            detail.setdefault(label, found)
    restrictions = list(fields.objects(value.get("restriction_info")))[:20]
    if restrictions:
        detail["restrictions"] = ",".join(fields.text(one.get("restriction_type"), 64) for one in restrictions)
        ends = [fields.moment(one.get("expiration")) for one in restrictions]
        if fields.UNDATED not in ends:
            detail["until"] = str(int(max(ends).timestamp()))
    return AccountNotice(name, fields.text(value.get("event"), 64), detail, business=business)
