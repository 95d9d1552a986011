"""Who comes through the door of the API: keys, scopes, reasons, bodies, repetitions. Nothing personal is said back or logged."""

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api.endpoints import BASE, ENDPOINTS, Endpoint
from bot.api.problems import Problem
from bot.domain.errors import RetryLater
from bot.privacy.access import SCOPES
from tests.api.fakes import A_DAY, GOOD, NOW, NUMBER, REF, WORDS, endpoint, served

every_endpoint = pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in ENDPOINTS])
every_post = pytest.mark.parametrize(
    "one", [pytest.param(one, id=one.name) for one in ENDPOINTS if one.method == "POST"]
)
every_change = pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in ENDPOINTS if one.changes])
every_read = pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in ENDPOINTS if one.personal])


# -- keys and scopes --------------------------------------------------------------------------------------------------------


@every_endpoint
async def test_each_scope_opens_its_own_endpoints_and_no_other(one: Endpoint) -> None:
    """The whole table: every scope by itself against every endpoint, and all the others together."""
    async with served() as api:
        for scope in SCOPES:
            status, answer = await api.call(one, scope)
            assert (status == one.status) == (scope == one.scope), (scope, status)
            assert scope == one.scope or (status, answer["code"]) == (403, "forbidden")
        others = [scope for scope in SCOPES if scope != one.scope]
        assert (await api.call(one, *others))[0] == 403
        assert len(api.do.calls) == (2 if one.path == "/rights/export" else 1)


def test_every_scope_opens_something() -> None:
    assert {one.scope for one in ENDPOINTS} == set(SCOPES)


@every_endpoint
@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="none"),
        pytest.param("Bearer", id="an empty one"),
        pytest.param("Basic {token}", id="another scheme"),
        pytest.param("Bearer {token}0", id="a longer one"),
        pytest.param("Bearer recado_00000001_" + "0" * 64, id="a wrong secret"),
        pytest.param("Bearer recado_00000002_" + "73" * 32, id="an unknown id"),
        pytest.param("Bearer recado_00000001_" + "é" * 64, id="no ASCII"),
    ],
)
async def test_without_a_live_key_nothing_opens(one: Endpoint, authorization: str) -> None:
    async with served() as api:
        token = api.memory.key(*SCOPES)
        status, answer = await api.call(one, Authorization=authorization.format(token=token))
        assert (status, answer["code"]) == (401, "unauthorized")
        assert api.do.calls == []
        assert api.memory.noted == []


@every_endpoint
async def test_while_no_key_is_live_there_is_no_api(one: Endpoint) -> None:
    """Revoked and past keys are like none: the same answer as for a path that does not exist."""
    async with served() as api:
        dead_ones: tuple[dict[str, Any], ...] = ({"revoked_at": NOW}, {"until": NOW})
        for dead in dead_ones:
            token = api.memory.key(*SCOPES, **dead)
            path = BASE + one.path.format(subject=REF, request=REF, message=f"{REF}-{REF}")
            for where in (path, f"{BASE}/openapi.json", f"{BASE}/nowhere", BASE):
                async with api.client.request(
                    one.method, where, headers={"Authorization": f"Bearer {token}"}
                ) as answer:
                    assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "not_found"), where
        assert api.do.calls == []


async def test_a_key_tells_only_the_day_of_its_last_use() -> None:
    async with served() as api:
        for _ in range(2):
            await api.call(endpoint("GET /requests"))
        assert api.memory.days == [NOW.date(), NOW.date()]  # the fake key never learns of it


async def test_a_key_has_a_pace() -> None:
    async with served() as api:
        api.memory.left = 1
        assert (await api.call(endpoint("GET /requests")))[0] == 200
        status, answer = await api.call(endpoint("GET /requests"))
        assert (status, answer["code"]) == (429, "too_many")


async def test_no_other_site_gets_an_answer() -> None:
    """No CORS, no cookie, nothing kept by anybody between."""
    async with served() as api:
        token = api.memory.key(*SCOPES)
        headers = {"Origin": "https://evil.example", "Authorization": f"Bearer {token}", "X-Purpose": "a look"}
        for method, path in (
            ("OPTIONS", "/messages"),
            ("GET", "/requests"),
            ("HEAD", "/requests"),
            ("GET", "/nowhere"),
        ):
            async with api.client.request(method, BASE + path, headers=headers) as answer:
                assert not [name for name in answer.headers if name.lower().startswith("access-control")]
                assert answer.headers["Cache-Control"] == "no-store"
                assert "Set-Cookie" not in answer.headers
                expected = {"/requests": 200, "/nowhere": 404}.get(path, 405)
                assert answer.status == (405 if method == "HEAD" else expected)
        assert api.do.calls == ["requests"]


