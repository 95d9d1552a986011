"""The register of every stored field: its class, purpose, retention, protection, and what an erasure or an export does with it.

Erasure, export, retention and the record of processing (GDPR art. 30) are generated from here, and a test fails on a stored
field that is not listed. A path names a field through maps and lists (`frames.step`); `*` stands for any one key of a map;
`p/…` stands inside the encrypted part. What reads or writes a database lives elsewhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.privacy.inventory_terms import (
    ACCESS,
    API_ANSWER,
    DEAD,
    DRAFT,
    EVIDENCE,
    FLOW,
    HELD,
    JOB,
    LINK,
    LOG,
    MEDIA,
    OBJECTION,
    OPT_IN,
    OPT_IN_OPEN,
    PACE,
    PENDING,
    REPLAY,
    REQUEST,
    REQUEST_WORDS,
    RUNNING,
    SCREEN,
    SEEN,
    SENT,
    SESSION,
    TRANSCRIPT,
    VERSION,
    WITH_PERSON,
    WITH_SEALED,
    Collection,
    DataClass,
    Field,
    Kept,
    Purpose,
    Retention,
)
from bot.privacy.msgid import N_

__all__ = [
    "ACCESS",
    "API_ANSWER",
    "DEAD",
    "DRAFT",
    "EVIDENCE",
    "FLOW",
    "HELD",
    "JOB",
    "LINK",
    "LOG",
    "MEDIA",
    "OBJECTION",
    "OPT_IN",
    "OPT_IN_OPEN",
    "PACE",
    "PENDING",
    "REPLAY",
    "REQUEST",
    "REQUEST_WORDS",
    "RUNNING",
    "SCREEN",
    "SEEN",
    "SENT",
    "SESSION",
    "TRANSCRIPT",
    "VERSION",
    "WITH_PERSON",
    "WITH_SEALED",
    "Collection",
    "DataClass",
    "Field",
    "Kept",
    "Purpose",
    "Retention",
]


def _fields(
    paths: str, data_class: DataClass, purpose: Purpose, retention: Retention, kept: Kept,
    *, because: str = "", exported: bool = True,
) -> tuple[Field, ...]:  # fmt: skip
    return tuple(Field(path, data_class, purpose, retention, kept, because, exported) for path in paths.split())


_CLEAR, _PSEUDO, _SEALED, _HASH = Kept.CLEAR, Kept.PSEUDONYMOUS, Kept.ENCRYPTED, Kept.HASH
_ID, _CONTENT, _CONSENT, _STATE = DataClass.IDENTITY, DataClass.CONTENT, DataClass.CONSENT, DataClass.STATE
_RIGHTS, _DELIVERY, _SECRET = DataClass.RIGHTS, DataClass.DELIVERY, DataClass.SECRET
_BUSINESS, _TECHNICAL = DataClass.BUSINESS, DataClass.TECHNICAL

_SKELETON = N_(
    "that a consent was given or withdrawn, without words or number, is our proof (GDPR art. 7(1), 17(3)(e))"
)
_SUPPRESSED = N_("a keyed hash by which we know not to write to you again (GDPR art. 21(3), 17(3)(b))")
_ANSWERED = N_("that your request came and was answered in time, without its content (GDPR art. 5(2), 17(3)(b))")
_REPLAYED = N_("a random id by which a restored backup is erased again (GDPR art. 17, 32)")
_READ = N_("that your data were looked at, by whom and why, without the data (GDPR art. 5(2), 32)")
_ANSWERED_ONCE = N_("random ids, for one day, so that a request of the business's systems is done once")
_ONCE = N_("keyed hashes of message ids for 8 days, so that a late redelivery does not bring you back (GDPR art. 17)")

_LOOKED_AT = N_(
    "who of the business looked at your data and why, without content: we must be able to account for it (GDPR art. 5(2), 32)"
)

_COMMAND_CLEAR = """
    pending.c._ pending.c.id pending.c.reason pending.c.category pending.c.relies_on pending.c.not_before
    pending.c.expires pending.c.action pending.c.save pending.c.timeout._ pending.c.timeout.v pending.c.retries pending.c.ticket
    pending.c.team pending.c.language pending.c.urgent pending.c.outcome pending.c.event
    pending.c.direction pending.c.at pending.c.by pending.c.send pending.c.message
    pending.c.kind pending.c.received_at pending.c.status pending.c.form pending.c.requested_at
    pending.c.lasts._ pending.c.lasts.v
