"""Logging in and out, and the first log-in of a new account. Nothing here tells whether an account exists (OWASP ASVS 6.3.8)."""

import json
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.console import codes, passkeys, passwords
from bot.console.access import Asked, Route
from bot.handoff.roles import Action, Staff
from bot.handoff.values import Looked
from bot.privacy.msgid import N_

WRONG = N_(
    "That did not work. Check the name, the password and the code, or ask your administrator for a new invitation."
)
TOO_OFTEN = N_("Too many tries. Please wait ten minutes and try again.")
OVER = N_("This invitation was used already or is older than a day. Ask your administrator for a new one.")
WEAK = N_("Please choose a longer password: at least 12 characters, and not your name.")
WRONG_CODE = N_("The code does not fit. Check the clock of your device and enter the newest code.")
KEY_FAILED = N_("The passkey was not accepted. Please try again.")

TRIES, WITHIN = 10, timedelta(minutes=10)
CHALLENGE = "recado-challenge"


def routes() -> list[Route]:
    own = Action.OWN_ACCOUNT
    return [
        Route("GET", "/login", None, show),
        Route("POST", "/login", None, by_password),
        Route("POST", "/login/options", None, options),
        Route("POST", "/login/passkey", None, by_passkey),
        Route("POST", "/logout", own, log_out),
        Route("GET", "/join/{token}", None, invitation),
        Route("POST", "/join/{token}", None, join_by_password),
        Route("POST", "/join/{token}/options", None, join_options),
        Route("POST", "/join/{token}/passkey", None, join_by_passkey),
    ]


async def show(asked: Asked) -> web.StreamResponse:
    if asked.session is not None:
        return _to("/console/")
    return _login(asked)


def _login(asked: Asked, problem: str = "", status: int = 200) -> web.Response:
    place = asked.parts.site.place(asked.request)
    return asked.page("login.html", status, problem=problem, passkeys=place.usable, code=not asked.parts.site.demo)


def _to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})


# -- log-in ----------------------------------------------------------------------------------------------------------------


async def by_password(asked: Asked) -> web.StreamResponse:
    """Password and one-time code together, in one answer: neither is confirmed without the other."""
    parts, form = asked.parts, asked.form
    name, password = form.get("name", "").strip().casefold()[:60], form.get("password", "")
    if not await _within_pace(asked, name):
        return _login(asked, TOO_OFTEN, 429)
    account = await parts.accounts.find(name)
    right = await passwords.fits(await parts.accounts.password(name), password)
    second = await _second(asked, name, form.get("code", ""), spend=right)
    proven = right and second
    if account is None or account.disabled or not proven:
        await parts.desks.log(
            Looked(parts.clock.now(), account.id if account else "", "login.refused", what="password")
        )
        return _login(asked, WRONG, 403)
    return await _enter(asked, account, "password")


async def _second(asked: Asked, name: str, code: str, *, spend: bool) -> bool:
    """The second factor, looked at whatever the first one is worth; a right code is used up with a right password alone.

    A demo, which runs on one machine with invented people, asks for none.
    """
    secret = await asked.parts.accounts.code_secret(name)
    if secret is None:
        return asked.parts.site.demo
    step = codes.matching_step(secret, code, asked.parts.clock.now())
    return step is not None and (not spend or await asked.parts.accounts.code_used(name, step))


async def _within_pace(asked: Asked, name: str) -> bool:
    """Counts by name and by sender; a name nobody has counts as well.

    Few tries from one place at one name, more at a name from everywhere: a stranger cannot lock somebody out alone.
    """
    pace, sender = asked.parts.pace, asked.parts.site.sender(asked.request)
    by_both = await pace.within("login", f"both:{name}:{sender}", TRIES, WITHIN) if name else True
    by_name = await pace.within("login", f"name:{name}", TRIES * 10, WITHIN) if name else True
    return await pace.within("login", f"from:{sender}", TRIES * 5, WITHIN) and by_name and by_both


async def _enter(asked: Asked, account: Staff, how: str) -> web.Response:
    """A fresh session; an old cookie is worth nothing any more (no session fixation)."""
    parts, now = asked.parts, asked.parts.clock.now()
    if asked.session is not None:
        await parts.sessions.end(asked.session.id)
    token, _ = await parts.sessions.begin(account.id, now)
    await parts.desks.log(Looked(now, account.id, "login", what=how))
    answer = web.json_response({"to": "/console/"}) if asked.wants_part else _to("/console/")
    _set_cookie(asked, answer, parts.site.cookie, token)
    return answer


def _set_cookie(asked: Asked, answer: web.Response, name: str, value: str) -> None:
    answer.set_cookie(name, value, path="/", secure=not asked.parts.site.demo, httponly=True, samesite="Strict")


async def log_out(asked: Asked) -> web.StreamResponse:
    if asked.session is not None:
        await asked.parts.sessions.end(asked.session.id)
        await asked.log("logout")
    answer = _to("/console/login")
    answer.del_cookie(asked.parts.site.cookie, path="/", secure=not asked.parts.site.demo)
    return answer