# -- reasons ------------------------------------------------------------------------------------------------------------------


@every_read
async def test_what_reads_personal_data_says_why_and_is_noted(one: Endpoint) -> None:
    async with served() as api:
        for wrong in ("", "ab", "x" * 121, "for <script>", f"calling {NUMBER}", "Anabela Exemplo\u00e9"):
            status, answer = await api.call(one, **{"X-Purpose": wrong})
            assert (status, answer["code"]) == (400, "purpose_missing"), wrong
        assert (api.do.calls, api.memory.noted) == ([], [])
        assert (await api.call(one))[0] == 200
        [row] = api.memory.noted
        assert (row["by"], row["name"], row["what"], row["why"]) == ("00000001", "shop", one.name, "answering a letter")
        assert row["subject"] == ("" if one.name == "GET /requests" else REF)


@every_read
async def test_nothing_personal_leaves_that_the_log_does_not_have(one: Endpoint) -> None:
    async with served() as api:
        api.memory.log_fails = True
        status, answer = await api.call(one)
        assert (status, answer["code"]) == (503, "not_now")
        assert REF not in json.dumps(answer)


# -- bodies -------------------------------------------------------------------------------------------------------------------


@every_post
@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        pytest.param(b"{}", "text/plain", (415, "not_json_type"), id="no JSON by its type"),
        pytest.param(b"{", "application/json", (400, "not_json"), id="half a body"),
        pytest.param(b"\xff\xfe{}", "application/json", (400, "not_json"), id="no UTF-8"),
        pytest.param(b'{"subject": "a", "subject": "b"}', "application/json", (400, "not_json"), id="a name twice"),
        pytest.param(b'{"x": NaN}', "application/json", (400, "not_json"), id="no number"),
        pytest.param(b'{"x": 1e999}', "application/json", (400, "not_json"), id="a number without an end"),
        pytest.param(
            b'{"x": ' + b"9" * 5000 + b"}", "application/json", (400, "not_json"), id="a number of many digits"
        ),
        pytest.param(b'{"x": "\\u0000"}', "application/json", (400, "not_json"), id="a control character"),
        pytest.param(b'{"x": "\\ud800"}', "application/json", (400, "not_json"), id="half a character"),
        pytest.param(b"[" * 60_000, "application/json", (400, "not_json"), id="nested beyond reason"),
        pytest.param(b" " * 65_537, "application/json", (413, "too_large"), id="too long"),
        pytest.param(b"[]", "application/json", (422, "invalid"), id="a list"),
        pytest.param(b'{"evil": 1}', "application/json", (422, "invalid"), id="an unknown name"),
    ],
)
async def test_a_body_that_is_none_is_refused(
    one: Endpoint, content: bytes, kind: str, expected: tuple[int, str]
) -> None:
    async with served() as api:
        headers = {
            "Authorization": f"Bearer {api.memory.key(*SCOPES)}", "Content-Type": kind, "Idempotency-Key": "refused-1",
            "X-Purpose": "a letter",
        }  # fmt: skip
        path = BASE + one.path.format(request=REF)
        async with api.client.request("POST", path, data=content, headers=headers) as answer:
            found = await answer.json(content_type=None)
            assert (answer.status, found["code"]) == expected
            assert answer.content_type == "application/problem+json"
            assert "evil" not in json.dumps(found)
        assert api.do.calls == []
        assert api.memory.rows == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
"""Whatever JSON can say."""


async def _any_body(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from([one for one in ENDPOINTS if one.method == "POST"]))
    good = dict(GOOD[one.path])
    changed = data.draw(st.dictionaries(st.sampled_from([*good, "subject", "address", "x"]), JSON, max_size=3))
    body = data.draw(st.just({**good, **changed}) | JSON)
    async with served() as api:
        status, answer = await api.call(one, body=body)
        assert status in (one.status, 400, 422), (status, answer)
        if status != one.status:
            assert answer["code"] in ("invalid", "not_json")
            assert NUMBER not in json.dumps(answer)
            assert api.do.calls == []


