"""A phone in the terminal, line by line, for a simulator that is already running. It speaks to the control API alone.

A line that is typed is sent as a message; a number taps that button of the newest choices. Commands begin with a slash.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

import aiohttp

HELP = """Write a line and press Enter to send it. A number taps that button.
/button n   taps button n, for bots that ask for numbers
/text n     sends the number n as words
/who        who you are and who else has a phone
/help       this
/quit       leaves (so does the end of input)"""

QUIET_SECONDS = 0.4
JOINERS = "\n\u200d"  # a line break, and what joins several emoji into one
LONGEST_NEWS = 64 * 1024 * 1024

Json = Mapping[str, object]


class Unreachable(ConnectionError):
    """No simulator answers at this address, or it has no such person; the message says which."""


@dataclass(slots=True)
class TerminalPhone:
    """What one person sees: prints what the business sends and remembers what can be tapped."""

    http: aiohttp.ClientSession
    base_url: str
    person: str
    out: TextIO
    choices: list[tuple[str, str, str]] = field(default_factory=list)
    printed: set[str] = field(default_factory=set)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    sent: bool = False

    def show(self, bubble: Json) -> None:
        """Prints a bubble of the business once; its buttons get the numbers from 1 on."""
        face = bubble.get("face")
        message_id = str(bubble.get("id"))
        if not isinstance(face, dict) or bubble.get("sender") != "business" or message_id in self.printed:
            return
        if bubble.get("status") == "failed" or face.get("kind") == "reaction":
            return
        self.printed.add(message_id)
        self.stirred.set()
        for line in _lines(face):
            self._print(line)
        choices = [one for one in face.get("choices", []) if isinstance(one, dict)]
        if any(one.get("kind") not in {"url", "phone", "copy"} for one in choices):
            self.choices = []
        for one in choices:
            self._offer(message_id, one)

    def _offer(self, message_id: str, choice: Mapping[str, object]) -> None:
        title, kind = _plain(str(choice.get("title", ""))), choice.get("kind")
        if kind == "url":
            self._print(f"    -> {title}: {_plain(str(choice.get('url', '')))}")
        elif kind in {"phone", "copy"}:
            self._print(f"    -> {title}: {_plain(str(choice.get('id', '')))}")
        else:
            self.choices.append((message_id, str(choice.get("id", "")), title))
            about = _plain(str(choice.get("description") or ""))
            self._print(f"    [{len(self.choices)}] {title}" + (f" ({about})" if about else ""))

    async def obey(self, line: str) -> bool:
        """Does what a line of input asks; false when it asks to leave."""
        text = line.strip()
        self.sent = False
        if not text:
            return True
        if not text.startswith("/"):
            await self._tap_or_say(text)
            return True
        command, _, rest = text.partition(" ")
        match command:
            case "/quit" | "/exit":
                return False
            case "/help":
                self._print(HELP)
            case "/button":
                await self._tap(rest)
            case "/text":
                await self._post("say", {"text": rest})
            case "/who":
                await self._who()
            case _:
                self._print(f"There is no {command}; /help lists what there is.")
        return True

    async def _tap_or_say(self, text: str) -> None:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(self.choices):
            await self._tap(text)
        else:
            await self._post("say", {"text": text})

    async def _tap(self, number: str) -> None:
        wanted = number.strip()
        if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(self.choices)):
            last = len(self.choices)
            self._print(
                f"There is no button {wanted}." + (f" They go from 1 to {last}." if last else " There are none yet.")
            )
            return
        message_id, choice, _ = self.choices[int(wanted) - 1]
        await self._post("tap", {"choice": choice, "message_id": message_id})

    async def _who(self) -> None:
        found = await _get(self.http, f"{self.base_url}/control/people")
        people = found.get("people")
        for one in people if isinstance(people, list) else []:
            here = "*" if one.get("key") == self.person else " "
            self._print(f" {here} {one.get('key')}: {one.get('name')} ({one.get('language')})")

    async def _post(self, what: str, body: dict[str, object]) -> None:
        self.stirred.clear()
        async with self.http.post(f"{self.base_url}/control/people/{self.person}/{what}", json=body) as answer:
            self.sent = answer.status == 200
            if not self.sent:
                found = await answer.json(content_type=None)
                self._print(f"! {found.get('error', answer.status)}")

    async def pause(self, patience: float) -> None:
        """Waits for answers to a line: up to `patience` seconds for the first, then until nothing more comes."""
        try:
            await asyncio.wait_for(self.stirred.wait(), patience)
            while True:
                self.stirred.clear()
                await asyncio.wait_for(self.stirred.wait(), QUIET_SECONDS)
        except TimeoutError:
            return

    def _print(self, words: str) -> None:
        print(words, file=self.out, flush=True)


async def chat(
    base_url: str,
    person: str,
    *,
    lines: AsyncIterator[str] | None = None,
    out: TextIO | None = None,
    patience: float | None = None,
) -> None:
    """Plays one person's phone until `/quit` or the end of input; raises Unreachable where nobody answers.

    `lines` is the input (default: standard input) and `out` the screen. With input that is no terminal each line waits up to
    `patience` seconds for an answer before the next one is read, so that piped conversations come out in order; the default
    is 5 seconds for a pipe and not to wait at a keyboard.
    """
    base = base_url.rstrip("/")
    wait = patience if patience is not None else (0.0 if lines is None and sys.stdin.isatty() else 5.0)
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=LONGEST_NEWS) as http:
        phone = TerminalPhone(http, base, person, out or sys.stdout)
        await _get(http, f"{base}/control/people/{person}/chat")
        ready = asyncio.Event()
        listening = asyncio.create_task(_listen(phone, ready))
        try:
            await asyncio.wait_for(ready.wait(), 5.0)
            async for line in lines if lines is not None else stdin_lines():
                if not await phone.obey(line):
                    break
                if wait and phone.sent:
                    await phone.pause(wait)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(phone: TerminalPhone, ready: asyncio.Event) -> None:
    async with phone.http.get(f"{phone.base_url}/control/events", params={"person": phone.person}) as stream:
        async for raw in stream.content:
            if not raw.startswith(b"data: "):
                continue
            news = json.loads(raw[6:])
            if news.get("type") == "hello":
                for bubble in news["chats"][phone.person]:
                    phone.show(bubble)
                ready.set()
            elif news.get("type") == "bubble":
                phone.show(news["bubble"])
    phone.out.write("! The simulator has ended.\n")


async def stdin_lines() -> AsyncIterator[str]:
    """Lines of standard input, read beside the event loop."""
    read: Callable[[], str] = sys.stdin.readline
    while line := await asyncio.to_thread(read):
        yield line


async def _get(http: aiohttp.ClientSession, url: str) -> dict[str, object]:
    try:
        async with http.get(url) as answer:
            found = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise Unreachable("no simulator answers at this address") from None
    if answer.status != 200 or not isinstance(found, dict):
        raise Unreachable(str(found.get("error", answer.status)) if isinstance(found, dict) else "not a simulator")
    return found


def _lines(face: Mapping[str, object]) -> list[str]:
    parts = [str(face.get(key) or "") for key in ("header", "text", "footer")]
    media = face.get("media")
    if isinstance(media, dict):
        parts.insert(0, f"({media.get('kind')}) {media.get('filename') or media.get('link') or ''}".strip())
    if face.get("kind") == "location" and face.get("place"):
        parts.append(f"(place) {face['place']}")
    lines = [line for part in parts if part for line in _plain(part).split("\n")]
    return [f"< {line}" for line in lines]


def _plain(text: str) -> str:
    """Without control characters: what a bot sends must not steer somebody's terminal."""
    return "".join(sign if sign in JOINERS or sign.isprintable() else " " for sign in text)
