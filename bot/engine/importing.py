"""A consent given elsewhere, taken over with the evidence of its day (GDPR art. 7(1); privacy.md 3.4, T7).

It counts only for somebody about whom nothing is decided here: what a person said in the chat, and every stop, outweighs any list.
"""

from bot.domain.business import purpose_hash
from bot.domain.command import Notify
from bot.domain.consent import GIVEN, UNKNOWN
from bot.domain.event import ConsentImported
from bot.engine import renewing
from bot.engine.play import Play
from bot.engine.stopping import purposes_of


def take(play: Play, event: ConsentImported) -> None:
    """Records the import and lets the consent stand from its own day, or does nothing."""
    business, known = play.world.book.business, play.conversation.consent(event.purpose)
    declared = business.purposes.get(event.purpose)
    if declared is None or known.state != UNKNOWN or known.since is not None:
        return
    until = event.given_at + declared.lasts
    if any(event.purpose in purposes_of(business, scope) for scope in play.conversation.stopped) or until <= play.now:
        return
    named = purpose_hash(declared)
    record = play.record(
        "imported", at=event.given_at, purpose=event.purpose, state_after=GIVEN, basis=declared.basis, consent_type="explicit",
        purpose_hash=named, notice_hash=event.notice_hash, notice_language=event.language, prompt_text=event.wording.value,
        answer_kind="imported", answer_text=event.answer.value, source=event.source, valid_from=event.given_at, valid_until=until,
        withdrawal_method=play.world.rules.stop_word(event.language), scope=declared.frequency, actor="subject",
    )  # fmt: skip
    asked = known.moved("ask", event.given_at, event=record, notice=event.notice_hash, purpose_hash=named)
    given = asked.moved("yes", event.given_at, valid_until=until)
    play.conversation = play.conversation.with_consent(event.purpose, given)
    if play.conversation.talk == "new" and event.language in business.languages:
        play.set(language=event.language)
    renewing.schedule(play, event.purpose)
    play.add(Notify(play.next_id(), "consent.given", event.purpose, event.given_at))
