"""The words in which the register of stored fields speaks: classes, purposes, protection, retentions, fields and collections.

What is stored is listed in `inventory`; nothing is decided here.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.privacy.msgid import N_


class DataClass(StrEnum):
    """What kind of data a field is."""

    IDENTITY = "identity"
    CONTENT = "content"
    CONSENT = "consent"
    STATE = "state"
    RIGHTS = "rights"
    DELIVERY = "delivery"
    SECRET = "secret"  # noqa: S105 - the name of a class of data
    BUSINESS = "business"
    TECHNICAL = "technical"


class Purpose(StrEnum):
    """Why the system itself keeps a field, with the law it answers to. A flow's own purposes are declared in business.yaml."""

    CHAT = "to carry on the conversation the person began (GDPR art. 6(1)(b), (f))"
    PROOF = "to prove consent (GDPR art. 7(1))"
    OBJECTION = "to respect that the person wants no messages (GDPR art. 21(3))"
    RIGHTS = "to answer requests of data subjects in time (GDPR art. 12(3))"
    DELIVERY = "to send each message once and to know what became of it (GDPR art. 5(1)(f))"
    SECURITY = "to protect the data and to make erasure last (GDPR art. 17, 32)"
    OPERATION = "to run the program; says nothing about a person"


class Kept(StrEnum):
    """How a field stands in the database."""

    CLEAR = "clear"
    PSEUDONYMOUS = "pseudonymous"
    ENCRYPTED = "encrypted"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Retention:
    """When a field goes: `lasts` after `counted_from`; None where no clock decides but an event, which `words` names."""

    name: str
    lasts: timedelta | None
    counted_from: str
    words: str


def _days(name: str, days: int, counted_from: str, words: str) -> Retention:
    return Retention(name, timedelta(days=days), counted_from, words)


# Defaults of privacy.md 2.8 and decisions.md 11, 16, 18, 39.
WITH_PERSON = _days("with_person", 730, "last_inbound_at", N_("until erasure, or 24 months after the last message"))
WITH_SEALED = Retention("with_sealed", None, "last row", N_("until erasure, or until nothing is left that it opens"))
FLOW = _days("flow", 7, "last_inbound_at", N_("while the flow is open, at most 7 days"))
HELD = _days("held", 1, "held", N_("until language and notice are settled, at most 24 hours"))
SEEN = _days("seen", 8, "received", N_("8 days: WhatsApp delivers a message again for up to 7"))
PENDING = _days("pending", 7, "committed", N_("until it is carried out, at most 7 days"))
EVIDENCE = _days("evidence", 3 * 365, "end of consent", N_("while the consent holds and 3 years after"))
OBJECTION = _days("objection", 3 * 365, "last hit", N_("3 years after it was last needed"))
REQUEST = _days("request", 3 * 365, "closed", N_("3 years after the answer"))
REQUEST_WORDS = _days("request_words", 30, "closed", N_("one month after the answer"))
TRANSCRIPT = _days("transcript", 30, "written", N_("30 days"))
SENT = _days("sent", 30, "sent", N_("30 days"))
DEAD = _days("dead_letter", 7, "failed", N_("7 days"))
JOB = _days("erasure_job", 7, "requested", N_("until the erasure is complete, at most 7 days"))
REPLAY = _days("replay", 36, "erased", N_("as long as the oldest backup: 36 days"))
LINK = _days("export_link", 3, "made", N_("72 hours, or until fetched"))
OPT_IN = _days("opt_in", 30, "asked", N_("30 days, to keep the limit of three requests a month"))
OPT_IN_OPEN = _days("opt_in_open", 2, "asked", N_("until it is answered or over, at most 48 hours"))
API_ANSWER = _days("api_answer", 1, "answered", N_("1 day"))
ACCESS = _days("access", 365, "read", N_("12 months"))
SESSION = _days("session", 1, "begun", N_("until logged out, at most 1 day"))
DRAFT = _days("draft", 7, "written", N_("until sent, at most 7 days"))
LOG = _days("log", 365, "written", N_("12 months"))
SCREEN = _days("screen", 1, "written", N_("1 day"))
MEDIA = _days("media", 730, "sent", N_("as long as the question said, 7 days where it said nothing"))
PACE = Retention("pace", timedelta(minutes=10), "counted", N_("10 minutes"))
VERSION = Retention("version", None, "last reference", N_("as long as a record points to it"))
RUNNING = Retention("running", None, "use", N_("while the program needs it"))


@dataclass(frozen=True, slots=True)
class Field:
    """One stored field.

    Attributes:
        kept_because: empty when an erasure deletes it; else why it stays (GDPR art. 17(3)).
        exported: whether it is in the copy a person gets (GDPR art. 15(3), 20).
    """

    path: str
    data_class: DataClass
    purpose: Purpose
    retention: Retention
    kept: Kept
    kept_because: str = ""
    exported: bool = True


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Attributes:
        found_by: path of the field by which a person's rows are found; empty for collections about nobody.
        found_as: what that field holds: `person`, `subject_ref`, `suppression_id`, `identity_id` (keyed hashes of a number) or nothing.
        on_erasure: `delete` (the rows), `reduce` (fields without `kept_because` are unset), `keep` or `none`.
        vault: stands in the vault database with its own short backup cycle (decisions.md 15).
    """

    name: str
    holds: str
    found_by: str
    found_as: str
    on_erasure: str
    fields: tuple[Field, ...]
    vault: bool = False
