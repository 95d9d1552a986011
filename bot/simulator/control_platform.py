"""The control API's paths about the platform: webhooks and their mischief, faults of the Graph API, templates, token."""

from dataclasses import asdict

from aiohttp import web

from bot.simulator import scenario
from bot.simulator.asking import Ask
from bot.simulator.courier import Manner, Webhook
from bot.simulator.errors import SimulatorError
from bot.simulator.routing import Path
from bot.simulator.scenario import fault_of
from bot.simulator.stage import Stage
from bot.simulator.statuses import ALL, Mischief
from bot.simulator.templates import read_template

Answer = dict[str, object]


async def _calls(stage: Stage, _: web.Request, __: Ask) -> Answer:
    return {"calls": [asdict(call) for call in stage.world.calls]}


async def _webhooks(stage: Stage, _: web.Request, __: Ask) -> Answer:
    return {"webhooks": [webhook.to_json() for webhook in stage.world.courier.sent]}


async def _any_webhook(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    stage.change(ask.text("field"), dict(ask.mapping("value")))
    return {"ok": True}


async def _redeliver(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    attempts = await stage.redeliver(_chosen(stage, ask.wholes("numbers")))
    return {"attempts": [asdict(attempt) for attempt in attempts]}


def _chosen(stage: Stage, numbers: tuple[int, ...]) -> list[Webhook]:
    sent = stage.world.courier.sent
    if any(not 1 <= number <= len(sent) for number in numbers):
        raise SimulatorError(f"numbers: webhooks are numbered from 1 to {len(sent)}")
    return [sent[number - 1] for number in numbers] if numbers else list(sent)


async def _raw(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    attempt = await stage.world.courier.post(ask.text("body").encode("utf-8"), ask.text_or_none("signature"))
    return asdict(attempt)


async def _target(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    url = ask.text_or_none("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise SimulatorError("url: begins with http:// or https://")
    stage.world.courier.url = url
    return {"url": url}


async def _verify(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    challenge = ask.text("challenge", "1158201444")
    status, body = await stage.world.courier.handshake(challenge)
    return {"status": status, "verified": status == 200 and body == challenge}


async def _delivery(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    manner = Manner(ask.whole("duplicate", 0, most=100), ask.seconds("delay"), ask.flag("hold", otherwise=False))
    stage.world.courier.manner = manner
    return asdict(manner)


async def _release(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    sent = stage.world.courier.release(
        shuffle=ask.flag("shuffle", otherwise=False),
        batch=ask.whole("batch", 1, least=1, most=1000),
        shape=ask.text("shape", "messages"),
        duplicate=ask.whole("duplicate", 0, most=100),
    )
    return {"webhooks": [webhook.number for webhook in sent]}


async def _storm(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    people = [stage.world.find(key) for key in ask.texts("people")] or list(stage.world.people.values())
    ids = await stage.storm(people, ask.whole("each", 10, least=1, most=20_000), ask.text("text", "message {n}"))
    return {"sent": len(ids)}


async def _faults(stage: Stage, _: web.Request, __: Ask) -> Answer:
    return {"faults": [asdict(fault) for fault in stage.world.faults.waiting()]}


async def _add_fault(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    fault = fault_of(ask)
    stage.world.faults.add(fault)
    return {"ok": True}


async def _no_faults(stage: Stage, _: web.Request, __: Ask) -> Answer:
    stage.world.faults.clear()
    return {"ok": True}


async def _statuses(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    lose = frozenset(ask.texts("lose"))
    if not lose <= {*ALL, "failed"}:
        raise SimulatorError(f"lose: some of {', '.join(ALL)}, failed")
    times = ask.whole("times", 1, least=1, most=10**6) if ask.has("times") else None
    stage.statuses.misbehave(Mischief(lose, ask.seconds("delay"), times))
    return {"ok": True}


async def _templates(stage: Stage, _: web.Request, __: Ask) -> Answer:
    return {"templates": [template.to_json(key) for key, template in stage.world.templates()]}


async def _add_template(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    stage.set_template(read_template(ask.mapping("template")))
    return {"ok": True}


async def _template_status(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    stage.template_status(ask.text("name"), ask.text("language"), ask.text("status"))
    return {"ok": True}


async def _template_category(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    stage.template_category(ask.text("name"), ask.text("language"), ask.text("category"))
    return {"ok": True}


async def _scenarios(_: Stage, __: web.Request, ___: Ask) -> Answer:
    found = scenario.shipped()
    return {"scenarios": [{"name": name, "title": one.title, "about": one.about} for name, one in found.items()]}


async def _run_scenario(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    written, name = ask.text("yaml", ""), ask.text("name", "")
    known = scenario.shipped()
    if not written and name not in known:
        raise SimulatorError(f"name: one of {', '.join(known)}; or give the steps under yaml")
    return {"done": await scenario.run(stage, scenario.read(written) if written else known[name])}


async def _quality(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    await scenario.VERBS["quality"](stage, ask)
    return {"quality": stage.world.quality}


async def _token(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    stage.world.token_expired = ask.flag("expired", otherwise=True)
    return {"expired": stage.world.token_expired}


PATHS = (
    Path("GET", "/control/calls", "Every call to the Graph API with body and answer.", _calls),
    Path("GET", "/control/webhooks", "Every webhook with its bytes and attempts.", _webhooks),
    Path("POST", "/control/webhooks", "Sends a webhook of any field.", _any_webhook, "field, value"),
    Path("POST", "/control/webhooks/redeliver", "Posts earlier webhooks again (default: all).", _redeliver, "numbers"),
    Path("POST", "/control/webhooks/raw", 'Posts any text; signature "" sends none.', _raw, "body, signature"),
    Path("POST", "/control/webhook", "Sets where webhooks go; null: nowhere.", _target, "url"),
    Path("POST", "/control/verify", "Makes the verification handshake.", _verify, "challenge"),
    Path("POST", "/control/delivery", "How webhooks go out from now on.", _delivery, "duplicate, delay, hold"),
    Path(
        "POST",
        "/control/delivery/release",
        "Sends what was held. shape: messages, changes or entries.",
        _release,
        "shuffle, batch, shape, duplicate",
    ),
    Path("POST", "/control/storm", "Many messages at once.", _storm, "people, each, text"),
    Path("GET", "/control/faults", "Faults still to come.", _faults),
    Path(
        "POST",
        "/control/faults",
        "Lets sends go wrong: error, http, hang, drop, slow, accepted_http, accepted_drop, accepted_hang, failed_status.",
        _add_fault,
        "kind, code, http, seconds, times, person, every",
    ),
    Path("DELETE", "/control/faults", "Nothing goes wrong any more.", _no_faults),
    Path("POST", "/control/statuses", "Loses or delays statuses; {} ends it.", _statuses, "lose, delay, times"),
    Path("GET", "/control/templates", "All templates.", _templates),
    Path("POST", "/control/templates", "Adds or replaces a template.", _add_template, "template"),
    Path(
        "POST",
        "/control/templates/status",
        "Sets APPROVED, PAUSED, DISABLED, … and tells the bot.",
        _template_status,
        "name, language, status",
    ),
    Path(
        "POST",
        "/control/templates/category",
        "Calls a template MARKETING, UTILITY or AUTHENTICATION and tells the bot.",
        _template_category,
        "name, language, category",
    ),
    Path("GET", "/control/scenarios", "The scenarios that come with the stand-in.", _scenarios),
    Path(
        "POST",
        "/control/scenarios",
        "Plays a scenario: a shipped one by name, or one written in YAML.",
        _run_scenario,
        "name | yaml",
    ),
    Path("POST", "/control/quality", "Rates the number GREEN, YELLOW or RED and tells the bot.", _quality, "value"),
    Path("POST", "/control/token", "Lets the access token expire, or not.", _token, "expired"),
)
