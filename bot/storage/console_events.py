"""What changed, for the agents' screens: numbered by team, without content, a day long (decisions.md 27).

A row says which ticket to look at again and why, never what was said. Catch-up and live read the same rows.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.errors import RetryLater
from bot.handoff.values import ConsoleEvent
from bot.storage.mongo import Document, Mongo, insert_once, reaches

COLLECTION = "console_events"
KEPT = timedelta(days=1)
TRIES = 200
AT_MOST = 200


class MongoConsoleEvents:
    """Rows `_id` = team:seq, each number taken by an insert that must be the first (no gap, no counter to lose)."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.collection(COLLECTION)
        self._next: dict[str, int] = {}

    @reaches
    async def append(self, team: str, kind: str, ticket: str, now: datetime, *, by: str = "") -> None:
        """Adds an event under the team's next number. Raises `RetryLater` when others were faster every time."""
        for _ in range(TRIES):
            seq = self._next.get(team) or await self._newest(team) + 1
            row: Document = {
                "_id": _key(team, seq), "team": team, "seq": seq, "kind": kind, "ticket": ticket, "at": now,
                "expires": now + KEPT,
            }  # fmt: skip
            if by:
                row["by"] = by
            taken = await insert_once(self._rows, row)
            self._next[team] = seq + 1
            if taken:
                return
            if seq < (newest := await self._newest(team)):
                self._next[team] = newest + 1
        raise RetryLater("other writers were faster every time")

    async def _newest(self, team: str) -> int:
        found = await self._rows.find({"team": team}, {"seq": 1}).sort("seq", -1).limit(1).to_list(None)
        return int(found[0]["seq"]) if found else 0

    @reaches
    async def newest(self, teams: tuple[str, ...]) -> dict[str, int]:
        """The last number of each team: where a page that has just been made stands."""
        return {team: await self._newest(team) for team in teams}

    @reaches
    async def after(self, known: Mapping[str, int]) -> list[ConsoleEvent]:
        """What came after these numbers, in order, at most `AT_MOST` at a time."""
        if not known:
            return []
        later = [{"team": team, "seq": {"$gt": seq}} for team, seq in known.items()]
        rows = await self._rows.find({"$or": later}).sort([("at", 1), ("seq", 1)]).limit(AT_MOST).to_list(None)
        found = [
            ConsoleEvent(row["team"], row["seq"], row["kind"], row["ticket"], row["at"], row.get("by", ""))
            for row in rows
        ]
        return sorted(found, key=lambda one: (one.at, one.team, one.seq))


def _key(team: str, seq: int) -> str:
    return f"{team}:{seq:012d}"
