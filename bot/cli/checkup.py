"""What `recado doctor` looks at. Each check says in plain words what it found; none shows a secret, and none changes anything."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import BaseModel, SecretStr

from bot.domain.business import Business
from bot.domain.errors import SettingsProblem
from bot.settings import PREFIX, Settings

Status: TypeAlias = Literal["ok", "note", "warning", "error"]

CLOCK_MOST = 5.0
"""Seconds by which this machine's clock may differ from the database's: expiries and the 24-hour window hang on it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check; `fix` says what to do unless all is well."""

    check: str
    status: Status
    says: str
    fix: str = ""


# -- settings -------------------------------------------------------------------------------------------------------------


def effective(settings: Settings) -> dict[str, str]:
    """Every setting by its name, as it holds; secrets only say whether they are set."""
    return dict(_flat(settings, PREFIX.rstrip("_")))


def _flat(model: BaseModel, name: str) -> Iterator[tuple[str, str]]:
    joint = "_" if name == PREFIX.rstrip("_") else "__"
    for field in type(model).model_fields:
        value = getattr(model, field)
        place = f"{name}{joint}{field.upper()}"
        if isinstance(value, BaseModel):
            yield from _flat(value, place)
        else:
            yield place, _masked(place, value)


def _masked(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(set, hidden)" if value.get_secret_value() else "(not set)"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} (hidden)" for key in sorted(value)) or "(not set)"
    if name.endswith("URI") and value:
        # Scheme and hosts: a user, a password and the options behind `?` may be secrets.
        return re.sub(r"//[^@/]*@", "//(hidden)@", str(value)).partition("?")[0]
    return "(not set)" if value is None or value == "" else str(value)


def of_keys(settings: Settings) -> Finding:
    """The four key files."""
    from bot.privacy.keyring import Keyring

    try:
        Keyring.load(settings.privacy)
    except SettingsProblem as problem:
        return Finding("keys", "error", str(problem), "`recado keys status` shows each file.")
    return Finding("keys", "ok", "all four key files are there and fit")


def of_safety(settings: Settings) -> Iterator[Finding]:
    """What production should not do without."""
    if settings.environment != "production":
        yield Finding("environment", "note", f"{settings.environment}: not fit for real people's data")
        return
    from bot.app.safety import faults_of_settings

    for fault in faults_of_settings(settings):
        yield Finding("safety", "error", fault, "`recado serve` refuses to start with it in production.")


# -- flows, translations, notice ------------------------------------------------------------------------------------------


def of_project(project: Path, today: date) -> Iterator[Finding]:
    """The flows; and where they are fine, translations, notice and contracts."""
    from bot.app.project import load_project

    try:
        loaded = load_project(project)
    except SettingsProblem as problem:
        yield Finding("flows", "error", str(problem), "Set RECADO_PROJECT, or run this in the project's folder.")
        return
    if loaded.book is None:
        count = len(loaded.errors)
        yield Finding("flows", "error", f"{count} to mend before the bot can start", "`recado flows check` shows them.")
        return
    warnings = len(loaded.problems)
    yield Finding(
        "flows",
        "warning" if warnings else "ok",
        f"{len(loaded.book.flows)} flows" + (f", {warnings} warnings" if warnings else ""),
        "`recado flows check` shows them." if warnings else "",
    )
    yield from _of_translations(project)
    yield from _of_notice(project, loaded.book.business)
    yield from _of_declarations(loaded.book.business)
    yield from of_contracts(loaded.book.business, today)


def _of_translations(project: Path) -> Iterator[Finding]:
    from bot.cli.catalogs import problems_of, read_translations
    from bot.cli.texts import texts_of_project

    texts = texts_of_project(project)
    translations, unreadable = read_translations(project)
    for problem in unreadable:
        yield Finding("translations", "error", f"{problem.place.file} is not readable", problem.fix)
    for language in texts.business.languages:
        codes = [one.code for one in problems_of(texts.every, language, translations)]
        missing = sum(code in ("missing", "fuzzy") for code in codes)
        if not codes:
            yield Finding(f"translations {language}", "ok", "complete")
            continue
        says = f"{missing} missing, {len(codes) - missing} that do not fit"
        status: Status = "warning" if missing == len(codes) else "error"
        yield Finding(f"translations {language}", status, says, "`recado i18n check` shows them.")


def _of_notice(project: Path, business: Business) -> Iterator[Finding]:
    from bot.app.project import load_catalog
    from bot.app.rules import BusinessRules
    from bot.privacy.notice import check

    try:
        catalog = load_catalog(project, offered=business.languages, default=business.language)
        rules = BusinessRules(business, catalog)
    except SettingsProblem as problem:
        yield Finding("notice", "error", str(problem))
        return
    for language, notice in rules.notices.items():
        faults = check(business, notice, stop_word=rules.stop_word(language))
        fix = "Mend business.yaml; docs/business.md explains each key."
        for fault in faults:
            yield Finding(f"notice {language}", "error", fault, fix)
        if not faults:
            yield Finding(
                f"notice {language}", "ok", f"{len(notice.short)} characters in the chat, version {notice.version}"
            )


def _of_declarations(business: Business) -> Iterator[Finding]:
    """What `serve` refuses in production; contracts have findings of their own."""
    from bot.app.safety import faults_of_business

    for fault in faults_of_business(business):
        if "no contract" not in fault:
            yield Finding("declarations", "error", fault, "`recado serve` refuses to start with it in production.")


SOON_DAYS = 30


def of_contracts(business: Business, today: date) -> Iterator[Finding]:
    """The processors' contracts (GDPR art. 28(3)) and the days on which they are to be looked at again."""
    for one in business.processors:
        name = f"processor {one.name}"
        if not one.contract:
            fix = "Conclude a data processing agreement and put its date under `contract`."
            yield Finding(name, "error", "no contract is declared (GDPR art. 28(3))", fix)
        elif not one.review:
            yield Finding(name, "warning", "no day for its next review is declared", "Put it under `review`.")
        elif (days := _days_until(one.review, today)) is None:
            yield Finding(name, "error", f"`review: {one.review}` is no day of the calendar", "Write it as 2027-01-31.")
        elif days < 0:
            yield Finding(name, "error", f"its review was due on {one.review}", "Review it, then set `review` anew.")
        elif days <= SOON_DAYS:
            yield Finding(name, "warning", f"its review is due on {one.review}", "Plan it.")
        else:
            yield Finding(name, "ok", f"contract of {one.contract}, next review on {one.review}")


