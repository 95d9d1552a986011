"""`consent` and `withdraw`: one purpose, asked for by itself, said yes to twice, with the exact words on record (GDPR art. 7)."""

from dataclasses import replace
from typing import Any

from bot.domain.business import purpose_hash
from bot.domain.command import Notify
from bot.domain.consent import EXPIRED, GIVEN, PENDING, REFUSED, REQUESTED
from bot.domain.event import Event, MessageReceived, TimerFired
from bot.engine import flow as schema
from bot.engine import renewing
from bot.engine.compiler import Node
from bot.engine.play import Play
from bot.engine.steps.question import NOT_AN_OPTION, answer_to, plain
from bot.engine.stopping import expire, invalidate, stop, withdraw

CONSENT_TYPE = {True: "explicit", False: "expressed"}


def _step(node: Node) -> schema.ConsentStep:
    assert isinstance(node.step, schema.ConsentStep)  # noqa: S101 - the compiler pairs verb and model
    return node.step


def enter(play: Play, node: Node) -> str | None:
    """Asks the first question, or repeats the open one after an interruption."""
    step = _step(node)
    consent = play.conversation.consent(step.consent)
    if play.has_consent(step.consent):
        return "already"
    if consent.is_live(play.now):
        invalidate(play, step.consent)
    if (
        consent.state == PENDING
        and consent.is_open(play.now)
        and step.double is not None
        and play.frame
        and play.frame.question
    ):
        _confirm(play, node, consent.request)
        return None
    _request(play, node)
    return None


def _request(play: Play, node: Node) -> None:
    step = _step(node)
    declared = play.world.book.business.purposes[step.consent]
    options = (("yes", play.render(step.yes_label), ""), ("no", play.render(step.no_label), ""))
    question, words = play.ask(play.render(step.ask), options, alone=True)
    expires = play.now + step.wait
    before = play.conversation.consent(step.consent)
    event = play.record(
        "requested", purpose=step.consent, state_after=REQUESTED, request=question, step="first", basis=declared.basis,
        consent_type=CONSENT_TYPE[step.double is not None], purpose_hash=purpose_hash(declared), request_expires_at=expires,
        prompt_text=words, scope=declared.frequency, withdrawal_method=play.world.rules.stop_word(play.language),
        previous=before.event, actor="system", **_NO_ANSWER,
    )  # fmt: skip
    moved = before.moved("ask", play.now, request=question, expires=expires, event=event, valid_until=None,
                         notice=play.conversation.notice, purpose_hash=purpose_hash(declared))  # fmt: skip
    play.conversation = play.conversation.with_consent(step.consent, moved)
    play.put(_prompt=words)
    play.set_timer("silence", step.wait, question)


_NO_ANSWER: dict[str, Any] = {
    "answer_kind": "", "answer_text": "", "answer_id": "", "matcher_rule": "", "matcher_version": "", "matcher_decision": "",
}  # fmt: skip


def _confirm(play: Play, node: Node, request: str) -> str:
    """Asks for the second yes; returns the exact words shown."""
    step = _step(node)
    assert step.double is not None  # noqa: S101 - only reached for a double opt-in
    options = (("confirm", play.render(step.double.yes_label), ""), ("no", play.render(step.double.no_label), ""))
    question, words = play.ask(play.render(step.double.ask), options, alone=True)
    consent = play.conversation.consent(step.consent)
    expires = consent.expires if consent.state == PENDING and consent.expires else play.now + step.double.wait
    play.conversation = play.conversation.with_consent(step.consent, replace(consent, request=request, expires=expires))
    play.put(_prompt=words)
    play.set_timer("silence", expires - play.now, question)
    return words


def hear(play: Play, node: Node, event: Event) -> str | None:
    """A tap or a clear word answers; weak affirmations repeat the question (privacy.md 4.3.12, 4.3.16)."""
    step = _step(node)
    consent = play.conversation.consent(step.consent)
    if isinstance(event, TimerFired):
        expire(play)
        play.update_frame(question="")
        return "silent"
    if not isinstance(event, MessageReceived):
        return None
    if not consent.is_open(play.now):
        expire(play)
        play.update_frame(question="")
        return "silent"
    answer = _answer(play, step, event)
    if answer == "no":
        return _refused(play, node)
    if answer == "yes" and consent.state == REQUESTED:
        return _first_yes(play, node)
    if answer == "yes" and consent.state == PENDING:
        return _given(play, node, "confirm", "confirmed")
    if play.count("unclear") > 2:
        return _unclear(play, node)
    play.say(play.render(NOT_AN_OPTION))
    if consent.state == PENDING:
        _confirm(play, node, consent.request)
    else:
        _request(play, node)
    return None


