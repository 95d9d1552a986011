"""The REST API on a whole bot: what the business's systems ask for goes the way of the chat and the commands, and no other."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app.compose import Bot, open_bot
from bot.domain.errors import RetryLater
from bot.privacy.access import SCOPES, ApiKey, token_of
from bot.settings import read_settings
from bot.storage.api_answers import MongoAnswers
from bot.storage.api_keys import MongoApiKeys
from tests.e2e import traces
from tests.e2e.served import environment, shop_project
from tests.e2e.standin import Someone, Standin, texts

pytestmark = pytest.mark.timeout(120)

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")
NUMBERS = (f"+155501001{number}" for number in count(30))
WORDING = "Yes, Casa Lua may send me its newsletter on WhatsApp, four times a month. [ ] Yes, please"
NEWS = "teal lamps, and a workshop"


@dataclass
class Shop:
    """A system of the business that talks to a running bot."""

    bot: Bot
    meta: Standin
    session: aiohttp.ClientSession
    token: str
    names: tuple[str, str]
    uri: str
    _calls: Any = field(default_factory=count)

    async def post(self, path: str, body: dict[str, Any], *, once: str = "") -> tuple[int, Any]:
        headers = {**self._headers(), "Idempotency-Key": once or f"shop-{next(self._calls):08}"}
        async with self.session.post(self._url(path), json=body, headers=headers) as answer:
            return answer.status, await _content(answer)

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(self._url(path), headers=self._headers()) as answer:
            return answer.status, await _content(answer)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "X-Purpose": "customer service, letter"}

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.bot.web_port}/api/v1{path}"

    def rows(self, collection: str) -> list[dict[str, Any]]:
        return [row for name, row in traces.documents(self.uri, self.names) if name == collection]

    async def became(self, message: str, *wanted: str) -> Any:
        """The status of a message, once it is one of these."""
        for _ in range(200):
            _, found = await self.get(f"/messages/{message}")
            if found["status"] in wanted:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(found)

    async def subscribed(self, person: Someone = ANA) -> str:
        """Lets a person agree to the newsletter in the chat; returns their reference."""
        await self.meta.say(person, "newsletter")
        await self.meta.hears(person, "at most four")
        await self.meta.tap(person, "Yes, please")
        await self.meta.hears(person, "confirm once more")
        await self.meta.tap(person, "Confirm")
        await self.meta.hears(person, "you are on the list")
        _, found = await self.post("/subjects/lookup", {"address": person.phone})
        return str(found["subject"])


async def _content(answer: aiohttp.ClientResponse) -> Any:
    raw = await answer.read()
    return raw if answer.content_type == "application/zip" else json.loads(raw)


@pytest.fixture
async def shop(mongo_uri: str, database_name: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Standin() as meta, aiohttp.ClientSession() as session:
        project = shop_project(tmp_path / "shop", 9)
        values = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
        values |= {"RECADO_WEB__PORT": "0", "RECADO_ADMIN__PORT": "0"}
        async with open_bot(read_settings(values, folder=tmp_path)) as bot:
            meta.webhook = f"http://127.0.0.1:{bot.web_port}/webhooks/whatsapp"
            secret = b"s" * 32
            hashed = bot.keyring.api_key_hash("5d1c0a7e", secret.hex())
            await MongoApiKeys(bot.mongo).add(ApiKey("5d1c0a7e", "shop", tuple(SCOPES), hashed, bot.clock.now()))
            names = (database_name, f"{database_name}_vault")
            yield Shop(bot, meta, session, token_of("5d1c0a7e", secret), names, mongo_uri)


async def test_a_consent_is_seen_used_and_withdrawn(shop: Shop) -> None:
    """Given in the chat, used by the shop's system, withdrawn in its preference centre: nothing is sent after that."""
    subject = await shop.subscribed()
    status, found = await shop.get(f"/subjects/{subject}/consents")
    [newsletter] = [one for one in found["purposes"] if one["purpose"] == "newsletter"]
    assert (status, newsletter["state"], found["stopped"]) == (200, "given", [])
    assert newsletter["proof"] in {row["_id"] for row in shop.rows("ledger")}

    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    status, sent = await shop.post("/messages", news, once="news-2026-05")
    assert status == 202
    await shop.meta.hears(ANA, NEWS)
    assert (await shop.became(sent["message"], "accepted"))["reason"] == ""
    assert await shop.post("/messages", news, once="news-2026-05") == (202, sent)

    assert await shop.post("/withdrawals", {"address": ANA.phone, "scope": "newsletter"}) == (
        202,
        {"status": "accepted"},
    )
    _, after = await shop.get(f"/subjects/{subject}/consents")
    assert [one["state"] for one in after["purposes"] if one["purpose"] == "newsletter"] == ["withdrawn"]
    assert after["stopped"] == ["newsletter"]
    status, refused = await shop.post("/messages", news)
    assert (status, refused["code"], refused["reason"]) == (409, "refused", "stopped")
    await asyncio.sleep(0.5)
    assert len([one for one in shop.meta.to(ANA) if NEWS in texts(one)]) == 1
    kinds = {row["event_type"] for row in shop.rows("ledger")}
    assert {"withdrawn", "objected"} <= kinds
    reads = [(row["what"], row.get("subject_ref", "")) for row in shop.rows("access_log")]
    assert reads.count(("GET /subjects/{subject}/consents", subject)) == 2
    assert traces.strangers(shop.uri, shop.names) == []


