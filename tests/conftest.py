"""What every test may ask for: a database of its own worker, a name of its own, and a browser."""

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pymongo import MongoClient

from bot.storage.embedded import EmbeddedDatabase

pytest_plugins = ["tests.browser"]


# No test asserts an absolute time (decisions.md 35), a property test neither: a busy machine is not a fault.
settings.register_profile("recado", deadline=None)
settings.load_profile("recado")


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """One server for this test worker: the embedded one, or the real MongoDB that RECADO_TEST_MONGO_URI names.

    Shared by all tests of the worker; whoever kills or restarts a server takes `crashable_database` instead.
    """
    outside = os.environ.get("RECADO_TEST_MONGO_URI")
    if outside:
        yield outside
        return
    with EmbeddedDatabase(None) as database:
        yield database.uri


@pytest.fixture
def database_name(mongo_uri: str) -> Iterator[str]:
    """A database name nobody else uses; every database whose name begins with it is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    yield name
    with MongoClient[dict[str, object]](mongo_uri) as client:
        for found in client.list_database_names():
            if found.startswith(name):
                client.drop_database(found)


@pytest.fixture
def crashable_database() -> Iterator[EmbeddedDatabase]:
    """A server of this test alone, to be killed and restarted at will."""
    with EmbeddedDatabase(None) as database:
        yield database
