"""Webhooks of every shape: real payloads bent, cut and grown, and JSON that never was one. No exception, no endless time or memory."""

import copy
import gc
import json
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.inbound import Inbound
from bot.whatsapp.signature import is_signed
from bot.whatsapp.webhook import MAX_UPDATES, UnreadableBody, parse

PAYLOADS = [path.read_bytes() for path in sorted((Path(__file__).parent / "payloads").rglob("*.json"))]
KEYS = sorted({key for raw in PAYLOADS for key in raw.decode("utf-8", "replace").split('"') if key.isidentifier()})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(KEYS),
    st.just("\ud800"),
    st.just("9" * 400),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


def read(body: bytes) -> tuple[Inbound, ...]:
    """What is made of a body; that it is refused as a whole is fine, that anything else is raised is not."""
    try:
        return parse(body, accounts=frozenset({"106540352242922"}), businesses=None)
    except UnreadableBody:
        return ()


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_real_payloads_with_any_part_exchanged_are_read(data: st.DataObject) -> None:
    payload = json.loads(data.draw(st.sampled_from(PAYLOADS)))
    for _ in range(data.draw(st.integers(1, 4))):
        _exchange(payload, data)
    assert all(isinstance(one, Inbound) for one in read(dumped(payload)))  # type: ignore[arg-type]


def _exchange(payload: Any, data: st.DataObject) -> None:
    """Goes down at random and puts something else where it ends."""
    here = payload
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(here[key], dict | list) and here[key] and data.draw(st.booleans() | st.just(True)):
            here = here[key]
            continue
        here[key] = data.draw(JSON)
        return


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_json_that_never_was_a_webhook_is_read(value: Any) -> None:
    read(dumped(value))
    read(
        dumped(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
            }
        )
    )


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PAYLOADS), st.integers(0, 5000), st.binary(max_size=4))
def test_bytes_exchanged_or_cut_off_are_refused_or_read(payload: bytes, place: int, instead: bytes) -> None:
    place %= len(payload)
    read(payload[:place])
    read(payload[:place] + instead + payload[place + 1 :])


@given(st.binary(max_size=200), st.none() | st.text(max_size=90), st.lists(st.text(max_size=12), max_size=2))
def test_no_header_makes_the_check_of_the_signature_fail(body: bytes, header: str | None, secrets: list[str]) -> None:
    assert is_signed(body, header, tuple(secrets)) in (True, False)


ANN = {"from": "15550100123", "type": "text", "text": {"body": "x"}}


def _form(n: int) -> dict[str, Any]:
    return {"type": "nfm_reply", "nfm_reply": {"response_json": "[" * n + "]" * n}}


GROWN = [
    pytest.param(lambda n: b'{"entry":' * n + b"1" + b"}" * n, id="nested objects"),
    pytest.param(lambda n: b"[" * n + b"]" * n, id="nested lists"),
    pytest.param(lambda n: b'{"entry":[' + b",".join([b'{"changes":[{}]}'] * n) + b"]}", id="entries of nothing"),
    pytest.param(lambda n: _messages([{**ANN, "id": f"wamid.{k}"} for k in range(n)]), id="messages"),
    pytest.param(lambda n: _messages([{**ANN, "id": "w", "text": {"body": "x" * n * 20}}]), id="one long text"),
    pytest.param(lambda n: _messages([{"id": "w", "from": "1555", "type": "interactive", "interactive": _form(n)}]), id="a nested form"),
    pytest.param(
        lambda n: _messages([{"id": "w", "from": "9" * n, "type": "order", "order": {"product_items": [{"quantity": "9" * n}] * 99}}]),
        id="numbers without an end",
    ),
    pytest.param(lambda n: _messages([], contacts=[{"wa_id": str(k), "user_id": f"US.{k}"} for k in range(n)]), id="contacts"),
]  # fmt: skip


def _messages(messages: list[Any], **more: Any) -> bytes:
    value = {"metadata": {"phone_number_id": "106540352242922"}, "messages": messages, **more}
    return dumped({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})


@pytest.mark.parametrize("grow", GROWN)
def test_time_and_memory_grow_no_faster_than_the_body(grow: Any) -> None:
    """Four times the body may take some twelve times as long at most: a quadratic reader takes sixteen."""
    small, large = grow(5_000), grow(20_000)
    read(small)
    times = []
    for body in (small, large):
        runs = []
        for _ in range(5):
            gc.collect()
            begun = time.process_time()
            assert len(read(body)) <= MAX_UPDATES + 1
            runs.append(time.process_time() - begun)
        times.append(min(runs))
    assert times[1] < 0.05 + 12 * times[0]
    tracemalloc.start()
    read(large)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000 + 40 * len(large)


@pytest.mark.long
def test_a_minute_of_bent_payloads() -> None:
    dice, until = random.Random(1), time.monotonic() + 60
    while time.monotonic() < until:
        payload = json.loads(dice.choice(PAYLOADS))
        other = json.loads(dice.choice(PAYLOADS))
        bent = copy.deepcopy(payload)
        _graft(bent, other, dice)
        read(dumped(bent))


def _graft(bent: Any, other: Any, dice: random.Random) -> None:
    """Puts a part of one payload somewhere into another."""
    part = other
    for _ in range(dice.randint(0, 8)):
        if not isinstance(part, dict | list) or not part:
            break
        part = dice.choice(list(part.values()) if isinstance(part, dict) else part)
    here = bent
    while isinstance(here, dict | list) and here:
        key = dice.choice(list(here) if isinstance(here, dict) else list(range(len(here))))
        if isinstance(here[key], dict | list) and here[key] and dice.random() < 0.8:
            here = here[key]
            continue
        here[key] = part
        return
