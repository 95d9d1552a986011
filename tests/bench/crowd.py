"""Meta and its customers for the benchmarks, as a process of its own, so that their CPU is not counted as the bot's.

Prints the port of its Graph API, then reads one JSON line a run (`{"url", "people", "rounds", "replies"}`) and prints one with what it saw.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from typing import Any

import aiohttp
from aiohttp import web

from tests.e2e.standin import ACCOUNT, SECRET


class Crowd:
    """Everybody says a word, waits for the reply, and says the next one."""

    def __init__(self) -> None:
        self.heard: dict[str, asyncio.Event] = {}
        self.serial = 0

    async def messages(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("status") != "read" and (event := self.heard.get(body.get("recipient", ""))):
            event.set()
        self.serial += 1
        return web.json_response({"messages": [{"id": f"wamid.{self.serial:08}"}]})

    async def say(self, session: aiohttp.ClientSession, url: str, number: int, words: str) -> tuple[int, float]:
        self.serial += 1
        message = {
            "id": f"wamid.in{self.serial:08}", "timestamp": str(int(time.time())), "from": f"1555010{number:04}",
            "from_user_id": f"US.{number:020}", "type": "text", "text": {"body": words},
        }  # fmt: skip
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": ACCOUNT}, "messages": [message]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        begun = time.perf_counter()
        async with session.post(url, data=body, headers={"X-Hub-Signature-256": signature}) as answer:
            return answer.status, time.perf_counter() - begun

    async def run(self, task: dict[str, Any]) -> dict[str, Any]:
        times: list[float] = []
        refused = 0

        async def life(number: int) -> None:
            nonlocal refused
            for n in range(task["rounds"]):
                event = self.heard[f"US.{number:020}"] = asyncio.Event()
                status, took = await self.say(session, task["url"], number, task.get("word") or f"w{n}")
                times.append(took)
                refused += status != 200
                if task["replies"] and status == 200:
                    async with asyncio.timeout(120):
                        await event.wait()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            begun = time.perf_counter()
            await asyncio.gather(*(life(number) for number in range(task["people"])))
            whole = time.perf_counter() - begun
        times.sort()
        return {
            "seconds": whole, "refused": refused, "median": times[len(times) // 2], "p99": times[int(len(times) * 0.99)],
        }  # fmt: skip


async def main() -> None:
    crowd = Crowd()
    application = web.Application()
    application.add_routes([web.post("/{version}/{account}/messages", crowd.messages)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await crowd.run(json.loads(line))), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
