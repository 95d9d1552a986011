"""A chat that people of the business have: the bot is held off from it, the person's rights never are (decisions.md 1, 5).

The chat is `queue`d, then an `agent`'s, then the bot's again. Who of the people has it is the ticket's business (`bot.handoff`);
here only what the person hears, what is written down, and when waiting ends. Timers are the conversation's own, so that a STOP,
which ends open flows, leaves nobody waiting for ever.
"""

from datetime import timedelta

from bot.domain.command import CloseTicket, ReturnTicket, Send, Transcribe, Unsay
from bot.domain.conversation import Frame, Timer
from bot.domain.event import AgentWrote, HandoffChanged, MessageReceived
from bot.domain.ids import question_id
from bot.domain.message import TemplateMessage, TextMessage
from bot.engine import flow as schema
from bot.engine.files import FILES, taken_over
from bot.engine.files import WITH_PEOPLE as FILES_LAST
from bot.engine.play import Play
from bot.engine.templates import template

BOT, QUEUE, AGENT = "bot", "queue", "agent"
WITH_PEOPLE = (QUEUE, AGENT)

WAIT, SILENT, GONE = "handoff_wait", "handoff_silent", "handoff_left"
TIMERS = frozenset({WAIT, SILENT, GONE})

WAITS = timedelta(minutes=10)
"""How long somebody waits for a person where the flow does not say."""

SILENT_AFTER = timedelta(minutes=15)
"""How long an agent may leave a question open where the flow does not say."""

GONE_AFTER = timedelta(hours=24)
"""When whoever was answered counts as gone: the service window is over then (Meta: 24-hour customer service window)."""

ENDS = frozenset({"resolved", "nobody", "agent_silent", "closed", "left"})

QUEUED_WORDS = "A colleague will be with you. You are number {place} in the queue."
TOOK_OVER_WORDS = "{agent} is here now."
ENDED_WORDS = "The chat with our colleague is over. The assistant answers again."
ASKED_ANOTHER_WORDS = "Sorry for the wait. I have asked somebody else."


def held_off(play: Play) -> bool:
    """Whether people have the chat or are waited for."""
    return play.conversation.owner in WITH_PEOPLE


def begin(play: Play, ticket: str) -> None:
    """The innermost flow waits for a person; how many stand before is told when the ticket has its place."""
    play.set(owner=QUEUE, hushed=False)
    play.update_frame(waiting=ticket)
    _set_timer(play, WAIT, _details(play).wait or WAITS)


def heard(play: Play, event: MessageReceived) -> None:
    """What the person says to people: written down for them and answered by nobody else."""
    play.set(hushed=False)
    if event.kind == "revoked":
        _unsay(play, event)
        return
    if event.kind in FILES and event.data.get("media_id"):
        taken_over(play, event, FILES_LAST)
    _note(play, "in", event.kind, at=event.at, message=event.id, words=event.words.value)
    _drop_timers(play, GONE)
    if play.conversation.owner == AGENT and not any(one.name == SILENT for one in play.conversation.timers):
        _set_timer(play, SILENT, _details(play).silent_after or SILENT_AFTER)


def _unsay(play: Play, event: MessageReceived) -> None:
    if event.reply_to is not None:
        play.add(Unsay(play.next_id(), play.conversation.ticket, event.reply_to))
        _note(play, "event", "revoked")


def wished(play: Play, event: MessageReceived, wish: str) -> None:
    """A line that says what the person wanted and got from the bot meanwhile: `stop`, `unsure` or the flow of a right."""
    if held_off(play):
        words = "" if wish == "stop" else event.words.value
        _note(play, "event", wish, at=event.at, message=event.id, words=words)


def erased(play: Play) -> None:
    """People who have the chat see that it is over before its rows go (GDPR art. 17)."""
    if play.conversation.ticket:
        play.add(CloseTicket(play.next_id(), play.conversation.ticket, "erased"))


def said_meanwhile(play: Play) -> None:
    """Lets people see what the bot itself said while they have the chat."""
    if not held_off(play):
        return
    noted = {one.send for one in play.commands if isinstance(one, Transcribe)}
    for send in [one for one in play.commands if isinstance(one, Send) and one.id not in noted]:
        body = str(getattr(send.message, "body", getattr(send.message, "name", "")))
        _note(play, "bot", "text", send=send.id, words=body)


def of_people(play: Play, event: HandoffChanged | AgentWrote) -> None:
    """What people of the business did with the chat."""
    if isinstance(event, AgentWrote):
        _wrote(play, event)
    else:
        _changed(play, event)


def _wrote(play: Play, event: AgentWrote) -> None:
    """An agent's answer, through the gate like everything else; nothing where the chat is not theirs any more."""
    if play.conversation.owner != AGENT or play.conversation.ticket != event.ticket:
        return
    if event.template:
        message = template(play, event.template, event.parameters)
        send = play.send(message)
        words, kind = shown(play, message), "template"
    else:
        send = play.send(TextMessage(event.words.value), reason="agent", purpose="")
        words, kind = event.words.value, "text"
    _note(play, "out", kind, by=event.agent, send=send, words=words)
    _drop_timers(play, SILENT)
    _set_timer(play, GONE, GONE_AFTER)


def shown(play: Play, message: TemplateMessage) -> str:
    """A template as its reader sees it."""
    body = play.world.book.business.templates[message.name].languages[message.language]
    for place, value in enumerate(message.parameters, 1):
        body = body.replace(f"{{{{{place}}}}}", str(value))
    return body


