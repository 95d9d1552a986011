"""The effect of a wish to stop, and the wording of last resort when no flow can say it.

Works on clear fields alone, so that a STOP is written even when the encrypted part of a conversation cannot be read
(decisions.md 3; GDPR art. 7(3), 21(2)-(3)).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.business import Business
from bot.domain.command import Notify, Suppress
from bot.domain.consent import INVALIDATED, MACHINE, REFUSED, WITHDRAWN
from bot.engine.play import Play

ONE_CONFIRMATION = timedelta(hours=24)
PAUSE = timedelta(hours=24)


def purposes_of(business: Business, scope: str) -> tuple[str, ...]:
    """The purposes a scope covers: `all`, `marketing` (whatever sends advertising) or one purpose."""
    if scope == "marketing":
        return tuple(name for name, purpose in business.purposes.items() if purpose.sends == "marketing")
    if scope in business.purposes:
        return (scope,)
    return tuple(business.purposes)


def stop(play: Play, scope: str, source: str) -> None:
    """Withdraws, objects and suppresses for `scope`; ends what is open. Repeating it adds nothing but the record."""
    business = play.world.book.business
    scope = scope if scope in ("all", "marketing") or scope in business.purposes else "all"
    for purpose in purposes_of(business, scope):
        withdraw(play, purpose, source)
    play.record("objected", scope=scope, withdrawal_method=source)
    play.set(stopped={**play.conversation.stopped, scope: play.now}, paused_until=None)
    play.suppress.append(Suppress(scope, play.now, source))
    if scope == "all" and play.conversation.owner in ("queue", "agent"):
        play.set(hushed=True)  # the ticket stays, and people wait until the person writes again (decisions.md 1)
    play.close_all()


def withdraw(play: Play, purpose: str, source: str) -> None:
    """Withdraws one consent, from whatever state it is in, and puts that on record."""
    consent = play.conversation.consent(purpose)
    if consent.state in (WITHDRAWN, REFUSED) or not consent.since or not MACHINE.allows(consent.state, "withdraw"):
        return
    event = play.record("withdrawn", purpose=purpose, state_after=WITHDRAWN, request=consent.request,
                        purpose_hash=consent.purpose_hash, withdrawal_method=source, previous=consent.event)  # fmt: skip
    moved = consent.moved("withdraw", play.now, request="", expires=None, valid_until=None, event=event)
    play.conversation = play.conversation.with_consent(purpose, moved)
    play.add(Notify(play.next_id(), "consent.withdrawn", purpose, play.now))


def invalidate(play: Play, purpose: str, at: datetime | None = None) -> None:
    """Ends a consent to words that have changed since, so that the new ones are asked for from the beginning (EDPB 05/2020)."""
    before = play.conversation.consent(purpose)
    event = play.record("invalidated", at=at, purpose=purpose, state_after=INVALIDATED, purpose_hash=before.purpose_hash,
                        actor="system", answer_kind="", answer_text="", answer_id="", previous=before.event)  # fmt: skip
    after = before.moved("invalidate", at or play.conversation.recorded_at or play.now, event=event, valid_until=None)
    play.conversation = play.conversation.with_consent(purpose, after)


def confirm_due(play: Play, scope: str) -> bool:
    """Whether a STOP of `scope` is answered with a confirmation: one, and none for repeating it within a day (privacy.md 4.3.14).

    To be asked before `stop`: whoever stopped one thing and then more is told that too. START and a fresh consent begin anew.
    """
    last, stopped = play.conversation.stop_confirmed_at, play.conversation.stopped
    repeated = "all" in stopped or scope in stopped
    if last is not None and play.now - last < ONE_CONFIRMATION and repeated:
        return False
    play.set(stop_confirmed_at=play.now)
    return True


def pause(play: Play) -> None:
    """Holds marketing while an unclear wish is asked about (decisions.md 5)."""
    play.set(paused_until=play.now + PAUSE)


def expire(play: Play) -> None:
    """Lets requests and consents that are past their time expire, on record."""
    for purpose, consent in list(play.conversation.consents.items()):
        over = (
            consent.expires and consent.state in ("requested", "pending_confirmation") and consent.expires <= play.now
        ) or (consent.state == "given" and consent.valid_until and consent.valid_until <= play.now)
        if over:
            event = play.record("expired", purpose=purpose, state_after="expired", request=consent.request, actor="system",
                                answer_kind="", answer_text="", answer_id="", previous=consent.event)  # fmt: skip
            moved = replace(consent.moved("expire", play.now), request="", expires=None, event=event)
            play.conversation = play.conversation.with_consent(purpose, moved)


LAST_RESORT = {
    "en": ("You will get no more messages from us. To come back, write {start}.",
           "Sorry, something went wrong on our side. You can reach a person: {contact}."),
    "pt": ("Não vai receber mais mensagens nossas. Para voltar, escreva {start}.",
           "Desculpe, algo correu mal do nosso lado. Pode falar com uma pessoa: {contact}."),
    "es": ("No recibirá más mensajes nuestros. Para volver, escriba {start}.",
           "Lo sentimos, algo ha fallado por nuestra parte. Puede hablar con una persona: {contact}."),
    "de": ("Sie bekommen keine Nachrichten mehr von uns. Wenn Sie zurückkommen möchten, schreiben Sie {start}.",
           "Leider ist bei uns etwas schiefgegangen. Sie erreichen einen Menschen: {contact}."),
    "fr": ("Vous ne recevrez plus de messages de notre part. Pour revenir, écrivez {start}.",
           "Désolé, un problème est survenu de notre côté. Vous pouvez joindre une personne : {contact}."),
    "it": ("Non riceverà più messaggi da noi. Per tornare, scriva {start}.",
           "Ci scusiamo, qualcosa è andato storto. Può parlare con una persona: {contact}."),
    "nl": ("U krijgt geen berichten meer van ons. Schrijf {start} om terug te komen.",
           "Sorry, er ging bij ons iets mis. U kunt een medewerker bereiken: {contact}."),
    "pl": ("Nie otrzyma Pan/Pani od nas więcej wiadomości. Aby wrócić, proszę napisać {start}.",
           "Przepraszamy, coś poszło nie tak po naszej stronie. Kontakt z człowiekiem: {contact}."),
    "ar": ("لن تصلك منا رسائل بعد الآن. للعودة اكتب {start}.",
           "عذراً، حدث خطأ من جهتنا. يمكنك التواصل مع شخص: {contact}."),
}  # fmt: skip
"""(STOP confirmation, apology) that need no catalog and no flow."""


def last_resort(language: str, which: int, **values: str) -> str:
    """The built-in wording in a language or its base, else English."""
    texts = LAST_RESORT.get(language) or LAST_RESORT.get(language.split("-", maxsplit=1)[0]) or LAST_RESORT["en"]
    return texts[which].format(**values)


def contact_of(business: Business) -> str:
    """How a person of the business can be reached, in one line."""
    ways: Iterable[str] = (business.controller.phone, business.controller.email, business.notice.link)
    return ", ".join(way for way in ways if way)
