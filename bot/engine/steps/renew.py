"""`renew`: whether a consent that ends soon goes on. Yes lengthens it, no withdraws it, silence lets it end (GDPR art. 7)."""

from dataclasses import replace

from bot.domain.business import purpose_hash
from bot.domain.consent import GIVEN
from bot.domain.event import Event, MessageReceived, TimerFired
from bot.engine import flow as schema
from bot.engine import renewing
from bot.engine.compiler import Node
from bot.engine.play import Play
from bot.engine.steps.question import NOT_AN_OPTION, answer_to, plain
from bot.engine.stopping import withdraw


def _step(node: Node) -> schema.RenewStep:
    assert isinstance(node.step, schema.RenewStep)  # noqa: S101 - the compiler pairs verb and model
    return node.step


def enter(play: Play, node: Node) -> str | None:
    """Asks with the full information again, or goes on at once where nothing is left to ask."""
    step, purpose = _step(node), str(play.value("purpose"))
    if not play.conversation.consent(purpose).is_live(play.now):
        return "over"
    options = (("yes", play.render(step.yes_label), ""), ("no", play.render(step.no_label), ""))
    question, words = play.ask(play.render(step.ask), options, alone=True)
    play.put(_prompt=words)
    play.set_timer("silence", step.wait, question)
    return None


def hear(play: Play, node: Node, event: Event) -> str | None:
    """A tap or a clear word answers; weak affirmations repeat the question (privacy.md 4.3.16)."""
    step, purpose = _step(node), str(play.value("purpose"))
    if isinstance(event, TimerFired):
        play.update_frame(question="")
        return "silent"
    if not isinstance(event, MessageReceived):
        return None
    if not play.conversation.consent(purpose).is_live(play.now):
        play.update_frame(question="")
        return "over"
    answer = _answer(play, step, event)
    if answer == "yes":
        return _renewed(play, purpose)
    if answer == "no":
        withdraw(play, purpose, "flow")
        play.update_frame(question="")
        return "refused"
    if play.count("unclear") > 1:
        play.update_frame(question="")
        return "silent"
    play.say(play.render(NOT_AN_OPTION))
    enter(play, node)
    return None


def _answer(play: Play, step: schema.RenewStep, event: MessageReceived) -> str:
    tapped = answer_to(play, event)
    if tapped is not None or event.option:
        return tapped or ""
    said = plain(event.words.value)
    for label, meaning in ((step.yes_label, "yes"), (step.no_label, "no")):
        if said and said == plain(play.render(label)):
            return meaning
    return play.world.rules.says(event.words.value, play.language)


def _renewed(play: Play, purpose: str) -> str:
    declared = play.world.book.business.purposes[purpose]
    consent = play.conversation.consent(purpose)
    until = play.now + declared.lasts
    event = play.record(
        "reaffirmed", purpose=purpose, state_after=GIVEN, request=play.frame.question if play.frame else "", step="second",
        basis=declared.basis, consent_type="explicit", purpose_hash=purpose_hash(declared), scope=declared.frequency,
        prompt_text=str(play.value("_prompt") or ""), valid_from=play.now, valid_until=until,
        withdrawal_method=play.world.rules.stop_word(play.language), previous=consent.event,
    )  # fmt: skip
    longer = replace(consent, valid_until=until, event=event, asked_again=None, notice=play.conversation.notice,
                     purpose_hash=purpose_hash(declared))  # fmt: skip
    play.conversation = play.conversation.with_consent(purpose, longer)
    renewing.schedule(play, purpose)
    play.put(until=play.local_day(until), _prompt=None)
    play.update_frame(question="")
    return "renewed"
