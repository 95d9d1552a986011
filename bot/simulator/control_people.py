"""The control API's paths about people: who there is, what stands on their phones, what they do."""

from aiohttp import web

from bot.simulator import gestures
from bot.simulator.asking import Ask
from bot.simulator.errors import SimulatorError
from bot.simulator.people import Person, key_of
from bot.simulator.routing import Path
from bot.simulator.stage import Stage

Answer = dict[str, object]


def _person(stage: Stage, request: web.Request) -> Person:
    return stage.world.find(request.match_info["who"])


async def _list(stage: Stage, _: web.Request, __: Ask) -> Answer:
    return {"people": [stage.world.person_json(person) for person in stage.world.people.values()]}


async def _add(stage: Stage, _: web.Request, ask: Ask) -> Answer:
    name, language, country = ask.text("name", ""), ask.text("language", "en"), ask.text("country", "")
    number, bsuid, key = ask.text_or_none("number"), ask.text_or_none("bsuid"), ask.text_or_none("key")
    with_number = ask.flag("with_number", otherwise=True) if ask.has("with_number") else None
    if number is None and bsuid is None:
        return stage.world.person_json(
            stage.world.invent(name=name, language=language, country=country, with_number=with_number)
        )
    person = Person(
        key or key_of(name, set(stage.world.people)), name, language, country or "GB", number, bsuid,
        ask.text_or_none("username"), ask.flag("number_visible", otherwise=True),
    )  # fmt: skip
    return stage.world.person_json(stage.world.add(person))


async def _change(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    person = _person(stage, request)
    parts: dict[str, object] = {key: ask.text(key) for key in ("name", "language", "country") if ask.has(key)}
    parts |= {key: ask.flag(key, otherwise=True) for key in ("number_visible", "receipts") if ask.has(key)}
    if ask.has("username"):
        parts["username"] = ask.text_or_none("username")
    person = stage.world.change(person.key, **parts)
    if ask.has("online"):
        person = stage.set_online(person, ask.flag("online", otherwise=True))
    return stage.world.person_json(person)


async def _chat(stage: Stage, request: web.Request, _: Ask) -> Answer:
    chat = stage.world.chats[_person(stage, request).key]
    return {"bubbles": [bubble.to_json() for bubble in chat.bubbles]}


async def _say(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    return {"id": gestures.say(stage.world, _person(stage, request), ask.text("text"), ask.text("reply_to", ""))}


async def _tap(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    message_id = ask.text_or_none("message_id")
    return {"id": gestures.tap(stage.world, _person(stage, request), ask.text("choice"), message_id)}


async def _react(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    return {"id": gestures.react(stage.world, _person(stage, request), ask.text("message_id"), ask.text("emoji", ""))}


async def _send(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    return {"id": gestures.send(stage.world, _person(stage, request), ask.mapping("message"), ask.text("reply_to", ""))}


async def _file(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    person = _person(stage, request)
    content = ask.content("content_base64")
    sent = gestures.share_file(
        stage.world, person, ask.text("mime_type"), content, ask.text("filename", ""), ask.text("caption", "")
    )
    return {"id": sent}


async def _prefer(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    gestures.prefer(stage.world, _person(stage, request), ask.text("value"))
    return {"ok": True}


async def _number(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    person = gestures.change_number(stage.world, _person(stage, request), ask.text_or_none("number"))
    return stage.world.person_json(person)


async def _window(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    if ask.flag("open", otherwise=False):
        raise SimulatorError("open: only a message of the person opens the window; say something")
    stage.world.close_window(_person(stage, request))
    return {"ok": True}


async def _read(stage: Stage, request: web.Request, _: Ask) -> Answer:
    stage.statuses.read(_person(stage, request))
    return {"ok": True}


async def _clear(stage: Stage, request: web.Request, _: Ask) -> Answer:
    person = _person(stage, request)
    stage.world.clear(person)
    return {"ok": True}


async def _act(stage: Stage, request: web.Request, ask: Ask) -> Answer:
    return {"text": await stage.act(_person(stage, request), ask.text("id"))}


WHO = "/control/people/{who}"

PATHS = (
    Path("GET", "/control/people", "Everybody with a phone.", _list),
    Path(
        "POST",
        "/control/people",
        "Adds a person; without number and bsuid an invented one, with a number where fiction has any.",
        _add,
        "name, language, country, with_number | number, bsuid, username, number_visible, key",
    ),
    Path(
        "PATCH",
        WHO,
        "Changes a person.",
        _change,
        "name, language, country, username, number_visible, receipts, online",
    ),
    Path("GET", f"{WHO}/chat", "All bubbles of a phone.", _chat),
    Path("POST", f"{WHO}/say", "Writes a text.", _say, "text, reply_to"),
    Path("POST", f"{WHO}/tap", "Taps a button or a row by title or id.", _tap, "choice, message_id"),
    Path("POST", f"{WHO}/react", "Reacts to a message; no emoji takes it back.", _react, "message_id, emoji"),
    Path("POST", f"{WHO}/send", "Sends any message object of Meta's (type and content).", _send, "message, reply_to"),
    Path("POST", f"{WHO}/file", "Sends a file.", _file, "mime_type, content_base64, filename, caption"),
    Path("POST", f"{WHO}/preferences", "Stops or resumes marketing (user_preferences).", _prefer, "value"),
    Path("POST", f"{WHO}/number", "Changes number and BSUID (system message).", _number, "number"),
    Path("POST", f"{WHO}/window", "Closes the 24-hour window.", _window, "open: false"),
    Path("POST", f"{WHO}/read", "Reads what was delivered.", _read),
    Path("POST", f"{WHO}/clear", "Empties the phone's chat; nobody is told.", _clear),
    Path("POST", f"{WHO}/action", "Presses a button of the host.", _act, "id"),
)
