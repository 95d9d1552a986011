"""Wishes to stop in sentences: building blocks that stand together, the same rules for every language (privacy.md 4.3.6).

Here lives what combinations of roles mean; the words of the roles stand in the language files (docs/intents.md lists the roles).
The guards of privacy.md 4.5 come first. Each rule has a name, which is kept as evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.privacy.intents.lexicon import Block
from bot.privacy.intents.sentence import Sentence, gap

_OBJECTS = ("message", "marketing", "list", "transactional", "place")
_SENT = ("send", "message", "marketing", "receive", "bother")
_SHORT = 5
_LONG = 25
_BRIEF = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sentence grammar made of a sentence: `stop`, `ask` or empty, with scope and the rule that decided."""

    stop: str = ""
    scope: str = ""
    rule: str = ""


NOTHING = Reading()

_PLAIN = frozenset({"consent-withdrawn", "objected", "subscription-ended", "only-orders"})
"""Rules whose words say enough, whatever else the sentence speaks of."""

MAY_BE_ERASURE = frozenset({"taken-off", "taken-off-unsure"})
"""Rules whose words may also mean that data be deleted; where they do, that is what is meant."""


def read(sentence: Sentence) -> Reading:
    """The reading of one sentence in one language."""
    if _guarded(sentence):
        return NOTHING
    for name, answer, rule in _RULES:
        if rule(sentence):
            if _is_an_order(sentence, name):
                return NOTHING
            if answer == "ask" or _may_be_an_order(sentence, name):
                return Reading("ask", "unclear", name)
            return Reading("stop", _scope(sentence, name), name)
    return NOTHING


def _guarded(s: Sentence) -> bool:
    """Questions about the footer, other people's wishes, and "do not stop"."""
    if s.has("keep") or (s.has("quoted") and not s.has("already")):
        return True
    if s.has("elsewhere") and not s.has("marketing", "list", "consent"):
        return True
    if s.has("hours") and not s.has("more", "never", "marketing"):
        return True
    if s.has("alone"):
        return False
    if s.has("when") and not s.has("send", "bother", "me", "receive", "unsub"):
        return True
    if s.has("third") and not s.near("cease", "send", "bother"):
        return True
    negated = [one for one in s.of("cease") if any(0 <= one.start - no.end <= 1 for no in s.of("not"))]
    return bool(negated) and not s.has("if", "already") and len(negated) == len(list(s.of("cease")))


def _is_an_order(s: Sentence, rule: str) -> bool:
    """Whether nothing but an order or a place is spoken of: "do not send the invoice to the old address"."""
    if rule in _PLAIN or s.has("message", "marketing", "list", "me", "more", "bother", "unsub", "but"):
        return False
    return s.has("transactional", "place")


def _may_be_an_order(s: Sentence, rule: str) -> bool:
    """Whether the sentence also speaks of an order, a place or somebody else, so that only asking is right."""
    if rule in _PLAIN or s.near("remove", "list", within=8):
        return False
    if s.has("but") or (s.has("marketing") and s.has("only")):
        return False
    if rule == "no-more-messages" and s.near("marketing", "not", "none", within=1):
        return False  # "advertising no, news of my order yes"
    return s.has("transactional", "place") or (s.has("third") and rule != "alone")


def _scope(s: Sentence, rule: str) -> str:
    if rule == "only-orders":
        return "marketing"
    if not s.has("marketing") or rule in ("alone", "consent-withdrawn"):
        return "all"
    adverts = list(s.of("marketing"))
    apart = [
        one for one in s.of("message") if all(one.start - ad.end > 1 or ad.start - one.end > 1 for ad in adverts)
        and not any(ad.start < one.end and one.start < ad.end for ad in adverts)
    ]  # fmt: skip
    return "all" if apart and not s.has("only") else "marketing"


def _other_things(s: Sentence, verb: Block) -> bool:
    """Whether the verb is about an order, an appointment or a place rather than about messages."""
    return s.aimed_at(verb, *_OBJECTS) in ("transactional", "place")


