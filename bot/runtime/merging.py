"""Two people who turn out to be one: the resumable merge of decisions.md 2.

The loser's restrictions reach the winner before anything else moves, so that no crash leaves a moment in which less is forbidden than
before. Permissions never move: what the loser had agreed to must be asked anew (GDPR art. 4(11), 7(1)).
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.command import RecordConsent
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, EventId, PersonId
from bot.runtime.ports import Clock, Commit, Conversations, Ids, Lease, Ledger, People, Stored, Suppressions
from bot.runtime.uniting import carried, ended, suppressions_of, together_of

logger = logging.getLogger(__name__)

STEPS = ("flags", "shut", "drain", "carry", "rows", "identities", "key", "conversation")
"""In this order; every one may be done again. `merges` notes the last finished one."""

LEASE = timedelta(seconds=60)
TRIES = 8
PAUSE = 0.02
"""Seconds between two tries: the other writer is the outbox or a turn of this very person."""


@dataclass(frozen=True, slots=True)
class MergeJob:
    """A merge under way: `done` is the last finished step, or empty."""

    loser: PersonId
    winner: PersonId
    done: str = ""


class Merges(Protocol):
    """The storage's half; every call may be repeated. All raise `RetryLater` when the database is out of reach."""

    async def begin(self, job: MergeJob, lease: Lease, now: datetime, *, shut: bool) -> MergeJob:
        """The job of this loser, made or found.

        Raises `RetryLater` while either is part of another merge, while somebody works on it, and for a loser who is `shut`
        without a job: an erasure is under way.
        """

    async def twin(self, person: PersonId, address: Address) -> PersonId | None:
        """Somebody else who is known by this address's number and by no user id: the same person (decisions.md 2)."""

    async def move_rows(self, job: MergeJob) -> None:
        """Everything filed under the loser, sealed anew under the winner's key."""

    async def move_identities(self, job: MergeJob) -> None: ...

    async def move_key(self, job: MergeJob) -> None:
        """The loser's ledger reference and salt go to the winner; the loser's key goes for good."""

    async def drop_conversation(self, job: MergeJob) -> None: ...

    async def finished(self, job: MergeJob, step: str, now: datetime) -> MergeJob: ...

    async def give_back(self, job: MergeJob, now: datetime) -> None:
        """Lets others go on with an unfinished job from `now` on."""

    async def unfinished(self, lease: Lease, now: datetime) -> Sequence[MergeJob]:
        """Jobs nobody works on, leased to the caller."""


