"""The page of somebody's own copy: a GET tells and changes nothing, a POST with the right code gives the file once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.domain.errors import RetryLater
from bot.web.downloads import download_routes

TOKEN, CODE = "ab" * 16, "123456"


class OneFile:
    """A copy that can be fetched once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.away = False
        self.told: list[str] = []

    async def fetch(self, token: str, code: str) -> bytes | None:
        self.asked.append((token, code))
        if self.away:
            raise RetryLater("the database is out of reach")
        first = self.asked.count((TOKEN, CODE)) == 1
        return b"PK..." if (token, code) == (TOKEN, CODE) and first else None

    async def handed_over(self, token: str) -> None:
        self.told.append(f"handed over {token}")

    async def broke_off(self, token: str) -> None:
        self.told.append(f"broke off {token}")


def translate(text: str, language: str) -> str:
    return f"[{language}] {text}"


@pytest.fixture
def files() -> OneFile:
    return OneFile()


@pytest.fixture
async def client(files: OneFile) -> AsyncIterator[TestClient[Any, Any]]:
    application = web.Application()
    application.add_routes(download_routes(files, translate, ["en", "pt", "ar"]))
    async with TestClient(TestServer(application)) as one:
        yield one


async def sent(client: TestClient[Any, Any], code: str, token: str = TOKEN) -> ClientResponse:
    return await client.post(f"/exports/{token}", data={"code": code})


async def test_a_get_shows_the_same_page_for_every_link_and_asks_nobody(
    client: TestClient[Any, Any], files: OneFile
) -> None:
    one, other = await client.get(f"/exports/{TOKEN}"), await client.get(f"/exports/{'00' * 16}")
    assert one.status == other.status == 200
    assert await one.text() == await other.text()
    assert files.asked == []
    assert (await client.head(f"/exports/{TOKEN}")).status == 200
    assert files.asked == []


@pytest.mark.parametrize("code", ["123456", "123 456", " 123456 ", "123-456"])
async def test_the_code_gives_the_file_once(client: TestClient[Any, Any], code: str) -> None:
    answer = await sent(client, code)
    assert (answer.status, answer.content_type, await answer.read()) == (200, "application/zip", b"PK...")
    assert "my-data.zip" in answer.headers["Content-Disposition"]
    assert (await sent(client, code)).status == 403


@pytest.mark.parametrize(
    ("code", "token"),
    [
        pytest.param("654321", TOKEN, id="a wrong code"), pytest.param(CODE, "00" * 16, id="an unknown link"),
        pytest.param("12345", TOKEN, id="too short"), pytest.param("1234567", TOKEN, id="too long"),
        pytest.param("", TOKEN, id="nothing"), pytest.param("abcdef", TOKEN, id="letters"),
    ],
)  # fmt: skip
async def test_everything_else_is_refused_in_the_same_words(
    client: TestClient[Any, Any], code: str, token: str
) -> None:
    answer = await sent(client, code, token)
    assert answer.status == 403
    text = await answer.text()
    assert "That did not work" in text
    assert CODE not in text


async def test_a_body_too_large_or_unreadable_is_refused(client: TestClient[Any, Any], files: OneFile) -> None:
    large = await client.post(f"/exports/{TOKEN}", data={"code": "1" * 5000})
    odd = await client.post(f"/exports/{TOKEN}", data=b"code=\xff\xfe")
    assert (large.status, odd.status) == (413, 400)
    assert files.asked == []


async def test_with_the_database_away_nothing_is_lost(client: TestClient[Any, Any], files: OneFile) -> None:
    files.away = True
    answer = await sent(client, CODE)
    assert answer.status == 503
    assert "Please try again" in await answer.text()


@pytest.mark.parametrize("path", ["/exports/", "/exports/x", f"/exports/{TOKEN}0", f"/exports/{TOKEN.upper()}"])
async def test_what_is_no_link_is_not_there(client: TestClient[Any, Any], path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_nothing_is_kept_or_told_to_others(client: TestClient[Any, Any]) -> None:
    for answer in (await client.get(f"/exports/{TOKEN}"), await sent(client, CODE), await sent(client, CODE)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "language", "direction"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.5", "pt", "ltr"), ("ar", "ar", "rtl"), ("fr,de", "en", "ltr"), ("", "en", "ltr"), (";;,,*", "en", "ltr"),
    ],
)  # fmt: skip
async def test_the_page_speaks_the_browsers_language(
    client: TestClient[Any, Any], wanted: str, language: str, direction: str
) -> None:
    text = await (await client.get(f"/exports/{TOKEN}", headers={"Accept-Language": wanted})).text()
    assert f'<html lang="{language}" dir="{direction}">' in text
    assert f"[{language}] Your data" in text


async def test_the_last_byte_is_told(client: TestClient[Any, Any], files: OneFile) -> None:
    assert await (await sent(client, CODE)).read() == b"PK..."
    assert files.told == [f"handed over {TOKEN}"]
    assert (await sent(client, "999999")).status == 403
    assert files.told == [f"handed over {TOKEN}"]


class Large(OneFile):
    """A copy that no connection swallows whole."""

    async def fetch(self, token: str, code: str) -> bytes | None:
        return bytes(8 * 1024 * 1024) if (token, code) == (TOKEN, CODE) else None


async def test_a_connection_that_ends_before_is_told_too() -> None:
    files, application = Large(), web.Application()
    application.add_routes(download_routes(files, translate, ["en"]))
    async with TestServer(application) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = f"code={CODE}".encode()
        writer.write(
            f"POST /exports/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        async with asyncio.timeout(10):
            while not files.told:  # noqa: ASYNC110 - another task says it
                await asyncio.sleep(0.01)
    assert files.told == [f"broke off {TOKEN}"]