def _alone(s: Sentence) -> bool:
    return s.has("alone")


def _consent_withdrawn(s: Sentence) -> bool:
    return s.near("withdraw", "consent", within=7) or (
        s.near("not", "consent", within=3) and s.has("send", "message", "marketing", "bother")
    )


def _objected(s: Sentence) -> bool:
    return s.near("object", "marketing", "message", "send", within=8)


def _ceasing(s: Sentence) -> bool:
    """Stop sending, stop these messages, stop writing to me."""
    for verb, other in s.pairs("cease", *_SENT):
        if not _other_things(s, verb):
            return True
        if other.role in ("send", "bother") and abs(other.start - verb.end) <= 2 and _other_things(s, other):
            continue
    return s.near("cease", "me", within=1) and s.has("message", "marketing", "send", "bother")


def _forbidden(s: Sentence) -> bool:
    """Do not write to me; nothing more shall be sent."""
    if s.has("unsent") and not any(_other_things(s, one) for one in s.of("unsent")) and _personal(s):
        return True
    for no, verb in s.pairs("not", "send", "bother", within=4):
        after = verb.start < no.start
        if any(no.end <= one.start < verb.start or gap(no, one) == 0 for one in s.of("call")):
            continue
        if _other_things(s, verb) or (after and not s.has("more", "message", "marketing", "me")):
            continue
        if verb.role == "bother" or _personal(s):
            return True
    return any(s.has("not") and not _other_things(s, verb) for _, verb in s.pairs("more", "send", within=4))


def _personal(s: Sentence) -> bool:
    """Whether the sentence names the person, messages or an end for good."""
    return s.has("me", "message", "marketing", "more", "never") or (s.words <= 2 and not s.has("call", "transactional"))


def _unwanted(s: Sentence) -> bool:
    """I do not want (any more of) your messages."""
    if s.has("missing"):
        return False
    for verb, _ in s.pairs("unwanted", *_SENT, "list", within=7):
        if not _other_things(s, verb):
            return True
    return any(s.has(*_SENT, "list") and not _other_things(s, wish) for _, wish in s.pairs("not", "want", within=2))


def _no_more(s: Sentence) -> bool:
    """No more messages; messages no more."""
    if s.has("missing"):
        return False
    nouns = [
        thing for _, thing in s.pairs("none", "message", "marketing", within=2)
        if not s.near("transactional", thing.role, within=2)
    ]  # fmt: skip
    nouns += [thing for _, thing in s.pairs("not", "message", "marketing", within=1)]
    if not nouns:
        return s.near("enough", "message", "marketing", "send", "bother", within=4) and not s.has("transactional")
    return s.has("more") or s.words <= _SHORT or any(one.role == "marketing" for one in nouns)


def _taken_off(s: Sentence) -> bool:
    """Remove me from your list."""
    if any(not _other_things(s, verb) for verb, _ in s.pairs("remove", "list", within=8)):
        return True
    for verb, _ in s.pairs("remove", "me", within=3):
        if _other_things(s, verb):
            continue
        if s.has("message", "marketing", "list") or s.words <= _SHORT + 1:
            return True
    return False


def _taken_off_unsure(s: Sentence) -> bool:
    return any(not _other_things(s, verb) for verb, _ in s.pairs("remove", "me", "message", "marketing", within=3))


def _unsubscribed(s: Sentence) -> bool:
    about_messages = s.has("message", "marketing", "list")
    if s.has("transactional", "place") and not about_messages:
        return False
    # "I sign my son off from training" says of whom and from what; "I sign off" of oneself, from the messages.
    if s.words > _BRIEF and not about_messages and not s.has("me"):
        return False
    return any(s.words <= _LONG and not _other_things(s, verb) for verb in s.of("unsub"))


def _unsubscribed_unsure(s: Sentence) -> bool:
    return s.has("unsub") and not s.has("transactional", "place", "third") and s.words <= _LONG


