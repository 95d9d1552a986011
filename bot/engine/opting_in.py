"""The second yes to a request that began on the website: heard on the phone it was sent to, recorded with both steps.

Until this answer nothing about the request stands in the conversation or the ledger, because nobody knew who filled the form in.
With the yes both steps are recorded at once, each with its own time and exact words (GDPR art. 7(1); privacy.md 3.2).
"""

from datetime import datetime, timedelta
from typing import Any

from bot.domain.command import Notify
from bot.domain.consent import GIVEN, PENDING, REFUSED, REQUESTED
from bot.domain.event import MessageReceived
from bot.domain.ids import CommandId, Wamid
from bot.domain.opt_in import NO, NOT_ME, YES, OptInRequest, counts, read_payload
from bot.engine import renewing
from bot.engine.play import Play
from bot.engine.stopping import invalidate, purposes_of, stop

FORM = "website"
SIGNED_UP, DECLINED, IS_OVER, WAS_NOT_ME = "signed_up", "sign_up_declined", "sign_up_over", "not_me"
SOURCE = "website_source"

_JUST_BEFORE = timedelta(milliseconds=1)
"""In the record, a consent to words that have changed ends before the new ones are asked for."""


def tapped(play: Play, event: MessageReceived) -> bool:
    """Acts on a quick reply of a confirming message; True when it was one. "Not me" works however old the message is."""
    reply = read_payload(event.option)
    if reply is None:
        return False
    kind, _ = reply
    if kind == NOT_ME:
        stop(play, "marketing", "website_not_me")
        play.push(WAS_NOT_ME)
        return True
    if event.opt_in is None:
        play.push(IS_OVER)
    elif kind == NO:
        _declined(play, event, event.opt_in)
    else:
        _agreed(play, event, event.opt_in)
    _first(play)
    return True


def spoken(play: Play, event: MessageReceived) -> bool:
    """Acts on a clear yes or no in the words of the request's language; True when it was one. Weak words are no answer."""
    if event.opt_in is None or event.option:
        return False
    said = play.world.rules.says(event.words.value, event.opt_in.language)
    if said == YES:
        _agreed(play, event, event.opt_in)
    elif said == NO:
        _declined(play, event, event.opt_in)
    else:
        return False
    _first(play)
    return True


def tell_source(play: Play, event: MessageReceived) -> None:
    """Where we have the number from, for somebody who asks back instead of answering the sign-up (GDPR art. 14(2)(f))."""
    request = event.opt_in
    if request is not None:
        site = request.source.removeprefix("website ")
        play.push(SOURCE, {"site": site, "day": play.local_day(request.asked_at)})


def _first(play: Play) -> None:
    """Whoever writes for the first time sees the notice first (GDPR art. 13)."""
    if play.conversation.talk == "new":
        play.push("first_contact")


def _speak(play: Play, request: OptInRequest) -> None:
    """A stranger is answered in the language of the page they read."""
    if play.conversation.talk == "new" and not play.conversation.language_chosen:
        language = play.world.texts.closest(request.language)
        play.set(language=language)
        play.language = language


def _agreed(play: Play, event: MessageReceived, request: OptInRequest) -> None:
    _speak(play, request)
    purpose = play.world.book.business.purposes.get(request.purpose)
    live = play.has_consent(request.purpose)
    if purpose is None or not (live or _counts(play, event, request)):
        play.push(IS_OVER)
        return
    if not live:
        if play.conversation.consent(request.purpose).is_live(play.now):
            invalidate(play, request.purpose, request.asked_at - _JUST_BEFORE)
        _record(play, event, request)
    title = play.world.texts.translate(purpose.title, play.language)
    play.push(SIGNED_UP, {"title": title})


def _counts(play: Play, event: MessageReceived, request: OptInRequest) -> bool:
    business, conversation = play.world.book.business, play.conversation
    stops = [since for scope, since in conversation.stopped.items() if request.purpose in purposes_of(business, scope)]
    return counts(request, conversation.consent(request.purpose), stops, said_at=event.at, now=play.now)


