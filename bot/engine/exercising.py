"""A right that somebody of ours carries out for a person, by command or by the business's systems (GDPR art. 12(2), 16-18, 21).

What is restrictive is done at once; what the person must be told is said where the chat is open, and refused by the gate elsewhere.
"""

from bot.domain.command import Erase, Notify, OpenRequest, Suppress
from bot.domain.event import RightExercised
from bot.domain.ids import own_command_id
from bot.domain.message import TextMessage
from bot.engine import flow as schema
from bot.engine import handing
from bot.engine.play import Play
from bot.engine.stopping import stop
from bot.engine.wishing import restrict, settle

LIFTED = "The use of your data is no longer restricted, as you were told it would be."
VOUCHED = "Thank you. We made sure that it is you: write MY DATA to get your data."
LANGUAGE = "We now write to you in this language, as you asked."


def exercise(play: Play, event: RightExercised) -> None:
    """Does what the event asks for; the register shows the request, or the person's own open one, with its clock and answered."""
    if event.right == "erase":
        _erase(play, event)
        return
    if event.right == "withdraw":
        # Done as it is said: nothing is left to be answered, so nothing enters the register (GDPR art. 7(3)).
        stop(play, event.value or "all", "operator")
        return
    if event.right in ("doubt", "vouch"):
        _known(play, event)
        return
    request = own_command_id(play.conversation.person, event.id)
    if event.right == "register":
        play.add(OpenRequest(request, event.value, event.received_at, "open", play.language))
        return
    kind = "restrict" if event.right == "unrestrict" else event.right
    play.add(OpenRequest(request, kind, event.received_at, "open", play.language))
    if event.right == "restrict":
        restrict(play, actor="controller")
    elif event.right == "unrestrict":
        _lift(play)
    elif event.right == "object":
        stop(play, event.value or "marketing", "operator")
    elif event.right == "rectify":
        play.set(language=event.value, language_chosen=True)
        play.language = event.value
        play.add(Notify(play.next_id(), "subject.rectified", "", event.at))
        play.send(TextMessage(play.render(LANGUAGE)), reason="rights", purpose="")
    settle(play, kind, "answered")


def _known(play: Play, event: RightExercised) -> None:
    """Whether it is still the same person; whoever was vouched for is told, and may take their data now (decisions.md 23)."""
    if event.right == "doubt":
        play.set(doubted_since=event.received_at)
    elif play.conversation.doubted_since is not None:
        play.set(doubted_since=None)
        play.send(TextMessage(play.render(VOUCHED)), reason="rights", purpose="")


def _lift(play: Play) -> None:
    """The person is told; whoever did not stand restricted is left as they are (GDPR art. 18(3))."""
    if play.conversation.restricted:
        play.record("restriction_lifted", actor="controller")
        play.set(restricted=False)
        play.add(Notify(play.next_id(), "subject.unrestricted", "", play.now))
        play.send(TextMessage(play.render(LIFTED)), reason="rights", purpose="")


def _erase(play: Play, event: RightExercised) -> None:
    """The same as two taps in the chat; the receipt goes out where the window is open."""
    play.close_all()
    request = own_command_id(play.conversation.person, event.id)
    play.add(OpenRequest(request, "erase", event.received_at, "open", play.language))
    play.suppress.append(Suppress("all", play.now, "erasure"))
    handing.erased(play)
    play.add(Erase(play.next_id(), event.received_at, play.language, TextMessage(play.render(_receipt(play)))))
    play.set(erasing=True)


def _receipt(play: Play) -> str:
    steps = play.world.book.flows["delete_me"].flow.steps
    return next((step.receipt for step in steps if isinstance(step, schema.MyData) and step.my_data == "delete"), "")
