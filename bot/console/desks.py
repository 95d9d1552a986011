"""The desks beside the chats: the lead's queue, the officer's requests, the administrator's accounts, the log; and one's own account."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from bot.console import presenter, texts
from bot.console.access import Asked, Route
from bot.console.chats import PRESENT, moved_to
from bot.console.parts import LANGUAGES
from bot.domain.errors import IllegalMove
from bot.handoff.roles import ROLES, Action, Staff, teams_of
from bot.handoff.service import waited
from bot.handoff.ticket import OPEN, pseudonym
from bot.handoff.values import Canned
from bot.privacy.msgid import N_

NEW_NAME = N_("Please give a short log-in name (small letters and digits), a name and a role.")
TAKEN = N_("There is an account of this name already.")
NOT_YOURSELF = N_("You cannot change your own role or disable yourself; another administrator can.")
NO_OWNER = N_("Only an owner can make owners, or change one.")


def routes() -> list[Route]:
    a = Action
    return [
        Route("GET", "/queue", a.QUEUE_WATCH, queue),
        Route("GET", "/privacy", a.REQUESTS_SEE, privacy),
        Route("GET", "/privacy/{request}", a.REQUESTS_SEE, request),
        Route("POST", "/privacy/{request}", a.REQUESTS_ANSWER, move_request),
        Route("GET", "/admin", a.STAFF_SEE, admin),
        Route("POST", "/admin/add", a.STAFF_EDIT, add_staff),
        Route("POST", "/admin/change", a.STAFF_EDIT, change_staff),
        Route("POST", "/admin/reset", a.STAFF_EDIT, reset_staff),
        Route("GET", "/business", a.BUSINESS_SEE, business),
        Route("GET", "/canned", a.CANNED_EDIT, canned),
        Route("POST", "/canned", a.CANNED_EDIT, put_canned),
        Route("POST", "/canned/drop", a.CANNED_EDIT, drop_canned),
        Route("GET", "/letters", a.LETTERS_SEE, letters),
        Route("POST", "/letters/drop", a.LETTERS_DROP, drop_letter),
        Route("GET", "/channel", a.CHANNEL_SEE, channel),
        Route("GET", "/log", a.LOG_SEE, log),
        Route("GET", "/me", a.OWN_ACCOUNT, me),
        Route("POST", "/me", a.OWN_ACCOUNT, change_me),
        Route("POST", "/me/others", a.OWN_ACCOUNT, end_others),
    ]


# -- the lead ----------------------------------------------------------------------------------------------------------------


async def queue(asked: Asked) -> web.StreamResponse:
    """How long people wait, by team, and how much each agent has; no names and no words."""
    parts, now = asked.parts, asked.parts.clock.now()
    declared = parts.business.teams
    teams = teams_of(asked.staff, declared) or tuple(declared)
    tickets = await parts.tickets.listed({"team": {"$in": list(teams)}, "state": {"$in": list(OPEN)}}, most=1000)
    rows = []
    for name in teams:
        mine = [one for one in tickets if one.team == name]
        waits = sorted(
            (waited(one, now) or timedelta() for one in mine if one.state == "queued" and not one.outcome), reverse=True
        )
        rows.append({
            "title": declared[name].title, "open": parts.is_open(name), "hours": declared[name].hours, "queued": len(waits),
            "longest": waits[0] if waits else None, "late": presenter.lateness(waits[0] if waits else None),
            "owned": sum(one.state == "owned" for one in mine), "snoozed": sum(one.state == "snoozed" for one in mine),
            "left": sum(one.state == "queued" and bool(one.outcome) for one in mine),
        })  # fmt: skip
    return asked.page(
        "queue.html", rows=rows, agents=await _agents(asked, teams, Counter(one.owner for one in tickets))
    )


async def _agents(asked: Asked, teams: tuple[str, ...], load: "Counter[str]") -> list[dict[str, Any]]:
    there = {one.staff for one in await asked.parts.sessions.there(asked.parts.clock.now(), PRESENT)}
    return [
        {"name": one.shown, "teams": one.teams, "load": load[one.id], "most": one.most, "there": one.id in there, "away": one.away}
        for one in await asked.parts.accounts.all()
        if one.role in ("agent", "lead") and not one.disabled and set(one.teams) & set(teams)
    ]  # fmt: skip


# -- the data protection officer -----------------------------------------------------------------------------------------------


async def privacy(asked: Asked) -> web.StreamResponse:
    """Requests with their clocks, the unclear ones first of all; closed ones and erasures where asked for."""
    box = asked.request.query.get("box", "open")
    closed = box in ("closed", "erasures")
    found = await asked.parts.facts.requests(closed=closed)
    if box == "unsure":
        found = [one for one in found if one.state == "unsure"]
    elif box == "erasures":
        found = [one for one in found if one.kind == "erase"] if asked.may(Action.ERASURES_SEE) else []
    elif closed:
        found = [one for one in found if one.closed_at is not None]
    await asked.log(Action.REQUESTS_SEE, what=box if box in ("open", "unsure", "closed", "erasures") else "open")
    now = asked.parts.clock.now()
    return asked.page(
        "privacy.html", found=found, box=box, texts=texts, overdue=[one.id for one in found if _overdue(one, now)]
    )


def _overdue(one: Any, now: Any) -> bool:
    return one.closed_at is None and one.due_at is not None and now > one.due_at


async def request(asked: Asked) -> web.StreamResponse:
    """One request, with the person's words and consents for those who may read them; on record first."""
    parts = asked.parts
    one = await parts.facts.request(asked.request.match_info["request"])
    if one is None:
        raise web.HTTPNotFound
    person = await parts.facts.person_of(one.reference) if one.reference else None
    await asked.log(Action.REQUESTS_SEE, what="request", person=person or "")
    reads = asked.may(Action.REQUESTS_ANSWER)
    talk = await parts.facts.talk(person) if person is not None and reads else None
    strip = presenter.strip(talk, parts.business, parts.clock.now()) if talk is not None else []
    events = await parts.facts.proof(person) if person is not None and asked.may(Action.PERSON_PROOF) else []
    words = one.words if reads else None
    return asked.page(
        "request.html", one=replace(one, words=words), strip=strip, events=events, texts=texts, who=pseudonym(person) if person else ""
    )  # fmt: skip


