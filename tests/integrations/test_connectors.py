"""Calls to the business's systems: declared fields only, bounded, never into our own network unasked."""

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from yarl import URL

from bot.domain.business import Business
from bot.domain.command import Call
from bot.domain.ids import CommandId
from bot.integrations import extensions
from bot.integrations.addresses import Pinned, is_public, pinned
from bot.integrations.connectors import HttpConnectors
from tests.privacy.sample import BUSINESS_PLAIN


@dataclass
class Shop:
    """The other side; `answer` decides what it says."""

    answer: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        self.asked.append(
            {"path": request.path, "query": dict(request.query), "body": body, "headers": dict(request.headers)}
        )
        result = self.answer(len(self.asked)) if callable(self.answer) else self.answer
        return await result if asyncio.iscoroutine(result) else result


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    one = Shop()
    application = web.Application()
    application.add_routes([web.route("*", "/{rest:.*}", one.handle)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def connectors(session: aiohttp.ClientSession, address: str, *, local: bool = True, **secrets: str) -> HttpConnectors:
    actions = {
        "find": {"method": "POST", "path": "/orders/find", "send": ["number"], "receive": ["status", "rows"]},
        "read": {
            "method": "GET",
            "path": "/orders/{number}",
            "send": ["number", "depth"],
            "receive": ["status"],
            "retries": 2,
        },
    }
    shop = {"address": address, "local": local, "secret": "crm", "actions": actions}
    business = Business.model_validate({**BUSINESS_PLAIN, "connectors": {"shop": shop}})
    given = {"crm": "key", **secrets}
    return HttpConnectors(business, session, {name: SecretStr(value) for name, value in given.items() if value})


def call(action: str = "shop.find", *, retries: int = 0, seconds: float = 5, once: str = "", **arguments: Any) -> Call:
    return Call(CommandId("c" * 32), action, arguments, ("status",), timedelta(seconds=seconds), retries, once)


async def test_only_declared_fields_go_out_and_come_in(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = web.json_response({"status": "sent", "customer": "Ana", "rows": [{"a": 1}, {"b": {"deep": 1}}]})
    result = await connectors(session, shop.url, crm="key").call(call(number="CL1", postcode="1100"))

    assert (result.outcome, dict(result.values)) == ("ok", {"status": "sent", "rows": [{"a": 1}, {}]})
    assert shop.asked[0]["body"] == {"number": "CL1"}
    assert shop.asked[0]["headers"]["Authorization"] == "Bearer key"
    assert shop.asked[0]["headers"]["Idempotency-Key"] == "c" * 32


async def test_a_field_in_the_path_cannot_leave_it(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = web.json_response({"status": "sent"})
    await connectors(session, shop.url).call(call("shop.read", number="../admin?x=1", depth=2))

    assert shop.asked[0]["path"] == "/orders/../admin?x=1"  # one segment, escaped on the wire
    assert shop.asked[0]["query"] == {"depth": "2"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(404, "not_found"), (400, "refused"), (401, "refused"), (500, "failed"), (302, "failed"), (503, "failed")],
)
async def test_what_the_other_side_answers_becomes_an_outcome(
    shop: Shop, session: aiohttp.ClientSession, status: int, outcome: str
) -> None:
    shop.answer = web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})
    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == outcome


@pytest.mark.parametrize("body", [b"no json", b"[1]", b'"text"', b"x" * 70_000])
async def test_a_strange_or_huge_answer_is_a_failure(shop: Shop, session: aiohttp.ClientSession, body: bytes) -> None:
    shop.answer = web.Response(body=body)
    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == "failed"


async def test_a_slow_system_is_cut_off(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = lambda _: asyncio.sleep(2)
    assert (await connectors(session, shop.url).call(call(number="1", seconds=0.1))).outcome == "slow"


async def test_reads_are_repeated_and_writes_without_a_key_are_not(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = lambda times: web.json_response({"status": "sent"}, status=200 if times > 1 else 500)
    known = connectors(session, shop.url)

    assert (await known.call(call("shop.read", retries=2, number="1"))).outcome == "ok"
    assert len(shop.asked) == 2
    shop.asked.clear()
    shop.answer = lambda _: web.Response(status=500)
    assert (await known.call(call(retries=2, number="1"))).outcome == "failed"
    assert len(shop.asked) == 1
    assert (await known.call(call(retries=1, once="k1", number="1"))).outcome == "failed"
    assert len(shop.asked) == 3
    assert shop.asked[-1]["headers"]["Idempotency-Key"] == "k1"


PRIVATE = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - refused here
    "224.0.0.1",
    "255.255.255.255",
    "2130706433",
    "0x7f.1",
    "[::ffff:10.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::7f00:1]",
    "[fc00::1]",
    "[fd12::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a00:1]",
    "[2002:7f00:1::]",
    "[2001:0:0:0:0:0:f5ff:fffe]",
    "[::]",
    "no-such-host.invalid",
]


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_private_address_is_refused_unless_it_is_meant(session: aiohttp.ClientSession, host: str) -> None:
    assert await pinned(f"https://{host}:9") is None
    assert (await connectors(session, f"https://{host}:9", local=False).call(call(number="1"))).outcome == "failed"


@pytest.mark.parametrize(
    "address",
    ["https://ana:key@93.184.216.34", "ftp://93.184.216.34", "https://", "https://[", "https://93.184.216.34:99999"],
)
async def test_an_address_that_is_none_is_refused(address: str) -> None:
    assert await pinned(address) is None


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def answers(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """A name server that says something else each time; the names it was asked for."""
    asked: list[str] = []

    async def looked_up(_: object, host: str, port: int, **__: object) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", (one, port)) for one in rounds[min(len(asked), len(rounds)) - 1]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", looked_up)
    return asked


async def test_one_private_place_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["93.184.216.34", "10.0.0.1"])

    assert await pinned("https://shop.example") is None


async def test_a_name_that_changes_its_mind_gains_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is looked up once, and the connection goes to what was judged."""
    shop.answer = web.json_response({"status": "sent"})
    asked = answers(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    reached: list[str] = []

    async def connected(_: object, request: aiohttp.ClientRequest, *__: object, **___: object) -> Any:
        reached.append(f"{request.url.host} {request.server_hostname} {request.headers['Host']}")
        raise aiohttp.ClientConnectionError

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", connected)
    async with aiohttp.ClientSession() as session:
        port = shop.url.rpartition(":")[2]
        result = await connectors(session, f"https://shop.example:{port}", local=False).call(call(number="1"))

    assert result.outcome == "failed"
    assert asked == ["shop.example"]
    assert reached == [f"93.184.216.34 shop.example shop.example:{port}"]
    assert shop.asked == []


def certificate(folder: Path, name: str) -> Path:
    """A certificate of a name with its key, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("named", "outcome"),
    [
        pytest.param("shop.example", "ok", id="the name it is called by"),
        pytest.param("other.example", "failed", id="another name"),
    ],
)
async def test_the_certificate_must_be_of_the_name_although_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, outcome: str
) -> None:
    file = certificate(tmp_path, "shop.example")
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context(cafile=str(file))
    theirs.load_cert_chain(file)
    shop = Shop(answer=web.json_response({"status": "sent"}))
    application = web.Application()
    application.add_routes([web.route("*", "/{rest:.*}", shop.handle)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=theirs).start()
    at = URL(f"https://127.0.0.1:{runner.addresses[0][1]}")

    async def judged(address: str, *, local: bool) -> Pinned:
        assert (URL(address).host, local) == (named, False)
        return Pinned(at, named, named)

    monkeypatch.setattr("bot.integrations.connectors.reached", judged)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ours)) as session:
        result = await connectors(session, f"https://{named}", local=False).call(call(number="1"))
    await runner.cleanup()

    assert result.outcome == outcome
    assert [one["headers"]["Host"] for one in shop.asked] == ([named] if outcome == "ok" else [])


