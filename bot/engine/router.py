"""Which way an event goes: privacy first, then the open question, then the business's flows, then an honest "I did not understand".

The order is the promise: a flow can never shadow a wish to stop or a right (architecture.md 7; decisions.md 4, 5).
"""

from dataclasses import replace
from datetime import timedelta

from bot.domain.conversation import HeldWords
from bot.domain.event import MessageReceived
from bot.domain.intent import NO_INTENT, Decision
from bot.engine import flow as schema
from bot.engine import handing, interrupting, opting_in, renewing
from bot.engine.files import WITH_PEOPLE as FILES_LAST
from bot.engine.files import taken_over
from bot.engine.play import Play
from bot.engine.steps.question import answer_to, chosen
from bot.engine.steps.typed import SENT
from bot.engine.stopping import confirm_due, pause, stop
from bot.engine.wishing import KINDS, heard

# Flag of the intents, the built-in flow it opens. The first that holds wins.
WISHES = (
    ("erase", "delete_me"), ("rectify", "correct"), ("restrict", "restrict"), ("object", "object"), ("complaint", "complaint"),
    ("access", "my_data"), ("privacy", "privacy"), ("agent", "human"), ("language", "language"), ("start", "start_again"),
    ("help", "help"),
)  # fmt: skip

FOR_PEOPLE = frozenset({"human", "language", "help"})
"""Wishes that are no rights: while people have the chat they are told to them."""

SILENT_KINDS = frozenset({"reaction", "revoked"})
"""Kinds that ask for no answer; their words still go through the intents."""

FOR_EYES_AND_EARS = frozenset({"image", "audio", "video", "document"})
"""Kinds that a person of the business can make something of, and the bot cannot."""

HOLDS = timedelta(hours=24)
"""How long the first words are kept while notice or language is settled (decisions.md 31)."""

STOP_PAYLOAD = "recado:stop:"
"""What the quick reply of a template sends to stop a purpose: `recado:stop:<scope>`."""


def route(play: Play, event: MessageReceived) -> bool:
    """Sends a message its way; True when the innermost open flow is to hear it."""
    if answer_to(play, event) is not None:
        return True
    if (
        opting_in.tapped(play, event)
        or renewing.tapped(play, event)
        or _privacy(play, event)
        or opting_in.spoken(play, event)
    ):
        return False
    if handing.held_off(play) and not _answers(play, event):
        handing.heard(play, event)
        return False
    if event.kind in SILENT_KINDS:
        return False
    if play.conversation.talk == "new":
        play.set(held=HeldWords(event.words, event.id, event.wamid, play.now + HOLDS))
        _greet(play, event)
        return False
    return _business(play, event)


def after_notice(play: Play) -> MessageReceived | None:
    """Takes up the words the person began with, once the notice was shown; gives them when a flow is to hear them."""
    held, event = play.conversation.held, play.event
    play.set(talk="active", held=None)
    if held is None or held.until <= play.now or not isinstance(event, MessageReceived):
        return None
    if held.id != event.id:
        event = replace(event, id=held.id, words=held.words, wamid=held.wamid, kind="text", option="", intent=NO_INTENT)
    return event if _business(play, event) else None


def _privacy(play: Play, event: MessageReceived) -> bool:
    """Acts on a wish to stop or a right; True when the event is settled by that."""
    intent = event.intent
    if event.option.startswith(STOP_PAYLOAD):
        intent = replace(
            intent, decision=Decision.STOP, scope=event.option.removeprefix(STOP_PAYLOAD), rule="template-button"
        )
    if intent.decision is Decision.STOP:
        scope = intent.scope if intent.scope != "unclear" else "all"
        handing.wished(play, event, "stop")
        due = confirm_due(play, scope)
        stop(play, scope, "button" if event.option else "word")
        if "erase" in intent.flags:
            play.push("delete_me")
        if due:
            _confirm_stop(play, scope)  # on top: what is done is said before anything is asked
        return True
    if intent.decision is Decision.ASK:
        pause(play)
        right = next((flag for flag, _ in WISHES if flag in KINDS and flag in intent.flags), "")
        heard(play, right)  # said beside an unclear stop, it has its clock all the same (EDPB 01/2022)
        if handing.held_off(play):
            handing.wished(play, event, "unsure")  # the agent sees it, and may have the person asked (decisions.md 5)
            return True
        if "cancel" in intent.flags:
            play.close_all()
        if right == "erase":
            play.push("delete_me")
        play.push("stop_unsure")  # on top: what is unclear is asked first
        _greet(play, event)
        return True
    flag, wish = next((one for one in WISHES if one[0] in intent.flags), ("", ""))
    if wish == "help" and interrupting.wants_menu(play, event):
        return False
    if not wish or _is_told(play, wish) or (wish in FOR_PEOPLE and handing.held_off(play)):
        return False
    handing.wished(play, event, wish)
    if wish == "start_again":
        play.set(stop_confirmed_at=None)  # whoever came back and stops again is told again
    heard(play, flag)
    _open(play, wish)
    _greet(play, event)
    return True


