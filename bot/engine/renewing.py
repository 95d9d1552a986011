"""A consent that ends soon, or whose words changed, is asked for again with the full information (EDPB 05/2020; privacy.md 2.2, 3.3).

A month before the end a timer comes due. Whoever has the chat open, or opens it before the end, is asked there. Whoever has not gets
the template that the purpose names for it, under the consent that still stands; its button opens the same question. Silence lets it
end. A consent to words that have changed carries no message any more (`Purpose.covers`), so nobody is written to about it: it is asked
for when the person writes, at most twice a year.
"""

from dataclasses import replace
from datetime import timedelta

from bot.domain.conversation import Timer
from bot.domain.event import MessageReceived
from bot.domain.ids import question_id
from bot.engine.play import Play
from bot.engine.stopping import purposes_of
from bot.engine.templates import template

RENEWAL = "renewal"
"""Name of the timer; its step is the purpose."""

FLOW = "renew"
CHANGED = "renew_changed"
PAYLOAD = "recado:renew:"
"""What the quick reply of a renewal template sends: `recado:renew:<purpose>`."""

_ASKED_AT_MOST_EVERY = timedelta(days=182)
"""Nobody is nagged: not twice within half a year (privacy.md T38)."""


def schedule(play: Play, purpose: str) -> None:
    """Sets the time at which the consent just given is to be asked for again; one of the same purpose is replaced."""
    consent = replace(play.conversation.consent(purpose), asked_again=None)
    play.conversation = play.conversation.with_consent(purpose, consent)
    opens = consent.renewal_opens
    kept = tuple(one for one in play.conversation.timers if (one.name, one.step) != (RENEWAL, purpose))
    if opens is not None:
        timer_id = question_id(play.conversation.person, play.conversation.version, f"{RENEWAL}:{purpose}")
        kept = (*kept, Timer(timer_id, RENEWAL, opens, -1, purpose))
    play.set(timers=kept)


def came_due(play: Play, timer: Timer) -> None:
    """Asks in the chat where that is open and free, else by the purpose's template; else whoever writes in time is asked then."""
    purpose = timer.step
    if not _ends_soon(play, purpose):
        return
    if play.conversation.window_open(play.now):
        if is_free(play):
            _ask(play, purpose)
        return
    named = play.world.book.business.purposes[purpose].renewal
    if named in play.world.book.business.templates:
        _asked(play, purpose)
        play.send(template(play, named, ()))


def offer(play: Play) -> None:
    """After a message was answered: asks for the first consent that is due to be asked for again, where nothing else is open."""
    if not isinstance(play.event, MessageReceived) or not is_free(play):
        return
    for purpose in play.conversation.consents:
        if _to_ask(play, purpose):
            _ask(play, purpose)
            return


def tapped(play: Play, event: MessageReceived) -> bool:
    """The button of a renewal template opens the question; one that is out of date goes the way of every other message."""
    if not event.option.startswith(PAYLOAD):
        return False
    purpose = event.option.removeprefix(PAYLOAD)
    if not play.conversation.consent(purpose).renewal_due(play.now) or _stopped(play, purpose):
        return False
    if not {FLOW, CHANGED} & {frame.flow for frame in play.conversation.frames}:
        _ask(play, purpose)
    return True


def _to_ask(play: Play, purpose: str) -> bool:
    return _ends_soon(play, purpose) or _changed(play, purpose)


def _ends_soon(play: Play, purpose: str) -> bool:
    consent = play.conversation.consent(purpose)
    known = purpose in play.world.book.business.purposes
    return known and consent.renewal_due(play.now) and consent.asked_again is None and not _stopped(play, purpose)


def _changed(play: Play, purpose: str) -> bool:
    consent, declared = play.conversation.consent(purpose), play.world.book.business.purposes.get(purpose)
    if declared is None or not consent.is_live(play.now) or declared.covers(consent.purpose_hash):
        return False
    lately = consent.asked_again is not None and play.now < consent.asked_again + _ASKED_AT_MOST_EVERY
    return not lately and not _stopped(play, purpose)


def _stopped(play: Play, purpose: str) -> bool:
    """Whether a stop younger than the consent covers the purpose; nobody is asked back by us (GDPR art. 21(3))."""
    business, consent = play.world.book.business, play.conversation.consent(purpose)
    since = consent.since or play.now
    return any(
        at >= since and purpose in purposes_of(business, scope) for scope, at in play.conversation.stopped.items()
    )


def is_free(play: Play) -> bool:
    """Whether the bot has the chat and nothing is asked but the menu that greets everybody."""
    known = play.conversation
    open_flows = {frame.flow for frame in known.frames}
    quiet = known.owner == "bot" and known.talk == "active" and not known.restricted and not known.erasing
    return quiet and open_flows <= {play.world.book.business.start_flow}


def _ask(play: Play, purpose: str) -> None:
    consent = play.conversation.consent(purpose)
    declared = play.world.book.business.purposes[purpose]
    until = play.local_day(consent.valid_until or play.now)
    title, often = (play.world.texts.translate(one, play.language) for one in (declared.title, declared.frequency))
    values = {"purpose": purpose, "title": f"{title} ({often})" if often else title, "until": until}
    _asked(play, purpose)
    play.flush()
    play.push(FLOW if declared.covers(consent.purpose_hash) else CHANGED, values)


def _asked(play: Play, purpose: str) -> None:
    consent = play.conversation.consent(purpose)
    play.conversation = play.conversation.with_consent(purpose, replace(consent, asked_again=play.now))
