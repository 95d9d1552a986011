"""The register names every stored field, and nothing that is not listed passes unseen."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import pytest

from bot.domain import command, plain, turn
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation, Frame, HeldWords, Timer
from bot.domain.ids import CommandId, EventId, PersonId, Wamid, Words
from bot.domain.message import OutMessage, TextMessage
from bot.privacy import inventory
from bot.privacy.inventory import Kept

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
COMMANDS = get_args(command.Command)
assert turn.Turn  # importing it registers every stored value


def full_conversation() -> Conversation:
    """Every field away from its default, so that `split` writes it."""
    return Conversation(
        person=PersonId("a" * 32), version=4, standing=2, created_at=NOW, last_inbound_at=NOW, language="pt", language_chosen=True,
        country="PT", talk="active", owner="queue", stopped={"all": NOW}, stop_confirmed_at=NOW, restricted=True, erasing=True,
        paused_until=NOW, window_until=NOW, quiet_since=NOW, quiet_until=NOW,
        consents={"newsletter": Consent("given", NOW, "r", NOW, NOW, CommandId("c"), "n", "h")},
        notice="n", notice_at=NOW, recorded_at=NOW,
        frames=(Frame("order", "v", "s", "q", NOW, 2, "w", {"go": 1}),),
        timers=(Timer("t", "idle", NOW, 0, "s", "q"),),
        ticket="t", hushed=True, doubted_since=NOW, misunderstood=1,
        slots=({"name": "x"},), held=HeldWords(Words("hello"), EventId("e"), Wamid("w"), NOW),
    )  # fmt: skip


def stored(conversation: Conversation, pending: list[dict[str, Any]]) -> dict[str, Any]:
    clear, private = plain.split(conversation)
    for name in ("person", "version", "standing"):
        clear.pop(name)
    return {
        "_id": conversation.person, "v": conversation.version, "g": conversation.standing, **clear, "p": repr(private).encode(),
        "seen": [{"i": b"x" * 12, "t": NOW}], "pending": pending, "lease": {"t": "k", "u": NOW}, "work_due": NOW, "touched": NOW,
    }  # fmt: skip


SAMPLES = {
    datetime: NOW, datetime | None: NOW, timedelta: timedelta(seconds=3), bool: True, int: 7, tuple[str, ...]: ("a", "b"),
    Mapping[str, Any]: {"k": "v"}, Wamid: Wamid("w"), OutMessage: TextMessage("hi"), str: "x", CommandId: CommandId("c"),
}  # fmt: skip


def filled(kind: type) -> Any:
    """A command with every field away from its default."""
    return kind(**{name: SAMPLES[hint] for name, hint in get_type_hints(kind).items()})


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_field_of_every_command_is_listed(kind: type) -> None:
    clear, _ = plain.split(filled(kind))
    row = {"id": "i", "s": "waiting", "n": 1, "nb": NOW, "cb": "c", "ca": NOW, "c": clear, "p": b"sealed"}
    assert inventory.unlisted("conversations", stored(full_conversation(), [row])) == []


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_encrypted_field_of_every_command_is_listed(kind: type) -> None:
    listed = {field.path for field in inventory.COLLECTIONS["conversations"].fields}
    _, private = plain.split(filled(kind))
    assert {f"pending.p/{name}" for name in private} <= listed


def test_the_conversation_s_encrypted_fields_are_listed() -> None:
    _, private = plain.split(full_conversation())
    assert {path.path for path in inventory.COLLECTIONS["conversations"].fields} >= {f"p/{name}" for name in private}


def test_a_full_conversation_leaves_no_field_of_the_dataclass_out() -> None:
    """Guards the test above: a new field of Conversation must be added to `full_conversation` too."""
    clear, private = plain.split(full_conversation())
    missing = {one.name for one in fields(Conversation)} - set(clear) - set(private)
    assert missing == {"readable"}


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        pytest.param({"profile_name": "x"}, "profile_name", id="a new top field"),
        pytest.param({"profile_name": {}}, "profile_name", id="even an empty one"),
        pytest.param({"consents": {"news": {"note": 1}}}, "consents.news.note", id="a field inside a map of any key"),
        pytest.param({"frames": [{"flow": "f"}, {"secret": 1}]}, "frames.secret", id="a field in the second of a list"),
        pytest.param({"language": {"said": "x"}}, "language.said", id="a map where a plain value was listed"),
        pytest.param({"lease": "text"}, "lease", id="a plain value where a map was listed"),
        pytest.param({"stopped": {"all": {"why": "x"}}}, "stopped.all.why", id="a map where a map's value was listed"),
    ],
)
def test_a_field_that_is_not_listed_is_found(extra: dict[str, Any], path: str) -> None:
    assert inventory.unlisted("conversations", {"_id": "x", **extra}) == [path]


def test_empty_maps_and_lists_of_listed_fields_pass() -> None:
    document = {"_id": "x", "stopped": {}, "consents": {}, "frames": [], "pending": [], "lease": None}
    assert inventory.unlisted("conversations", document) == []


def test_an_unknown_collection_is_reported_whole() -> None:
    assert inventory.unlisted("scratch", {"_id": 1}) == ["scratch"]


@pytest.mark.parametrize("name", sorted(inventory.COLLECTIONS))
def test_each_collection_is_consistent(name: str) -> None:
    """A kept field says why; a deleted row keeps nothing; secrets and hashes are never exported; paths are unique."""
    collection = inventory.COLLECTIONS[name]
    paths = [field.path for field in collection.fields]
    assert len(paths) == len(set(paths))
    assert "_id" in paths
    assert bool(collection.found_by) == (collection.on_erasure != "none")
    for field in collection.fields:
        if collection.on_erasure == "delete":
            assert not field.kept_because, field.path
        if collection.on_erasure == "keep":
            assert field.kept_because, field.path
        if field.kept is Kept.HASH or field.data_class is inventory.DataClass.SECRET:
            assert not field.exported, field.path
        if "/" in field.path:
            assert field.kept is Kept.ENCRYPTED, field.path
    if collection.found_by:
        assert collection.found_by in paths


def test_content_and_contact_are_never_stored_in_clear() -> None:
    for collection in inventory.COLLECTIONS.values():
        for field in collection.fields:
            if field.data_class in (
                inventory.DataClass.CONTENT,
                inventory.DataClass.SECRET,
            ) and not field.path.endswith("salt"):
                assert field.kept is Kept.ENCRYPTED, (collection.name, field.path)
            if field.data_class is inventory.DataClass.IDENTITY:
                assert field.kept is not Kept.CLEAR or field.path in ("kind", "since"), (collection.name, field.path)


def test_what_an_erasure_keeps_can_be_found_again_only_as_pseudonym_or_hash() -> None:
    """Nothing kept after an erasure is encrypted content: its key is gone, so it would be rubbish or a hidden copy."""
    kept = [field for one in inventory.COLLECTIONS.values() for field in one.fields if field.kept_because]
    assert kept
    assert all(field.kept is not Kept.ENCRYPTED for field in kept)
