"""The corpus: a payload of every type Meta's documents show, and what it means, each written by hand from the documents.

`payloads/NAME.json` holds the body as it arrives and the events expected of it; the people in it are invented.
"""

import copy
import json
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import Address, Hidden
from bot.domain.inbound import DeliveryStatus, Inbound, InboundMessage, Unknown
from bot.whatsapp.webhook import MAX_UPDATES, UNDATED, parse

CORPUS = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "payloads").glob("*.json"))
}
BODIES = [json.dumps(case["payload"]) for case in CORPUS.values()]


def plain(value: Any) -> Any:
    if isinstance(value, Hidden):
        return value.value
    if isinstance(value, datetime):
        return None if value == UNDATED else int(value.timestamp())
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return value


def _who(address: Address | None, prefix: str = "") -> dict[str, Any]:
    names = {"phone": "phone", "bsuid": "bsuid", "parent_bsuid": "parent"}
    found = {prefix + short: plain(getattr(address, long)) for long, short in names.items() if address is not None}
    return {name: one for name, one in found.items() if one is not None}


def told(event: Inbound) -> dict[str, Any]:
    """An event as the corpus writes it: what is empty is left out, addresses and hidden values stand in clear."""
    assert is_dataclass(event)
    short = {"field_name": "field", "option": "option"}
    found: dict[str, Any] = {"is": type(event).__name__}
    for one in fields(event):
        value = getattr(event, one.name)
        if one.name in ("business", "reference"):
            continue
        if one.name in ("sender", "to", "current"):
            found.update(_who(value))
        elif one.name == "previous":
            found.update(_who(value, "previous_"))
        elif plain(value) not in ("", None, False, 0, {}):
            found[short.get(one.name, one.name)] = plain(value)
    return found


@pytest.mark.parametrize("name", CORPUS)
def test_every_payload_means_what_the_documents_say(name: str) -> None:
    found = parse(json.dumps(CORPUS[name]["payload"]).encode(), accounts=None)

    assert [told(one) for one in found] == CORPUS[name]["expected"]


def test_the_corpus_holds_what_it_promises() -> None:
    kinds = {one["is"] for case in CORPUS.values() for one in case["expected"]}

    assert len(CORPUS) >= 150
    assert kinds == {
        "InboundMessage", "DeliveryStatus", "PreferenceSignal", "IdentityChange", "AccountNotice", "HumanEcho", "Unknown",
    }  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_no_name_of_a_contact_gets_past_the_door(name: str) -> None:
    """Profile names and usernames are dropped at once (GDPR art. 5(1)(c))."""
    shown = json.dumps([told(one) for one in parse(json.dumps(CORPUS[name]["payload"]).encode(), accounts=None)])

    assert not any(one in shown for one in ("Ada", "ada.example", "Bob", "lookaside", "AffClid"))


@pytest.mark.parametrize("name", CORPUS)
def test_another_numbers_webhooks_are_counted_and_named_by_reference_alone(name: str) -> None:
    found = parse(json.dumps(CORPUS[name]["payload"]).encode(), accounts=frozenset({"1"}), businesses=frozenset({"2"}))

    for one in found:
        if isinstance(one, Unknown):
            assert "102290129340398" not in repr(one)
        else:
            assert name.startswith("envelope_"), "only what names no business account is ours without one"


# -- fuzzing -----------------------------------------------------------------------------------------------------------

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12),
    st.sampled_from(["\x00", "\ud83d", "x" * 70_000, "9" * 5000, -1, 10**40, [], {}, [[]], [{}], {"id": {}}, "NaN", "1e999"]),
)  # fmt: skip


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        found.append((value, key))
        places(one, found)
    return found


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_payload_neither_raises_nor_grows(data: st.DataObject) -> None:
    """Up to six parts are exchanged, doubled or dropped; whatever comes out is read, and in no more events than it has objects."""
    body = json.loads(data.draw(st.sampled_from(BODIES)))
    for _ in range(data.draw(st.integers(1, 6))):
        spots = places(body, [])
        if not spots:
            break
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        act = data.draw(st.sampled_from(["exchange", "exchange", "drop", "double", "move"]))
        if act == "drop":
            del holder[key]
        elif act == "double" and isinstance(holder, list):
            holder.extend([holder[key]] * 3)
        elif act == "move":
            other, name = spots[data.draw(st.integers(0, len(spots) - 1))]
            holder[key] = json.loads(json.dumps(other[name]))
        else:
            holder[key] = copy.deepcopy(data.draw(ODD))  # the drawn ones are shared by all examples
    raw = json.dumps(body).encode()
    if not isinstance(body, dict):
        return
    found = parse(raw, accounts=None)
    assert len(found) <= raw.count(b"{") + 1
    for one in found:
        shown = json.dumps(told(one), default=str)
        assert len(shown) <= 12 * len(raw) + 1000


@given(st.binary(max_size=200), st.sampled_from(BODIES), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_bytes_put_anywhere_are_refused_or_read(junk: bytes, body: str, at: int) -> None:
    raw = body.encode()
    spot = at % len(raw)
    try:
        parse(raw[:spot] + junk + raw[spot:], accounts=None)
    except ValueError as problem:
        assert type(problem).__name__ == "UnreadableBody"  # noqa: PT017 - the other outcome is just as good


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"entry":' * 100_000, id="objects without end"),
        pytest.param(b'{"entry":' + b"[" * 500_000 + b"]" * 500_000 + b"}", id="lists in lists"),
        pytest.param(
            b'{"entry":[{"changes":[{"field":"messages","value":{"messages":[' + b"{}," * 700_000 + b"{}]}}]}]}",
            id="two megabytes of nothing",
        ),
    ],
)
def test_a_body_made_to_hurt_is_bounded(body: bytes) -> None:
    try:
        assert len(parse(body, accounts=None)) <= MAX_UPDATES + 1
    except ValueError as problem:
        assert type(problem).__name__ == "UnreadableBody"  # noqa: PT017


def batch(size: int) -> bytes:
    contacts = [{"wa_id": f"1555{n:07}", "user_id": f"US.{n}"} for n in range(size)]
    messages = [
        {"from": f"1555{n:07}", "id": f"wamid.{n}", "timestamp": "1788000001", "type": "text", "text": {"body": "hi"}}
        for n in reversed(range(size))
    ]
    value = {"metadata": {"phone_number_id": "1"}, "contacts": contacts, "messages": messages}
    return orjson.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})


def test_a_thousand_updates_are_each_their_own_senders() -> None:
    found = parse(batch(1000), accounts=None)

    assert len(found) == 1000
    for one in found:
        assert isinstance(one, InboundMessage)
        assert one.sender.bsuid is not None
        assert one.sender.bsuid.value == f"US.{int(one.wamid.value.removeprefix('wamid.'))}"


def test_the_time_grows_with_the_batch_and_not_with_its_square() -> None:
    """Eight times the updates take about eight times as long; matching each with each took sixty-four."""

    def taken(size: int) -> float:
        body, best = batch(size), float("inf")
        for _ in range(5):
            begun = time.perf_counter()
            parse(body, accounts=None)
            best = min(best, time.perf_counter() - begun)
        return best

    assert taken(8000) / taken(1000) < 24


def test_the_statuses_of_a_full_batch_all_arrive() -> None:
    statuses = [{"id": f"wamid.{n}", "status": "read", "timestamp": "1788000001"} for n in range(1000)]
    value = {"metadata": {"phone_number_id": "1"}, "statuses": statuses}
    body = orjson.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})

    assert sum(isinstance(one, DeliveryStatus) for one in parse(body, accounts=frozenset({"1"}))) == 1000
