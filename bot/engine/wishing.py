"""A right somebody asks for, put into the register at their first message, and closed when it was answered (GDPR art. 12(3)).

The clock runs from that message also where the person does not finish what we ask them (EDPB 01/2022).
"""

from bot.domain.command import Notify, OpenRequest, SettleRequest
from bot.domain.event import MessageReceived
from bot.domain.ids import CommandId
from bot.engine.play import Play

KINDS = {
    "erase": "erase", "access": "access", "rectify": "rectify", "restrict": "restrict", "object": "object", "complaint": "complaint",
}  # fmt: skip
"""Flag of the intents to the kind of request."""

_NOTHING = CommandId("")

_TOLD_BY_WORDS = frozenset({"rectify", "restrict", "object", "complaint"})
"""What a person of ours must read to answer it; the others say all by their kind."""


def wished(play: Play, kind: str) -> None:
    """Puts the wish of this turn into the register; the desk adds it to one of the kind that is open."""
    said = play.event.words.value if isinstance(play.event, MessageReceived) and kind in _TOLD_BY_WORDS else ""
    known = [one for one in play.commands if isinstance(one, OpenRequest)]
    if any((one.kind, one.words) == (kind, said) for one in known):
        return  # the flow that answers it says so once more
    play.add(OpenRequest(play.next_id(), kind, play.event.at, "open", play.language, said))


def heard(play: Play, flag: str) -> None:
    """Puts the right behind a flag of the intents into the register, before the flow that answers it asks anything."""
    if flag in KINDS:
        wished(play, KINDS[flag])


def settle(play: Play, kind: str, outcome: str, by: CommandId = _NOTHING) -> None:
    """Closes what is open of the kind: `answered` or `cancelled`; with `by`, once that command's message went out."""
    play.add(SettleRequest(play.next_id(), kind, outcome, by))


def restrict(play: Play, actor: str = "subject") -> None:
    """From now on the data are kept and not used, until somebody decides and lifts it, after telling the person (GDPR art. 18)."""
    if not play.conversation.restricted:
        play.record("restricted", actor=actor)
        play.set(restricted=True)
        play.add(Notify(play.next_id(), "subject.restricted", "", play.now))
