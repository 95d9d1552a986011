"""The chats: list, thread and person, and what an agent does there. Every form works without script; with it the page stays."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.console import presenter, texts
from bot.console.access import Asked, Route
from bot.console.presenter import Glance, Row
from bot.handoff.roles import Action, Field, Staff, may, reaches, sees, teams_of
from bot.handoff.routing import in_order
from bot.handoff.service import SNOOZES, Done, newest_of_person
from bot.handoff.ticket import BY_AGENT, ENDED, Ticket, pseudonym
from bot.privacy.crypto import random_token
from bot.privacy.msgid import N_

SEEN_ANEW = timedelta(minutes=15)
"""A chat that stays open is put on record again after so long."""

PRESENT = timedelta(seconds=30)
SEARCHED = 200
EMPTY_NOTE = N_("Nothing was written.")
_STATUS = {Done.OK: 200, Done.GONE: 404, Done.NEWS: 409, Done.NOT_YOURS: 409, Done.WRONG: 422}


def routes() -> list[Route]:
    a = Action
    chat = "/chats/{ticket}"
    return [
        Route("GET", "/", a.OWN_ACCOUNT, home),
        Route("GET", "/chats", a.CHATS_SEE, listed),
        Route("GET", chat, a.CHATS_SEE, opened),
        Route("POST", f"{chat}/claim", a.CHATS_CLAIM, claim),
        Route("POST", f"{chat}/reply", a.CHATS_WRITE, reply),
        Route("POST", f"{chat}/retry", a.CHATS_WRITE, retry),
        Route("POST", f"{chat}/template", a.CHATS_TEMPLATE, template),
        Route("POST", f"{chat}/note", a.CHATS_NOTE, note),
        Route("POST", f"{chat}/unnote", a.CHATS_NOTE, unnote),
        Route("POST", f"{chat}/draft", a.CHATS_WRITE, draft),
        Route("POST", f"{chat}/give-back", a.CHATS_MOVE, give_back),
        Route("POST", f"{chat}/pass", a.CHATS_MOVE, pass_on),
        Route("POST", f"{chat}/snooze", a.CHATS_MOVE, snooze),
        Route("POST", f"{chat}/wake", a.CHATS_MOVE, wake),
        Route("POST", f"{chat}/close", a.CHATS_MOVE, close),
        Route("POST", f"{chat}/label", a.CHATS_LABEL, label),
        Route("POST", f"{chat}/ask-stop", a.CHATS_WRITE, ask_stop),
        Route("POST", "/here", a.CHATS_SEE, here),
    ]


# -- reading -----------------------------------------------------------------------------------------------------------------


async def home(asked: Asked) -> web.StreamResponse:
    """Each role begins where its work is."""
    first = {
        "admin": "/console/admin",
        "dpo": "/console/privacy",
        "auditor": "/console/log",
        "campaigner": "/console/channel",
    }
    return moved_to(first.get(asked.staff.role, "/console/chats"))


async def listed(asked: Asked) -> web.StreamResponse:
    """The list, with an empty thread beside it. It shows last lines, so that it was looked at is on record too."""
    await _on_record(asked, asked.request.query.get("box", "")[:10], "list")
    values = await _list(asked)
    if asked.wants_part:
        return asked.page("list.html", **values)
    return asked.page("chats.html", **values, **await _frame(asked), chat=None)


async def opened(asked: Asked) -> web.StreamResponse:
    """One chat with its person. That somebody looked is on record before it is shown."""
    await _on_record(asked, asked.ticket.id, "thread")
    chat = await _chat(asked)
    if asked.wants_part:
        return asked.page("chat.html", **chat)
    return asked.page("chats.html", **{**await _list(asked), **await _frame(asked), **chat, "chat": chat})


async def _frame(asked: Asked) -> Mapping[str, Any]:
    """What the page's script needs: where the stream of news begins."""
    teams = _teams(asked)
    told = {**texts.REFUSALS, **{str(done): words for done, words in texts.DONE.items()}}
    said = asked.request.query.get("said", "")
    return {"since": await asked.parts.events.newest(teams), "said": said, "texts_done": told}