def _record(play: Play, event: MessageReceived, request: OptInRequest) -> None:
    """Asked and ticked on the website, confirmed on the phone: three events and the moves they stand for."""
    declared = play.world.book.business.purposes[request.purpose]
    before = play.conversation.consent(request.purpose)
    asked = _asked(play, request, before.event)
    ticked = _form(play, request) | {"answer_kind": "web_box", "answer_text": request.label}
    first = play.record(
        "first_step", at=request.asked_at, **ticked, state_after=PENDING, step="first", prompt_text=request.wording,
        previous=asked,
    )  # fmt: skip
    until = play.now + declared.lasts
    said = _form(play, request) | _answer(event, YES)
    last, said_at = _said(
        play, request, "confirmed", **said, state_after=GIVEN, prompt_text=request.confirmation, valid_from=play.now,
        valid_until=until, previous=first,
    )  # fmt: skip
    asked_for = before.moved("ask", request.asked_at, request=request.id, expires=request.expires, event=asked,
                             valid_until=None, notice=request.notice_hash, purpose_hash=request.purpose_hash)  # fmt: skip
    pending = asked_for.moved("first_yes", request.asked_at, event=first)
    given = pending.moved("confirm", said_at, request="", expires=None, valid_until=until, event=last)
    play.conversation = play.conversation.with_consent(request.purpose, given)
    renewing.schedule(play, request.purpose)
    play.set(stop_confirmed_at=None)
    play.add(Notify(play.next_id(), "consent.given", request.purpose, said_at))


def _said(play: Play, asked: OptInRequest, event_type: str, **fields: Any) -> tuple[CommandId, datetime]:
    """Records the answer, and says when it occurred: never before the question, however far the provider's clock is behind ours."""
    last = play.conversation.recorded_at
    play.set(recorded_at=max(last, asked.asked_at) if last else asked.asked_at)
    made = play.record(event_type, step="second", template=asked.template, **fields)
    return made, play.conversation.recorded_at or play.now


def _declined(play: Play, event: MessageReceived, request: OptInRequest) -> None:
    """A clear no: on record where nothing said in the chat outweighs the request; either way nothing comes of it."""
    _speak(play, request)
    consent = play.conversation.consent(request.purpose)
    known = request.purpose in play.world.book.business.purposes
    if known and not consent.is_live(play.now) and _counts(play, event, request):
        asked = _asked(play, request, consent.event)
        said = _form(play, request) | _answer(event, NO)
        last, said_at = _said(
            play, request, "refused", **said, state_after=REFUSED, prompt_text=request.confirmation, previous=asked
        )
        asked_for = consent.moved("ask", request.asked_at, request=request.id, event=asked, valid_until=None,
                                  notice=request.notice_hash, purpose_hash=request.purpose_hash)  # fmt: skip
        refused = asked_for.moved("refuse", said_at, request="", expires=None, event=last)
        play.conversation = play.conversation.with_consent(request.purpose, refused)
    play.push(DECLINED)


def _answer(event: MessageReceived, decision: str) -> dict[str, Any]:
    return {
        "answer_kind": event.kind, "answer_text": event.words.value, "answer_id": event.option, "answer_wamid": event.wamid,
        "prompt_wamid": event.reply_wamid, "matcher_rule": "template-button" if event.option else "clear-words",
        "matcher_version": event.intent.version, "matcher_decision": decision,
    }  # fmt: skip


def _asked(play: Play, request: OptInRequest, previous: CommandId) -> CommandId:
    return play.record(
        "requested", at=request.asked_at, **_form(play, request), state_after=REQUESTED, step="first", prompt_text=request.wording,
        actor="system", previous=previous,
    )  # fmt: skip


def _form(play: Play, request: OptInRequest) -> dict[str, Any]:
    """What all events of one request say alike; the answer's own fields come on top."""
    declared = play.world.book.business.purposes[request.purpose]
    return {
        "purpose": request.purpose, "request": request.id, "basis": declared.basis, "consent_type": "explicit",
        "purpose_hash": request.purpose_hash, "request_expires_at": request.expires, "notice_hash": request.notice_hash,
        "notice_language": request.language, "scope": declared.frequency, "source": request.source, "flow": FORM,
        "flow_version": request.form_version, "withdrawal_method": play.world.rules.stop_word(request.language),
        "answer_kind": "", "answer_text": "", "answer_id": "", "answer_wamid": Wamid(""), "prompt_wamid": Wamid(""),
        "matcher_rule": "", "matcher_version": "", "matcher_decision": "",
    }  # fmt: skip