def _answer(play: Play, step: schema.ConsentStep, event: MessageReceived) -> str:
    """`yes`, `no`, or empty where it was neither; only what is said in the question's own language counts."""
    tapped = answer_to(play, event)
    if tapped is not None:
        return {"yes": "yes", "confirm": "yes", "no": "no"}.get(tapped, "")
    if event.option:
        return ""
    said = plain(event.words.value)
    labels = [(step.yes_label, "yes"), (step.no_label, "no")]
    if step.double is not None and play.conversation.consent(step.consent).state == PENDING:
        labels = [(step.double.yes_label, "yes"), (step.double.no_label, "no")]
    for label, meaning in labels:
        if said and said == plain(play.render(label)):
            return meaning
    return play.world.rules.says(event.words.value, play.language)


def _first_yes(play: Play, node: Node) -> str | None:
    step = _step(node)
    if step.double is None:
        return _given(play, node, "yes", "confirmed")
    declared = play.world.book.business.purposes[step.consent]
    consent = play.conversation.consent(step.consent)
    expires = play.now + step.double.wait
    event = play.record(
        "first_step", purpose=step.consent, state_after=PENDING, request=consent.request, step="first", basis=declared.basis,
        consent_type="explicit", purpose_hash=consent.purpose_hash, request_expires_at=expires,
        prompt_text=str(play.value("_prompt") or ""), previous=consent.event,
    )  # fmt: skip
    moved = consent.moved("first_yes", play.now, expires=expires, event=event)
    play.conversation = play.conversation.with_consent(step.consent, moved)
    _confirm(play, node, consent.request)
    return None


def _given(play: Play, node: Node, trigger: str, event_type: str) -> str:
    step = _step(node)
    declared = play.world.book.business.purposes[step.consent]
    consent = play.conversation.consent(step.consent)
    until = play.now + declared.lasts
    event = play.record(
        event_type, purpose=step.consent, state_after=GIVEN, request=consent.request, step="second" if step.double else "first",
        basis=declared.basis, consent_type=CONSENT_TYPE[step.double is not None], purpose_hash=consent.purpose_hash,
        scope=declared.frequency, prompt_text=str(play.value("_prompt") or ""), valid_from=play.now, valid_until=until,
        withdrawal_method=play.world.rules.stop_word(play.language), previous=consent.event,
    )  # fmt: skip
    moved = consent.moved(trigger, play.now, request="", expires=None, valid_until=until, event=event)
    play.conversation = play.conversation.with_consent(step.consent, moved)
    renewing.schedule(play, step.consent)
    play.set(stop_confirmed_at=None)
    play.add(Notify(play.next_id(), "consent.given", step.consent, play.now))
    _forget(play)
    return "given"


def _refused(play: Play, node: Node) -> str:
    step = _step(node)
    consent = play.conversation.consent(step.consent)
    event = play.record("refused", purpose=step.consent, state_after=REFUSED, request=consent.request,
                        purpose_hash=consent.purpose_hash, prompt_text=str(play.value("_prompt") or ""),
                        previous=consent.event)  # fmt: skip
    moved = consent.moved("refuse", play.now, request="", expires=None, event=event)
    play.conversation = play.conversation.with_consent(step.consent, moved)
    _forget(play)
    return "refused"


def _unclear(play: Play, node: Node) -> str:
    """Neither yes nor no after three answers: the request ends unanswered, because the record must not hold a no nobody said."""
    step = _step(node)
    consent = play.conversation.consent(step.consent)
    event = play.record("expired", purpose=step.consent, state_after=EXPIRED, request=consent.request, actor="system",
                        matcher_rule="unclear-answers", previous=consent.event)  # fmt: skip
    moved = consent.moved("expire", play.now, request="", expires=None, event=event)
    play.conversation = play.conversation.with_consent(step.consent, moved)
    _forget(play)
    flow = play.world.book.flows["too_many_tries"].flow
    play.say(play.render(next(said.say for said in flow.steps if isinstance(said, schema.Say))))
    return "silent"


def _forget(play: Play) -> None:
    play.put(_prompt=None)
    play.update_frame(question="")


def enter_withdraw(play: Play, node: Node) -> str:
    """Withdraws at once; `all` and `marketing` are a STOP of that scope without ending the flow that asked."""
    step = node.step
    assert isinstance(step, schema.Withdraw)  # noqa: S101
    if step.withdraw in ("all", "marketing"):
        frames, slots, timers = play.conversation.frames, play.slots, play.conversation.timers
        stop(play, step.withdraw, "flow")
        play.set(frames=frames, slots=slots, timers=timers)
    else:
        withdraw(play, step.withdraw, "flow")
    return "done"
