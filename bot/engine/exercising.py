"""A right that somebody of ours carries out for a person, by command or by the business's systems (GDPR art. 12(2), 16-18, 21).

What is restrictive is done at once; what the person must be told is said where the chat is open, and refused by the gate elsewhere.
"""

from bot.domain.command import Erase, OpenRequest
from bot.domain.event import RightExercised
from bot.domain.message import TextMessage
from bot.engine import flow as schema
from bot.engine.play import Play
from bot.engine.stopping import stop

LIFTED = "The use of your data is no longer restricted, as you were told it would be."
LANGUAGE = "We now write to you in this language, as you asked."


def exercise(play: Play, event: RightExercised) -> None:
    """Does what the event asks for, and puts the request in the register with its own clock, answered."""
    if event.right == "erase":
        _erase(play, event)
        return
    status = "done"
    if event.right == "restrict":
        play.record("restricted", actor="controller")
        play.set(restricted=True)
    elif event.right == "unrestrict":
        play.set(restricted=False)
        play.send(TextMessage(play.render(LIFTED)), reason="rights", purpose="")
    elif event.right == "object":
        stop(play, event.value or "marketing", "operator")
    elif event.right == "rectify":
        play.set(language=event.value, language_chosen=True)
        play.language = event.value
        play.send(TextMessage(play.render(LANGUAGE)), reason="rights", purpose="")
    kind = "restrict" if event.right == "unrestrict" else event.right
    play.add(OpenRequest(play.next_id(), kind, event.received_at, status, play.language))


def _erase(play: Play, event: RightExercised) -> None:
    """The same as two taps in the chat; the receipt goes out where the window is open."""
    play.close_all()
    play.add(OpenRequest(play.next_id(), "erase", event.received_at, "open", play.language))
    play.add(Erase(play.next_id(), event.received_at, play.language, TextMessage(play.render(_receipt(play)))))
    play.set(erasing=True)


def _receipt(play: Play) -> str:
    steps = play.world.book.flows["delete_me"].flow.steps
    return next((step.receipt for step in steps if isinstance(step, schema.MyData) and step.my_data == "delete"), "")