async def test_a_text_goes_out_within_the_window_with_the_way_out(shop: Shop) -> None:
    subject = await shop.subscribed()
    status, _ = await shop.post(
        "/messages", {"subject": subject, "purpose": "support", "text": "Your {repair} is ready."}
    )
    assert status == 202
    body = await shop.meta.hears(ANA, "Your {repair} is ready.")
    assert "To get no more messages like this, write STOP." in texts(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"purpose": "gifts", "template": "monthly_news", "values": [NEWS]}, (409, "not_offered"), id="an unknown purpose"),
        pytest.param({"purpose": "support", "template": "monthly_news", "values": [NEWS]}, (409, "not_offered"), id="another's template"),
        pytest.param({"purpose": "newsletter", "template": "monthly_news"}, (422, "invalid"), id="a value too few"),
        pytest.param({"purpose": "newsletter", "text": NEWS}, (409, "refused"), id="advertising without a consent"),
    ],
)  # fmt: skip
async def test_what_is_not_declared_or_not_agreed_to_is_not_sent(
    shop: Shop, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    await shop.meta.say(ANA, "hello")
    await shop.meta.until(ANA, 1)
    status, answer = await shop.post("/messages", {"address": ANA.phone, **body})
    assert (status, answer["code"]) == expected
    assert NEWS not in json.dumps(answer)
    await asyncio.sleep(0.3)
    assert not [one for one in shop.meta.to(ANA) if NEWS in texts(one)]


async def test_a_sign_up_of_another_website_needs_the_yes_on_the_phone(shop: Shop) -> None:
    asked = {
        "number": ANA.phone, "purposes": ["newsletter"], "language": "en", "wording": WORDING, "label": "Yes, please",
        "page": "https://shop.example/news",
    }  # fmt: skip
    assert await shop.post("/opt-ins", asked, once="form-1-of-ana") == (202, {"status": "accepted"})
    [template] = await shop.meta.until(ANA, 1)
    assert template["template"]["name"] == "confirm_sign_up"
    assert await shop.post("/opt-ins", asked, once="form-1-of-ana") == (202, {"status": "accepted"})
    await shop.meta.say(ANA, "yes")
    for _ in range(200):
        if [row for row in shop.rows("ledger") if row["event_type"] == "confirmed"]:
            break
        await asyncio.sleep(0.05)
    [asked_for] = [row for row in shop.rows("ledger") if row["event_type"] == "requested"]
    assert asked_for["source"] == "api https://shop.example/news"
    assert len(shop.rows("opt_in_requests")) == 1


async def test_a_suppressed_number_is_like_an_unknown_one(shop: Shop) -> None:
    """The same status and body for a number that stopped and was erased, one nobody knows, and one that is known."""
    await shop.subscribed()
    stopped, unknown = next(NUMBERS), next(NUMBERS)
    assert (await shop.post("/withdrawals", {"address": stopped}))[0] == 202
    assert shop.rows("suppressions")
    answers = []
    for number in (stopped, unknown, ANA.phone):
        asked = {
            "number": number, "purposes": ["newsletter"], "language": "en", "wording": WORDING, "label": "Yes, please",
            "page": "https://shop.example/news",
        }  # fmt: skip
        answers.append([await shop.post("/opt-ins", asked), await shop.post("/withdrawals", {"address": number})])
    assert answers[0] == answers[1] == answers[2]
    news = {"purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    for path, body in (("/subjects/lookup", {}), ("/messages", news), ("/rights/erase", {}), ("/rights/export", {})):
        found = [await shop.post(path, {"address": number, **body}) for number in (stopped, unknown)]
        assert found[0] == found[1]
        assert found[0][1]["code"] == "no_person"
    for _ in range(100):
        if all(row["state"] != "asked" for row in shop.rows("opt_in_requests")):
            break
        await asyncio.sleep(0.05)
    assert [one for one in shop.meta.sent if one.get("to") == stopped] == []


async def test_rights_are_exercised_as_by_command(shop: Shop) -> None:
    subject = await shop.subscribed()
    status, document = await shop.post("/rights/export", {"subject": subject})
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(document)) as packed:
        assert ANA.phone in json.loads(packed.read("my-data.json"))["numbers"]
        assert "consent-newsletter.html" in packed.namelist()
    await _settled(shop, 1)
    status, opened = await shop.post(
        "/requests", {"subject": subject, "kind": "access", "received_at": "2026-01-15T09:00:00Z"}
    )
    assert status == 202
    request = await _registered(shop, opened["request"])
    assert (request["kind"], request["state"], request["subject"]) == ("access", "received", subject)
    assert request["received_at"].startswith("2026-01-15")
    assert await shop.post("/requests", {"address": ANA.phone, "kind": "access"}) == (202, opened)
    assert (await shop.post(f"/requests/{opened['request']}/moves", {"step": "go-on"}))[1]["code"] == "impossible"
    assert (await shop.post(f"/requests/{opened['request']}/moves", {"step": "extend"}))[1]["code"] == "invalid"
    _, answered = await shop.post(f"/requests/{opened['request']}/moves", {"step": "answer"})
    assert answered["state"] == "answered"

    status, done = await shop.post("/rights/restrict", {"subject": subject})
    assert status == 202
    await _registered(shop, done["request"], "answered")
    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    assert (await shop.post("/messages", news))[1]["reason"] == "restricted"
    assert (await shop.post("/rights/lift", {"subject": subject}))[0] == 202
    await shop.meta.hears(ANA, "no longer restricted")
    assert (await shop.post("/rights/rectify", {"subject": subject, "language": "tlh"}))[1]["code"] == "not_offered"
    assert (await shop.post("/rights/rectify", {"subject": subject, "language": "pt"}))[0] == 202
    await shop.meta.hears(ANA, "Passamos a escrever-lhe")
    status, last = await shop.post("/rights/object", {"subject": subject})
    assert status == 202
    assert (await shop.post("/messages", news))[1]["reason"] == "stopped"
    await _registered(shop, last["request"], "answered")
    _, every = await shop.get("/requests?state=all")
    assert sorted(one["kind"] for one in every["requests"]) == [
        "access",
        "access",
        "object",
        "rectify",
        "restrict",
        "restrict",
    ]
    assert (await shop.get("/requests"))[1]["requests"] == []


async def _settled(shop: Shop, count: int) -> None:
    """Waits until so many requests stand answered: the copy that was handed out is one."""
    for _ in range(200):
        _, found = await shop.get("/requests?state=answered")
        if len(found["requests"]) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def _registered(shop: Shop, request: str, state: str = "") -> Any:
    """The request, once it stands in the register and, where one is named, in that state."""
    for _ in range(200):
        status, found = await shop.get(f"/requests/{request}")
        if status == 200 and state in ("", found["state"]):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(request)


async def test_an_erasure_leaves_nothing_of_what_the_api_knew(shop: Shop) -> None:
    subject = await shop.subscribed()
    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    await shop.post("/messages", news)
    await shop.post("/rights/export", {"address": ANA.phone})
    status, _ = await shop.post("/rights/erase", {"subject": subject}, once="erase-ana-1")
    assert status == 202
    await shop.meta.hears(ANA, "deleted", within=60)
    assert (await shop.get(f"/subjects/{subject}/consents"))[0] == 404
    assert (await shop.post("/messages", news))[1]["code"] == "no_person"
    assert (await shop.post("/rights/erase", {"subject": subject}, once="erase-ana-1"))[0] == 202
    assert traces.found(shop.uri, shop.names, [ANA.phone, ANA.phone[1:], ANA.bsuid, ANA.name, NEWS]) == []
    assert traces.strangers(shop.uri, shop.names) == []


async def test_other_peoples_objects_are_not_there(shop: Shop) -> None:
    """A message is asked for with its own person; a reference that was guessed is nobody."""
    subject = await shop.subscribed()
    other = await shop.subscribed(Someone("Bruno Exemplo", "+15550100124", "US.20000000000000000001"))
    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    _, sent = await shop.post("/messages", news)
    command = sent["message"].partition("-")[2]
    await shop.became(sent["message"], "accepted")
    for message in (f"{other}-{command}", f"{'0' * 32}-{command}", f"{subject}-{'0' * 32}"):
        assert (await shop.get(f"/messages/{message}"))[1]["code"] == "not_found"
    for path in (f"/subjects/{'0' * 32}/consents", f"/requests/{'0' * 32}", f"/subjects/{subject[:8]}/consents"):
        assert (await shop.get(path))[0] == 404


async def test_a_flow_of_own_accord_passes_the_gate(shop: Shop) -> None:
    """The window is open, and still nobody asked for it: a STOP holds, and nothing is opened that would take the person's next words."""
    subject = await shop.subscribed()
    assert (await shop.post("/flows", {"subject": subject, "flow": "support"}))[0] == 202
    await shop.meta.hears(ANA, "What is it about?")
    await shop.meta.hears(ANA, "To get no more messages like this, write STOP.")
    before = len(shop.meta.to(ANA))
    assert (await shop.post("/withdrawals", {"subject": subject}))[0] == 202
    status, refused = await shop.post("/flows", {"subject": subject, "flow": "support"})
    assert (status, refused["code"], refused["reason"]) == (409, "refused", "stopped")
    await asyncio.sleep(0.5)
    assert len(shop.meta.to(ANA)) == before
    [stored] = shop.rows("conversations")
    assert not stored.get("frames")


async def test_a_flow_of_yours_is_started_and_a_built_in_one_is_not(shop: Shop) -> None:
    subject = await shop.subscribed()
    for flow in ("delete_me", "nowhere"):
        assert (await shop.post("/flows", {"subject": subject, "flow": flow}))[1]["code"] == "not_offered"
    wrong = await shop.post("/flows", {"subject": subject, "flow": "support", "inputs": {"topic": "x"}})
    assert wrong[1]["code"] == "invalid"


async def test_what_could_not_be_answered_is_done_once_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies, or its database does, after the message was queued and before the answer was kept."""
    subject = await shop.subscribed()
    kept = MongoAnswers.keep

    async def lost(*_: Any) -> None:
        raise RetryLater("the database cannot be reached")

    monkeypatch.setattr(MongoAnswers, "keep", lost)
    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    status, answer = await shop.post("/messages", news, once="news-2026-07")
    assert (status, answer["code"]) == (503, "not_now")
    await shop.meta.hears(ANA, NEWS)
    monkeypatch.setattr(MongoAnswers, "keep", kept)
    status, sent = await shop.post("/messages", news, once="news-2026-07")
    assert status == 202
    await shop.became(sent["message"], "accepted")
    assert len([one for one in shop.meta.to(ANA) if NEWS in texts(one)]) == 1


async def test_a_process_that_only_answers_leaves_the_work_to_another(
    mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    """`serve --web` beside `serve --work`: what the API takes in, the other process carries out."""
    async with Standin() as meta, aiohttp.ClientSession() as session:
        values = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9))
        settings = read_settings(values | {"RECADO_WEB__PORT": "0", "RECADO_ADMIN__PORT": "0"}, folder=tmp_path)
        async with open_bot(settings, work=False) as web, open_bot(settings, serve_web=False):
            meta.webhook = f"http://127.0.0.1:{web.web_port}/webhooks/whatsapp"
            hashed = web.keyring.api_key_hash("5d1c0a7e", "73" * 32)
            await MongoApiKeys(web.mongo).add(ApiKey("5d1c0a7e", "shop", tuple(SCOPES), hashed, web.clock.now()))
            names = (database_name, f"{database_name}_vault")
            shop = Shop(web, meta, session, token_of("5d1c0a7e", b"s" * 32), names, mongo_uri)
            subject = await shop.subscribed()
            news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
            assert (await shop.post("/messages", news))[0] == 202
            await meta.hears(ANA, NEWS)


async def test_posts_at_the_same_time_do_it_once(shop: Shop) -> None:
    """Ten at once under one key, through the real database: one message, one answer."""
    subject = await shop.subscribed()
    news = {"subject": subject, "purpose": "newsletter", "template": "monthly_news", "values": [NEWS]}
    answers = await asyncio.gather(*(shop.post("/messages", news, once="news-2026-06") for _ in range(10)))
    assert all(one == answers[0] for one in answers)
    assert answers[0][0] == 202
    await shop.became(answers[0][1]["message"], "accepted")
    assert len([one for one in shop.meta.to(ANA) if NEWS in texts(one)]) == 1