async def _on_record(asked: Asked, seen: str, what: str) -> None:
    """A look is logged when a chat is opened, and again when it has stayed open for long; not at every redraw."""
    session, now = asked.session, asked.parts.clock.now()
    key = (session.id if session else "", f"{what}:{seen}")
    last = asked.parts.looked.get(key)
    if last is not None and now - last < SEEN_ANEW and asked.wants_part:
        return
    await asked.log(Action.CHATS_SEE, what=what)
    if len(asked.parts.looked) > 20_000:
        asked.parts.looked.clear()
    asked.parts.looked[key] = now


def _teams(asked: Asked) -> tuple[str, ...]:
    return teams_of(asked.staff, asked.parts.business.teams)


async def _list(asked: Asked) -> dict[str, Any]:
    """The rows of a box, in the order in which they should be looked at."""
    box = asked.request.query.get("box", "")
    query = asked.request.query.get("q", "").strip()[:100]
    teams, me = _teams(asked), asked.staff
    counts = await _counts(asked, teams)
    box = box if box in texts.BOXES else "mine" if counts["mine"] or not counts["queue"] else "queue"
    if query and asked.may(Action.CHATS_SEARCH):
        await asked.log(Action.CHATS_SEARCH, what="search")
        tickets = await _searched(asked, teams, query)
    else:
        tickets = await asked.parts.tickets.listed(_query(box, teams, me), newest=box in ("closed", "mine"))
    if box == "queue" and not query:
        tickets = in_order(tickets, me)
    rows = await _rows(asked, tickets)
    open_id = asked.request.match_info.get("ticket", asked.request.query.get("open", ""))
    return {
        "box": box,
        "boxes": texts.BOXES,
        "counts": counts,
        "rows": rows,
        "q": query,
        "open_id": open_id,
        "texts": texts,
    }


def _query(box: str, teams: tuple[str, ...], me: Staff) -> dict[str, Any]:
    mine = {"team": {"$in": list(teams)}}
    queries: dict[str, dict[str, Any]] = {
        "mine": {**mine, "owner": me.id, "state": "owned"},
        "queue": {**mine, "state": "queued"},
        "team": {**mine, "state": {"$in": ["owned", "snoozed"]}, "owner": {"$ne": me.id}},
        "snoozed": {**mine, "owner": me.id, "state": "snoozed"},
        "closed": {**mine, "state": {"$in": list(ENDED)}},
    }
    return queries[box]


async def _counts(asked: Asked, teams: tuple[str, ...]) -> dict[str, int]:
    found = dict.fromkeys(texts.BOXES, 0)
    for _, state, owner, number in await asked.parts.tickets.counts(teams):
        mine = owner == asked.staff.id
        box = "queue" if state == "queued" else "snoozed" if mine and state == "snoozed" else "mine" if mine else "team"
        found[box] += number
    return found


async def _rows(asked: Asked, tickets: list[Ticket]) -> list[Row]:
    """Rows without those of restricted and erased people, whom this account may not see."""
    parts, now = asked.parts, asked.parts.clock.now()
    glances = await parts.facts.glances([one.person for one in tickets])
    names, there = await _names(asked), await parts.sessions.there(now, PRESENT)
    return [
        presenter.row(one, asked.staff, glances.get(one.person, Glance()), now, names=names, there=there)
        for one in tickets
        if one.person in glances and reaches(asked.staff, one.team, restricted=glances[one.person].restricted)
    ]


async def _names(asked: Asked) -> dict[str, str]:
    return {one.id: one.shown for one in await asked.parts.accounts.all()}