def _days_until(day: str, today: date) -> int | None:
    try:
        return (date.fromisoformat(day) - today).days
    except ValueError:
        return None


# -- outside --------------------------------------------------------------------------------------------------------------


def of_whatsapp(settings: Settings) -> Finding:
    """Whether all that `serve` needs for WhatsApp is set."""
    missing = settings.whatsapp.problems()
    if missing:
        return Finding("WhatsApp settings", "error", " ".join(missing), "docs/settings.md says where each is found.")
    return Finding("WhatsApp settings", "ok", "complete")


def of_answer(check: str, status: int, body: bytes) -> Finding:
    """What an answer about a number or account says about token and id."""
    if status == 0:
        return Finding(
            check, "error", "Meta did not answer", "Look at the network, at RECADO_WHATSAPP__GRAPH_URL and at a proxy."
        )
    if 200 <= status < 300:
        return Finding(check, "ok", "token and number are good")
    code = _error_code(body)
    if status == 401 or code in (0, 190):
        return Finding(check, "error", f"the token is refused (code {code})", "Make a new token of a system user.")
    if status == 403 or code == 10 or 200 <= code < 300:
        fix = "Give the system user the number, with whatsapp_business_messaging."
        return Finding(check, "error", f"the token may not use this number (code {code})", fix)
    if status == 404 or code in (33, 100):
        fix = "RECADO_WHATSAPP__PHONE_NUMBER_ID is the id Meta gave the number, not the number itself."
        return Finding(check, "error", f"Meta does not know this id, or not with this token (code {code})", fix)
    return Finding(check, "warning", f"Meta answered with status {status}, code {code}", "Try again in a minute.")


def _error_code(body: bytes) -> int:
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return -1
    error = parsed.get("error") if isinstance(parsed, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else -1


async def of_database(settings: Settings) -> list[Finding]:
    """Whether both databases answer, and whether their clock and ours agree."""
    from bot.observability import health
    from bot.storage.mongo import Mongo

    if not settings.storage.uri:
        fix = "Set it, e.g. mongodb://db:27017. (`recado demo` starts a database of its own.)"
        return [Finding("database", "error", "RECADO_STORAGE__URI is not set", fix)]
    try:
        mongo = Mongo(settings.storage)
    except SettingsProblem as problem:
        return [Finding("database", "error", str(problem))]

    async def answers() -> str:
        await mongo.ping()
        return ""

    async def clock() -> str:
        told: datetime = (await mongo.main.command("hello"))["localTime"]
        away = abs((datetime.now(UTC) - told.replace(tzinfo=UTC)).total_seconds())
        return "" if away <= CLOCK_MOST else f"this machine's clock and the database's are {away:.0f} seconds apart"

    async def requests() -> str:
        from bot.storage.desk import REQUESTS

        late = {"closed_at": {"$exists": False}, "due_at": {"$lt": datetime.now(UTC)}}
        count = await mongo.collection(REQUESTS).count_documents(late)
        return f"{count} should have been answered by now" if count else ""

    try:
        seconds = settings.storage.timeout + 1
        found = await health.look({"database": answers, "clock": clock, "requests": requests}, seconds=seconds)
    finally:
        mongo.close()
    return list(_of_health(found.troubles))


def _of_health(troubles: Mapping[str, str]) -> Iterator[Finding]:
    fixes = {
        "database": "Look at RECADO_STORAGE__URI, at the database's log and at the network.",
        "clock": "Let both machines follow a time server (NTP).",
        "requests": "`recado requests list` shows them (GDPR art. 12(3)).",
    }
    good = {
        "database": "answers",
        "clock": f"agrees with the database's within {CLOCK_MOST:g} seconds",
        "requests": "none is overdue",
    }
    for name, trouble in troubles.items():
        if name != "database" and trouble and troubles["database"]:
            continue  # said once is enough
        yield Finding(name, "error" if trouble else "ok", trouble or good[name], fixes[name] if trouble else "")


NO_STORAGE = Finding(
    "outages",
    "note",
    "Meta delivers again for 7 days what could not be delivered; for a number with No-Storage for one hour only. An outage that is "
    "longer loses messages, a STOP among them, and a STOP written during an outage takes effect when Meta delivers it again.",
)
"""decisions.md 26; Meta: no storage (whatsapp.md 5.3)."""


def worst(findings: Iterable[Finding]) -> Status:
    """The gravest status there is."""
    order: tuple[Status, ...] = ("ok", "note", "warning", "error")
    return max((one.status for one in findings), key=order.index, default="ok")
