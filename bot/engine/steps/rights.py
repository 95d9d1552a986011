"""`notice`, `stop` and `my_data`: what the law gives the person, as steps of the built-in flows (GDPR art. 12-22)."""

from dataclasses import replace

from bot.domain.command import Erase, Export, Suppress
from bot.domain.event import Event, MessageReceived, TimerFired
from bot.domain.message import TextMessage
from bot.engine import flow as schema
from bot.engine import handing
from bot.engine.compiler import Node
from bot.engine.play import Play
from bot.engine.steps.question import answer_to, plain
from bot.engine.stopping import stop
from bot.engine.wishing import restrict, settle, wished

STEP_UP = (
    "You have not written for a long time, or your WhatsApp account has changed, and numbers pass on to other people. So that nobody "
    "else gets your data, a person makes sure first that it is you: please write to {dpo.email}. You get your data at the latest "
    "within {law.term}."
)
NO_FILE = "We cannot offer the file here. Please write to {dpo.email}; you get it within {law.term}."
OUT_OF_DATE = "That button belongs to an earlier message. Please use the newest one."


def enter_notice(play: Play, _: Node) -> str:
    """Shows the first layer of the notice and records exactly which words were shown (GDPR art. 13; privacy.md 3.2)."""
    play.flush()
    notice = play.world.rules.notice(play.language)
    play.record("notice_shown", notice_hash=notice.hash, notice_language=notice.language, prompt_text=notice.text, actor="system",
                answer_kind="", answer_text="", answer_id="")  # fmt: skip
    play.send(TextMessage(notice.text), reason="notice", purpose="")
    talk = "notified" if play.conversation.talk == "new" else play.conversation.talk
    play.set(notice=notice.hash, notice_at=play.now, talk=talk)
    return "done"


def enter_stop(play: Play, node: Node) -> str:
    """The effect of a STOP inside a built-in flow, which itself goes on to say so."""
    step = node.step
    assert isinstance(step, schema.StopStep)  # noqa: S101 - the compiler pairs verb and model
    if step.stop == "resume":
        play.set(paused_until=None)
        return "done"
    scope: str = step.stop or "asked"
    if scope == "asked":
        said = play.event.intent if isinstance(play.event, MessageReceived) else None
        scope = said.scope if said is not None and said.scope not in ("", "unclear") else "all"
    frame, values = play.frame, play.slots[-1]
    stop(play, scope, "word" if isinstance(play.event, MessageReceived) else "silence")
    if frame is not None:
        play.set(frames=(replace(frame, question=""),), slots=(values,))
    return "done"


_REQUESTS = {"correct": "rectify", "restrict": "restrict", "object": "object", "complaint": "complaint"}


def enter(play: Play, node: Node) -> str | None:
    """Shows at once; what a person must look at becomes a request whose clock runs from the message (EDPB 01/2022)."""
    step = node.step
    assert isinstance(step, schema.MyData)  # noqa: S101
    if step.my_data == "delete":
        _first_question(play, step)
        return None
    if step.my_data == "dropped":
        settle(play, "access", "cancelled")
        return "done"
    if step.my_data in _REQUESTS:
        wished(play, _REQUESTS[step.my_data])
        if step.my_data == "restrict":
            restrict(play)
        return "pending"
    return _copy(play, step.my_data)


def _copy(play: Play, form: str) -> str:
    """Gives a copy out, or says why a person must; the request is closed when the copy went out (GDPR art. 15, 20)."""
    wished(play, "access")
    if play.conversation.doubted_since is not None:
        play.say(play.render(STEP_UP))  # the request stays open: a person answers it (GDPR art. 12(6); privacy.md T12)
        return "pending"
    play.flush()
    if form == "file" and not play.world.rules.offers_files():
        play.say(play.render(NO_FILE))  # the request stays open: a person answers it
        return "pending"
    copy = Export(play.next_id(), form, play.language)
    play.add(copy)
    settle(play, "access", "answered", by=copy.id)
    return "done"


def _first_question(play: Play, step: schema.MyData) -> None:
    wished(play, "erase")
    play.put(_tap="first", _wished=play.value("_wished") or play.event.at)
    options = (("erase", play.render(step.yes_label), ""), ("keep", play.render(step.no_label), ""))
    question, _ = play.ask(play.render(step.ask), options)
    play.set_timer("silence", step.wait, question)


def hear(play: Play, node: Node, event: Event) -> str | None:
    """Two taps, or the two labels written out; anything else leaves everything as it is (decisions.md 5; T14)."""
    step = node.step
    assert isinstance(step, schema.MyData)  # noqa: S101
    if isinstance(event, TimerFired):
        play.update_frame(question="")
        return "silent"
    if not isinstance(event, MessageReceived):
        return None
    first = play.value("_tap") == "first"
    label = step.yes_label if first else step.confirm_label
    key = answer_to(play, event)
    said = plain(event.words.value)
    agreed = key == ("erase" if first else "really") or (
        key is None and not event.option and said == plain(play.render(label))
    )
    if event.option and key is None:
        # A button of an older message neither confirms nor cancels: the open question stands (decisions.md 4).
        play.say(play.render(OUT_OF_DATE))
        return None
    if not agreed:
        settle(play, "erase", "cancelled")
        play.update_frame(question="")
        return "cancelled"
    if first:
        play.put(_tap="second")
        options = (("really", play.render(step.confirm_label), ""), ("keep", play.render(step.no_label), ""))
        question, _ = play.ask(play.render(step.confirm), options)
        play.set_timer("silence", step.wait, question)
        return None
    _erase(play, step)
    return "done"


def _erase(play: Play, step: schema.MyData) -> None:
    """From here on nothing is written about the person but the erasure itself (decisions.md 16).

    The mark that they want no messages stays (privacy.md 2.9): nobody who comes with an old list can write to them again.
    """
    if step.begun:
        play.say(play.render(step.begun))
    play.flush()
    received = play.value("_wished") or play.now
    play.suppress.append(Suppress("all", play.now, "erasure"))
    handing.erased(play)
    play.add(Erase(play.next_id(), received, play.language, TextMessage(play.render(step.receipt))))
    play.set(erasing=True)
    play.update_frame(question="")