async def _searched(asked: Asked, teams: tuple[str, ...], query: str) -> list[Ticket]:
    """Chats in reach that hold the words: in what the list shows, then in what was said."""
    wanted = query.casefold()
    newest = await asked.parts.tickets.listed({"team": {"$in": list(teams)}}, most=SEARCHED, newest=True)
    found = []
    for one in newest:
        shared = " ".join(str(value) for value in one.shared.values())
        seen = " ".join((pseudonym(one.person), one.last, one.about, shared, " ".join(one.labels), one.id))
        if wanted in seen.casefold() or any(
            wanted in line.words.casefold() for line in await asked.parts.tickets.lines(one)
        ):
            found.append(one)
    return found


async def _chat(asked: Asked) -> dict[str, Any]:
    """Everything the thread and the person's pane show, as this account may see it."""
    parts, ticket, talk, staff, now = asked.parts, asked.ticket, asked.talk, asked.staff, asked.parts.clock.now()
    lines = await parts.tickets.lines(ticket)
    await parts.handoffs.seen(staff, ticket)
    names = await _names(asked)
    drafts = await parts.desks.drafts(ticket, staff.id)
    composer = presenter.composer(ticket, talk, staff, now)
    language = talk.language if talk is not None and talk.language else parts.business.language
    refusals = (
        {name: await parts.facts.sendable(talk, name) for name in parts.business.templates}
        if talk is not None and composer.mine
        else {}
    )
    return {
        "ticket": ticket, "lines": presenter.bubbles(lines, staff, names), "composer": composer,
        "choices": presenter.choices(parts.business, language, refusals) if composer.mine else [], "drafts": drafts,
        "seen": newest_of_person(lines), "once": random_token(), "names": names, "texts": texts, "outcomes": BY_AGENT,
        "snoozes": SNOOZES, "talk": talk, "colleagues": await _colleagues(asked), "teams": parts.business.teams,
        "canned": await _canned(asked), "unsure": _unsure(lines), **await _person(asked),
    }  # fmt: skip


def _unsure(lines: Any) -> bool:
    """Whether the last thing that happened was an unclear wish to stop."""
    last = next((one for one in reversed(lines) if one.direction in ("in", "event")), None)
    return last is not None and last.kind == "unsure"


async def _colleagues(asked: Asked) -> list[Staff]:
    return [
        one
        for one in await asked.parts.accounts.all()
        if one.id != asked.staff.id and may(one, Action.CHATS_WRITE) and reaches(one, asked.ticket.team)
    ]


async def _canned(asked: Asked) -> list[dict[str, Any]]:
    """Replies kept ready; one with a marketing purpose is not there without consent (console.md, consent 4)."""
    parts, talk, now = asked.parts, asked.talk, asked.parts.clock.now()
    found = []
    for one in await parts.desks.canned(_teams(asked)):
        purpose = parts.business.purposes.get(one.purpose)
        live = talk is not None and (
            purpose is None or purpose.sends != "marketing" or talk.consent(one.purpose).is_live(now)
        )
        if live:
            found.append({"name": one.name, "text": one.text})
    return found


async def _person(asked: Asked) -> dict[str, Any]:
    parts, ticket, talk, staff, now = asked.parts, asked.ticket, asked.talk, asked.staff, asked.parts.clock.now()
    number = await parts.facts.number(ticket.person) if sees(staff, Field.NUMBER_END) else ""
    earlier = [
        one
        for one in await parts.tickets.listed({"person": ticket.person}, most=20, newest=True)
        if one.id != ticket.id and reaches(staff, one.team)
    ]
    return {
        "strip": presenter.strip(talk, parts.business, now) if talk is not None and sees(staff, Field.CONSENTS) else [],
        "shared": presenter.shared(ticket, staff, now), "number": presenter.masked(number) if number else "", "earlier": earlier,
        "notes": await parts.desks.notes(ticket) if sees(staff, Field.NOTES) else [], "rights": texts.RIGHTS, "reasons": texts.REASONS,
        "can_reveal": bool(number) and (ticket.owner == staff.id or asked.may(Action.CHATS_TAKE_AWAY) or asked.may(Action.REQUESTS_ANSWER))
        and asked.may(Action.PERSON_REVEAL) and sees(staff, Field.NUMBER),
        "flows": parts.consent_flows,
    }  # fmt: skip


