"""The connection to MongoDB: two databases, one way errors come out, and nothing of a driver beyond this room.

Writes are acknowledged by a majority and journalled (decisions.md 36), because an answer to Meta means "durable".
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bot.domain.errors import RetryLater, SettingsProblem
from bot.storage.settings import StorageSettings

P = ParamSpec("P")
R = TypeVar("R")
Document = dict[str, Any]

_DURABLE = WriteConcern(w="majority", j=True)
_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True)
# MongoDB's codes for "not now": interrupted, shutting down, no primary, snapshot or lock conflicts, write conflict.
_NOT_NOW = frozenset({6, 7, 24, 46, 64, 89, 91, 112, 133, 189, 246, 262, 9001, 10107, 11600, 11602, 13435, 13436})
DUPLICATE = 11000
"""MongoDB's code for a second row with a key that must be unique."""


def reaches(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Turns a database that is out of reach into `RetryLater`, everywhere in the same way; no text of the driver goes on."""

    @wraps(method)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(*args, **kwargs)
        except (ConnectionFailure, ExecutionTimeout, WriteConcernError) as problem:
            raise RetryLater(f"the database cannot be reached ({type(problem).__name__})") from None
        except DuplicateKeyError:
            raise
        except OperationFailure as problem:
            if problem.code in _NOT_NOW or problem.timeout:
                raise RetryLater(f"the database cannot do this now (code {problem.code})") from None
            raise

    return guarded


def is_out_of_reach(problem: Exception) -> bool:
    """Whether an error says something about the database and nothing about what was written."""
    if isinstance(problem, ConnectionFailure | ExecutionTimeout | WriteConcernError):
        return True
    return isinstance(problem, OperationFailure) and (problem.code in _NOT_NOW or problem.timeout)


async def insert_once(rows: Any, row: Mapping[str, Any]) -> bool:
    """Inserts unless a row of that `_id` stands already; False then. For ids that say all about what they name."""
    try:
        await rows.insert_one(row)
    except DuplicateKeyError:
        return False
    return True


async def insert_all_once(rows: Any, new: Sequence[Mapping[str, Any]]) -> None:
    """Inserts those whose `_id` does not stand yet. Raises `RetryLater` when that is not durable for all of them."""
    if not new:
        return
    try:
        await rows.insert_many(new, ordered=False)
    except BulkWriteError as problem:
        details = problem.details or {}
        others = [one for one in details.get("writeErrors", ()) if one["code"] != DUPLICATE]
        if others or details.get("writeConcernErrors"):
            raise RetryLater("the database did not take every row") from None


async def upsert(rows: Any, row_id: str, update: Mapping[str, Any]) -> None:
    """Changes the row of that `_id` or makes it. Never for rows that an erasure deletes (decisions.md 10).

    Two upserts of a new row at once may end in a duplicate key (MongoDB: `db.collection.update`, upsert with unique index);
    the second try then finds the row.
    """
    try:
        await rows.update_one({"_id": row_id}, update, upsert=True)
    except DuplicateKeyError:
        await rows.update_one({"_id": row_id}, update, upsert=True)


class Mongo:
    """Both databases, opened once for the process."""

    def __init__(self, settings: StorageSettings) -> None:
        """Raises `SettingsProblem` for an address that is none. Connects only when used."""
        self._clients = [self._client(settings, settings.uri)]
        if settings.vault_uri and settings.vault_uri != settings.uri:
            self._clients.append(self._client(settings, settings.vault_uri))
        self.main: Any = self._database(self._clients[0], settings.database)
        self.vault: Any = self._database(self._clients[-1], settings.vault_database)

    @staticmethod
    def _client(settings: StorageSettings, uri: str) -> Any:
        milliseconds = int(settings.timeout * 1000)
        try:
            return AsyncIOMotorClient(
                uri, appname="recado", maxPoolSize=settings.pool_size, serverSelectionTimeoutMS=milliseconds,
                connectTimeoutMS=milliseconds, socketTimeoutMS=milliseconds * 4, waitQueueTimeoutMS=milliseconds * 4,
                retryWrites=True, tz_aware=True,
            )  # fmt: skip
        except (InvalidURI, PyMongoError, ValueError):
            raise SettingsProblem(
                "RECADO_STORAGE__URI is not the address of a MongoDB; write mongodb://host:27017"
            ) from None

    @staticmethod
    def _database(client: Any, name: str) -> Any:
        return client.get_database(
            name, codec_options=_CODEC, write_concern=_DURABLE, read_concern=ReadConcern("local")
        )

    def collection(self, name: str) -> Any:
        """A collection of the main database."""
        return self.main[name]

    @reaches
    async def ping(self) -> None:
        """Raises `RetryLater` when one of the databases does not answer."""
        for client in self._clients:
            await client.admin.command("ping")

    def close(self) -> None:
        for client in self._clients:
            client.close()

    async def scan(self) -> AsyncIterator[tuple[str, Document]]:
        """Every raw document of both databases with its collection's name, for audits and tests."""
        for database in (self.main, self.vault):
            for name in sorted(await database.list_collection_names()):
                if not name.startswith("system."):
                    async for document in database[name].find({}):
                        yield name, document
