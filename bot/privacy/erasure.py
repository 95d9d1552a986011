"""The plan of an erasure: its steps in their order, what each does to which collection, what is kept and why (GDPR art. 17).

Pure: whoever carries the plan out writes the name of each finished step into the job row and asks here for the next one. Every
step may be done twice; none may be skipped or taken out of turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.privacy import inventory
from bot.privacy.inventory import Collection
from bot.privacy.msgid import N_, fill


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        driven_by: where a crash is resumed from: `conversation` (its pending Erase) or `job` (the job row).
        again: why doing it twice is harmless.
    """

    name: str
    does: str
    driven_by: str
    again: str


# The order of decisions.md 16. What is needed to finish is written down before what it is needed for goes: the replay entry before
# anything is deleted, the job row before the conversation, the address in the job row before the key that hid it.
STEPS: tuple[Step, ...] = (
    Step("flag", "marks the person as being erased and cancels what is pending", "conversation", "a flag is set once"),
    Step("flush", "records the consent events that are not in the ledger yet", "conversation", "events are inserted by their id"),
    Step("replay", "notes the erasure for restored backups", "conversation", "the entry is inserted by the command's id"),
    Step("tombstones", "keeps the hashes of answered messages for eight days", "conversation", "inserted by hash"),
    Step("job", "moves address, outside ids and receipt into a job row under a key of its own", "conversation", "inserted once"),
    Step("key", "deletes the person's key: what it sealed is unreadable from now on", "job", "what is gone stays gone"),
    Step("rows", "deletes or reduces the person's rows in every collection of the register", "job", "what is gone stays gone"),
    Step("receivers", "tells receivers of the data, and deletes contact book entry and media", "job", "told with the same id"),
    Step("receipt", "tells the person that it is done, what is kept and why", "job", "at most one receipt a day passes the gate"),
    Step("close", "deletes the job's key and row", "job", "what is gone stays gone"),
)  # fmt: skip

_NAMES = [step.name for step in STEPS]

KEY_CACHES_LIVE = timedelta(seconds=10)
"""How long another process may still hold the key; `complete` is not said before (decisions.md 16)."""

JOB_LASTS = timedelta(days=7)
"""By then the job row is gone whatever happened; an unfinished job is alarmed about long before."""


def next_step(done: str) -> Step | None:
    """The step after `done`, the first for an empty string, None when all are done.

    Raises:
        ValueError: for a name that is no step: a job row of an unknown version must not be guessed at.
    """
    if not done:
        return STEPS[0]
    if done not in _NAMES:
        raise ValueError(f"{done!r} is no step of an erasure")
    after = _NAMES.index(done) + 1
    return STEPS[after] if after < len(STEPS) else None


def remaining(done: str) -> tuple[Step, ...]:
    """What is still to be done after `done`, in order. Raises `ValueError` as `next_step` does."""
    step = next_step(done)
    return STEPS[_NAMES.index(step.name) :] if step else ()


def not_before(step: Step, key_gone_at: datetime | None) -> datetime | None:
    """When a step may begin at the earliest, or None for at once.

    Raises:
        ValueError: when the receipt is asked for and nobody noted when the key went.
    """
    if step.name != "receipt":
        return None
    if key_gone_at is None:
        raise ValueError("the receipt waits for the key caches, so the job must know when the key was deleted")
    return key_gone_at + KEY_CACHES_LIVE


def is_overdue(requested_at: datetime, now: datetime) -> bool:
    """Whether a job that is not finished should alarm somebody: an hour is ample for live data (privacy.md 0.9)."""
    return now - requested_at > timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RowAction:
    """What the step `rows` does in one collection.

    Attributes:
        found_by: field by which the person's rows are found; `found_as` says what it holds.
        delete: the whole rows go; else the fields of `unset` do.
    """

    collection: str
    found_by: str
    found_as: str
    delete: bool
    unset: tuple[str, ...] = ()


# First who somebody is, so that a message in the middle makes a new person instead of waking the old one; the person's key and the
# job row have steps of their own.
_FIRST = ("identities", "conversations")
_OWN_STEP = ("subjects", "erasure_jobs")


def row_actions() -> tuple[RowAction, ...]:
    """The actions of the step `rows`, in order, for every collection of the register that holds people and does not keep them."""
    found = [one for one in inventory.collections_of_person() if one.on_erasure != "keep" and one.name not in _OWN_STEP]
    found.sort(key=lambda one: _FIRST.index(one.name) if one.name in _FIRST else len(_FIRST))
    return tuple(_action(one) for one in found)


def _action(collection: Collection) -> RowAction:
    delete = collection.on_erasure == "delete"
    unset: tuple[str, ...] = ()
    if not delete:
        unset = tuple(
            field.path
            for field in collection.fields
            if not field.kept_because and "/" not in field.path and field.path != "_id"
        )
    return RowAction(collection.name, collection.found_by, collection.found_as, delete, unset)


@dataclass(frozen=True, slots=True)
class KeptData:
    """Something that outlives an erasure: where, what and why, and how long. English msgids."""

    collections: tuple[str, ...]
    why: str
    how_long: str


def kept() -> tuple[KeptData, ...]:
    """All that an erasure keeps, from the register, each reason once. The person is told it (GDPR art. 12(1), 17(3))."""
    found: dict[tuple[str, str], list[str]] = {}
    for collection in inventory.COLLECTIONS.values():
        for field in collection.fields:
            if field.kept_because:
                names = found.setdefault((field.kept_because, field.retention.words), [])
                if collection.name not in names:
                    names.append(collection.name)
    return tuple(KeptData(tuple(names), why, how_long) for (why, how_long), names in found.items())


_DONE = N_("Your data are deleted. What we keep, and why:")
_KEPT = N_("{what}. How long: {how_long}.")


def receipt_lines(translate: Callable[[str], str]) -> tuple[str, ...]:
    """The receipt's paragraphs: that it is done, and each thing kept with its reason and its end, in the person's language."""
    lines = [fill(translate(_KEPT), what=translate(one.why), how_long=translate(one.how_long)) for one in kept()]
    return (translate(_DONE), *(f"- {line}" for line in lines))