def test_whatever_is_sent_is_taken_or_refused_and_never_breaks_anything(caplog: pytest.LogCaptureFixture) -> None:
    """Changed bodies and any JSON at all: an answer of ours, no 500, nothing done, nothing said back, nothing logged."""
    with caplog.at_level(logging.DEBUG):

        @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
        @given(st.data())
        def run(data: st.DataObject) -> None:
            asyncio.run(_any_body(data))

        run()
    assert [one for one in caplog.records if one.name.startswith("bot.")] == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("POST /messages", {"text": WORDS}, id="template and text"),
        pytest.param("POST /messages", {"template": None}, id="neither template nor text"),
        pytest.param("POST /messages", {"address": NUMBER}, id="reference and address"),
        pytest.param("POST /messages", {"values": [WORDS] * 21}, id="too many values"),
        pytest.param("POST /messages", {"values": ["two\nlines"]}, id="a value of two lines"),
        pytest.param("POST /messages", {"values": ["  "]}, id="a value of blanks"),
        pytest.param("POST /messages", {"template": None, "values": [], "text": " \n "}, id="a text of blanks"),
        pytest.param("POST /flows", {"inputs": {"n": 2**60}}, id="a number that no document can hold"),
        pytest.param(
            "POST /opt-ins", {"page": "https://shop.example/news?email=ana@example.org"}, id="a page with a query"
        ),
        pytest.param("POST /opt-ins", {"page": "http://shop.example/"}, id="a page without TLS"),
        pytest.param("POST /opt-ins", {"purposes": []}, id="no purpose"),
        pytest.param("POST /opt-ins", {"wording": "yes"}, id="no wording to speak of"),
        pytest.param("POST /rights/erase", {"received_at": "2026-05-04T12:00:00"}, id="a time without its zone"),
        pytest.param("POST /rights/erase", {"received_at": 1777896000}, id="a time as a number"),
        pytest.param("POST /requests", {"kind": "gift"}, id="a kind that is none"),
        pytest.param("POST /requests/{request}/moves", {"step": "answered"}, id="a step that is none"),
    ],
)
async def test_a_wrong_field_is_named_and_not_quoted(name: str, change: dict[str, Any]) -> None:
    async with served() as api:
        one = endpoint(name)
        status, answer = await api.call(one, body={**GOOD[one.path], **change})
        assert (status, answer["code"]) == (422, "invalid")
        assert answer["errors"]
        assert all(one["reason"] for one in answer["errors"])
        said = json.dumps(answer)
        assert [one for one in (NUMBER, WORDS, "ana@example", "gift") if one in said] == []


@every_read
async def test_who_tries_numbers_stands_in_the_log(one: Endpoint) -> None:
    """A look that found nobody is noted as well: many of them are somebody who tries numbers."""
    async with served() as api:
        api.do.fails = Problem("no_person")
        assert (await api.call(one))[0] == 404
        assert [(row["what"], row["subject"]) for row in api.memory.noted] == [(one.name, "")]


async def test_an_address_line_holds_nothing_but_what_is_declared() -> None:
    async with served() as api:
        headers = {"Authorization": f"Bearer {api.memory.key(*SCOPES)}", "X-Purpose": "a letter"}
        for query in (f"?address={NUMBER}", "?state=gone", "?state=open&state=all"):
            async with api.client.get(f"{BASE}/requests{query}", headers=headers) as answer:
                found = await answer.json(content_type=None)
                assert (answer.status, found["code"], NUMBER[1:] in json.dumps(found)) == (422, "invalid", False)
        for path in (f"/subjects/{NUMBER}/consents", "/requests/1", f"/messages/{REF}"):
            async with api.client.get(BASE + path, headers=headers) as answer:
                assert answer.status == 404
        assert api.do.calls == []


# -- once ---------------------------------------------------------------------------------------------------------------------


@every_post
@pytest.mark.parametrize("key", ["", "short", "with space", "x" * 201, "schlüssel"])
async def test_a_post_without_a_key_of_its_own_is_refused(one: Endpoint, key: str) -> None:
    async with served() as api:
        status, answer = await api.call(one, **{"Idempotency-Key": key})
        assert (status, answer["code"]) == (400, "key_missing")
        assert api.do.calls == []