async def move_request(asked: Asked) -> web.StreamResponse:
    """Moves a request by hand; its clock and what is possible are the register's (GDPR art. 12(3), 12(4))."""
    name, trigger = asked.request.match_info["request"], asked.form.get("move", "")
    because = " ".join(asked.form.get("because", "").split())[:300]
    if trigger in ("extend", "refuse") and not because:
        return asked.page("message.html", 422, message=N_("Please say why: the person is told."))
    try:
        moved = await asked.parts.facts.move_request(name, trigger, because)
    except (IllegalMove, ValueError):
        moved = False
    if not moved:
        return asked.page("message.html", 409, message=N_("This is not possible for this request (any more)."))
    await asked.log(Action.REQUESTS_ANSWER, what=trigger)
    return moved_to(f"/console/privacy/{name}")


async def log(asked: Asked) -> web.StreamResponse:
    """Who looked at what and why. Looking at the log is in the log."""
    staff = asked.request.query.get("staff", "").strip()[:60]
    lines = await asked.parts.desks.logged({"staff": staff} if staff else {})
    await asked.log(Action.LOG_SEE)
    return asked.page("log.html", lines=lines, by=staff, texts=texts)


# -- the administrator ---------------------------------------------------------------------------------------------------------


async def admin(asked: Asked) -> web.StreamResponse:
    return await _admin(asked)


async def _admin(asked: Asked, problem: str = "", invitation: str = "", status: int = 200) -> web.Response:
    people = await asked.parts.accounts.all()
    kinds = {one.id: await asked.parts.accounts.kinds(one.id) for one in people}
    return asked.page(
        "admin.html", status, people=people, kinds=kinds, problem=problem, invitation=invitation, roles=texts.ROLE_TITLES, table=ROLES,
        teams=asked.parts.business.teams,
    )  # fmt: skip


def _list_of(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))[:20]


async def add_staff(asked: Asked) -> web.StreamResponse:
    """A new account with an invitation, which is shown once."""
    form, parts, now = asked.form, asked.parts, asked.parts.clock.now()
    name = form.get("id", "").strip().casefold()
    staff = Staff(
        name, " ".join(form.get("name", "").split())[:80], form.get("role", ""), _known_teams(asked, form.get("teams", "")),
        _list_of(form.get("languages", "")), _list_of(form.get("skills", "")),
    )  # fmt: skip
    if not (name.isascii() and name.isalnum() and 2 <= len(name) <= 40 and staff.name and staff.role in ROLES):
        return await _admin(asked, NEW_NAME, status=422)
    if staff.role == "owner" and asked.staff.role != "owner":
        return await _admin(asked, NO_OWNER, status=403)
    if not await parts.accounts.add(staff, now):
        return await _admin(asked, TAKEN, status=409)
    await asked.log(Action.STAFF_EDIT, what=f"added {name} as {staff.role}")
    token = await parts.accounts.invite(name, now, anew=False)
    return await _admin(asked, invitation=_invitation(asked, token))


def _known_teams(asked: Asked, text: str) -> tuple[str, ...]:
    return tuple(one for one in _list_of(text) if one in asked.parts.business.teams)


def _invitation(asked: Asked, token: str | None) -> str:
    return f"{asked.parts.site.place(asked.request).origin}/console/join/{token}" if token else ""


