"""What concerns the person of a chat: a masked field shown for a reason, the proof of a consent, and rights begun for them.

An agent neither decides nor copies: rights run in the same flows as for everybody, and nobody can record a yes (console.md 5.2).
"""

from datetime import timedelta

from aiohttp import web

from bot.console import texts
from bot.console.access import Asked, Route
from bot.console.chats import acted
from bot.handoff.roles import Action, Field, sees
from bot.handoff.service import Done
from bot.privacy.msgid import N_

REVEALS, WITHIN = 20, timedelta(hours=1)
NO_REASON = N_("Please choose a reason.")
TOO_MANY = N_("You have asked for many numbers in the last hour. Please speak with your lead.")


def routes() -> list[Route]:
    a, chat = Action, "/chats/{ticket}"
    return [
        Route("POST", f"{chat}/reveal", a.PERSON_REVEAL, reveal),
        Route("GET", f"{chat}/proof/{{purpose}}", a.PERSON_PROOF, proof),
        Route("POST", f"{chat}/right", a.PERSON_RIGHTS, right),
        Route("POST", f"{chat}/ask-consent", a.CHATS_WRITE, ask_consent),
        Route("POST", f"{chat}/withdraw", a.PERSON_WITHDRAW, withdraw),
    ]


def _concerned(asked: Asked) -> bool:
    """Whether the chat is the account's own, or its role looks after others' chats too (privacy.md T22)."""
    others = asked.may(Action.CHATS_TAKE_AWAY) or asked.may(Action.REQUESTS_ANSWER)
    return others or (asked.ticket.owner == asked.staff.id and asked.ticket.is_open)


async def reveal(asked: Asked) -> web.StreamResponse:
    """Shows a number for a stated reason; who, when, whose and why are on record first (privacy.md A4, T22)."""
    parts, reason = asked.parts, asked.form.get("reason", "")
    if not _concerned(asked):
        await asked.log(
            Action.PERSON_REVEAL, what="number refused: not their chat", why=reason if reason in texts.REASONS else ""
        )
        raise web.HTTPNotFound
    if reason not in texts.REASONS:
        return asked.page("reveal.html", 422, number="", problem=NO_REASON, ticket=asked.ticket)
    if not sees(asked.staff, Field.NUMBER):
        raise web.HTTPNotFound
    if not await parts.pace.within("reveal", asked.staff.id, REVEALS, WITHIN):
        await asked.log(Action.PERSON_REVEAL, what="number refused: too many", why=reason)
        return asked.page("reveal.html", 429, number="", problem=TOO_MANY, ticket=asked.ticket)
    await asked.log(Action.PERSON_REVEAL, what="number", why=reason)
    number = await parts.facts.number(asked.ticket.person)
    return asked.page("reveal.html", number=number, problem="", ticket=asked.ticket)


async def proof(asked: Asked) -> web.StreamResponse:
    """The events of one purpose with the exact words shown and answered (GDPR art. 7(1))."""
    purpose = asked.request.match_info["purpose"]
    if purpose not in asked.parts.business.purposes or not sees(asked.staff, Field.PROOF):
        raise web.HTTPNotFound
    await asked.log(Action.PERSON_PROOF, what=purpose)
    events = [one for one in await asked.parts.facts.proof(asked.ticket.person) if one.purpose in (purpose, "")]
    title = asked.parts.business.purposes[purpose].title
    return asked.page("proof.html", ticket=asked.ticket, events=events, title=title, texts=texts)


async def right(asked: Asked) -> web.StreamResponse:
    """Begins the flow of a right for the person, who decides in it."""
    flow = asked.form.get("right", "")
    if not _concerned(asked):
        return await acted(asked, Done.NOT_YOURS, Action.PERSON_RIGHTS, what=flow if flow in texts.RIGHTS else "")
    if flow not in texts.RIGHTS:
        return await acted(asked, Done.WRONG, Action.PERSON_RIGHTS)
    done = await asked.parts.handoffs.begin_flow(asked.staff, asked.ticket, flow, once=asked.form.get("once", "")[:64])
    return await acted(asked, done, Action.PERSON_RIGHTS, what=flow)


async def ask_consent(asked: Asked) -> web.StreamResponse:
    """Has the bot ask for a consent in its own flow, with notice and evidence; only inside the window."""
    flow = asked.parts.consent_flows.get(asked.form.get("purpose", ""), "")
    if not flow:
        return await acted(asked, Done.WRONG, Action.CHATS_WRITE, what="ask for consent")
    if asked.ticket.owner != asked.staff.id:
        return await acted(asked, Done.NOT_YOURS, Action.CHATS_WRITE, what="ask for consent")
    if asked.talk is None or not asked.talk.window_open(asked.parts.clock.now()):
        return await acted(asked, Done.WINDOW, Action.CHATS_WRITE, what="ask for consent")
    if asked.talk.hushed:
        return await acted(asked, Done.STOPPED, Action.CHATS_WRITE, what="ask for consent")
    done = await asked.parts.handoffs.begin_flow(asked.staff, asked.ticket, flow, once=asked.form.get("once", "")[:64])
    return await acted(asked, done, Action.CHATS_WRITE, what=f"ask for consent: {flow}")


async def withdraw(asked: Asked) -> web.StreamResponse:
    """Records that the person withdrew by telling us; there is no such way for a yes (GDPR art. 7(1), 7(3))."""
    purpose = asked.form.get("purpose", "")
    if purpose not in asked.parts.business.purposes:
        return await acted(asked, Done.WRONG, Action.PERSON_WITHDRAW)
    done = await asked.parts.facts.withdraw(asked.ticket.person, purpose)
    return await acted(asked, Done.OK if done else Done.GONE, Action.PERSON_WITHDRAW, what=purpose)
