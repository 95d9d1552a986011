"""The engine alone: one turn of a conversation against the floor of the same run."""

import hashlib
import hmac
import time
from datetime import timedelta

from bot.domain.event import MessageReceived
from bot.domain.ids import EventId, Wamid, Words
from tests.engine.phone import Phone, book


def test_print_the_time_of_a_turn_against_a_signature() -> None:
    """A turn of the order flow, answering a question with a text; the floor is the signature of a webhook of 1 KiB."""
    phone = Phone(book())
    phone.say("where is my order")
    before = phone.conversation
    events = [
        MessageReceived(
            EventId(f"{n:024x}"), phone.now + timedelta(seconds=n), "text", Words("CL12345"), wamid=Wamid(f"w{n}")
        )
        for n in range(2000)
    ]
    phone.engine.advance(before, events[0], phone.now)
    start = time.perf_counter()
    for event in events:
        phone.engine.advance(before, event, phone.now)
    turn = (time.perf_counter() - start) / len(events)
    body = b"x" * 1024
    start = time.perf_counter()
    for _ in range(2000):
        hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    floor = (time.perf_counter() - start) / 2000
    print(f"\na turn {turn * 1e6:.0f} µs = {turn / floor:.1f} × one webhook signature ({floor * 1e6:.1f} µs)")
    assert turn > 0
