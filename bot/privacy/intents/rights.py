"""Rights and ways on in sentences: see, correct, delete my data; a person please; how does this work (privacy.md 4.4)."""

from collections.abc import Iterator

from bot.privacy.intents.sentence import Sentence

_SAID = (
    ("privacy", "privacy"), ("complain", "complaint"), ("again", "start"), ("assist", "help"), ("object", "object"),
    ("object_said", "object"), ("complaint_said", "complaint"), ("access_said", "access"), ("rectify_said", "rectify"),
    ("restrict_said", "restrict"), ("erase_said", "erase"), ("other_language", "language"),
)  # fmt: skip
_BY_ARTICLE = (
    ("law_access", "access"), ("law_rectify", "rectify"), ("law_erase", "erase"), ("law_restrict", "restrict"), ("law_object", "object"),
)  # fmt: skip
_LAWFUL = ("privacy", "data", "erase", "reveal", "correct", "restrict", "object", "access_said", "consent")
"""Beside one of these, "article 17" is of the GDPR; alone it may be of a catalogue."""

_AGENT_WORDS = 18
_NOT_THE_PERSON = ("message", "marketing", "consent", "transactional", "place", "quoted", "third")

ERASE_ME = "erase_me"
"""Delete me, without a word of data: it asks for erasure, and may mean the messages as well."""


def flags(s: Sentence) -> Iterator[str]:
    """The flags of one sentence in one language."""
    if s.has("quoted") and s.has("cease", "unsub", "keep"):
        return
    if _erasure(s) and not s.has("quoted"):
        yield "erase"
    elif _whole_person(s):
        yield ERASE_ME
    if s.together("reveal", "data", within=7) or _kept(s):
        yield "access"
    if s.together("correct", "data", within=7) or _detail_wrong(s):
        yield "rectify"
    if s.together("restrict", "data", within=7):
        yield "restrict"
    if _handling(s):
        yield "privacy"
    for role, flag in _SAID:
        if s.has(role) and not _in_passing(role, s):
            yield flag
    for role, flag in _BY_ARTICLE:
        if s.near(role, *_LAWFUL, within=12):
            yield flag
    if s.has("agent") and s.words <= _AGENT_WORDS:
        yield "agent"


def _detail_wrong(s: Sentence) -> bool:
    """My surname is misspelt: a thing known of the person, and that it be put right; not an address of an order."""
    return s.near("correct", "detail", within=8) and not s.has("transactional")


def _in_passing(role: str, s: Sentence) -> bool:
    """Whether it is only mentioned: "my data" in a question about privacy, "I changed my mind" before a no."""
    if role == "access_said":
        return s.has("privacy") or _handling(s)
    return role == "again" and (s.has("unwanted") or s.near("not", "want", within=2))


def _erasure(s: Sentence) -> bool:
    gone = s.has("forget") or (s.has("store") and s.near("unwanted", "exist", within=6))
    return gone or s.together("erase", "data", within=7) or _taken_out(s) or _not_kept(s)


def _not_kept(s: Sentence) -> bool:
    """I do not want you to keep my data any longer."""
    refused = s.near("not", "storing", within=5) or s.near("unwanted", "storing", within=5)
    return refused and s.together("storing", "data", within=6) and not s.has("how", "reveal")


def _kept(s: Sentence) -> bool:
    """Everything you have stored about me; which of my details are in your system: asked, not refused."""
    if s.has("how", "not", "unwanted", "erase", "remove", "correct", "forget"):
        return False
    return s.together("storing", "data", within=5) or (s.together("which", "data", within=3) and s.has("store"))


def _handling(s: Sentence) -> bool:
    """How do you handle my data: neither how to have it deleted, nor how to see or mend it."""
    return s.together("how", "data", within=5) and not s.has(
        "erase", "remove", "reveal", "correct", "restrict", "forget"
    )


def _taken_out(s: Sentence) -> bool:
    """Remove my details from your system."""
    return s.has("store") and s.near("remove", "data", within=5)


def _whole_person(s: Sentence) -> bool:
    """Delete me; take me out of your systems. Off a mailing list is another wish."""
    if s.has(*_NOT_THE_PERSON):
        return False
    kept = s.has("store") and s.near("remove", "me", within=3)
    return kept or (s.near("erase", "me", within=2) and not s.has("list"))
