"""What `recado doctor` asks Meta: numbers, subscription of the webhook, where messages are kept, clock and version.

Sends nothing to anybody and changes nothing.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.cli.checkup import CLOCK_MOST, Finding, of_answer
from bot.settings import Settings
from bot.whatsapp import fields
from bot.whatsapp.graph import Answer, Graph

VERSION_ENDS: Mapping[str, date] = {
    "v21.0": date(2027, 1, 21), "v22.0": date(2027, 5, 20), "v23.0": date(2027, 10, 8), "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}  # fmt: skip
"""Meta: Graph API changelog, as of November 2026; newer ones have no end yet, older ones are over."""

WARN_DAYS = 90
OLDEST = 21
_NUMBER = (
    "display_phone_number,quality_rating,status,code_verification_status,name_status,messaging_limit_tier,throughput"
)


async def of_meta(settings: Settings, today: date) -> AsyncIterator[Finding]:
    """Everything that Meta tells with the token of the bot."""
    import aiohttp

    whatsapp = settings.whatsapp
    yield of_version(whatsapp.graph_version, today)
    async with aiohttp.ClientSession() as session:
        graph = Graph(whatsapp, session)
        for place, number in enumerate(whatsapp.accounts):
            answer = await graph.request("GET", f"{number}?fields={_NUMBER}")
            for finding in of_number(number, answer):
                yield finding
            if not answer.ok:
                continue
            if place == 0:
                yield of_clock(answer.date, datetime.now(UTC))
            yield of_storage(number, await graph.request("GET", f"{number}/settings"))
        for account in whatsapp.businesses:
            yield of_subscription(account, await graph.request("GET", f"{account}/subscribed_apps"))


def of_version(version: str, today: date) -> Finding:
    """Whether the Graph version is still taken, and for how long (whatsapp.md 3.1)."""
    check, fix = "Graph version", "Set RECADO_WHATSAPP__GRAPH_VERSION to a newer one after reading Meta's changelog."
    ends = VERSION_ENDS.get(version)
    major = fields.number(version.removeprefix("v").partition(".")[0])
    if major < OLDEST or (ends is not None and ends <= today):
        return Finding(check, "error", f"{version} is over: Meta refuses it", fix)
    if ends is not None and (ends - today).days <= WARN_DAYS:
        return Finding(check, "warning", f"{version} ends on {ends}", fix)
    return Finding(check, "ok", f"{version}" + (f", until {ends}" if ends else ""))


def of_number(number: str, answer: Answer) -> Iterator[Finding]:
    """Token and number; then how Meta rates it and what it may send."""
    check = f"WhatsApp number {number}"
    yield of_answer(check, answer.status, answer.body)
    told = _object(answer)
    if not answer.ok:
        return
    status, quality = fields.text(told.get("status"), 32), fields.text(told.get("quality_rating"), 16)
    if status and status != "CONNECTED":
        fix = "Look at the number in WhatsApp Manager."
        yield Finding(f"{check}: status", "error", f"it is {status.lower()}", fix)
    if quality in ("RED", "YELLOW"):
        fix = "People block or report what you send: send less, and only what was asked for."
        yield Finding(f"{check}: quality", "warning", f"Meta rates it {quality.lower()}", fix)
    tier = fields.text(told.get("messaging_limit_tier"), 32)
    if tier:
        yield Finding(
            f"{check}: limit", "ok", f"{tier.removeprefix('TIER_')} people a day may be written to outside of a chat"
        )


def of_storage(number: str, answer: Answer) -> Finding:
    """Where Meta keeps messages (whatsapp.md 5.2, 5.3)."""
    check = f"WhatsApp number {number}: storage"
    if not answer.ok:
        return Finding(check, "note", "Meta does not tell with this token where it keeps messages")
    kept = fields.part(_object(answer).get("storage_configuration"))
    status, region = fields.text(kept.get("status"), 40), fields.text(kept.get("data_localization_region"), 8)
    if status == "NO_STORAGE_ENABLED":
        says = "No-Storage: Meta keeps messages and files for one hour; an outage that is longer loses them, a STOP among them"
        return Finding(check, "warning", says, "Watch the bot and let somebody be called within minutes.")
    if status == "IN_COUNTRY_STORAGE_ENABLED":
        return Finding(check, "ok", f"messages are kept in {region or 'a country of your choice'}")
    return Finding(
        check, "note", "Meta keeps messages for up to 30 days wherever it likes (local storage and No-Storage are off)"
    )


def of_subscription(account: str, answer: Answer) -> Finding:
    """Whether any app hears the account's webhooks."""
    check = f"WhatsApp account {account}: webhooks"
    if not answer.ok:
        return of_answer(check, answer.status, answer.body)
    if list(fields.objects(_object(answer).get("data"))):
        return Finding(check, "ok", "an app is subscribed")
    fix = f"Subscribe your app: POST /{account}/subscribed_apps, and choose the fields of docs/whatsapp.md."
    return Finding(check, "error", "no app is subscribed, so nothing that people write arrives", fix)


def of_clock(told: str, now: datetime) -> Finding:
    """Whether this machine's clock and Meta's agree: expiries and the 24-hour window hang on it."""
    check = "clock of Meta"
    try:
        away = abs((now - parsedate_to_datetime(told)).total_seconds())
    except (TypeError, ValueError):
        return Finding(check, "note", "Meta did not tell its time")
    if away <= CLOCK_MOST + 1:  # the header has whole seconds
        return Finding(check, "ok", f"agrees within {CLOCK_MOST:g} seconds")
    return Finding(
        check,
        "error",
        f"this machine's clock and Meta's are {away:.0f} seconds apart",
        "Let it follow a time server (NTP).",
    )


def _object(answer: Answer) -> dict[str, Any]:
    try:
        return fields.part(fields.decoded(answer.body)) if answer.body else {}
    except fields.NotJson:
        return {}
