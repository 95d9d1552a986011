"""The engine: what one event makes of a conversation. Pure: everything it knows is in its arguments (architecture.md 2)."""

from dataclasses import replace
from datetime import datetime

from bot.domain.command import Command, RecordConsent, Send
from bot.domain.conversation import Conversation
from bot.domain.event import (
    AgentWrote,
    CallAnswered,
    ConsentImported,
    Event,
    FlowRequested,
    HandoffChanged,
    MessageReceived,
    PreferenceChanged,
    RightExercised,
    SendRequested,
    TimerFired,
)
from bot.domain.ids import PersonId
from bot.domain.message import TextMessage
from bot.domain.turn import Turn
from bot.engine import handing, idling, importing, informing, interrupting, listening, renewing
from bot.engine.book import Book
from bot.engine.exercising import exercise
from bot.engine.moving import moved
from bot.engine.outcomes import END, UNHANDLED
from bot.engine.play import EngineDefect, Play, World
from bot.engine.ports import Rules, Texts, Values
from bot.engine.router import after_notice, route
from bot.engine.sending import own_accord, way_out
from bot.engine.steps import BEHAVIOURS
from bot.engine.steps.control import RUNNING
from bot.engine.stopping import confirm_due, contact_of, expire, last_resort, stop

MAX_STEPS = 300
"""Steps one event may lead through; beyond it a flow is in a loop its author did not see."""

# What is said when an author left an outcome out: outcome, built-in flow. The others end quietly.
REPLIES = {
    "gave_up": "too_many_tries", "too_often": "too_many_tries", "failed": "failed_call", "slow": "failed_call",
    "refused": "", "not_found": "failed_call", "silent": "",
}  # fmt: skip