# -- doing -------------------------------------------------------------------------------------------------------------------


def moved_to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})


async def acted(asked: Asked, done: Done, action: Action, *, what: str = "", to: str = "") -> web.StreamResponse:
    """Tells what came of an act, to the page's script or as the page itself; what was done is on record."""
    if done is Done.OK:
        await asked.log(action, what=what)
    elif done is not Done.NEWS:
        await asked.log(action, what=f"{what} refused: {done}".strip())
    words = asked.text(texts.DONE[done]) if done is not Done.OK else ""
    if asked.wants_part:
        return web.json_response({"done": done, "words": words}, status=_STATUS.get(done, 403))
    chat = to or f"/console/chats/{asked.ticket.id}"
    return moved_to(f"{chat}?{urlencode({'said': done})}" if words else chat)


async def claim(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.handoffs.claim(asked.staff, asked.ticket.id)
    return await acted(asked, done, Action.CHATS_CLAIM)


async def reply(asked: Asked) -> web.StreamResponse:
    """A free answer; refused while something came in that the page did not show yet (peers.md J 108)."""
    form, parts = asked.form, asked.parts
    seen = None if form.get("anyway") else form.get("seen", "")
    done = await parts.handoffs.write(
        asked.staff, asked.ticket.id, form.get("words", ""), once=form.get("once", "")[:64], seen=seen
    )
    if done is Done.OK:
        await parts.desks.draft(asked.ticket, asked.staff.id, "reply", "", parts.clock.now())
    return await acted(asked, done, Action.CHATS_WRITE)


async def retry(asked: Asked) -> web.StreamResponse:
    """Sends the words of a line that failed once more, as a new message."""
    lines = await asked.parts.tickets.lines(asked.ticket)
    line = next((one for one in lines if one.id == asked.form.get("line") and one.direction == "out"), None)
    if line is None or line.kind != "text" or not (line.fate == "failed" or line.fate.startswith("refused")):
        return await acted(asked, Done.WRONG, Action.CHATS_WRITE, what="retry")
    done = await asked.parts.handoffs.write(
        asked.staff, asked.ticket.id, line.words, once=f"retry:{line.id}", seen=None
    )
    return await acted(asked, done, Action.CHATS_WRITE, what="retry")


async def template(asked: Asked) -> web.StreamResponse:
    """A template for its purpose. The gate is asked before, and a refused try is on record; there is no way round it."""
    parts, form, name = asked.parts, asked.form, asked.form.get("template", "")
    declared = parts.business.templates.get(name)
    if declared is None or asked.talk is None:
        return await acted(asked, Done.WRONG, Action.CHATS_TEMPLATE)
    refusal = await parts.facts.sendable(asked.talk, name)
    if refusal:
        await asked.log(Action.CHATS_TEMPLATE, what=f"{name} refused: {refusal}")
        words = asked.text(texts.REFUSALS.get(refusal, texts.NOT_ALLOWED))
        if asked.wants_part:
            return web.json_response({"done": refusal, "words": words}, status=403)
        return moved_to(f"/console/chats/{asked.ticket.id}?said={refusal}")
    blanks = presenter.blanks(declared.languages)
    values = tuple(" ".join(form.get(f"value{place}", "").split())[:200] for place in range(1, blanks + 1))
    if not all(values):
        return await acted(asked, Done.WRONG, Action.CHATS_TEMPLATE, what=name)
    done = await parts.handoffs.send_template(
        asked.staff, asked.ticket.id, name, values, once=form.get("once", "")[:64]
    )
    return await acted(asked, done, Action.CHATS_TEMPLATE, what=name)


async def note(asked: Asked) -> web.StreamResponse:
    """A remark for colleagues; never leaves the house."""
    words, parts, now = asked.form.get("words", "").strip()[:4000], asked.parts, asked.parts.clock.now()
    if not words:
        return await acted(asked, Done.WRONG, Action.CHATS_NOTE)
    await parts.desks.note(asked.ticket, asked.staff.id, words, now)
    await parts.desks.draft(asked.ticket, asked.staff.id, "note", "", now)
    await parts.tickets.told(asked.ticket.team, "note", asked.ticket.id, now, by=asked.staff.id)
    return await acted(asked, Done.OK, Action.CHATS_NOTE)


async def unnote(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.desks.take_back(asked.form.get("note", ""), asked.staff.id)
    return await acted(asked, Done.OK if done else Done.NOT_YOURS, Action.CHATS_NOTE, what="taken back")


async def draft(asked: Asked) -> web.StreamResponse:
    """Keeps what was begun, so that neither a reload nor a STOP loses it."""
    mode = "note" if asked.form.get("mode") == "note" else "reply"
    words = asked.form.get("words", "")[:4096]
    await asked.parts.desks.draft(asked.ticket, asked.staff.id, mode, words, asked.parts.clock.now())
    return web.json_response({"done": "ok"})


async def give_back(asked: Asked) -> web.StreamResponse:
    outcome = asked.form.get("outcome", "")
    done = await asked.parts.handoffs.give_back(asked.staff, asked.ticket.id, outcome)
    return await acted(
        asked, done, Action.CHATS_MOVE, what=f"given back: {outcome}" if outcome in BY_AGENT else "given back"
    )


async def pass_on(asked: Asked) -> web.StreamResponse:
    """To a colleague or into a team's queue; leads may do that with anybody's chat."""
    parts, where, kind = asked.parts, asked.form.get("to", ""), asked.form.get("to", "").partition(":")[0]
    name, anybody_s = where.partition(":")[2], asked.may(Action.CHATS_TAKE_AWAY)
    if kind == "team" and name in parts.business.teams:
        done = await parts.handoffs.to_team(asked.staff, asked.ticket.id, name, anybody_s=anybody_s)
        return await acted(asked, done, Action.CHATS_MOVE, what=f"to team {name}", to="/console/chats")
    colleague = await parts.accounts.find(name) if kind == "staff" else None
    if colleague is None or colleague.disabled or not reaches(colleague, asked.ticket.team):
        return await acted(asked, Done.WRONG, Action.CHATS_MOVE, what="pass on")
    done = await parts.handoffs.hand_to(asked.staff, asked.ticket.id, colleague, anybody_s=anybody_s)
    return await acted(asked, done, Action.CHATS_MOVE, what=f"to {colleague.id}")


async def snooze(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.handoffs.snooze(asked.staff, asked.ticket.id, asked.form.get("length", ""))
    return await acted(asked, done, Action.CHATS_MOVE, what="snooze")


async def wake(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.handoffs.wake(asked.ticket.id, staff=asked.staff)
    return await acted(asked, done, Action.CHATS_MOVE, what="wake")


async def close(asked: Asked) -> web.StreamResponse:
    anybody_s = asked.may(Action.CHATS_TAKE_AWAY)
    done = await asked.parts.handoffs.close(asked.staff, asked.ticket.id, anybody_s=anybody_s)
    return await acted(asked, done, Action.CHATS_MOVE, what="close", to="/console/chats")


async def label(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.handoffs.label(asked.ticket.id, asked.form.get("labels", "").replace("#", ",").split(","))
    return await acted(asked, done, Action.CHATS_LABEL)


async def ask_stop(asked: Asked) -> web.StreamResponse:
    done = await asked.parts.handoffs.ask_stop(asked.staff, asked.ticket.id)
    return await acted(asked, done, Action.CHATS_WRITE, what="ask what was meant")


async def here(asked: Asked) -> web.StreamResponse:
    """The screen is open and shows this chat; told to colleagues who look at it too."""
    session, parts = asked.session, asked.parts
    if session is not None:
        viewing = asked.form.get("viewing", "")[:64]
        await parts.sessions.live(
            session.id, parts.clock.now(), viewing=viewing, typing=asked.form.get("typing") == "yes"
        )
    return web.json_response({"done": "ok"})
