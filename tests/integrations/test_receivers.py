"""News for the business's systems: signed, again until taken, and of nobody more than the reference."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from bot.domain.business import Receiver
from bot.domain.command import Notify
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import Address, Bsuid, CommandId, PersonId, PhoneNumber
from bot.integrations.receivers import SIGNATURE, HttpReceivers
from tests.storage.shelf import NOW

ROOT = Path(__file__).parents[2]
PERSON, REF = PersonId("a" * 32), "b" * 32
WITHDRAWN = Notify(CommandId("c" * 32), "consent.withdrawn", "newsletter", NOW)
ADDRESS = Address(PhoneNumber("+15550100188"), Bsuid("US.13491208655302741918"))


@dataclass
class Crm:
    """The other side; answers with `statuses` in turn, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[bytes, str]] = field(default_factory=list)

    @property
    def news(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.got]

    async def hear(self, request: web.Request) -> web.Response:
        self.got.append((await request.read(), request.headers[SIGNATURE]))
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 307 else {})


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    one = Crm()
    application = web.Application()
    application.add_routes([web.post("/{rest:.*}", one.hear)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    yield one
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def receivers(session: aiohttp.ClientSession, known: str = REF, **declared: Receiver) -> HttpReceivers:
    async def reference(_: PersonId) -> str:
        return known

    return HttpReceivers(declared, session, {"crm": SecretStr("a shared secret")}, reference)


def local(url: str, **more: Any) -> Receiver:
    return Receiver.model_validate({"address": url, "secret": "crm", "local": True, **more})


async def test_the_news_name_the_person_by_reference_alone(crm: Crm, session: aiohttp.ClientSession) -> None:
    await receivers(session, crm=local(crm.url)).notify(PERSON, WITHDRAWN, NOW)
    assert crm.news == [
        {"id": "c" * 32, "event": "consent.withdrawn", "subject": REF, "purpose": "newsletter", "occurred_at": NOW.isoformat()}
    ]  # fmt: skip


async def test_the_check_of_the_documentation_holds_and_finds_forgeries(
    crm: Crm, session: aiohttp.ClientSession
) -> None:
    """The function that docs/api.md gives to the reader, run as it stands there."""
    found = re.search(r"```python\n(def is_recado.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(found[1], names)  # noqa: S102 - our own page
    await receivers(session, crm=local(crm.url)).notify(PERSON, WITHDRAWN, NOW)
    [(body, header)] = crm.got
    check, at = names["is_recado"], NOW.timestamp()
    assert check(b"a shared secret", header, body, at)
    assert not check(b"another secret", header, body, at)
    assert not check(b"a shared secret", header, body.replace(b"withdrawn", b"given"), at)
    assert not check(b"a shared secret", header, body, at + 301)
    assert not check(b"a shared secret", header.replace("t=1", "t=2", 1), body, at)


@pytest.mark.parametrize("status", [304, 307, 400, 404, 410, 500, 503])
async def test_whatever_is_not_taken_comes_again(crm: Crm, session: aiohttp.ClientSession, status: int) -> None:
    """A redirect is followed by nobody: it may lead into somebody's own network."""
    crm.statuses = [status]
    told = receivers(session, crm=local(crm.url))
    with pytest.raises(RetryLater) as raised:
        await told.notify(PERSON, WITHDRAWN, NOW)
    assert REF not in str(raised.value)
    await told.notify(PERSON, WITHDRAWN, NOW)
    assert crm.news[0] == crm.news[1]
    assert len(crm.got) == 2


async def test_one_that_is_away_does_not_keep_the_others_from_hearing(crm: Crm, session: aiohttp.ClientSession) -> None:
    told = receivers(session, away=local("http://127.0.0.1:9/gone"), crm=local(crm.url))
    with pytest.raises(RetryLater, match="away did not take"):
        await told.notify(PERSON, WITHDRAWN, NOW)
    assert len(crm.got) == 1


async def test_a_receiver_hears_what_it_asked_for(crm: Crm, session: aiohttp.ClientSession) -> None:
    told = receivers(session, crm=local(crm.url, events=["consent.given"]))
    await told.notify(PERSON, WITHDRAWN, NOW)
    await told.erase(PERSON, ADDRESS, NOW)
    assert crm.got == []


async def test_the_news_of_an_erasure_says_what_to_delete(crm: Crm, session: aiohttp.ClientSession) -> None:
    await receivers(session, crm=local(crm.url)).erase(PERSON, ADDRESS, NOW)
    [news] = crm.news
    assert (news["event"], news["subject"], news["number"], news["user_id"]) == (
        "subject.erased", REF, "+15550100188", "US.13491208655302741918",
    )  # fmt: skip


async def test_of_somebody_who_is_gone_nothing_more_is_told(crm: Crm, session: aiohttp.ClientSession) -> None:
    await receivers(session, known="", crm=local(crm.url)).notify(PERSON, WITHDRAWN, NOW)
    assert crm.got == []


async def test_an_address_in_our_own_network_must_be_meant(crm: Crm, session: aiohttp.ClientSession) -> None:
    inside = Receiver.model_construct(address=crm.url, secret="crm", local=False, events=("consent.withdrawn",))
    with pytest.raises(RetryLater):
        await receivers(session, crm=inside).notify(PERSON, WITHDRAWN, NOW)
    assert crm.got == []


async def test_without_its_secret_nothing_starts(session: aiohttp.ClientSession) -> None:
    async def reference(_: PersonId) -> str:
        return REF

    for secrets in ({}, {"crm": SecretStr("")}):
        with pytest.raises(SettingsProblem, match="holds no secret crm"):
            HttpReceivers({"crm": local("http://127.0.0.1:9")}, session, secrets, reference)


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({"address": "http://crm.example/hook", "secret": "crm"}, id="without TLS"),
        pytest.param({"address": "https://crm.example/hook", "secret": ""}, id="unsigned"),
        pytest.param({"address": "https://crm.example/hook", "secret": "crm", "events": []}, id="of nothing"),
        pytest.param({"address": "https://crm.example/hook", "secret": "crm", "events": ["message.received"]}, id="of what people write"),
    ],
)  # fmt: skip
def test_what_would_leak_or_say_nothing_cannot_be_declared(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Receiver.model_validate(declared)