class Engine:
    """Holds the book and its neighbours; keeps nothing of any conversation."""

    def __init__(self, book: Book, texts: Texts, values: Values, rules: Rules) -> None:
        self.world = World(book, texts, values, rules)

    def use(self, book: Book, texts: Texts) -> None:
        """From the next event on other flows and texts; `book` must know every version that conversations stand on."""
        self.world = World(book, texts, self.world.values, self.world.rules)

    def begin(self, person: PersonId, country: str, now: datetime) -> Conversation:
        """A conversation nobody has written in yet, in the language of the person's country (decisions.md 32)."""
        language = self.world.texts.of_country(country) if country else self.world.book.business.language
        return Conversation(person, created_at=now, country=country, language=language)

    def heard(self, conversation: Conversation, event: MessageReceived) -> Conversation:
        """What a message changes whoever answers it: the window, the last contact, and whether it is still the same person."""
        return conversation.heard(event.at, self.world.book.business.step_up_after)

    def advance(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """Where the event leads. Raises on a defect (a flow lost from the book, an endless flow); nothing is changed then."""
        play = Play(self.world, moved(conversation, self.world.book), event, now)
        if conversation.erasing:
            return _turn(play)
        expire(play)
        if isinstance(event, MessageReceived):
            event = _heard(play, event)
            if route(play, event):
                self._hear(play, event)
            self._run(play)
            informing.tell(play)
            self._run(play)
            renewing.offer(play)
            self._run(play)
        elif isinstance(event, SendRequested):
            own_accord(play, event)
        elif isinstance(event, FlowRequested):
            self._requested(play, event)
        elif isinstance(event, ConsentImported):
            importing.take(play, event)
        elif isinstance(event, RightExercised):
            exercise(play, event)
        elif isinstance(event, PreferenceChanged):
            known = conversation.stopped.get("marketing")
            # Meta brings it again, also when it was remembered before anybody was known: it says nothing of what was asked since.
            if event.value == "stop" and (known is None or known < event.at):
                stop(play, "marketing", "meta_preference")
        elif isinstance(event, TimerFired):
            self._timer(play, event)
        elif isinstance(event, CallAnswered):
            self._answered(play, event)
        elif isinstance(event, HandoffChanged | AgentWrote):
            handing.of_people(play, event)
            self._run(play)
        idling.watch(play)
        play.flush()
        handing.said_meanwhile(play)
        return _turn(play)

    def _requested(self, play: Play, event: FlowRequested) -> None:
        flow = self.world.book.flows.get(event.flow)
        if flow is None:
            return
        interrupting.begin(play, event.flow, event.inputs)
        self._run(play)
        if event.own_accord:
            way_out(play, flow.flow.purpose)

    # -- the ways of the events ----------------------------------------------------------------------------------------

    def _hear(self, play: Play, event: Event) -> None:
        """Gives the innermost step the event; moves on if that settles it."""
        frame = play.frame
        if frame is None:
            return
        node = play.node_of(frame)
        hear = BEHAVIOURS[node.verb].hear
        if hear is None:
            return
        outcome = hear(play, node, event)
        if outcome is not None:
            interrupting.answered(play, node)
            self._move(play, outcome)

    def _timer(self, play: Play, event: TimerFired) -> None:
        """A silence counts only for the question it was set for, and only if that is still open."""
        timers = tuple(timer for timer in play.conversation.timers if timer.id != event.timer)
        mine = next((timer for timer in play.conversation.timers if timer.id == event.timer), None)
        play.set(timers=timers)
        if mine is not None and mine.name == renewing.RENEWAL:
            renewing.came_due(play, mine)
            self._run(play)
            return
        if mine is not None and mine.name == idling.REMINDER:
            if idling.came_due(play, mine):
                self._run(play)
            return
        if mine is not None and mine.name in handing.TIMERS:
            handing.came_due(play, mine)
            self._run(play)
            return
        if mine is None or mine.frame >= len(play.conversation.frames):
            return
        frame = play.conversation.frames[mine.frame]
        if frame.question != mine.question or frame.step != mine.step:
            return
        while len(play.conversation.frames) > mine.frame + 1:
            play.pop()
        self._hear(play, replace(event, timer=mine.name))
        self._run(play)

    def _answered(self, play: Play, event: CallAnswered) -> None:
        """An answer of the outside goes to the flow that waits for it, also below an interruption."""
        index = next((i for i, frame in enumerate(play.conversation.frames) if frame.waiting == event.call), None)
        if index is None:
            return
        while len(play.conversation.frames) > index + 1:
            play.pop()
        self._hear(play, event)
        self._run(play)

    # -- running flows -------------------------------------------------------------------------------------------------

    def _move(self, play: Play, outcome: str) -> None:
        """Lets the innermost flow's machine move on by an outcome."""
        frame = play.frame
        assert frame is not None  # noqa: S101 - called by a step of it
        flow = play.flow_of(frame)
        state = flow.machine.apply(frame.step, outcome)
        timers = tuple(t for t in play.conversation.timers if t.frame < len(play.conversation.frames) - 1)
        play.set(timers=timers)
        play.update_frame(step=state, waiting="", question="")
        if state == UNHANDLED:
            self._unhandled(play, outcome)

    @staticmethod
    def _unhandled(play: Play, outcome: str) -> None:
        """Ends the flow an author gave no way on, with words where silence would be wrong."""
        play.update_frame(step=END)
        reply = REPLIES.get(outcome, "")
        if reply:
            _finish(play)
            play.push(reply)

    def _run(self, play: Play) -> None:
        """Runs the innermost flow until a step waits or no flow is open."""
        for _ in range(MAX_STEPS):
            frame = play.frame
            if frame is None:
                if play.conversation.talk == "notified" and not self._after_notice(play):
                    return
                if play.frame is None:
                    return
                continue
            if frame.step == END:
                self._leave(play)
                continue
            if frame.question or (frame.waiting and frame.waiting != RUNNING):
                return
            node = play.node_of(frame)
            depth = len(play.conversation.frames)
            outcome = BEHAVIOURS[node.verb].enter(play, node)
            interrupting.passed(play, node)
            if outcome is not None:
                if node.verb == "end":
                    play.update_frame(step=END)
                else:
                    self._move(play, outcome)
            elif len(play.conversation.frames) == depth and not _waits(play):
                raise EngineDefect(f"{node.verb} neither waits nor goes on")
        raise EngineDefect("a flow does not come to an end")

    def _after_notice(self, play: Play) -> bool:
        """Answers what the person wrote first; False when there was nothing to answer."""
        first = after_notice(play)
        if first is not None:
            self._hear(play, first)
        return play.frame is not None

    def _leave(self, play: Play) -> None:
        """Closes a finished flow, and takes up the one below: its next step, or its open question again."""
        ended = play.frame
        values = play.pop()
        if interrupting.afterwards(play, values):
            return
        below = play.frame
        if below is None or ended is None:
            return
        if below.waiting == RUNNING:
            step = play.node_of(below).step
            saved = getattr(step, "save", {})
            play.put(**{field: values.get(f"_{name}", values.get(name)) for field, name in saved.items()})
            self._move(play, "done")
        elif below.question and interrupting.ended(play, ended, values):
            self._again(play)

    @staticmethod
    def _again(play: Play) -> None:
        """Asks the open question once more; what it was given and how often it was tried stays."""
        frame = play.frame
        assert frame is not None  # noqa: S101 - a question is open
        node = play.node_of(frame)
        BEHAVIOURS[node.verb].enter(play, node)
        play.update_frame(tries=frame.tries)

    # -- when nothing else helps ---------------------------------------------------------------------------------------

    def stop(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """The effect of a STOP and one confirmation, from clear fields and built-in words alone; never raises."""
        play = Play(self.world, replace(conversation, held=None, slots=()), event, now)
        scope = event.intent.scope if isinstance(event, MessageReceived) else "marketing"
        if isinstance(event, MessageReceived):
            _open_window(play, event)
        scope = scope if scope not in ("", "unclear") else "all"
        due = isinstance(event, MessageReceived) and confirm_due(play, scope)
        stop(play, scope, "word")
        if due:
            words = last_resort(play.language, 0, start=self.world.rules.start_word(play.language))
            play.send(TextMessage(words), reason="stop_confirmation", purpose="")
        return _turn(play)

    def apologise(self, conversation: Conversation, event: Event, now: datetime) -> Turn:
        """An apology with the way to a person; the flow that failed is closed, so that the next message begins afresh."""
        play = Play(self.world, replace(conversation, held=None, slots=()), event, now)
        play.close_all()
        if isinstance(event, MessageReceived):
            _open_window(play, event)
            words = last_resort(play.language, 1, contact=contact_of(self.world.book.business))
            play.send(TextMessage(words), reason="answer", purpose="")
        return _turn(play)


def _finish(play: Play) -> None:
    """Closes the innermost flow and tells the one below that it gave up."""
    play.pop()
    below = play.frame
    if below is not None and below.waiting == RUNNING:
        flow = play.flow_of(below)
        play.update_frame(step=flow.machine.apply(below.step, "gave_up"), waiting="")


def _waits(play: Play) -> bool:
    frame = play.frame
    return frame is not None and bool(frame.question or frame.waiting)


def _open_window(play: Play, event: MessageReceived) -> None:
    play.conversation = play.conversation.heard(event.at, play.world.book.business.step_up_after)


def _heard(play: Play, event: MessageReceived) -> MessageReceived:
    """What every message of the person changes: the window, and the language. The event as it is to be routed."""
    _open_window(play, event)
    return listening.heard(play, event)


def _turn(play: Play) -> Turn:
    commands: tuple[Command, ...] = tuple(_linked(play.commands))
    return Turn(play.conversation, commands, tuple(play.suppress))


def _linked(commands: list[Command]) -> list[Command]:
    """Makes each message that follows from a consent event wait for its record (architecture.md 4)."""
    record = None
    linked: list[Command] = []
    for command in commands:
        if isinstance(command, RecordConsent) and command.event_type in ("requested", "first_step", "confirmed"):
            record = command.id
        if isinstance(command, Send) and record is not None and not command.relies_on:
            command = replace(command, relies_on=record)  # noqa: PLW2901 - the value is replaced, not the list
        linked.append(command)
    return linked