async def test_a_redirect_is_not_followed(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = web.Response(status=307, headers={"Location": shop.url + "/elsewhere"})

    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == "failed"
    assert len(shop.asked) == 1


async def test_a_missing_secret_sends_nothing(shop: Shop, session: aiohttp.ClientSession) -> None:
    assert (await connectors(session, shop.url, crm="").call(call(number="1"))).outcome == "failed"
    assert shop.asked == []


async def test_an_answer_in_many_pieces_is_read_whole(shop: Shop, session: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"stat', b'us": "se', b'nt"}'):
            yield piece
            await asyncio.sleep(0)

    shop.answer = lambda _: web.Response(body=pieces())
    result = await connectors(session, shop.url).call(call(number="1"))

    assert (result.outcome, dict(result.values)) == ("ok", {"status": "sent"})


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_a_failure(
    shop: Shop, session: aiohttp.ClientSession
) -> None:
    packed = gzip.compress(b'{"status": "' + b"x" * 5_000_000 + b'"}')
    shop.answer = web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == "failed"


@pytest.mark.parametrize("status", [408, 425, 429])
async def test_a_refusal_that_passes_is_tried_again(shop: Shop, session: aiohttp.ClientSession, status: int) -> None:
    shop.answer = lambda times: web.json_response({"status": "sent"}, status=200 if times > 1 else status)

    assert (await connectors(session, shop.url).call(call("shop.read", retries=1, number="1"))).outcome == "ok"


# -- in Python ------------------------------------------------------------------------------------------------------------


def in_python(monkeypatch: pytest.MonkeyPatch, session: aiohttp.ClientSession, offered: Any) -> HttpConnectors:
    """A connector that a package offers as `crm`."""
    known = {"crm": offered}
    monkeypatch.setattr(extensions, "extension", known.get)
    shop = {"python": "crm", "actions": {"find": {"send": ["number"], "receive": ["status"]}}}
    business = Business.model_validate({**BUSINESS_PLAIN, "connectors": {"shop": shop}})
    return HttpConnectors(business, session, {})


async def test_a_connector_in_python_is_kept_to_the_declared_fields(
    monkeypatch: pytest.MonkeyPatch, session: aiohttp.ClientSession
) -> None:
    asked: list[Any] = []

    async def crm(action: str, fields: Any, key: str) -> Any:
        asked.append((action, dict(fields), key))
        return {"status": "x" * 5000, "customer": "Ana"}

    result = await in_python(monkeypatch, session, crm).call(call(once="k1", number="CL1", postcode="1100"))

    assert asked == [("find", {"number": "CL1"}, "k1")]
    assert (result.outcome, list(result.values), len(result.values["status"])) == ("ok", ["status"], 1024)


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        pytest.param(extensions.NotFound(), "not_found", id="there is none"),
        pytest.param(extensions.Refused(), "refused", id="it will not"),
        pytest.param(RuntimeError("Ana Silva"), "failed", id="a defect"),
        pytest.param(TimeoutError(), "slow", id="too slow"),
    ],
)
async def test_what_a_connector_in_python_raises_becomes_an_outcome(
    monkeypatch: pytest.MonkeyPatch,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    outcome: str,
) -> None:
    async def crm(*_: Any) -> Any:
        raise raised

    assert (await in_python(monkeypatch, session, crm).call(call(number="1"))).outcome == outcome
    assert "Ana" not in caplog.text