def _changed(play: Play, event: HandoffChanged) -> None:
    """The ticket moved: the person hears of it, and a flow that waits goes on when it ended. Old news changes nothing."""
    now = play.conversation
    if event.ticket != now.ticket or not event.ticket:
        return
    if event.outcome == "queued" and now.owner == QUEUE:
        _say(play, "queued", QUEUED_WORDS)
    elif event.outcome == "took_over":
        _taken(play)
    elif event.outcome == "requeued" and now.owner == AGENT:
        _requeue(play)
    elif event.outcome == "ask_stop" and now.owner == AGENT:
        play.push("stop_unsure")
    elif event.outcome in ENDS and now.owner in WITH_PEOPLE:
        if now.owner == AGENT:
            _say(play, "ended", ENDED_WORDS)
        _end(play, event.outcome)


def _taken(play: Play) -> None:
    late = play.conversation.owner == BOT
    if late:
        play.close_all()  # what the bot asked meanwhile is not what is talked about any more
    play.set(owner=AGENT)
    _drop_timers(play, *TIMERS)
    _set_timer(play, SILENT, _details(play).silent_after or SILENT_AFTER)
    _say(play, "took_over", TOOK_OVER_WORDS)


def _requeue(play: Play) -> None:
    play.set(owner=QUEUE)
    _drop_timers(play, *TIMERS)
    _set_timer(play, WAIT, _details(play).wait or WAITS)


def came_due(play: Play, timer: Timer) -> None:
    """Waiting ended: nobody came, the agent fell silent, or the person is gone."""
    owner, ticket = play.conversation.owner, play.conversation.ticket
    if timer.name == WAIT and owner == QUEUE:
        play.add(ReturnTicket(play.next_id(), ticket, "nobody"))
        _nobody(play)
    elif timer.name == SILENT and owner == AGENT and _handles(play, "agent_silent"):
        play.add(CloseTicket(play.next_id(), ticket, "agent_silent"))
        _end(play, "agent_silent")
    elif timer.name == SILENT and owner == AGENT:
        play.add(ReturnTicket(play.next_id(), ticket, "agent_silent"))
        _requeue(play)
        _say(play, "", ASKED_ANOTHER_WORDS)
    elif timer.name == GONE and owner == AGENT:
        play.add(CloseTicket(play.next_id(), ticket, "left"))
        _end(play, "left")


def _nobody(play: Play) -> None:
    """The bot goes on, and says how people can be reached where the flow says nothing itself."""
    handled, own = _handles(play, "nobody"), _details(play).texts.nobody
    quiet = play.conversation.hushed or not play.conversation.window_open(play.now)
    if own and not quiet:
        _say(play, "nobody", own)
    _end(play, "nobody", keep=True)
    if not (handled or own or quiet):
        play.push("nobody_came")


def _handles(play: Play, outcome: str) -> bool:
    """Whether the flow says itself what comes of this."""
    frame = _waiting(play)[1]
    return frame is not None and outcome in getattr(play.node_of(frame).step, "outcomes", {})


def _end(play: Play, outcome: str, *, keep: bool = False) -> None:
    """The bot has the chat again; the flow that waits moves on by the outcome, also below an interruption.

    `keep` leaves the ticket to be taken later: people may still answer whom the bot went on with.
    """
    index, frame = _waiting(play)
    _drop_timers(play, *TIMERS)
    play.set(owner=BOT, **({} if keep else {"ticket": "", "hushed": False}))
    if frame is not None:
        state = play.flow_of(frame).machine.apply(frame.step, outcome)
        play.update_frame(index, step=state, waiting="", question="")


def _waiting(play: Play) -> tuple[int, Frame | None]:
    """The open flow that waits for the ticket, with its place."""
    ticket = play.conversation.ticket
    frames = play.conversation.frames
    index = next((i for i, frame in enumerate(frames) if ticket and frame.waiting == ticket), -1)
    return index, frames[index] if index >= 0 else None


def _details(play: Play) -> schema.HandoffDetails:
    """What the flow says of this handoff; the defaults where it is over."""
    frame = _waiting(play)[1]
    step = play.node_of(frame).step if frame is not None else None
    return step.handoff if isinstance(step, schema.Handoff) else schema.HandoffDetails(team="none")


def _say(play: Play, which: str, words: str) -> None:
    """A line of the handoff in the author's words where its flow is innermost, else in ours; nothing to whom said STOP."""
    if play.conversation.hushed or not play.conversation.window_open(play.now):
        return
    index, _ = _waiting(play)
    innermost = index >= 0 and index == len(play.conversation.frames) - 1
    own = getattr(_details(play).texts, which, "") if innermost and which else ""
    play.say(play.render(own or words))
    play.flush()


def _note(play: Play, direction: str, kind: str, **fields: object) -> None:
    line = {"at": play.now, **fields}
    play.add(Transcribe(play.next_id(), play.conversation.ticket, direction, kind=kind, **line))  # type: ignore[arg-type]


def _set_timer(play: Play, name: str, after: timedelta) -> None:
    _drop_timers(play, name)
    timer_id = question_id(play.conversation.person, play.conversation.version, name)
    play.set(timers=(*play.conversation.timers, Timer(timer_id, name, play.now + after)))


def _drop_timers(play: Play, *names: str) -> None:
    play.set(timers=tuple(one for one in play.conversation.timers if one.name not in names))