def _erased_too(s: Sentence) -> bool:
    """Stop and delete what you have of me."""
    return s.has("cease") and (s.together("erase", "data") or s.has("forget")) and not s.has("transactional")


def _cancelled_messages(s: Sentence) -> bool:
    """Cancel, turn off, block these messages."""
    return any(
        not _other_things(s, verb) for verb, _ in s.pairs("cancel", "message", "marketing", "send", "consent", within=4)
    )


def _subscription_ended(s: Sentence) -> bool:
    """Cancel my subscription to these messages; a subscription to anything else is an order."""
    if not s.near("subscription", "message", "marketing", within=3):
        return False
    return s.near("subscription", "cancel", "cease", "remove", "unsub", "unwanted", within=4)


def _only_orders(s: Sentence) -> bool:
    """Only news of my order, the rest not."""
    return s.has("rest") and s.has("only", "transactional")


def _already_said(s: Sentence) -> bool:
    """I have written STOP three times; how many times must I say that nothing be sent?"""
    return s.has("already") and (s.has("cease", "unsub", "unsent") or s.near("not", "send", "bother", within=4))


def _threatened(s: Sentence) -> bool:
    """If you write to me once more, I shall complain; but not: if you do not write."""
    told = s.has("send", "message", "bother") and s.has("more", "if")
    return s.has("complain") and told and not s.has("transactional", "not", "missing")


def _doubtful(s: Sentence) -> bool:
    return s.has("doubt")


def _bothered(s: Sentence) -> bool:
    return s.has("bother") and s.has("me", "message", "marketing") and not s.has("transactional")


def _bare_ceasing(s: Sentence) -> bool:
    """A verb of ceasing in a few words about nothing else."""
    return s.has("cease") and 1 < s.words <= 3 and not s.has("transactional", "place", "not", "call")


def _bare_unwanted(s: Sentence) -> bool:
    wish = s.has("unwanted") or s.near("not", "want", within=2)
    return (
        wish
        and (s.has("more") or s.words <= 3)
        and s.words <= 10
        and not s.has("transactional", "place", "missing", "call")
    )


def _bare_forbidden(s: Sentence) -> bool:
    about = s.has("unsent") or s.near("not", "send", within=1)
    return about and s.words <= 4 and not s.has("transactional", "place", "call", "missing")


_RULES: tuple[tuple[str, str, Callable[[Sentence], bool]], ...] = (
    ("subscription-ended", "stop", _subscription_ended),
    ("alone", "stop", _alone),
    ("consent-withdrawn", "stop", _consent_withdrawn),
    ("objected", "stop", _objected),
    ("cease-messages", "stop", _ceasing),
    ("sending-forbidden", "stop", _forbidden),
    ("messages-unwanted", "stop", _unwanted),
    ("stop-and-erase", "stop", _erased_too),
    ("taken-off", "stop", _taken_off),
    ("unsubscribed", "stop", _unsubscribed),
    ("no-more-messages", "stop", _no_more),
    ("messages-cancelled", "stop", _cancelled_messages),
    ("only-orders", "stop", _only_orders),
    ("already-said", "stop", _already_said),
    ("doubt", "ask", _doubtful),
    ("threatened", "stop", _threatened),
    ("taken-off-unsure", "ask", _taken_off_unsure),
    ("unsubscribed-unsure", "ask", _unsubscribed_unsure),
    ("bothered", "ask", _bothered),
    ("bare-ceasing", "ask", _bare_ceasing),
    ("bare-unwanted", "ask", _bare_unwanted),
    ("bare-forbidden", "ask", _bare_forbidden),
)

GUESSES = frozenset({"bare-ceasing", "bare-unwanted", "bare-forbidden", "unsubscribed-unsure"})
"""Rules that only guess: what resembles no wish at all is not asked about for their sake."""

NAMES = frozenset(name for name, _, _ in _RULES)
"""The rules of this grammar, as against keywords."""