@every_change
async def test_the_same_again_is_answered_alike_and_done_once(one: Endpoint) -> None:
    async with served() as api:
        first = await api.call(one, **{"Idempotency-Key": "order-4711"})
        again = await api.call(one, **{"Idempotency-Key": "order-4711"})
        assert first == again
        assert first[0] == one.status
        assert len(api.do.calls) == 1


@every_post
async def test_a_key_that_comes_with_another_body_is_refused(one: Endpoint) -> None:
    async with served() as api:
        await api.call(one, **{"Idempotency-Key": "order-4711"})
        done = len(api.do.calls)
        other = {"step": "cancel"} if one.path.endswith("/moves") else {**GOOD[one.path]}
        if "address" in other:
            other["address"] = "+15550100189"
        elif "subject" in other:
            other["subject"] = "c" * 32
        elif "label" in other:
            other["label"] = "Something else"
        status, answer = await api.call(one, body=other, **{"Idempotency-Key": "order-4711"})
        assert (status, answer["code"]) == (422, "key_reused")
        assert len(api.do.calls) == done


@every_change
async def test_two_at_the_same_time_are_one(one: Endpoint) -> None:
    async with served() as api:
        api.do.slow = 0.1
        answers = await asyncio.gather(*(api.call(one, **{"Idempotency-Key": "order-4711"}) for _ in range(5)))
        assert all(found == answers[0] for found in answers)
        assert answers[0][0] == one.status
        assert len(api.do.calls) == 1


async def test_order_and_blanks_of_a_body_do_not_make_it_another() -> None:
    async with served() as api:
        one = endpoint("POST /withdrawals")
        first = await api.call(one, body={"address": NUMBER, "scope": "all"}, **{"Idempotency-Key": "order-4711"})
        again = await api.call(one, body={"scope": "all", "address": NUMBER}, **{"Idempotency-Key": "order-4711"})
        assert first == again


async def test_two_keys_may_use_the_same_word() -> None:
    async with served() as api:
        one = endpoint("POST /withdrawals")
        await api.call(one, **{"Idempotency-Key": "order-4711"})
        other = api.memory.key(*SCOPES, key_id="00000002")
        assert (await api.call(one, **{"Idempotency-Key": "order-4711", "Authorization": f"Bearer {other}"}))[0] == 202
        assert len(api.do.calls) == 2


async def test_a_refusal_is_kept_and_a_failure_is_not() -> None:
    """What the gate refused stays refused under that key; what could not be done now is done when it comes again."""
    async with served() as api:
        one = endpoint("POST /messages")
        api.do.fails = Problem("refused", reason="no_consent")
        first = await api.call(one, **{"Idempotency-Key": "refused-1"})
        api.do.fails = None
        assert first == await api.call(one, **{"Idempotency-Key": "refused-1"})
        assert (first[0], first[1]["reason"]) == (409, "no_consent")
        for failure, status in ((RetryLater("the database"), 503), (ZeroDivisionError(WORDS), 500)):
            api.do.fails = failure
            found = await api.call(one, **{"Idempotency-Key": f"failed-{status}"})
            assert found[0] == status
            assert WORDS not in json.dumps(found[1])
            api.do.fails = None
            assert (await api.call(one, **{"Idempotency-Key": f"failed-{status}"}))[0] == 202


async def test_a_defect_is_logged_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as api:
        api.do.fails = ValueError(f"cannot send {WORDS} to {NUMBER}")
        with caplog.at_level(logging.DEBUG, logger="bot"):
            for one in ENDPOINTS:
                assert (await api.call(one))[0] == 500
    said = "".join(json.dumps(one.__dict__, default=str) for one in caplog.records if one.name.startswith("bot."))
    assert "ValueError" in said
    assert [one for one in (WORDS, NUMBER, NUMBER[1:], "order-4711", REF) if one in said] == []


async def test_a_key_ends_with_its_day() -> None:
    async with served() as api:
        token = api.memory.key(*SCOPES, until=NOW + A_DAY)
        api.memory.key(*SCOPES, key_id="00000002")
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": "a letter"}
        for days, status in ((0, 200), (1, 401)):
            api.clock.time = NOW + days * A_DAY
            async with api.client.get(f"{BASE}/requests", headers=headers) as answer:
                assert answer.status == status
