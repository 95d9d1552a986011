"""Group commit: whatever waits for one collection goes to the database together, the next bulk as soon as the one before is answered.

No timer: alone, an operation goes at once; under load a bulk holds what came while the last one was under way. Each row is written
at most once in a bulk, each write is guarded by its own filter, and what became of it is read back, because a bulk tells only
totals (decisions.md 10). One that the database refuses fails alone. What an operation means is its caller's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError, WriteConcernError

from bot.storage.mongo import DUPLICATE, Document, is_out_of_reach

MOST = 128
"""Operations of one bulk; more wait for the next."""


@dataclass(slots=True, eq=False)
class _Op:
    """One operation: rows to look at afterwards, and at most one write.

    Attributes:
        rows: ids whose rows the caller wants to see; empty when it wants none.
        key: what may be written only once in a bulk.
        insert: a new row, or None.
        guard: filter of an update, with `update` and `filters`.
        alone: never together with others, because only then its outcome is told by the database itself.
    """

    rows: tuple[str, ...]
    future: "asyncio.Future[dict[str, Document]]"
    key: str = ""
    insert: Document | None = None
    guard: Document | None = None
    update: Mapping[str, Any] | None = None
    filters: list[Mapping[str, Any]] | None = None
    alone: bool = False

    @property
    def writes(self) -> bool:
        return self.insert is not None or self.update is not None

    def model(self) -> "InsertOne[Document] | UpdateOne":
        if self.insert is not None:
            return InsertOne(self.insert)
        return UpdateOne(self.guard or {}, self.update or {}, array_filters=self.filters)


class Bulks:
    """The way to one collection that all of a process share. Errors are the driver's; callers are wrapped in `reaches`."""

    def __init__(self, rows: Any, *, most: int = MOST, told: Callable[[int], None] | None = None) -> None:
        """`told` hears how many writes each bulk held."""
        self._rows = rows
        self._most = most
        self._told = told
        self._waiting: list[_Op] = []
        self._task: asyncio.Task[None] | None = None

    async def read(self, *rows: str) -> dict[str, Document]:
        """The rows of these ids that stand, by id."""
        return await self._put(_Op(rows, asyncio.get_running_loop().create_future()))

    async def update(
        self,
        row: str,
        guard: Document,
        update: Mapping[str, Any],
        *,
        filters: list[Mapping[str, Any]] | None = None,
        alone: bool = False,
    ) -> Document | None:
        """The row as it stands after the write, whether or not the guard held: the caller must recognise its own write.

        `alone` gives None where the guard did not hold, for a write that cannot be recognised.
        """
        op = _Op(
            (row,), asyncio.get_running_loop().create_future(), row,
            guard=guard, update=update, filters=filters, alone=alone,
        )  # fmt: skip
        return (await self._put(op)).get(row)

    async def insert(self, row: Document, *, look: bool = True) -> Document | None:
        """The row that stands under this `_id` afterwards, this one or an older one; with `look` off only that it is written."""
        name = row["_id"]
        rows = (name,) if look else ()
        op = _Op(rows, asyncio.get_running_loop().create_future(), name, insert=row)
        return (await self._put(op)).get(name)

    async def note(self, guard: Document, update: Mapping[str, Any]) -> None:
        """An update whose outcome nobody asks for; such updates of one row must not depend on their order."""
        op = _Op((), asyncio.get_running_loop().create_future(), guard=guard, update=update)
        await self._put(op)

    # -- the line ------------------------------------------------------------------------------------------------------

    async def _put(self, op: _Op) -> dict[str, Document]:
        """Waits for the operation. A caller that is cancelled leaves it to be done all the same."""
        self._waiting.append(op)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
        return await op.future

    async def _work(self) -> None:
        under_way: list[_Op] = []
        try:
            while self._waiting:
                under_way = self._next()
                await self._run(under_way)
        finally:
            self._task = None
            left, self._waiting = [*under_way, *self._waiting], []
            for op in left:
                op.future.cancel()  # changes nothing where it is answered already

    def _next(self) -> list[_Op]:
        """The oldest that go together; one that must not keeps its place."""
        chosen: list[_Op] = []
        left: list[_Op] = []
        written: set[str] = set()
        for op in self._waiting:
            held = op.writes and op.key in written
            if op.writes and op.key:
                written.add(op.key)  # a later write of this row must not overtake one that waits
            if held or len(chosen) >= self._most or (op.alone and chosen) or (chosen and chosen[0].alone):
                left.append(op)
            else:
                chosen.append(op)
        self._waiting = left
        return chosen

    async def _run(self, ops: Sequence[_Op]) -> None:
        try:
            if len(ops) == 1:
                await self._single(ops[0])
            else:
                await self._together(ops)
        except Exception as problem:  # noqa: BLE001 - each caller hears of it; the line goes on
            if len(ops) > 1 and not is_out_of_reach(problem):
                for op in ops:
                    await self._run([op])  # whatever the one was that cannot be written, the others can
                return
            for op in ops:
                _fail(op, problem)

    async def _single(self, op: _Op) -> None:
        """One round trip, and the database itself says what became of it."""
        found: Sequence[Document] = ()
        if op.insert is not None:
            found = [op.insert]
            try:
                await self._rows.insert_one(op.insert)
            except DuplicateKeyError:
                found = await self._rows.find({"_id": {"$in": list(op.rows)}}).to_list(None) if op.rows else ()
        elif op.update is not None and op.rows:
            row = await self._rows.find_one_and_update(
                op.guard, op.update, return_document=ReturnDocument.AFTER, array_filters=op.filters
            )
            found = [row] if row is not None else ()
        elif op.update is not None:
            await self._rows.update_one(op.guard, op.update)
        else:
            found = await self._found(op.rows)
        if op.writes and self._told is not None:
            self._told(1)
        _answer(op, {row["_id"]: row for row in found})

    async def _found(self, rows: Sequence[str]) -> Sequence[Document]:
        if len(rows) == 1:
            row = await self._rows.find_one({"_id": rows[0]})
            return [row] if row is not None else ()
        found: Sequence[Document] = await self._rows.find({"_id": {"$in": list(rows)}}).to_list(None)
        return found

    async def _together(self, ops: Sequence[_Op]) -> None:
        writes = [op for op in ops if op.writes]
        failed: set[int] = set()
        if writes:
            failed = await self._written(writes)
        wanted = list(dict.fromkeys(row for op in ops for row in op.rows if id(op) not in failed))
        found = {row["_id"]: row for row in await self._found(wanted)} if wanted else {}
        for op in ops:
            if id(op) not in failed:
                _answer(op, {name: found[name] for name in op.rows if name in found})

    async def _written(self, writes: Sequence[_Op]) -> set[int]:
        """Those that the database refused; they were told why. A duplicate is no refusal: the row that stands is the answer."""
        failed = set()
        if self._told is not None:
            self._told(len(writes))
        try:
            await self._rows.bulk_write([op.model() for op in writes], ordered=False)
        except BulkWriteError as problem:
            details = problem.details or {}
            if details.get("writeConcernErrors"):
                raise WriteConcernError("the bulk is not durable") from None
            for error in details.get("writeErrors", ()):
                op = writes[error["index"]]
                if op.insert is None or error["code"] != DUPLICATE:
                    failed.add(id(op))
                    _fail(op, _single_error(error["code"]))
        return failed


def _single_error(code: int) -> PyMongoError:
    """Without the driver's text, which may quote a value."""
    return DuplicateKeyError("duplicate", code) if code == DUPLICATE else OperationFailure("refused", code)


def _answer(op: _Op, found: dict[str, Document]) -> None:
    if not op.future.done():
        op.future.set_result(found)


def _fail(op: _Op, problem: Exception) -> None:
    if not op.future.done():
        op.future.set_exception(problem)