@pytest.mark.parametrize(
    ("once", "times"), [pytest.param("", 1, id="without a key"), pytest.param("k1", 3, id="with a key")]
)
async def test_a_connector_in_python_is_asked_again_only_with_a_key(
    monkeypatch: pytest.MonkeyPatch, session: aiohttp.ClientSession, once: str, times: int
) -> None:
    asked: list[str] = []

    async def crm(_: str, __: Any, key: str) -> Any:
        asked.append(key)
        raise RuntimeError

    await in_python(monkeypatch, session, crm).call(call(retries=2, once=once, number="1"))

    assert len(asked) == times
    assert len(set(asked)) == 1


async def test_a_connector_that_is_not_installed_or_answers_nonsense_fails(
    monkeypatch: pytest.MonkeyPatch, session: aiohttp.ClientSession
) -> None:
    async def nonsense(*_: Any) -> Any:
        return [1]

    assert (await in_python(monkeypatch, session, None).call(call(number="1"))).outcome == "failed"
    assert (await in_python(monkeypatch, session, nonsense).call(call(number="1"))).outcome == "failed"


def test_a_connector_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    here = EntryPoint("mine", f"{__name__}:in_python", extensions.GROUP)
    broken = EntryPoint("broken", "no_such_module:x", extensions.GROUP)
    monkeypatch.setattr(
        extensions, "entry_points", lambda **wanted: [one for one in (here, broken) if one.name == wanted["name"]]
    )
    extensions.extension.cache_clear()

    assert extensions.extension("mine") is in_python
    assert extensions.extension("broken") is None
    assert extensions.extension("none") is None
    extensions.extension.cache_clear()


@pytest.mark.parametrize(
    "connector",
    [
        pytest.param({"actions": {}}, id="neither way"),
        pytest.param({"address": "https://x.example", "python": "crm", "actions": {}}, id="both ways"),
        pytest.param({"address": "http://x.example", "actions": {}}, id="in the clear over the internet"),
        pytest.param({"address": "https://x.example", "actions": {"find": {}}}, id="an action that leads nowhere"),
    ],
)
def test_a_connector_that_cannot_work_is_refused_when_it_is_written(connector: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"connector|address|path"):
        Business.model_validate({**BUSINESS_PLAIN, "connectors": {"shop": connector}})


async def test_nobody_there_and_unknown_actions_are_failures(session: aiohttp.ClientSession) -> None:
    known = connectors(session, "http://127.0.0.1:9")

    assert (await known.call(call(number="1"))).outcome == "failed"
    assert (await known.call(call("shop.nothing"))).outcome == "failed"
    assert (await known.call(call("nobody.find"))).outcome == "failed"