class Merging:
    """Carries merges out, from their beginning or from where a crash left them."""

    def __init__(
        self, merges: Merges, conversations: Conversations, people: People, suppressions: Suppressions, ledger: Ledger, ids: Ids,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._merges = merges
        self._conversations = conversations
        self._people = people
        self._suppressions = suppressions
        self._ledger = ledger
        self._ids = ids
        self._clock = clock

    async def twin(self, person: PersonId, address: Address) -> PersonId | None:
        """As the port says."""
        return await self._merges.twin(person, address)

    async def run(self, winner: PersonId, loser: PersonId) -> PersonId:
        """Returns who remains when the two are one: the `winner`, unless the other one alone has a conversation.

        Raises `RetryLater` when it could not be finished now; somebody goes on with it.
        """
        now = self._clock.now()
        mine, theirs = await self._conversations.find(winner), await self._conversations.find(loser)
        if mine is None and theirs is not None:
            winner, loser, mine, theirs = loser, winner, theirs, mine
        if mine is not None and mine.conversation.erasing:
            raise RetryLater("an erasure or another merge is under way")
        shut = theirs is not None and theirs.conversation.erasing
        lease = Lease(self._ids.random(), now + LEASE)
        job = await self._merges.begin(MergeJob(loser, winner), lease, now, shut=shut)
        try:
            await self.resume(job)
        except RetryLater:
            # Whoever comes next goes on at once instead of waiting for our lease to run out.
            with suppress(RetryLater):
                await self._merges.give_back(job, self._clock.now())
            raise
        return winner

    async def look(self) -> Sequence[MergeJob]:
        """Unfinished merges that nobody works on, leased to this process."""
        now = self._clock.now()
        return await self._merges.unfinished(Lease(self._ids.random(), now + LEASE), now)

    async def resume(self, job: MergeJob) -> None:
        """From the step after the last finished one. Raises `RetryLater` when something is out of reach."""
        for step in STEPS[STEPS.index(job.done) + 1 if job.done else 0 :]:
            now = self._clock.now()
            if step == "flags":
                await self._restrict(job, now)
            elif step == "shut":
                await self._shut(job, now)
            elif step == "drain":
                await self._drain(job, now)
            elif step == "carry":
                await self._carry(job, now)
            elif step == "rows":
                await self._merges.move_rows(job)
            elif step == "identities":
                await self._identities(job, now)
            elif step == "key":
                await self._merges.move_key(job)
            else:
                await self._merges.drop_conversation(job)
            job = await self._merges.finished(job, step, now)
        logger.info("two people merged", extra={"person": job.winner, "job": job.loser})

    # -- the steps -----------------------------------------------------------------------------------------------------

    async def _restrict(self, job: MergeJob, now: datetime) -> None:
        """What forbids goes first: suppression rows for every identity of both, then the winner's own flags."""
        loser = await self._conversations.find(job.loser)
        if loser is None:
            return
        await self._onto_winner(job, loser, "flags", now, last=False)

    async def _onto_winner(self, job: MergeJob, loser: Stored, name: str, now: datetime, *, last: bool) -> None:
        once = self._ids.event(f"merge:{job.loser}:{name}")
        for _ in range(TRIES):
            winner = await self._conversations.find(job.winner)
            if winner is None or once in winner.seen:
                return  # where the winner never said a word, neither did the loser (`run`)
            if winner.conversation.erasing:
                raise RetryLater("an erasure is under way")
            after, commands = together_of(winner.conversation, loser.conversation, now)
            events: tuple[EventId, ...] = (once,)
            if last:
                commands += carried(loser.pending, after, len(commands))
                # What was answered to the loser is not answered again to the winner.
                events = (*sorted(loser.seen - winner.seen), once)
            due = now if commands or winner.pending else after.next_due
            change = Commit(winner, after, commands, events, None, due, now)
            if await self._conversations.commit(change) is not None:
                return
            await asyncio.sleep(PAUSE)
        raise RetryLater("other writers were faster every time")

    async def _shut(self, job: MergeJob, now: datetime) -> None:
        """From here on nothing is said to the loser nor played for them: what comes is brought again and finds the winner."""
        for _ in range(TRIES):
            before = await self._conversations.find(job.loser)
            known = before.conversation if before is not None else Conversation(job.loser, created_at=now)
            if known.erasing:
                return
            after = replace(
                known, version=known.version + 1, standing=known.standing + 1, erasing=True, frames=(), slots=(), timers=(),
                held=None,
            )  # fmt: skip
            if await self._conversations.commit(Commit(before, after, (), (), None, None, now)) is not None:
                return
        raise RetryLater("other writers were faster every time")

    async def _drain(self, job: MergeJob, now: datetime) -> None:
        """The consent events that are not in the ledger yet; and that what was given under the old identity ends there."""
        loser = await self._conversations.find(job.loser)
        if loser is None:
            return
        for one in loser.pending:
            if isinstance(one.command, RecordConsent):
                await self._ledger.record(job.loser, one.command, now)
        for event in ended(loser.conversation, now):
            await self._ledger.record(job.loser, event, now)

    async def _carry(self, job: MergeJob, now: datetime) -> None:
        """The flags once more, because the loser could still be stopped before it was shut; the answers owed; the ids seen."""
        loser = await self._conversations.find(job.loser)
        if loser is None:
            return
        addresses = [await self._people.address(one) for one in (job.winner, job.loser)]
        stops = suppressions_of(loser.conversation)
        for address in addresses:
            if address is not None and stops:
                await self._suppressions.suppress(address, stops)
        await self._onto_winner(job, loser, "carry", now, last=True)

    async def _identities(self, job: MergeJob, now: datetime) -> None:
        address = await self._people.address(job.loser)
        await self._merges.move_identities(job)
        if address is not None:
            await self._people.bind(job.winner, address, now)