# -- passkeys --------------------------------------------------------------------------------------------------------------


async def options(asked: Asked) -> web.StreamResponse:
    """A challenge for whatever key the person has; the same for everybody."""
    if not await _within_pace(asked, ""):
        return web.json_response({"problem": asked.text(TOO_OFTEN)}, status=429)
    challenge = passkeys.new_challenge()
    return await _challenged(asked, challenge, passkeys.to_use(asked.parts.site.place(asked.request), challenge))


async def _challenged(asked: Asked, challenge: bytes, given: str) -> web.Response:
    token = await asked.parts.sessions.challenge(challenge, asked.parts.clock.now())
    answer = web.Response(text=given, content_type="application/json")
    _set_cookie(asked, answer, _challenge_cookie(asked), token)
    return answer


def _challenge_cookie(asked: Asked) -> str:
    return CHALLENGE if asked.parts.site.demo else f"__Host-{CHALLENGE}"


async def _challenge(asked: Asked) -> bytes | None:
    token = asked.request.cookies.get(_challenge_cookie(asked), "")
    return await asked.parts.sessions.answered(token, asked.parts.clock.now()) if token else None


async def by_passkey(asked: Asked) -> web.StreamResponse:
    parts = asked.parts
    answer, challenge = _answer(asked.form), await _challenge(asked)
    key = await parts.accounts.passkey(str(answer.get("id", ""))) if answer else None
    if not await _within_pace(asked, "") or challenge is None or key is None:
        return _key_refused(asked)
    count = passkeys.used(parts.site.place(asked.request), answer, challenge, key)
    account = await parts.accounts.find(key.staff)
    if count is None or account is None or account.disabled:
        return _key_refused(asked)
    await parts.accounts.passkey_used(key.id, count)
    return await _enter(asked, account, "passkey")


def _answer(form: Mapping[str, str]) -> dict[str, Any]:
    try:
        read = json.loads(form.get("answer", ""))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _key_refused(asked: Asked) -> web.Response:
    return web.json_response({"problem": asked.text(KEY_FAILED)}, status=403)


# -- the first log-in --------------------------------------------------------------------------------------------------------


async def _invited(asked: Asked) -> Staff | None:
    token = asked.request.match_info["token"]
    if not await _within_pace(asked, ""):
        return None
    return await asked.parts.accounts.invited(token, asked.parts.clock.now())


async def invitation(asked: Asked) -> web.StreamResponse:
    """The page of an invitation; opening it changes nothing."""
    account = await _invited(asked)
    if account is None:
        return asked.page("message.html", 404, message=OVER)
    return _join(asked, account, codes.new_secret())


def _join(asked: Asked, account: Staff, secret: str, problem: str = "", status: int = 200) -> web.Response:
    place = asked.parts.site.place(asked.request)
    address = codes.address(secret, account.id, asked.parts.business.name)
    return asked.page(
        "join.html", status, account=account, secret=secret, address=address, problem=problem, passkeys=place.usable,
        token=asked.request.match_info["token"],
    )  # fmt: skip


async def join_by_password(asked: Asked) -> web.StreamResponse:
    """Sets a password with its second factor, and logs in."""
    parts, form, now = asked.parts, asked.form, asked.parts.clock.now()
    account = await _invited(asked)
    if account is None:
        return asked.page("message.html", 404, message=OVER)
    secret, password = form.get("secret", ""), form.get("password", "")
    if passwords.weak(password, account.id):
        return _join(asked, account, secret or codes.new_secret(), WEAK, 422)
    step = codes.matching_step(secret, form.get("code", ""), now) if len(secret) == 32 and secret.isalnum() else None
    if step is None:
        return _join(asked, account, codes.new_secret(), WRONG_CODE, 422)
    if not await parts.accounts.joined(asked.request.match_info["token"]):
        return asked.page("message.html", 404, message=OVER)
    await parts.accounts.set_password(account.id, await passwords.hashed(password), now)
    await parts.accounts.set_code_secret(account.id, secret, now)
    await parts.accounts.code_used(account.id, step)
    return await _enter(asked, account, "password")


async def join_options(asked: Asked) -> web.StreamResponse:
    account = await _invited(asked)
    if account is None:
        return web.json_response({"problem": asked.text(OVER)}, status=404)
    challenge = passkeys.new_challenge()
    known = await asked.parts.accounts.passkeys(account.id)
    given = passkeys.to_make(
        asked.parts.site.place(asked.request), asked.parts.business.name, account.id, account.name, challenge, known
    )
    return await _challenged(asked, challenge, given)


async def join_by_passkey(asked: Asked) -> web.StreamResponse:
    parts, account, challenge = asked.parts, await _invited(asked), await _challenge(asked)
    if account is None or challenge is None:
        return _key_refused(asked)
    key = passkeys.made(parts.site.place(asked.request), _answer(asked.form), challenge, account.id)
    if key is None or not await parts.accounts.joined(asked.request.match_info["token"]):
        return _key_refused(asked)
    if not await parts.accounts.add_passkey(key, parts.clock.now()):
        return _key_refused(asked)
    return await _enter(asked, account, "passkey")
