"""Webhooks: signed bytes only, every type of Meta's documents understood, nothing raises, nothing needless is kept."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.inbound import (
    AccountNotice,
    DeliveryStatus,
    HumanEcho,
    IdentityChange,
    InboundMessage,
    PreferenceSignal,
    Unknown,
)
from bot.whatsapp.signature import is_signed, sign
from bot.whatsapp.webhook import UNDATED, UnreadableBody, parse

SPACELESS = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'


@pytest.mark.parametrize(
    ("body", "secret", "digest"),
    [
        (SPACELESS, "test_app_secret", "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
        (SPACED, "test_app_secret", "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"),
        (SPACELESS, "otro_secreto", "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7"),
    ],
)
def test_signatures_are_those_of_the_documents(body: bytes, secret: str, digest: str) -> None:
    assert sign(body, secret) == f"sha256={digest}"
    assert is_signed(body, f"sha256={digest}", ["new", secret])
    assert not is_signed(body + b" ", f"sha256={digest}", [secret])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha1=" + "0" * 40,
        "sha256=" + "0" * 64,
        sign(SPACELESS, "s")[:-1],
        sign(SPACELESS, "s").upper(),
        sign(SPACELESS, "s") + " ",
    ],
)
def test_anything_but_a_full_signature_is_none(header: str | None) -> None:
    assert not is_signed(SPACELESS, header, ["s"])
    assert not is_signed(SPACELESS, sign(SPACELESS, ""), [])


def envelope(field: str = "messages", **value: Any) -> bytes:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


CONTACT = {"profile": {"name": "Ada Example", "username": "ada.example"}, "wa_id": "16505550123", "user_id": "US.1349"}
COMMON = {"from": "16505550123", "from_user_id": "US.1349", "id": "wamid.TEST1", "timestamp": "1788000001"}


def only(body: bytes) -> Any:
    found = parse(body, accounts=None)
    assert len(found) == 1
    return found[0]


def message(**content: Any) -> InboundMessage:
    one = only(envelope(contacts=[CONTACT], messages=[{**COMMON, **content}]))
    assert isinstance(one, InboundMessage)
    return one


MESSAGES = [
    pytest.param({"type": "text", "text": {"body": "is the shop open?"}}, "text", "is the shop open?", "", id="text"),
    pytest.param(
        {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "q", "caption": "a fern"}},
        "image",
        "a fern",
        "",
        id="image",
    ),
    pytest.param({"type": "document", "document": {"id": "1", "filename": "x.pdf"}}, "document", "", "", id="document"),
    pytest.param({"type": "audio", "audio": {"id": "1", "voice": True}}, "audio", "", "", id="voice note"),
    pytest.param({"type": "voice", "voice": {"id": "1"}}, "audio", "", "", id="old voice type"),
    pytest.param({"type": "sticker", "sticker": {"id": "1"}}, "sticker", "", "", id="sticker"),
    pytest.param(
        {"type": "location", "location": {"latitude": "37.4", "longitude": -122}},
        "location",
        "",
        "",
        id="location with a text",
    ),
    pytest.param(
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}},
        "tap",
        "Yes",
        "yes",
        id="button",
    ),
    pytest.param(
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "p", "title": "Priority"}}},
        "tap",
        "Priority",
        "p",
        id="row",
    ),
    pytest.param(
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a":1}'}}},
        "form",
        "",
        "",
        id="form",
    ),
    pytest.param(
        {"type": "interactive", "interactive": {"type": "call_permission_reply"}},
        "unsupported",
        "",
        "",
        id="call permission",
    ),
    pytest.param(
        {"type": "button", "button": {"payload": "stop-promo", "text": "Unsubscribe"}},
        "template_tap",
        "Unsubscribe",
        "stop-promo",
        id="template button",
    ),
    pytest.param(
        {"type": "reaction", "reaction": {"message_id": "wamid.O", "emoji": "👍"}}, "reaction", "👍", "", id="reaction"
    ),
    pytest.param(
        {"type": "reaction", "reaction": {"message_id": "wamid.O"}}, "reaction", "", "", id="reaction taken back"
    ),
    pytest.param({"type": "order", "order": {"text": "soon", "product_items": []}}, "order", "soon", "", id="order"),
    pytest.param(
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Bob"}}]}, "contacts", "", "", id="shared card"
    ),
    pytest.param({"type": "unsupported", "errors": [{"code": 131051}]}, "unsupported", "", "", id="unsupported"),
    pytest.param(
        {
            "type": "edit",
            "edit": {"original_message_id": "wamid.O", "message": {"type": "text", "text": {"body": "STOP"}}},
        },
        "edited",
        "STOP",
        "",
        id="edit",
    ),
    pytest.param({"type": "revoke", "revoke": {"original_message_id": "wamid.O"}}, "revoked", "", "", id="revoke"),
    pytest.param({"type": "text"}, "unsupported", "", "", id="a type without its object"),
    pytest.param({}, "unsupported", "", "", id="no type"),
    pytest.param({"type": "hologram", "hologram": {}}, "unsupported", "", "", id="a type of the future"),
    pytest.param({"type": "text", "text": {"body": "a\u0000b"}}, "text", "ab", "", id="U+0000"),
    pytest.param({"type": "text", "text": {"body": 7}}, "text", "7", "", id="a number for a text"),
]


@pytest.mark.parametrize(("content", "kind", "words", "option"), MESSAGES)
def test_every_type_of_message_is_understood(content: dict[str, Any], kind: str, words: str, option: str) -> None:
    one = message(**content)

    assert (one.kind, one.words.value, one.option) == (kind, words, option)
    assert one.sender.phone is not None
    assert (one.sender.phone.value, one.wamid.value) == ("+16505550123", "wamid.TEST1")
    assert one.at == datetime.fromtimestamp(1788000001, UTC)


def test_names_and_cards_go_no_further_than_the_door() -> None:
    one = message(type="contacts", contacts=[{"name": {"formatted_name": "Bob"}, "phones": [{"wa_id": "16505550000"}]}])
    everything = repr((one, one.data, one.words.value))

    assert not any(name in everything for name in ("Ada", "ada.example", "Bob", "16505550000"))


def test_a_shared_own_number_is_kept_only_when_it_was_asked_for() -> None:
    card = {"origin": "contact_request", "phones": [{"phone": "+1 650-555-0100"}]}
    assert message(type="contacts", contacts=[card]).data == {"phone": "+16505550100"}


@pytest.mark.parametrize(
    ("changes", "phone", "bsuid"),
    [
        pytest.param({}, "+16505550123", "US.1349", id="both"),
        pytest.param({"from": None}, None, "US.1349", id="a hidden number"),
        pytest.param({"from_user_id": None}, "+16505550123", "US.1349", id="completed from the contact"),
        pytest.param({"from": "US.1349", "from_user_id": None}, None, "US.1349", id="the id where the number stood"),
        pytest.param({"from": 16505550123}, "+16505550123", "US.1349", id="an integer"),
    ],
)
def test_the_sender_is_known_by_what_there_is(changes: dict[str, Any], phone: str | None, bsuid: str) -> None:
    content = {key: value for key, value in {**COMMON, **changes}.items() if value is not None}
    hidden = {key: value for key, value in CONTACT.items() if key != "wa_id"}
    contact = CONTACT if changes.get("from_user_id", "") is not None or "from" not in changes else {"profile": {}}
    contact = hidden if phone is None and "from_user_id" not in changes else contact
    one = only(envelope(contacts=[contact], messages=[{**content, "type": "text", "text": {"body": "x"}}]))

    assert isinstance(one, InboundMessage)
    assert (one.sender.phone.value if one.sender.phone else None) == phone
    assert one.sender.bsuid is not None
    assert one.sender.bsuid.value == bsuid


@pytest.mark.parametrize("stamp", ["1788000001", 1788000001])
def test_times_come_as_text_or_number(stamp: Any) -> None:
    assert message(type="text", text={"body": "x"}, timestamp=stamp).at.year == 2026


@pytest.mark.parametrize("stamp", [None, "", "soon", -1, 99999999999, True, [1]])
def test_a_message_without_a_time_counts_as_received_now(stamp: Any) -> None:
    """A STOP is never lost for an odd time: what lies ahead is taken at the time of receipt."""
    assert message(type="text", text={"body": "stop"}, timestamp=stamp).at == UNDATED


def test_statuses_carry_our_id_code_and_category() -> None:
    status = {
        "id": "wamid.O", "status": "failed", "timestamp": "1788000013", "recipient_id": "16505550123",
        "biz_opaque_callback_data": "cb", "errors": [{"code": 131047}], "pricing": {"category": "utility"},
    }  # fmt: skip
    one = only(envelope(statuses=[status]))

    assert isinstance(one, DeliveryStatus)
    assert (one.callback, one.status, one.code, one.pricing, one.wamid.value) == (
        "cb",
        "failed",
        131047,
        "utility",
        "wamid.O",
    )
    assert only(envelope(statuses=[{**status, "status": "in_orbit"}])) == Unknown("messages", "status")


def test_other_fields_become_what_they_mean() -> None:
    stop = {"user_id": "US.1349", "category": "marketing_messages", "value": "stop", "timestamp": 1788000040}
    preference = only(envelope("user_preferences", user_preferences=[stop]))
    assert isinstance(preference, PreferenceSignal)
    assert preference.value == "stop"
    paused = only(
        envelope("message_template_status_update", event="PAUSED", message_template_name="news", reason="NONE")
    )
    assert paused == AccountNotice(
        "message_template_status_update", "PAUSED", {"message_template_name": "news", "reason": "NONE"}
    )
    echo = only(envelope("smb_message_echoes", message_echoes=[{"to": "16505550123", "timestamp": "1788000070"}]))
    assert isinstance(echo, HumanEcho)
    moved = {
        **COMMON,
        "type": "system",
        "system": {"type": "user_changed_number", "wa_id": "12195550155", "user_id": "US.99"},
    }
    change = only(envelope(messages=[moved]))
    assert isinstance(change, IdentityChange)
    assert change.current.phone is not None
    assert change.current.phone.value == "+12195550155"
    assert only(envelope("tracking_events", x=1)) == Unknown("tracking_events", "field")


def test_half_a_character_anywhere_does_not_cost_the_batch() -> None:
    body = envelope(contacts=[CONTACT], messages=[{**COMMON, "type": "text", "text": {"body": "stop X"}}]).replace(
        b"X", b"\\ud83d"
    )
    one = only(body)

    assert isinstance(one, InboundMessage)
    assert one.words.value.startswith("stop ")
    one.words.value.encode()


def test_a_message_without_a_sender_belongs_to_nobody() -> None:
    anonymous = {"id": "wamid.A", "timestamp": "1788000001", "type": "text", "text": {"body": "stop"}}
    contacts = [{"wa_id": "15550100001"}, {"wa_id": "15550100002", "user_id": "US.2"}]

    assert only(envelope(contacts=contacts, messages=[anonymous])) == Unknown("messages", "no-sender")


def test_groups_and_other_numbers_are_counted_only() -> None:
    assert only(envelope(messages=[{**COMMON, "group_id": "g", "type": "text", "text": {"body": "x"}}])) == Unknown(
        "messages", "group"
    )
    assert parse(envelope(messages=[COMMON]), accounts=frozenset({"other"})) == (Unknown("messages", "other-account"),)


def test_one_broken_item_does_not_sink_its_batch_and_order_is_kept() -> None:
    texts = [{**COMMON, "id": f"wamid.{n}", "type": "text", "text": {"body": str(n)}} for n in range(5)]
    found = parse(envelope(messages=[texts[0], {"id": 1, "timestamp": {}}, "x", None, *texts[1:]]), accounts=None)

    assert [one.words.value for one in found if isinstance(one, InboundMessage)] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"1", b'"x"', b"null", b"\xff", b"{"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        parse(body, accounts=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([
        "entry", "changes", "field", "value", "messages", "statuses", "contacts", "id", "type", "timestamp", "text", "body", "from",
        "interactive", "system", "errors", "edit", "metadata", "user_preferences",
    ]), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_without_an_exception(value: Any) -> None:
    for body in (value, {"entry": [{"changes": [{"field": "messages", "value": value}]}]}, {"entry": value}):
        if isinstance(body, dict):
            for one in parse(orjson.dumps(body), accounts=None):
                repr(one)


@given(st.sampled_from(MESSAGES), st.data())
def test_a_real_message_with_a_part_exchanged_is_read(case: Any, data: st.DataObject) -> None:
    content = {**COMMON, **case.values[0]}
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(JSON)

    parse(orjson.dumps(orjson.loads(envelope(contacts=[CONTACT], messages=[]))) or b"{}", accounts=None)
    assert len(parse(envelope(contacts=[CONTACT], messages=[content]), accounts=None)) == 1


@pytest.mark.parametrize(
    ("accounts", "value", "account"),
    [
        pytest.param({"7"}, {"messages": [{**COMMON, "type": "text"}]}, "7", id="one number: it must be that"),
        pytest.param(
            {"7", "8"}, {"messages": [{**COMMON, "type": "text"}]}, None, id="two numbers: nobody knows which"
        ),
    ],
)
def test_a_message_that_names_no_number_is_ours_only_where_there_is_one(
    accounts: set[str], value: dict[str, Any], account: str | None
) -> None:
    body = orjson.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
    (one,) = parse(body, accounts=frozenset(accounts))

    assert (one.account if isinstance(one, InboundMessage) else None) == account


def test_webhooks_of_another_business_account_are_ignored() -> None:
    """Account and template webhooks name no number, so the business account is what tells whose they are."""
    body = envelope("account_update", event="DISABLED_UPDATE")

    (foreign,) = parse(body, accounts=None, businesses=frozenset({"2"}))
    (own,) = parse(body, accounts=None, businesses=frozenset({"1"}))

    assert isinstance(foreign, Unknown)
    assert (foreign.kind, len(foreign.reference)) == ("other-business", 10)
    assert foreign.reference.isalpha()
    assert isinstance(own, AccountNotice)
