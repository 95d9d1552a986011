"""Media at Meta, played against the stand-in: fetched from Meta's hosts alone, compared, limited, deleted; uploads made once."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.errors import RetryLater
from bot.simulator import Simulator
from bot.whatsapp.content import NotTaken
from bot.whatsapp.graph import Graph
from bot.whatsapp.media import UPLOAD_LASTS, MediaClient
from bot.whatsapp.settings import WhatsAppSettings
from tests.simulator.conftest import FAST

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FILE = b"%PDF-1.7 " + b"x" * 5000
HASH = base64.b64encode(hashlib.sha256(FILE).digest()).decode()
MOST = 10_000


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def meta() -> AsyncIterator[Simulator]:
    async with Simulator(FAST) as running:
        yield running


def client(url: str, session: aiohttp.ClientSession, token: str = FAST.access_token) -> MediaClient:
    settings = WhatsAppSettings(
        access_token=SecretStr(token), graph_url=url, phone_number_id=FAST.phone_number_id, timeout=5
    )
    return MediaClient(settings, Graph(settings, session), session)


def kept(meta: Simulator) -> str:
    return meta.world.uploads_store.keep("application/pdf", FILE, "invoice.pdf", by_business=False).id


@pytest.mark.parametrize("announced", ["", HASH, hashlib.sha256(FILE).hexdigest()])
async def test_a_file_is_fetched_whole(meta: Simulator, session: aiohttp.ClientSession, announced: str) -> None:
    assert await client(meta.url, session).fetch(kept(meta), announced, MOST) == FILE


async def test_another_file_than_was_announced_is_not_taken(meta: Simulator, session: aiohttp.ClientSession) -> None:
    with pytest.raises(NotTaken, match="wrong_hash"):
        await client(meta.url, session).fetch(kept(meta), base64.b64encode(bytes(32)).decode(), MOST)


async def test_a_file_that_is_too_large_is_not_downloaded(meta: Simulator, session: aiohttp.ClientSession) -> None:
    with pytest.raises(NotTaken, match="too_large"):
        await client(meta.url, session).fetch(kept(meta), HASH, 100)
    assert not any(call.path.startswith("/media-files") for call in meta.world.calls)


@pytest.mark.parametrize("media", ["", "../../v26.0/me", "1/messages", "x" * 200, "404404"])
async def test_what_is_no_file_is_gone(meta: Simulator, session: aiohttp.ClientSession, media: str) -> None:
    with pytest.raises(NotTaken, match="gone"):
        await client(meta.url, session).fetch(media, "", MOST)


async def test_it_is_deleted_at_meta_and_deleting_it_again_harms_nobody(
    meta: Simulator, session: aiohttp.ClientSession
) -> None:
    media, ours = kept(meta), client(meta.url, session)
    await ours.forget(media)
    await ours.forget(media)
    assert meta.world.uploads_store.find(media) is None


async def test_without_an_answer_it_is_tried_later(session: aiohttp.ClientSession) -> None:
    nobody = client("http://127.0.0.1:9", session)
    for attempt in (nobody.fetch("1", "", MOST), nobody.forget("1"), nobody.upload(FILE, "application/pdf", "", NOW)):
        with pytest.raises(RetryLater):
            await attempt


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "https://evil.example/x", "file:///etc/passwd",
        "https://lookaside.fbsbx.com.evil.example/x", "https://evilfbsbx.com/x", "https://user:pw@lookaside.fbsbx.com/x",
        "http://lookaside.fbsbx.com/x", "https://lookaside.fbsbx.com:8443/x", "https://[::1]/x", "ftp://fbcdn.net/x", "https://fbcdn.net:x/",
    ],
)  # fmt: skip
async def test_the_token_goes_to_metas_hosts_alone(session: aiohttp.ClientSession, address: str) -> None:
    """SSRF: whoever could make Meta's answer name another host would get the access token, or our network."""

    async def about(_: web.Request) -> web.Response:
        return web.json_response({"url": address, "sha256": "", "file_size": 3})

    application = web.Application()
    application.add_routes([web.get("/v26.0/{media}", about)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(NotTaken, match="foreign_host"):
            await client(f"http://127.0.0.1:{runner.addresses[0][1]}", session).fetch("1", "", MOST)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "address", ["https://lookaside.fbsbx.com/x?mid=1", "https://scontent.xx.fbcdn.net/x", "https://mmg.whatsapp.net/y"]
)
def test_metas_own_hosts_are_known(address: str) -> None:
    settings = WhatsAppSettings(phone_number_id="1")
    assert MediaClient(settings, None, None)._is_metas(address)  # type: ignore[arg-type]


async def test_more_than_was_said_is_cut_off_and_a_redirect_is_not_followed(session: aiohttp.ClientSession) -> None:
    followed: list[str] = []

    async def about(request: web.Request) -> web.Response:
        return web.json_response({"url": f"http://{request.host}/{request.match_info['media']}"})

    async def endless(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MOST + 1))

    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("/target")

    async def target(_: web.Request) -> web.Response:
        followed.append("yes")
        return web.Response(body=b"x")

    application = web.Application()
    application.add_routes(
        [
            web.get("/v26.0/{media}", about),
            web.get("/endless", endless),
            web.get("/away", away),
            web.get("/target", target),
        ]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ours = client(f"http://127.0.0.1:{runner.addresses[0][1]}", session)
    try:
        with pytest.raises(NotTaken, match="too_large"):
            await ours.fetch("endless", "", MOST)
        with pytest.raises(RetryLater):
            await ours.fetch("away", "", MOST)
        assert followed == []
    finally:
        await runner.cleanup()


async def test_the_same_file_is_uploaded_once_until_meta_forgets_it(
    meta: Simulator, session: aiohttp.ClientSession
) -> None:
    ours = client(meta.url, session)
    first = await ours.upload(FILE, "application/pdf", "a.pdf", NOW)
    assert await ours.upload(FILE, "application/pdf", "a.pdf", NOW + timedelta(days=28)) == first
    assert await ours.upload(FILE + b"y", "application/pdf", "a.pdf", NOW) != first
    assert await ours.upload(FILE, "application/pdf", "a.pdf", NOW + UPLOAD_LASTS) != first
    with pytest.raises(NotTaken, match="refused"):
        await ours.upload(b"x", "application/x-msdownload", "a.exe", NOW)