def _greet(play: Play, event: MessageReceived) -> None:
    """Whoever writes for the first time sees the notice first, and where their number came from (GDPR art. 13, 14(2)(f))."""
    if play.conversation.talk == "new":
        opting_in.tell_source(play, event)
        play.push("first_contact")


def _confirm_stop(play: Play, scope: str) -> None:
    """Says what was stopped, and no more than was."""
    purpose = play.world.book.business.purposes.get(scope)
    if purpose is not None:
        play.push("stop_one", {"title": play.world.texts.translate(purpose.title, play.language)})
    else:
        play.push("stop_advertising" if scope == "marketing" else "stop")


def _is_told(play: Play, wish: str) -> bool:
    """Whether the flow of that very wish has just asked for words: then these are they, and not the wish once more."""
    frame = play.frame
    return frame is not None and frame.flow == wish and bool(frame.question) and play.node_of(frame).verb == "ask"


def _open(play: Play, wish: str) -> None:
    """Opens a built-in flow, or the business's own for it; one that is open already begins again."""
    own = play.world.book.business.flows
    flow = {"human": own.agent, "complaint": own.complaint, "help": own.help}.get(wish, "") or wish
    opened = [frame.flow for frame in play.conversation.frames]
    if flow in opened:
        while play.conversation.frames and flow in [frame.flow for frame in play.conversation.frames]:
            play.pop()
    play.push(flow)


def _answers(play: Play, event: MessageReceived) -> bool:
    """Whether words are meant for the open question of a right or a consent, while people have the chat."""
    frame = play.frame
    if frame is None or not frame.question:
        return False
    node = play.node_of(frame)
    if node.verb == "ask" and not getattr(node.step, "options", {}):
        return event.kind == "text"
    if node.verb in ("consent", "renew", "my_data"):
        return False  # a yes may be an answer to the agent: only a tap gives consent or deletes here (GDPR art. 7(1))
    return chosen(play, event, getattr(node.step, "options", {})) is not None


def _business(play: Play, event: MessageReceived) -> bool:
    """The open question, a start word, or nothing that anybody understands."""
    frame = play.frame
    if frame is not None:
        if frame.question:
            asked = _asks_for_a_file(play)
            return not ((not asked and _for_people(play, event)) or interrupting.interrupts(play, event))
        if frame.waiting:
            play.push("still_working")
            return False
        return True
    flow = interrupting.started_by(play, event)
    if flow:
        play.set(misunderstood=0)
        interrupting.begin(play, flow)
        return False
    start = play.world.book.business.start_flow
    if start in play.world.book.flows and play.conversation.misunderstood == 0 and event.kind == "text":
        play.set(misunderstood=0)
        play.push(start)
        return False
    if _for_people(play, event):
        return False
    play.set(misunderstood=play.conversation.misunderstood + 1)
    play.push("unsupported" if event.kind not in ("text", "tap", "template_tap") else "not_understood")
    return False


def _asks_for_a_file(play: Play) -> bool:
    """Whether the open question is one that a picture, document or voice note can answer."""
    frame = play.frame
    assert frame is not None  # noqa: S101 - a question is open
    flow, step = play.flow_of(frame).flow, play.node_of(frame).step
    declared = flow.data.get(getattr(step, "into", "")) or flow.inputs.get(getattr(step, "into", ""))
    return declared is not None and declared.type in SENT


def _for_people(play: Play, event: MessageReceived) -> bool:
    """A picture or voice note that no flow asked for goes to people, where somebody of them is there; else nothing of it is fetched."""
    if event.kind not in FOR_EYES_AND_EARS or not event.data.get("media_id"):
        return False
    nodes = play.world.book.flows["for_people"].nodes.values()
    teams = [one.step.handoff.team for one in nodes if isinstance(one.step, schema.Handoff)]
    if not teams or not (play.is_open(teams[0]) and play.is_staffed(teams[0])):
        return False
    taken_over(play, event, FILES_LAST)
    play.push("for_people")
    return True