async def change_staff(asked: Asked) -> web.StreamResponse:
    """Role, teams, or whether the account is in use. Only these fields, whatever else is sent (privacy.md A3)."""
    form, parts = asked.form, asked.parts
    found = await parts.accounts.find(form.get("id", ""))
    if found is None:
        raise web.HTTPNotFound
    role = form.get("role", found.role)
    if found.id == asked.staff.id:
        return await _admin(asked, NOT_YOURSELF, status=403)
    if "owner" in (found.role, role) and asked.staff.role != "owner":
        return await _admin(asked, NO_OWNER, status=403)
    if role not in ROLES:
        return await _admin(asked, NEW_NAME, status=422)
    teams = _known_teams(asked, form["teams"]) if "teams" in form else found.teams
    disabled = form.get("disabled", "yes" if found.disabled else "no") == "yes"
    await parts.accounts.change(found.id, role=role, teams=teams, disabled=disabled)
    await asked.log(Action.STAFF_EDIT, what=f"changed {found.id}: {role}{', disabled' if disabled else ''}")
    return moved_to("/console/admin")


async def reset_staff(asked: Asked) -> web.StreamResponse:
    """Takes every log-in of an account away and invites it anew: for a lost device."""
    found = await asked.parts.accounts.find(asked.form.get("id", ""))
    if found is None:
        raise web.HTTPNotFound
    if found.role == "owner" and asked.staff.role != "owner":
        return await _admin(asked, NO_OWNER, status=403)
    token = await asked.parts.accounts.invite(found.id, asked.parts.clock.now(), anew=True)
    await asked.log(Action.STAFF_EDIT, what=f"reset {found.id}")
    return await _admin(asked, invitation=_invitation(asked, token))


async def business(asked: Asked) -> web.StreamResponse:
    """Teams, hours, purposes and templates, as business.yaml declares them; they are changed there."""
    return asked.page("business.html", texts=texts)


async def canned(asked: Asked) -> web.StreamResponse:
    found = await asked.parts.desks.canned(tuple(asked.parts.business.teams))
    return asked.page("canned.html", found=found)


async def put_canned(asked: Asked) -> web.StreamResponse:
    form, parts = asked.form, asked.parts
    one = Canned(
        form.get("id", "")[:32], " ".join(form.get("name", "").split())[:40], form.get("text", "").strip()[:2000],
        form.get("team", "") if form.get("team", "") in parts.business.teams else "", "",
        form.get("purpose", "") if form.get("purpose", "") in parts.business.purposes else "",
    )  # fmt: skip
    if one.name and one.text:
        await parts.desks.put_canned(one, parts.clock.now())
        await asked.log(Action.CANNED_EDIT, what=one.name)
    return moved_to("/console/canned")


async def drop_canned(asked: Asked) -> web.StreamResponse:
    await asked.parts.desks.drop_canned(asked.form.get("id", "")[:32])
    await asked.log(Action.CANNED_EDIT, what="dropped")
    return moved_to("/console/canned")


async def letters(asked: Asked) -> web.StreamResponse:
    """What failed for good, without content."""
    return asked.page("letters.html", found=await asked.parts.facts.letters())


async def drop_letter(asked: Asked) -> web.StreamResponse:
    await asked.parts.facts.drop_letter(asked.form.get("id", "")[:64])
    await asked.log(Action.LETTERS_DROP)
    return moved_to("/console/letters")


async def channel(asked: Asked) -> web.StreamResponse:
    return asked.page("channel.html", health=await asked.parts.facts.health())


# -- one's own account -----------------------------------------------------------------------------------------------------------


async def me(asked: Asked) -> web.StreamResponse:
    kinds = await asked.parts.accounts.kinds(asked.staff.id)
    return asked.page("me.html", kinds=kinds, titles=texts.ROLE_TITLES)


async def change_me(asked: Asked) -> web.StreamResponse:
    """Language, single keys, and whether one is away; nothing else of the account (privacy.md A3)."""
    form = asked.form
    changes: dict[str, Any] = {}
    if form.get("language", "") in LANGUAGES:
        changes["language"] = form["language"]
    if "away" in form:
        changes["away"] = form["away"] == "yes"
    if "keys" in form:
        changes["single_keys"] = form["keys"] == "yes"
    if changes:
        await asked.parts.accounts.change(asked.staff.id, **changes)
    if asked.wants_part:
        return web.json_response({"done": "ok"})
    return moved_to("/console/me")


async def end_others(asked: Asked) -> web.StreamResponse:
    """Logs every other session of the account out."""
    if asked.session is not None:
        await asked.parts.sessions.end_others(asked.staff.id, asked.session.id)
        await asked.log("sessions.ended")
    return moved_to("/console/me")