"""
_EVIDENCE_CLEAR = (
    "event_type state_after scope basis consent_type purpose_hash request step request_expires_at notice_hash notice_language "
    "template flow flow_version answer_kind matcher_rule matcher_version matcher_decision source withdrawal_method valid_from "
    "valid_until actor previous purpose occurred_at"
)
_EVIDENCE_SEALED = "p/prompt_text p/answer_text p/answer_id p/prompt_wamid p/answer_wamid"


def _within(prefix: str, names: str) -> str:
    return " ".join(f"{prefix}.{name}" for name in names.split())


_CONVERSATIONS = Collection(
    "conversations",
    N_("where the conversation with one person stands"),
    "_id",
    "person",
    "delete",
    (
        *_fields("_id", _ID, Purpose.CHAT, WITH_PERSON, _PSEUDO),
        *_fields("v g", _TECHNICAL, Purpose.DELIVERY, WITH_PERSON, _CLEAR, exported=False),
        *_fields(
            "_ created_at last_inbound_at language language_chosen country talk owner window_until ticket hushed misunderstood touched "
            "doubted_since "
            "quiet_since quiet_until",
            _STATE, Purpose.CHAT, WITH_PERSON, _CLEAR,
        ),
        *_fields("stopped.* stop_confirmed_at paused_until", _CONSENT, Purpose.OBJECTION, WITH_PERSON, _CLEAR),
        *_fields("restricted erasing", _RIGHTS, Purpose.RIGHTS, WITH_PERSON, _CLEAR),
        *_fields(
            "consents.*._ consents.*.state consents.*.since consents.*.request consents.*.expires consents.*.valid_until "
            "consents.*.event consents.*.asked_again consents.*.notice consents.*.purpose_hash",
            _CONSENT, Purpose.PROOF, WITH_PERSON, _CLEAR,
        ),
        *_fields("notice notice_at recorded_at", _CONSENT, Purpose.PROOF, WITH_PERSON, _CLEAR),
        *_fields(
            "frames._ frames.flow frames.version frames.step frames.question frames.asked_at frames.tries frames.waiting "
            "frames.counts.* timers._ timers.id timers.name timers.due timers.frame timers.step timers.question",
            _STATE, Purpose.CHAT, FLOW, _CLEAR,
        ),
        *_fields("p", _CONTENT, Purpose.CHAT, FLOW, _SEALED),
        *_fields("p/slots", _CONTENT, Purpose.CHAT, FLOW, _SEALED),
        *_fields("p/held", _CONTENT, Purpose.CHAT, HELD, _SEALED),
        *_fields("seen.i", _DELIVERY, Purpose.DELIVERY, SEEN, _HASH, exported=False),
        *_fields("seen.t", _DELIVERY, Purpose.DELIVERY, SEEN, _CLEAR, exported=False),
        *_fields("pending.id pending.s pending.n pending.nb pending.cb pending.ca", _DELIVERY, Purpose.DELIVERY, PENDING, _CLEAR),
        *_fields(_COMMAND_CLEAR, _DELIVERY, Purpose.DELIVERY, PENDING, _CLEAR),
        *_fields(_within("pending.c", _EVIDENCE_CLEAR), _CONSENT, Purpose.PROOF, PENDING, _CLEAR),
        *_fields("pending.p", _CONTENT, Purpose.DELIVERY, PENDING, _SEALED),
        *_fields(
            "pending.p/message pending.p/arguments pending.p/once_per pending.p/about pending.p/shared pending.p/words "
            "pending.p/receipt pending.p/wamid pending.p/media pending.p/sha256",
            _CONTENT, Purpose.DELIVERY, PENDING, _SEALED,
        ),
        *_fields(_within("pending", _EVIDENCE_SEALED), _CONTENT, Purpose.PROOF, PENDING, _SEALED),
        *_fields("pending.at", _DELIVERY, Purpose.DELIVERY, PENDING, _CLEAR),
        *_fields("lease.t lease.u work_due", _TECHNICAL, Purpose.DELIVERY, RUNNING, _CLEAR, exported=False),
        *_fields("sweep_at leaving", _TECHNICAL, Purpose.OPERATION, WITH_PERSON, _CLEAR, exported=False),
    ),
)  # fmt: skip

_IDENTITIES = Collection(
    "identities", N_("which person a number or WhatsApp user id belongs to, as keyed hashes"), "person", "person", "delete",
    (
        *_fields("_id", _ID, Purpose.CHAT, WITH_PERSON, _HASH, exported=False),
        *_fields("person", _ID, Purpose.CHAT, WITH_PERSON, _PSEUDO),
        *_fields("kind since", _ID, Purpose.CHAT, WITH_PERSON, _CLEAR),
        *_fields("kid making", _TECHNICAL, Purpose.SECURITY, WITH_PERSON, _CLEAR, exported=False),
    ),
)  # fmt: skip

_MERGES = Collection(
    "merges", N_("that two identities turned out to be one person"), "person", "person", "delete",
    (
        *_fields("_id person", _ID, Purpose.CHAT, SEEN, _PSEUDO),
        *_fields("step at expires", _STATE, Purpose.CHAT, SEEN, _CLEAR),
        *_fields("lease.t lease.u", _TECHNICAL, Purpose.DELIVERY, SEEN, _CLEAR, exported=False),
    ),
)  # fmt: skip

_SUBJECTS = Collection(
    "subjects", N_("each person's own key and address, apart from everything else"), "_id", "person", "delete",
    (
        *_fields("_id subject_ref", _ID, Purpose.CHAT, WITH_SEALED, _PSEUDO),
        *_fields("created_at", _STATE, Purpose.CHAT, WITH_SEALED, _CLEAR),
        *_fields("key", _SECRET, Purpose.SECURITY, WITH_SEALED, _SEALED, exported=False),
        *_fields("salt", _SECRET, Purpose.SECURITY, WITH_SEALED, _CLEAR, exported=False),
        *_fields("former.person former.ref", _ID, Purpose.PROOF, WITH_SEALED, _PSEUDO),
        *_fields("former.salt", _SECRET, Purpose.SECURITY, WITH_SEALED, _CLEAR, exported=False),
        *_fields("kid", _TECHNICAL, Purpose.SECURITY, WITH_SEALED, _CLEAR, exported=False),
        *_fields("sweep_at", _TECHNICAL, Purpose.OPERATION, WITH_SEALED, _CLEAR, exported=False),
        *_fields("address p address/phone address/bsuid address/parent_bsuid", _ID, Purpose.CHAT, WITH_PERSON, _SEALED),
    ), vault=True,
)  # fmt: skip

_LEDGER = Collection(
    "ledger", N_("consent events without words: what was asked, given, refused and withdrawn, and when"), "subject_ref",
    "subject_ref", "keep",
    (
        *_fields("_id subject_ref", _CONSENT, Purpose.PROOF, EVIDENCE, _PSEUDO, because=_SKELETON),
        *_fields(
            f"_ id schema ledger_version tenant channel account_ref recorded_at jurisdiction controller parties_version age_gate commit "
            f"{_EVIDENCE_CLEAR}",
            _CONSENT, Purpose.PROOF, EVIDENCE, _CLEAR, because=_SKELETON,
        ),
    ),
)  # fmt: skip

_EVIDENCE = Collection(
    "evidence", N_("the exact words shown and answered when consent was asked"), "person", "person", "delete",
    (
        *_fields("_id person", _CONSENT, Purpose.PROOF, EVIDENCE, _PSEUDO),
        *_fields("p", _CONTENT, Purpose.PROOF, EVIDENCE, _SEALED),
        *_fields(_EVIDENCE_SEALED, _CONTENT, Purpose.PROOF, EVIDENCE, _SEALED),
    ),
)  # fmt: skip

_SUPPRESSIONS = Collection(
    "suppressions", N_("that messages to an identity are not wanted"), "i", "suppression_id", "keep",
    (
        *_fields("_id i", _ID, Purpose.OBJECTION, OBJECTION, _HASH, because=_SUPPRESSED, exported=False),
        *_fields("kid", _TECHNICAL, Purpose.SECURITY, OBJECTION, _CLEAR, because=_SUPPRESSED, exported=False),
        *_fields("scope since source expires hit_at", _CONSENT, Purpose.OBJECTION, OBJECTION, _CLEAR, because=_SUPPRESSED),
    ),
)  # fmt: skip

_REQUESTS = Collection(
    "requests", N_("requests of data subjects with their clock"), "person", "person", "reduce",
    (
        *_fields("_id subject_ref", _RIGHTS, Purpose.RIGHTS, REQUEST, _PSEUDO, because=_ANSWERED),
        *_fields("person", _ID, Purpose.RIGHTS, REQUEST_WORDS, _PSEUDO),
        *_fields(
            "kind state law received_at due_at extended_at extended_because pauses.since pauses.until closed_at answer language",
            _RIGHTS, Purpose.RIGHTS, REQUEST, _CLEAR, because=_ANSWERED,
        ),
        *_fields("p p/words", _CONTENT, Purpose.RIGHTS, REQUEST_WORDS, _SEALED),
    ),
)  # fmt: skip

_TICKETS = Collection(
    "tickets", N_("chats handed to people of the business"), "person", "person", "delete",
    (
        *_fields("_id person", _ID, Purpose.CHAT, TRANSCRIPT, _PSEUDO),
        *_fields(
            "state team language urgent flow step opened_at closed_at outcome expires waits_since last_at snoozed_until labels",
            _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR,
        ),
        *_fields("owner owned_at unread v", _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR, exported=False),
        *_fields("p p/about p/shared", _CONTENT, Purpose.CHAT, TRANSCRIPT, _SEALED),
        *_fields("last last/words", _CONTENT, Purpose.CHAT, TRANSCRIPT, _SEALED, exported=False),
    ),
)  # fmt: skip

_TRANSCRIPTS = Collection(
    "transcripts", N_("what was written while a person of the business had the chat"), "person", "person", "delete",
    (
        *_fields("_id ticket person", _ID, Purpose.CHAT, TRANSCRIPT, _PSEUDO),
        *_fields("at direction kind expires gone", _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR),
        *_fields("by", _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR, exported=False),
        *_fields("send", _DELIVERY, Purpose.DELIVERY, TRANSCRIPT, _PSEUDO, exported=False),
        *_fields("message", _DELIVERY, Purpose.CHAT, TRANSCRIPT, _HASH, exported=False),
        *_fields("p p/words", _CONTENT, Purpose.CHAT, TRANSCRIPT, _SEALED),
    ),
)  # fmt: skip

_NOTES = Collection(
    "notes", N_("what agents noted about a chat"), "person", "person", "delete",
    (
        *_fields("_id ticket person", _ID, Purpose.CHAT, TRANSCRIPT, _PSEUDO),
        *_fields("at gone expires", _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR),
        *_fields("by", _STATE, Purpose.CHAT, TRANSCRIPT, _CLEAR, exported=False),
        *_fields("p p/words", _CONTENT, Purpose.CHAT, TRANSCRIPT, _SEALED),
    ),
)  # fmt: skip

_DRAFTS = Collection(
    "drafts", N_("answers agents have begun to write"), "person", "person", "delete",
    (
        *_fields("_id ticket person", _ID, Purpose.CHAT, DRAFT, _PSEUDO, exported=False),
        *_fields("at expires", _STATE, Purpose.CHAT, DRAFT, _CLEAR, exported=False),
        *_fields("by", _STATE, Purpose.CHAT, DRAFT, _CLEAR, exported=False),
        *_fields("p p/words", _CONTENT, Purpose.CHAT, DRAFT, _SEALED, exported=False),
    ),
)  # fmt: skip

_LOG = Collection(
    "audit_log", N_("who of the business looked at or changed what, and why; no content"), "person", "person", "keep",
    (
        *_fields("_id person ticket", _RIGHTS, Purpose.SECURITY, LOG, _PSEUDO, because=_LOOKED_AT),
        *_fields("at action why what", _RIGHTS, Purpose.SECURITY, LOG, _CLEAR, because=_LOOKED_AT),
        *_fields("staff expires", _RIGHTS, Purpose.SECURITY, LOG, _CLEAR, because=_LOOKED_AT, exported=False),
    ),
)  # fmt: skip

_STAFF = Collection(
    "staff", N_("accounts of the business's own people"), "", "", "none",
    (
        *_fields(
            "_id name role teams languages skills most disabled language away single_keys demo created_at", _BUSINESS,
            Purpose.SECURITY, RUNNING, _CLEAR, exported=False,
        ),
        *_fields("join", _TECHNICAL, Purpose.SECURITY, RUNNING, _HASH, exported=False),
        *_fields("join_until", _TECHNICAL, Purpose.SECURITY, RUNNING, _CLEAR, exported=False),
    ),
)  # fmt: skip

_CREDENTIALS = Collection(
    "credentials", N_("what the business's own people log in with: public keys, password hashes, sealed code secrets"), "", "", "none",
    (
        *_fields("_id staff kind public count title created_at kid", _BUSINESS, Purpose.SECURITY, RUNNING, _CLEAR, exported=False),
        *_fields("hash", _TECHNICAL, Purpose.SECURITY, RUNNING, _HASH, exported=False),
        *_fields("key p p/secret", _SECRET, Purpose.SECURITY, RUNNING, _SEALED, exported=False),
    ),
)  # fmt: skip

_SESSIONS = Collection(
    "sessions", N_("who of the business is logged in"), "", "", "none",
    (
        *_fields("_id", _TECHNICAL, Purpose.SECURITY, SESSION, _HASH, exported=False),
        *_fields("csrf challenge", _TECHNICAL, Purpose.SECURITY, SESSION, _CLEAR, exported=False),
        *_fields(
            "staff kind created_at seen_at live_at viewing typing_at expires", _BUSINESS, Purpose.SECURITY, SESSION, _CLEAR,
            exported=False,
        ),
    ),
)  # fmt: skip

_SENDS = Collection(
    "sends", N_("what went out and what became of it, without content"), "person", "person", "delete",
    (
        *_fields("_id person command", _DELIVERY, Purpose.DELIVERY, SENT, _PSEUDO),
        *_fields("w", _DELIVERY, Purpose.DELIVERY, SENT, _HASH, exported=False),
        *_fields(
            "reason purpose category status rank started_at accepted_at sent_at delivered_at read_at failed_at refused code "
            "pricing expires at",
            _DELIVERY, Purpose.DELIVERY, SENT, _CLEAR,
        ),
    ),
)  # fmt: skip

_TOMBSTONES = Collection(
    "tombstones", N_("messages that erased people had already been answered for"), "", "", "none",
    (
        *_fields("_id", _DELIVERY, Purpose.SECURITY, SEEN, _HASH, because=_ONCE, exported=False),
        *_fields("expires", _TECHNICAL, Purpose.SECURITY, SEEN, _CLEAR, because=_ONCE, exported=False),
    ),
)  # fmt: skip

_ERASURE_JOBS = Collection(
    "erasure_jobs", N_("erasures under way"), "person", "person", "delete",
    (
        *_fields("_id person subject_ref command", _RIGHTS, Purpose.RIGHTS, JOB, _PSEUDO, exported=False),
        *_fields("step requested_at language expires steps.*", _RIGHTS, Purpose.RIGHTS, JOB, _CLEAR, exported=False),
        *_fields("kid", _TECHNICAL, Purpose.SECURITY, JOB, _CLEAR, exported=False),
        *_fields("key", _SECRET, Purpose.SECURITY, JOB, _SEALED, exported=False),
        *_fields("p p/address p/outside_ids p/receipt p/window_until", _ID, Purpose.RIGHTS, JOB, _SEALED, exported=False),
        *_fields("lease.t lease.u", _TECHNICAL, Purpose.DELIVERY, JOB, _CLEAR, exported=False),
    ),
)  # fmt: skip

_DEAD_LETTERS = Collection(
    "dead_letters", N_("commands and events that failed for good"), "person", "person", "delete",
    (
        *_fields("_id person", _DELIVERY, Purpose.DELIVERY, DEAD, _PSEUDO),
        *_fields("kind name reason at expires", _DELIVERY, Purpose.DELIVERY, DEAD, _CLEAR),
        *_fields("p p/content", _CONTENT, Purpose.DELIVERY, DEAD, _SEALED),
    ),
)  # fmt: skip

_SEEN_PAGES = Collection(
    "seen_pages", N_("older ids of messages already answered"), "person", "person", "delete",
    (
        *_fields("_id person", _DELIVERY, Purpose.DELIVERY, SEEN, _PSEUDO, exported=False),
        *_fields("ids", _DELIVERY, Purpose.DELIVERY, SEEN, _HASH, exported=False),
        *_fields("expires", _TECHNICAL, Purpose.DELIVERY, SEEN, _CLEAR, exported=False),
    ),
)  # fmt: skip

_EXPORTS = Collection(
    "exports", N_("copies of their data that people may fetch once"), "person", "person", "delete",
    (
        *_fields("_id code", _RIGHTS, Purpose.RIGHTS, LINK, _HASH, exported=False),
        *_fields("person command", _RIGHTS, Purpose.RIGHTS, LINK, _PSEUDO, exported=False),
        *_fields("made_at fetched_at again tries language expires", _RIGHTS, Purpose.RIGHTS, LINK, _CLEAR),
        *_fields("p p/document", _CONTENT, Purpose.RIGHTS, LINK, _SEALED, exported=False),
    ),
)  # fmt: skip

_MEDIA = Collection(
    "media", N_("files you sent because you were asked for one"), "person", "person", "delete",
    (
        *_fields("_id person", _ID, Purpose.CHAT, MEDIA, _PSEUDO),
        *_fields("kind mime_type size refused at expires", _STATE, Purpose.CHAT, MEDIA, _CLEAR),
        *_fields("pieces", _TECHNICAL, Purpose.CHAT, MEDIA, _CLEAR, exported=False),
    ),
)  # fmt: skip

_PIECES = Collection(
    "media_chunks", N_("the content of these files, in pieces"), "person", "person", "delete",
    (
        *_fields("_id person", _ID, Purpose.CHAT, MEDIA, _PSEUDO, exported=False),
        *_fields("expires", _STATE, Purpose.CHAT, MEDIA, _CLEAR, exported=False),
        *_fields("p p/b", _CONTENT, Purpose.CHAT, MEDIA, _SEALED, exported=False),
    ),
)  # fmt: skip

_OPT_INS = Collection(
    "opt_in_requests", N_("website sign-ups waiting for a yes on WhatsApp"), "i", "identity_id", "delete",
    (
        *_fields("_id", _CONSENT, Purpose.PROOF, OPT_IN, _PSEUDO),
        *_fields("i slot open w", _ID, Purpose.OBJECTION, OPT_IN, _HASH, exported=False),
        *_fields(
            "purpose state asked_at language source form_version notice_hash purpose_hash template until sent_at expires",
            _CONSENT, Purpose.PROOF, OPT_IN, _CLEAR,
        ),
        *_fields("due n lease.t lease.u", _TECHNICAL, Purpose.DELIVERY, OPT_IN_OPEN, _CLEAR, exported=False),
        *_fields("kid", _TECHNICAL, Purpose.SECURITY, OPT_IN_OPEN, _CLEAR, exported=False),
        *_fields("key", _SECRET, Purpose.SECURITY, OPT_IN_OPEN, _SEALED, exported=False),
        *_fields("p p/number p/wording p/label p/confirmation", _CONTENT, Purpose.PROOF, OPT_IN_OPEN, _SEALED, exported=False),
    ),
)  # fmt: skip

_PACE = Collection(
    "pace", N_("how often a website form was sent lately, under keyed hashes of network addresses"), "", "", "none",
    (
        *_fields("_id", _ID, Purpose.SECURITY, PACE, _HASH, exported=False),
        *_fields("n expires", _TECHNICAL, Purpose.SECURITY, PACE, _CLEAR, exported=False),
    ),
)  # fmt: skip

_REPLAY_LIST = Collection(
    "replay", N_("erasures and objections to be done again after a backup was restored"), "person", "person", "keep",
    (
        *_fields("_id person subject_ref", _RIGHTS, Purpose.SECURITY, REPLAY, _PSEUDO, because=_REPLAYED, exported=False),
        *_fields("i", _RIGHTS, Purpose.SECURITY, REPLAY, _HASH, because=_REPLAYED, exported=False),
        *_fields(
            "kind at since scope source purpose kid expires", _RIGHTS, Purpose.SECURITY, REPLAY, _CLEAR, because=_REPLAYED,
            exported=False,
        ),
    ), vault=True,
)  # fmt: skip


def _about_nobody(name: str, holds: str, paths: str, retention: Retention, data_class: DataClass) -> Collection:
    rows = _fields(paths, data_class, Purpose.OPERATION, retention, _CLEAR, exported=False)
    return Collection(name, holds, "", "", "none", rows)


_KEY_CHECKS = Collection(
    "key_checks", N_("which keys the data were written with"), "", "", "none",
    _fields("_id kind check", _TECHNICAL, Purpose.SECURITY, RUNNING, _CLEAR, exported=False), vault=True,
)  # fmt: skip


_CHANNEL = _about_nobody(
    "channel", N_("what Meta last said of the account and of its templates"),
    "_id status category halted_until limited_until why at", RUNNING, _BUSINESS,
)  # fmt: skip


_CONSOLE_EVENTS = _about_nobody(
    "console_events", N_("that something changed in a chat, for the screens of agents; no content"),
    "_id team seq kind ticket at by expires", SCREEN, _TECHNICAL,
)  # fmt: skip


_ACCESS_LOG = Collection(
    "access_log", N_("who of the business's systems read whose data, when and why"), "subject_ref", "subject_ref", "keep",
    (
        *_fields("_id subject_ref", _RIGHTS, Purpose.SECURITY, ACCESS, _PSEUDO, because=_READ),
        *_fields("at by name what why", _RIGHTS, Purpose.SECURITY, ACCESS, _CLEAR, because=_READ),
        *_fields("expires", _TECHNICAL, Purpose.SECURITY, ACCESS, _CLEAR, because=_READ, exported=False),
    ),
)  # fmt: skip

_API_KEYS = Collection(
    "api_keys", N_("keys of the business's own systems, as keyed hashes"), "", "", "none",
    (
        *_fields("_id name scopes created_at until revoked_at used_on", _BUSINESS, Purpose.SECURITY, ACCESS, _CLEAR, exported=False),
        *_fields("hash", _TECHNICAL, Purpose.SECURITY, ACCESS, _HASH, exported=False),
        *_fields("expires", _TECHNICAL, Purpose.SECURITY, ACCESS, _CLEAR, exported=False),
    ),
)  # fmt: skip

_API_ANSWERS = Collection(
    "api_answers", N_("what the business's systems were answered, so that the same request is done once"), "", "", "none",
    (
        *_fields("_id body", _TECHNICAL, Purpose.SECURITY, API_ANSWER, _HASH, because=_ANSWERED_ONCE, exported=False),
        *_fields("answer answer.* answer.errors.field answer.errors.reason", _TECHNICAL, Purpose.SECURITY, API_ANSWER, _PSEUDO,
                 because=_ANSWERED_ONCE, exported=False),
        *_fields("state status t u expires", _TECHNICAL, Purpose.SECURITY, API_ANSWER, _CLEAR, because=_ANSWERED_ONCE, exported=False),
    ),
)  # fmt: skip


COLLECTIONS: Mapping[str, Collection] = {
    one.name: one
    for one in (
        _CONVERSATIONS, _IDENTITIES, _MERGES, _SUBJECTS, _LEDGER, _EVIDENCE, _SUPPRESSIONS, _REQUESTS, _TICKETS, _TRANSCRIPTS, _SENDS,
        _TOMBSTONES, _ERASURE_JOBS, _DEAD_LETTERS, _SEEN_PAGES, _EXPORTS, _MEDIA, _PIECES, _OPT_INS, _PACE, _REPLAY_LIST,
        _about_nobody("flow_versions", N_("published flows"), "_id flow language content published_at", VERSION, _BUSINESS),
        _about_nobody("texts", N_("notices and purposes as they were shown"), "_id kind name version language content published_at",
                      VERSION, _BUSINESS),
        _about_nobody("ledger_leaves", N_("hashes of consent events in their order, so that none can be changed or removed unseen"),
                      "_id event leaf body", EVIDENCE, DataClass.CONSENT),
        _about_nobody("ledger_heads", N_("signed summaries of the consent ledger"),
                      "_id schema tenant epoch size root at kid signature pruned", VERSION, _BUSINESS),
        _about_nobody("locks", N_("who does a job that only one may do"), "_id t u holder", RUNNING, _TECHNICAL),
        _about_nobody("schema", N_("which migrations were made"), "_id version applied_at at", RUNNING, _TECHNICAL),
        _about_nobody("canned_replies", N_("answers kept ready for agents"), "_id name text team language purpose at", RUNNING, _BUSINESS),
        _ACCESS_LOG, _API_KEYS, _API_ANSWERS, _KEY_CHECKS, _CHANNEL, _CONSOLE_EVENTS,
        _NOTES, _DRAFTS, _LOG, _STAFF, _CREDENTIALS, _SESSIONS,
    )
}  # fmt: skip
"""Every collection that may exist, by name. A collection that is not here may not be written."""


def collections_of_person() -> tuple[Collection, ...]:
    """The collections that hold rows about people; erasure and export go through all of them, in this order."""
    return tuple(one for one in COLLECTIONS.values() if one.found_by)


def unlisted(collection: str, document: Mapping[str, Any]) -> list[str]:
    """The paths of a raw document that the register does not name, sorted; empty when all are listed.

    An unknown collection gives its own name. Lists are looked through; a mapping counts as its fields, so a field listed as plain
    may not suddenly hold one.
    """
    known = COLLECTIONS.get(collection)
    if known is None:
        return [collection]
    listed = [tuple(field.path.split(".")) for field in known.fields if "/" not in field.path]
    found = {
        ".".join(path) for path, empty in _paths(document) if not any(_matches(path, one, empty) for one in listed)
    }
    return sorted(found)


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Each path that holds something, and whether that is only an empty map, an empty list or nothing."""
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _paths(one, (*path, str(key)))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in value):
        for one in value:
            yield from _paths(one, path)
    else:
        yield path, value is None or value in ({}, [], ())


def _matches(path: tuple[str, ...], listed: tuple[str, ...], empty: bool) -> bool:
    if len(path) != len(listed) and not (empty and len(path) < len(listed)):
        return False
    return all(want in ("*", got) for got, want in zip(path, listed, strict=False))
